/*
 * model/root - a snapshot: a root of chunked slot tables over immutable parts (design 5.1).
 *
 * Roots share the chunks of their tables with their predecessors, so a change costs what it
 * touches. Readers hold one reference and look parts up by slot; nothing of a root changes
 * after root_edit_finish. Edited by the compiler thread only; references from any thread.
 */
#pragma once

#include "base/tally.h"
#include "model/parts.h"

struct root;

struct root *root_ref(struct root *r);
void root_unref(struct root *r); /* takes NULL; the last one calls root_release_hook */
/* Set once at start: posts to the compiler thread. Frees by default on the spot. */
extern void (*root_release_hook)(struct root *r);
void root_destroy(struct root *r);

uint64_t root_generation(const struct root *r); /* 1, 2, 3... */
uint64_t root_hash(const struct root *r);       /* of all parts, by name: equal in every process */

/* How many parts there are and what they take (part_octets). */
struct tally root_tally(const struct root *r);

/* The part in a slot, or NULL: SLOT_NONE, never filled, or removed. Borrowed from the root. */
const struct part *root_part(const struct root *r, enum part_kind kind, slot_id slot);
/* Slots run from 0 to root_slots() - 1, with holes. */
uint32_t root_slots(const struct root *r, enum part_kind kind);

/* Each slot whose part is another in `to` than in `from` (NULL: an empty one); chunks that both
 * share are not looked at. `before` or `after` NULL: there is none. */
typedef void root_differs_fn(void *arg, const struct part *before, const struct part *after);
void root_kind_differences(const struct root *from, const struct root *to, enum part_kind kind,
                           root_differs_fn *differs, void *arg);

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
ROOT_GETTER(domains, PART_DOMAINS)
ROOT_GETTER(server, PART_SERVER)

/* Slot ids by (kind, name): one table for the whole process, so a name has one number
 * whoever asks. A slot is taken as long as a part has that name or names it, or a `struct
 * slots` reserves it; so it is reused only after the roots that knew it are gone. The table
 * has a lock, which only the compiler and the admin port ever touch. */
struct slots; /* a holder of reservations: the compiler's */
struct slots *slots_new(void);
void slots_free(struct slots *s);                                        /* takes NULL */
slot_id slots_of(struct slots *s, enum part_kind kind, struct str name); /* reserves */
/* Gives back all reservations: what parts have or name stays taken by them. To be called
 * between two compilations, when no number is remembered outside of parts. */
void slots_sweep(struct slots *s);
/* The name of a taken slot, STR_NONE otherwise. Borrowed while the slot is taken. */
struct str slot_name(enum part_kind kind, slot_id slot);

/* The next root from `base` (NULL: an empty one), which is kept by a reference of the edit.
 * Each part set takes over the caller's reference; the same content and origins keep the
 * old pointer. */
struct root_edit;
struct root_edit *root_edit_new(struct root *base);
void root_edit_set(struct root_edit *e, struct part *take_part); /* into its slot */
/* part_finish and root_edit_set in one, without building again what is there already:
 * regexes and certificates of an unchanged part cost a hash. False with a text when
 * something cannot be built: then the part is still the caller's, and the slot as it was. */
MUST_USE bool root_edit_put(struct root_edit *e, struct part *p, struct str *reterr);
void root_edit_clear(struct root_edit *e, enum part_kind kind, slot_id slot);
/* One reference; frees the edit. An edit that changes nothing gives its base again. */
struct root *root_edit_finish(struct root_edit *e);
void root_edit_free(struct root_edit *e); /* gives it up */
/* True when nothing differs from the base. */
bool root_edit_is_empty(const struct root_edit *e);

/* `next`, whose parts share nothing with `base` (an image of the next snapshot), with the
 * parts and chunks of `base` wherever the content is the same: as if it had been edited from
 * `base`. Takes over the caller's reference of `next`. Keeps its generation if it is later than
 * that of `base` (a control part that was started anew counts from 1), else gives the next;
 * where nothing differs it is `base` again. */
struct root *root_rebase(struct root *base, struct root *take_next);
