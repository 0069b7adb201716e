#include "api/meshconfig.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value log_encoding_values[] = {
    { STR_INIT("TEXT"), LOG_ENCODING_TEXT },
    { STR_INIT("JSON"), LOG_ENCODING_JSON },
};
ENUM_TABLE(api_enum_log_encoding, "MeshConfig.AccessLogEncoding", log_encoding_values);

static const struct api_enum_value normalize_values[] = {
    { STR_INIT("DEFAULT"), NORMALIZE_DEFAULT },
    { STR_INIT("NONE"), NORMALIZE_NONE },
    { STR_INIT("BASE"), NORMALIZE_BASE },
    { STR_INIT("MERGE_SLASHES"), NORMALIZE_MERGE_SLASHES },
    { STR_INIT("DECODE_AND_MERGE_SLASHES"), NORMALIZE_DECODE_AND_MERGE_SLASHES },
};
ENUM_TABLE(api_enum_normalize, "ProxyPathNormalization.NormalizationType", normalize_values);

static const struct api_enum_value outbound_values[] = {
    { STR_INIT("REGISTRY_ONLY"), OUTBOUND_REGISTRY_ONLY },
    { STR_INIT("ALLOW_ANY"), OUTBOUND_ALLOW_ANY },
    { STR_INIT("ALLOW_ANY_DYNAMIC_DNS"), OUTBOUND_ALLOW_ANY_DYNAMIC_DNS },
};
ENUM_TABLE(api_enum_outbound, "OutboundTrafficPolicy.Mode", outbound_values);

static const struct api_enum_value xfcc_values[] = {
    { STR_INIT("UNDEFINED"), XFCC_UNDEFINED },
    { STR_INIT("SANITIZE"), XFCC_SANITIZE },
    { STR_INIT("FORWARD_ONLY"), XFCC_FORWARD_ONLY },
    { STR_INIT("APPEND_FORWARD"), XFCC_APPEND_FORWARD },
    { STR_INIT("SANITIZE_SET"), XFCC_SANITIZE_SET },
    { STR_INIT("ALWAYS_FORWARD_ONLY"), XFCC_ALWAYS_FORWARD_ONLY },
};
ENUM_TABLE(api_enum_xfcc, "ForwardClientCertDetails", xfcc_values);

static const struct api_enum_value mx_mode_values[] = {
    { STR_INIT("UNDEFINED"), MX_MODE_UNDEFINED },
    { STR_INIT("IN_MESH"), MX_MODE_IN_MESH },
};
ENUM_TABLE(api_enum_mx_mode, "MetadataExchangeMode", mx_mode_values);

static const struct api_enum_value conn_profile_values[] = {
    { STR_INIT("SIDECAR"), CONN_PROFILE_SIDECAR },
    { STR_INIT("EDGE"), CONN_PROFILE_EDGE },
};
ENUM_TABLE(api_enum_conn_profile, "ConnectionProfile", conn_profile_values);

static const struct api_enum_value underscores_values[] = {
    { STR_INIT("HEADERS_WITH_UNDERSCORES_UNSPECIFIED"),
      UNDERSCORES_HEADERS_WITH_UNDERSCORES_UNSPECIFIED },
    { STR_INIT("HEADERS_WITH_UNDERSCORES_ALLOW"), UNDERSCORES_HEADERS_WITH_UNDERSCORES_ALLOW },
    { STR_INIT("HEADERS_WITH_UNDERSCORES_REJECT_REQUEST"),
      UNDERSCORES_HEADERS_WITH_UNDERSCORES_REJECT_REQUEST },
    { STR_INIT("HEADERS_WITH_UNDERSCORES_DROP_HEADER"),
      UNDERSCORES_HEADERS_WITH_UNDERSCORES_DROP_HEADER },
};
ENUM_TABLE(api_enum_underscores, "HeadersWithUnderscoresAction", underscores_values);

static const struct api_enum_value esc_slashes_values[] = {
    { STR_INIT("PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED"),
      ESC_SLASHES_PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED },
    { STR_INIT("KEEP_UNCHANGED"), ESC_SLASHES_KEEP_UNCHANGED },
    { STR_INIT("REJECT_REQUEST"), ESC_SLASHES_REJECT_REQUEST },
    { STR_INIT("UNESCAPE_AND_REDIRECT"), ESC_SLASHES_UNESCAPE_AND_REDIRECT },
    { STR_INIT("UNESCAPE_AND_FORWARD"), ESC_SLASHES_UNESCAPE_AND_FORWARD },
};
ENUM_TABLE(api_enum_esc_slashes, "PathWithEscapedSlashesAction", esc_slashes_values);

#define THIS struct api_topology_proxy_protocol
static const struct api_field topology_proxy_protocol_fields[] = {};
RECORD(rec_topology_proxy_protocol, "ProxyProtocolConfiguration", topology_proxy_protocol_fields,
       "PROXY header is read");
#undef THIS

#define THIS struct api_gateway_topology
static const struct api_field gateway_topology_fields[] = {
    INT(YES, num_trusted_proxies, "numTrustedProxies", 0, U32_MAX,
        "Proxies whose X-Forwarded-For is believed"),
    ENUM(YES, forward_client_cert_details, "forwardClientCertDetails", api_enum_xfcc,
         "What becomes of X-Forwarded-Client-Cert"),
    MSG(NOT, proxy_protocol, "proxyProtocol", struct api_topology_proxy_protocol,
        rec_topology_proxy_protocol, "Read the PROXY header"),
};
RECORD(rec_gateway_topology, "Topology", gateway_topology_fields, "What stands before the gateway");
#undef THIS

#define THIS struct api_header_switch
static const struct api_field header_switch_fields[] = {
    BOOL(NOT, disabled, "disabled", "Leave it out"),
};
RECORD(rec_header_switch, "ProxyHeaders.Switch", header_switch_fields,
       "A header that can be left out");
#undef THIS

#define THIS struct api_header_enable
static const struct api_field header_enable_fields[] = {
    BOOL(NOT, enabled, "enabled", "Add it"),
};
RECORD(rec_header_enable, "ProxyHeaders.Enable", header_enable_fields,
       "A header that can be added");
#undef THIS

#define THIS struct api_server_header
static const struct api_field server_header_fields[] = {
    BOOL(YES, disabled, "disabled", "Leave it as the service sends it"),
    STRING(YES, value, "value", "Default istio-envoy"),
};
RECORD(rec_server_header, "ProxyHeaders.Server", server_header_fields, "The server header");
#undef THIS

#define THIS struct api_mx_headers
static const struct api_field mx_headers_fields[] = {
    ENUM(NOT, mode, "mode", api_enum_mx_mode, "When they are sent"),
};
RECORD(rec_mx_headers, "ProxyHeaders.MetadataExchangeHeaders", mx_headers_fields,
       "Metadata exchange headers");
#undef THIS

#define THIS struct api_xfcc_details
static const struct api_field xfcc_details_fields[] = {
    BOOL(NOT, subject, "subject", "Subject"),
    BOOL(NOT, cert, "cert", "Certificate"),
    BOOL(NOT, chain, "chain", "Chain"),
    BOOL(NOT, dns, "dns", "DNS names"),
    BOOL(NOT, uri, "uri", "URIs"),
};
RECORD(rec_xfcc_details, "ProxyHeaders.SetCurrentClientCertDetails", xfcc_details_fields,
       "Parts of X-Forwarded-Client-Cert");
#undef THIS

#define THIS struct api_proxy_headers
static const struct api_field proxy_headers_fields[] = {
    ENUM(NOT, forwarded_client_cert, "forwardedClientCert", api_enum_xfcc,
         "X-Forwarded-Client-Cert"),
    MSG(NOT, set_current_client_cert_details, "setCurrentClientCertDetails",
        struct api_xfcc_details, rec_xfcc_details, "Its parts"),
    MSG(NOT, request_id, "requestId", struct api_header_switch, rec_header_switch, "X-Request-Id"),
    MSG(YES, server, "server", struct api_server_header, rec_server_header, "Server"),
    MSG(NOT, attempt_count, "attemptCount", struct api_header_switch, rec_header_switch,
        "X-Envoy-Attempt-Count"),
    MSG(NOT, envoy_debug_headers, "envoyDebugHeaders", struct api_header_switch, rec_header_switch,
        "X-Envoy-Upstream-Service-Time and others"),
    MSG(NOT, metadata_exchange_headers, "metadataExchangeHeaders", struct api_mx_headers,
        rec_mx_headers, "Metadata exchange"),
    BOOL(YES, preserve_http1_header_case, "preserveHttp1HeaderCase",
         "Keep the case of HTTP/1 headers"),
    MSG(NOT, x_forwarded_host, "xForwardedHost", struct api_header_enable, rec_header_enable,
        "X-Forwarded-Host"),
    MSG(NOT, x_forwarded_port, "xForwardedPort", struct api_header_enable, rec_header_enable,
        "X-Forwarded-Port"),
};
RECORD(rec_proxy_headers, "ProxyHeaders", proxy_headers_fields, "Headers that the proxy makes");
#undef THIS

#define THIS struct api_connection_settings
static const struct api_field connection_settings_fields[] = {
    ENUM(NOT, profile, "profile", api_enum_conn_profile, "A set of values"),
    INT(YES, listener_per_connection_buffer_limit_bytes, "listenerPerConnectionBufferLimitBytes", 0,
        U32_MAX, "Buffer of a client's connection"),
    INT(NOT, cluster_per_connection_buffer_limit_bytes, "clusterPerConnectionBufferLimitBytes", 0,
        U32_MAX, "Buffer of a service's connection"),
    DUR(YES, http_idle_timeout, "httpIdleTimeout", "Idle connection"),
    DUR(NOT, http_max_connection_duration, "httpMaxConnectionDuration", "Age of a connection"),
    DUR(NOT, http_drain_timeout, "httpDrainTimeout", "Time after GOAWAY"),
    DUR(NOT, http_request_timeout, "httpRequestTimeout", "Whole request"),
    DUR(YES, http_request_headers_timeout, "httpRequestHeadersTimeout", "Request head"),
    DUR(NOT, http_stream_idle_timeout, "httpStreamIdleTimeout", "Idle stream"),
    DUR(NOT, http_max_stream_duration, "httpMaxStreamDuration", "Age of a stream"),
    INT(NOT, http_max_concurrent_streams, "httpMaxConcurrentStreams", 0, U32_MAX,
        "Streams of a connection"),
    INT(NOT, http2_initial_stream_window_size, "http2InitialStreamWindowSize", 0, U32_MAX,
        "Window of a stream"),
    INT(NOT, http2_initial_connection_window_size, "http2InitialConnectionWindowSize", 0, U32_MAX,
        "Window of a connection"),
    ENUM(NOT, http_headers_with_underscores_action, "httpHeadersWithUnderscoresAction",
         api_enum_underscores, "Headers with _"),
    BOOL(NOT, http_merge_slashes, "httpMergeSlashes", "// becomes /"),
    ENUM(NOT, http_path_with_escaped_slashes_action, "httpPathWithEscapedSlashesAction",
         api_enum_esc_slashes, "%2F in paths"),
    INT(YES, listener_connection_limit, "listenerConnectionLimit", 0, U32_MAX,
        "Connections of a listener"),
    INT(YES, global_downstream_connection_limit, "globalDownstreamConnectionLimit", 0, U32_MAX,
        "Connections in all"),
};
RECORD(rec_connection_settings, "ConnectionSettings", connection_settings_fields,
       "Limits of connections");
#undef THIS

#define THIS struct api_proxy_config
static const struct api_field proxy_config_fields[] = {
    MSG(YES, gateway_topology, "gatewayTopology", struct api_gateway_topology, rec_gateway_topology,
        "What stands before the gateway"),
    MSG(YES, proxy_headers, "proxyHeaders", struct api_proxy_headers, rec_proxy_headers,
        "Headers that the proxy makes"),
    MSG(YES, connection_settings, "connectionSettings", struct api_connection_settings,
        rec_connection_settings, "Limits of connections"),
    DUR(NOT, drain_duration, "drainDuration", "Time to drain a listener", .flags = API_ANY_DUR),
    DUR(NOT, termination_drain_duration, "terminationDrainDuration", "Time to drain after SIGTERM",
        .flags = API_ANY_DUR),
    INT(NOT, concurrency, "concurrency", I32_MIN, I32_MAX, "Threads"),
    STRING(NOTE, config_path, "configPath", "Envoy's"),
    STRING(NOTE, binary_path, "binaryPath", "Envoy's"),
    STRING(NOTE, service_cluster, "serviceCluster", "Name in traces"),
    STRING(NOTE, discovery_address, "discoveryAddress", "Where istiod is"),
    INT(NOTE, proxy_admin_port, "proxyAdminPort", I32_MIN, I32_MAX, "Admin port: see --admin"),
    INT(NOTE, status_port, "statusPort", I32_MIN, I32_MAX, "Agent's port"),
    STRING(NOTE, mesh_id, "meshId", "Name of the mesh"),
    STRING_MAP(NOTE, proxy_metadata, "proxyMetadata", "Environment of the proxy"),
    DUR(NOT, file_flush_interval, "fileFlushInterval", "Access log is written at least so often",
        .flags = API_ANY_DUR),
    INT(NOT, file_flush_min_size_kb, "fileFlushMinSizeKb", 0, U32_MAX,
        "Access log is written at this size"),
    BOOL(NOT, stats_compression, "statsCompression", "Compressed statistics"),
    TREE(NOT, tracing_service_name, "tracingServiceName", "Name in traces"),
    TREE(NOT, control_plane_auth_policy, "controlPlaneAuthPolicy", "Authentication to istiod"),
    TREE(NOT, interception_mode, "interceptionMode", "Capture of traffic"),
    TREE(NOT, tracing, "tracing", "Tracing"),
    TREE(NOT, stat_name_length, "statNameLength", "Envoy's"),
    TREE(NOT, statsd_udp_address, "statsdUdpAddress", "Statistics over UDP"),
    TREE(NOT, envoy_access_log_service, "envoyAccessLogService", "Access log over gRPC"),
    TREE(NOT, envoy_metrics_service, "envoyMetricsService", "Statistics over gRPC"),
    TREE(NOT, runtime_values, "runtimeValues", "Envoy's"),
    TREE(NOT, extra_stat_tags, "extraStatTags", "More labels"),
    TREE(NOT, proxy_stats_matcher, "proxyStatsMatcher", "Statistics kept"),
    TREE(NOT, readiness_probe, "readinessProbe", "Probe of the proxy"),
    TREE(NOT, ca_certificates_pem, "caCertificatesPem", "More roots"),
    TREE(NOT, image, "image", "Image of the proxy"),
    TREE(NOT, private_key_provider, "privateKeyProvider", "Key hardware"),
    TREE(NOT, hold_application_until_proxy_starts, "holdApplicationUntilProxyStarts",
         "Start order"),
    TREE(NOT, sds, "sds", "Old"),
    TREE(NOT, zipkin_address, "zipkinAddress", "Old"),
    TREE(NOT, envoy_metrics_service_address, "envoyMetricsServiceAddress", "Old"),
    TREE(NOT, discovery_refresh_delay, "discoveryRefreshDelay", "Old"),
    TREE(NOT, availability_zone, "availabilityZone", "Old"),
    TREE(NOT, custom_config_file, "customConfigFile", "Envoy's"),
    TREE(NOT, proxy_bootstrap_template_path, "proxyBootstrapTemplatePath", "Envoy's"),
};
RECORD(rec_proxy_config, "ProxyConfig", proxy_config_fields, "Settings of a proxy");
#undef THIS

#define THIS struct api_outbound_policy
static const struct api_field outbound_policy_fields[] = {
    ENUM(NOT, mode, "mode", api_enum_outbound, "What happens to it", .dflt = "ALLOW_ANY"),
    MSG(NOT, tls, "tls", struct api_client_tls, rec_client_tls, "TLS for dynamic DNS"),
};
RECORD(rec_outbound_policy, "OutboundTrafficPolicy", outbound_policy_fields,
       "Traffic to unknown hosts");
#undef THIS

#define THIS struct api_path_normalization
static const struct api_field path_normalization_fields[] = {
    ENUM(YES, normalization, "normalization", api_enum_normalize, "DEFAULT is BASE",
         .dflt = "DEFAULT"),
};
RECORD(rec_path_normalization, "ProxyPathNormalization", path_normalization_fields,
       "Paths before they are matched");
#undef THIS

#define THIS struct api_mesh_traffic_policy
static const struct api_field mesh_traffic_policy_fields[] = {
    MSG(NOT, connection_pool, "connectionPool", struct api_connection_pool, rec_connection_pool,
        "Limits"),
    MSG(NOT, outlier_detection, "outlierDetection", struct api_outlier_detection,
        rec_outlier_detection, "Ejection"),
};
RECORD(rec_mesh_traffic_policy, "MeshConfig.DefaultTrafficPolicy", mesh_traffic_policy_fields,
       "Where no DestinationRule says it");
#undef THIS

#define THIS struct api_meshconfig
static const struct api_field meshconfig_fields[] = {
    STRING(YES, access_log_file, "accessLogFile", "/dev/stdout, a file, or empty: off"),
    STRING(YES, access_log_format, "accessLogFormat", "Envoy's format string; empty: Istio's"),
    ENUM(YES, access_log_encoding, "accessLogEncoding", api_enum_log_encoding, "TEXT or JSON",
         .dflt = "TEXT"),
    MSG(YES, path_normalization, "pathNormalization", struct api_path_normalization,
        rec_path_normalization, "Paths before they are matched"),
    STRING(YES, root_namespace, "rootNamespace", "Namespace of mesh-wide policies",
           .dflt = "istio-system", .check = api_check_dns_label),
    MSG(YES, default_config, "defaultConfig", struct api_proxy_config, rec_proxy_config,
        "Settings of proxies"),
    MSG(YES, default_http_retry_policy, "defaultHttpRetryPolicy", struct api_retries, rec_retries,
        "Where a VirtualService says nothing"),
    DUR(YES, connect_timeout, "connectTimeout", "To a service", .dflt = "10s"),
    MSG(NOTE, outbound_traffic_policy, "outboundTrafficPolicy", struct api_outbound_policy,
        rec_outbound_policy, "Traffic to unknown hosts"),
    STRINGS(YES, default_service_export_to, "defaultServiceExportTo", "Default *"),
    STRINGS(YES, default_virtual_service_export_to, "defaultVirtualServiceExportTo", "Default *"),
    STRINGS(YES, default_destination_rule_export_to, "defaultDestinationRuleExportTo", "Default *"),
    STRING(NOTE, trust_domain, "trustDomain", "Of identities", .dflt = "cluster.local"),
    STRINGS(NOT, trust_domain_aliases, "trustDomainAliases", "More of them"),
    MSG(NOT, tcp_keepalive, "tcpKeepalive", struct api_tcp_keepalive, rec_tcp_keepalive,
        "SO_KEEPALIVE"),
    MSG(NOT, locality_lb_setting, "localityLbSetting", struct api_locality_lb, rec_locality_lb,
        "Balancing by locality"),
    MSG(NOT, zone_aware_lb_setting, "zoneAwareLbSetting", struct api_zone_aware_lb,
        rec_zone_aware_lb, "Balancing by zone"),
    DUR(NOT, dns_refresh_rate, "dnsRefreshRate", "Names of services", .dflt = "60s"),
    ENUM(YES, h2_upgrade_policy, "h2UpgradePolicy", api_enum_h2_upgrade,
         "Speak HTTP/2 to services"),
    MSG(NOT, default_traffic_policy, "defaultTrafficPolicy", struct api_mesh_traffic_policy,
        rec_mesh_traffic_policy, "Where no DestinationRule says it"),
    BOOL(NOTE, enable_auto_mtls, "enableAutoMtls", "mTLS where it can be", .dflt = "true"),
    BOOL(NOTE, enable_tracing, "enableTracing", "Tracing", .dflt = "true"),
    BOOL(NOTE, enable_prometheus_merge, "enablePrometheusMerge", "Agent's", .dflt = "true"),
    INT(NOTE, proxy_listen_port, "proxyListenPort", I32_MIN, I32_MAX, "Sidecars only"),
    INT(NOTE, proxy_inbound_listen_port, "proxyInboundListenPort", I32_MIN, I32_MAX,
        "Sidecars only"),
    INT(NOTE, proxy_http_port, "proxyHttpPort", I32_MIN, I32_MAX, "Sidecars only"),
    STRING(NOTE, ingress_class, "ingressClass", "Ingress"),
    STRING(NOTE, ingress_service, "ingressService", "Ingress"),
    STRING(NOTE, ingress_selector, "ingressSelector", "Ingress"),
    STRING(NOTE, ingress_controller_mode, "ingressControllerMode", "Ingress"),
    DUR(NOT, hbone_idle_timeout, "hboneIdleTimeout", "Ambient mesh", .flags = API_ANY_DUR),
    DUR(NOT, protocol_detection_timeout, "protocolDetectionTimeout", "Ports without a protocol",
        .flags = API_ANY_DUR),
    BOOL(NOT, enable_envoy_access_log_service, "enableEnvoyAccessLogService",
         "Access log over gRPC"),
    BOOL(NOT, disable_envoy_listener_log, "disableEnvoyListenerLog",
         "No log of connections that match nothing"),
    TREE(NOTE, inbound_traffic_policy, "inboundTrafficPolicy", "Sidecars only"),
    TREE(NOTE, config_sources, "configSources", "Where istiod reads from"),
    TREE(NOT, ca_certificates, "caCertificates", "More roots"),
    TREE(NOT, ca, "ca", "External CA"),
    STRING(NOT, inbound_cluster_stat_name, "inboundClusterStatName", "Names of statistics"),
    STRING(NOT, outbound_cluster_stat_name, "outboundClusterStatName", "Names of statistics"),
    TREE(NOT, certificates, "certificates", "Old"),
    TREE(NOT, service_settings, "serviceSettings", "Several clusters"),
    TREE(NOT, service_scope_configs, "serviceScopeConfigs", "Ambient mesh"),
    TREE(NOT, verify_certificate_at_client, "verifyCertificateAtClient", "Old"),
    TREE(NOT, extension_providers, "extensionProviders", "Tracing, logs, authorization"),
    TREE(NOT, default_providers, "defaultProviders", "Tracing, logs, metrics"),
    TREE(NOT, discovery_selectors, "discoverySelectors", "Namespaces that are read"),
    TREE(NOTE, default_inbound_http_retry_policy, "defaultInboundHttpRetryPolicy", "Sidecars only"),
    TREE(NOT, mesh_mtls, "meshMTLS", "TLS inside the mesh"),
    TREE(NOT, tls_defaults, "tlsDefaults", "TLS defaults"),
    TREE(NOT, service_entry_visibility, "serviceEntryVisibility", "Who sees ServiceEntries"),
};
RECORD(rec_meshconfig, "MeshConfig", meshconfig_fields, "Settings of the mesh");
#undef THIS
