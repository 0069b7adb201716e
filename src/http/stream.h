/*
 * http/stream - one request and its response on their way through the proxy, as filters,
 * routing and telemetry see it: heads, decisions and a few verbs, never a socket.
 *
 * Lives in its arena, which goes with it. Whoever waits for something keeps a
 * stream_handle, never a pointer (design 5.14). The driver is proxy/request.c.
 */
#pragma once

#include "base/rng.h"
#include "event/loop.h"
#include "http/message.h"
#include "http/response_flag.h"
#include "model/root.h"

struct record; /* telemetry/record.h */
struct stream;
struct streams; /* the worker's table of live streams */

struct stream_handle {
    uint32_t slot, generation;
};

/* An answer from here. */
struct stream_answer {
    uint16_t status;
    uint32_t flags;      /* enum response_flag */
    const char *details; /* response code details; a literal */
    struct str body;
    const struct headers *headers; /* besides; NULL: none. A grpc-status goes to gRPC clients */
    bool is_sealed;                /* operations of manifests leave its headers alone */
};

struct stream_ops {
    /* Answers from here: the response runs back through the filters before the caller's.
     * `details` is a literal. Nothing is sent upstream any more. */
    void (*reply)(struct stream *s, uint16_t status, struct str body, const char *details,
                  uint32_t flags);
    /* The same, with more to say. */
    void (*answer)(struct stream *s, const struct stream_answer *a);
    /* Notes what a filter has done to the request, at once: flags of enum response_flag. */
    void (*note)(struct stream *s, uint32_t flags);
    /* Goes on behind the filter that said FLOW_WAIT. */
    void (*go_on)(struct stream *s);
    /* The router's part: picks destination and endpoint and sends the request upstream. */
    void (*forward)(struct stream *s);
};

struct stream {
    const struct stream_ops *ops;
    struct arena *arena;
    struct loop *loop;
    struct rng *rng;
    struct streams *table;
    struct stream_handle handle;

    const struct root *root; /* one of its own: what the request started with (design 5.1) */
    const struct listener *listener;
    const struct chain *chain;
    const struct vhost *vhost; /* NULL: none */
    const struct route *route; /* NULL: none */
    const struct destination *destination;

    struct head *request;   /* may be changed until it is sent upstream */
    struct head *response;  /* may be changed until it is sent down; NULL before it is there */
    struct str path, query; /* of the request, normalised */
    bool is_local_reply, is_sealed; /* the response is one from here; see stream_answer */
    struct record *record;
};

/* The live stream of a handle, or NULL once it is gone. */
struct stream *stream_of(struct streams *table, struct stream_handle handle);

/* ---- for the driver ---- */

struct streams *streams_new(size_t max);
void streams_free(struct streams *t);
/* Enters `s` and sets its handle. False at the limit. */
MUST_USE bool stream_enter(struct streams *t, struct stream *s);
void stream_leave(struct stream *s);
size_t streams_count(const struct streams *t);
/* Visits each live stream; `visit` must not end any. */
void streams_each(struct streams *t, void (*visit)(struct stream *s, void *arg), void *arg);
