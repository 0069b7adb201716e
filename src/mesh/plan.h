/*
 * mesh/plan - which servers stand on which listener, and which VirtualServices on their hosts.
 *
 * It holds until a Gateway changes, a VirtualService comes, goes or changes its shape (hosts,
 * gateways, exportTo, age, whether it has rules for a server), or the MeshConfig does; until
 * then only pieces are made again whose inputs changed. Everything lies in the plan's arena.
 */
#pragma once

#include "mesh/compile.h"

enum server_class { SERVER_HTTP, SERVER_TLS };

/* A VirtualService; `object` follows it when it is decoded again. */
struct vs_cell {
    uint64_t key;
    const struct api_object *object;
    uint64_t shape, digest; /* of what the plan sees; of all of it, places included */
    enum vs_mark { MARK_NONE, MARK_BOUND, MARK_USED } mark;
};

struct vhost_plan {
    struct str host;                   /* lower case */
    uint64_t hash;                     /* of it */
    const struct server_ref *server;   /* the first that brought it */
    const struct server_ref *redirect; /* the first with httpsRedirect; NULL: none */
    struct vhost_source {
        const struct vs_cell *cell;
        const struct api_object *broken; /* instead: its hosts answer 500 */
        const struct server_ref *server;
    } * used;
    size_t used_n, used_cap;
};

struct routes_plan {
    struct str name;
    uint64_t digest;    /* of the name */
    struct map by_host; /* host -> struct vhost_plan, in the order found */
    struct routes_plan *next;
};

/* A server that takes part in a listener. */
struct placed {
    struct server_ref ref;
    const struct api_gw_server *server;
    struct str *hosts; /* lower case, without namespaces */
    size_t host_count;
    bool is_closed;                /* a mode that is not carried out: handshakes are closed */
    struct str routes, chain;      /* names of the parts; TLS */
    const struct memo *chain_memo; /* TLS */
};

struct listener_plan {
    struct addr bind;
    struct str bind_text; /* as the Gateway says; or empty */
    uint16_t port, manifest_port;
    enum server_class class;
    struct placed *v;
    size_t n, cap;
    struct map snis; /* host -> struct placed's Gateway */
    bool opens;      /* somebody is served on it */
    struct str name; /* of the part */
    struct origin origin;
};

/* A port that the program was asked for, and what it said. */
struct asked_port {
    struct addr bind;
    uint16_t manifest, bound;
};

struct plan {
    struct arena *arena;
    uint64_t config, broken; /* digests of the MeshConfig, of broken VirtualServices */
    struct listener_plan **listeners;
    size_t n, cap;
    struct asked_port *asked;
    size_t asked_n, asked_cap;
    struct routes_plan *routes;
    struct notes notes;
    size_t unsupported, gateways, virtual_services;
    int64_t expires_ms; /* something is to be said about a certificate then; 0: never */
};

void plan_free(struct plan *p); /* takes NULL */
input_key plan_port_key(uint16_t manifest);
uint16_t plan_bound_port(const struct plan *p, uint16_t manifest);
/* All ports are asked for: touches who has read another answer. */
void plan_ports_known(struct compile *c);
size_t plan_listeners(const struct plan *p); /* that are open */
/* The plan as it is, with the pieces made again whose inputs changed; or another. */
void plan_update(struct compile *c);

/* ---- cells.c ---- */
/* Cells of VirtualServices by their address take up what changed. False: the plan sees it. */
MUST_USE bool cells_follow(struct compile *c);
void cells_unmark(const struct map *cells);
void cells_free(struct map *cells);
struct vs_cell *cell_of(const struct mesh *m, const struct api_object *vs);
uint64_t cells_broken(const struct store *s); /* digest of VirtualServices that never were good */

/* ---- credentials.c ---- */
struct credentials {
    struct mesh_credential *v; /* without hosts */
    size_t n, cap;
    slot_id *slots;
    size_t slot_n, slot_cap;
};

/* ---- gateways.c ---- */
struct memo;
/* Places the servers of all Gateways, makes listeners, chains and routes. */
void gateways_plan(struct compile *c);

/* ---- vhosts.c ---- */
/* A list of gateways of `vs`. */
bool gateway_is_named(struct compile *c, const struct str_list *list, const struct api_object *vs,
                      const struct api_object *gw);
struct rules {
    struct rule_ref *v;
    size_t n, cap;
};
/* Adds the rules of a VirtualService for a server, up to its first catch-all. */
void rules_of(struct compile *c, const struct api_object *o, const struct server_ref *s,
              struct rules *to);
const struct api_object *source_of(const struct vhost_source *u);
/* A part without rules, to be filled. */
struct vhost *vhost_new(struct compile *c, const struct routes_plan *plan, struct str host,
                        uint16_t port, const struct server_ref *s);
/* A virtual host: one piece. */
slot_id vhost_compile(struct compile *c, struct routes_plan *plan, struct vhost_plan *p);
