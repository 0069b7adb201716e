#include "proxy/redirect.h"

#include "codec/url.h"
#include "proxy/request.h"

/* The port to print, with its colon, or nothing. */
static struct str port_text(struct arena *a, const struct redirect *to, struct str scheme,
                            struct str old_port)
{
    bool is_https = str_eq(scheme, STR("https"));

    if (to->https_redirect && to->port == 0)
        return old_port;
    if (to->port)
        return to->port == (is_https ? 443 : 80) && !str_is_set(to->scheme)
                   ? STR_NONE
                   : arena_printf(a, ":%u", to->port);
    if (str_is_set(to->scheme) && ((is_https && str_eq(old_port, STR(":80"))) ||
                                   (!is_https && str_eq(old_port, STR(":443")))))
        return STR_NONE;
    return old_port;
}

struct str redirect_location(const struct redirect *to, const struct head *head, struct str query,
                             struct arena *a)
{
    struct str scheme = str_is_set(to->scheme) ? to->scheme : head->scheme;
    struct str host = url_host_of(head->authority);
    struct str port = str_from(head->authority, host.n);
    struct str path = head->path;

    if (str_is_set(to->authority)) {
        host = to->authority;
        port = STR_NONE;
    }
    port = port_text(a, to, scheme, port);
    if (str_is_set(to->path)) {
        bool own_query = str_find(to->path, '?') < to->path.n;

        path = str_is_set(query) && !own_query
                   ? arena_printf(a, "%.*s?%.*s", STRF(to->path), STRF(query))
                   : to->path;
    }
    return arena_printf(a, "%.*s://%.*s%.*s%.*s", STRF(scheme), STRF(host), STRF(port), STRF(path));
}

/* The request's own address: what Envoy names in a direct response that needs a place. */
static struct str here(struct request *r)
{
    const struct head *head = r->s.request;

    return arena_printf(r->s.arena, "%.*s://%.*s%.*s", STRF(head->scheme), STRF(head->authority),
                        STRF(head->path));
}

void redirect_answer(struct request *r)
{
    const struct route *route = r->s.route;
    struct headers extra = { 0 };

    if (route->action == ACTION_DIRECT_RESPONSE) {
        uint16_t status = route->direct->status;
        struct str details = route->direct->details;

        if (status == 201 || status / 100 == 3)
            headers_add_id(&extra, r->s.arena, HDR_LOCATION, here(r));
        reply_with(r, status, route->direct->body,
                   details.n ? arena_dup(r->s.arena, details).p : "direct_response", 0, &extra);
        return;
    }
    headers_add_id(&extra, r->s.arena, HDR_LOCATION,
                   redirect_location(route->redirect, r->s.request, r->s.query, r->s.arena));
    reply_with(r, route->redirect->status, STR_NONE, "direct_response", 0, &extra);
}
