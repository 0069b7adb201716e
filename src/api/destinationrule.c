#include "api/destinationrule.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value lb_values[] = {
    { STR_INIT("UNSPECIFIED"), LB_SIMPLE_UNSPECIFIED },
    { STR_INIT("LEAST_CONN"), LB_SIMPLE_LEAST_CONN },
    { STR_INIT("RANDOM"), LB_SIMPLE_RANDOM },
    { STR_INIT("PASSTHROUGH"), LB_SIMPLE_PASSTHROUGH },
    { STR_INIT("ROUND_ROBIN"), LB_SIMPLE_ROUND_ROBIN },
    { STR_INIT("LEAST_REQUEST"), LB_SIMPLE_LEAST_REQUEST },
};
ENUM_TABLE(api_enum_lb, "LoadBalancerSettings.SimpleLB", lb_values);

static const struct api_enum_value h2_upgrade_values[] = {
    { STR_INIT("DEFAULT"), H2_UPGRADE_DEFAULT },
    { STR_INIT("DO_NOT_UPGRADE"), H2_UPGRADE_DO_NOT_UPGRADE },
    { STR_INIT("UPGRADE"), H2_UPGRADE_UPGRADE },
};
ENUM_TABLE(api_enum_h2_upgrade, "ConnectionPoolSettings.HTTPSettings.H2UpgradePolicy",
           h2_upgrade_values);

static const struct api_enum_value client_tls_values[] = {
    { STR_INIT("DISABLE"), CLIENT_TLS_DISABLE },
    { STR_INIT("SIMPLE"), CLIENT_TLS_SIMPLE },
    { STR_INIT("MUTUAL"), CLIENT_TLS_MUTUAL },
    { STR_INIT("ISTIO_MUTUAL"), CLIENT_TLS_ISTIO_MUTUAL },
};
ENUM_TABLE(api_enum_client_tls, "ClientTLSSettings.TLSmode", client_tls_values);

static const struct api_enum_value proxy_protocol_values[] = {
    { STR_INIT("V1"), PROXY_PROTOCOL_V1 },
    { STR_INIT("V2"), PROXY_PROTOCOL_V2 },
};
ENUM_TABLE(api_enum_proxy_protocol, "TrafficPolicy.ProxyProtocol.VERSION", proxy_protocol_values);

#define THIS struct api_cookie_attribute
static const struct api_field cookie_attribute_fields[] = {
    STRING(NOT, name, "name", "Its name", .flags = API_REQUIRED),
    STRING(NOT, value, "value", "Its value"),
};
RECORD(rec_cookie_attribute, "HTTPCookie.Attribute", cookie_attribute_fields,
       "An attribute of a cookie");
#undef THIS

#define THIS struct api_hash_cookie
static const struct api_field hash_cookie_fields[] = {
    STRING(NOT, name, "name", "Its name", .flags = API_REQUIRED),
    STRING(NOT, path, "path", "Its path"),
    DUR(NOT, ttl, "ttl", "Lifetime; 0s: session; missing: never set here", .flags = API_ANY_DUR),
    MSGS(NOT, attributes, "attributes", struct api_cookie_attribute, rec_cookie_attribute,
         "More attributes"),
};
RECORD(rec_hash_cookie, "HTTPCookie", hash_cookie_fields, "A cookie that chooses the endpoint");
#undef THIS

#define THIS struct api_ring_hash
static const struct api_field ring_hash_fields[] = {
    INT(NOT, minimum_ring_size, "minimumRingSize", 0, 0, "Entries in the ring", .dflt = "1024"),
};
RECORD(rec_ring_hash, "RingHash", ring_hash_fields, "Ring hash");
#undef THIS

#define THIS struct api_maglev
static const struct api_field maglev_fields[] = {
    INT(NOT, table_size, "tableSize", 0, 0, "A prime", .dflt = "65537"),
};
RECORD(rec_maglev, "MagLev", maglev_fields, "Maglev");
#undef THIS

#define THIS struct api_consistent_hash
static const struct api_field consistent_hash_fields[] = {
    STRING(NOT, http_header_name, "httpHeaderName", "By a header", .group = 1),
    MSG(NOT, http_cookie, "httpCookie", struct api_hash_cookie, rec_hash_cookie, "By a cookie",
        .group = 1),
    BOOL(NOT, use_source_ip, "useSourceIp", "By the client's address", .group = 1),
    STRING(NOT, http_query_parameter_name, "httpQueryParameterName", "By a query parameter",
           .group = 1),
    MSG(NOT, ring_hash, "ringHash", struct api_ring_hash, rec_ring_hash, "With a ring", .group = 2),
    MSG(NOT, maglev, "maglev", struct api_maglev, rec_maglev, "With a table", .group = 2),
    INT(NOT, minimum_ring_size, "minimumRingSize", 0, 0, "Use ringHash", .flags = API_DEPRECATED),
};
RECORD(rec_consistent_hash, "ConsistentHashLB", consistent_hash_fields,
       "The same client to the same endpoint");
#undef THIS

#define THIS struct api_locality_distribute
static const struct api_field locality_distribute_fields[] = {
    STRING(NOT, from, "from", "Locality of the client"),
    INT_MAP(NOT, to, "to", 0, U32_MAX, "Locality and percent, 100 in all"),
};
RECORD(rec_locality_distribute, "LocalityLoadBalancerSetting.Distribute",
       locality_distribute_fields, "Shares by locality");
#undef THIS

#define THIS struct api_locality_failover
static const struct api_field locality_failover_fields[] = {
    STRING(NOT, from, "from", "Region"),
    STRING(NOT, to, "to", "Region"),
};
RECORD(rec_locality_failover, "LocalityLoadBalancerSetting.Failover", locality_failover_fields,
       "Where a region fails over to");
#undef THIS

#define THIS struct api_locality_lb
static const struct api_field locality_lb_fields[] = {
    MSGS(NOT, distribute, "distribute", struct api_locality_distribute, rec_locality_distribute,
         "Shares"),
    MSGS(NOT, failover, "failover", struct api_locality_failover, rec_locality_failover,
         "Fail-over"),
    STRINGS(NOT, failover_priority, "failoverPriority", "Labels in their order"),
    BOOL(NOT, enabled, "enabled", "Default: the mesh's"),
};
RECORD(rec_locality_lb, "LocalityLoadBalancerSetting", locality_lb_fields, "Balancing by locality");
#undef THIS

#define THIS struct api_zone_aware_lb
static const struct api_field zone_aware_lb_fields[] = {
    BOOL(NOT, enabled, "enabled", "On"),
    MSGS(NOT, failover, "failover", struct api_locality_failover, rec_locality_failover,
         "Fail-over"),
    STRINGS(NOT, failover_priority, "failoverPriority", "Labels in their order"),
    INT(NOT, min_cluster_size, "minClusterSize", 0, U32_MAX, "Endpoints needed", .dflt = "6"),
};
RECORD(rec_zone_aware_lb, "ZoneAwareLbSetting", zone_aware_lb_fields, "Balancing by zone");
#undef THIS

#define THIS struct api_warmup
static const struct api_field warmup_fields[] = {
    DUR(NOT, duration, "duration", "How long", .flags = API_REQUIRED),
    NUM(NOT, minimum_percent, "minimumPercent", 0, 0, "Share at the start", .dflt = "10"),
    NUM(NOT, aggression, "aggression", 0, 0, "Shape of the curve", .dflt = "1"),
};
RECORD(rec_warmup, "WarmupConfiguration", warmup_fields, "New endpoints get less at first");
#undef THIS

#define THIS struct api_load_balancer
static const struct api_field load_balancer_fields[] = {
    ENUM(YES, simple, "simple", api_enum_lb, "By a simple rule", .group = 1,
         .dflt = "LEAST_REQUEST"),
    MSG(NOT, consistent_hash, "consistentHash", struct api_consistent_hash, rec_consistent_hash,
        "By a hash", .group = 1),
    MSG(NOT, locality_lb_setting, "localityLbSetting", struct api_locality_lb, rec_locality_lb,
        "By locality"),
    MSG(NOT, zone_aware_lb_setting, "zoneAwareLbSetting", struct api_zone_aware_lb,
        rec_zone_aware_lb, "By zone"),
    DUR(NOT, warmup_duration_secs, "warmupDurationSecs", "Use warmup", .flags = API_DEPRECATED),
    MSG(NOT, warmup, "warmup", struct api_warmup, rec_warmup, "Slow start"),
};
RECORD(rec_load_balancer, "LoadBalancerSettings", load_balancer_fields,
       "How an endpoint is chosen");
#undef THIS

#define THIS struct api_tcp_settings
static const struct api_field tcp_settings_fields[] = {
    INT(YES, max_connections, "maxConnections", I32_MIN, I32_MAX,
        "Connections to the host; 0: no limit"),
    DUR(YES, connect_timeout, "connectTimeout", "Default 10s"),
    MSG(NOT, tcp_keepalive, "tcpKeepalive", struct api_tcp_keepalive, rec_tcp_keepalive,
        "SO_KEEPALIVE"),
    DUR(NOT, max_connection_duration, "maxConnectionDuration",
        "Age at which a connection is closed"),
    DUR(YES, idle_timeout, "idleTimeout", "Default 1h; 0s: never", .flags = API_ANY_DUR),
};
RECORD(rec_tcp_settings, "ConnectionPoolSettings.TCPSettings", tcp_settings_fields,
       "Limits of connections");
#undef THIS

#define THIS struct api_http2_keepalive
static const struct api_field http2_keepalive_fields[] = {
    DUR(NOT, interval, "interval", "Time between them", .flags = API_REQUIRED),
    DUR(NOT, timeout, "timeout", "Time for the answer", .flags = API_REQUIRED),
};
RECORD(rec_http2_keepalive, "HTTP2KeepAlive", http2_keepalive_fields, "PING frames");
#undef THIS

#define THIS struct api_http_settings
static const struct api_field http_settings_fields[] = {
    INT(YES, http1_max_pending_requests, "http1MaxPendingRequests", I32_MIN, I32_MAX,
        "Waiting requests; 0: no limit"),
    INT(YES, http2_max_requests, "http2MaxRequests", I32_MIN, I32_MAX,
        "Requests at once; 0: no limit"),
    INT(YES, max_requests_per_connection, "maxRequestsPerConnection", I32_MIN, I32_MAX,
        "0: no limit; 1: no keep-alive"),
    INT(YES, max_retries, "maxRetries", I32_MIN, I32_MAX, "Retries at once; 0: no limit"),
    DUR(YES, idle_timeout, "idleTimeout", "Default: tcp's, 1h"),
    ENUM(YES, h2_upgrade_policy, "h2UpgradePolicy", api_enum_h2_upgrade,
         "Speak HTTP/2 to the service"),
    BOOL(NOT, use_client_protocol, "useClientProtocol", "Speak what the client speaks"),
    INT(NOT, max_concurrent_streams, "maxConcurrentStreams", I32_MIN, I32_MAX,
        "Streams of one connection"),
    MSG(NOT, http2_keep_alive, "http2KeepAlive", struct api_http2_keepalive, rec_http2_keepalive,
        "PING frames"),
};
RECORD(rec_http_settings, "ConnectionPoolSettings.HTTPSettings", http_settings_fields,
       "Limits of requests");
#undef THIS

#define THIS struct api_connection_pool
static const struct api_field connection_pool_fields[] = {
    MSG(YES, tcp, "tcp", struct api_tcp_settings, rec_tcp_settings, "Connections"),
    MSG(YES, http, "http", struct api_http_settings, rec_http_settings, "Requests"),
};
RECORD(rec_connection_pool, "ConnectionPoolSettings", connection_pool_fields,
       "Limits to the service");
#undef THIS

#define THIS struct api_outlier_detection
static const struct api_field outlier_detection_fields[] = {
    INT(NOT, consecutive_errors, "consecutiveErrors", I32_MIN, I32_MAX,
        "Use consecutiveGatewayErrors or consecutive5xxErrors", .flags = API_DEPRECATED),
    BOOL(NOT, split_external_local_origin_errors, "splitExternalLocalOriginErrors",
         "Count connection errors on their own"),
    INT(NOT, consecutive_local_origin_failures, "consecutiveLocalOriginFailures", 0, U32_MAX,
        "Connection errors in a row", .dflt = "5"),
    INT(NOT, consecutive_gateway_errors, "consecutiveGatewayErrors", 0, U32_MAX,
        "502, 503, 504 in a row; default off"),
    INT(NOT, consecutive_5xx_errors, "consecutive5xxErrors", 0, U32_MAX, "5xx in a row; 0: off",
        .dflt = "5"),
    DUR(NOT, interval, "interval", "Time between sweeps", .dflt = "10s"),
    DUR(NOT, base_ejection_time, "baseEjectionTime", "Times the number of ejections",
        .dflt = "30s"),
    INT(NOT, max_ejection_percent, "maxEjectionPercent", I32_MIN, I32_MAX,
        "Share of endpoints that may be out", .dflt = "10"),
    INT(NOT, min_health_percent, "minHealthPercent", I32_MIN, I32_MAX,
        "Below this share nobody is left out"),
    INTS(NOT, outlier_detection_http_error_codes, "outlierDetectionHttpErrorCodes",
         "Status codes that count as errors", .min = 0, .max = U32_MAX),
};
RECORD(rec_outlier_detection, "OutlierDetection", outlier_detection_fields,
       "Endpoints that fail are left out for a while");
#undef THIS

#define THIS struct api_client_tls
static const struct api_field client_tls_fields[] = {
    ENUM(YES, mode, "mode", api_enum_client_tls, "Kind of TLS", .dflt = "DISABLE"),
    STRING(YES, client_certificate, "clientCertificate", "Path"),
    STRING(YES, private_key, "privateKey", "Path"),
    STRING(YES, ca_certificates, "caCertificates", "Path"),
    STRING(YES, credential_name, "credentialName", "Secret"),
    STRINGS(YES, subject_alt_names, "subjectAltNames", "Names accepted"),
    STRING(YES, sni, "sni", "Server name sent"),
    BOOL(YES, insecure_skip_verify, "insecureSkipVerify", "Accept any certificate"),
    STRING(YES, ca_crl, "caCrl", "Path of a revocation list"),
};
RECORD(rec_client_tls, "ClientTLSSettings", client_tls_fields, "TLS to the service");
#undef THIS

#define THIS struct api_port_policy
static const struct api_field port_policy_fields[] = {
    MSG(YES, port, "port", struct api_port_selector, rec_port_selector, "The port",
        .flags = API_REQUIRED),
    MSG(YES, load_balancer, "loadBalancer", struct api_load_balancer, rec_load_balancer,
        "Balancing"),
    MSG(YES, connection_pool, "connectionPool", struct api_connection_pool, rec_connection_pool,
        "Limits"),
    MSG(NOT, outlier_detection, "outlierDetection", struct api_outlier_detection,
        rec_outlier_detection, "Ejection"),
    MSG(YES, tls, "tls", struct api_client_tls, rec_client_tls, "TLS"),
};
RECORD(rec_port_policy, "TrafficPolicy.PortTrafficPolicy", port_policy_fields,
       "Settings of one port");
#undef THIS

#define THIS struct api_tunnel
static const struct api_field tunnel_fields[] = {
    STRING(NOT, protocol, "protocol", "CONNECT or POST", .dflt = "CONNECT"),
    STRING(NOT, target_host, "targetHost", "Host asked for", .flags = API_REQUIRED),
    INT(NOT, target_port, "targetPort", 1, 65535, "Port asked for", .flags = API_REQUIRED),
};
RECORD(rec_tunnel, "TrafficPolicy.TunnelSettings", tunnel_fields, "Tunnel through a proxy");
#undef THIS

#define THIS struct api_proxy_protocol
static const struct api_field proxy_protocol_fields[] = {
    ENUM(NOT, version, "version", api_enum_proxy_protocol, "V1 or V2", .dflt = "V1"),
};
RECORD(rec_proxy_protocol, "TrafficPolicy.ProxyProtocol", proxy_protocol_fields,
       "PROXY header to the service");
#undef THIS

#define THIS struct api_retry_budget
static const struct api_field retry_budget_fields[] = {
    MSG(NOT, percent, "percent", struct api_percent, rec_percent, "Default 20"),
    INT(NOT, min_retry_concurrency, "minRetryConcurrency", 0, U32_MAX, "Always allowed",
        .dflt = "3"),
    DUR(NOT, budget_interval, "budgetInterval", "0: requests running now", .flags = API_ANY_DUR),
};
RECORD(rec_retry_budget, "TrafficPolicy.RetryBudget", retry_budget_fields,
       "Retries as a share of requests");
#undef THIS

#define THIS struct api_traffic_policy
static const struct api_field traffic_policy_fields[] = {
    MSG(YES, load_balancer, "loadBalancer", struct api_load_balancer, rec_load_balancer,
        "Balancing"),
    MSG(YES, connection_pool, "connectionPool", struct api_connection_pool, rec_connection_pool,
        "Limits"),
    MSG(NOT, outlier_detection, "outlierDetection", struct api_outlier_detection,
        rec_outlier_detection, "Ejection"),
    MSG(YES, tls, "tls", struct api_client_tls, rec_client_tls, "TLS"),
    MSGS(YES, port_level_settings, "portLevelSettings", struct api_port_policy, rec_port_policy,
         "Settings of single ports"),
    MSG(NOT, tunnel, "tunnel", struct api_tunnel, rec_tunnel, "Tunnel"),
    MSG(NOT, proxy_protocol, "proxyProtocol", struct api_proxy_protocol, rec_proxy_protocol,
        "PROXY header"),
    MSG(NOT, retry_budget, "retryBudget", struct api_retry_budget, rec_retry_budget,
        "Retry budget"),
};
RECORD(rec_traffic_policy, "TrafficPolicy", traffic_policy_fields, "How the service is spoken to");
#undef THIS

#define THIS struct api_subset
static const struct api_field subset_fields[] = {
    STRING(YES, name, "name", "Its name", .flags = API_REQUIRED, .check = api_check_subset),
    STRING_MAP(YES, labels, "labels", "Labels of the endpoints",
               .check_key = api_check_selector_key, .check = api_check_selector_value),
    MSG(YES, traffic_policy, "trafficPolicy", struct api_traffic_policy, rec_traffic_policy,
        "Settings of the subset"),
};
RECORD(rec_subset, "Subset", subset_fields, "Some of the endpoints");
#undef THIS

#define THIS struct api_destinationrule
static const struct api_field destinationrule_fields[] = {
    STRING(YES, host, "host", "Name of the service", .flags = API_REQUIRED),
    MSG(YES, traffic_policy, "trafficPolicy", struct api_traffic_policy, rec_traffic_policy,
        "Settings"),
    MSGS(YES, subsets, "subsets", struct api_subset, rec_subset, "Versions of the service"),
    STRINGS(YES, export_to, "exportTo", "Namespaces that see it"),
    MSG(YES, workload_selector, "workloadSelector", struct api_label_selector, rec_label_selector,
        "Clients it is for"),
};
RECORD(rec_destinationrule, "DestinationRule", destinationrule_fields, "Policies for a service");
#undef THIS
