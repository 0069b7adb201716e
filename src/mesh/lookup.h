/*
 * mesh/lookup - objects by what they are looked up by, kept as they come and go. A look-up made
 * for a piece of work (c->reading) is an input of it, whether or not it found something.
 *
 * Lists keep the order of the store (oldest first) and hold until the next update.
 */
#pragma once

#include "mesh/compile.h"

struct lookups {
    struct map bags; /* input_key -> struct bag */
};
void lookups_init(struct lookups *l);
void lookups_fini(struct lookups *l);

/* Takes up what the store changed. */
void lookups_update(struct compile *c);
/* Calls `fn` with each key under which an object is found, those without a list included. */
typedef void lookup_key_fn(struct compile *c, enum input what, input_key key,
                           const struct api_object *o);
void lookup_each_key(struct compile *c, enum object_kind kind, const struct api_object *o,
                     lookup_key_fn *fn);

/* By identity; NULL: none. */
const struct api_object *lookup_object(struct compile *c, enum object_kind kind,
                                       struct str namespace, struct str name);
/* Whether there is one. */
bool lookup_is_there(struct compile *c, enum object_kind kind, struct str namespace,
                     struct str name);
/* The piece under way has the content of `o` in its key. */
void lookup_keyed(struct compile *c, enum object_kind kind, const struct api_object *o);
/* The plan knows who claims `host` (lower case), itself or by a wildcard: so does the piece. */
void lookup_claimed(struct compile *c, struct str host);
/* Objects of a namespace that have the first pair of `selector`: the caller compares the
 * rest. WorkloadEntry, Pod, EndpointSlice, Deployment, StatefulSet or DaemonSet; an empty
 * selector gives all of the kind. */
const struct object_list *lookup_labelled(struct compile *c, enum object_kind kind,
                                          struct str namespace, const struct str_map *selector);
/* DestinationRules of exactly this host, a wildcard or not; and those whose wildcard ends
 * within a label. */
const struct object_list *lookup_rules(struct compile *c, struct str host);
const struct object_list *lookup_odd_rules(struct compile *c);
/* Services of a host; ServiceEntries that list it. */
const struct object_list *lookup_services(struct compile *c, struct str host);
const struct object_list *lookup_entries(struct compile *c, struct str host);
/* Secrets of that name in any namespace; Certificates that are to fill it. */
const struct object_list *lookup_named(struct compile *c, enum object_kind kind, struct str name);
/* VirtualServices that name the Gateway "ns/name". */
const struct object_list *lookup_bound(struct compile *c, struct str gateway);
/* Objects whose exportTo is not everyone. */
const struct object_list *lookup_exporting(struct compile *c, enum object_kind kind);

/* The labels that count for selectors: of a workload its pods'. NULL: none. */
const struct str_map *lookup_labels(const struct api_object *o, enum object_kind kind);
