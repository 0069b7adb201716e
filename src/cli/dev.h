/*
 * cli/dev - what the compiler asks the program for: ports, stand-in workloads, certificates.
 *
 * All of it runs on the compiler thread.
 */
#pragma once

#include "cli/portmap.h"
#include "mesh/mesh.h"

struct standins;
struct ca;
struct dev_standins;

struct dev_hooks {
    struct portmap *ports;
    struct standins *standins;    /* NULL: none are played */
    struct ca *ca;                /* NULL: nothing is issued */
    struct dev_standins *playing; /* owned: what runs, by workload, replica and port */
    const struct loop *loop;      /* the compiler's: its clock */
    uint64_t now_ms;              /* of the update under way */
    int64_t wall_ms;
};

/* Fills `ret`; `d` is borrowed by the hooks. dev_hooks_fini frees what was made. */
void dev_hooks_fill(struct dev_hooks *d, struct mesh_hooks *ret);
/* Before each update: stops stand-ins that no update has asked for lately. */
void dev_hooks_round(struct dev_hooks *d, uint64_t now_ms, int64_t wall_ms);
void dev_hooks_fini(struct dev_hooks *d);
