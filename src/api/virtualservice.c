#include "api/virtualservice.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value cors_preflight_values[] = {
    { STR_INIT("UNSPECIFIED"), CORS_PREFLIGHT_UNSPECIFIED },
    { STR_INIT("FORWARD"), CORS_PREFLIGHT_FORWARD },
    { STR_INIT("IGNORE"), CORS_PREFLIGHT_IGNORE },
};
ENUM_TABLE(api_enum_cors_preflight, "CorsPolicy.UnmatchedPreflights", cors_preflight_values);

static const struct api_enum_value redirect_port_values[] = {
    { STR_INIT("FROM_PROTOCOL_DEFAULT"), REDIRECT_PORT_FROM_PROTOCOL_DEFAULT },
    { STR_INIT("FROM_REQUEST_PORT"), REDIRECT_PORT_FROM_REQUEST_PORT },
};
ENUM_TABLE(api_enum_redirect_port, "HTTPRedirect.RedirectPortSelection", redirect_port_values);

#define THIS struct api_destination
static const struct api_field destination_fields[] = {
    STRING(YES, host, "host", "Service name; a short one is in the VirtualService's namespace",
           .flags = API_REQUIRED),
    STRING(YES, subset, "subset", "A subset of the host's DestinationRule",
           .check = api_check_subset),
    MSG(YES, port, "port", struct api_port_selector, rec_port_selector,
        "Needed where the service has several ports"),
};
RECORD(rec_destination, "Destination", destination_fields, "The service that gets the request");
#undef THIS

#define THIS struct api_header_ops
static const struct api_field header_ops_fields[] = {
    STRING_MAP(YES, set, "set", "Overwrite"),
    STRING_MAP(YES, add, "add", "Append"),
    STRINGS(YES, remove, "remove", "Remove"),
};
RECORD(rec_header_ops, "HeaderOperations", header_ops_fields, "Changes to headers");
#undef THIS

#define THIS struct api_headers
static const struct api_field headers_fields[] = {
    MSG(YES, request, "request", struct api_header_ops, rec_header_ops,
        "Before the request goes on"),
    MSG(YES, response, "response", struct api_header_ops, rec_header_ops,
        "Before the response goes back"),
};
RECORD(rec_headers, "Headers", headers_fields, "Header changes for request and response");
#undef THIS

#define THIS struct api_http_destination
static const struct api_field http_destination_fields[] = {
    MSG(YES, destination, "destination", struct api_destination, rec_destination, "The service",
        .flags = API_REQUIRED),
    INT(YES, weight, "weight", I32_MIN, I32_MAX, "Share relative to the others"),
    MSG(YES, headers, "headers", struct api_headers, rec_headers,
        "Header changes of this destination"),
};
RECORD(rec_http_destination, "HTTPRouteDestination", http_destination_fields,
       "A destination with its share");
#undef THIS

#define THIS struct api_http_match
static const struct api_field http_match_fields[] = {
    STRING(YES, name, "name", "Name for logs"),
    MSG(YES, uri, "uri", struct api_string_match, rec_string_match, "Path without query"),
    MSG(YES, scheme, "scheme", struct api_string_match, rec_string_match, "http or https"),
    MSG(YES, method, "method", struct api_string_match, rec_string_match, "Method, case-sensitive"),
    MSG(YES, authority, "authority", struct api_string_match, rec_string_match,
        "Host header, port included"),
    MSG_MAP(YES, headers, "headers", struct api_string_match, rec_string_match,
            "Header name and value"),
    MSG_MAP(YES, without_headers, "withoutHeaders", struct api_string_match, rec_string_match,
            "Conditions of which none may hold"),
    MSG_MAP(YES, query_params, "queryParams", struct api_string_match, rec_string_match,
            "Query parameter and value"),
    BOOL(YES, ignore_uri_case, "ignoreUriCase", "For exact and prefix of uri"),
    INT(YES, port, "port", 0, 65535, "Port of the listener"),
    STRING_MAP(YES, source_labels, "sourceLabels", "Labels of the client, or of the gateway",
               .check_key = api_check_selector_key, .check = api_check_selector_value),
    STRING(YES, source_namespace, "sourceNamespace", "Namespace of the client",
           .check = api_check_dns_label),
    STRINGS(YES, gateways, "gateways", "Instead of the VirtualService's own"),
    STRING(NOT, stat_prefix, "statPrefix", "Prefix of the route's statistics"),
};
RECORD(rec_http_match, "HTTPMatchRequest", http_match_fields, "Conditions that must all hold");
#undef THIS

#define THIS struct api_redirect
static const struct api_field redirect_fields[] = {
    STRING(YES, uri, "uri", "New path, replaces all of it", .group = 1),
    STRING(YES, prefix_rewrite, "prefixRewrite", "Replaces the matched prefix", .group = 1),
    STRING(YES, authority, "authority", "New host"),
    INT(YES, port, "port", 0, 65535, "New port", .group = 2),
    ENUM(YES, derive_port, "derivePort", api_enum_redirect_port, "Where the port comes from",
         .group = 2),
    STRING(YES, scheme, "scheme", "http or https"),
    INT(YES, redirect_code, "redirectCode", 0, U32_MAX, "301, 302, 303, 307 or 308; default 301"),
};
RECORD(rec_redirect, "HTTPRedirect", redirect_fields, "Answer with a redirect");
#undef THIS

#define THIS struct api_direct_body
static const struct api_field direct_body_fields[] = {
    STRING(YES, string, "string", "Text", .group = 1),
    BYTES(YES, bytes, "bytes", "Base64", .group = 1),
};
RECORD(rec_direct_body, "HTTPBody", direct_body_fields, "The body of a direct response");
#undef THIS

#define THIS struct api_direct_response
static const struct api_field direct_response_fields[] = {
    INT(YES, status, "status", 0, U32_MAX, "The status code", .flags = API_REQUIRED),
    MSG(YES, body, "body", struct api_direct_body, rec_direct_body, "The body"),
};
RECORD(rec_direct_response, "HTTPDirectResponse", direct_response_fields, "Answer here");
#undef THIS

#define THIS struct api_delegate
static const struct api_field delegate_fields[] = {
    STRING(NOT, name, "name", "Its name"),
    STRING(NOT, namespace, "namespace", "Its namespace; default: this one's"),
};
RECORD(rec_delegate, "Delegate", delegate_fields, "Another VirtualService that holds the routes");
#undef THIS

#define THIS struct api_regex_rewrite
static const struct api_field regex_rewrite_fields[] = {
    STRING(YES, match, "match", "RE2"),
    STRING(YES, rewrite, "rewrite", "May name groups as \\\\1"),
};
RECORD(rec_regex_rewrite, "RegexRewrite", regex_rewrite_fields, "Substitution in the path");
#undef THIS

#define THIS struct api_rewrite
static const struct api_field rewrite_fields[] = {
    STRING(YES, uri, "uri", "The matched prefix, or the path, becomes this", .group = 1),
    STRING(YES, authority, "authority", "New Host header"),
    MSG(YES, uri_regex_rewrite, "uriRegexRewrite", struct api_regex_rewrite, rec_regex_rewrite,
        "Substitution in the path", .group = 1),
};
RECORD(rec_rewrite, "HTTPRewrite", rewrite_fields, "Change the request before it goes on");
#undef THIS

#define THIS struct api_retries
static const struct api_field retries_fields[] = {
    INT(YES, attempts, "attempts", I32_MIN, I32_MAX, "How many times; 0 is never"),
    DUR(YES, per_try_timeout, "perTryTimeout", "Time of one try"),
    STRING(YES, retry_on, "retryOn", "Comma separated conditions"),
    BOOL(NOT, retry_remote_localities, "retryRemoteLocalities", "May a retry leave the locality"),
    BOOL(YES, retry_ignore_previous_hosts, "retryIgnorePreviousHosts",
         "May a retry go to a host that failed"),
    DUR(YES, backoff, "backoff", "Base interval between tries"),
};
RECORD(rec_retries, "HTTPRetry", retries_fields, "When a request is tried again");
#undef THIS

#define THIS struct api_fault_delay
static const struct api_field fault_delay_fields[] = {
    INT(YES, percent, "percent", I32_MIN, I32_MAX, "Use percentage", .flags = API_DEPRECATED),
    DUR(YES, fixed_delay, "fixedDelay", "How long", .group = 1),
    DUR(NOT, exponential_delay, "exponentialDelay", "Not supported by Istio", .group = 1),
    MSG(YES, percentage, "percentage", struct api_percent, rec_percent,
        "Share of requests; missing is none"),
};
RECORD(rec_fault_delay, "Delay", fault_delay_fields, "Delay requests");
#undef THIS

#define THIS struct api_fault_abort
static const struct api_field fault_abort_fields[] = {
    INT(YES, http_status, "httpStatus", I32_MIN, I32_MAX, "Status code", .group = 1),
    STRING(YES, grpc_status, "grpcStatus", "gRPC status by name", .group = 1),
    STRING(NOT, http2_error, "http2Error", "Not supported by Istio", .group = 1),
    MSG(YES, percentage, "percentage", struct api_percent, rec_percent,
        "Share of requests; missing is none"),
};
RECORD(rec_fault_abort, "Abort", fault_abort_fields, "Answer with an error");
#undef THIS

#define THIS struct api_fault
static const struct api_field fault_fields[] = {
    MSG(YES, delay, "delay", struct api_fault_delay, rec_fault_delay, "Delay"),
    MSG(YES, abort, "abort", struct api_fault_abort, rec_fault_abort, "Error"),
};
RECORD(rec_fault, "HTTPFaultInjection", fault_fields, "Faults made on purpose");
#undef THIS

#define THIS struct api_mirror
static const struct api_field mirror_fields[] = {
    MSG(YES, destination, "destination", struct api_destination, rec_destination, "The service",
        .flags = API_REQUIRED),
    MSG(YES, percentage, "percentage", struct api_percent, rec_percent,
        "Share of requests; missing is all"),
};
RECORD(rec_mirror, "HTTPMirrorPolicy", mirror_fields, "A service that gets a copy");
#undef THIS

#define THIS struct api_cors
static const struct api_field cors_fields[] = {
    STRINGS(YES, allow_origin, "allowOrigin", "Use allowOrigins", .flags = API_DEPRECATED),
    MSGS(YES, allow_origins, "allowOrigins", struct api_string_match, rec_string_match,
         "Origins allowed"),
    STRINGS(YES, allow_methods, "allowMethods", "Methods allowed"),
    STRINGS(YES, allow_headers, "allowHeaders", "Request headers allowed",
            .check = api_check_header_name),
    STRINGS(YES, expose_headers, "exposeHeaders", "Response headers shown to scripts",
            .check = api_check_header_name),
    DUR(YES, max_age, "maxAge", "How long a browser may keep a preflight's answer"),
    BOOL(YES, allow_credentials, "allowCredentials", "May credentials be sent"),
    ENUM(YES, unmatched_preflights, "unmatchedPreflights", api_enum_cors_preflight,
         "What happens to preflights of other origins"),
};
RECORD(rec_cors, "CorsPolicy", cors_fields, "Cross-origin requests");
#undef THIS

#define THIS struct api_http_route
static const struct api_field http_route_fields[] = {
    STRING(YES, name, "name", "Name for logs"),
    MSGS(YES, match, "match", struct api_http_match, rec_http_match,
         "One of them must hold; none: all requests"),
    MSGS(YES, route, "route", struct api_http_destination, rec_http_destination,
         "Where the request goes"),
    MSG(YES, redirect, "redirect", struct api_redirect, rec_redirect, "Or answer with a redirect"),
    MSG(YES, direct_response, "directResponse", struct api_direct_response, rec_direct_response,
        "Or answer here"),
    MSG(NOT, delegate, "delegate", struct api_delegate, rec_delegate,
        "Or take another VirtualService's rules"),
    MSG(YES, rewrite, "rewrite", struct api_rewrite, rec_rewrite, "Change path or host"),
    DUR(YES, timeout, "timeout", "Time for the whole request; 0 or none: no limit"),
    MSG(YES, retries, "retries", struct api_retries, rec_retries, "Tries after a failure"),
    MSG(YES, fault, "fault", struct api_fault, rec_fault, "Faults made on purpose"),
    MSG(YES, mirror, "mirror", struct api_destination, rec_destination, "Gets a copy"),
    MSGS(YES, mirrors, "mirrors", struct api_mirror, rec_mirror, "Get copies"),
    INT(YES, mirror_percent, "mirrorPercent", 0, U32_MAX, "Use mirrorPercentage",
        .flags = API_DEPRECATED | API_SNAKE_TOO),
    MSG(YES, mirror_percentage, "mirrorPercentage", struct api_percent, rec_percent,
        "Share that is mirrored; missing is all"),
    MSG(YES, cors_policy, "corsPolicy", struct api_cors, rec_cors, "Cross-origin requests"),
    MSG(YES, headers, "headers", struct api_headers, rec_headers, "Header changes"),
};
RECORD(rec_http_route, "HTTPRoute", http_route_fields, "A rule for HTTP requests");
#undef THIS

#define THIS struct api_route_destination
static const struct api_field route_destination_fields[] = {
    MSG(NOT, destination, "destination", struct api_destination, rec_destination, "The service",
        .flags = API_REQUIRED),
    INT(NOT, weight, "weight", I32_MIN, I32_MAX, "Share relative to the others"),
};
RECORD(rec_route_destination, "RouteDestination", route_destination_fields,
       "A destination of TCP or TLS");
#undef THIS

#define THIS struct api_tls_match
static const struct api_field tls_match_fields[] = {
    STRINGS(NOT, sni_hosts, "sniHosts", "Server names", .flags = API_REQUIRED),
    STRINGS(NOT, destination_subnets, "destinationSubnets", "Addresses asked for",
            .check = api_check_cidr),
    INT(NOT, port, "port", 0, 65535, "Port of the listener"),
    STRING_MAP(NOT, source_labels, "sourceLabels", "Labels of the client",
               .check_key = api_check_selector_key, .check = api_check_selector_value),
    STRINGS(NOT, gateways, "gateways", "Instead of the VirtualService's own"),
    STRING(NOT, source_namespace, "sourceNamespace", "Namespace of the client",
           .check = api_check_dns_label),
};
RECORD(rec_tls_match, "TLSMatchAttributes", tls_match_fields, "Conditions on a TLS connection");
#undef THIS

#define THIS struct api_tls_route
static const struct api_field tls_route_fields[] = {
    MSGS(NOT, match, "match", struct api_tls_match, rec_tls_match, "One of them must hold",
         .flags = API_REQUIRED),
    MSGS(NOT, route, "route", struct api_route_destination, rec_route_destination,
         "Where the connection goes", .flags = API_REQUIRED),
};
RECORD(rec_tls_route, "TLSRoute", tls_route_fields, "A rule for TLS that is passed through");
#undef THIS

#define THIS struct api_l4_match
static const struct api_field l4_match_fields[] = {
    STRINGS(NOT, destination_subnets, "destinationSubnets", "Addresses asked for",
            .check = api_check_cidr),
    INT(NOT, port, "port", 0, 65535, "Port of the listener"),
    STRING(NOT, source_subnet, "sourceSubnet", "Unused by Istio"),
    STRING_MAP(NOT, source_labels, "sourceLabels", "Labels of the client",
               .check_key = api_check_selector_key, .check = api_check_selector_value),
    STRINGS(NOT, gateways, "gateways", "Instead of the VirtualService's own"),
    STRING(NOT, source_namespace, "sourceNamespace", "Namespace of the client",
           .check = api_check_dns_label),
};
RECORD(rec_l4_match, "L4MatchAttributes", l4_match_fields, "Conditions on a TCP connection");
#undef THIS

#define THIS struct api_tcp_route
static const struct api_field tcp_route_fields[] = {
    MSGS(NOT, match, "match", struct api_l4_match, rec_l4_match,
         "One of them must hold; none: all"),
    MSGS(NOT, route, "route", struct api_route_destination, rec_route_destination,
         "Where the connection goes"),
};
RECORD(rec_tcp_route, "TCPRoute", tcp_route_fields, "A rule for TCP");
#undef THIS

#define THIS struct api_virtualservice
static const struct api_field virtualservice_fields[] = {
    STRINGS(YES, hosts, "hosts", "Names the rules are for"),
    STRINGS(YES, gateways, "gateways", "Gateways, or mesh; none: mesh"),
    MSGS(YES, http, "http", struct api_http_route, rec_http_route,
         "Rules for HTTP, the first that matches"),
    MSGS(NOT, tls, "tls", struct api_tls_route, rec_tls_route, "Rules for TLS passed through"),
    MSGS(NOT, tcp, "tcp", struct api_tcp_route, rec_tcp_route, "Rules for TCP"),
    STRINGS(YES, export_to, "exportTo", "Namespaces that see it"),
};
RECORD(rec_virtualservice, "VirtualService", virtualservice_fields, "Routing rules for hosts");
#undef THIS
