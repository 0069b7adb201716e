/*
 * mesh/compile - what the compiler's files share: one update's state, and small words.
 *
 * For this folder only. Everything in `a` lives until the next update; strings of objects
 * live as long as the store serves them, parts copy what they keep.
 */
#pragma once

#include "base/map.h"
#include "mesh/inputs.h"
#include "mesh/mesh.h"
#include "mesh/names.h"
#include "mesh/store.h"
#include "mesh/trace.h"

struct api_client_tls;
struct api_connection_pool;
struct api_load_balancer;
struct api_port_selector;
struct api_subset;
struct api_traffic_policy;

/* One port of a service that can be a destination. */
struct service_port {
    uint32_t number;
    struct str name, protocol; /* protocol: upper case, "HTTP", "GRPC", "TCP"...; or empty */
    struct int_or_str target;  /* unset: the number */
    struct api_spot spot;
};

/* A cluster of a service. */
struct cluster_ref {
    uint32_t port;
    struct str subset_name; /* or empty */
    slot_id slot, hosts;    /* SLOT_NONE: not usable, because of */
    const char *why;
    bool is_forbidden; /* by a broken rule */
    uint32_t endpoints;
};

/* A host of the registry: a Service, or one host of a ServiceEntry. One piece of work, made
 * again when something changes that it has read. */
struct service {
    struct reader reader;
    uint64_t serial;     /* no other piece ever has it */
    struct arena *arena; /* all of it */
    struct str host;     /* lower case, FQDN */
    struct str name, namespace;
    const struct api_object *object;
    bool is_entry;
    struct service_port *ports;
    size_t port_count;
    struct cluster_ref *clusters;
    size_t cluster_count, cluster_cap;
    slot_id *secrets; /* that its clusters name; one may stand twice */
    size_t secret_count, secret_cap;
    uint64_t digest; /* of all that a route can see of it: ports, clusters, endpoints or none */
    struct notes notes;
    size_t unsupported, usable, endpoints; /* what it adds to the summary */
    struct list noted, plays;              /* it has notes; stand-ins were asked for */
};

/* An endpoint before it is put into a part. */
struct found_endpoint {
    struct addr addr;
    uint32_t weight;
    bool healthy;
    const struct str_map *labels; /* of its workload; NULL: none */
    struct str workload, namespace, locality;
    const struct api_object *object;
    struct api_spot spot;
};

struct found {
    struct found_endpoint *v;
    size_t n, cap;
    struct str source; /* "EndpointSlice", ... */
};

/* Where a block of a policy stands. */
struct policy_block {
    const struct api_object *by;          /* NULL: there is no block */
    const struct api_port_selector *port; /* in the settings of this port; NULL: of all */
};

/* What a DestinationRule says for one service, port and subset. */
struct policy {
    uint8_t lb;
    uint32_t connect_ms, idle_ms, max_requests;
    struct cluster_limits limits;
    bool h2_upgrade;               /* HTTP ports are spoken to in HTTP/2 */
    bool needs_tls;                /* ISTIO_MUTUAL: it is not carried out */
    const struct api_object *rule; /* that said it; NULL: the defaults */
    /* The blocks that are in effect; NULL: none. */
    const struct api_load_balancer *balancer;
    const struct api_connection_pool *pool;
    const struct api_client_tls *tls;
    struct policy_block lb_block, pool_block, tls_block;
};

/* The merged DestinationRule of a service; NULL parts where there is none. */
struct rule_subset {
    const struct api_object *object;
    const struct api_subset *subset;
};
struct rule {
    const struct api_object *object; /* the oldest with a trafficPolicy, else the oldest */
    const struct api_traffic_policy *traffic;
    struct rule_subset *subsets;
    size_t subset_count;
};

/* Hosts, their ports and clusters. */
struct registry {
    struct map services;        /* host -> struct service */
    struct list noted, playing; /* services */
    uint32_t *secrets;          /* by slot: services that name it */
    size_t secrets_n;
    uint64_t config; /* digest of the MeshConfig that it was made under */
    size_t unsupported, clusters, endpoints;
    size_t octets; /* of the services */
};

struct compile {
    struct mesh *m;
    const struct mesh_options *o;
    struct store *store;
    struct slots *slots;
    struct root *base;
    struct root_edit *edit;
    struct arena *a;
    struct arena *whole;   /* what `a` is otherwise: of the update */
    struct arena *scratch; /* what `a` is during a remembered piece of work */
    struct notes *notes;
    const struct api_meshconfig *config;
    const struct api_object *config_object; /* NULL: the defaults */
    struct str root_namespace;
    struct memos *memos;
    struct trace *trace;    /* NULL: nobody asked for verdicts */
    struct reader *reading; /* the piece of work under way; NULL: none */
    struct list touched;    /* readers of what changed */
    struct bag *unsettled;  /* of lookup.c */
    uint64_t config_digest; /* of the MeshConfig object; 0: none */
    struct registry *reg;
    struct plan *plan;
    struct placing *placing; /* under way; NULL: none */
    uint64_t *orphans;       /* names of memos of bindings that went, maybe to come again */
    size_t orphans_n, orphans_cap;
    struct credentials *credentials; /* of the chain under way */
    struct arena *credentials_arena;
    int64_t expires_ms; /* of the first of them; 0: none */
    slot_id *dropped;   /* secrets of chains that were made again */
    size_t dropped_n, dropped_cap;
    struct map secrets;      /* name -> struct secret_ref, of credentials.c */
    struct map secrets_made; /* names of those that trust.c has made in this update */
    struct map stand_ins;    /* "kind/ns/name" -> struct mesh_stand_in */
    struct part **keep;      /* references until the end of the update */
    size_t keep_count, keep_cap;
    bool kept[PART_KINDS];  /* all parts of the kind stay */
    bool *seen[PART_KINDS]; /* slots that this update filled or keeps */
    size_t seen_count[PART_KINDS];
    struct mesh_summary *sum;
    size_t stand_in_cap;
};

/* ---- compile.c: parts ---- */

/* A part in its slot; fill it from its arena. */
void *compile_part(struct compile *c, enum part_kind kind, struct str name);
/* Finishes and sets it. False: it cannot be built, `ret_why` says so (in c->a), and the last
 * good part of that slot stays where there was one. */
MUST_USE bool compile_put(struct compile *c, struct part *take_part, struct str *ret_why);
/* The same where nothing in the part can be wrong. */
void compile_put_sure(struct compile *c, struct part *take_part);
/* A part that was put before, finished and unchanged. */
void compile_put_again(struct compile *c, struct part *p);
/* A reference of what is in a slot now. */
struct part *compile_hold(struct compile *c, enum part_kind kind, slot_id slot);
/* Was there a part of that name before? Then it stays. */
bool compile_keep(struct compile *c, enum part_kind kind, struct str name);
/* What is in a slot stays. */
void compile_seen(struct compile *c, enum part_kind kind, slot_id slot);
/* What this update did not fill is gone; takes SLOT_NONE. */
void compile_clear(struct compile *c, enum part_kind kind, slot_id slot);

struct origin compile_origin(struct compile *c, const struct api_object *o, struct api_spot spot);
struct str compile_title(struct compile *c, const struct api_object *o);
/* An "unsupported" note at a place; counts for --strict. */
void compile_unsupported(struct compile *c, const struct api_object *o, struct api_spot spot,
                         const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The namespace that this gateway counts as for an object of `namespace` (surface.md 2). */
struct str compile_own_namespace(const struct compile *c, struct str namespace);
/* --labels against a selector. */
bool compile_selects(const struct compile *c, const struct str_map *selector);
uint16_t compile_port(struct compile *c, const struct addr *bind, uint16_t port);
/* The port bound where a Gateway says `port`; a port of no Gateway stays. */
uint16_t compile_bound_port(struct compile *c, uint16_t port);
uint32_t duration_ms(const struct opt_dur *d, uint32_t otherwise); /* d may be NULL */

#define ARRAY_COPY(part_, field, n_)                                                               \
    do {                                                                                           \
        (field).n = (uint32_t)(n_);                                                                \
        (field).v = (n_) ? arena_alloc((part_)->arena, sizeof(*(field).v) * (n_)) : NULL;          \
    } while (0)

/* ---- registry.c: which services are made again ---- */
/* Touches the readers of what changed, and makes those of the registry again. */
void registry_update(struct compile *c);
/* Does a service name the secret? */
static inline bool registry_uses(const struct registry *r, slot_id secret)
{
    return secret < r->secrets_n && r->secrets[secret];
}
void registry_free(struct registry *r, struct inputs *in); /* takes NULL */
/* What its services say. */
void registry_say(struct compile *c);

/* ---- services.c ---- */
/* The service of a host, its ports only; NULL: there is none. */
struct service *service_make(struct compile *c, struct str host);
void service_free(struct service *s, struct inputs *in);
struct service *service_find(struct compile *c, struct str host);
const struct service_port *service_port_find(const struct service *s, uint32_t number);

/* ---- policy.c ---- */
void rule_find(struct compile *c, const struct service *s, struct rule *ret);
/* `rs` NULL: the service as a whole. */
void policy_find(struct compile *c, const struct rule *r, const struct rule_subset *rs,
                 uint32_t port, struct policy *ret);

/* ---- forbidden.c ---- */
/* The broken DestinationRule that would be in effect for `s` rather than `r`, and that speaks of
 * TLS; NULL: none. */
const struct api_object *forbidden_by(struct compile *c, const struct service *s,
                                      const struct rule *r);
/* Of all such rules. */
uint64_t forbidden_digest(const struct store *store);

/* ---- endpoints.c, workloads.c: the sources in order (surface.md 2.1) ---- */
void endpoints_find(struct compile *c, const struct service *s, const struct service_port *port,
                    struct found *ret);
struct found_endpoint *found_add(struct compile *c, struct found *f);
void stand_ins_find(struct compile *c, const struct service *s, const struct service_port *port,
                    struct found *ret);
void endpoint_fill(struct part *p, struct endpoint *e, const struct found_endpoint *f,
                   origin_id origin);
/* A named container port of a pod spec; false: there is none. */
MUST_USE bool container_port(const void *pod_spec, struct str name, uint16_t *ret);

/* ---- clusters.c ---- */
void clusters_compile(struct compile *c, struct service *s);
void clusters_black_hole(struct compile *c);
/* The cluster a VirtualService's destination means. */
struct api_destination;
slot_id cluster_for(struct compile *c, const struct api_object *vs, const struct api_destination *d,
                    uint16_t listener_port, struct str *ret_name);

/* ---- client_tls.c ---- */
/* The TLS of a cluster whose policy asks for it. */
void client_tls_fill(struct compile *c, const struct service *s, const struct policy *policy,
                     struct cluster *k);

/* ---- credentials.c ---- */
/* The slots of the secrets that a server's TLS names, in `p`'s arena for the chain. */
struct api_gw_tls;
void credentials_compile(struct compile *c, const struct api_object *gw,
                         const struct api_gw_tls *tls, struct chain *chain, const struct str *hosts,
                         size_t host_count);

/* --dev: the Certificates that no server names, so that every one is issued. */
void credentials_rest(struct compile *c);

/* ---- cells.c ---- */
/* A server as the routes see it. */
struct server_ref {
    const struct api_object *gateway;
    uint32_t index;
    uint16_t manifest_port;
};
bool routes_is_for_gateways(const struct api_object *vs);

/* ---- rules.c ---- */
struct api_http_route;
struct api_http_match;
struct rule_ref {
    const struct api_object *vs;
    const struct api_http_route *http;  /* NULL: `vs` is broken; its hosts answer 500 */
    const struct api_http_match *match; /* NULL: none */
    uint16_t port;                      /* of the server, as in the manifest */
};
/* False, with a note: a rule that is not carried out yet and can only be left out. */
bool rule_can_match(struct compile *c, const struct rule_ref *r);
/* Whether it stands for everything: nothing behind it can match. */
bool rule_is_catch_all(const struct rule_ref *r);
/* Of `mirror`, of a million. */
uint32_t rule_mirror_share(const struct api_http_route *http);
/* Fills a route of `p` (zeroed) from it. */
void rule_compile(struct compile *c, struct part *p, const struct rule_ref *r, struct route *out);

/* ---- verdicts.c ---- */
/* Notes each field that is set and not carried out, of the objects that changed. */
void verdicts_update(struct compile *c);
void verdicts_say(struct compile *c);
