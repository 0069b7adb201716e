/*
 * mesh/rules - one rule of a VirtualService, with one of its matches, as a route.
 *
 * Source: istio-api.md 1.4 (fields, redirects, retries), observed.md (Matches, Redirect).
 */
#include "api/common.h"
#include "api/virtualservice.h"
#include "mesh/overrides.h"
#include "mesh/uses.h"
#include "route/retry.h"

#include <stdlib.h>

/* ---- matches ---- */

static struct text_matcher text_of(struct arena *a, const struct api_string_match *m, bool nocase)
{
    if (str_is_set(m->exact))
        return (struct text_matcher){ .how = TEXT_EXACT,
                                      .nocase = nocase,
                                      .value = arena_dup(a, m->exact) };
    if (str_is_set(m->prefix))
        return (struct text_matcher){ .how = TEXT_PREFIX,
                                      .nocase = nocase,
                                      .value = arena_dup(a, m->prefix) };
    if (str_is_set(m->regex) && !str_eq(m->regex, STR("*")))
        return (struct text_matcher){ .how = TEXT_REGEX, .value = arena_dup(a, m->regex) };
    return (struct text_matcher){ .how = TEXT_PRESENT };
}

static void text_fill(struct arena *a, struct text_matcher *to, const struct api_string_match *m,
                      bool nocase)
{
    if (!m)
        return;
    *to = text_of(a, m, nocase);
    if (to->how == TEXT_PRESENT)
        to->how = TEXT_ANY; /* of what every request has */
}

/* NULL where it says nothing: every request has one. */
static struct text_matcher *text_new(struct arena *a, const struct api_string_match *m)
{
    struct text_matcher made = { 0 }, *kept;

    text_fill(a, &made, m, false);
    if (made.how == TEXT_ANY)
        return NULL;
    kept = ARENA_NEW(a, struct text_matcher);
    *kept = made;
    return kept;
}

static bool is_claim(struct str key)
{
    return str_starts(key, STR("@request.auth."));
}

struct matchers {
    struct named_matcher *v;
    size_t n;
};

static void add_named(struct arena *a, struct matchers *to, struct str name,
                      const struct api_string_match *m, bool invert)
{
    struct named_matcher *nm = &to->v[to->n++];

    nm->name = name;
    nm->invert = invert;
    if (m)
        nm->match = text_of(a, m, false);
    else
        nm->match.how = TEXT_PRESENT;
}

static void match_headers(struct part *p, const struct api_http_match *m, struct route_match *out)
{
    struct matchers list = {
        ARENA_ARRAY(p->arena, struct named_matcher, m->headers.n + m->without_headers.n + 1), 0
    };

    for (size_t i = 0; i < m->headers.n; i++)
        add_named(p->arena, &list, name_lower(p->arena, m->headers.v[i].key), m->headers.v[i].value,
                  false);
    for (size_t i = 0; i < m->without_headers.n; i++)
        if (!is_claim(m->without_headers.v[i].key)) /* without a token it holds */
            add_named(p->arena, &list, name_lower(p->arena, m->without_headers.v[i].key),
                      m->without_headers.v[i].value, true);
    out->headers.v = list.v;
    out->headers.n = (uint32_t)list.n;
}

static void match_query(struct part *p, const struct api_http_match *m, struct route_match *out)
{
    struct matchers list = { ARENA_ARRAY(p->arena, struct named_matcher, m->query_params.n + 1),
                             0 };

    for (size_t i = 0; i < m->query_params.n; i++)
        add_named(p->arena, &list, arena_dup(p->arena, m->query_params.v[i].key),
                  m->query_params.v[i].value, false);
    out->query.v = list.v;
    out->query.n = (uint32_t)list.n;
}

static void match_compile(struct part *p, const struct api_http_match *m, struct route_match *out)
{
    if (!m)
        return;
    text_fill(p->arena, &out->path, m->uri, m->ignore_uri_case.v);
    out->method = text_new(p->arena, m->method);
    out->authority = text_new(p->arena, m->authority);
    out->scheme = text_new(p->arena, m->scheme);
    match_headers(p, m, out);
    match_query(p, m, out);
}

static bool needs_claim(const struct api_http_match *m)
{
    for (size_t i = 0; m && i < m->headers.n; i++)
        if (is_claim(m->headers.v[i].key))
            return true;
    return false;
}

bool rule_can_match(struct compile *c, const struct rule_ref *r)
{
    const struct api_http_match *m = r->match;

    if (!r->http)
        return true;
    if (r->http->delegate) {
        compile_unsupported(c, r->vs, LEAF(r->http, "delegate"),
                            "the rule is left out until delegation is carried out");
        return false;
    }
    for (size_t i = 0; m && i < m->without_headers.n; i++)
        if (is_claim(m->without_headers.v[i].key))
            compile_unsupported(c, r->vs, LEAF(m, "withoutHeaders"),
                                "no token is verified yet, so a condition on claims holds");
    if (!needs_claim(m))
        return true;
    compile_unsupported(c, r->vs, LEAF(m, "headers"),
                        "no token is verified yet, so a match on claims never holds");
    return false;
}

bool rule_is_catch_all(const struct rule_ref *r)
{
    const struct api_http_match *m = r->match;
    bool all;

    if (!m)
        return true;
    all = !m->uri || str_eq(m->uri->prefix, STR("/")) || str_eq(m->uri->regex, STR(".*"));
    return all && !m->headers.n && !m->without_headers.n && !m->query_params.n && !m->method &&
           !m->authority && !m->scheme;
}

static struct route_extras *extras_of(struct part *p, struct route *r)
{
    if (!r->extras)
        r->extras = ARENA_NEW(p->arena, struct route_extras);
    return r->extras;
}

/* ---- retries ---- */

static bool retry_word(struct str word, struct retry_policy *out)
{
    uint64_t status;

    for (size_t i = 0; i < retry_word_count; i++)
        if (str_eq(word, retry_words[i].word)) {
            out->on |= retry_words[i].bit;
            return true;
        }
    if (!str_u64(word, &status) || status > 999)
        return false;
    out->on |= RETRY_STATUSES;
    out->statuses.v[out->statuses.n++] = (uint16_t)status;
    return true;
}

static void retry_on(struct compile *c, struct part *p, const struct api_object *o,
                     const struct api_retries *retries, struct retry_policy *out)
{
    struct str rest = retries->retry_on;

    if (!rest.n) {
        out->on = retry_default.on;
        return;
    }
    ARRAY_COPY(p, out->statuses, rest.n / 4 + 1); /* "503," */
    out->statuses.n = 0;
    while (str_is_set(rest)) {
        struct str word = str_trim(str_cut(&rest, ','));

        if (word.n && !retry_word(word, out))
            compile_unsupported(c, o, LEAF(retries, "retryOn"), "\"%.*s\" is not carried out yet",
                                STRF(word));
    }
}

static void retry_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                          struct route *route)
{
    const struct api_retries *retries = r->http->retries;
    struct retry_policy *out;

    if (!retries && c->config->default_http_retry_policy)
        retries = c->config->default_http_retry_policy;
    if (!retries)
        return;
    out = ARENA_NEW(p->arena, struct retry_policy);
    out->attempts = retries->attempts.v > 0 ? (uint16_t)MIN(retries->attempts.v, 1000) : 0;
    out->idle_race = out->attempts > 0;
    out->base_ms = MAX(duration_ms(&retries->backoff, retry_default.base_ms), 1);
    out->per_try_ms = out->attempts ? duration_ms(&retries->per_try_timeout, 0) : 0;
    out->any_host = retries->retry_ignore_previous_hosts.set &&
                    !retries->retry_ignore_previous_hosts.v;
    if (out->attempts)
        retry_on(c, p, r->vs, retries, out);
    extras_of(p, route)->retry = out;
}

/* ---- destinations ---- */

static void destination_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                                const struct api_http_destination *d, struct destination *out)
{
    struct str name;

    out->cluster = cluster_for(c, r->vs, d->destination, r->port, &name);
    out->cluster_name = arena_dup(p->arena, name);
    out->weight = r->http->route.n == 1 ? 1 : (uint32_t)d->weight.v;
    out->origin = part_origin(p, compile_origin(c, r->vs, SPOT(d)));
    if (d->headers) {
        struct overrides made = overrides_compile(c, p, r, d);

        out->overrides.v = made.v;
        out->overrides.n = made.n;
    }
}

/* ---- rewrites ---- */

static void rewrite_compile(struct part *p, const struct api_rewrite *from, struct route *out)
{
    const struct api_regex_rewrite *regex = from->uri_regex_rewrite;
    struct rewrite *w;

    if (!regex && !str_is_set(from->uri))
        return;
    w = extras_of(p, out)->rewrite = ARENA_NEW(p->arena, struct rewrite);
    w->text = arena_dup(p->arena, regex ? regex->rewrite : from->uri);
    if (regex)
        w->pattern = (struct text_matcher){ .how = TEXT_REGEX,
                                            .value = arena_dup(p->arena, regex->match) };
}

/* ---- mirrors ---- */

static void mirror_add(struct compile *c, struct part *p, const struct rule_ref *r,
                       const struct api_destination *d, uint32_t ppm, struct route_extras *out)
{
    struct mirror *m = &out->mirrors.v[out->mirrors.n];
    struct str name;

    if (!d || !ppm)
        return;
    out->mirrors.n++;
    m->cluster = cluster_for(c, r->vs, d, r->port, &name);
    m->cluster_name = arena_dup(p->arena, name);
    m->ppm = ppm;
    m->origin = part_origin(p, compile_origin(c, r->vs, SPOT(d)));
}

uint32_t rule_mirror_share(const struct api_http_route *http)
{
    if (http->mirror_percentage)
        return percent_ppm(http->mirror_percentage);
    return http->mirror_percent.set ? (uint32_t)http->mirror_percent.v * 10000 : 1000000;
}

static void mirrors_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                            struct route *route)
{
    const struct api_http_route *http = r->http;
    struct route_extras *out = extras_of(p, route);

    ARRAY_COPY(p, out->mirrors, http->mirrors.n + 1);
    out->mirrors.n = 0;
    mirror_add(c, p, r, http->mirror, rule_mirror_share(http), out);
    for (size_t i = 0; i < http->mirrors.n; i++) {
        const struct api_mirror *m = &http->mirrors.v[i];

        mirror_add(c, p, r, m->destination, m->percentage ? percent_ppm(m->percentage) : 1000000,
                   out);
    }
}

static void forward_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                            struct route *out)
{
    const struct api_http_route *http = r->http;

    out->action = ACTION_FORWARD;
    ARRAY_COPY(p, out->destinations, http->route.n);
    out->destinations.n = 0;
    for (size_t i = 0; i < http->route.n; i++) {
        const struct api_http_destination *d = &http->route.v[i];

        if (!d->destination || (http->route.n > 1 && d->weight.v <= 0))
            continue;
        out->destinations.v[out->destinations.n].cluster = SLOT_NONE;
        destination_compile(c, p, r, d, &out->destinations.v[out->destinations.n++]);
    }
    if (http->rewrite)
        rewrite_compile(p, http->rewrite, out);
    if (http->mirror || http->mirrors.n)
        mirrors_compile(c, p, r, out);
    out->timeout_ms = duration_ms(&http->timeout, 0);
    retry_compile(c, p, r, out);
}

/* ---- replies made here ---- */

static void direct_compile(struct part *p, const struct api_direct_response *d, struct route *out)
{
    out->action = ACTION_DIRECT_RESPONSE;
    out->direct = ARENA_NEW(p->arena, struct direct_response);
    out->direct->status = (uint16_t)d->status.v;
    if (d->body)
        out->direct->body = arena_dup(p->arena, str_is_set(d->body->string) ? d->body->string
                                                                            : d->body->bytes);
}

/* A route that says what keeps it from being carried out, rather than doing half of it. */
static void stub_compile(struct part *p, struct str details, struct str why, struct route *out)
{
    out->action = ACTION_DIRECT_RESPONSE;
    out->direct = ARENA_NEW(p->arena, struct direct_response);
    out->direct->status = 500;
    out->direct->body = arena_dup(p->arena, why);
    out->direct->details = arena_dup(p->arena, details);
}

/* It has no last good version: "broken_object{VirtualService/ns/name}". */
static void stub_broken(struct compile *c, struct part *p, const struct api_object *o,
                        struct route *out)
{
    struct str details = arena_printf(c->a, "broken_object{%.*s/%.*s/%.*s}", STRF(o->kind->kind),
                                      STRF(o->meta->namespace), STRF(o->meta->name));

    stub_compile(p, details, arena_printf(c->a, "%.*s is broken\n", STRF(compile_title(c, o))),
                 out);
}

static void redirect_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                             struct route *out)
{
    const struct api_redirect *d = r->http->redirect;
    int64_t code = d->redirect_code.set && d->redirect_code.v ? d->redirect_code.v : 301;

    if (str_is_set(d->prefix_rewrite)) {
        compile_unsupported(c, r->vs, LEAF(d, "prefixRewrite"),
                            "the rule answers 500 until it is carried out");
        stub_compile(p, STR("not_carried_out{redirect.prefixRewrite}"),
                     STR("redirect.prefixRewrite is not carried out yet\n"), out);
        return;
    }
    if (d->derive_port.set && d->derive_port.v == REDIRECT_PORT_FROM_REQUEST_PORT)
        compile_unsupported(c, r->vs, LEAF(d, "derivePort"),
                            "FROM_REQUEST_PORT: the redirect keeps the Host's port");
    out->action = code == 301 || code == 302 || code == 303 || code == 307 || code == 308
                      ? ACTION_REDIRECT
                      : ACTION_NONE;
    out->redirect = ARENA_NEW(p->arena, struct redirect);
    *out->redirect = (struct redirect){
        .scheme = arena_dup(p->arena, d->scheme),
        .authority = arena_dup(p->arena, d->authority),
        .path = d->uri.n && d->uri.p[0] != '/' ? arena_printf(p->arena, "/%.*s", STRF(d->uri))
                                               : arena_dup(p->arena, d->uri),
        .port = d->port.v > 0 ? compile_bound_port(c, (uint16_t)d->port.v) : 0,
        .status = (uint16_t)code,
    };
}

/* ---- the whole ---- */

static struct str route_name(struct arena *a, const struct rule_ref *r)
{
    struct str name = r->http->name, match = r->match ? r->match->name : STR_NONE;

    if (name.n && match.n)
        return arena_printf(a, "%.*s.%.*s", STRF(name), STRF(match));
    return arena_dup(a, name.n ? name : match.n ? match : STR(""));
}

void rule_compile(struct compile *c, struct part *p, const struct rule_ref *r, struct route *out)
{
    const struct api_http_route *http = r->http;
    struct overrides made;

    if (!http) {
        out->name = STR("");
        out->origin = part_origin(p, compile_origin(c, r->vs, SPOT(r->vs->meta)));
        stub_broken(c, p, r->vs, out);
        return;
    }
    uses_rule(c, r);
    out->name = route_name(p->arena, r);
    out->origin = part_origin(p, compile_origin(c, r->vs, r->match ? SPOT(r->match) : SPOT(http)));
    match_compile(p, r->match, &out->match);
    if (http->redirect)
        redirect_compile(c, p, r, out);
    else if (http->direct_response)
        direct_compile(p, http->direct_response, out);
    else
        forward_compile(c, p, r, out);
    made = overrides_compile(c, p, r, NULL);
    out->overrides.v = made.v;
    out->overrides.n = made.n;
}
