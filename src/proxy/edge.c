/*
 * proxy/edge - what the gateway makes of heads at the edge: the request's by proxy/decide.h,
 * the response's here.
 *
 * Source: Envoy's connection manager with use_remote_address, as Istio configures it for
 * gateways (observed.md Hosts, Paths, Headers; istio-api.md 1.3.4).
 */
#include "proxy/request.h"

#include "lb/lb.h"
#include "tls/peer.h"

/* ---- the request ---- */

static struct decision decision_of(struct request *r)
{
    return (struct decision){
        .root = request_root(r),
        .listener = r->s.listener,
        .head = r->s.request,
        .arena = r->s.arena,
        .rng = r->s.rng,
        .peer = &r->record.downstream_peer,
        .peer_ip = str_make(r->conn->peer_ip, r->conn->peer_ip_n),
        .is_tls = r->conn->is_tls,
        .client_cert = r->record.peer ? r->record.peer->forwarded : STR_NONE,
        .chain = r->s.chain,
        .path = r->s.path,
        .query = r->s.query,
    };
}

void refuse_send(struct request *r, const struct refusal *why)
{
    reply_send(&r->s, why->status, str_of(why->body), why->details, why->flags);
}

/* Dealt before the filters run, so that they see the destination's overrides. */
static const struct destination *destination_of(struct request *r)
{
    const struct route *route = r->s.route;

    if (!route || route->action != ACTION_FORWARD || route->destinations.n == 0)
        return NULL;
    return &route->destinations.v[lb_destination(r->worker->lb, r->s.vhost, route)];
}

static bool take_route(struct request *r, struct decision *d)
{
    bool fine = decide_route(d);

    r->s.chain = d->chain;
    r->s.vhost = d->vhost;
    r->s.route = d->route;
    r->s.destination = destination_of(r);
    r->has_overrides = (d->vhost && d->vhost->overrides.n) || (d->route && d->route->overrides.n) ||
                       (r->s.destination && r->s.destination->overrides.n);
    chain_choose(r);
    if (!fine)
        refuse_send(r, d->refused);
    return fine;
}

bool edge_request(struct request *r)
{
    struct decision d = decision_of(r);
    bool fine = decide_head(&d);

    r->s.path = d.path;
    r->s.query = d.query;
    r->record.downstream_remote = d.client;
    r->record.original_path = d.original_path;
    r->record.path = d.head->path;
    r->record.is_grpc = head_is_grpc(d.head);
    if (!fine) {
        chain_choose(r);
        refuse_send(r, d.refused);
    }
    return fine && take_route(r, &d);
}

bool edge_reroute(struct request *r)
{
    struct decision d = decision_of(r);

    return take_route(r, &d);
}

/* ---- the response ---- */

static bool is_mesh_internal(const struct header *h)
{
    return HEADER_IS_MESH(h->id);
}

void edge_response(struct request *r)
{
    struct headers *h = &r->s.response->headers;
    struct arena *a = r->s.arena;
    const struct http_manager *m = r->s.chain ? &r->s.chain->http : NULL;

    headers_remove_if(h, HEADERS_MARK_MESH, is_mesh_internal);
    if (!headers_find(h, HDR_DATE))
        headers_add_id(h, a, HDR_DATE,
                       arena_dup(a, date_text(&r->worker->date, loop_wall_ms(r->s.loop))))
            ->is_clean = true;
    if (!m)
        headers_set_id(h, a, HDR_SERVER, STR("istio-envoy"));
    else if (m->server_name.n)
        headers_set_id(h, a, HDR_SERVER, m->server_name);
}
