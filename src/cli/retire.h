/*
 * cli/retire - frees parts and roots on one thread: where the last reference is dropped,
 * nothing is freed (design 5.1).
 */
#pragma once

#include "event/loop.h"

/* From now on what nobody holds any more is freed on that loop's thread, by mail. */
void retire_to(struct loop *loop);
/* From now on on the spot. Behind the end of the threads that hold anything; what was posted
 * before is freed by a turn of the loop. */
void retire_stop(void);
