#include "route/route.h"

#include "model/host_index.h"
#include "model/path_index.h"
#include "model/pattern.h"

const struct vhost *route_vhost(const struct root *root, const struct routes *routes,
                                struct str host)
{
    uint32_t at = host_index_find(routes->index, host);

    return at == UINT32_MAX ? NULL : root_vhost(root, routes->domains.v[at].vhost);
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

/* Path and query as one text: they are cut from one. */
static struct str path_and_query(const struct route_request *rq)
{
    if (rq->query.n == 0 || rq->query.p != rq->path.p + rq->path.n + 1)
        return rq->path;
    return str_make(rq->path.p, rq->path.n + 1 + rq->query.n);
}

/* Pseudo headers may be named like others; `host` is the authority, port included. */
static struct str pseudo_header(const struct route_request *rq, struct str name)
{
    if (str_eq(name, STR("host")) || str_eq(name, STR(":authority")))
        return rq->authority;
    if (str_eq(name, STR(":path")))
        return path_and_query(rq);
    if (str_eq(name, STR(":method")))
        return rq->method;
    if (str_eq(name, STR(":scheme")))
        return rq->scheme;
    return STR_NONE;
}

/* Value by value, never joined; `ret_found` says whether there is one at all. */
static bool any_header_matches(const struct named_matcher *m, const struct route_request *rq,
                               bool *ret_found)
{
    struct str pseudo = STR_NONE;
    const struct header *h;

    *ret_found = true;
    if (m->name.n > 0 && (m->name.p[0] == ':' || m->name.p[0] == 'h'))
        pseudo = pseudo_header(rq, m->name);
    if (str_is_set(pseudo))
        return value_matches(m, pseudo);
    h = rq->headers ? headers_find_name(rq->headers, m->name) : NULL;
    *ret_found = h != NULL;
    for (; h; h = headers_next(rq->headers, h)) {
        if (value_matches(m, h->value))
            return true;
    }
    return false;
}

/* Inverted (withoutHeaders), no value may match, and a missing header counts as an empty
 * one (istio-api.md 1.4.1), but for presence. */
static bool header_matches(const struct named_matcher *m, const struct route_request *rq)
{
    bool found;
    bool holds = any_header_matches(m, rq, &found);

    if (!m->invert)
        return holds;
    if (!found && m->match.how != TEXT_ANY && m->match.how != TEXT_PRESENT)
        return !text_matches(&m->match, STR(""));
    return !holds;
}

/* The first occurrence only; not decoded; "?v" is "v=". STR_NONE: not there. */
static struct str query_value(struct str query, struct str name)
{
    while (str_is_set(query)) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');

        if (str_eq(key, name))
            return str_is_set(value) ? value : STR("");
    }
    return STR_NONE;
}

static bool query_matches(const struct named_matcher *m, const struct route_request *rq)
{
    struct str value = query_value(rq->query, m->name);
    bool holds = str_is_set(value) && value_matches(m, value);

    return holds != m->invert;
}

/* All but the path, which the index has looked at. */
static bool rest_matches(const struct route_match *m, const struct route_request *rq)
{
    if (m->port != 0 && m->port != rq->port)
        return false;
    if (!text_matches(&m->method, rq->method) || !text_matches(&m->scheme, rq->scheme) ||
        !text_matches(&m->authority, rq->authority))
        return false;
    for (uint32_t i = 0; i < m->headers.n; i++) {
        if (!header_matches(&m->headers.v[i], rq))
            return false;
    }
    for (uint32_t i = 0; i < m->query.n; i++) {
        if (!query_matches(&m->query.v[i], rq))
            return false;
    }
    return true;
}

const struct route *route_pick(const struct vhost *vhost, const struct route_request *rq)
{
    struct path_cursor cursor;
    uint32_t at;

    path_cursor_init(&cursor, vhost->index, rq->path);
    for (at = path_cursor_next(&cursor, 0); at != UINT32_MAX;
         at = path_cursor_next(&cursor, at + 1)) {
        if (rest_matches(&vhost->routes.v[at].match, rq))
            return &vhost->routes.v[at];
    }
    return NULL;
}
