#include "route/route.h"

#include "base/utf8.h"
#include "model/host_index.h"
#include "model/path_index.h"
#include "model/pattern.h"

#define BITS 4 /* of the hash: DOMAINS_SHARDS ways */

/* ---- tables of hosts ---- */

/* The node that `hash` leads to, so many steps down; NULL: there is none. */
static const struct domains *leaf_of(const struct root *root, const struct routes *routes,
                                     uint64_t hash, uint32_t *ret_depth)
{
    slot_id at = routes->shards.v[hash >> (64 - BITS)];
    const struct domains *d = root_domains(root, at);

    *ret_depth = 1;
    while (d && d->shards.n == DOMAINS_SHARDS && *ret_depth < 64 / BITS) {
        at = d->shards.v[hash >> (64 - BITS * (*ret_depth + 1)) & (DOMAINS_SHARDS - 1)];
        ++*ret_depth;
        d = root_domains(root, at);
    }
    return d;
}

static const struct domain *find_key(const struct root *root, const struct routes *routes,
                                     struct str key)
{
    uint32_t depth, at;
    const struct domains *leaf = leaf_of(root, routes, domain_hash(key), &depth);

    at = leaf ? host_index_get(leaf->index, key) : UINT32_MAX;
    return at == UINT32_MAX ? NULL : &leaf->domains.v[at];
}

static const struct domain *find_sharded(const struct root *root, const struct routes *routes,
                                         struct str host)
{
    const struct domain *d = NULL;

    if (host.n && host.p[0] != '.')
        d = find_key(root, routes, host);
    for (uint32_t i = 0; !d && i < routes->suffixes.n; i++) {
        size_t n = routes->suffixes.v[i];

        if (n < host.n && host.p[host.n - n] == '.')
            d = find_key(root, routes, str_from(host, host.n - n));
    }
    return d;
}

const struct vhost *route_vhost(const struct root *root, const struct routes *routes,
                                struct str host)
{
    const struct domain *d = NULL;
    uint32_t at;

    if (routes->shards.n == DOMAINS_SHARDS)
        d = find_sharded(root, routes, host);
    if (d)
        return root_vhost(root, d->vhost);
    at = host_index_find(routes->index, host);
    return at == UINT32_MAX ? NULL : root_vhost(root, routes->domains.v[at].vhost);
}

/* ---- one after another ---- */

/* The next domain of the nodes below; `at` counts in the leaf that the hash leads to. */
static const struct domain *next_sharded(const struct root *root, const struct routes *routes,
                                         struct domain_cursor *c)
{
    while (!c->is_over) {
        uint32_t depth;
        const struct domains *leaf = leaf_of(root, routes, c->hash, &depth);
        uint64_t step = UINT64_C(1) << (64 - BITS * depth);

        if (leaf && c->at < leaf->domains.n)
            return &leaf->domains.v[c->at];
        c->at = 0;
        c->hash = (c->hash & ~(step - 1)) + step;
        c->is_over = c->hash == 0;
    }
    return NULL;
}

const struct domain *route_domain(const struct root *root, const struct routes *routes,
                                  struct domain_cursor *c)
{
    if (!c->is_below) {
        if (c->at < routes->domains.n)
            return &routes->domains.v[c->at];
        c->is_below = true;
        c->is_over = routes->shards.n != DOMAINS_SHARDS;
        c->at = 0;
    }
    return next_sharded(root, routes, c);
}

struct route_place route_place(const struct root *root, const struct vhost *v,
                               const struct route *r)
{
    bool redirects = r && r->redirect && r->redirect->https_redirect;
    uint32_t at = redirects && v->servers.n ? v->servers.n - 1 : 0;
    const struct server *s = v->servers.n ? root_server(root, v->servers.v[at]) : NULL;

    if (!s || (r && r->origin != 0))
        return (struct route_place){ &v->part, r ? r->origin : 0 };
    return (struct route_place){ &s->part, redirects && s->part.origin_count > 1 };
}

bool text_matches(const struct text_matcher *m, struct str text)
{
    switch ((enum text_match)m->how) {
    case TEXT_ANY:
        return true;
    case TEXT_PRESENT:
        return str_is_set(text);
    case TEXT_EXACT:
        return m->nocase ? str_eq_nocase(text, m->value) : str_eq(text, m->value);
    case TEXT_PREFIX:
        return m->nocase ? str_starts_nocase(text, m->value) : str_starts(text, m->value);
    case TEXT_REGEX:
        return pattern_matches(m->regex, text);
    }
    return false;
}

/* A matcher without a condition asks for presence. */
static bool value_matches(const struct named_matcher *m, struct str value)
{
    return m->match.how == TEXT_ANY || m->match.how == TEXT_PRESENT ||
           text_matches(&m->match, value);
}

/* Does a header that must not match rule a value out? A pattern reads characters: octets that are
 * none could hide from it what it forbids, so they are ruled out, too (CVE-2026-73552). */
static bool value_is_ruled_out(const struct named_matcher *m, struct str value)
{
    return value_matches(m, value) || (m->match.how == TEXT_REGEX && !utf8_is_whole(value));
}

/* Value by value, never joined. Inverted (withoutHeaders), no value may match, and a missing
 * header counts as an empty one (istio-api.md 1.4.1), but for presence. */
static bool header_matches(const struct named_matcher *m, const struct route_request *rq)
{
    struct header_values values;
    struct str value;
    bool found = false;

    header_values_init(&values, rq, m->name);
    for (; header_values_next(&values, &value); found = true) {
        if (m->invert ? value_is_ruled_out(m, value) : value_matches(m, value))
            return !m->invert;
    }
    if (!m->invert || found)
        return m->invert;
    return m->match.how == TEXT_ANY || m->match.how == TEXT_PRESENT ||
           !text_matches(&m->match, STR(""));
}

static bool query_matches(const struct named_matcher *m, const struct route_request *rq)
{
    struct str value = request_query_value(rq, m->name);
    bool holds = str_is_set(value) && value_matches(m, value);

    return holds != m->invert;
}

/* All but the path, which the index has looked at. */
static struct route_miss rest_misses(const struct route_match *m, const struct route_request *rq)
{
    if (m->port != 0 && m->port != rq->port)
        return (struct route_miss){ ROUTE_PORT, 0 };
    if (m->method && !text_matches(m->method, rq->method))
        return (struct route_miss){ ROUTE_METHOD, 0 };
    if (m->scheme && !text_matches(m->scheme, rq->scheme))
        return (struct route_miss){ ROUTE_SCHEME, 0 };
    if (m->authority && !text_matches(m->authority, rq->authority))
        return (struct route_miss){ ROUTE_AUTHORITY, 0 };
    for (uint32_t i = 0; i < m->headers.n; i++) {
        if (!header_matches(&m->headers.v[i], rq))
            return (struct route_miss){ ROUTE_HEADER, i };
    }
    for (uint32_t i = 0; i < m->query.n; i++) {
        if (!query_matches(&m->query.v[i], rq))
            return (struct route_miss){ ROUTE_QUERY, i };
    }
    return (struct route_miss){ ROUTE_HOLDS, 0 };
}

struct route_miss route_misses(const struct route_match *m, const struct route_request *rq)
{
    bool is_any = m->path.how == TEXT_ANY || m->path.how == TEXT_PRESENT;

    if (!(is_any ? str_starts(rq->path, STR("/")) : text_matches(&m->path, rq->path)))
        return (struct route_miss){ ROUTE_PATH, 0 };
    return rest_misses(m, rq);
}

const struct route *route_pick(const struct vhost *vhost, const struct route_request *rq)
{
    struct path_cursor cursor;
    uint32_t at;

    path_cursor_init(&cursor, vhost->index, rq);
    for (at = path_cursor_next(&cursor, 0); at != UINT32_MAX;
         at = path_cursor_next(&cursor, at + 1)) {
        if (rest_misses(&vhost->routes.v[at].match, rq).what == ROUTE_HOLDS)
            return &vhost->routes.v[at];
    }
    return NULL;
}
