/*
 * echo/standin - stand-in workloads: many echo servers on loopback in one thread (surface.md
 * 2.2), each on a port of its own that the kernel picks.
 *
 * standins_open and standins_close may be called from one thread at a time (the compiler's).
 */
#pragma once

#include "echo/answer.h"
#include "base/err.h"

struct standins;

/* Starts the thread. */
struct standins *standins_new(void);
void standins_free(struct standins *s); /* takes NULL; ends all connections */

/* Listens on 127.0.0.1 (::1 where that fails) and serves from now on; `ret` is the address. */
MUST_USE enum err standins_open(struct standins *s, const struct echo_identity *who,
                                struct addr *ret);
/* Stops accepting there; connections end when they are idle. Unknown addresses are ignored. */
void standins_close(struct standins *s, const struct addr *addr);
