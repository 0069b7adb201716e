/*
 * proxy/admin_dump_routes - a route configuration as Envoy's resource, a route a step.
 */
#include "proxy/admin_dump_int.h"

#include "base/jsontext.h"
#include "route/retry.h"

/* ---- what a route matches ---- */

/* A path's exact match is a "path", a value's is "exact". */
static void text_match(struct buf *b, const struct text_matcher *m, const char *exact)
{
    switch (m->how) {
    case TEXT_EXACT:
        json_add_pair(b, exact, m->value);
        break;
    case TEXT_REGEX:
        buf_add(b, STR("\"safe_regex\":{"));
        json_add_pair(b, "regex", m->value);
        buf_addc(b, '}');
        break;
    default:
        json_add_pair(b, "prefix", m->how == TEXT_PREFIX ? m->value : STR("/"));
    }
}

/* An item of a list of matchers; `first` is the list's. */
static void named_match(struct buf *b, bool *first, struct str name, const struct text_matcher *m,
                        bool invert)
{
    buf_add(b, *first ? STR("{") : STR(",{"));
    *first = false;
    json_add_pair(b, "name", name);
    if (m->how == TEXT_PRESENT || m->how == TEXT_ANY) {
        buf_add(b, STR(",\"present_match\":true"));
    } else {
        buf_add(b, STR(",\"string_match\":{"));
        text_match(b, m, "exact");
        buf_add(b, m->nocase ? STR(",\"ignore_case\":true}") : STR("}"));
    }
    if (invert)
        buf_add(b, STR(",\"invert_match\":true"));
    buf_addc(b, '}');
}

static void header_matches(struct buf *b, const struct route_match *m)
{
    bool first = true;

    buf_add(b, STR(",\"headers\":["));
    if (m->method)
        named_match(b, &first, STR(":method"), m->method, false);
    if (m->authority)
        named_match(b, &first, STR(":authority"), m->authority, false);
    if (m->scheme)
        named_match(b, &first, STR(":scheme"), m->scheme, false);
    for (uint32_t i = 0; i < m->headers.n; i++)
        named_match(b, &first, m->headers.v[i].name, &m->headers.v[i].match,
                    m->headers.v[i].invert);
    buf_addc(b, ']');
}

static void route_match(struct buf *b, const struct route_match *m)
{
    bool first = true;

    buf_add(b, STR("\"match\":{"));
    text_match(b, &m->path, "path");
    if (m->path.nocase)
        buf_add(b, STR(",\"case_sensitive\":false"));
    if (m->method || m->authority || m->scheme || m->headers.n)
        header_matches(b, m);
    if (m->query.n) {
        buf_add(b, STR(",\"query_parameters\":["));
        for (uint32_t i = 0; i < m->query.n; i++)
            named_match(b, &first, m->query.v[i].name, &m->query.v[i].match, false);
        buf_addc(b, ']');
    }
    buf_addc(b, '}');
}

/* ---- what it does ---- */

static void retries(struct buf *b, const struct retry_policy *r)
{
    bool first = true;

    if (!r->attempts)
        return;
    buf_add(b, STR(",\"retry_policy\":{\"retry_on\":\""));
    for (size_t i = 0; i < retry_word_count; i++) {
        if (!(r->on & retry_words[i].bit))
            continue;
        buf_printf(b, "%s%.*s", first ? "" : ",", STRF(retry_words[i].word));
        first = false;
    }
    buf_printf(b, "\",\"num_retries\":%u", r->attempts);
    if (r->per_try_ms) /* 0: as long as the route */
        dump_duration(b, "per_try_timeout", r->per_try_ms);
    for (uint32_t i = 0; i < r->statuses.n; i++)
        buf_printf(b, "%s%u%s", i ? "," : ",\"retriable_status_codes\":[", r->statuses.v[i],
                   i + 1 < r->statuses.n ? "" : "]");
    buf_addc(b, '}');
}

static void destinations(struct buf *b, const struct route *r)
{
    if (r->destinations.n == 1) {
        json_add_pair(b, "cluster", r->destinations.v[0].cluster_name);
        return;
    }
    buf_add(b, STR("\"weighted_clusters\":{\"clusters\":["));
    for (uint32_t i = 0; i < r->destinations.n; i++) {
        buf_add(b, i ? STR(",{") : STR("{"));
        json_add_pair(b, "name", r->destinations.v[i].cluster_name);
        buf_printf(b, ",\"weight\":%u}", r->destinations.v[i].weight);
    }
    buf_add(b, STR("]}"));
}

static void rewrite(struct buf *b, const struct rewrite *w)
{
    if (w->pattern.how != TEXT_REGEX) {
        json_add_more(b, "prefix_rewrite", w->text);
        return;
    }
    buf_add(b, STR(",\"regex_rewrite\":{\"pattern\":{"));
    json_add_pair(b, "regex", w->pattern.value);
    buf_addc(b, '}');
    json_add_more(b, "substitution", w->text);
    buf_addc(b, '}');
}

static void mirrors(struct buf *b, const struct route_extras *x)
{
    if (!x->mirrors.n)
        return;
    buf_add(b, STR(",\"request_mirror_policies\":["));
    for (uint32_t i = 0; i < x->mirrors.n; i++) {
        buf_add(b, i ? STR(",{") : STR("{"));
        json_add_pair(b, "cluster", x->mirrors.v[i].cluster_name);
        buf_printf(b,
                   ",\"runtime_fraction\":{\"default_value\":{\"numerator\":%u,"
                   "\"denominator\":\"MILLION\"}}}",
                   x->mirrors.v[i].ppm);
    }
    buf_addc(b, ']');
}

static void redirect(struct buf *b, const struct redirect *r)
{
    buf_printf(b, ",\"redirect\":{\"response_code\":\"%u\"", r->status);
    if (r->https_redirect)
        buf_add(b, STR(",\"https_redirect\":true"));
    if (r->scheme.n)
        json_add_more(b, "scheme_redirect", r->scheme);
    if (r->authority.n)
        json_add_more(b, "host_redirect", r->authority);
    if (r->path.n)
        json_add_more(b, "path_redirect", r->path);
    if (r->port)
        buf_printf(b, ",\"port_redirect\":%u", r->port);
    buf_addc(b, '}');
}

static void direct_response(struct buf *b, const struct direct_response *d)
{
    buf_printf(b, ",\"direct_response\":{\"status\":%u", d->status);
    if (d->body.n) {
        buf_add(b, STR(",\"body\":{"));
        json_add_pair(b, "inline_string", d->body);
        buf_addc(b, '}');
    }
    buf_addc(b, '}');
}

static void route_json(struct admin_walk *w, struct buf *b, const struct vhost *v,
                       const struct route *r)
{
    const struct route_place at = route_place(w->root, v, r);

    buf_addc(b, '{');
    route_match(b, &r->match);
    if (r->action == ACTION_FORWARD) {
        buf_add(b, STR(",\"route\":{"));
        destinations(b, r);
        if (r->extras && r->extras->rewrite)
            rewrite(b, r->extras->rewrite);
        if (r->extras)
            mirrors(b, r->extras);
        dump_duration(b, "timeout", r->timeout_ms);
        retries(b, retry_of(r));
        buf_addc(b, '}');
    } else if (r->redirect) {
        redirect(b, r->redirect);
    } else if (r->direct) {
        direct_response(b, r->direct);
    }
    dump_origin(w, b, at.part, at.origin);
    if (r->name.n)
        json_add_more(b, "name", r->name);
    buf_addc(b, '}');
}

/* ---- virtual hosts ---- */

static void vhost_begin(struct buf *b, const struct domain *d, const struct vhost *v)
{
    buf_addc(b, '{');
    json_add_pair(b, "name", v ? v->label : STR(""));
    buf_add(b, STR(",\"domains\":["));
    json_add_string(b, d->name);
    buf_add(b, STR("],\"routes\":[\n"));
}

/* The domain at hand: its beginning where `leaf` is 0, else the route before `leaf`. */
static void vhost_step(struct admin_walk *w, struct buf *b, const struct domain *d)
{
    const struct vhost *v = root_vhost(w->root, d->vhost);
    uint32_t n = v ? v->routes.n : 0;

    if (w->leaf == 0) {
        vhost_begin(b, d, v);
    } else {
        if (w->leaf > 1)
            buf_add(b, STR(",\n"));
        route_json(w, b, v, &v->routes.v[w->leaf - 1]);
    }
    if (w->leaf++ < n)
        return;
    buf_add(b, STR("],\"include_request_attempt_count\":true}"));
    w->sub++;
    w->domain.at++;
    w->leaf = 0;
}

bool dump_routes(struct admin_walk *w, struct buf *b, const struct part *p)
{
    const struct routes *r = (const void *)p;

    const struct domain *d;

    if (w->sub == 0 && w->leaf == 0) {
        w->domain = (struct domain_cursor){ 0 };
        dump_begin(b, "envoy.config.route.v3.RouteConfiguration");
        json_add_more(b, "name", p->name);
        buf_add(b, STR(",\"virtual_hosts\":["));
    }
    d = route_domain(w->root, r, &w->domain);
    if (d) {
        if (w->sub > 0 && w->leaf == 0)
            buf_add(b, STR(",\n"));
        vhost_step(w, b, d);
        return false;
    }
    buf_add(b, STR("],\"validate_clusters\":false,\"ignore_port_in_host_matching\":true"));
    dump_origin(w, b, p, 0);
    buf_addc(b, '}');
    return true;
}
