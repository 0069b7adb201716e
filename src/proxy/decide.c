#include "proxy/decide.h"

#include "base/octets16.h"
#include "codec/url.h"
#include "route/route.h"

/* ---- answers from here ---- */

const struct refusal refused_no_chain = { 404, FLAG_NR, "filter_chain_not_found", "",
                                          "what served this name was removed" };
const struct refusal refused_scheme = { 403, 0, "scheme_does_not_match_transport", "",
                                        "the request says https on a clear-text port" };
const struct refusal refused_path = { 400, 0, "path_normalization_failed", "",
                                      "the path cannot be brought into a normal form" };
const struct refusal refused_upgrade = { 403, 0, "upgrade_failed", "",
                                         "the protocol to upgrade to is not allowed" };
const struct refusal refused_websocket = { 501, 0, "websocket_not_built_yet",
                                           "websocket: not built yet\n",
                                           "WebSocket is not built yet" };
const struct refusal refused_misdirected = { 421, 0, "misdirected_request", "",
                                             "another server than SNI chose has this host, and "
                                             "the certificate does not cover it or the TLS "
                                             "settings differ" };
const struct refusal refused_no_route = { 404, FLAG_NR, "route_not_found", "", "no route matches" };
const struct refusal refused_no_cluster = { 503, FLAG_NC, "cluster_not_found", "",
                                            "the destination does not exist" };
const struct refusal refused_no_endpoint = { 503, FLAG_UH, "no_healthy_upstream",
                                             "no healthy upstream",
                                             "the destination has no healthy endpoint" };

static bool refuse(struct decision *d, const struct refusal *why)
{
    d->refused = why;
    return false;
}

/* ---- the chain ---- */

/* How well a chain's name covers `sni`: 0 not at all, else longer is better. */
static size_t name_fits(struct str name, struct str sni)
{
    if (str_eq(name, STR("*")))
        return 1;
    if (!str_is_set(sni))
        return 0;
    if (str_eq(name, sni))
        return SIZE_MAX;
    if (str_starts(name, STR("*.")) && sni.n >= name.n && str_ends(sni, str_from(name, 1)))
        return name.n + 1;
    return 0;
}

static size_t chain_fits(const struct chain *c, struct str sni)
{
    size_t best = c->server_names.n == 0;

    for (uint32_t i = 0; i < c->server_names.n; i++)
        best = MAX(best, name_fits(c->server_names.v[i], sni));
    return best;
}

const struct chain *chain_by_name(const struct root *root, const struct listener *l, struct str sni)
{
    const struct chain *best = NULL;
    size_t best_fit = 0;

    for (uint32_t i = 0; i < l->chains.n; i++) {
        const struct chain *c = root_chain(root, l->chains.v[i]);
        size_t fit = c ? chain_fits(c, sni) : 0;

        if (fit > best_fit) {
            best = c;
            best_fit = fit;
        }
    }
    return best;
}

const struct chain *decide_chain(const struct root *root, const struct listener *l, struct str sni)
{
    if (l->is_tls)
        return chain_by_name(root, l, sni);
    return l->chains.n ? root_chain(root, l->chains.v[0]) : NULL;
}

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

/* The text of the client's address, from the connection's where it is the same. */
static struct str client_text(const struct decision *d)
{
    char text[ADDR_TEXT_MAX];

    if (addr_eq(&d->client, d->peer))
        return d->peer_ip;
    return arena_dup(d->arena, addr_format_ip(&d->client, text));
}

static void set_addresses(struct decision *d)
{
    struct headers *h = &d->head->headers;
    struct arena *a = d->arena;
    uint32_t hops = d->chain->http.trusted_hops;
    struct header *last = headers_find(h, HDR_X_FORWARDED_FOR);
    struct addr client;

    if (hops && trusted_address(h, a, hops, &client))
        d->client = client;
    for (struct header *next = last; next; next = headers_next(h, next))
        last = next;
    if (last)
        headers_change(h, last, arena_printf(a, "%.*s,%.*s", STRF(last->value), STRF(d->peer_ip)));
    else
        headers_add_id(h, a, HDR_X_FORWARDED_FOR, d->peer_ip)->is_clean = true;
    headers_add_id(h, a, HDR_X_ENVOY_EXTERNAL_ADDRESS, client_text(d))->is_clean = true;
}

/* ---- request id ---- */

/* A random UUID (RFC 9562, 5.4), from the worker's generator: it names a request, it
 * guards nothing. */
static struct str new_request_id(const struct decision *d)
{
    uint64_t bits[2] = { rng_u64(d->rng), rng_u64(d->rng) };
    char *text = arena_raw(d->arena, 36), digits[32];

    octets16_hex((const char *)bits, digits);
    memcpy(text, digits, 8);
    text[8] = text[13] = text[18] = text[23] = '-';
    memcpy(text + 9, digits + 8, 4);
    memcpy(text + 14, digits + 12, 4);
    memcpy(text + 19, digits + 16, 4);
    memcpy(text + 24, digits + 20, 12);
    text[14] = '4';
    text[19] = "89ab"[(unsigned char)text[19] & 3];
    return str_make(text, 36);
}

/* ---- the head ---- */

static bool edge_path(struct decision *d)
{
    struct head *head = d->head;
    bool is_path = head->path.n && head->path.p[0] == '/';
    struct str normal;

    if (is_path) {
        enum url_normalize how = (enum url_normalize)d->chain->http.path_form;

        if (!url_path_normalize(head->path, how, d->arena, &normal))
            return refuse(d, &refused_path);
        if (!str_eq(normal, head->path))
            d->original_path = head->path;
        head->path = normal;
    }
    url_path_split(head->path, &d->path, &d->query);
    return true;
}

static bool edge_scheme(struct decision *d)
{
    if (str_eq_nocase(d->head->scheme, STR("https")) && !d->is_tls)
        return refuse(d, &refused_scheme);
    d->head->scheme = d->is_tls ? STR("https") : STR("http");
    return true;
}

/* h2c is taken away (the codec did); websocket comes with a later issue; all others are
 * refused (observed.md, TLS and TCP). */
static bool edge_upgrade(struct decision *d)
{
    struct str to = d->head->upgrade;

    if (!str_is_set(to))
        return true;
    if (str_eq_nocase(to, STR("h2c")) && d->head->version != HTTP_2) {
        d->head->upgrade = STR_NONE;
        return true;
    }
    return refuse(d, str_eq_nocase(to, STR("websocket")) ? &refused_websocket : &refused_upgrade);
}

#define INTERNAL_MARKS                                                                             \
    (HEADERS_MARK(HDR_OTHER) | HEADERS_MARK_ENVOY | HEADERS_MARK_MESH | HEADERS_MARK_ATTEMPTS |    \
     HEADERS_MARK(HDR_X_FORWARDED_CLIENT_CERT) | HEADERS_MARK(HDR_X_ISTIO_ATTRIBUTES) |            \
     HEADERS_MARK(HDR_X_REQUEST_ID) | HEADERS_MARK(HDR_X_FORWARDED_PROTO) |                        \
     HEADERS_MARK(HDR_HTTP2_SETTINGS))

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

/* All values of a header, with commas between them. */
static struct str joined(const struct decision *d, enum header_id id)
{
    const struct header *h = headers_find(&d->head->headers, id);
    struct str all = h ? h->value : STR_NONE;

    while (h && (h = headers_next(&d->head->headers, h)) != NULL)
        all = arena_printf(d->arena, "%.*s,%.*s", STRF(all), STRF(h->value));
    return all;
}

/* The x-forwarded-client-cert that the backend gets; empty: none (Envoy's
 * forward_client_cert_details). */
static struct str client_cert_value(const struct decision *d)
{
    enum client_cert_details how = d->chain->http.client_cert;
    struct str came;

    if (how != CERT_ALWAYS_FORWARD_ONLY && (how == CERT_SANITIZE || !d->client_cert.n))
        return STR_NONE;
    if (how == CERT_SANITIZE_SET)
        return arena_dup(d->arena, d->client_cert);
    came = joined(d, HDR_X_FORWARDED_CLIENT_CERT);
    if (how != CERT_APPEND_FORWARD)
        return came;
    return arena_printf(d->arena, "%.*s%s%.*s", STRF(came), came.n ? "," : "",
                        STRF(d->client_cert));
}

bool decide_head(struct decision *d)
{
    struct head *head = d->head;
    struct str client_cert;

    d->client = *d->peer;
    if (!d->chain)
        return refuse(d, &refused_no_chain);
    if (!edge_scheme(d) || !edge_path(d) || !edge_upgrade(d))
        return false;
    if (!d->chain->http.is_gateway)
        return true;
    client_cert = client_cert_value(d);
    headers_remove_if(&head->headers, INTERNAL_MARKS, is_internal);
    if (client_cert.n)
        headers_add_id(&head->headers, d->arena, HDR_X_FORWARDED_CLIENT_CERT, client_cert);
    headers_add_id(&head->headers, d->arena, HDR_X_FORWARDED_PROTO, head->scheme)->is_clean = true;
    set_addresses(d);
    headers_add_id(&head->headers, d->arena, HDR_X_REQUEST_ID, new_request_id(d))->is_clean = true;
    if (headers_find(&head->headers, HDR_HOST) == NULL && head->authority.n)
        headers_add_id(&head->headers, d->arena, HDR_HOST, head->authority);
    return true;
}

/* ---- the route ---- */

static bool lists_are_equal(const struct str *a, uint32_t a_n, const struct str *b, uint32_t b_n)
{
    bool equal = a_n == b_n;

    for (uint32_t i = 0; equal && i < a_n; i++)
        equal = str_eq(a[i], b[i]);
    return equal;
}

bool chain_asks_the_same(const struct chain *a, const struct chain *b)
{
    const struct tls_profile *x = &a->tls, *y = &b->tls;

    return x->mode == y->mode && x->min_version == y->min_version &&
           x->max_version == y->max_version && x->client_ca == y->client_ca &&
           x->skip_verify == y->skip_verify &&
           lists_are_equal(x->ciphers.v, x->ciphers.n, y->ciphers.v, y->ciphers.n) &&
           lists_are_equal(x->names.v, x->names.n, y->names.v, y->names.n) &&
           lists_are_equal(x->hashes.v, x->hashes.n, y->hashes.v, y->hashes.n) &&
           lists_are_equal(x->spkis.v, x->spkis.n, y->spkis.v, y->spkis.n);
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

/* The 421 rule of design 7: sets the chain to serve from. */
static bool choose_authority_chain(struct decision *d)
{
    d->by_host = chain_by_name(d->root, d->listener, d->host);
    if (!d->by_host || d->by_host == d->chain)
        return true; /* without one: the route look-up answers 404 */
    if (!chain_asks_the_same(d->chain, d->by_host) ||
        !certificate_covers(d->root, d->chain, d->host))
        return refuse(d, &refused_misdirected);
    d->chain = d->by_host;
    return true;
}

void decide_request(const struct decision *d, struct route_request *ret)
{
    *ret = (struct route_request){
        .host = d->host,
        .authority = d->head->authority,
        .path = d->path,
        .query = d->query,
        .method = d->head->method,
        .scheme = d->head->scheme,
        .port = d->listener ? d->listener->manifest_port : 0,
        .headers = &d->head->headers,
    };
}

bool decide_route(struct decision *d)
{
    struct route_request rq;

    d->host = url_lower(url_host_of(d->head->authority), d->arena);
    if (d->is_tls && d->listener && !choose_authority_chain(d))
        return false;
    d->routes = root_routes(d->root, d->chain->http.routes);
    d->vhost = d->routes ? route_vhost(d->root, d->routes, d->host) : NULL;
    if (!d->vhost)
        return true;
    decide_request(d, &rq);
    d->route = route_pick(d->vhost, &rq);
    return true;
}

const struct refusal *decide_action(const struct route *route)
{
    return !route || route->action == ACTION_NONE ? &refused_no_route : NULL;
}
