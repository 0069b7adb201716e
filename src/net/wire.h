/*
 * net/wire - one connected, non-blocking socket: what plain and TLS transports stand on.
 *
 * Edge-triggered: readiness is remembered here, so that no system call is made of which it
 * is known that it would block. A hang-up is remembered as well: behind it a short read
 * does not mean that nothing follows.
 */
#pragma once

#include "base/err.h"
#include "event/loop.h"

#include <sys/types.h>
#include <sys/uio.h>

struct wire {
    struct watch watch;
    struct task woken;   /* the watch's own: tells `notify` what matters */
    enum err failed;     /* both directions; ERR_OK while it lives */
    enum err unsendable; /* writing failed; what arrived before can still be read */
    bool connecting;
    bool eof;         /* the other side's FIN was read */
    bool finished;    /* our FIN is sent */
    bool wants_write; /* a write met a full socket: tell when there is room */
    /* Readable again, room again, or broken. Only notes and wakes (style 3.8). */
    void (*notify)(struct wire *w);
};

/* `fd` is connected or (`connecting`) on its way. On failure the descriptor is closed. */
MUST_USE bool wire_start(struct wire *w, struct loop *loop, int take_fd, bool connecting,
                         void (*notify)(struct wire *w));

/* Has the connect ended? ERR_AGAIN: not yet. */
enum err wire_connected(struct wire *w);

/* Nothing to read until notified. */
static inline bool wire_is_drained(const struct wire *w)
{
    return !(w->watch.ready & READY_READ);
}

/* As the transport's read and writev. */
ssize_t wire_read(struct wire *w, char *into, size_t n);
ssize_t wire_writev(struct wire *w, const struct iovec *iov, size_t n);

void wire_finish(struct wire *w); /* FIN */
void wire_close(struct wire *w, bool reset);
int wire_leave(struct wire *w); /* stops to watch and gives the descriptor back */
