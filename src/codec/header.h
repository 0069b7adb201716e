/*
 * codec/header - header fields: well-known names as numbers, and the list of a message.
 *
 * Pure. A list keeps arrival order; its memory and the copies it makes live in the arena
 * that each call is given, names and values may also borrow (the head they were cut from).
 * Names keep the case they came in; looking up ignores case. Source: RFC 9110, 5.1, 5.5.
 */
#pragma once

#include "base/arena.h"

/* id, name. Ids are the program's own: never stored, never sent. The first 15 are those that the
 * framing and the hops of HTTP/1 ask for (HEADERS_MARK). */
#define HEADER_MAP(XX)                                                                             \
    XX(HOST, "host")                                                                               \
    XX(CONNECTION, "connection")                                                                   \
    XX(CONTENT_LENGTH, "content-length")                                                           \
    XX(TRANSFER_ENCODING, "transfer-encoding")                                                     \
    XX(TE, "te")                                                                                   \
    XX(TRAILER, "trailer")                                                                         \
    XX(UPGRADE, "upgrade")                                                                         \
    XX(EXPECT, "expect")                                                                           \
    XX(KEEP_ALIVE, "keep-alive")                                                                   \
    XX(PROXY_CONNECTION, "proxy-connection")                                                       \
    XX(PROXY_AUTHENTICATE, "proxy-authenticate")                                                   \
    XX(PROXY_AUTHORIZATION, "proxy-authorization")                                                 \
    XX(HTTP2_SETTINGS, "http2-settings")                                                           \
    XX(ACCEPT, "accept")                                                                           \
    XX(ACCEPT_CHARSET, "accept-charset")                                                           \
    XX(ACCEPT_ENCODING, "accept-encoding")                                                         \
    XX(ACCEPT_LANGUAGE, "accept-language")                                                         \
    XX(ACCEPT_RANGES, "accept-ranges")                                                             \
    XX(ACCESS_CONTROL_ALLOW_CREDENTIALS, "access-control-allow-credentials")                       \
    XX(ACCESS_CONTROL_ALLOW_HEADERS, "access-control-allow-headers")                               \
    XX(ACCESS_CONTROL_ALLOW_METHODS, "access-control-allow-methods")                               \
    XX(ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin")                                 \
    XX(ACCESS_CONTROL_EXPOSE_HEADERS, "access-control-expose-headers")                             \
    XX(ACCESS_CONTROL_MAX_AGE, "access-control-max-age")                                           \
    XX(ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers")                           \
    XX(ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method")                             \
    XX(AGE, "age")                                                                                 \
    XX(ALLOW, "allow")                                                                             \
    XX(ALT_SVC, "alt-svc")                                                                         \
    XX(AUTHORIZATION, "authorization")                                                             \
    XX(CACHE_CONTROL, "cache-control")                                                             \
    XX(CONTENT_DISPOSITION, "content-disposition")                                                 \
    XX(CONTENT_ENCODING, "content-encoding")                                                       \
    XX(CONTENT_LANGUAGE, "content-language")                                                       \
    XX(CONTENT_LOCATION, "content-location")                                                       \
    XX(CONTENT_RANGE, "content-range")                                                             \
    XX(CONTENT_SECURITY_POLICY, "content-security-policy")                                         \
    XX(CONTENT_TYPE, "content-type")                                                               \
    XX(COOKIE, "cookie")                                                                           \
    XX(DATE, "date")                                                                               \
    XX(ETAG, "etag")                                                                               \
    XX(EXPIRES, "expires")                                                                         \
    XX(FORWARDED, "forwarded")                                                                     \
    XX(FROM, "from")                                                                               \
    XX(GRPC_ACCEPT_ENCODING, "grpc-accept-encoding")                                               \
    XX(GRPC_ENCODING, "grpc-encoding")                                                             \
    XX(GRPC_MESSAGE, "grpc-message")                                                               \
    XX(GRPC_STATUS, "grpc-status")                                                                 \
    XX(GRPC_STATUS_DETAILS_BIN, "grpc-status-details-bin")                                         \
    XX(GRPC_TIMEOUT, "grpc-timeout")                                                               \
    XX(IF_MATCH, "if-match")                                                                       \
    XX(IF_MODIFIED_SINCE, "if-modified-since")                                                     \
    XX(IF_NONE_MATCH, "if-none-match")                                                             \
    XX(IF_RANGE, "if-range")                                                                       \
    XX(IF_UNMODIFIED_SINCE, "if-unmodified-since")                                                 \
    XX(LAST_MODIFIED, "last-modified")                                                             \
    XX(LINK, "link")                                                                               \
    XX(LOCATION, "location")                                                                       \
    XX(ORIGIN, "origin")                                                                           \
    XX(PRAGMA, "pragma")                                                                           \
    XX(RANGE, "range")                                                                             \
    XX(REFERER, "referer")                                                                         \
    XX(RETRY_AFTER, "retry-after")                                                                 \
    XX(SEC_FETCH_DEST, "sec-fetch-dest")                                                           \
    XX(SEC_FETCH_MODE, "sec-fetch-mode")                                                           \
    XX(SEC_FETCH_SITE, "sec-fetch-site")                                                           \
    XX(SEC_FETCH_USER, "sec-fetch-user")                                                           \
    XX(SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept")                                               \
    XX(SEC_WEBSOCKET_EXTENSIONS, "sec-websocket-extensions")                                       \
    XX(SEC_WEBSOCKET_KEY, "sec-websocket-key")                                                     \
    XX(SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol")                                           \
    XX(SEC_WEBSOCKET_VERSION, "sec-websocket-version")                                             \
    XX(SERVER, "server")                                                                           \
    XX(SET_COOKIE, "set-cookie")                                                                   \
    XX(STRICT_TRANSPORT_SECURITY, "strict-transport-security")                                     \
    XX(UPGRADE_INSECURE_REQUESTS, "upgrade-insecure-requests")                                     \
    XX(USER_AGENT, "user-agent")                                                                   \
    XX(VARY, "vary")                                                                               \
    XX(VIA, "via")                                                                                 \
    XX(WARNING, "warning")                                                                         \
    XX(WWW_AUTHENTICATE, "www-authenticate")                                                       \
    XX(X_CONTENT_TYPE_OPTIONS, "x-content-type-options")                                           \
    XX(X_FRAME_OPTIONS, "x-frame-options")                                                         \
    XX(X_FORWARDED_CLIENT_CERT, "x-forwarded-client-cert")                                         \
    XX(X_FORWARDED_FOR, "x-forwarded-for")                                                         \
    XX(X_FORWARDED_HOST, "x-forwarded-host")                                                       \
    XX(X_FORWARDED_PORT, "x-forwarded-port")                                                       \
    XX(X_FORWARDED_PROTO, "x-forwarded-proto")                                                     \
    XX(X_REAL_IP, "x-real-ip")                                                                     \
    XX(X_REQUEST_ID, "x-request-id")                                                               \
    XX(X_CLIENT_TRACE_ID, "x-client-trace-id")                                                     \
    XX(X_RATELIMIT_LIMIT, "x-ratelimit-limit")                                                     \
    XX(X_RATELIMIT_REMAINING, "x-ratelimit-remaining")                                             \
    XX(X_RATELIMIT_RESET, "x-ratelimit-reset")                                                     \
    XX(X_ISTIO_ATTRIBUTES, "x-istio-attributes")                                                   \
    XX(TRACEPARENT, "traceparent")                                                                 \
    XX(TRACESTATE, "tracestate")                                                                   \
    XX(B3, "b3")                                                                                   \
    XX(BAGGAGE, "baggage")                                                                         \
    XX(X_B3_TRACEID, "x-b3-traceid")                                                               \
    XX(X_B3_SPANID, "x-b3-spanid")                                                                 \
    XX(X_B3_PARENTSPANID, "x-b3-parentspanid")                                                     \
    XX(X_B3_SAMPLED, "x-b3-sampled")                                                               \
    XX(X_B3_FLAGS, "x-b3-flags")                                                                   \
    XX(X_OT_SPAN_CONTEXT, "x-ot-span-context")                                                     \
    XX(X_ENVOY_ATTEMPT_COUNT, "x-envoy-attempt-count")                                             \
    XX(X_ENVOY_DECORATOR_OPERATION, "x-envoy-decorator-operation")                                 \
    XX(X_ENVOY_DEGRADED, "x-envoy-degraded")                                                       \
    XX(X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER, "x-envoy-downstream-service-cluster")                   \
    XX(X_ENVOY_DOWNSTREAM_SERVICE_NODE, "x-envoy-downstream-service-node")                         \
    XX(X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, "x-envoy-expected-rq-timeout-ms")                           \
    XX(X_ENVOY_EXTERNAL_ADDRESS, "x-envoy-external-address")                                       \
    XX(X_ENVOY_FORCE_TRACE, "x-envoy-force-trace")                                                 \
    XX(X_ENVOY_HEDGE_ON_PER_TRY_TIMEOUT, "x-envoy-hedge-on-per-try-timeout")                       \
    XX(X_ENVOY_IMMEDIATE_HEALTH_CHECK_FAIL, "x-envoy-immediate-health-check-fail")                 \
    XX(X_ENVOY_INTERNAL, "x-envoy-internal")                                                       \
    XX(X_ENVOY_IP_TAGS, "x-envoy-ip-tags")                                                         \
    XX(X_ENVOY_IS_TIMEOUT_RETRY, "x-envoy-is-timeout-retry")                                       \
    XX(X_ENVOY_LOCAL_OVERLOADED, "x-envoy-local-overloaded")                                       \
    XX(X_ENVOY_MAX_RETRIES, "x-envoy-max-retries")                                                 \
    XX(X_ENVOY_ORIGINAL_HOST, "x-envoy-original-host")                                             \
    XX(X_ENVOY_ORIGINAL_METHOD, "x-envoy-original-method")                                         \
    XX(X_ENVOY_ORIGINAL_PATH, "x-envoy-original-path")                                             \
    XX(X_ENVOY_ORIGINAL_URL, "x-envoy-original-url")                                               \
    XX(X_ENVOY_OVERLOADED, "x-envoy-overloaded")                                                   \
    XX(X_ENVOY_PEER_METADATA, "x-envoy-peer-metadata")                                             \
    XX(X_ENVOY_PEER_METADATA_ID, "x-envoy-peer-metadata-id")                                       \
    XX(X_ENVOY_RATELIMITED, "x-envoy-ratelimited")                                                 \
    XX(X_ENVOY_RETRIABLE_HEADER_NAMES, "x-envoy-retriable-header-names")                           \
    XX(X_ENVOY_RETRIABLE_STATUS_CODES, "x-envoy-retriable-status-codes")                           \
    XX(X_ENVOY_RETRY_GRPC_ON, "x-envoy-retry-grpc-on")                                             \
    XX(X_ENVOY_RETRY_ON, "x-envoy-retry-on")                                                       \
    XX(X_ENVOY_UPSTREAM_ALT_STAT_NAME, "x-envoy-upstream-alt-stat-name")                           \
    XX(X_ENVOY_UPSTREAM_CANARY, "x-envoy-upstream-canary")                                         \
    XX(X_ENVOY_UPSTREAM_RQ_PER_TRY_TIMEOUT_MS, "x-envoy-upstream-rq-per-try-timeout-ms")           \
    XX(X_ENVOY_UPSTREAM_RQ_TIMEOUT_ALT_RESPONSE, "x-envoy-upstream-rq-timeout-alt-response")       \
    XX(X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS, "x-envoy-upstream-rq-timeout-ms")                           \
    XX(X_ENVOY_UPSTREAM_SERVICE_TIME, "x-envoy-upstream-service-time")                             \
    XX(X_ENVOY_UPSTREAM_STREAM_DURATION_MS, "x-envoy-upstream-stream-duration-ms")

enum header_id {
    HDR_OTHER, /* not in the table */
#define XX(id, name) HDR_##id,
    HEADER_MAP(XX)
#undef XX
        HDR_COUNT
};

/* The id of a name in any case; HDR_OTHER where the table does not have it. */
enum header_id header_id_of(struct str name);
extern const struct str header_names[HDR_COUNT]; /* for header_id_name() */

/* The lower-case name; STR_NONE for HDR_OTHER. */
static inline struct str header_id_name(enum header_id id)
{
    return id < HDR_COUNT ? header_names[id] : STR_NONE;
}

/* One or more token octets (RFC 9110, 5.6.2). */
bool header_name_is_valid(struct str name);
/* No control octet except HTAB; octets above 0x7f are allowed (RFC 9110, 5.5). */
bool header_value_is_valid(struct str value);
/* "x-envoy-...", in any case. */
bool header_is_envoy(struct str name);

/* What sidecars tell each other. */
#define HEADER_IS_MESH(id)                                                                         \
    ((id) == HDR_X_ENVOY_PEER_METADATA || (id) == HDR_X_ENVOY_PEER_METADATA_ID ||                  \
     (id) == HDR_X_ENVOY_DECORATOR_OPERATION || (id) == HDR_X_ENVOY_IMMEDIATE_HEALTH_CHECK_FAIL)

struct header {
    uint16_t id;   /* enum header_id */
    bool is_clean; /* a parser has judged name and value, or they are the program's own */
    struct str name, value;
};

/* Not what means something before the content only (RFC 9110, 6.5.1), and nothing that a proxy says
 * of itself: a backend that joins trailers and header would take a stranger's word for it. */
bool header_may_trail(const struct header *h);

struct headers {
    struct header *v;
    uint32_t n, cap;
    size_t octets;  /* of all names and values */
    uint64_t marks; /* HEADERS_MARK() of each that is or was in it: without it, none is */
};

/* One bit of 64 for each id: the first 16, of framing and hops, have one each; the names of Envoy,
 * which often go together, share one, but for those that no client may see and the count of
 * attempts, and the rest share 32. */
#define HEADERS_MARK_ENVOY (UINT64_C(1) << 63)
#define HEADERS_MARK_MESH (UINT64_C(1) << 62)
#define HEADERS_MARK_ATTEMPTS (UINT64_C(1) << 61)
#define HEADERS_MARK(id)                                                                           \
    (HEADER_IS_MESH(id)                  ? HEADERS_MARK_MESH                                       \
     : (id) == HDR_X_ENVOY_ATTEMPT_COUNT ? HEADERS_MARK_ATTEMPTS                                   \
     : (id) >= HDR_X_ENVOY_ATTEMPT_COUNT                                                           \
         ? HEADERS_MARK_ENVOY                                                                      \
         : UINT64_C(1) << ((id) < 16 ? (unsigned)(id) : 16 + (unsigned)(id) % 32))

extern const uint64_t header_marks[HDR_COUNT]; /* HEADERS_MARK() where the id is no constant */

/* The name in lower case: the table's, the header's own where it has no capital, else a
 * copy in the arena. */
struct str header_name_lower(const struct header *h, struct arena *a);

/* Appends; name and value are borrowed. The returned pointer holds until the next call
 * that changes the list. */
struct header *headers_add(struct headers *h, struct arena *a, struct str name, struct str value);
/* Room for `more` of them: h->cap - h->n is at least that. */
void headers_make_room(struct headers *h, struct arena *a, uint32_t more);

/* For headers_add_as(), where there is no room. */
RARE struct header *headers_add_grown(struct headers *h, struct arena *a, enum header_id id,
                                      struct str name, struct str value);

/* The same where header_id_of(name) is known: the name keeps its case. */
static INLINED struct header *headers_add_as(struct headers *h, struct arena *a, enum header_id id,
                                             struct str name, struct str value)
{
    struct header *one;

    if (UNLIKELY(h->n == h->cap))
        return headers_add_grown(h, a, id, name, value);
    one = &h->v[h->n++];
    one->id = (uint16_t)id;
    one->is_clean = false;
    one->name = name;
    one->value = value;
    h->octets += name.n + value.n;
    h->marks |= header_marks[id];
    return one;
}

/* With the table's name. */
static INLINED struct header *headers_add_id(struct headers *h, struct arena *a, enum header_id id,
                                             struct str value)
{
    MUST(id > HDR_OTHER && id < HDR_COUNT);
    return headers_add_as(h, a, id, header_names[id], value);
}

/* The first header of that id or name, or NULL. headers_find_name takes every name;
 * headers_find wants a known id. */
struct header *headers_find_marked(const struct headers *h, enum header_id id);
static inline struct header *headers_find(const struct headers *h, enum header_id id)
{
    return h->marks & HEADERS_MARK(id) ? headers_find_marked(h, id) : NULL;
}
struct header *headers_find_name(const struct headers *h, struct str name);
/* The next one of the same name behind `after`, or NULL. */
struct header *headers_next(const struct headers *h, const struct header *after);
/* The first one's value, or STR_NONE. */
struct str headers_get(const struct headers *h, enum header_id id);
uint32_t headers_count(const struct headers *h, enum header_id id);

/* Removes all of them, keeping the others' order; returns how many there were. */
uint32_t headers_remove(struct headers *h, enum header_id id);
uint32_t headers_remove_name(struct headers *h, struct str name);
/* In one pass, all for which `doomed` is true. `marks` has HEADERS_MARK() of each id that may be.
 */
uint32_t headers_remove_if(struct headers *h, uint64_t marks,
                           bool (*doomed)(const struct header *one));

/* One header of that name with that value: the first one changed in place and the others
 * removed, or a new one at the end. */
struct header *headers_set(struct headers *h, struct arena *a, struct str name, struct str value);
struct header *headers_set_marked(struct headers *h, struct arena *a, enum header_id id,
                                  struct str value);
static inline struct header *headers_set_id(struct headers *h, struct arena *a, enum header_id id,
                                            struct str value)
{
    return h->marks & HEADERS_MARK(id) ? headers_set_marked(h, a, id, value)
                                       : headers_add_id(h, a, id, value);
}
/* Changes a value in place and keeps `octets` right. */
void headers_change(struct headers *h, struct header *one, struct str value);

/* Appends all of `from`; names and values stay borrowed. */
void headers_share(struct headers *to, struct arena *a, const struct headers *from);
/* The same with copies of all octets. */
void headers_copy(struct headers *to, struct arena *a, const struct headers *from);

/* Walks a comma-separated list: cuts the next non-empty member off `rest`, trimmed; false at
 * the end. RFC 9110, 5.6.1. Commas inside quotes are not seen as such: for token lists. */
bool header_token_next(struct str *rest, struct str *ret);
/* Does any header of that id list that token, in any case? */
bool headers_have_token(const struct headers *h, enum header_id id, struct str token);
