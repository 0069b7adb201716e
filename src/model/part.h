/*
 * model/part - what every immutable part of a snapshot begins with.
 *
 * A part is built by the compiler in an arena of its own, published in a root (model/root.h)
 * and never changed again. Parts name each other by slot id, never by pointer, so that a
 * change replaces its slot and no referrer (design 5.1). References are counted atomically;
 * the last release calls `part_release_hook`, which posts the part to the compiler thread.
 */
#pragma once

#include "base/addr.h"
#include "base/arena.h"

#include <stdatomic.h>

enum part_kind {
    PART_LISTENER,
    PART_CHAIN,
    PART_ROUTES,
    PART_VHOST,
    PART_CLUSTER,
    PART_HOSTS,
    PART_SECRET,
    PART_DOMAINS,
    PART_SERVER,
    PART_KINDS
};

const char *part_kind_name(enum part_kind kind); /* "listener", "chain", ... */

/* A slot number of one kind; stable for the life of the process while its name is used. */
typedef uint32_t slot_id;
#define SLOT_NONE UINT32_MAX

/* Where something compiled comes from (design 5.3). Cold: the request path never reads it. */
enum origin_kind { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_KUBERNETES, ORIGIN_XDS };

struct origin {
    uint8_t kind; /* enum origin_kind */
    uint32_t line, col;
    struct str file;   /* ORIGIN_FILE: the path as given */
    struct str object; /* "VirtualService hedgus/hedgus-app" */
    struct str path;   /* "spec.http[0].route[1]" */
};

/* Number of an origin of the same part; 0 is the part's own. */
typedef uint32_t origin_id;

struct part {
    _Atomic uint32_t refs;
    uint8_t kind; /* enum part_kind */
    slot_id slot;
    bool holds_slots;     /* part_finish has been called */
    uint64_t hash;        /* of the content: equal parts have equal hashes in every process */
    uint64_t origin_hash; /* of the origins alone: moved lines are no change of content */
    struct str name;      /* unique within its kind; the slot's stable identity */
    struct arena *arena;
    struct str origins; /* packed: model/origins.h reads them */
    uint32_t origin_count;
    struct origin_writer *origin_writer; /* while it is filled; else NULL */
};

/* A part of `kind` (one of the structs of model/parts.h) with one reference, in an arena of
 * its own that the caller fills from. Zeroed, but for `slot`, which is the name's (a part
 * keeps its own slot and those that it names taken), and for its references to other parts,
 * which are SLOT_NONE. */
void *part_new(enum part_kind kind, struct str name);
struct part *part_ref(struct part *p);
void part_unref(struct part *p); /* takes NULL; any thread */

/* Appends an origin and returns its id; strings are copied into the part. */
origin_id part_origin(struct part *p, struct origin origin);

/* To be called once when all fields are set and before publishing: computes `hash` and
 * builds what is derived (indexes, compiled regexes, parsed keys). Returns false with a
 * text for people in the part's arena when something cannot be built (a regex, a key). */
MUST_USE bool part_finish(struct part *p, struct str *reterr);

/* What part_finish needs of the folders above. Set once at start; what is not set leaves its
 * field 0. live_host_get, live_host_unref, live_budget_get, live_budget_unref,
 * metrics_block_of_cluster, metrics_block_of_endpoint and filter_config_parse fit as they are. */
struct live_host;
struct live_budget;
struct cluster;
struct endpoint;
struct filter_config;
struct part_hooks {
    struct live_host *(*host_get)(struct str cluster, const struct addr *addr); /* a reference */
    void (*host_unref)(struct live_host *h);
    struct live_budget *(*budget_get)(struct str cluster); /* a reference */
    void (*budget_unref)(struct live_budget *b);
    uint32_t (*block_of_cluster)(const struct cluster *c);
    uint32_t (*block_of_endpoint)(const struct endpoint *e);
    /* Sets the derived fields; false with a text when the config is refused. */
    bool (*filter_parse)(struct filter_config *fc, struct arena *a, struct str *reterr);
    void (*filter_drop)(struct filter_config *fc); /* what parsing took beside the arena */
};
extern struct part_hooks part_hooks;

/* What the part takes, its indexes included; without what parts share: regexes, keys. */
size_t part_octets(const struct part *p);

/* Set once at start; frees by default on the spot. */
extern void (*part_release_hook)(struct part *p);
/* Really frees a part whose count is zero, derived objects included. */
void part_destroy(struct part *p);
