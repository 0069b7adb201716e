/*
 * cli/keeper_int - the keeper's inside: its own sockets, or the way to those of another process.
 */
#pragma once

#include "cli/keeper.h"

#include <pthread.h>

struct kept;

struct keeper {
    pthread_mutex_t lock;
    uint32_t group;
    struct kept *first;
    int asks; /* -1: it is this process */
};

/* The group's sockets, which stay the keeper's. False: there are none. */
MUST_USE bool keeper_lend(const struct keeper *k, const struct addr *addr, int *ret_fds);

/* keeper_far.c: with the lock held. */
MUST_USE enum err far_hold(struct keeper *k, struct addr *addr, uint16_t stands_for,
                           uint64_t round);
uint16_t far_recall(struct keeper *k, const struct addr *bind, uint16_t stands_for);
MUST_USE enum err far_take(struct keeper *k, const struct addr *addr, int *ret_fds);
void far_sweep(struct keeper *k, const struct addr *used, size_t n, uint64_t round);
