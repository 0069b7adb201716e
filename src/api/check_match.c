#include "api/check_route.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))

void api_check_pattern(struct api_checker *c, struct api_spot spot, struct str regex)
{
    struct buf why;

    buf_init(&why, 1024);
    if (regex.n == 0)
        api_error(c, spot, "an empty regex matches nothing of use: write one, or remove the field");
    else if (!api_check_regex(regex, &why))
        api_error(c, spot, "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
}

/* 8.1: an empty prefix passes on a uri, and is refused elsewhere. */
static void check_text(struct api_checker *c, const struct api_string_match *m, bool is_uri)
{
    if (!m)
        return;
    if (str_is_set(m->regex))
        api_check_pattern(c, LEAF(m, "regex"), m->regex);
    if (str_is_set(m->prefix) && m->prefix.n == 0 && !is_uri)
        api_error(c, LEAF(m, "prefix"),
                  "an empty prefix is refused: for \"is present\" write {} instead");
    if (is_uri && !str_is_set(m->exact) && !str_is_set(m->prefix) && !str_is_set(m->regex))
        api_warn(c, SPOT(m), "no condition is set, so every path matches");
    if (is_uri && m->exact.n && str_find(m->exact, '?') < m->exact.n)
        api_warn(c, LEAF(m, "exact"), "paths are compared without the query: this never matches");
}

static bool is_claim(struct str name)
{
    return str_starts(name, STR("@request.auth.claims"));
}

static void check_header(struct api_checker *c, const struct api_virtualservice *vs,
                         const struct api_http_match *m, const char *field, struct str name,
                         const struct api_string_match *value)
{
    bool without = field[0] == 'w';
    struct buf why;

    buf_init(&why, 512);
    if (is_claim(name)) {
        bool bound = vs->gateways.n > 0;

        for (size_t i = 0; i < vs->gateways.n; i++)
            bound &= !str_eq(vs->gateways.v[i], STR("mesh"));
        if (!bound)
            api_error(c, KEYED(m, field, name),
                      "claims can be matched at gateways only: name them in spec.gateways");
    } else if (!api_check_header_name(name, &why) && !str_starts(name, STR(":"))) {
        api_error(c, KEYED(m, field, name), "%.*s%s", STRF(buf_str(&why)),
                  str_starts(name, STR("@")) ? ": claims are @request.auth.claims.name" : "");
    }
    buf_fini(&why);
    /* observed.md: regex "*" is presence in withoutHeaders, and refused in headers. */
    if (value && without && str_eq(value->regex, STR("*")))
        return;
    if (value && str_eq(value->regex, STR("*")))
        api_error(c, LEAF(value, "regex"),
                  "\"*\" is no regex: for \"is present\" write {} instead");
    else
        check_text(c, value, false);
}

void api_check_match(struct api_checker *c, const struct api_virtualservice *vs,
                     const struct api_http_match *m)
{
    check_text(c, m->uri, true);
    check_text(c, m->scheme, false);
    check_text(c, m->method, false);
    check_text(c, m->authority, false);
    for (size_t i = 0; i < m->headers.n; i++)
        check_header(c, vs, m, "headers", m->headers.v[i].key, m->headers.v[i].value);
    for (size_t i = 0; i < m->without_headers.n; i++)
        check_header(c, vs, m, "withoutHeaders", m->without_headers.v[i].key,
                     m->without_headers.v[i].value);
    for (size_t i = 0; i < m->query_params.n; i++) {
        if (m->query_params.v[i].key.n == 0)
            api_error(c, KEYED(m, "queryParams", m->query_params.v[i].key),
                      "the parameter's name is empty: write it");
        check_text(c, m->query_params.v[i].value, false);
    }
}

/* A match that holds for every request. */
static bool is_catch_all(const struct api_http_match *m)
{
    if (m->headers.n || m->without_headers.n || m->query_params.n || m->method || m->scheme ||
        m->authority || m->port.v || m->source_labels.n || m->source_namespace.n || m->gateways.n)
        return false;
    return !m->uri || str_eq(m->uri->prefix, STR("/")) || str_eq(m->uri->regex, STR(".*"));
}

/* The same words as the compiler's, which looks at each server: said of one place they are one
 * note. */
static void note_unreached(struct api_checker *c, struct api_spot spot, const char *what,
                           struct api_spot by)
{
    api_note(c->o, c->notes, SEV_WARNING, "LAT0306", spot,
             "is never reached: a %s before it catches every request", what);
    api_note_other(c->notes, c->o, by);
}

/* What stands behind match `k` of rule `at`, which takes everything. */
static void note_behind(struct api_checker *c, const struct api_virtualservice *vs, size_t at,
                        size_t k)
{
    const struct api_http_route *r = &vs->http.v[at];
    struct api_spot by = k < r->match.n ? SPOT(&r->match.v[k]) : SPOT(r);

    for (size_t i = k + 1; i < r->match.n; i++)
        note_unreached(c, SPOT(&r->match.v[i]), "match", by);
    for (size_t i = at + 1; i < vs->http.n; i++)
        note_unreached(c, SPOT(&vs->http.v[i]), "rule", by);
}

/* Rules behind a catch-all are unreachable (istio-api.md 1.4.2). */
static void check_reach(struct api_checker *c, const struct api_virtualservice *vs)
{
    for (size_t i = 0; i < vs->http.n; i++) {
        const struct api_http_route *r = &vs->http.v[i];

        for (size_t k = 0; k < MAX(r->match.n, 1); k++) {
            if (r->match.n && !is_catch_all(&r->match.v[k]))
                continue;
            note_behind(c, vs, i, k);
            return;
        }
    }
}

void api_check_http_routes(struct api_checker *c, const struct api_virtualservice *vs)
{
    for (size_t i = 0; i < vs->http.n; i++) {
        for (size_t k = 0; k < vs->http.v[i].match.n; k++)
            api_check_match(c, vs, &vs->http.v[i].match.v[k]);
        api_check_actions(c, vs, &vs->http.v[i]);
    }
    check_reach(c, vs);
}
