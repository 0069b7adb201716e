/*
 * proxy/decide - what happens to one request, from a snapshot and its head alone: the one
 * normal form of heads at the edge, then filter chain, virtual host and route.
 *
 * No socket, no clock, no worker: the request path and `lateen explain` call the same
 * functions, so that they cannot differ. Source: Envoy's connection manager with
 * use_remote_address, as Istio configures it for gateways (observed.md Hosts, Paths,
 * Headers; istio-api.md 1.3.4); design 7 for 421.
 */
#pragma once

#include "http/stream.h"
#include "telemetry/record.h"

/* An answer from here. */
struct refusal {
    uint16_t status;
    uint32_t flags;      /* enum response_flag */
    const char *details; /* response code details */
    const char *body;    /* "" for none */
    const char *text;    /* for people: what went wrong, a phrase */
};

extern const struct refusal refused_no_chain, refused_scheme, refused_path, refused_upgrade,
    refused_websocket, refused_misdirected, refused_no_route, refused_no_cluster,
    refused_no_endpoint;

struct decision {
    /* given; borrowed */
    const struct root *root;
    const struct listener *listener; /* NULL: removed while the connection was open */
    struct head *head;               /* is changed */
    struct arena *arena;             /* of the head */
    struct rng *rng;
    const struct addr *peer; /* the other side of the connection */
    struct str peer_ip;      /* as text; lives as long as the arena */
    bool is_tls;
    struct str client_cert; /* the certificate that it showed, as a header tells of it; or empty */

    /* given as SNI chose it (NULL: removed), found as it serves */
    const struct chain *chain;

    /* found */
    struct str path, query;      /* normalised */
    struct str original_path;    /* where it differs */
    struct addr client;          /* by the rules of x-forwarded-for */
    struct str host;             /* lower case, without port */
    const struct chain *by_host; /* TLS: the chain that this name as SNI would choose */
    const struct routes *routes;
    const struct vhost *vhost;
    const struct route *route;
    const struct refusal *refused;
};

/* The chain that serves a name on a listener: exact, then the longest "*.suffix", then "*"
 * or a chain without names. `sni` is lower case; STR_NONE matches only the last kind. */
const struct chain *chain_by_name(const struct root *root, const struct listener *l,
                                  struct str sni);

/* The chain of a new connection: with TLS by SNI, else the only one. */
const struct chain *decide_chain(const struct root *root, const struct listener *l, struct str sni);

/* Whether a client that passed one's handshake has passed the other's. */
bool chain_asks_the_same(const struct chain *a, const struct chain *b);

/* Brings the head into the one form that routing, filters and the backend see, and makes it
 * the gateway's own. False: refused. */
MUST_USE bool decide_head(struct decision *d);

/* Chooses virtual host and route; none is no refusal yet, filters come first. False: refused. */
MUST_USE bool decide_route(struct decision *d);
/* What a route look-up that decide_route has made looked at. */
struct route_request;
void decide_request(const struct decision *d, struct route_request *ret);

/* What the router says of the route: NULL: it may be carried out. */
const struct refusal *decide_action(const struct route *route);
