#include "answer/explain.h"

#include "model/origins.h"
#include "route/route.h"

#define TEXT_MAX 4096

void explain_add(struct explanation *x, struct explain_list *to, const struct part *p, origin_id at,
                 struct explain_step step)
{
    step.origin = p ? origin_of(x, p, at) : NULL;
    to->v = arena_grow(x->arena, to->v, to->n, &to->cap, sizeof(*to->v));
    to->v[to->n++] = step;
}

const struct origin *origin_of(struct explanation *x, const struct part *p, origin_id at)
{
    struct origin *o;

    if (at >= p->origin_count)
        return NULL;
    o = ARENA_NEW(x->arena, struct origin);
    *o = part_origin_get(p, at, x->arena);
    return o;
}

static struct str take(struct buf *b, struct arena *a)
{
    struct str text = arena_dup(a, buf_str(b));

    buf_fini(b);
    return text;
}

struct str words_listener(const struct listener *l, struct arena *a)
{
    char room[ADDR_TEXT_MAX];
    struct addr at = l->bind;
    struct buf b;

    buf_init(&b, TEXT_MAX);
    at.port = l->port;
    if (addr_is_set(&at))
        buf_add(&b, addr_format(&at, room));
    else
        buf_printf(&b, "*:%u", l->port);
    if (l->port != l->manifest_port)
        buf_printf(&b, " for port %u", l->manifest_port);
    buf_add(&b, l->is_tls ? STR(", TLS") : STR(", clear text"));
    return take(&b, a);
}

/* ---- matches ---- */

static void add_matcher(struct buf *b, const char *what, struct str name,
                        const struct text_matcher *m, bool invert)
{
    static const char *const verbs[] = {
        [TEXT_EXACT] = "", [TEXT_PREFIX] = " prefix", [TEXT_REGEX] = " regex"
    };

    if (b->n)
        buf_add(b, STR(", "));
    buf_printf(b, "%s%s%s%.*s", invert ? "no " : "", what, name.n ? " " : "", STRF(name));
    if (m->how == TEXT_ANY || m->how == TEXT_PRESENT)
        return;
    buf_printf(b, "%s \"%.*s\"%s", verbs[m->how], STRF(m->value), m->nocase ? " in any case" : "");
}

struct str words_match(const struct route_match *m, struct arena *a)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    if (m->path.how != TEXT_ANY)
        add_matcher(&b, "path", STR_NONE, &m->path, false);
    if (m->method)
        add_matcher(&b, "method", STR_NONE, m->method, false);
    if (m->scheme)
        add_matcher(&b, "scheme", STR_NONE, m->scheme, false);
    if (m->authority)
        add_matcher(&b, "authority", STR_NONE, m->authority, false);
    for (uint32_t i = 0; i < m->headers.n; i++)
        add_matcher(&b, "header", m->headers.v[i].name, &m->headers.v[i].match,
                    m->headers.v[i].invert);
    for (uint32_t i = 0; i < m->query.n; i++)
        add_matcher(&b, "query", m->query.v[i].name, &m->query.v[i].match, m->query.v[i].invert);
    if (m->port)
        buf_printf(&b, "%sport %u", b.n ? ", " : "", m->port);
    if (!b.n)
        buf_add(&b, STR("every request"));
    return take(&b, a);
}

/* ---- misses ---- */

static const char *const lacks[] = {
    [TEXT_EXACT] = "is not",
    [TEXT_PREFIX] = "does not begin with",
    [TEXT_REGEX] = "does not match the regex",
};
static const char *const holds[] = {
    [TEXT_EXACT] = "is",
    [TEXT_PREFIX] = "begins with",
    [TEXT_REGEX] = "matches the regex",
};

static struct str plain_miss(struct arena *a, const char *what, struct str value,
                             const struct text_matcher *m)
{
    return arena_printf(a, "the %s \"%.*s\" %s \"%.*s\"", what, STRF(value), lacks[m->how],
                        STRF(m->value));
}

static struct str named_miss(struct arena *a, const char *what, const struct named_matcher *m,
                             struct str value)
{
    bool any = m->match.how == TEXT_ANY || m->match.how == TEXT_PRESENT;

    if (!str_is_set(value) && m->invert)
        return arena_printf(a, "there is no %s \"%.*s\", which counts as an empty one", what,
                            STRF(m->name));
    if (!str_is_set(value))
        return arena_printf(a, "there is no %s \"%.*s\"", what, STRF(m->name));
    if (any)
        return arena_printf(a, "there is a %s \"%.*s\"", what, STRF(m->name));
    return arena_printf(a, "the %s \"%.*s\" is \"%.*s\": it %s \"%.*s\"", what, STRF(m->name),
                        STRF(value), m->invert ? holds[m->match.how] : lacks[m->match.how],
                        STRF(m->match.value));
}

static struct str header_value(const struct route_request *rq, struct str name)
{
    struct header_values values;
    struct str value = STR_NONE;

    header_values_init(&values, rq, name);
    return header_values_next(&values, &value) ? value : STR_NONE;
}

struct str words_miss(const struct explanation *x, const struct route_match *m,
                      struct route_miss miss, struct str *ret_field)
{
    struct arena *a = x->arena;
    const struct named_matcher *named;
    struct route_request rq;

    decide_request(&x->decision, &rq);
    switch (miss.what) {
    case ROUTE_PATH:
        *ret_field = STR(".uri");
        return plain_miss(a, "path", rq.path, &m->path);
    case ROUTE_PORT:
        *ret_field = STR(".port");
        return arena_printf(a, "it is for port %u, this is %u", m->port, rq.port);
    case ROUTE_METHOD:
        *ret_field = STR(".method");
        return plain_miss(a, "method", rq.method, m->method);
    case ROUTE_SCHEME:
        *ret_field = STR(".scheme");
        return plain_miss(a, "scheme", rq.scheme, m->scheme);
    case ROUTE_AUTHORITY:
        *ret_field = STR(".authority");
        return plain_miss(a, "authority", rq.authority, m->authority);
    case ROUTE_HEADER:
        named = &m->headers.v[miss.at];
        *ret_field = arena_printf(a, "%s.%.*s", named->invert ? ".withoutHeaders" : ".headers",
                                  STRF(named->name));
        return named_miss(a, "header", named, header_value(&rq, named->name));
    case ROUTE_QUERY:
        named = &m->query.v[miss.at];
        *ret_field = arena_printf(a, ".queryParams.%.*s", STRF(named->name));
        return named_miss(a, "query parameter", named, request_query_value(&rq, named->name));
    case ROUTE_HOLDS:
        break;
    }
    return STR("it holds");
}

/* ---- clusters ---- */

bool cluster_split(struct str name, struct cluster_words *ret)
{
    struct str rest = name;
    struct str first = str_cut(&rest, '|');

    if (!str_eq(first, STR("outbound")) || !str_is_set(rest))
        return false;
    ret->port = str_cut(&rest, '|');
    ret->subset = str_cut(&rest, '|');
    ret->host = rest;
    return str_is_set(rest);
}

struct str words_cluster(struct str name, struct arena *a)
{
    struct cluster_words w;

    if (!cluster_split(name, &w))
        return name;
    return arena_printf(a, "%.*s port %.*s%s%.*s", STRF(w.host), STRF(w.port),
                        w.subset.n ? ", subset " : "", STRF(w.subset));
}
