/*
 * mesh/trace - which fields the compiler used for what it serves (design 5.4).
 *
 * Kept only where mesh_options.verdicts asks for it. A place is an object, the line and column
 * of a message, and a field of it: it holds when the object is decoded again.
 */
#pragma once

#include "api/object.h"
#include "base/map.h"

struct trace;

struct trace *trace_new(void);
void trace_free(struct trace *t); /* takes NULL */

/* `spot` is a field, or a message: all of its own fields. Nothing where `t` or `o` is NULL. */
void trace_use(struct trace *t, const struct api_object *o, struct api_spot spot);
bool trace_has(const struct trace *t, const struct api_object *o, struct api_spot spot);
/* Anything of the object at all. */
bool trace_has_object(const struct trace *t, const struct api_object *o);
