/*
 * tests/sim/traffic - the requests of a schedule: what is sent, what the backend makes of it,
 * and what has become of it. Each has an id; every octet of its bodies follows from the id.
 */
#pragma once

#include "sim/sim.h"

#include "base/str.h"

enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE };

/* What a backend does with a request that it was given. */
enum act {
    ACT_ANSWER,
    ACT_STALL,      /* answers later */
    ACT_CLOSE,      /* answers, and says that it closes */
    ACT_LEAVE,      /* answers and closes without a word */
    ACT_EARLY,      /* answers before the body is there */
    ACT_DIE_BEFORE, /* nothing, then the end */
    ACT_DIE_INSIDE, /* a part of the answer, then a reset */
    ACT_GARBAGE,    /* no HTTP */
    ACT_SURPLUS,    /* octets behind the answer */
    ACT_REFUSE,     /* HTTP/2: REFUSED_STREAM */
    ACT_RESET,      /* HTTP/2: RST_STREAM inside the answer */
    ACT_GOAWAY,     /* HTTP/2: answers, and takes no more */
    ACTS
};

enum { BODY_UP, BODY_DOWN };

struct rq {
    uint32_t id; /* index */
    const char *method, *host;
    size_t up_n, down_n; /* octets of the bodies */
    enum framing up, down;
    bool up_trailers, down_trailers, expect, http10, is_last, grpc;
    uint8_t infos;
    uint16_t status;
    enum act act;
    uint64_t stall_ns;
    uint32_t *at_once; /* of its connection: at backends, not answered; NULL: not counted */
    /* the client's side */
    bool begun, sent;        /* the whole of it was given to the network */
    bool aborted;            /* by the client: anything goes */
    bool has_head, is_local; /* of its response */
    uint16_t code;
    size_t down_got;
    bool whole, broken, refused; /* refused: told that it was not processed */
    uint64_t sent_ns, over_ns;
    /* the backend's side */
    uint32_t arrivals; /* at backends that did not refuse it */
    uint8_t cluster;   /* + 1, of the backend that has it and has not answered; 0: none */
    bool poisoned;     /* went out over a connection behind surplus octets that nobody could see */
};

extern struct rq *requests;
extern uint32_t request_count;
#define STREAMS_MAX 100 /* of a client: SETTINGS_MAX_CONCURRENT_STREAMS */
#define RQ_CLUSTERS 2
extern uint32_t rq_served[RQ_CLUSTERS]; /* requests at backends of each, not answered */
/* For id -1 or unknown: NULL. */
struct rq *request_at(int64_t id);

bool rq_is(const struct rq *r, const char *method);
/* Has it a body in its request; may it have one in its answer? */
bool rq_has_body(const struct rq *r);
bool rq_may_answer_body(const struct rq *r);
/* Octets [at, at + n) of a body. */
void body_fill(const struct rq *r, int way, size_t at, char *into, size_t n);
/* Do they have their place there? Fails otherwise. */
void body_check(const struct rq *r, int way, size_t at, const char *p, size_t n);

/* A request is over, for its client. */
/* `sum`: x-sum of its trailers, -1 without. */
void rq_whole(struct rq *r, int64_t sum);
void rq_broken(struct rq *r, const char *how);
/* The head of the response, as the client read it; id -1: made by the proxy. */
void rq_head(struct rq *r, uint16_t code, int64_t id);
/* A backend has the head; has answered, or forgets it; has all of the body. */
void rq_arrived(struct rq *r, uint32_t cluster);
void rq_left(struct rq *r);
void rq_arrived_whole(struct rq *r, size_t n, int64_t sum);

/* A text that grows in the schedule's arena. */
struct text {
    char *p;
    size_t n, cap, at;
};
void text_add(struct text *t, const char *p, size_t n);
void text_say(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A body of `n` octets framed as HTTP/1 does it, with its end. */
void text_body(struct text *t, const struct rq *r, int way, enum framing framing, size_t n,
               bool trailers);
