/*
 * live/addresses - how many connections each client address has, exact across all workers.
 *
 * Tables of open addressing under a lock each, spread by the address: a connection's beginning
 * and its end look at one of them, requests never do. A table grows with the addresses that are
 * in it, which the limits on connections bound, and is given back when the last one left.
 */
#pragma once

#include "base/addr.h"

/* An IPv4 address (mapped into IPv6 or not), the /64 network of an IPv6 address; never 0 for
 * an address, 0 for none. */
uint64_t address_key(const struct addr *a);

/* False: it has `max` already. Any thread. */
MUST_USE bool addresses_take(uint64_t key, uint32_t max);
void addresses_give(uint64_t key); /* harmless with 0 */
uint32_t addresses_count(uint64_t key);
