/*
 * proxy/edge - what the gateway makes of heads at the edge: one normal form for all, the
 * client's claims about itself taken away, the gateway's own put in.
 *
 * Source: Envoy's connection manager with use_remote_address, as Istio configures it for
 * gateways (observed.md Hosts, Paths, Headers; istio-api.md 1.3.4).
 */
#include "proxy/request.h"

#include "codec/url.h"
#include "route/route.h"

/* ---- addresses ---- */

/* The Nth address from the right of x-forwarded-for, or false. */
static bool trusted_address(const struct headers *h, struct arena *a, uint32_t hops,
                            struct addr *ret)
{
    struct str joined = STR_NONE;
    const struct header *one = headers_find(h, HDR_X_FORWARDED_FOR);

    for (; one; one = headers_next(h, one)) {
        joined = str_is_set(joined) ? arena_printf(a, "%.*s,%.*s", STRF(joined), STRF(one->value))
                                    : one->value;
    }
    if (!str_is_set(joined))
        return false;
    for (uint32_t i = 1; i < hops; i++) {
        size_t comma = str_rfind(joined, ',');

        if (comma == joined.n)
            return false;
        joined.n = comma;
    }
    if (str_rfind(joined, ',') < joined.n)
        joined = str_from(joined, str_rfind(joined, ',') + 1);
    return addr_parse_ip(str_trim(joined), ret);
}

/* The text of an address, from the connection's where it is the same. */
static struct str address_text(struct request *r, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    if (addr_eq(a, &r->record.downstream_peer))
        return str_make(r->conn->peer_ip, r->conn->peer_ip_n);
    return arena_dup(r->s.arena, addr_format_ip(a, text));
}

static void set_addresses(struct request *r)
{
    struct headers *h = &r->s.request->headers;
    struct arena *a = r->s.arena;
    uint32_t hops = r->s.chain->http.trusted_hops;
    struct str peer = arena_dup(a, str_make(r->conn->peer_ip, r->conn->peer_ip_n));
    struct header *last = headers_find(h, HDR_X_FORWARDED_FOR);
    struct addr client;

    if (hops && trusted_address(h, a, hops, &client))
        r->record.downstream_remote = client;
    for (struct header *next = last; next; next = headers_next(h, next))
        last = next;
    if (last)
        headers_change(h, last, arena_printf(a, "%.*s,%.*s", STRF(last->value), STRF(peer)));
    else
        headers_add_id(h, a, HDR_X_FORWARDED_FOR, peer);
    headers_add_id(h, a, HDR_X_ENVOY_EXTERNAL_ADDRESS,
                   arena_dup(a, address_text(r, &r->record.downstream_remote)));
}

/* ---- request id ---- */

/* A random UUID (RFC 9562, 5.4), from the worker's generator: it names a request, it
 * guards nothing. */
static struct str new_request_id(struct request *r)
{
    static const char hex[] = "0123456789abcdef";
    static const uint8_t dashes[] = { 8, 13, 18, 23 };
    uint64_t bits[3] = { rng_u64(r->s.rng), rng_u64(r->s.rng), rng_u64(r->s.rng) }; /* 36 digits */
    char *text = arena_raw(r->s.arena, 36);
    size_t digit = 0;

    for (size_t at = 0; at < 36; at++) {
        text[at] = hex[bits[digit / 16] & 15];
        bits[digit / 16] >>= 4;
        digit++;
    }
    for (size_t i = 0; i < LEN(dashes); i++)
        text[dashes[i]] = '-';
    text[14] = '4';
    text[19] = hex[8 | ((unsigned char)text[19] & 3)];
    return str_make(text, 36);
}

/* ---- the request ---- */

static bool edge_path(struct request *r)
{
    struct head *head = r->s.request;
    bool is_path = head->path.n && head->path.p[0] == '/';
    struct str normal;

    if (is_path) {
        enum url_normalize how = (enum url_normalize)r->s.chain->http.path_form;

        if (!url_path_normalize(head->path, how, r->s.arena, &normal)) {
            reply_send(&r->s, 400, STR_NONE, "path_normalization_failed", 0);
            return false;
        }
        if (!str_eq(normal, head->path))
            r->record.original_path = head->path;
        head->path = normal;
    }
    url_path_split(head->path, &r->s.path, &r->s.query);
    r->record.path = head->path;
    return true;
}

static bool edge_scheme(struct request *r)
{
    struct head *head = r->s.request;
    struct str ours = r->conn->is_tls ? STR("https") : STR("http");

    if (str_eq_nocase(head->scheme, STR("https")) && !r->conn->is_tls) {
        reply_send(&r->s, 403, STR_NONE, "scheme_does_not_match_transport", 0);
        return false;
    }
    head->scheme = ours;
    return true;
}

/* h2c is taken away (the codec did); websocket comes with a later issue; all others are
 * refused (observed.md, TLS and TCP). */
static bool edge_upgrade(struct request *r)
{
    struct head *head = r->s.request;

    if (!str_is_set(head->upgrade) || str_eq_nocase(head->upgrade, STR("h2c")))
        return true;
    if (str_eq_nocase(head->upgrade, STR("websocket")))
        reply_send(&r->s, 501, STR("websocket: not built yet\n"), "websocket_not_built_yet", 0);
    else
        reply_send(&r->s, 403, STR_NONE, "upgrade_failed", 0);
    return false;
}

/* Headers that only the inside may set (reliability.md 2, "trusted internal headers"). */
static bool is_internal(const struct header *h)
{
    switch (h->id) {
    case HDR_OTHER:
        return header_is_envoy(h->name);
    case HDR_X_FORWARDED_CLIENT_CERT:
    case HDR_X_ISTIO_ATTRIBUTES:
    case HDR_X_REQUEST_ID:
    case HDR_X_FORWARDED_PROTO:
    case HDR_HTTP2_SETTINGS:
        return true;
    default:
        return h->id >= HDR_X_ENVOY_ATTEMPT_COUNT &&
               h->id <= HDR_X_ENVOY_UPSTREAM_STREAM_DURATION_MS;
    }
}

bool edge_request(struct request *r)
{
    struct head *head = r->s.request;

    if (!r->s.chain) { /* removed while the connection was open: nothing is served here */
        reply_send(&r->s, 404, STR_NONE, "filter_chain_not_found", FLAG_NR);
        return false;
    }
    if (!edge_scheme(r) || !edge_path(r) || !edge_upgrade(r))
        return false;
    if (!r->s.chain->http.is_gateway)
        return true;
    headers_remove_if(&head->headers, is_internal);
    headers_add_id(&head->headers, r->s.arena, HDR_X_FORWARDED_PROTO, head->scheme);
    set_addresses(r);
    headers_add_id(&head->headers, r->s.arena, HDR_X_REQUEST_ID, new_request_id(r));
    if (headers_find(&head->headers, HDR_HOST) == NULL && head->authority.n)
        headers_add_id(&head->headers, r->s.arena, HDR_HOST, head->authority);
    r->record.is_grpc = str_starts(headers_get(&head->headers, HDR_CONTENT_TYPE),
                                   STR("application/grpc"));
    return true;
}

/* ---- the route ---- */

static bool profiles_are_equal(const struct chain *a, const struct chain *b)
{
    const struct tls_profile *x = &a->tls, *y = &b->tls;

    if (x->mode != y->mode || x->min_version != y->min_version ||
        x->max_version != y->max_version || x->client_ca != y->client_ca ||
        x->ciphers.n != y->ciphers.n)
        return false;
    for (uint32_t i = 0; i < x->ciphers.n; i++) {
        if (!str_eq(x->ciphers.v[i], y->ciphers.v[i]))
            return false;
    }
    return true;
}

static bool name_covers(struct str name, struct str host)
{
    size_t dot = str_find(host, '.');

    return str_eq_nocase(name, host) || (str_starts(name, STR("*.")) && dot > 0 && dot < host.n &&
                                         str_eq_nocase(str_from(name, 1), str_from(host, dot)));
}

static bool certificate_covers(const struct root *root, const struct chain *c, struct str host)
{
    for (uint32_t i = 0; i < c->secrets.n; i++) {
        const struct secret *secret = root_secret(root, c->secrets.v[i]);

        for (uint32_t k = 0; secret && k < secret->dns_names.n; k++) {
            if (name_covers(secret->dns_names.v[k], host))
                return true;
        }
    }
    return false;
}

/* The 421 rule of design 7. Sets the chain to serve from; false: answered. */
static bool choose_authority_chain(struct request *r, struct str host)
{
    const struct chain *by_sni = r->s.chain;
    const struct chain *by_host = chain_by_name(request_root(r), r->s.listener, host);

    if (!by_host || by_host == by_sni)
        return true; /* without one: the route look-up answers 404 */
    if (profiles_are_equal(by_sni, by_host) && certificate_covers(request_root(r), by_sni, host)) {
        r->s.chain = by_host;
        return true;
    }
    reply_send(&r->s, 421, STR_NONE, "misdirected_request", 0);
    return false;
}

bool edge_route(struct request *r)
{
    struct head *head = r->s.request;
    struct str host = url_lower(url_host_of(head->authority), r->s.arena);
    const struct routes *routes;
    struct route_request rq;

    if (r->conn->is_tls && r->s.listener && !choose_authority_chain(r, host))
        return false;
    routes = root_routes(request_root(r), r->s.chain->http.routes);
    r->s.vhost = routes ? route_vhost(request_root(r), routes, host) : NULL;
    rq = (struct route_request){
        .host = host,
        .authority = head->authority,
        .path = r->s.path,
        .query = r->s.query,
        .method = head->method,
        .scheme = head->scheme,
        .port = r->s.listener ? r->s.listener->manifest_port : 0,
        .headers = &head->headers,
    };
    r->s.route = r->s.vhost ? route_pick(r->s.vhost, &rq) : NULL;
    return true;
}

/* ---- the response ---- */

/* What sidecars tell each other. */
static bool is_mesh_internal(const struct header *h)
{
    return h->id == HDR_X_ENVOY_PEER_METADATA || h->id == HDR_X_ENVOY_PEER_METADATA_ID ||
           h->id == HDR_X_ENVOY_DECORATOR_OPERATION ||
           h->id == HDR_X_ENVOY_IMMEDIATE_HEALTH_CHECK_FAIL;
}

void edge_response(struct request *r)
{
    struct headers *h = &r->s.response->headers;
    struct arena *a = r->s.arena;
    const struct http_manager *m = r->s.chain ? &r->s.chain->http : NULL;

    headers_remove_if(h, is_mesh_internal);
    if (!headers_find(h, HDR_DATE))
        headers_add_id(h, a, HDR_DATE,
                       arena_dup(a, date_text(&r->worker->date, loop_wall_ms(r->s.loop))));
    if (!m)
        headers_set_id(h, a, HDR_SERVER, STR("istio-envoy"));
    else if (m->server_name.n)
        headers_set_id(h, a, HDR_SERVER, m->server_name);
}
