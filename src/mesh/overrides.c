#include "mesh/overrides.h"

#include "api/common.h"
#include "api/virtualservice.h"
#include "telemetry/flags.h"

#include <stdlib.h>

#define LINES_MAX (1u << 20) /* octets of one filter's configuration */

static void override_add(struct part *p, struct overrides *out, struct str kind, struct buf *b)
{
    if (b->n)
        out->v[out->n++] = (struct filter_config){ .kind = kind,
                                                   .instance = kind,
                                                   .config = arena_dup(p->arena, buf_str(b)) };
    buf_fini(b);
}

/* ---- header operations ---- */

static bool is_host_header(struct str name)
{
    return str_eq_nocase(name, STR("host")) || str_eq_nocase(name, STR(":authority"));
}

static int compare_key(const void *a, const void *b)
{
    return str_cmp(((const struct str_entry *)a)->key, ((const struct str_entry *)b)->key);
}

/* Lines of filter/headers, in the order of the keys. */
static void header_lines(struct compile *c, const struct api_object *o,
                         const struct api_header_ops *ops, const char *side, const char *verb,
                         struct buf *b)
{
    const struct str_map *map = *verb == 's' ? &ops->set : &ops->add;
    struct str_entry *sorted = ARENA_ARRAY(c->a, struct str_entry, map->n + 1);

    if (map->n)
        memcpy(sorted, map->v, map->n * sizeof(*sorted));
    qsort(sorted, map->n, sizeof(*sorted), compare_key);
    for (size_t i = 0; i < map->n; i++) {
        if (is_host_header(sorted[i].key))
            continue; /* see host_line */
        if (str_find(sorted[i].value, '%') < sorted[i].value.n)
            compile_unsupported(c, o, KEYED(ops, verb, sorted[i].key),
                                "commands between %% signs are not carried out yet");
        else
            buf_printf(b, "%s %s %.*s: %.*s\n", side, verb, STRF(sorted[i].key),
                       STRF(sorted[i].value));
    }
}

static void headers_removed(const struct api_header_ops *ops, const char *side, struct buf *b)
{
    for (size_t i = 0; ops && i < ops->remove.n; i++)
        if (!is_host_header(ops->remove.v[i])) /* Istio passes over it */
            buf_printf(b, "%s remove %.*s\n", side, STRF(ops->remove.v[i]));
}

static void headers_changed(struct compile *c, const struct api_object *o,
                            const struct api_headers *h, struct buf *b)
{
    if (h && h->request) {
        header_lines(c, o, h->request, "request", "set", b);
        header_lines(c, o, h->request, "request", "add", b);
    }
    if (h && h->response) {
        header_lines(c, o, h->response, "response", "set", b);
        header_lines(c, o, h->response, "response", "add", b);
    }
}

static struct str host_in(const struct str_map *map)
{
    for (size_t i = 0; i < map->n; i++)
        if (is_host_header(map->v[i].key))
            return map->v[i].value;
    return STR_NONE;
}

static struct str host_of(const struct api_headers *h)
{
    struct str set = h && h->request ? host_in(&h->request->set) : STR_NONE;

    return str_is_set(set) || !h || !h->request ? set : host_in(&h->request->add);
}

/* The Host that the backend gets: the rule's, which wins. With several destinations a
 * destination's is set first all the same, and x-envoy-original-host names it. */
static void host_lines(const struct api_http_route *http, const struct api_headers *dest,
                       struct buf *b)
{
    struct str of_rule = http->rewrite ? http->rewrite->authority : STR_NONE;
    struct str of_dest = host_of(dest);

    if (!of_rule.n)
        of_rule = host_of(http->headers);
    if (of_dest.n && (http->route.n > 1 || !of_rule.n))
        buf_printf(b, "request host %.*s\n", STRF(of_dest));
    if (of_rule.n)
        buf_printf(b, "request host %.*s\n", STRF(of_rule));
}

/* All removals first, then the rule's operations, then the destination's. */
static void headers_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                            const struct api_headers *dest, struct overrides *out)
{
    const struct api_headers *both[] = { r->http->headers, dest };
    struct buf b;

    buf_init(&b, LINES_MAX);
    for (size_t i = 0; i < LEN(both); i++) {
        headers_removed(both[i] ? both[i]->request : NULL, "request", &b);
        headers_removed(both[i] ? both[i]->response : NULL, "response", &b);
    }
    for (size_t i = 0; i < LEN(both); i++)
        headers_changed(c, r->vs, both[i], &b);
    if (r->http->route.n) /* a redirect names the Host as it came */
        host_lines(r->http, dest, &b);
    override_add(p, out, STR("headers"), &b);
}

/* ---- faults ---- */

static void fault_compile(struct part *p, const struct api_fault *f, struct overrides *out)
{
    const struct api_fault_delay *d = f->delay;
    const struct api_fault_abort *a = f->abort;
    uint32_t delay = !d              ? 0
                     : d->percentage ? percent_ppm(d->percentage)
                                     : (uint32_t)d->percent.v * 10000;
    struct buf b;

    buf_init(&b, LINES_MAX);
    if (delay)
        buf_printf(&b, "delay %u %u\n", delay, duration_ms(&d->fixed_delay, 0));
    if (a && percent_ppm(a->percentage) && str_is_set(a->grpc_status))
        buf_printf(&b, "abort %u grpc %d\n", percent_ppm(a->percentage),
                   grpc_status_named(a->grpc_status));
    else if (a && percent_ppm(a->percentage) && a->http_status.set)
        buf_printf(&b, "abort %u http %u\n", percent_ppm(a->percentage),
                   (unsigned)a->http_status.v);
    override_add(p, out, STR("fault"), &b);
}

/* ---- CORS ---- */

static void cors_origin(const struct api_string_match *m, struct buf *b)
{
    if (str_is_set(m->exact))
        buf_printf(b, "origin exact %.*s\n", STRF(m->exact));
    else if (str_is_set(m->prefix))
        buf_printf(b, "origin prefix %.*s\n", STRF(m->prefix));
    else
        buf_printf(b, "origin regex %.*s\n", STRF(m->regex));
}

static void cors_list(const char *word, const struct str_list *list, struct buf *b)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(b, "%s%.*s%s", i ? "," : word, STRF(list->v[i]), i + 1 < list->n ? "" : "\n");
}

static void cors_compile(struct part *p, const struct api_cors *from, struct overrides *out)
{
    struct buf b;

    buf_init(&b, LINES_MAX);
    if (from->allow_origins.n)
        for (size_t i = 0; i < from->allow_origins.n; i++)
            cors_origin(&from->allow_origins.v[i], &b);
    else
        for (size_t i = 0; i < from->allow_origin.n; i++)
            buf_printf(&b, "origin exact %.*s\n", STRF(from->allow_origin.v[i]));
    cors_list("methods ", &from->allow_methods, &b);
    cors_list("headers ", &from->allow_headers, &b);
    cors_list("expose ", &from->expose_headers, &b);
    if (from->max_age.set)
        buf_printf(&b, "max-age %lld\n", (long long)(from->max_age.ns / 1000000000));
    if (from->allow_credentials.v)
        buf_printf(&b, "credentials\n");
    if (from->unmatched_preflights.v != CORS_PREFLIGHT_IGNORE)
        buf_printf(&b, "forward\n");
    override_add(p, out, STR("cors"), &b);
}

/* ---- the whole ---- */

#define KINDS 3

struct overrides overrides_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                                   const struct api_http_destination *d)
{
    const struct api_rewrite *rewrite = r->http->rewrite;
    bool has_headers = r->http->headers || (d && d->headers) || (rewrite && rewrite->authority.n);
    struct overrides made = { 0 };

    if (!has_headers && !r->http->fault && !r->http->cors_policy)
        return made;
    made.v = ARENA_ARRAY(p->arena, struct filter_config, KINDS);
    if (has_headers)
        headers_compile(c, p, r, d ? d->headers : NULL, &made);
    if (r->http->fault && !d)
        fault_compile(p, r->http->fault, &made);
    if (r->http->cors_policy && !d && r->http->route.n) /* as Istio: not where the rule answers */
        cors_compile(p, r->http->cors_policy, &made);
    return made;
}
