/*
 * tests/sim/h2peer - HTTP/2 of virtual clients and backends: libnghttp2's sessions over a peer, so
 * that another implementation judges what the workers send. Bodies are those of struct rq.
 *
 * A rule that the other side broke ends the schedule, unless this side spoilt the connection.
 */
#pragma once

#include "sim/peer.h"

#include <nghttp2/nghttp2.h>

struct h2peer;

/* A header block that is being read. */
struct h2block {
    uint16_t status;
    char method[12], path[24], host[12];
    int64_t id, sum;          /* x-id, x-sum; -1: none */
    bool grpc, never, poison; /* grpc-status; what nobody may get; what met another's request */
};

struct h2stream {
    struct h2stream *next;
    struct h2peer *of;
    int32_t id; /* 0: not sent yet */
    struct rq *rq;
    /* arriving */
    size_t got, unread;
    int64_t sum;
    bool ended; /* by END_STREAM */
    /* leaving */
    size_t at, n;
    bool trailers, waits; /* with the body, for word from the other side */
    bool deferred, cuts;  /* ends behind `n` octets without END_STREAM */
    bool begun, sent_end; /* begun: an answer's head */
    bool gone;            /* closed, or of no interest any more */
    struct event later;
};

struct h2peer_ops {
    int way_in;                                                /* BODY_UP: a backend's */
    void (*head)(struct h2stream *s, const struct h2block *b); /* informational ones, too */
    void (*whole)(struct h2stream *s);
    void (*closed)(struct h2stream *s, uint32_t code); /* not told of those that are `gone` */
    void (*cut)(struct h2stream *s);                   /* all of what is sent of it has left */
};

struct h2manner {
    uint32_t window, max_streams;
    uint32_t table;     /* SETTINGS_HEADER_TABLE_SIZE */
    uint64_t drinks_ns; /* reads bodies only so often; 0: at once */
    uint32_t stutter;   /* per mille of DATA frames before which it pauses */
    uint32_t pads;      /* per mille of frames with padding */
    uint32_t hasty;     /* opens so many streams before it knows the limit; 0: 100 */
};

struct h2peer {
    struct peer *peer;
    const struct h2peer_ops *ops;
    struct h2manner manner;
    nghttp2_session *session;
    struct h2stream *streams;
    struct h2block block;
    uint32_t open;
    struct text behind;    /* raw octets for behind the frame that is being sent */
    size_t cut_left;       /* octets that still leave before it dies */
    bool heard, goaway;    /* an octet arrived; either side said GOAWAY */
    bool spoilt, finishes; /* FIN behind all that is asked for */
    bool ponged;           /* h2peer_ping was answered */
    struct event drink, resume;
    void *owner;
};

void h2peer_begin(struct h2peer *h, struct peer *p, const struct h2peer_ops *ops,
                  const struct h2manner *m);
void h2peer_end(struct h2peer *h); /* takes NULL */
void h2peer_input(struct h2peer *h, struct str octets);
/* What the session has to say goes to the peer; call behind each submission. */
void h2peer_pull(struct h2peer *h);
void h2peer_raw(struct h2peer *h, struct str octets);
void h2peer_spoil(struct h2peer *h); /* a frame that no side may send */
void h2peer_ping(struct h2peer *h);
/* A change of SETTINGS. */
void h2peer_settings(struct h2peer *h, uint32_t id, uint32_t value);
struct h2stream *h2stream_new(struct h2peer *h, struct rq *r);
/* The body that leaves: `n` octets; nothing to call where there is none. */
nghttp2_data_provider h2stream_content(struct h2stream *s, size_t n, bool trailers);
void h2stream_go_on(struct h2stream *s); /* it waits no longer */
void h2stream_reset(struct h2stream *s, uint32_t code);
