/*
 * api/virtualservice - VirtualService, networking.istio.io.
 *
 * Source: istio-api.md 1.4.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"

enum api_cors_preflight {
    CORS_PREFLIGHT_UNSPECIFIED = 0,
    CORS_PREFLIGHT_FORWARD = 1,
    CORS_PREFLIGHT_IGNORE = 2,
};
extern const struct api_enum api_enum_cors_preflight;

enum api_redirect_port {
    REDIRECT_PORT_FROM_PROTOCOL_DEFAULT = 0,
    REDIRECT_PORT_FROM_REQUEST_PORT = 1,
};
extern const struct api_enum api_enum_redirect_port;

/* The service that gets the request */
struct api_destination {
    struct api_at at;
    struct str host;
    struct str subset;
    struct api_port_selector *port;
};
extern const struct api_record rec_destination;

/* Changes to headers */
struct api_header_ops {
    struct api_at at;
    struct str_map set;
    struct str_map add;
    struct str_list remove;
};
extern const struct api_record rec_header_ops;

/* Header changes for request and response */
struct api_headers {
    struct api_at at;
    struct api_header_ops *request;
    struct api_header_ops *response;
};
extern const struct api_record rec_headers;

/* A destination with its share */
struct api_http_destination {
    struct api_at at;
    struct api_destination *destination;
    struct opt_int weight;
    struct api_headers *headers;
};
extern const struct api_record rec_http_destination;

/* Conditions that must all hold */
struct api_http_match {
    struct api_at at;
    struct str name;
    struct api_string_match *uri;
    struct api_string_match *scheme;
    struct api_string_match *method;
    struct api_string_match *authority;
    API_MAP(struct api_string_match) headers;
    API_MAP(struct api_string_match) without_headers;
    API_MAP(struct api_string_match) query_params;
    struct opt_bool ignore_uri_case;
    struct opt_int port;
    struct str_map source_labels;
    struct str source_namespace;
    struct str_list gateways;
    struct str stat_prefix;
};
extern const struct api_record rec_http_match;

/* Answer with a redirect */
struct api_redirect {
    struct api_at at;
    struct str uri;
    struct str prefix_rewrite;
    struct str authority;
    struct opt_int port;
    struct opt_enum derive_port;
    struct str scheme;
    struct opt_int redirect_code;
};
extern const struct api_record rec_redirect;

/* The body of a direct response */
struct api_direct_body {
    struct api_at at;
    struct str string;
    struct str bytes;
};
extern const struct api_record rec_direct_body;

/* Answer here */
struct api_direct_response {
    struct api_at at;
    struct opt_int status;
    struct api_direct_body *body;
};
extern const struct api_record rec_direct_response;

/* Another VirtualService that holds the routes */
struct api_delegate {
    struct api_at at;
    struct str name;
    struct str namespace;
};
extern const struct api_record rec_delegate;

/* Substitution in the path */
struct api_regex_rewrite {
    struct api_at at;
    struct str match;
    struct str rewrite;
};
extern const struct api_record rec_regex_rewrite;

/* Change the request before it goes on */
struct api_rewrite {
    struct api_at at;
    struct str uri;
    struct str authority;
    struct api_regex_rewrite *uri_regex_rewrite;
};
extern const struct api_record rec_rewrite;

/* When a request is tried again */
struct api_retries {
    struct api_at at;
    struct opt_int attempts;
    struct opt_dur per_try_timeout;
    struct str retry_on;
    struct opt_bool retry_remote_localities;
    struct opt_bool retry_ignore_previous_hosts;
    struct opt_dur backoff;
};
extern const struct api_record rec_retries;

/* Delay requests */
struct api_fault_delay {
    struct api_at at;
    struct opt_int percent;
    struct opt_dur fixed_delay;
    struct opt_dur exponential_delay;
    struct api_percent *percentage;
};
extern const struct api_record rec_fault_delay;

/* Answer with an error */
struct api_fault_abort {
    struct api_at at;
    struct opt_int http_status;
    struct str grpc_status;
    struct str http2_error;
    struct api_percent *percentage;
};
extern const struct api_record rec_fault_abort;

/* Faults made on purpose */
struct api_fault {
    struct api_at at;
    struct api_fault_delay *delay;
    struct api_fault_abort *abort;
};
extern const struct api_record rec_fault;

/* A service that gets a copy */
struct api_mirror {
    struct api_at at;
    struct api_destination *destination;
    struct api_percent *percentage;
};
extern const struct api_record rec_mirror;

/* Cross-origin requests */
struct api_cors {
    struct api_at at;
    struct str_list allow_origin;
    API_LIST(struct api_string_match) allow_origins;
    struct str_list allow_methods;
    struct str_list allow_headers;
    struct str_list expose_headers;
    struct opt_dur max_age;
    struct opt_bool allow_credentials;
    struct opt_enum unmatched_preflights;
};
extern const struct api_record rec_cors;

/* A rule for HTTP requests */
struct api_http_route {
    struct api_at at;
    struct str name;
    API_LIST(struct api_http_match) match;
    API_LIST(struct api_http_destination) route;
    struct api_redirect *redirect;
    struct api_direct_response *direct_response;
    struct api_delegate *delegate;
    struct api_rewrite *rewrite;
    struct opt_dur timeout;
    struct api_retries *retries;
    struct api_fault *fault;
    struct api_destination *mirror;
    API_LIST(struct api_mirror) mirrors;
    struct opt_int mirror_percent;
    struct api_percent *mirror_percentage;
    struct api_cors *cors_policy;
    struct api_headers *headers;
};
extern const struct api_record rec_http_route;

/* A destination of TCP or TLS */
struct api_route_destination {
    struct api_at at;
    struct api_destination *destination;
    struct opt_int weight;
};
extern const struct api_record rec_route_destination;

/* Conditions on a TLS connection */
struct api_tls_match {
    struct api_at at;
    struct str_list sni_hosts;
    struct str_list destination_subnets;
    struct opt_int port;
    struct str_map source_labels;
    struct str_list gateways;
    struct str source_namespace;
};
extern const struct api_record rec_tls_match;

/* A rule for TLS that is passed through */
struct api_tls_route {
    struct api_at at;
    API_LIST(struct api_tls_match) match;
    API_LIST(struct api_route_destination) route;
};
extern const struct api_record rec_tls_route;

/* Conditions on a TCP connection */
struct api_l4_match {
    struct api_at at;
    struct str_list destination_subnets;
    struct opt_int port;
    struct str source_subnet;
    struct str_map source_labels;
    struct str_list gateways;
    struct str source_namespace;
};
extern const struct api_record rec_l4_match;

/* A rule for TCP */
struct api_tcp_route {
    struct api_at at;
    API_LIST(struct api_l4_match) match;
    API_LIST(struct api_route_destination) route;
};
extern const struct api_record rec_tcp_route;

/* Routing rules for hosts */
struct api_virtualservice {
    struct api_at at;
    struct str_list hosts;
    struct str_list gateways;
    API_LIST(struct api_http_route) http;
    API_LIST(struct api_tls_route) tls;
    API_LIST(struct api_tcp_route) tcp;
    struct str_list export_to;
};
extern const struct api_record rec_virtualservice;
