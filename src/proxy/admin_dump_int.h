/*
 * proxy/admin_dump_int - /config_dump's resources in Envoy's words: one file a few kinds.
 *
 * Each prints a bit of the resource that the walk stands at: from its beginning when `sub` and
 * `leaf` are 0. True: the resource is printed whole.
 */
#pragma once

#include "proxy/admin_walk.h"

/* The value of the field that holds a resource: {"@type":...}. */
bool dump_cluster(struct admin_walk *w, struct buf *b, const struct part *p);
bool dump_hosts(struct admin_walk *w, struct buf *b, const struct part *p);
bool dump_secret(struct admin_walk *w, struct buf *b, const struct part *p);
bool dump_listener(struct admin_walk *w, struct buf *b, const struct part *p);
bool dump_routes(struct admin_walk *w, struct buf *b, const struct part *p);

/* {"@type":"type.googleapis.com/TYPE" */
void dump_begin(struct buf *b, const char *type);
/* ,"KEY":"1.500s" */
void dump_duration(struct buf *b, const char *key, uint32_t ms);
/* Where it comes from: ,"metadata":{"filter_metadata":{"lateen":{...}}}; origins of one part in
 * rising order, others are left out. */
void dump_origin(struct admin_walk *w, struct buf *b, const struct part *p, origin_id id);
