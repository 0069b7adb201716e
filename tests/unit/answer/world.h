/*
 * tests/unit/answer/world - manifests compiled and served by a real worker, with stand-ins as
 * backends, and a client that tells what it was answered.
 */
#pragma once

#include "answer/explain.h"
#include "base/rng.h"
#include "mesh/mesh.h"
#include "unit/check.h"

struct world_port {
    uint16_t manifest, bound;
    int fd;
};

struct client;

struct world {
    struct arena arena;
    struct mesh *mesh;
    struct root *root;
    struct notes notes;
    struct world_port ports[8];
    size_t port_count;
    struct worker *worker;
    struct access_log *log;
    char log_path[64];
    struct client *clients; /* open connections */
};

/* What all worlds of a program share: backends and the authority. */
void worlds_begin(void);
void worlds_end(void);

/* A mesh of its own, and updates of it: for who needs no worker. */
void world_begin(struct world *w, const struct mesh_options *o);
/* With fresh notes; `root` is the new one where there is one. */
void world_update(struct world *w, struct source_file *files, size_t n);
/* Both, of one file; with `serves` a worker serves it. */
void world_open(struct world *w, struct str yaml, bool serves);
/* Ends the worker and gives its log: "ID CODE FLAGS CLUSTER" lines, in the arena. */
struct str world_stop(struct world *w);
void world_close(struct world *w);
uint16_t world_port(const struct world *w, uint16_t manifest); /* 0: nobody listens */

struct world_answer {
    bool closed; /* no connection, or no answer on it */
    uint16_t status;
    struct str location; /* in the arena; or STR_NONE */
};

/* Sends the question `times` times, with the header "x-n: ID", all at once where a connection
 * takes them: over one that is open to that port for that name, else a new one. */
void world_ask(struct world *w, const struct ask *q, const char *id, size_t times,
               struct world_answer *ret);

/* ---- random_world.c ---- */

void random_manifests(struct rng *rng, struct buf *b);
/* More objects for the same VirtualServices to meet: two authorities for a Secret's name, hosts of
 * ServiceEntries, endpoints from many sources, DestinationRules that merge, shadow and forbid. */
void random_backends(struct rng *rng, struct buf *b);
/* The URL's port is one of the manifests'; header lines are in `lines`, at most 4. */
void random_question(struct rng *rng, struct arena *a, struct str *method, struct str *url,
                     struct str *lines, size_t *n);
