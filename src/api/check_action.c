#include "api/check_route.h"

#include "codec/regex.h"
#include "codec/url.h"
#include "telemetry/flags.h"

#include <ctype.h>

#define SHOW(s) STRF(str_sub(s, 0, 80))
#define S INT64_C(1000000000)

void api_check_percent(struct api_checker *c, const struct api_percent *p)
{
    if (p && (p->value.v < 0 || p->value.v > 100))
        api_error(c, LEAF(p, "value"), "%g is no share: write 0 to 100", p->value.v);
}

static bool is_word_in(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(word, str_of(*words)))
            return true;
    return false;
}

/* The status codes that net/http has names for. */
static bool is_registered_status(struct str word)
{
    static const char *const others[] = { "421", "422", "423", "424", "425", "426", "428",
                                          "429", "431", "451", "510", "511", NULL };
    static const struct {
        uint64_t first, last;
    } ranges[] = { { 100, 103 }, { 200, 208 }, { 226, 226 }, { 300, 305 },
                   { 307, 308 }, { 400, 418 }, { 500, 508 } };
    uint64_t code;

    if (!str_u64(word, &code))
        return false;
    for (size_t i = 0; i < LEN(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return is_word_in(word, others);
}

static void check_retry_on(struct api_checker *c, const struct api_retries *r)
{
    static const char *const words[] = { "5xx",
                                         "gateway-error",
                                         "reset",
                                         "reset-before-request",
                                         "connect-failure",
                                         "retriable-4xx",
                                         "refused-stream",
                                         "retriable-status-codes",
                                         "retriable-headers",
                                         "envoy-ratelimited",
                                         "http3-post-connect-failure",
                                         "cancelled",
                                         "deadline-exceeded",
                                         "internal",
                                         "resource-exhausted",
                                         "unavailable",
                                         NULL };
    struct str rest = r->retry_on;

    while (rest.n) {
        struct str word = str_cut(&rest, ',');

        if (is_word_in(word, words) || is_registered_status(word))
            continue;
        if (is_word_in(str_trim(word), words) || is_registered_status(str_trim(word)))
            api_error(c, LEAF(r, "retryOn"), "a space stands beside \"%.*s\": remove it",
                      SHOW(str_trim(word)));
        else
            api_error(c, LEAF(r, "retryOn"),
                      "\"%.*s\" is no condition: use words such as 5xx, gateway-error, reset, "
                      "connect-failure, retriable-4xx, refused-stream, or status codes, separated "
                      "by commas",
                      SHOW(word));
    }
}

void api_check_retries(struct api_checker *c, const struct api_retries *r)
{
    if (r->attempts.v < 0)
        api_error(c, LEAF(r, "attempts"), "must not be negative: 0 switches retries off");
    if (r->attempts.v == 0 && (r->per_try_timeout.set || r->retry_on.n || r->backoff.set ||
                               r->retry_remote_localities.set))
        api_error(c, r->attempts.set ? LEAF(r, "attempts") : SPOT(r),
                  "attempts is 0, which switches retries off: set it, or remove the other fields");
    check_retry_on(c, r);
}

static void check_delay(struct api_checker *c, const struct api_fault_delay *d)
{
    if (d->exponential_delay.set)
        api_error(c, LEAF(d, "exponentialDelay"), "is not supported: use fixedDelay");
    else if (!d->fixed_delay.set)
        api_error(c, SPOT(d), "fixedDelay is missing: say how long");
    api_check_percent(c, d->percentage);
    if (!d->percentage && !d->percent.set)
        api_warn(c, SPOT(d), "percentage is missing, which means 0: nothing is delayed");
}

static void check_abort(struct api_checker *c, const struct api_fault_abort *a)
{
    if (str_is_set(a->http2_error))
        api_error(c, LEAF(a, "http2Error"), "is not supported: use httpStatus or grpcStatus");
    if (a->http_status.set && (a->http_status.v < 200 || a->http_status.v > 599))
        api_error(c, LEAF(a, "httpStatus"), "%lld is no status to answer with: write 200 to 599",
                  (long long)a->http_status.v);
    if (str_is_set(a->grpc_status) && grpc_status_named(a->grpc_status) == GRPC_STATUS_NONE)
        api_error(c, LEAF(a, "grpcStatus"),
                  "\"%.*s\" is no gRPC status: write its name in capitals, such as UNAVAILABLE",
                  SHOW(a->grpc_status));
    if (!a->http_status.set && !str_is_set(a->grpc_status) && !str_is_set(a->http2_error))
        api_warn(c, SPOT(a), "no status is set: set httpStatus or grpcStatus");
    api_check_percent(c, a->percentage);
    if (!a->percentage)
        api_warn(c, SPOT(a), "percentage is missing, which means 0: nothing is aborted");
}

static void check_fault(struct api_checker *c, const struct api_fault *f)
{
    if (!f->delay && !f->abort)
        api_error(c, SPOT(f), "no fault is described: set delay or abort");
    if (f->delay)
        check_delay(c, f->delay);
    if (f->abort)
        check_abort(c, f->abort);
}

static void check_prefix_rewrite(struct api_checker *c, const struct api_http_route *r)
{
    for (size_t i = 0; i < r->match.n; i++) {
        const struct api_string_match *uri = r->match.v[i].uri;

        if (uri && !str_is_set(uri->prefix)) {
            api_error(c, LEAF(r->redirect, "prefixRewrite"),
                      "needs matches by uri.prefix, but match[%zu] has another: use uri", i);
            return;
        }
    }
}

static void check_redirect(struct api_checker *c, const struct api_http_route *r)
{
    const struct api_redirect *d = r->redirect;
    int64_t code = d->redirect_code.v;

    if (!d->uri.n && !d->prefix_rewrite.n && !d->authority.n && !d->port.set &&
        !d->derive_port.set && !d->scheme.n)
        api_error(c, SPOT(d), "nothing is redirected: set uri, authority, port or scheme");
    if (d->prefix_rewrite.n)
        check_prefix_rewrite(c, r);
    if (code && (code < 300 || code > 399))
        api_error(c, LEAF(d, "redirectCode"), "%lld is no redirect: use 301, 302, 303, 307 or 308",
                  (long long)code);
    else if (code && code != 301 && code != 302 && code != 303 && code != 307 && code != 308)
        api_warn(c, LEAF(d, "redirectCode"),
                 "Istio makes no redirect of %lld: use 301, 302, 303, 307 or 308", (long long)code);
    if (d->scheme.n && !str_eq(d->scheme, STR("http")) && !str_eq(d->scheme, STR("https")))
        api_error(c, LEAF(d, "scheme"), "\"%.*s\" is neither http nor https", SHOW(d->scheme));
}

/* The substitution may name only groups that the regex has. */
static void check_groups(struct api_checker *c, const struct api_regex_rewrite *w)
{
    struct regex *r = regex_new(w->match, NULL);
    struct buf why;

    buf_init(&why, 512);
    if (r && !regex_rewrite_check(r, w->rewrite, &why))
        api_error(c, LEAF(w, "rewrite"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    regex_free(r);
}

/* It stands in the request line as it is. */
static void check_path_text(struct api_checker *c, struct api_spot spot, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= 0x20 || text.p[i] == 0x7f) {
            api_error(c, spot, "holds a space or a control character: write %%20 for a space");
            return;
        }
}

static void check_rewrite(struct api_checker *c, const struct api_rewrite *w)
{
    const struct api_regex_rewrite *regex = w->uri_regex_rewrite;

    if (!w->uri.n && !w->authority.n && !regex)
        api_error(c, SPOT(w), "nothing is rewritten: set uri, authority or uriRegexRewrite");
    check_path_text(c, LEAF(w, "uri"), w->uri);
    if (w->authority.n && !url_authority_is_valid(w->authority))
        api_error(c, LEAF(w, "authority"), "\"%.*s\" is no host with or without a port",
                  SHOW(w->authority));
    if (!regex)
        return;
    check_path_text(c, LEAF(regex, "rewrite"), regex->rewrite);
    if (regex->match.n == 0 || regex->rewrite.n == 0)
        api_error(c, SPOT(regex), "%s is missing: set match and rewrite",
                  regex->match.n == 0 ? "match" : "rewrite");
    if (regex->match.n)
        api_check_pattern(c, LEAF(regex, "match"), regex->match);
    if (regex->match.n && regex->rewrite.n)
        check_groups(c, regex);
}

static void check_cors(struct api_checker *c, const struct api_cors *p)
{
    static const char *const methods[] = { "*",      "GET",     "HEAD",    "POST",  "PUT", "PATCH",
                                           "DELETE", "CONNECT", "OPTIONS", "TRACE", NULL };

    for (size_t i = 0; i < p->allow_methods.n; i++)
        if (!is_word_in(p->allow_methods.v[i], methods))
            api_error(c, ITEM(p, "allowMethods", i), "\"%.*s\" is no method: write it in capitals",
                      SHOW(p->allow_methods.v[i]));
    for (size_t i = 0; i < p->allow_origins.n; i++) {
        const struct api_string_match *m = &p->allow_origins.v[i];

        if (!m->exact.n && !m->prefix.n && !m->regex.n)
            api_error(c, SPOT(m), "the origin is empty: set exact, prefix or regex");
        else if (m->regex.n)
            api_check_pattern(c, LEAF(m, "regex"), m->regex);
        if (!header_value_is_valid(m->exact) || !header_value_is_valid(m->prefix) ||
            !header_value_is_valid(m->regex))
            api_error(c, SPOT(m), "the origin holds a control character: remove it");
    }
    for (size_t i = 0; i < p->allow_origin.n; i++)
        if (!header_value_is_valid(p->allow_origin.v[i]))
            api_error(c, ITEM(p, "allowOrigin", i), "holds a control character: remove it");
    if (p->max_age.set && p->max_age.ns % S)
        api_error(c, LEAF(p, "maxAge"), "must be whole seconds");
}

static void check_direct(struct api_checker *c, const struct api_direct_response *d)
{
    size_t octets = d->body ? MAX(d->body->string.n, d->body->bytes.n) : 0;

    if (d->status.set && (d->status.v < 100 || d->status.v > 600))
        api_error(c, LEAF(d, "status"), "%lld is no status code: write 200 to 599",
                  (long long)d->status.v);
    if (octets > 1024 * 1024)
        api_error(c, SPOT(d->body), "the body has %zu octets, at most 1048576 are allowed", octets);
    else if (octets > 100 * 1024)
        api_warn(c, SPOT(d->body), "the body has %zu octets: large ones cost memory", octets);
}

/* "%NAME%", "%NAME(x)%", "%NAME(x):10%" and "%%"; false: something else stands behind a %. */
static bool is_format(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        size_t start = i + 1;

        if (s.p[i] != '%')
            continue;
        if (start < s.n && s.p[start] == '%') {
            i = start;
            continue;
        }
        for (i = start; i < s.n && (isupper((unsigned char)s.p[i]) || s.p[i] == '_' ||
                                    (i > start && isdigit((unsigned char)s.p[i])));)
            i++;
        if (i == start)
            return false;
        if (i < s.n && s.p[i] == '(') {
            i += str_find(str_from(s, i), ')');
            i += i < s.n;
        }
        if (i < s.n && s.p[i] == ':')
            for (i++; i < s.n && isdigit((unsigned char)s.p[i]);)
                i++;
        if (i >= s.n || s.p[i] != '%')
            return false;
    }
    return true;
}

static void check_value(struct api_checker *c, const struct api_header_ops *ops, const char *field,
                        const struct str_entry *e)
{
    for (size_t i = 0; i < e->value.n; i++)
        if ((unsigned char)e->value.p[i] < 0x20 && e->value.p[i] != '\t') {
            api_error(c, KEYED(ops, field, e->key),
                      "the value holds a control character: remove it");
            return;
        }
    if (!is_format(e->value))
        api_error(c, KEYED(ops, field, e->key),
                  "a %% begins a variable such as %%REQ(x-name)%%: write %%%% for the sign itself");
}

static void check_ops(struct api_checker *c, const struct api_header_ops *ops)
{
    const struct {
        const char *name;
        const struct str_map *map;
    } maps[] = { { "set", &ops->set }, { "add", &ops->add } };
    size_t hosts = 0;

    for (size_t m = 0; m < LEN(maps); m++) {
        for (size_t i = 0; i < maps[m].map->n; i++) {
            const struct str_entry *e = &maps[m].map->v[i];
            bool authority = str_eq(e->key, STR(":authority"));
            bool host = authority || str_eq_nocase(e->key, STR("host"));
            struct buf why;

            buf_init(&why, 256);
            if (!authority && str_starts(e->key, STR(":")))
                api_error(c, KEYED(ops, maps[m].name, e->key),
                          "pseudo headers other than :authority cannot be changed: remove it");
            else if (!authority && !api_check_header_name(e->key, &why))
                api_error(c, KEYED(ops, maps[m].name, e->key), "%.*s", STRF(buf_str(&why)));
            buf_fini(&why);
            if (host && m == 0 && ++hosts > 1)
                api_error(c, KEYED(ops, "set", e->key), "sets the host a second time: remove one");
            check_value(c, ops, maps[m].name, e);
        }
    }
    for (size_t i = 0; i < ops->remove.n; i++) {
        struct buf why;

        buf_init(&why, 256);
        if (!api_check_header_name(ops->remove.v[i], &why))
            api_error(c, ITEM(ops, "remove", i), "%.*s", STRF(buf_str(&why)));
        buf_fini(&why);
    }
}

static void check_headers(struct api_checker *c, const struct api_headers *h)
{
    if (h && h->request)
        check_ops(c, h->request);
    if (h && h->response)
        check_ops(c, h->response);
}

static void check_mirrors(struct api_checker *c, const struct api_http_route *r)
{
    if (r->mirror && r->mirrors.n)
        api_error(c, LEAF(r, "mirrors"), "mirror is set too: move it into mirrors");
    api_check_destination(c, r->mirror);
    api_check_percent(c, r->mirror_percentage);
    if (r->mirror_percent.v > 100)
        api_error(c, LEAF(r, "mirrorPercent"), "%lld is no share: write 0 to 100",
                  (long long)r->mirror_percent.v);
    for (size_t i = 0; i < r->mirrors.n; i++) {
        api_check_destination(c, r->mirrors.v[i].destination);
        api_check_percent(c, r->mirrors.v[i].percentage);
    }
}

static void check_destinations(struct api_checker *c, const struct api_http_route *r)
{
    int64_t total = 0;

    for (size_t i = 0; i < r->route.n; i++) {
        const struct api_http_destination *d = &r->route.v[i];

        api_check_destination(c, d->destination);
        check_headers(c, d->headers);
        if (d->weight.v < 0)
            api_error(c, LEAF(d, "weight"), "must not be negative");
        total += d->weight.v;
    }
    api_check_weights(c, &r->at, r->route.n, total);
}

/* A rule does one thing: route, redirect, answer or delegate. */
static void check_kind(struct api_checker *c, const struct api_virtualservice *vs,
                       const struct api_http_route *r)
{
    int n = (r->route.n > 0) + (r->redirect != NULL) + (r->direct_response != NULL);
    const char *what = r->redirect ? "redirect" : "directResponse";

    if (r->delegate && vs->hosts.n == 0)
        api_error(c, LEAF(r, "delegate"),
                  "a delegate (no hosts) may not delegate further: remove it");
    if (r->delegate && n)
        api_error(c, LEAF(r, "delegate"),
                  "a rule that delegates has no route, redirect or directResponse: remove one");
    else if (n > 1)
        api_error(c, SPOT(r),
                  "only one of route, redirect and directResponse may be set: remove "
                  "the others");
    else if (n == 0 && !r->delegate)
        api_error(c, SPOT(r), "the rule does nothing: set route, redirect or directResponse");
    if (n != 1 || r->route.n)
        return;
    if (r->rewrite)
        api_error(c, LEAF(r, "rewrite"), "has no meaning with %s: remove it", what);
    if (r->fault)
        api_error(c, LEAF(r, "fault"), "has no meaning with %s: remove it", what);
}

void api_check_actions(struct api_checker *c, const struct api_virtualservice *vs,
                       const struct api_http_route *r)
{
    check_kind(c, vs, r);
    check_destinations(c, r);
    check_headers(c, r->headers);
    check_mirrors(c, r);
    if (r->redirect)
        check_redirect(c, r);
    if (r->rewrite)
        check_rewrite(c, r->rewrite);
    if (r->retries)
        api_check_retries(c, r->retries);
    if (r->fault)
        check_fault(c, r->fault);
    if (r->cors_policy)
        check_cors(c, r->cors_policy);
    if (r->direct_response)
        check_direct(c, r->direct_response);
}
