#include "model/host_index.h"

#include "base/hash.h"

#define NOWHERE UINT32_MAX

struct host_index {
    const struct domain *domains;
    uint32_t *slots; /* number of a domain + 1; 0: empty */
    size_t mask;
    size_t suffix_max; /* octets of the longest wildcard suffix, its dot included */
    uint32_t any;      /* the domain "*" */
};

/* No host name begins with a dot where a suffix is looked up, so the two never meet. */
struct str domain_key(struct str name)
{
    return str_starts(name, STR("*.")) ? str_from(name, 1) : name;
}

uint64_t domain_hash(struct str key)
{
    return hash_stable(key);
}

/* Where `key` is, or the empty slot where it would be. */
static size_t slot_of(const struct host_index *x, struct str key)
{
    size_t at = hash_str(key) & x->mask;

    while (x->slots[at] != 0 && !str_eq(domain_key(x->domains[x->slots[at] - 1].name), key))
        at = (at + 1) & x->mask;
    return at;
}

static void domain_add(struct host_index *x, uint32_t number)
{
    struct str name = x->domains[number].name;
    struct str key = domain_key(name);
    size_t at;

    if (str_eq(name, STR("*"))) {
        x->any = MIN(x->any, number);
        return;
    }
    at = slot_of(x, key);
    if (x->slots[at] == 0)
        x->slots[at] = number + 1;
    if (key.n < name.n)
        x->suffix_max = MAX(x->suffix_max, key.n);
}

struct host_index *host_index_build(struct arena *a, const struct domain *domains, uint32_t n)
{
    struct host_index *x = ARENA_NEW(a, struct host_index);
    size_t size = 4;

    while (size < (size_t)n * 2)
        size *= 2;
    x->domains = domains;
    x->slots = ARENA_ARRAY(a, uint32_t, size);
    x->mask = size - 1;
    x->any = NOWHERE;
    for (uint32_t i = 0; i < n; i++)
        domain_add(x, i);
    return x;
}

uint32_t host_index_get(const struct host_index *x, struct str key)
{
    uint32_t slot = x->slots[slot_of(x, key)];

    return slot ? slot - 1 : NOWHERE;
}

uint32_t host_index_find(const struct host_index *x, struct str host)
{
    /* A suffix begins at 1 at the earliest: it stands for one label or more. */
    size_t from = host.n > x->suffix_max ? host.n - x->suffix_max : 1;
    uint32_t found = NOWHERE;

    if (host.n == 0)
        return x->any;
    if (host.p[0] != '.')
        found = host_index_get(x, host);
    for (size_t i = from; i < host.n && found == NOWHERE; i++) {
        if (host.p[i] == '.')
            found = host_index_get(x, str_from(host, i));
    }
    return found == NOWHERE ? x->any : found;
}
