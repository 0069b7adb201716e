/*
 * net/pipe - two transports joined in memory, for tasks of one loop: for tests and simulations.
 *
 * No descriptor and no clock. What a socket does seldom can be scripted here: short reads
 * and writes, a full buffer, slow opening, half-closes and resets.
 */
#pragma once

#include "net/transport.h"

/* How one end behaves; may be changed at any time. */
struct pipe_script {
    size_t read_max;  /* most octets that one read yields; 0: no limit */
    size_t write_max; /* most octets that one writev takes; 0: no limit */
    size_t capacity;  /* octets under way to the other end, beyond which writev says AGAIN */
    bool needs_flush; /* what is written stays here until flush, as TLS does it */
};

/* Both ends are open and each is closed by its owner with transport_close. Tasks may be NULL
 * at first. Capacity is 64 KiB. */
void pipe_pair(struct task *a_task, struct task *b_task, struct transport **ret_a,
               struct transport **ret_b);

struct pipe_script *pipe_script(struct transport *t);

/* Makes the end one that is still opening; pipe_opened ends that, with ERR_OK or a failure,
 * which the owner learns by advance. */
void pipe_opening(struct transport *t);
void pipe_opened(struct transport *t, enum err failure);

/* The connection breaks: this end's owner reads what has arrived and then `e`; its writes
 * fail at once. */
void pipe_break(struct transport *t, enum err e);

/* What this end has received and not read yet. */
size_t pipe_waiting(const struct transport *t);
/* How often this end's owner has written. */
uint32_t pipe_writes(const struct transport *t);
/* Has this end's owner sent its FIN? */
bool pipe_is_finished(const struct transport *t);
