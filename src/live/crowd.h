/*
 * live/crowd - client connections that are open, counted exactly across all workers: those of a
 * listener, of the process, and of one client address.
 *
 * A listener's crowd is keyed by the listener's name and lives while any part or connection
 * names it (design 5.13). It is always counted, so a limit that is set later knows those that
 * are open. Addresses are counted only when the program was started with a limit on them: an
 * IPv4 address, the /64 network of an IPv6 address.
 */
#pragma once

#include "base/addr.h"

struct live_crowd;

struct live_crowd *live_crowd_get(struct str listener); /* one reference; any thread */
void live_crowd_unref(struct live_crowd *c);            /* takes NULL; any thread */

/* Connections that may be open; 0: any number. */
struct crowd_limits {
    uint32_t listener, all;
};

/* For each address; before any worker runs, and once. */
void crowd_limit_addresses(uint32_t max);

enum crowd_answer { CROWD_ROOM, CROWD_LISTENER_FULL, CROWD_ALL_FULL, CROWD_ADDRESS_FULL };

/* A connection that is counted. */
struct crowd_place {
    struct live_crowd *crowd; /* a reference; NULL: not counted */
    uint64_t address;         /* 0: not counted by its address */
};

/* Any thread. CROWD_ROOM: counted until crowd_leave; otherwise nothing is. */
enum crowd_answer crowd_enter(struct crowd_place *ret, struct live_crowd *c,
                              const struct addr *peer, struct crowd_limits max);
void crowd_leave(struct crowd_place *p); /* harmless when it is not counted */

/* For pages and tests. */
uint32_t crowd_open(const struct live_crowd *c);
uint32_t crowd_open_in_all(void);
uint32_t crowd_open_from(const struct addr *peer);
