/*
 * cli/keeper - opens listening sockets at any time and keeps them (design 2, 5.11).
 *
 * For each address a group of SO_REUSEPORT sockets, one for each worker. Workers get
 * duplicates, so the group stays while roots and data processes come and go. Parses nothing from
 * the network. Any thread may ask; from another process it is asked over a link (keeper_far).
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"

struct keeper;

/* `group` sockets an address. */
struct keeper *keeper_new(uint32_t group);
/* One in another process that is asked over `take_asks` (cli/link.h); each call waits for the
 * answer, and is ERR_IO when that process is gone. */
struct keeper *keeper_far(int take_asks, uint32_t group);
void keeper_free(struct keeper *k); /* takes NULL; closes all */

/* Listening sockets that systemd passed (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)); returns
 * how many. Each is used when its address is asked for. */
uint32_t keeper_adopt(struct keeper *k);

/* Sees to it that the address is listened on; a port of 0 is picked and filled in. It stands for
 * a port of the manifests. The address stays wanted until a sweep of this round or a later one
 * leaves it out. */
MUST_USE enum err keeper_hold(struct keeper *k, struct addr *addr, uint16_t stands_for,
                              uint64_t round);

/* The port that is listened on at the address of `bind` in place of one of the manifests, or 0: a
 * control part that was started anew goes on with it. */
uint16_t keeper_recall(struct keeper *k, const struct addr *bind, uint16_t stands_for);

/* Duplicates of the group's sockets for the workers, `group` of them. */
MUST_USE enum err keeper_take(struct keeper *k, const struct addr *addr, int *ret_fds);

/* Closes what is not among `used`, unless it was held in a round after `round`. Sockets from
 * systemd stay, to be asked for again; only with UINT64_MAX, at the end, they go as well. */
void keeper_sweep(struct keeper *k, const struct addr *used, size_t n, uint64_t round);
