/*
 * mesh/lookup - objects by what they are looked up by, so that compiling does not grow with
 * the square of the configuration.
 *
 * Lists keep the order of the store (oldest first). Built once an update; read-only then.
 */
#pragma once

#include "mesh/compile.h"

void lookups_build(struct compile *c); /* all but lookup_bound: with the registry */
void bound_build(struct compile *c);   /* lookup_bound: each update */

/* Objects of a namespace that have the first pair of `selector`: the caller compares the
 * rest. WorkloadEntry, Pod, EndpointSlice, Deployment, StatefulSet or DaemonSet; an empty
 * selector gives all of the kind. */
const struct object_list *lookup_labelled(struct compile *c, enum object_kind kind,
                                          struct str namespace, const struct str_map *selector);
/* DestinationRules of exactly this host; and those with a wildcard. */
const struct object_list *lookup_rules(struct compile *c, struct str host);
const struct object_list *lookup_wildcard_rules(struct compile *c);
/* ServiceEntries that list the host. */
const struct object_list *lookup_entries(struct compile *c, struct str host);
/* VirtualServices that name the Gateway "ns/name". */
const struct object_list *lookup_bound(struct compile *c, struct str gateway);

/* The labels that count for selectors: of a workload its pods'. NULL: none. */
const struct str_map *lookup_labels(const struct api_object *o, enum object_kind kind);
