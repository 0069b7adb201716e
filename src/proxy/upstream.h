/*
 * proxy/upstream - connections to endpoints: one pool per endpoint and worker.
 *
 * A pool lives as long as the snapshot names its endpoint or a connection of it is open;
 * it keeps a reference to the endpoint's live state (design 5.13). Idle connections are
 * taken last in, first out, so that surplus ones grow old and close.
 */
#pragma once

#include "proxy/claim.h"
#include "proxy/worker_int.h"

struct upstream;

/* Starts an exchange with an endpoint, on an idle connection or a new one, within the cluster's
 * limits. NULL with a reason when none can be started: ERR_AGAIN where the request stands in
 * line now (ask again when claim->is_turn), ERR_OVERFLOW where it may not even do that. */
struct leg *upstream_open(struct worker *w, const struct cluster *c, const struct endpoint *e,
                          struct arena *arena, struct claim *claim, enum err *reterr);
/* The attempt is over: gives back what it took of the limits, but for a retry. */
void upstream_let_go(struct worker *w, struct claim *claim);

/* Lets go of pools whose endpoints the new root no longer names: idle connections close,
 * busy ones when they are through. `before`: the root of the last sweep; NULL: none. Where
 * neither clusters nor endpoints differ it looks at no pool. */
void upstream_sweep(struct worker *w, const struct root *before);

/* Connections that nobody uses close. */
void upstream_retire_idle(struct worker *w);
void upstream_close_all(struct worker *w);
void upstream_free_all(struct worker *w);
size_t upstream_size(void);
