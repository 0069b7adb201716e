#include "model/shape.h"

#define PLACE(type, member)                                                                        \
    .name = #member, .offset = offsetof(struct type, member),                                      \
    .size = sizeof(((struct type *)0)->member), .align = __alignof__(((struct type *)0)->member)
#define F(type, member, field_kind)                                                                \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_##field_kind                                            \
    }
#define F_ENUM(type, member, enum_names)                                                           \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_ENUM, .limit = LEN(enum_names), .names = enum_names     \
    }
#define F_SLOT(type, member, slot_kind)                                                            \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_SLOT, .part_kind = slot_kind                            \
    }
#define F_STRUCT(type, member, shape)                                                              \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_STRUCT, .of = &shape                                    \
    }
#define F_OPTION(type, member, shape)                                                              \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_OPTION, .of = &shape                                    \
    }
#define F_LIST(type, member, shape)                                                                \
    {                                                                                              \
        PLACE(type, member), .kind = FIELD_LIST, .of = &shape                                      \
    }
#define SHAPE(type)                                                                                \
    {                                                                                              \
        .name = #type, .size = sizeof(struct type), .n = LEN(type##_fields),                       \
        .fields = type##_fields                                                                    \
    }

/* ---- elements that are one value ------------------------------------------------------ */

static const struct field str_fields[] = {
    { .name = "", .kind = FIELD_STR, .size = sizeof(struct str) },
};
static const struct shape str_shape = SHAPE(str);

static const struct field chain_slot_fields[] = {
    { .name = "", .kind = FIELD_SLOT, .part_kind = PART_CHAIN, .size = sizeof(slot_id) },
};
static const struct shape chain_slot_shape = { "chain_slot", sizeof(slot_id), 1,
                                               chain_slot_fields };

static const struct field domains_slot_fields[] = {
    { .name = "", .kind = FIELD_SLOT, .part_kind = PART_DOMAINS, .size = sizeof(slot_id) },
};
static const struct shape domains_slot_shape = { "domains_slot", sizeof(slot_id), 1,
                                                 domains_slot_fields };

static const struct field server_slot_fields[] = {
    { .name = "", .kind = FIELD_SLOT, .part_kind = PART_SERVER, .size = sizeof(slot_id) },
};
static const struct shape server_slot_shape = { "server_slot", sizeof(slot_id), 1,
                                                server_slot_fields };

static const struct field u16_fields[] = {
    { .name = "", .kind = FIELD_U16, .size = sizeof(uint16_t) },
};
static const struct shape u16_shape = { "u16", sizeof(uint16_t), 1, u16_fields };

static const struct field secret_slot_fields[] = {
    { .name = "", .kind = FIELD_SLOT, .part_kind = PART_SECRET, .size = sizeof(slot_id) },
};
static const struct shape secret_slot_shape = { "secret_slot", sizeof(slot_id), 1,
                                                secret_slot_fields };

/* ---- listener, chain ------------------------------------------------------------------ */

static const struct field listener_fields[] = {
    F(listener, bind, ADDR),
    F(listener, port, U16),
    F(listener, manifest_port, U16),
    F(listener, is_tls, BOOL),
    F(listener, stat_prefix, STR),
    F(listener, tls_handshake_ms, U32),
    F(listener, max_connections, U32),
    F(listener, max_connections_in_all, U32),
    F_LIST(listener, chains, chain_slot_shape),
};
static const struct shape listener_shape = SHAPE(listener);

static const char *const tls_modes[] = {
    [TLS_MODE_NONE] = "NONE",
    [TLS_MODE_SIMPLE] = "SIMPLE",
    [TLS_MODE_MUTUAL] = "MUTUAL",
    [TLS_MODE_OPTIONAL_MUTUAL] = "OPTIONAL_MUTUAL",
};

static const struct field tls_profile_fields[] = {
    F_ENUM(tls_profile, mode, tls_modes),   F(tls_profile, min_version, U16),
    F(tls_profile, max_version, U16),       F_LIST(tls_profile, ciphers, str_shape),
    F_LIST(tls_profile, alpn, str_shape),   F_SLOT(tls_profile, client_ca, PART_SECRET),
    F(tls_profile, skip_verify, BOOL),      F_LIST(tls_profile, names, str_shape),
    F_LIST(tls_profile, hashes, str_shape), F_LIST(tls_profile, spkis, str_shape),
};
static const struct shape tls_profile_shape = SHAPE(tls_profile);

static const struct field filter_config_fields[] = {
    F(filter_config, kind, STR),       F(filter_config, instance, STR),
    F(filter_config, config, STR),     F(filter_config, row, DERIVED),
    F(filter_config, parsed, DERIVED),
};
const struct shape filter_config_shape = SHAPE(filter_config);

static const char *const path_forms[] = {
    [URL_NONE] = "NONE",
    [URL_BASE] = "BASE",
    [URL_MERGE_SLASHES] = "MERGE_SLASHES",
    [URL_DECODE_AND_MERGE_SLASHES] = "DECODE_AND_MERGE_SLASHES",
};

static const char *const client_cert_details[] = {
    [CERT_SANITIZE] = "SANITIZE",
    [CERT_SANITIZE_SET] = "SANITIZE_SET",
    [CERT_APPEND_FORWARD] = "APPEND_FORWARD",
    [CERT_FORWARD_ONLY] = "FORWARD_ONLY",
    [CERT_ALWAYS_FORWARD_ONLY] = "ALWAYS_FORWARD_ONLY",
};

static const struct field http_manager_fields[] = {
    F_SLOT(http_manager, routes, PART_ROUTES),
    F(http_manager, stat_prefix, STR),
    F(http_manager, server_name, STR),
    F_ENUM(http_manager, path_form, path_forms),
    F(http_manager, is_gateway, BOOL),
    F(http_manager, trusted_hops, U32),
    F(http_manager, request_head_ms, U32),
    F(http_manager, idle_ms, U32),
    F(http_manager, stream_idle_ms, U32),
    F(http_manager, max_headers, U32),
    F(http_manager, max_head_octets, U32),
    F(http_manager, max_body, U64),
    F(http_manager, buffer_limit, U32),
    F(http_manager, preserve_case, BOOL),
    F_ENUM(http_manager, client_cert, client_cert_details),
    F_LIST(http_manager, filters, filter_config_shape),
};
static const struct shape http_manager_shape = SHAPE(http_manager);

static const char *const network_filters[] = {
    [NETWORK_HTTP] = "http",
    [NETWORK_TCP_PROXY] = "tcp_proxy",
};

static const struct field chain_fields[] = {
    F_LIST(chain, server_names, str_shape),    F_STRUCT(chain, tls, tls_profile_shape),
    F_LIST(chain, secrets, secret_slot_shape), F(chain, credential, STR),
    F_ENUM(chain, network, network_filters),   F_STRUCT(chain, http, http_manager_shape),
};
static const struct shape chain_shape = SHAPE(chain);

/* ---- routes, virtual host ------------------------------------------------------------- */

static const struct field domain_fields[] = {
    F(domain, name, STR),
    F_SLOT(domain, vhost, PART_VHOST),
};
static const struct shape domain_shape = SHAPE(domain);

static const struct field routes_fields[] = {
    F_LIST(routes, domains, domain_shape),
    F_LIST(routes, shards, domains_slot_shape),
    F_LIST(routes, suffixes, u16_shape),
    F(routes, index, DERIVED),
};
static const struct shape routes_shape = SHAPE(routes);

static const struct field domains_fields[] = {
    F_LIST(domains, domains, domain_shape),
    F_LIST(domains, shards, domains_slot_shape),
    F(domains, index, DERIVED),
};
static const struct shape domains_shape = SHAPE(domains);

static const struct field server_fields[] = { F(server, port, U16) };
static const struct shape server_shape = SHAPE(server);

static const char *const text_matches[] = {
    [TEXT_ANY] = "any",     [TEXT_EXACT] = "exact",     [TEXT_PREFIX] = "prefix",
    [TEXT_REGEX] = "regex", [TEXT_PRESENT] = "present",
};

static const struct field text_matcher_fields[] = {
    F_ENUM(text_matcher, how, text_matches),
    F(text_matcher, nocase, BOOL),
    F(text_matcher, value, STR),
    F(text_matcher, regex, DERIVED),
};
const struct shape text_matcher_shape = SHAPE(text_matcher);

static const struct field named_matcher_fields[] = {
    F(named_matcher, name, STR),
    F(named_matcher, invert, BOOL),
    F_STRUCT(named_matcher, match, text_matcher_shape),
};
static const struct shape named_matcher_shape = SHAPE(named_matcher);

static const struct field route_match_fields[] = {
    F_STRUCT(route_match, path, text_matcher_shape),
    F_OPTION(route_match, method, text_matcher_shape),
    F_OPTION(route_match, authority, text_matcher_shape),
    F_OPTION(route_match, scheme, text_matcher_shape),
    F_LIST(route_match, headers, named_matcher_shape),
    F_LIST(route_match, query, named_matcher_shape),
    F(route_match, port, U16),
};
static const struct shape route_match_shape = SHAPE(route_match);

static const struct field destination_fields[] = {
    F(destination, cluster_name, STR),
    F_SLOT(destination, cluster, PART_CLUSTER),
    F(destination, weight, U32),
    F(destination, origin, ORIGIN),
    F_LIST(destination, overrides, filter_config_shape),
};
static const struct shape destination_shape = SHAPE(destination);

static const struct field redirect_fields[] = {
    F(redirect, scheme, STR), F(redirect, authority, STR), F(redirect, path, STR),
    F(redirect, port, U16),   F(redirect, status, U16),    F(redirect, https_redirect, BOOL),
};
static const struct shape redirect_shape = SHAPE(redirect);

static const struct field direct_response_fields[] = {
    F(direct_response, status, U16),
    F(direct_response, body, STR),
    F(direct_response, details, STR),
};
static const struct shape direct_response_shape = SHAPE(direct_response);

static const struct field rewrite_fields[] = {
    F_STRUCT(rewrite, pattern, text_matcher_shape),
    F(rewrite, text, STR),
};
static const struct shape rewrite_shape = SHAPE(rewrite);

static const struct field retry_policy_fields[] = {
    F(retry_policy, attempts, U16),
    F(retry_policy, on, U16),
    F(retry_policy, idle_race, BOOL),
    F(retry_policy, any_host, BOOL),
    F(retry_policy, per_try_ms, U32),
    F(retry_policy, base_ms, U32),
    F_LIST(retry_policy, statuses, u16_shape),
};
static const struct shape retry_policy_shape = SHAPE(retry_policy);

static const struct field mirror_fields[] = {
    F(mirror, cluster_name, STR),
    F_SLOT(mirror, cluster, PART_CLUSTER),
    F(mirror, ppm, U32),
    F(mirror, origin, ORIGIN),
};
static const struct shape mirror_shape = SHAPE(mirror);

static const struct field route_extras_fields[] = {
    F_OPTION(route_extras, rewrite, rewrite_shape),
    F_LIST(route_extras, mirrors, mirror_shape),
    F_OPTION(route_extras, retry, retry_policy_shape),
};
static const struct shape route_extras_shape = SHAPE(route_extras);

static const char *const route_actions[] = {
    [ACTION_FORWARD] = "forward",
    [ACTION_REDIRECT] = "redirect",
    [ACTION_DIRECT_RESPONSE] = "direct_response",
    [ACTION_NONE] = "none",
};

static const struct field route_fields[] = {
    F(route, name, STR),
    F_STRUCT(route, match, route_match_shape),
    F_LIST(route, destinations, destination_shape),
    F_LIST(route, overrides, filter_config_shape),
    F_OPTION(route, redirect, redirect_shape),
    F_OPTION(route, direct, direct_response_shape),
    F_OPTION(route, extras, route_extras_shape),
    F(route, origin, ORIGIN),
    F(route, timeout_ms, U32),
    F(route, id, U32),
    F_ENUM(route, action, route_actions),
};
static const struct shape route_shape = SHAPE(route);

static const struct field vhost_fields[] = {
    F(vhost, label, STR),
    F_LIST(vhost, routes, route_shape),
    F_LIST(vhost, servers, server_slot_shape),
    F_LIST(vhost, overrides, filter_config_shape),
    F(vhost, index, DERIVED),
};
static const struct shape vhost_shape = SHAPE(vhost);

/* ---- cluster, hosts, secret ----------------------------------------------------------- */

static const char *const lb_policies[] = {
    [LB_LEAST_REQUEST] = "LEAST_REQUEST",
    [LB_ROUND_ROBIN] = "ROUND_ROBIN",
    [LB_RANDOM] = "RANDOM",
};

static const struct field service_labels_fields[] = {
    F(service_labels, host, STR),
    F(service_labels, name, STR),
    F(service_labels, namespace, STR),
};
static const struct shape service_labels_shape = SHAPE(service_labels);

static const struct field cluster_limits_fields[] = {
    F(cluster_limits, max_connections, U32),
    F(cluster_limits, max_pending, U32),
    F(cluster_limits, max_requests, U32),
    F(cluster_limits, max_retries, U32),
};
static const struct shape cluster_limits_shape = SHAPE(cluster_limits);

static const struct field client_tls_fields[] = {
    F(client_tls, sni, STR),
    F_LIST(client_tls, names, str_shape),
    F_LIST(client_tls, alpn, str_shape),
    F(client_tls, skip_verify, BOOL),
    F_SLOT(client_tls, ca, PART_SECRET),
    F_SLOT(client_tls, certificate, PART_SECRET),
};
static const struct shape client_tls_shape = SHAPE(client_tls);

static const struct field cluster_fields[] = {
    F_SLOT(cluster, hosts, PART_HOSTS),
    F_ENUM(cluster, lb, lb_policies),
    F(cluster, http2, BOOL),
    F(cluster, connect_ms, U32),
    F(cluster, idle_ms, U32),
    F(cluster, max_requests_per_connection, U32),
    F_STRUCT(cluster, limits, cluster_limits_shape),
    F_STRUCT(cluster, service, service_labels_shape),
    F_OPTION(cluster, tls, client_tls_shape),
    F(cluster, label_block, DERIVED),
    F(cluster, budget, DERIVED),
};
static const struct shape cluster_shape = SHAPE(cluster);

static const struct field endpoint_fields[] = {
    F(endpoint, addr, ADDR),
    F(endpoint, weight, U32),
    F(endpoint, healthy, BOOL),
    F(endpoint, workload, STR),
    F(endpoint, namespace, STR),
    F(endpoint, app, STR),
    F(endpoint, version, STR),
    F(endpoint, canonical_service, STR),
    F(endpoint, canonical_revision, STR),
    F(endpoint, locality, STR),
    F(endpoint, origin, ORIGIN),
    F(endpoint, label_block, DERIVED),
    F(endpoint, live, DERIVED),
};
static const struct shape endpoint_shape = SHAPE(endpoint);

static const struct field hosts_fields[] = {
    F(hosts, cluster_name, STR),
    F(hosts, source, STR),
    F_LIST(hosts, endpoints, endpoint_shape),
};
static const struct shape hosts_shape = SHAPE(hosts);

static const struct field secret_fields[] = {
    F(secret, chain_pem, SECRET),     F(secret, key_pem, SECRET),    F(secret, ca_pem, SECRET),
    F(secret, crl_pem, SECRET),       F(secret, keypair, DERIVED),   F(secret, trust, DERIVED),
    F(secret, not_after_ms, DERIVED), F(secret, dns_names, DERIVED),
};
static const struct shape secret_shape = SHAPE(secret);

static const struct {
    const char *name;
    const struct shape *shape;
} kinds[PART_KINDS] = {
    [PART_LISTENER] = { "listener", &listener_shape },
    [PART_CHAIN] = { "chain", &chain_shape },
    [PART_ROUTES] = { "routes", &routes_shape },
    [PART_VHOST] = { "vhost", &vhost_shape },
    [PART_CLUSTER] = { "cluster", &cluster_shape },
    [PART_HOSTS] = { "hosts", &hosts_shape },
    [PART_SECRET] = { "secret", &secret_shape },
    [PART_DOMAINS] = { "domains", &domains_shape },
    [PART_SERVER] = { "server", &server_shape },
};

const char *part_kind_name(enum part_kind kind)
{
    return kind < PART_KINDS ? kinds[kind].name : "unknown";
}

const struct shape *shape_of_part(enum part_kind kind)
{
    MUST(kind < PART_KINDS);
    return kinds[kind].shape;
}

size_t shape_octets_min(const struct shape *s)
{
    static const uint8_t sizes[] = {
        [FIELD_BOOL] = 1,    [FIELD_ENUM] = 1,   [FIELD_U16] = 2,    [FIELD_U32] = 4,
        [FIELD_U64] = 8,     [FIELD_STR] = 4,    [FIELD_SECRET] = 4, [FIELD_ADDR] = 3,
        [FIELD_SLOT] = 4,    [FIELD_LIST] = 4,   [FIELD_ORIGIN] = 4, [FIELD_STRUCT] = 0,
        [FIELD_DERIVED] = 0, [FIELD_OPTION] = 1,
    };
    size_t sum = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        sum += sizes[s->fields[i].kind];
        if (s->fields[i].kind == FIELD_STRUCT)
            sum += shape_octets_min(s->fields[i].of);
    }
    return sum;
}

/* The struct of an option, NULL where it is not set. */
static void *option_of(const char *at)
{
    void *object;

    memcpy(&object, at, sizeof(object));
    return object;
}

void shape_walk(const struct shape *s, void *object, struct shape_visitor *v)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        char *at = (char *)object + f->offset;

        if (f->kind == FIELD_OPTION)
            at = option_of(at);
        if (!at)
            continue;
        v->visit(v, f, at);
        if (f->kind == FIELD_STRUCT || f->kind == FIELD_OPTION) {
            shape_walk(f->of, at, v);
        } else if (f->kind == FIELD_LIST) {
            const struct list_any *list = (const void *)at;

            for (uint32_t k = 0; k < list->n; k++)
                shape_walk(f->of, list->v + (size_t)k * f->of->size, v);
        }
    }
}
