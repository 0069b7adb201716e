/*
 * api/meshconfig - MeshConfig and its ProxyConfig, from ConfigMap istio or a file.
 *
 * Source: istio-api.md 1.18, 1.19.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"
#include "api/destinationrule.h"
#include "api/virtualservice.h"

enum api_log_encoding {
    LOG_ENCODING_TEXT = 0,
    LOG_ENCODING_JSON = 1,
};
extern const struct api_enum api_enum_log_encoding;

enum api_normalization {
    NORMALIZE_DEFAULT = 0,
    NORMALIZE_NONE = 1,
    NORMALIZE_BASE = 2,
    NORMALIZE_MERGE_SLASHES = 3,
    NORMALIZE_DECODE_AND_MERGE_SLASHES = 4,
};
extern const struct api_enum api_enum_normalize;

enum api_outbound_mode {
    OUTBOUND_REGISTRY_ONLY = 0,
    OUTBOUND_ALLOW_ANY = 1,
    OUTBOUND_ALLOW_ANY_DYNAMIC_DNS = 2,
};
extern const struct api_enum api_enum_outbound;

enum api_xfcc {
    XFCC_UNDEFINED = 0,
    XFCC_SANITIZE = 1,
    XFCC_FORWARD_ONLY = 2,
    XFCC_APPEND_FORWARD = 3,
    XFCC_SANITIZE_SET = 4,
    XFCC_ALWAYS_FORWARD_ONLY = 5,
};
extern const struct api_enum api_enum_xfcc;

enum api_mx_mode {
    MX_MODE_UNDEFINED = 0,
    MX_MODE_IN_MESH = 1,
};
extern const struct api_enum api_enum_mx_mode;

enum api_connection_profile {
    CONN_PROFILE_SIDECAR = 0,
    CONN_PROFILE_EDGE = 1,
};
extern const struct api_enum api_enum_conn_profile;

enum api_underscores {
    UNDERSCORES_HEADERS_WITH_UNDERSCORES_UNSPECIFIED = 0,
    UNDERSCORES_HEADERS_WITH_UNDERSCORES_ALLOW = 1,
    UNDERSCORES_HEADERS_WITH_UNDERSCORES_REJECT_REQUEST = 2,
    UNDERSCORES_HEADERS_WITH_UNDERSCORES_DROP_HEADER = 3,
};
extern const struct api_enum api_enum_underscores;

enum api_escaped_slashes {
    ESC_SLASHES_PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED = 0,
    ESC_SLASHES_KEEP_UNCHANGED = 1,
    ESC_SLASHES_REJECT_REQUEST = 2,
    ESC_SLASHES_UNESCAPE_AND_REDIRECT = 3,
    ESC_SLASHES_UNESCAPE_AND_FORWARD = 4,
};
extern const struct api_enum api_enum_esc_slashes;

/* PROXY header is read */
struct api_topology_proxy_protocol {
    struct api_at at;
};
extern const struct api_record rec_topology_proxy_protocol;

/* What stands before the gateway */
struct api_gateway_topology {
    struct api_at at;
    struct opt_int num_trusted_proxies;
    struct opt_enum forward_client_cert_details;
    struct api_topology_proxy_protocol *proxy_protocol;
};
extern const struct api_record rec_gateway_topology;

/* A header that can be left out */
struct api_header_switch {
    struct api_at at;
    struct opt_bool disabled;
};
extern const struct api_record rec_header_switch;

/* A header that can be added */
struct api_header_enable {
    struct api_at at;
    struct opt_bool enabled;
};
extern const struct api_record rec_header_enable;

/* The server header */
struct api_server_header {
    struct api_at at;
    struct opt_bool disabled;
    struct str value;
};
extern const struct api_record rec_server_header;

/* Metadata exchange headers */
struct api_mx_headers {
    struct api_at at;
    struct opt_enum mode;
};
extern const struct api_record rec_mx_headers;

/* Parts of X-Forwarded-Client-Cert */
struct api_xfcc_details {
    struct api_at at;
    struct opt_bool subject;
    struct opt_bool cert;
    struct opt_bool chain;
    struct opt_bool dns;
    struct opt_bool uri;
};
extern const struct api_record rec_xfcc_details;

/* Headers that the proxy makes */
struct api_proxy_headers {
    struct api_at at;
    struct opt_enum forwarded_client_cert;
    struct api_xfcc_details *set_current_client_cert_details;
    struct api_header_switch *request_id;
    struct api_server_header *server;
    struct api_header_switch *attempt_count;
    struct api_header_switch *envoy_debug_headers;
    struct api_mx_headers *metadata_exchange_headers;
    struct opt_bool preserve_http1_header_case;
    struct api_header_enable *x_forwarded_host;
    struct api_header_enable *x_forwarded_port;
};
extern const struct api_record rec_proxy_headers;

/* Limits of connections */
struct api_connection_settings {
    struct api_at at;
    struct opt_enum profile;
    struct opt_int listener_per_connection_buffer_limit_bytes;
    struct opt_int cluster_per_connection_buffer_limit_bytes;
    struct opt_dur http_idle_timeout;
    struct opt_dur http_max_connection_duration;
    struct opt_dur http_drain_timeout;
    struct opt_dur http_request_timeout;
    struct opt_dur http_request_headers_timeout;
    struct opt_dur http_stream_idle_timeout;
    struct opt_dur http_max_stream_duration;
    struct opt_int http_max_concurrent_streams;
    struct opt_int http2_initial_stream_window_size;
    struct opt_int http2_initial_connection_window_size;
    struct opt_enum http_headers_with_underscores_action;
    struct opt_bool http_merge_slashes;
    struct opt_enum http_path_with_escaped_slashes_action;
    struct opt_int listener_connection_limit;
    struct opt_int global_downstream_connection_limit;
};
extern const struct api_record rec_connection_settings;

/* Settings of a proxy */
struct api_proxy_config {
    struct api_at at;
    struct api_gateway_topology *gateway_topology;
    struct api_proxy_headers *proxy_headers;
    struct api_connection_settings *connection_settings;
    struct opt_dur drain_duration;
    struct opt_dur termination_drain_duration;
    struct opt_int concurrency;
    struct str config_path;
    struct str binary_path;
    struct str service_cluster;
    struct str discovery_address;
    struct opt_int proxy_admin_port;
    struct opt_int status_port;
    struct str mesh_id;
    struct str_map proxy_metadata;
    struct opt_dur file_flush_interval;
    struct opt_int file_flush_min_size_kb;
    struct opt_bool stats_compression;
    const struct node *tracing_service_name;
    const struct node *control_plane_auth_policy;
    const struct node *interception_mode;
    const struct node *tracing;
    const struct node *stat_name_length;
    const struct node *statsd_udp_address;
    const struct node *envoy_access_log_service;
    const struct node *envoy_metrics_service;
    const struct node *runtime_values;
    const struct node *extra_stat_tags;
    const struct node *proxy_stats_matcher;
    const struct node *readiness_probe;
    const struct node *ca_certificates_pem;
    const struct node *image;
    const struct node *private_key_provider;
    const struct node *hold_application_until_proxy_starts;
    const struct node *sds;
    const struct node *zipkin_address;
    const struct node *envoy_metrics_service_address;
    const struct node *discovery_refresh_delay;
    const struct node *availability_zone;
    const struct node *custom_config_file;
    const struct node *proxy_bootstrap_template_path;
};
extern const struct api_record rec_proxy_config;

/* Traffic to unknown hosts */
struct api_outbound_policy {
    struct api_at at;
    struct opt_enum mode;
    struct api_client_tls *tls;
};
extern const struct api_record rec_outbound_policy;

/* Paths before they are matched */
struct api_path_normalization {
    struct api_at at;
    struct opt_enum normalization;
};
extern const struct api_record rec_path_normalization;

/* Where no DestinationRule says it */
struct api_mesh_traffic_policy {
    struct api_at at;
    struct api_connection_pool *connection_pool;
    struct api_outlier_detection *outlier_detection;
};
extern const struct api_record rec_mesh_traffic_policy;

/* Settings of the mesh */
struct api_meshconfig {
    struct api_at at;
    struct str access_log_file;
    struct str access_log_format;
    struct opt_enum access_log_encoding;
    struct api_path_normalization *path_normalization;
    struct str root_namespace;
    struct api_proxy_config *default_config;
    struct api_retries *default_http_retry_policy;
    struct opt_dur connect_timeout;
    struct api_outbound_policy *outbound_traffic_policy;
    struct str_list default_service_export_to;
    struct str_list default_virtual_service_export_to;
    struct str_list default_destination_rule_export_to;
    struct str trust_domain;
    struct str_list trust_domain_aliases;
    struct api_tcp_keepalive *tcp_keepalive;
    struct api_locality_lb *locality_lb_setting;
    struct api_zone_aware_lb *zone_aware_lb_setting;
    struct opt_dur dns_refresh_rate;
    struct opt_enum h2_upgrade_policy;
    struct api_mesh_traffic_policy *default_traffic_policy;
    struct opt_bool enable_auto_mtls;
    struct opt_bool enable_tracing;
    struct opt_bool enable_prometheus_merge;
    struct opt_int proxy_listen_port;
    struct opt_int proxy_inbound_listen_port;
    struct opt_int proxy_http_port;
    struct str ingress_class;
    struct str ingress_service;
    struct str ingress_selector;
    struct str ingress_controller_mode;
    struct opt_dur hbone_idle_timeout;
    struct opt_dur protocol_detection_timeout;
    struct opt_bool enable_envoy_access_log_service;
    struct opt_bool disable_envoy_listener_log;
    const struct node *inbound_traffic_policy;
    const struct node *config_sources;
    const struct node *ca_certificates;
    const struct node *ca;
    struct str inbound_cluster_stat_name;
    struct str outbound_cluster_stat_name;
    const struct node *certificates;
    const struct node *service_settings;
    const struct node *service_scope_configs;
    const struct node *verify_certificate_at_client;
    const struct node *extension_providers;
    const struct node *default_providers;
    const struct node *discovery_selectors;
    const struct node *default_inbound_http_retry_policy;
    const struct node *mesh_mtls;
    const struct node *tls_defaults;
    const struct node *service_entry_visibility;
};
extern const struct api_record rec_meshconfig;
