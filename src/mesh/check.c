#include "mesh/check.h"

#include "api/virtualservice.h"
#include "codec/header.h"
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

/* ---- header operations, as the filter and the wire take them ---- */

static void check_header(struct api_object *o, const struct api_header_ops *ops, const char *field,
                         const struct str_entry *e, struct notes *notes)
{
    const char *wrong = !header_name_is_valid(e->key)      ? "this is no name of a header"
                        : !header_value_is_valid(e->value) ? "this cannot stand in a header"
                                                           : NULL;

    if (!wrong || (e->key.n && e->key.p[0] == ':'))
        return; /* pseudo headers are judged by api/ */
    api_note(o, notes, SEV_ERROR, "LAT0310", KEYED(ops, field, e->key), "%s", wrong);
    o->broken = true;
}

static void check_ops(struct api_object *o, const struct api_header_ops *ops, struct notes *notes)
{
    for (size_t i = 0; ops && i < ops->set.n; i++)
        check_header(o, ops, "set", &ops->set.v[i], notes);
    for (size_t i = 0; ops && i < ops->add.n; i++)
        check_header(o, ops, "add", &ops->add.v[i], notes);
    for (size_t i = 0; ops && i < ops->remove.n; i++)
        if (!header_name_is_valid(ops->remove.v[i])) {
            api_note(o, notes, SEV_ERROR, "LAT0310", ITEM(ops, "remove", i),
                     "this is no name of a header");
            o->broken = true;
        }
}

static void check_headers(struct api_object *o, const struct api_headers *h, struct notes *notes)
{
    if (!h)
        return;
    check_ops(o, h->request, notes);
    check_ops(o, h->response, notes);
}

/* Istio lets it pass, and then Envoy refuses everything on the port (observed.md). */
static void check_status(struct api_object *o, const struct api_direct_response *d,
                         struct notes *notes)
{
    if (!d || (d->status.v >= 200 && d->status.v < 600))
        return;
    api_note(o, notes, SEV_ERROR, "LAT0310", LEAF(d, "status"),
             "no answer can have this status: write 200 to 599");
    o->broken = true;
}

static void check_rule(struct api_object *o, const struct api_http_route *http, struct notes *notes)
{
    for (size_t i = 0; i < http->match.n; i++)
        check_match(o, &http->match.v[i], notes);
    check_headers(o, http->headers, notes);
    check_status(o, http->direct_response, notes);
    for (size_t i = 0; i < http->route.n; i++)
        check_headers(o, http->route.v[i].headers, notes);
}

void check_object(struct api_object *o, struct notes *notes)
{
    const struct api_virtualservice *vs = o->body;

    if (o->broken || !str_eq(o->kind->kind, STR("VirtualService")))
        return;
    for (size_t i = 0; i < vs->http.n; i++)
        check_rule(o, &vs->http.v[i], notes);
}
