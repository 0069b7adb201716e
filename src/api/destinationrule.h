/*
 * api/destinationrule - DestinationRule, networking.istio.io.
 *
 * Source: istio-api.md 1.5.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"

enum api_lb_simple {
    LB_SIMPLE_UNSPECIFIED = 0,
    LB_SIMPLE_LEAST_CONN = 1,
    LB_SIMPLE_RANDOM = 2,
    LB_SIMPLE_PASSTHROUGH = 3,
    LB_SIMPLE_ROUND_ROBIN = 4,
    LB_SIMPLE_LEAST_REQUEST = 5,
};
extern const struct api_enum api_enum_lb;

enum api_h2_upgrade {
    H2_UPGRADE_DEFAULT = 0,
    H2_UPGRADE_DO_NOT_UPGRADE = 1,
    H2_UPGRADE_UPGRADE = 2,
};
extern const struct api_enum api_enum_h2_upgrade;

enum api_client_tls_mode {
    CLIENT_TLS_DISABLE = 0,
    CLIENT_TLS_SIMPLE = 1,
    CLIENT_TLS_MUTUAL = 2,
    CLIENT_TLS_ISTIO_MUTUAL = 3,
};
extern const struct api_enum api_enum_client_tls;

enum api_proxy_protocol_version {
    PROXY_PROTOCOL_V1 = 0,
    PROXY_PROTOCOL_V2 = 1,
};
extern const struct api_enum api_enum_proxy_protocol;

/* An attribute of a cookie */
struct api_cookie_attribute {
    struct api_at at;
    struct str name;
    struct str value;
};
extern const struct api_record rec_cookie_attribute;

/* A cookie that chooses the endpoint */
struct api_hash_cookie {
    struct api_at at;
    struct str name;
    struct str path;
    struct opt_dur ttl;
    API_LIST(struct api_cookie_attribute) attributes;
};
extern const struct api_record rec_hash_cookie;

/* Ring hash */
struct api_ring_hash {
    struct api_at at;
    struct opt_int minimum_ring_size;
};
extern const struct api_record rec_ring_hash;

/* Maglev */
struct api_maglev {
    struct api_at at;
    struct opt_int table_size;
};
extern const struct api_record rec_maglev;

/* The same client to the same endpoint */
struct api_consistent_hash {
    struct api_at at;
    struct str http_header_name;
    struct api_hash_cookie *http_cookie;
    struct opt_bool use_source_ip;
    struct str http_query_parameter_name;
    struct api_ring_hash *ring_hash;
    struct api_maglev *maglev;
    struct opt_int minimum_ring_size;
};
extern const struct api_record rec_consistent_hash;

/* Shares by locality */
struct api_locality_distribute {
    struct api_at at;
    struct str from;
    struct int_map to;
};
extern const struct api_record rec_locality_distribute;

/* Where a region fails over to */
struct api_locality_failover {
    struct api_at at;
    struct str from;
    struct str to;
};
extern const struct api_record rec_locality_failover;

/* Balancing by locality */
struct api_locality_lb {
    struct api_at at;
    API_LIST(struct api_locality_distribute) distribute;
    API_LIST(struct api_locality_failover) failover;
    struct str_list failover_priority;
    struct opt_bool enabled;
};
extern const struct api_record rec_locality_lb;

/* Balancing by zone */
struct api_zone_aware_lb {
    struct api_at at;
    struct opt_bool enabled;
    API_LIST(struct api_locality_failover) failover;
    struct str_list failover_priority;
    struct opt_int min_cluster_size;
};
extern const struct api_record rec_zone_aware_lb;

/* New endpoints get less at first */
struct api_warmup {
    struct api_at at;
    struct opt_dur duration;
    struct opt_num minimum_percent;
    struct opt_num aggression;
};
extern const struct api_record rec_warmup;

/* How an endpoint is chosen */
struct api_load_balancer {
    struct api_at at;
    struct opt_enum simple;
    struct api_consistent_hash *consistent_hash;
    struct api_locality_lb *locality_lb_setting;
    struct api_zone_aware_lb *zone_aware_lb_setting;
    struct opt_dur warmup_duration_secs;
    struct api_warmup *warmup;
};
extern const struct api_record rec_load_balancer;

/* Limits of connections */
struct api_tcp_settings {
    struct api_at at;
    struct opt_int max_connections;
    struct opt_dur connect_timeout;
    struct api_tcp_keepalive *tcp_keepalive;
    struct opt_dur max_connection_duration;
    struct opt_dur idle_timeout;
};
extern const struct api_record rec_tcp_settings;

/* PING frames */
struct api_http2_keepalive {
    struct api_at at;
    struct opt_dur interval;
    struct opt_dur timeout;
};
extern const struct api_record rec_http2_keepalive;

/* Limits of requests */
struct api_http_settings {
    struct api_at at;
    struct opt_int http1_max_pending_requests;
    struct opt_int http2_max_requests;
    struct opt_int max_requests_per_connection;
    struct opt_int max_retries;
    struct opt_dur idle_timeout;
    struct opt_enum h2_upgrade_policy;
    struct opt_bool use_client_protocol;
    struct opt_int max_concurrent_streams;
    struct api_http2_keepalive *http2_keep_alive;
};
extern const struct api_record rec_http_settings;

/* Limits to the service */
struct api_connection_pool {
    struct api_at at;
    struct api_tcp_settings *tcp;
    struct api_http_settings *http;
};
extern const struct api_record rec_connection_pool;

/* Endpoints that fail are left out for a while */
struct api_outlier_detection {
    struct api_at at;
    struct opt_int consecutive_errors;
    struct opt_bool split_external_local_origin_errors;
    struct opt_int consecutive_local_origin_failures;
    struct opt_int consecutive_gateway_errors;
    struct opt_int consecutive_5xx_errors;
    struct opt_dur interval;
    struct opt_dur base_ejection_time;
    struct opt_int max_ejection_percent;
    struct opt_int min_health_percent;
    struct int_list outlier_detection_http_error_codes;
};
extern const struct api_record rec_outlier_detection;

/* TLS to the service */
struct api_client_tls {
    struct api_at at;
    struct opt_enum mode;
    struct str client_certificate;
    struct str private_key;
    struct str ca_certificates;
    struct str credential_name;
    struct str_list subject_alt_names;
    struct str sni;
    struct opt_bool insecure_skip_verify;
    struct str ca_crl;
};
extern const struct api_record rec_client_tls;

/* Settings of one port */
struct api_port_policy {
    struct api_at at;
    struct api_port_selector *port;
    struct api_load_balancer *load_balancer;
    struct api_connection_pool *connection_pool;
    struct api_outlier_detection *outlier_detection;
    struct api_client_tls *tls;
};
extern const struct api_record rec_port_policy;

/* Tunnel through a proxy */
struct api_tunnel {
    struct api_at at;
    struct str protocol;
    struct str target_host;
    struct opt_int target_port;
};
extern const struct api_record rec_tunnel;

/* PROXY header to the service */
struct api_proxy_protocol {
    struct api_at at;
    struct opt_enum version;
};
extern const struct api_record rec_proxy_protocol;

/* Retries as a share of requests */
struct api_retry_budget {
    struct api_at at;
    struct api_percent *percent;
    struct opt_int min_retry_concurrency;
    struct opt_dur budget_interval;
};
extern const struct api_record rec_retry_budget;

/* How the service is spoken to */
struct api_traffic_policy {
    struct api_at at;
    struct api_load_balancer *load_balancer;
    struct api_connection_pool *connection_pool;
    struct api_outlier_detection *outlier_detection;
    struct api_client_tls *tls;
    API_LIST(struct api_port_policy) port_level_settings;
    struct api_tunnel *tunnel;
    struct api_proxy_protocol *proxy_protocol;
    struct api_retry_budget *retry_budget;
};
extern const struct api_record rec_traffic_policy;

/* Some of the endpoints */
struct api_subset {
    struct api_at at;
    struct str name;
    struct str_map labels;
    struct api_traffic_policy *traffic_policy;
};
extern const struct api_record rec_subset;

/* Policies for a service */
struct api_destinationrule {
    struct api_at at;
    struct str host;
    struct api_traffic_policy *traffic_policy;
    API_LIST(struct api_subset) subsets;
    struct str_list export_to;
    struct api_label_selector *workload_selector;
};
extern const struct api_record rec_destinationrule;
