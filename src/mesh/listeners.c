/*
 * mesh/listeners - the placing as parts: listeners, and filter chains with their certificates.
 *
 * Source: istio-api.md 1.3.4 (the connection manager), observed.md, TLS.
 */
#include "api/gateway.h"
#include "base/hash.h"
#include "mesh/credentials.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/uses.h"

#include <stdlib.h>

/* ---- the connection manager ---- */

static uint8_t path_form(const struct api_meshconfig *m)
{
    static const uint8_t forms[] = {
        [NORMALIZE_DEFAULT] = URL_BASE,
        [NORMALIZE_NONE] = URL_NONE,
        [NORMALIZE_BASE] = URL_BASE,
        [NORMALIZE_MERGE_SLASHES] = URL_MERGE_SLASHES,
        [NORMALIZE_DECODE_AND_MERGE_SLASHES] = URL_DECODE_AND_MERGE_SLASHES,
    };
    int32_t said = m->path_normalization ? m->path_normalization->normalization.v : 0;

    return said >= 0 && (size_t)said < LEN(forms) ? forms[said] : URL_BASE;
}

/* docs/filters.md says why in this order. */
static const struct str filters[] = { STR_INIT("fault"), STR_INIT("cors"), STR_INIT("headers"),
                                      STR_INIT("router") };

/* Without a word on it Istio's gateways set it. */
static uint8_t client_cert_of(const struct api_gateway_topology *t)
{
    static const uint8_t all[] = {
        [XFCC_UNDEFINED] = CERT_SANITIZE_SET,
        [XFCC_SANITIZE] = CERT_SANITIZE,
        [XFCC_FORWARD_ONLY] = CERT_FORWARD_ONLY,
        [XFCC_APPEND_FORWARD] = CERT_APPEND_FORWARD,
        [XFCC_SANITIZE_SET] = CERT_SANITIZE_SET,
        [XFCC_ALWAYS_FORWARD_ONLY] = CERT_ALWAYS_FORWARD_ONLY,
    };

    return all[t ? t->forward_client_cert_details.v : XFCC_UNDEFINED];
}

static void manager_fill(struct compile *c, struct part *p, struct http_manager *h,
                         struct str listener_name)
{
    const struct api_proxy_config *pc = c->config->default_config;
    const struct api_connection_settings *cs = pc ? pc->connection_settings : NULL;
    const struct api_server_header *server = pc && pc->proxy_headers ? pc->proxy_headers->server
                                                                     : NULL;

    h->stat_prefix = arena_printf(p->arena, "outbound_%.*s", STRF(listener_name));
    h->server_name = STR("istio-envoy");
    if (server && server->value.n)
        h->server_name = arena_dup(p->arena, server->value);
    if (server && server->disabled.v)
        h->server_name = STR("");
    h->path_form = path_form(c->config);
    h->is_gateway = true;
    uses_manager(c);
    if (pc && pc->gateway_topology)
        h->trusted_hops = (uint32_t)MAX(pc->gateway_topology->num_trusted_proxies.v, 0);
    h->client_cert = client_cert_of(pc ? pc->gateway_topology : NULL);
    h->request_head_ms = duration_ms(cs ? &cs->http_request_headers_timeout : NULL, 60000);
    h->idle_ms = duration_ms(cs ? &cs->http_idle_timeout : NULL, 3600000);
    h->max_headers = 100;
    h->max_head_octets = 61440;
    h->buffer_limit = 1 << 20;
    if (cs && cs->listener_per_connection_buffer_limit_bytes.v > 0)
        h->buffer_limit = (uint32_t)cs->listener_per_connection_buffer_limit_bytes.v;
    h->preserve_case = pc && pc->proxy_headers && pc->proxy_headers->preserve_http1_header_case.v;
    ARRAY_COPY(p, h->filters, LEN(filters));
    for (size_t i = 0; i < LEN(filters); i++)
        h->filters.v[i] = (struct filter_config){ .kind = filters[i], .instance = filters[i] };
}

static struct chain *chain_new(struct compile *c, struct str name, const struct placed *p,
                               struct str listener_name)
{
    struct chain *ch = compile_part(c, PART_CHAIN, name);

    part_origin(&ch->part, compile_origin(c, p->ref.gateway, SPOT(p->server)));
    ch->network = NETWORK_HTTP;
    ch->tls.client_ca = SLOT_NONE;
    ch->http.routes = SLOT_NONE;
    manager_fill(c, &ch->part, &ch->http, listener_name);
    return ch;
}

/* ---- plain text: all servers share one route configuration ---- */

static void plain_compile(struct compile *c, struct listener_plan *plan, struct listener *l)
{
    const struct table_plan *t = plan->v[0].plan->table;
    struct chain *ch = chain_new(c, l->part.name, &plan->v[0], l->part.name);

    ch->http.routes = slots_of(c->slots, PART_ROUTES, t->name);
    ARRAY_COPY(&l->part, l->chains, 1);
    l->chains.v[0] = plan->plain = ch->part.slot;
    compile_put_sure(c, &ch->part);
}

/* ---- TLS: a chain each ---- */

static uint16_t tls_version(const struct opt_enum *e)
{
    return e->v == GW_PROTO_TLSV1_3 ? 0x0304 : e->v == GW_PROTO_TLSV1_2 ? 0x0303 : 0;
}

static bool is_old(const struct opt_enum *e)
{
    return e->v == GW_PROTO_TLSV1_0 || e->v == GW_PROTO_TLSV1_1;
}

static void texts_copy(struct part *p, void *list, const struct str_list *from, bool lower)
{
    ARRAY_OF(struct str) *to = list;

    ARRAY_COPY(p, *to, from->n);
    for (size_t i = 0; i < from->n; i++)
        to->v[i] = lower ? name_lower(p->arena, from->v[i]) : arena_dup(p->arena, from->v[i]);
}

/* "AA:BB" or "aabb". */
static void hashes_copy(struct part *p, struct tls_profile *to, const struct str_list *from)
{
    texts_copy(p, &to->hashes, from, true);
    for (uint32_t i = 0; i < to->hashes.n; i++) {
        struct str *s = &to->hashes.v[i];
        char *bare = arena_alloc(p->arena, s->n + 1);
        size_t n = 0;

        for (size_t k = 0; k < s->n; k++)
            if (s->p[k] != ':')
                bare[n++] = s->p[k];
        *s = str_make(bare, n);
    }
}

/* What is demanded of clients. */
static void demand_fill(struct compile *c, const struct api_object *gw,
                        const struct api_gw_tls *tls, struct chain *ch)
{
    struct secret_field ca = { gw, LEAF(tls, "caCertificates"), tls->ca_certificates };
    struct secret_field crl = { gw, LEAF(tls, "caCrl"), tls->ca_crl };
    bool many = tls->credential_names.n > 0, apart = tls->ca_cert_credential_name.n > 0;
    struct secret_field credential = {
        gw,
        apart  ? LEAF(tls, "caCertCredentialName")
        : many ? ITEM(tls, "credentialNames", 0)
               : LEAF(tls, "credentialName"),
        apart  ? tls->ca_cert_credential_name
        : many ? tls->credential_names.v[0]
               : tls->credential_name,
    };

    ch->tls.mode = tls->mode.v == GW_TLS_MUTUAL ? TLS_MODE_MUTUAL : TLS_MODE_OPTIONAL_MUTUAL;
    ch->tls.skip_verify = tls->insecure_skip_verify.v;
    texts_copy(&ch->part, &ch->tls.names, &tls->subject_alt_names, false);
    texts_copy(&ch->part, &ch->tls.spkis, &tls->verify_certificate_spki, false);
    hashes_copy(&ch->part, &ch->tls, &tls->verify_certificate_hash);
    if (!ch->tls.skip_verify)
        ch->tls.client_ca = credential.written.n ? trust_of_credential(c, &credential)
                                                 : trust_of_file(c, &ca, &crl);
}

static void profile_fill(struct compile *c, const struct placed *p, struct chain *ch)
{
    const struct api_gw_tls *tls = p->server->tls;
    struct arena *a = ch->part.arena;

    ch->tls.mode = TLS_MODE_SIMPLE;
    ARRAY_COPY(&ch->part, ch->tls.alpn, 2);
    ch->tls.alpn.v[0] = STR("h2");
    ch->tls.alpn.v[1] = STR("http/1.1");
    if (!tls)
        return;
    if (is_old(&tls->min_protocol_version))
        compile_unsupported(c, p->ref.gateway, LEAF(tls, "minProtocolVersion"),
                            "TLS 1.2 is the lowest that is spoken");
    if (is_old(&tls->max_protocol_version))
        compile_unsupported(c, p->ref.gateway, LEAF(tls, "maxProtocolVersion"),
                            "TLS 1.2 is the lowest that is spoken: nothing is taken for the "
                            "highest");
    ch->tls.min_version = tls_version(&tls->min_protocol_version);
    ch->tls.max_version = tls_version(&tls->max_protocol_version);
    ARRAY_COPY(&ch->part, ch->tls.ciphers, tls->cipher_suites.n);
    for (size_t i = 0; i < tls->cipher_suites.n; i++)
        ch->tls.ciphers.v[i] = arena_dup(a, tls->cipher_suites.v[i]);
}

static struct chain *chain_make(struct compile *c, const struct server_plan *s)
{
    const struct placed *p = s->at;
    struct chain *ch = chain_new(c, p->chain, p, s->on->name);

    ARRAY_COPY(&ch->part, ch->server_names, p->host_count);
    for (size_t i = 0; i < p->host_count; i++)
        ch->server_names.v[i] = arena_dup(ch->part.arena, p->hosts[i]);
    profile_fill(c, p, ch);
    if (!p->is_closed)
        credentials_compile(c, p->ref.gateway, p->server->tls, ch, p->hosts, p->host_count);
    if (!p->is_closed && p->server->tls->mode.v != GW_TLS_SIMPLE)
        demand_fill(c, p->ref.gateway, p->server->tls, ch);
    ch->http.routes = slots_of(c->slots, PART_ROUTES, p->routes);
    return ch;
}

/* ---- chains and their secrets, which they may share ---- */

static uint32_t *uses_of(struct plan *p, slot_id slot)
{
    if (slot >= p->secrets_n) {
        size_t n = MAX((size_t)slot + 1, p->secrets_n * 2);

        p->secrets = must_realloc(p->secrets, n * sizeof(*p->secrets));
        memset(p->secrets + p->secrets_n, 0, (n - p->secrets_n) * sizeof(*p->secrets));
        p->secrets_n = n;
    }
    return &p->secrets[slot];
}

static void chain_take(struct compile *c, struct server_plan *s, struct memo *m)
{
    struct plan *p = c->plan;
    int64_t expires_ms = (int64_t)m->result;

    for (size_t i = 0; i < m->credentials->slot_n; i++) {
        ++*uses_of(p, m->credentials->slots[i]);
        compile_seen(c, PART_SECRET, m->credentials->slots[i]);
    }
    m->at[0] = s;
    s->chain = m;
    if (expires_ms && (!p->expires_ms || expires_ms < p->expires_ms))
        p->expires_ms = expires_ms;
}

/* Its secrets are gone where nobody takes them again. */
static void chain_release(struct compile *c, struct server_plan *s)
{
    const struct credentials *had = s->chain ? s->chain->credentials : NULL;

    for (size_t i = 0; had && i < had->slot_n; i++) {
        --*uses_of(c->plan, had->slots[i]);
        c->dropped = arena_grow(c->whole, c->dropped, c->dropped_n, &c->dropped_cap,
                                sizeof(*c->dropped));
        c->dropped[c->dropped_n++] = had->slots[i];
    }
    s->chain = NULL;
}

void secrets_clear(struct compile *c)
{
    for (size_t i = 0; i < c->dropped_n; i++)
        if (!*uses_of(c->plan, c->dropped[i]) && !registry_uses(c->reg, c->dropped[i]))
            compile_clear(c, PART_SECRET, c->dropped[i]);
}

void chain_drop(struct compile *c, struct server_plan *s)
{
    struct memo *m = s->chain;

    if (!m)
        return;
    compile_clear(c, PART_CHAIN, m->part->slot);
    chain_release(c, s);
    memos_drop(c->memos, &c->m->inputs, m->name);
}

static bool is_past(const struct compile *c, const struct memo *m)
{
    const struct mesh_hooks *h = &c->o->hooks;

    return m->result && h->wall_ms && h->wall_ms(h->arg) > (int64_t)m->result;
}

static uint64_t chain_name(const struct placed *p)
{
    return key_mix(hash_stable(p->chain), MEMO_CHAIN);
}

static void chain_compile(struct compile *c, struct server_plan *s);

static void chain_redo(struct compile *c, const struct memo *m)
{
    chain_compile(c, m->at[0]);
}

/* A chain with its certificates: one piece. */
static void chain_compile(struct compile *c, struct server_plan *s)
{
    uint64_t name = chain_name(s->at), key;
    struct memo_capture cap;
    struct chain *ch;
    struct memo *m;
    slot_id slot;

    key = key_mix(key_mix(s->digest, c->config_digest), s->at->is_closed);
    m = memo_recall(c, memo_name(&name), key);
    if (m && !is_past(c, m)) {
        compile_put_again(c, m->part);
        if (m != s->chain)
            chain_take(c, s, m);
        return;
    }
    chain_release(c, s);
    memo_begin(c, &cap, memo_name(&name), key);
    lookup_keyed(c, OBJ_GATEWAY, s->ref.gateway);
    c->credentials = ARENA_NEW(cap.memo->arena, struct credentials);
    c->credentials_arena = cap.memo->arena;
    c->expires_ms = 0;
    ch = chain_make(c, s);
    slot = ch->part.slot;
    compile_put_sure(c, &ch->part);
    m = memo_end(c, &cap, true);
    m->part = compile_hold(c, PART_CHAIN, slot);
    m->credentials = c->credentials;
    m->result = (size_t)c->expires_ms;
    m->redo = chain_redo;
    chain_take(c, s, m);
}

/* Under another name it is another one. */
static void chain_update(struct compile *c, struct server_plan *s)
{
    uint64_t name = chain_name(s->at);

    if (s->chain && !str_eq(s->chain->name, memo_name(&name)))
        chain_drop(c, s);
    if (!s->chain || s->chain_digest != s->digest || is_past(c, s->chain))
        chain_compile(c, s);
    s->chain_digest = s->digest;
}

static void each_chain(struct compile *c, void (*fn)(struct compile *c, struct server_plan *s))
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&c->plan->gateways, &at));) {
        const struct gateway_plan *g = e->value;

        for (struct list *l = g->servers.next; l != &g->servers; l = l->next) {
            struct server_plan *s = CONTAINER_OF(l, struct server_plan, of_gateway);

            if (s->chain)
                fn(c, s);
        }
    }
}

static void chain_expire(struct compile *c, struct server_plan *s)
{
    int64_t *first = &c->plan->expires_ms, ms;

    if (is_past(c, s->chain))
        chain_compile(c, s);
    ms = (int64_t)s->chain->result;
    if (ms && (!*first || ms < *first))
        *first = ms;
}

void chains_expire(struct compile *c)
{
    const struct mesh_hooks *h = &c->o->hooks;
    int64_t ms = c->plan->expires_ms;

    if (!ms || !h->wall_ms || h->wall_ms(h->arg) <= ms)
        return;
    c->plan->expires_ms = 0;
    each_chain(c, chain_expire);
}

static void tls_compile(struct compile *c, struct listener_plan *plan, struct listener *l)
{
    l->is_tls = true;
    ARRAY_COPY(&l->part, l->chains, plan->n);
    for (size_t i = 0; i < plan->n; i++)
        l->chains.v[i] = slots_of(c->slots, PART_CHAIN, plan->v[i].chain);
}

/* ---- listeners ---- */

static struct origin origin_kept(struct arena *a, struct origin o)
{
    o.file = arena_dup(a, o.file);
    o.object = arena_dup(a, o.object);
    o.path = arena_dup(a, o.path);
    return o;
}

/* All that its part, and in plain text its chain, is made from. */
static uint64_t digest_of(const struct listener_plan *l)
{
    uint64_t digest = hash_mix(hash_stable(l->name), l->v[0].plan->digest);

    digest = hash_mix(digest, hash_stable(l->v[0].routes));
    for (size_t i = 0; l->class == SERVER_TLS && i < l->n; i++)
        digest = hash_mix(digest, hash_stable(l->v[i].chain));
    return digest;
}

static void crowd_limits(struct compile *c, struct listener *l)
{
    const struct api_proxy_config *pc = c->config->default_config;
    const struct api_connection_settings *cs = pc ? pc->connection_settings : NULL;

    if (!cs)
        return;
    l->max_connections = (uint32_t)MAX(cs->listener_connection_limit.v, 0);
    l->max_connections_in_all = (uint32_t)MAX(cs->global_downstream_connection_limit.v, 0);
}

static void listener_compile(struct compile *c, struct listener_plan *plan)
{
    struct listener *l = compile_part(c, PART_LISTENER, plan->name);

    plan->slot = l->part.slot;
    part_origin(&l->part, plan->origin);
    l->bind = plan->bind;
    l->port = plan->port;
    l->manifest_port = plan->manifest_port;
    l->stat_prefix = l->part.name;
    l->tls_handshake_ms = 15000;
    crowd_limits(c, l);
    if (plan->class == SERVER_TLS)
        tls_compile(c, plan, l);
    else
        plain_compile(c, plan, l);
    compile_put_sure(c, &l->part);
}

static struct listener_plan *listener_before(const struct placing *before,
                                             const struct listener_plan *l)
{
    for (size_t i = 0; before && i < before->n; i++)
        if (before->listeners[i]->slot != SLOT_NONE && str_eq(before->listeners[i]->name, l->name))
            return before->listeners[i];
    return NULL;
}

static void listener_update(struct compile *c, const struct placing *before,
                            struct listener_plan *l)
{
    struct listener_plan *was = listener_before(before, l);

    l->origin = origin_kept(c->plan->placing->arena,
                            compile_origin(c, l->v[0].ref.gateway, SPOT(l->v[0].server)));
    l->digest = digest_of(l);
    for (size_t i = 0; i < l->n; i++) {
        uses_server(c, l->v[i].ref.gateway, l->v[i].server, l->class == SERVER_TLS,
                    l->v[i].is_closed);
        if (l->class == SERVER_TLS)
            chain_update(c, l->v[i].plan);
    }
    if (was && was->digest == l->digest && was->class == l->class) {
        l->slot = was->slot;
        l->plain = was->plain;
        was->slot = was->plain = SLOT_NONE;
    } else {
        listener_compile(c, l);
    }
}

void listeners_compile(struct compile *c, const struct placing *before)
{
    struct placing *now = c->plan->placing;

    for (size_t i = 0; i < now->n; i++)
        if (now->listeners[i]->n && now->listeners[i]->opens)
            listener_update(c, before, now->listeners[i]);
    for (size_t i = 0; before && i < before->n; i++) { /* but those that were put again */
        compile_clear(c, PART_LISTENER, before->listeners[i]->slot);
        compile_clear(c, PART_CHAIN, before->listeners[i]->plain);
    }
}
