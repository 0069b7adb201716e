/*
 * cli/expiry - says in time that a certificate which is served was not renewed: once a day in the
 * log, and always as a metric. It is served on in any case.
 *
 * A certificate is late when less than a tenth of its life is left, or a week where that is less
 * (who renews does so at two thirds of it).
 */
#pragma once

#include "event/loop.h"
#include "model/root.h"

struct expiry;

/* `root` gives the current snapshot, borrowed for the call, or NULL. */
struct expiry *expiry_new(struct loop *loop, const struct root *(*root)(void *arg), void *arg);
void expiry_free(struct expiry *e); /* NULL is harmless */
/* The snapshot is another one: looked through soon, once for all changes of a second. */
void expiry_changed(struct expiry *e);
