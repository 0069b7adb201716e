/*
 * proxy/request - one request on its way through a worker: the driver of struct stream.
 *
 * request.c has its life and its one task; edge.c what the gateway changes in heads;
 * chain.c runs the filters; attempt.c tries upstreams; pump.c moves bodies; reply.c answers
 * from here. Everything runs in the request's task; legs and timers only wake it.
 *
 *   HEAD -> FILTERS <-> WAITING -> UPSTREAM -> RESPONSE -> DONE
 *             |                      |
 *             +------> RESPONSE <----+   (a local reply)
 *
 * The struct lies in the arena that the downstream leg gave; request_end frees it.
 */
#pragma once

#include "codec/grpc_count.h"
#include "filter/filter.h"
#include "proxy/claim.h"
#include "proxy/decide.h"
#include "proxy/downstream.h"
#include "telemetry/record.h"

enum request_state {
    REQUEST_HEAD,     /* nothing decided yet */
    REQUEST_FILTERS,  /* request hooks run */
    REQUEST_WAITING,  /* a request hook said FLOW_WAIT */
    REQUEST_UPSTREAM, /* an attempt is under way, no response head went down */
    REQUEST_RESPONSE, /* the response head went down */
    REQUEST_DONE
};

/* A filter that has something to do for this request. */
struct filter_run {
    const struct filter_kind *kind;
    const void *config; /* parsed: its own, or the most specific override */
    void *state;
    uint32_t place; /* in the manager's list */
};

#define REQUEST_TRIED_MAX 8
#define REQUEST_HELD_MAX 5

struct request {
    struct stream s;
    struct timer try_timer; /* of one try, or the pause before one; where has_try_timer */
    bool has_try_timer, try_due;
    struct worker *worker;
    struct downstream *conn;
    struct root_hold *hold; /* NULL once the root was traded for `held` */
    uint32_t held_n;
    struct leg *down, *up; /* NULL once released */
    uint8_t state;         /* enum request_state */
    bool traded, timed_out, retry_due, is_replied, is_broken, response_waits;

    struct filter_run *filters;
    uint32_t filter_count;
    uint32_t filter_at;          /* the next request hook */
    uint32_t response_filter_at; /* one above the next response hook */
    bool has_body_hooks;
    bool has_overrides; /* destination, route or virtual host set some filter's config */

    /* upstream */
    const struct cluster *cluster;
    const struct endpoint *endpoint;
    uint32_t tried_n, retries;
    uint32_t moved; /* tries that a GOAWAY turned away before they were processed */
    bool can_replay;
    bool mirrored;
    bool counted_active; /* in endpoint->live */
    enum err open_error;
    struct shadow *shadows; /* its copies under way (proxy/shadow.h) */
    struct grpc_count request_messages, response_messages; /* of gRPC */

    /* a local reply */
    struct str reply_body;

    struct record record;

    /* All above is zeroed for a new request, but for the record's addresses; all below is not. */
    struct task task;
    struct timer timer; /* route timeout */
    struct claim claim; /* on the cluster's limits */
    struct bufq replay; /* the request body so far, while it may be sent again */
    const struct endpoint *tried[REQUEST_TRIED_MAX];
    struct part *held[REQUEST_HELD_MAX];
};
#define REQUEST_ZEROED offsetof(struct request, record.downstream_local)

/* A request arrived (or cannot be read: leg->fail). Owns the leg and its arena from now on. */
void request_begin(struct worker *w, struct downstream *d, struct http_conn *conn, struct leg *leg);

/* Trades the root of a stream that began before `ns` for references to the parts it uses,
 * unless it began with the current root. */
void request_trade_root(struct stream *s, uint64_t ns);

/* Where look-ups go: the root the request started with; once that was traded, the one that
 * is current at the first look-up after. */
const struct root *request_root(struct request *r);

static inline struct request *request_of(struct stream *s)
{
    return CONTAINER_OF(s, struct request, s);
}

static inline void request_set_state(struct request *r, enum request_state state)
{
    MUST(state > r->state || (r->state == REQUEST_WAITING && state == REQUEST_FILTERS));
    r->state = (uint8_t)state;
}

void request_note(struct stream *s, uint32_t flags); /* stream_ops.note */

/* ---- edge.c ---- */

/* Brings the request into the one form that routing, filters and the backend see, makes it
 * the gateway's own, and chooses virtual host and route. False: it was answered (400, 403, 421). */
MUST_USE bool edge_request(struct request *r);
/* Chooses them anew. False: it was answered (421). */
MUST_USE bool edge_reroute(struct request *r);
void refuse_send(struct request *r, const struct refusal *why);
void edge_response(struct request *r);

/* ---- chain.c ---- */

/* Lists the filters that have something to do for the route that was chosen; those whose request
 * hook has run stay as they are. */
void chain_choose(struct request *r);
/* Runs request hooks from filter_at on. */
void chain_request_head(struct request *r);
/* Runs the response hooks that are left; true when the head may go down. */
MUST_USE bool chain_response_head(struct request *r);
void chain_response_info(struct request *r, struct head *info);
void chain_body(struct request *r, bool is_response, struct bufq *octets, bool end);
void chain_trailers(struct request *r, bool is_response, struct headers *trailers);
void chain_done(struct request *r);

/* ---- attempt.c ---- */

/* In the arena, or lent for good. */
struct str decimal_text(struct arena *a, uint64_t v);

void attempt_forward(struct stream *s); /* stream_ops.forward */
void attempt_start(struct request *r);
/* It stood in line for a connection, and now it is its turn. */
void attempt_turn(struct request *r);
/* Lets go of the upstream leg. */
void attempt_end(struct request *r);
/* The upstream leg has failed: retry, answer, or break the response off. */
void attempt_failed(struct request *r);
/* Its timer has fired: the pause is over, or the try took too long. */
void attempt_due(struct request *r);
/* All of the request is on its way: the try's time runs. */
void attempt_sent(struct request *r);
/* A response head is there. True: it is not passed on, another try comes. */
MUST_USE bool attempt_rejects(struct request *r);
/* Has octets of the request gone by that may be needed again? Keeps them. */
void attempt_keep(struct request *r, const struct bufq *octets);

/* ---- pump.c ---- */

void pump_request(struct request *r);
void pump_response(struct request *r);

/* ---- reply.c ---- */

void reply_send(struct stream *s, uint16_t status, struct str body, const char *details,
                uint32_t flags);                                       /* stream_ops.reply */
void reply_answer(struct stream *s, const struct stream_answer *what); /* stream_ops.answer */
/* The same with headers of its own besides. */
void reply_with(struct request *r, uint16_t status, struct str body, const char *details,
                uint32_t flags, const struct headers *extra);
/* Breaks a response off that has begun; the client sees that it is not whole. */
/* The client takes no head of that size (the leg's LEG_TOO_LARGE), which was not sent. */
void reply_instead(struct request *r);
void reply_break(struct request *r, const char *details, uint32_t flags);
