/*
 * model/host_index - which domain of a route configuration a host name falls to.
 *
 * Exact names and wildcard suffixes in one hash table: a look-up costs one probe, and one
 * more for each label of the host that a suffix could begin at, whatever the number of
 * domains. Built once by part_finish, in the part's arena; pure afterwards.
 */
#pragma once

#include "model/parts.h"

struct host_index *host_index_build(const struct routes *routes);

/* The number in routes->domains of the one that wins for `host` (lower case, no port): the
 * exact one, else that with the longest "*.suffix", else "*"; UINT32_MAX: none. A suffix
 * stands for one label or more, never for none. Of equal names the first one wins. */
uint32_t host_index_find(const struct host_index *index, struct str host);
