/*
 * model/root - a snapshot: a root of chunked slot tables over immutable parts (design 5.1).
 *
 * Roots share the chunks of their tables with their predecessors, so a change costs what it
 * touches. Readers hold one reference and look parts up by slot; nothing of a root changes
 * after root_edit_finish. Edited by the compiler thread only; references from any thread.
 */
#pragma once

#include "model/parts.h"

struct root;

struct root *root_ref(struct root *r);
void root_unref(struct root *r); /* takes NULL; the last one calls root_release_hook */
/* Set once at start: posts to the compiler thread. Frees by default on the spot. */
extern void (*root_release_hook)(struct root *r);
void root_destroy(struct root *r);

uint64_t root_generation(const struct root *r); /* 1, 2, 3... */
uint64_t root_hash(const struct root *r);       /* of all parts, by name: equal in every process */

/* The part in a slot, or NULL: SLOT_NONE, never filled, or removed. Borrowed from the root. */
const struct part *root_part(const struct root *r, enum part_kind kind, slot_id slot);
/* Slots run from 0 to root_slots() - 1, with holes. */
uint32_t root_slots(const struct root *r, enum part_kind kind);

#define ROOT_GETTER(type, kind)                                                                    \
    static inline const struct type *root_##type(const struct root *r, slot_id slot)               \
    {                                                                                              \
        return (const struct type *)(const void *)root_part(r, kind, slot);                        \
    }
ROOT_GETTER(listener, PART_LISTENER)
ROOT_GETTER(chain, PART_CHAIN)
ROOT_GETTER(routes, PART_ROUTES)
ROOT_GETTER(vhost, PART_VHOST)
ROOT_GETTER(cluster, PART_CLUSTER)
ROOT_GETTER(hosts, PART_HOSTS)
ROOT_GETTER(secret, PART_SECRET)

/* Stable slot ids by (kind, name); owned by the compiler. A name keeps its slot as long as
 * it is named in a root or reserved; freed slots are reused only after the roots that knew
 * them are gone. */
struct slots;
struct slots *slots_new(void);
void slots_free(struct slots *s);
slot_id slots_of(struct slots *s, enum part_kind kind, struct str name); /* reserves */

/* The next root from `base` (NULL: an empty one). Each part set takes over the caller's
 * reference; the same content (hash) keeps the old pointer. */
struct root_edit;
struct root_edit *root_edit_new(struct root *base);
void root_edit_set(struct root_edit *e, struct part *take_part); /* into its slot */
void root_edit_clear(struct root_edit *e, enum part_kind kind, slot_id slot);
struct root *root_edit_finish(struct root_edit *e); /* one reference; frees the edit */
/* True when nothing differs from the base. */
bool root_edit_is_empty(const struct root_edit *e);
