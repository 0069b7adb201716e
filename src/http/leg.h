/*
 * http/leg - one side of a stream as its connection sees it: the exchange of one request
 * and its response over HTTP/1 or HTTP/2, as server (downstream) or client (upstream).
 *
 * A leg is shared memory between two tasks of one thread: the connection's driver, which
 * owns the leg, and the owner of the exchange (the proxy's stream, the echo server, the
 * admin port). Each changes its own half and wakes the other; neither calls into the other
 * beyond these few functions, so nothing re-enters.
 *
 * The driver fills `in_*`, the owner takes from them; the owner fills `out_*`, the driver
 * takes from them. Back-pressure: the driver stops reading while in.n >= in_limit; the
 * owner stops adding while out.n >= its own watermark and is woken when `out` has drained.
 *
 * A failed leg (`fail`) stays in memory, inert, until its owner calls leg_release.
 */
#pragma once

#include "base/bufq.h"
#include "event/loop.h"
#include "http/message.h"

enum leg_fail {
    LEG_OK,
    LEG_BAD,      /* server: head or body cannot be read; answer fail_status and be done */
    LEG_GONE,     /* the other side reset or vanished in the middle */
    LEG_TIMEOUT,  /* server: the request did not arrive in time (408) */
    LEG_PROTOCOL, /* the other side broke the protocol */
    LEG_CONNECT,  /* client: no connection came about; nothing was sent */
    LEG_CONNECT_TIMEOUT,
    LEG_REFUSED,   /* client: was not processed, may be sent again (HTTP/2) */
    LEG_TOO_LARGE, /* the other side takes no head of that size; a server's out_* are taken back,
                    * and another answer may be given, once (HTTP/2) */
    LEG_NO_MEMORY, /* a door said no */
};

struct leg;

struct leg_ops {
    /* The owner changed its half (out_* filled, in.n taken): the driver will look. */
    void (*wake)(struct leg *leg);
    /* The owner is through with the leg; it must not touch it again. Unless both
     * directions have ended in order the exchange is broken off: HTTP/1 closes the
     * connection, HTTP/2 resets the stream. */
    void (*release)(struct leg *leg);
};

struct leg {
    const struct leg_ops *ops;
    struct task *task;   /* the owner's; woken on every change. NULL until it has one */
    struct arena *arena; /* for what arrives: the owner's */

    /* from the other side */
    struct head *in_head;                 /* complete head; NULL before */
    struct head *in_info, **in_info_last; /* informational responses (1xx), to be taken */
    uint8_t in_infos;                     /* how many there were */
    struct bufq in;                       /* body octets that arrived */
    size_t in_limit;                      /* the driver stops reading above */
    size_t hold_limit;                    /* the owner holds no more of a body, for this leg */
    struct headers *in_trailers;          /* NULL without */
    bool in_end;                          /* nothing more will arrive, `in` may still hold octets */
    bool in_half_closed;                  /* the other side sent FIN behind the message */

    /* to the other side */
    struct head *out_info;       /* informational heads to send, oldest first */
    const struct head *out_head; /* set once; its content_length frames the body */
    struct bufq out;
    const struct headers *out_trailers;
    bool out_break; /* behind `out` the exchange breaks off, visibly: no clean end */
    bool out_end;   /* nothing follows `out` and `out_trailers` */
    bool out_done;  /* driver: all of it was handed to the kernel */
    bool out_close; /* server: end the connection behind the response */
    bool want_body; /* server: the owner waits for the body (100-continue) */

    /* how it failed */
    uint8_t fail;             /* enum leg_fail */
    uint16_t fail_status;     /* LEG_BAD, LEG_TIMEOUT: what to answer */
    const char *fail_details; /* response code details; a literal */
    struct str fail_text;     /* transport failure reason; in the arena */

    /* for retries and the record */
    bool reused;                    /* client: the connection had served before */
    bool out_started;               /* an octet of ours left, and may have been processed */
    bool in_started;                /* an octet of theirs arrived */
    bool is_head_request;           /* client: the response has no body whatever its head says */
    uint64_t in_octets, out_octets; /* body octets so far */
    struct transport *transport;    /* for its info; NULL once gone */
};

static inline void leg_wake(struct leg *leg)
{
    leg->ops->wake(leg);
}

static inline void leg_release(struct leg *leg)
{
    if (leg)
        leg->ops->release(leg);
}

/* For drivers: tells the owner. */
static inline void leg_notify(struct leg *leg)
{
    if (leg->task)
        task_wake(leg->task);
}

/* For drivers: an informational response arrived. False: one more than LEG_INFOS_MAX of this
 * exchange, which is a backend that would fill the memory. */
#define LEG_INFOS_MAX 32
MUST_USE bool leg_add_info(struct leg *leg, struct head *info);

void leg_init(struct leg *leg, const struct leg_ops *ops);
void leg_fini(struct leg *leg); /* drops the queues */
