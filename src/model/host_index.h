/*
 * model/host_index - which domain of a list a host name falls to.
 *
 * Exact names and wildcard suffixes in one hash table: a look-up costs one probe, and one
 * more for each label of the host that a suffix could begin at, whatever the number of
 * domains. Built once by part_finish, in the part's arena; pure afterwards.
 */
#pragma once

#include "model/parts.h"

struct host_index *host_index_build(struct arena *a, const struct domain *domains, uint32_t n);

/* The number of the domain that wins for `host` (lower case, no port): the exact one, else that
 * with the longest "*.suffix", else "*"; UINT32_MAX: none. A suffix stands for one label or
 * more, never for none. Of equal names the first one wins. */
uint32_t host_index_find(const struct host_index *index, struct str host);
/* That of exactly this key; UINT32_MAX: none. */
uint32_t host_index_get(const struct host_index *index, struct str key);

/* What a domain is found by: "a.b", or ".b" for "*.b". */
struct str domain_key(struct str name);
/* Of a key: which way it is dealt to shards, the highest four bits first. */
uint64_t domain_hash(struct str key);
