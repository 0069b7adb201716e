/*
 * mesh/plan - which servers stand on which listener, and which VirtualServices on their hosts.
 *
 * It is changed in place, and a change costs what it touches: an object that comes, goes or
 * looks another way is taken out (bindings.h) and put in again; the virtual hosts, tables and
 * notes that this concerns are marked and made again at the end. Only a changed MeshConfig (and
 * with --dev a changed Secret or Certificate) lets it begin anew, with everything as if it came.
 * All Gateways together are placed on ports again when one of them changes (gateways.c): who
 * comes first takes a port's class and a name, so one may free or take what others want.
 */
#pragma once

#include "mesh/compile.h"

enum server_class { SERVER_HTTP, SERVER_TLS };

struct memo;
struct server_plan;
struct table_plan;

/* ---- VirtualServices (cells.c) ---- */

/* A VirtualService, or one that never was good; `object` follows it when it is decoded again. */
struct vs_cell {
    uint64_t key;
    const struct api_object *object;
    bool is_broken;         /* its hosts answer 500 */
    size_t turn;            /* among the broken, in path order */
    uint64_t shape, digest; /* of what bindings see; of all of it, places included */
    size_t bound;           /* its bindings */
    bool is_used;           /* as it was counted last */
    struct list bindings;
    struct list pending, unsaid; /* to be bound; to be spoken of again */
    struct reader hosts;         /* in cells_by_host */
    bool seen;                   /* of the broken */
};

/* ---- bindings of one to the other: they have a host in common (bindings.c) ---- */

struct binding {
    struct server_plan *server;
    struct vs_cell *cell;
    struct list of_server, of_cell;
    int rank;                  /* visibility; the smaller comes first */
    struct vhost_plan **hosts; /* where its rules stand; heap */
    size_t n, cap;
};

struct vhost_plan {
    struct str host;    /* lower case */
    uint64_t hash, key; /* of it; of its key in the table */
    struct table_plan *table;
    struct binding **used; /* heap; in order: of a server, then its rank, then its age */
    size_t used_n, used_cap;
    struct server_plan **redirects; /* heap; in order: servers that redirect a host of this name */
    size_t redirects_n, redirects_cap;
    struct list unmade;
    slot_id slot; /* SLOT_NONE: not in the table yet */
};

/* ---- tables of hosts (tables.c, nodes.c) ---- */

/* How many hosts of a table a wildcard covers, beside itself. */
struct covered {
    uint32_t n;
    char wildcard[];
};

struct suffix_count {
    uint16_t octets;
    uint32_t n;
};

/* A node of the tree that model/parts.h describes. */
struct host_node {
    struct str name; /* of the part; of the first the table's */
    uint32_t depth, n;
    struct host_node *below; /* DOMAINS_SHARDS of them; NULL: a leaf */
    struct vhost_plan **v;   /* of a leaf; heap */
    size_t v_n, v_cap;
    struct list unmade;
    slot_id slot;
};

struct table_plan {
    struct str name;
    uint64_t digest;              /* of the name */
    struct server_plan **servers; /* heap; in order */
    size_t n, cap;
    struct map by_host;     /* -> struct vhost_plan */
    struct map under;       /* "*.x" -> struct covered */
    struct vhost_plan *any; /* of "*"; NULL: none */
    struct host_node top;
    struct suffix_count *suffixes; /* heap; the longest first */
    size_t suffix_n, suffix_cap;
    struct list unmade;
    slot_id slot, hole; /* hole: of the host that answers 404; SLOT_NONE: none */
};

/* ---- servers ---- */

/* A server that takes part in a listener. */
struct server_plan {
    struct server_ref ref; /* follows the Gateway */
    struct str name;       /* "ns/name/80/http": of its part; heap */
    uint64_t hash;         /* of the name */
    uint64_t digest;       /* of what its own parts were made from */
    uint64_t made;         /* when the Gateway was */
    struct gateway_plan *gateway;
    struct table_plan *table;
    struct str *hosts; /* "[ns/]host" as written; heap */
    size_t host_count;
    bool redirects;
    bool keeps; /* the placing at hand has it, too */
    struct list of_gateway, bindings, unsaid;
    struct reader watch; /* in servers_by_host */
    struct arena *arena; /* of the notes; NULL: there are none */
    struct notes notes;
    struct list noted;
    slot_id slot;
    struct memo *chain; /* TLS */
    uint64_t chain_digest;
    struct placed *at; /* in the placing at hand */
    struct listener_plan *on;
};

struct gateway_plan {
    struct str name; /* "ns/name"; heap */
    uint64_t hash;
    struct list servers;
};

/* ---- the placing (gateways.c) ---- */

struct placed {
    struct server_ref ref;
    const struct api_gw_server *server;
    struct str *hosts; /* lower case, without namespaces */
    size_t host_count;
    bool is_closed;           /* a mode that is not carried out: handshakes are closed */
    struct str routes, chain; /* names of the parts; chain: TLS */
    struct server_plan *plan;
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
    uint64_t digest;     /* of what the part is made from */
    slot_id slot, plain; /* of the part; of the chain of plain text; SLOT_NONE: none */
};

/* A port that the program was asked for, and what it said. */
struct asked_port {
    struct addr bind;
    uint16_t manifest, bound;
};

/* In its own arena. */
struct placing {
    struct arena *arena;
    struct listener_plan **listeners;
    size_t n, cap;
    struct asked_port *asked;
    size_t asked_n, asked_cap;
    struct notes notes;
    size_t unsupported, gateways;
};

struct plan {
    uint64_t config; /* digest of the MeshConfig */
    struct placing *placing;
    struct map gateways, tables; /* name -> struct gateway_plan, struct table_plan */
    struct map broken;           /* address of a broken VirtualService -> struct vs_cell */
    struct inputs cells_by_host, servers_by_host; /* of watch.h */
    struct list vhosts, nodes, changed_tables;    /* unmade */
    struct list pending, unsaid_cells, unsaid_servers, noted;
    uint32_t *secrets; /* by slot: chains that present it */
    size_t secrets_n;
    struct arena *rest; /* of what is said of certificates that nobody names; NULL: nothing */
    struct notes rest_notes;
    size_t unsupported, virtual_services, octets;
    int64_t expires_ms; /* something is to be said about a certificate then; 0: never */
    bool is_new;        /* everything is being put in */
};

/* What was done, ever: for tests, which count work and not time. */
struct plan_work {
    uint64_t placed, bound, vhosts, nodes, said;
};

void plan_free(struct plan *p, struct map *cells); /* takes NULL; of VirtualServices */
input_key plan_port_key(uint16_t manifest);
uint16_t plan_bound_port(const struct plan *p, uint16_t manifest);
size_t plan_listeners(const struct plan *p); /* that are open */
void plan_update(struct compile *c);
void plan_say(struct compile *c);

/* ---- gateways.c ---- */
/* Places the servers of all Gateways. */
struct placing *gateways_place(struct compile *c);
void placing_free(struct placing *p); /* takes NULL */

/* ---- listeners.c ---- */
/* Listeners and chains that differ from those of the placing before (NULL: none). */
void listeners_compile(struct compile *c, const struct placing *before);
void chain_drop(struct compile *c, struct server_plan *s);
/* Chains of which something is to be said by now. */
void chains_expire(struct compile *c);
/* Secrets that no chain presents any more. */
void secrets_clear(struct compile *c);

/* ---- servers.c ---- */
/* Takes up a placing: servers that go, come or changed. */
void servers_update(struct compile *c, struct placing *placing);
void server_free(struct server_plan *s, struct plan *p);
int server_compare(const struct server_plan *a, const struct server_plan *b);
/* Says again which of its hosts nobody serves. */
void server_say(struct compile *c, struct server_plan *s);

/* ---- cells.c ---- */
/* Cells take up what changed: those that bindings see differently are unbound, and pending. */
void cells_follow(struct compile *c);
void cells_begin(struct compile *c);                   /* with a new plan: all that there are */
void cells_release(struct map *cells, struct plan *p); /* bindings are gone with the plan */
void cells_free(struct map *cells);
struct vs_cell *cell_of(const struct mesh *m, const struct api_object *vs);
void cells_bind(struct compile *c);                       /* those pending */
void cell_watch(struct compile *c, struct vs_cell *cell); /* for hosts of its Gateways */
uint64_t cells_broken(const struct store *s);             /* digest of those that never were good */
void cell_speak(struct compile *c, struct vs_cell *cell); /* it is to be spoken of again */
void cells_say(struct compile *c);
/* The whole of it again: what it says of a server has changed. */
void cell_rebind(struct compile *c, struct vs_cell *cell);

/* ---- bindings.c ---- */
/* Where they have a host in common, and are not bound yet. The Gateway is one that it names. */
void binding_make(struct compile *c, struct server_plan *s, struct vs_cell *cell);
bool binding_is_visible(struct compile *c, const struct api_object *vs); /* by its exportTo */
void binding_drop(struct compile *c, struct binding *b);
void bindings_drop(struct compile *c, struct vs_cell *cell);
int binding_compare(const struct binding *a, const struct binding *b);
/* Of an object that could not be decoded as a whole: the strings of a list. */
struct str_list raw_list(struct compile *c, const struct api_object *o, struct str name);

/* ---- tables.c ---- */
struct table_plan *table_get(struct plan *p, struct str name);
/* Where the rules of a binding, or a redirect, stand; made where there is none. */
struct vhost_plan *table_host(struct compile *c, struct table_plan *t, struct str host);
void vhost_touch(struct compile *c, struct vhost_plan *v);
void table_touch(struct compile *c, struct table_plan *t);
bool table_covers(const struct table_plan *t, struct str host);
/* Makes what is marked, and drops what nobody needs. */
void tables_compile(struct compile *c);
void table_free(struct table_plan *t);

/* ---- nodes.c ---- */
void node_init(struct host_node *n, struct str name, uint32_t depth);
void node_fini(struct host_node *n);
void node_add(struct compile *c, struct table_plan *t, struct vhost_plan *v);
void node_del(struct compile *c, struct table_plan *t, struct vhost_plan *v);
void node_compile(struct compile *c, struct host_node *n);
/* The domains of a leaf, in the order of their names. */
struct domain;
void node_fill(struct part *p, const struct host_node *n, struct domain *v);

/* ---- credentials.c ---- */
struct credentials {
    struct mesh_credential *v; /* without hosts */
    size_t n, cap;
    slot_id *slots;
    size_t slot_n, slot_cap;
};

/* ---- vhosts.c ---- */
struct rules {
    struct rule_ref *v;
    size_t n, cap;
};
/* Adds the rules of a VirtualService for a server, up to its first catch-all. */
void rules_of(struct compile *c, const struct api_object *o, const struct server_ref *s,
              struct rules *to);
/* A part without rules, to be filled. */
struct vhost *vhost_new(struct compile *c, const struct table_plan *t, struct str host,
                        const struct server_plan *s);
/* A virtual host: one piece. */
slot_id vhost_compile(struct compile *c, struct vhost_plan *p);
void vhost_forget(struct compile *c, struct vhost_plan *p); /* its memo */
