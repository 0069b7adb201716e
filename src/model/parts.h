/*
 * model/parts - the immutable parts themselves, in Envoy's vocabulary.
 *
 * Plain data in the part's arena; slot ids name other parts. Fields under "derived" are
 * built by part_finish and are neither encoded nor hashed. Durations are milliseconds, 0
 * meaning off unless said otherwise. Every struct here is described once in
 * model/shape.c, from which codec, hash and dump follow.
 */
#pragma once

#include "base/addr.h"
#include "codec/url.h"
#include "model/part.h"

struct regex;       /* codec/regex.h */
struct tls_keypair; /* tls/keypair.h */
struct tls_trust;   /* tls/trust.h */
struct live_host;   /* live/host.h */
struct live_budget; /* live/budget.h */
struct filter_kind; /* filter/filter.h */

/* A list of values in the part's arena; 12 octets, because routes have many. */
#define ARRAY_OF(type)                                                                             \
    struct __attribute__((packed, aligned(4))) {                                                   \
        type *v;                                                                                   \
        uint32_t n;                                                                                \
    }

/* ---- listener -------------------------------------------------------------------- */

struct listener {
    struct part part;
    struct addr bind;       /* family 0: every address, IPv4 and IPv6 */
    uint16_t port;          /* what is really bound; 0 is never published */
    uint16_t manifest_port; /* what the Gateway said: matched by route `port`, shown to people */
    bool is_tls;            /* chains are chosen by SNI */
    struct str stat_prefix; /* "0.0.0.0_8080" as Istio names it */
    uint32_t tls_handshake_ms;
    uint32_t max_connections, max_connections_in_all; /* of clients; 0: no limit */
    ARRAY_OF(slot_id) chains;                         /* PART_CHAIN; without TLS exactly one */
};

/* ---- filter chain ------------------------------------------------------------------ */

enum tls_mode { TLS_MODE_NONE, TLS_MODE_SIMPLE, TLS_MODE_MUTUAL, TLS_MODE_OPTIONAL_MUTUAL };

/* What an SSL_CTX is made from: equal profiles share one context per worker (design 5.15). */
struct tls_profile {
    uint8_t mode;                      /* enum tls_mode */
    uint16_t min_version, max_version; /* 0x0303 TLS 1.2, 0x0304 TLS 1.3; 0: default */
    ARRAY_OF(struct str) ciphers;      /* TLS 1.2, OpenSSL names; none: the default list */
    ARRAY_OF(struct str) alpn;         /* in order of preference */
    /* MUTUAL and OPTIONAL_MUTUAL: what is demanded of clients' certificates. */
    slot_id client_ca;           /* PART_SECRET; missing: nobody gets in */
    bool skip_verify;            /* any chain will do */
    ARRAY_OF(struct str) names;  /* one of them in subjectAltName; none: any */
    ARRAY_OF(struct str) hashes; /* SHA-256 in lower-case hex, or... */
    ARRAY_OF(struct str) spkis;  /* ...of the key in base64: one of all; none: any */
};

enum network_filter { NETWORK_HTTP, NETWORK_TCP_PROXY };

/* One filter of a chain, or an override for the instance of that name (design 5.14). */
struct filter_config {
    struct str kind;     /* "router", "headers", ...: a row of filter/kinds.c */
    struct str instance; /* unique within its chain */
    struct str config;   /* the kind's own octets; see filter/<kind>.h */
    /* derived, through part_hooks: filter/filter.h */
    const struct filter_kind *row;
    const void *parsed;
};

/* What becomes of x-forwarded-client-cert: Envoy's forward_client_cert_details. */
enum client_cert_details {
    CERT_SANITIZE,
    CERT_SANITIZE_SET,
    CERT_APPEND_FORWARD,
    CERT_FORWARD_ONLY,
    CERT_ALWAYS_FORWARD_ONLY
};

/* Envoy's HttpConnectionManager, as far as it is carried out. */
struct http_manager {
    slot_id routes; /* PART_ROUTES */
    struct str stat_prefix;
    struct str server_name; /* "istio-envoy"; empty: the upstream's passes */
    uint8_t path_form;      /* enum url_normalize: MeshConfig.pathNormalization */
    bool is_gateway;        /* the edge: use_remote_address, internal headers stripped */
    uint32_t trusted_hops;  /* x-forwarded-for */
    uint32_t request_head_ms, idle_ms, stream_idle_ms; /* 60000, 3600000, 0 */
    uint32_t max_headers, max_head_octets;             /* 100, 61440 */
    uint64_t max_body;                                 /* 0: no limit */
    uint32_t buffer_limit;                             /* octets a side, 1 MiB */
    bool preserve_case;
    uint8_t client_cert;                    /* enum client_cert_details */
    ARRAY_OF(struct filter_config) filters; /* in order; the last is "router" */
};

struct chain {
    struct part part;
    ARRAY_OF(struct str) server_names; /* lower case; exact, "*.suffix" or "*"; none: any */
    struct tls_profile tls;            /* mode NONE: clear text */
    ARRAY_OF(slot_id) secrets;         /* PART_SECRET: certificates to present */
    struct str credential;             /* its name, for messages */
    uint8_t network;                   /* enum network_filter */
    struct http_manager http;
};

/* ---- route configuration ------------------------------------------------------------ */

struct domain {
    struct str name; /* lower case: "a.b", "*.b", "*" */
    slot_id vhost;
};

/* A table of hosts is a tree, so that one host more or less touches a leaf (model/host_index.h):
 * up to DOMAINS_LEAF names stand in a node themselves, more are dealt to DOMAINS_SHARDS nodes
 * below it by the next four bits of domain_hash. "*" always stands in the first node. */
#define DOMAINS_LEAF 32
#define DOMAINS_SHARDS 16

struct routes {
    struct part part; /* name: "http.80", "https.443.https.gw.ns" */
    ARRAY_OF(struct domain) domains;
    ARRAY_OF(slot_id) shards; /* PART_DOMAINS: none, or DOMAINS_SHARDS */
    /* With shards: the lengths of ".b" of all "*.b", the longest first. */
    ARRAY_OF(uint16_t) suffixes;
    /* derived */
    struct host_index *index; /* of `domains`: model/host_index.h */
};

struct domains {
    struct part part; /* name: "http.80#3f": the digits of domain_hash that lead here */
    ARRAY_OF(struct domain) domains;
    ARRAY_OF(slot_id) shards; /* PART_DOMAINS: none, or DOMAINS_SHARDS */
    /* derived */
    struct host_index *index; /* of `domains` */
};

/* A server of a Gateway, for people alone: virtual hosts name it, so that it may move within its
 * file without them. Origins: 0 the server, 1 its httpsRedirect. */
struct server {
    struct part part; /* name: "ns/name/80/http" */
    uint16_t port;    /* as in the manifest */
};

/* ---- virtual host and routes --------------------------------------------------------- */

enum text_match { TEXT_ANY, TEXT_EXACT, TEXT_PREFIX, TEXT_REGEX, TEXT_PRESENT };

struct text_matcher {
    uint8_t how; /* enum text_match */
    bool nocase; /* not for a regex */
    struct str value;
    /* derived */
    struct regex *regex;
};

struct named_matcher {
    struct str name; /* header (lower case) or query parameter */
    bool invert;     /* withoutHeaders */
    struct text_matcher match;
};

/* All of it must hold. What few routes have stands behind a pointer: a route is small. */
struct route_match {
    struct text_matcher path;                         /* ANY counts as prefix "/" */
    struct text_matcher *method, *authority, *scheme; /* NULL: any */
    ARRAY_OF(struct named_matcher) headers, query;
    uint16_t port; /* the manifest's port number; 0: any */
};

enum route_action { ACTION_FORWARD, ACTION_REDIRECT, ACTION_DIRECT_RESPONSE, ACTION_NONE };

struct destination {
    struct str cluster_name; /* shown, and logged when the cluster is missing */
    slot_id cluster;         /* PART_CLUSTER; SLOT_NONE: 503 NC */
    uint32_t weight;
    origin_id origin;
    ARRAY_OF(struct filter_config) overrides;
};

struct redirect {
    struct str scheme, authority, path; /* unset: the request's */
    uint16_t port, status;              /* port 0: by scheme */
    bool https_redirect;                /* Gateway httpsRedirect: keeps the Host's port */
};

struct direct_response {
    uint16_t status;
    struct str body;
    struct str details; /* response code details; not set: "direct_response" */
};

/* Of the path: what the match took of it becomes `text`; or with a pattern each of its matches
 * becomes `text`, in which \1 stands for a group. */
struct rewrite {
    struct text_matcher pattern; /* ANY, or a regex */
    struct str text;
};

/* Conditions of another try; in the order of the words in route/retry.c. */
enum retry_on {
    RETRY_CONNECT_FAILURE = 1 << 0,
    RETRY_REFUSED_STREAM = 1 << 1,
    RETRY_UNAVAILABLE = 1 << 2,
    RETRY_CANCELLED = 1 << 3,
    RETRY_5XX = 1 << 4,
    RETRY_GATEWAY_ERROR = 1 << 5,
    RETRY_RESET = 1 << 6,
    RETRY_RESET_BEFORE_REQUEST = 1 << 7,
    RETRY_4XX = 1 << 8,
    RETRY_STATUSES = 1 << 9,
    RETRY_DEADLINE_EXCEEDED = 1 << 10,
    RETRY_INTERNAL = 1 << 11,
    RETRY_RESOURCE_EXHAUSTED = 1 << 12
};

struct retry_policy {
    uint16_t attempts;   /* retries after the first try */
    uint16_t on;         /* enum retry_on bits */
    bool idle_race;      /* the transparent retry of design 7; off with attempts: 0 */
    bool any_host;       /* also one that was tried */
    uint32_t per_try_ms; /* from the request's end to the response's head; 0: no limit */
    uint32_t base_ms;    /* of the pauses: doubled each time, at most ten times as long */
    ARRAY_OF(uint16_t) statuses;
};

struct mirror {
    struct str cluster_name;
    slot_id cluster; /* PART_CLUSTER; SLOT_NONE: nothing is sent */
    uint32_t ppm;    /* share of the requests, of a million */
    origin_id origin;
};

/* What few routes have. */
struct route_extras {
    struct rewrite *rewrite; /* NULL: the path stays */
    ARRAY_OF(struct mirror) mirrors;
    struct retry_policy *retry; /* NULL: Istio's default (route/retry.h) */
};

struct route {
    struct str name; /* %ROUTE_NAME%; "default" where the manifest has none */
    struct route_match match;
    ARRAY_OF(struct destination) destinations; /* weight 0 left out */
    ARRAY_OF(struct filter_config) overrides;
    struct redirect *redirect;      /* set for ACTION_REDIRECT */
    struct direct_response *direct; /* set for ACTION_DIRECT_RESPONSE */
    struct route_extras *extras;    /* NULL: none of them */
    origin_id origin;
    uint32_t timeout_ms;
    uint32_t id;    /* position in the virtual host: the decision record's route id */
    uint8_t action; /* enum route_action */
};

struct vhost {
    struct part part;              /* name: "<routes name>/<domain>" */
    struct str label;              /* Envoy's name: "mk.hedgus.com:80" */
    ARRAY_OF(struct route) routes; /* first match wins */
    ARRAY_OF(slot_id) servers;     /* PART_SERVER: that it is reached through, its own first */
    ARRAY_OF(struct filter_config) overrides;
    /* derived */
    struct path_index *index; /* model/path_index.h */
};

/* ---- cluster and hosts --------------------------------------------------------------- */

enum lb_policy { LB_LEAST_REQUEST, LB_ROUND_ROBIN, LB_RANDOM };

/* Istio's destination labels (conventions.md 4.1); empty prints as "unknown". */
struct service_labels {
    struct str host, name, namespace;
};

/* DestinationRule connectionPool: of all workers together; 0: no limit. */
struct cluster_limits {
    uint32_t max_connections, max_pending, max_requests, max_retries;
};

/* TLS to the endpoints of a cluster. A secret that is named and not there closes every
 * handshake: nothing falls back to clear text or to less of a check. */
struct client_tls {
    struct str sni;             /* empty: the request's authority without its port */
    ARRAY_OF(struct str) names; /* in subjectAltName, one of them; none: the name asked for */
    ARRAY_OF(struct str) alpn;  /* in order of preference */
    bool skip_verify;           /* any certificate will do */
    slot_id ca, certificate;    /* PART_SECRET; certificate: SLOT_NONE for none */
};

struct cluster {
    struct part part;             /* name: "outbound|80|v1|hedgus-app.hedgus.svc.cluster.local" */
    slot_id hosts;                /* PART_HOSTS */
    uint8_t lb;                   /* enum lb_policy */
    bool http2;                   /* upstream protocol */
    uint32_t connect_ms, idle_ms; /* 10000, 3600000 */
    uint32_t max_requests_per_connection; /* 0: unlimited */
    struct cluster_limits limits;
    struct service_labels service;
    struct client_tls *tls; /* NULL: clear text */
    /* derived */
    uint32_t label_block;       /* telemetry's interned id; 0: none */
    struct live_budget *budget; /* NULL: no limit is finite */
};

struct endpoint {
    struct addr addr;
    uint32_t weight; /* >= 1 */
    bool healthy;
    struct str workload, namespace, app, version, canonical_service, canonical_revision;
    struct str locality;
    origin_id origin;
    /* derived */
    uint32_t label_block;
    struct live_host *live;
};

struct hosts {
    struct part part;
    struct str cluster_name;
    struct str source; /* "EndpointSlice x/y", "WorkloadEntry", "stand-in": shown in /clusters */
    ARRAY_OF(struct endpoint) endpoints;
};

/* ---- secret --------------------------------------------------------------------------- */

struct secret {
    struct part part;     /* name: "kubernetes://ns/name" */
    struct str chain_pem; /* text of a file, which may hold the key, too: no dump shows it */
    struct str key_pem;   /* nor this */
    struct str ca_pem, crl_pem;
    /* derived, parsed and checked once */
    struct tls_keypair *keypair; /* NULL for a CA alone */
    struct tls_trust *trust;     /* NULL without a CA */
    int64_t not_after_ms;
    ARRAY_OF(struct str) dns_names;
};
