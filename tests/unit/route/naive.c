#include "unit/route/naive.h"

#include "base/utf8.h"
#include "unit/route/naive_regex.h"

static char folded(char c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(struct str text, struct str with, bool nocase)
{
    if (text.n < with.n)
        return false;
    for (size_t i = 0; i < with.n; i++) {
        if (folded(text.p[i], nocase) != folded(with.p[i], nocase))
            return false;
    }
    return true;
}

static bool text_holds(const struct text_matcher *m, struct str text)
{
    if (m->how == TEXT_ANY || m->how == TEXT_PRESENT)
        return true;
    if (m->how == TEXT_PREFIX)
        return begins(text, m->value, m->nocase);
    if (m->how == TEXT_EXACT)
        return begins(text, m->value, m->nocase) && text.n == m->value.n;
    return naive_regex_matches(m->value, text);
}

/* What the headers that stand for the request line have; STR_NONE for others. */
static struct str line_value(const struct route_request *rq, struct str name)
{
    const struct {
        const char *name;
        struct str value;
    } all[] = {
        { ":authority", rq->authority },
        { "host", rq->authority },
        { ":method", rq->method },
        { ":scheme", rq->scheme },
        { ":path", str_make(rq->path.p, rq->path.n + (rq->query.n ? 1 + rq->query.n : 0)) },
    };

    for (size_t i = 0; i < LEN(all); i++) {
        if (str_eq(name, str_of(all[i].name)))
            return all[i].value;
    }
    return STR_NONE;
}

/* What may be a forbidden text that a pattern cannot read counts as one. */
static bool value_holds(const struct named_matcher *m, struct str value)
{
    return text_holds(&m->match, value) ||
           (m->invert && m->match.how == TEXT_REGEX && !utf8_is_whole(value));
}

static bool header_holds(const struct named_matcher *m, const struct route_request *rq)
{
    bool presence = m->match.how == TEXT_ANY || m->match.how == TEXT_PRESENT;
    struct str line = line_value(rq, m->name);
    uint32_t found = 0, good = 0;

    if (str_is_set(line)) {
        found = 1;
        good = value_holds(m, line);
    }
    for (uint32_t i = 0; i < rq->headers->n && !str_is_set(line); i++) {
        if (!str_eq_nocase(rq->headers->v[i].name, m->name))
            continue;
        found++;
        good += value_holds(m, rq->headers->v[i].value);
    }
    if (m->invert && found == 0)
        return presence || !text_holds(&m->match, STR(""));
    return m->invert ? good == 0 : good > 0;
}

static bool query_holds(const struct named_matcher *m, struct str query)
{
    size_t at = 0;

    while (at <= query.n) { /* parameter by parameter */
        size_t end = at, equals;

        while (end < query.n && query.p[end] != '&')
            end++;
        for (equals = at; equals < end && query.p[equals] != '=';)
            equals++;
        if (str_eq(str_sub(query, at, equals - at), m->name)) {
            size_t value = equals < end ? equals + 1 : end;

            return text_holds(&m->match, str_sub(query, value, end - value)) != m->invert;
        }
        at = end + 1;
    }
    return m->invert;
}

static bool route_holds(const struct route_match *m, const struct route_request *rq)
{
    struct text_matcher slash = { .how = TEXT_PREFIX, .value = STR("/") };

    if (!text_holds(m->path.how == TEXT_ANY ? &slash : &m->path, rq->path))
        return false;
    if ((m->method && !text_holds(m->method, rq->method)) ||
        (m->scheme && !text_holds(m->scheme, rq->scheme)) ||
        (m->authority && !text_holds(m->authority, rq->authority)))
        return false;
    if (m->port && m->port != rq->port)
        return false;
    for (uint32_t i = 0; i < m->headers.n; i++) {
        if (!header_holds(&m->headers.v[i], rq))
            return false;
    }
    for (uint32_t i = 0; i < m->query.n; i++) {
        if (!query_holds(&m->query.v[i], rq->query))
            return false;
    }
    return true;
}

const struct route *naive_pick(const struct vhost *vhost, const struct route_request *rq)
{
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        if (route_holds(&vhost->routes.v[i].match, rq))
            return &vhost->routes.v[i];
    }
    return NULL;
}
