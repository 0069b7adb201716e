#include "mesh/check.h"

#include "api/virtualservice.h"
#include "codec/regex.h"

static void check_regex(struct api_object *o, const struct api_string_match *m, struct notes *notes)
{
    struct buf why;
    struct regex *r;

    if (!m || !str_is_set(m->regex) || str_eq(m->regex, STR("*")))
        return;
    buf_init(&why, 512);
    r = regex_new(m->regex, &why);
    if (!r) {
        api_note(o, notes, SEV_ERROR, "LAT0309", LEAF(m, "regex"), "%.*s", STRF(buf_str(&why)));
        o->broken = true;
    }
    regex_free(r);
    buf_fini(&why);
}

static void check_match(struct api_object *o, const struct api_http_match *m, struct notes *notes)
{
    check_regex(o, m->uri, notes);
    check_regex(o, m->scheme, notes);
    check_regex(o, m->method, notes);
    check_regex(o, m->authority, notes);
    for (size_t i = 0; i < m->headers.n; i++)
        check_regex(o, m->headers.v[i].value, notes);
    for (size_t i = 0; i < m->without_headers.n; i++)
        check_regex(o, m->without_headers.v[i].value, notes);
    for (size_t i = 0; i < m->query_params.n; i++)
        check_regex(o, m->query_params.v[i].value, notes);
}

void check_object(struct api_object *o, struct notes *notes)
{
    const struct api_virtualservice *vs = o->body;

    if (o->broken || !str_eq(o->kind->kind, STR("VirtualService")))
        return;
    for (size_t i = 0; i < vs->http.n; i++)
        for (size_t k = 0; k < vs->http.v[i].match.n; k++)
            check_match(o, &vs->http.v[i].match.v[k], notes);
}
