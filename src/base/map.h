/*
 * base/map - open-addressing hash maps from octets to pointers.
 *
 * Keys are borrowed: they must live as long as their entry. Hashes are seeded, so tables
 * that strangers fill do not degrade. Order of iteration is the order of insertion where
 * nothing was deleted. Not thread-safe.
 */
#pragma once

#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
    uint64_t hash;
    bool used;
};

struct map {
    struct map_entry *entries; /* in insertion order, holes where deleted */
    uint32_t *slots;           /* index into entries + 1; 0 is empty */
    size_t n;                  /* live entries */
    size_t filled, cap;        /* entries in use, holes included; room */
    size_t slot_count;         /* a power of two, or 0 */
};

void map_init(struct map *m);
void map_fini(struct map *m);
void map_reset(struct map *m);

/* The value, or NULL. A value of NULL cannot be told from a missing one. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Sets `key`; returns the value it had, or NULL. The first key stays where one was. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes `key`; returns its value, or NULL. */
void *map_del(struct map *m, struct str key);

/* Iteration: start with at = 0; returns NULL at the end. Deleting the returned entry is
 * allowed, adding is not. */
const struct map_entry *map_next(const struct map *m, size_t *at);
