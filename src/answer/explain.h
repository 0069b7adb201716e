/*
 * answer/explain - the decision for one request, and where each part of it is written.
 *
 * Walks listener, chain, host, route and destinations by the data plane's own functions
 * (proxy/decide.h, route/route.h): there is no second implementation. What is found borrows
 * from the root and lives in the arena given.
 */
#pragma once

#include "answer/ask.h"
#include "base/buf.h"
#include "proxy/decide.h"

enum explain_kind {
    EXPLAIN_CLOSED,   /* no answer: nobody listens, or the handshake fails */
    EXPLAIN_REFUSED,  /* answered by the gateway for want of something */
    EXPLAIN_DIRECT,   /* a route's own answer */
    EXPLAIN_REDIRECT, /* likewise */
    EXPLAIN_FORWARD   /* by a backend */
};

/* Where it was decided. */
enum explain_stage {
    STAGE_LISTENER,
    STAGE_CERTIFICATE,
    STAGE_REQUEST,
    STAGE_HOST,
    STAGE_ROUTE,
    STAGE_DESTINATION
};

/* One thing that was decided, or that nearly was. */
struct explain_step {
    const char *name; /* "listener", "certificate", "host", "route"; misses: NULL */
    struct str text;
    const struct origin *origin; /* NULL: nowhere */
    struct str field;            /* continues origin->path: ".uri"; or STR_NONE */
};

struct explain_list {
    struct explain_step *v;
    size_t n, cap;
    size_t left_out;
};

struct explain_endpoint {
    const struct endpoint *endpoint;
    const struct origin *origin;
};

struct explain_target {
    const struct destination *destination;
    const struct cluster *cluster; /* NULL: there is none of that name */
    const struct hosts *hosts;
    const struct origin *origin, *cluster_origin;
    double percent;
    const struct refusal *refused; /* NULL: it is sent there */
    struct explain_endpoint *endpoints;
    size_t endpoint_count;
};

struct explanation {
    const struct ask *ask;
    const struct root *root;
    struct arena *arena;
    enum explain_kind kind;
    enum explain_stage stage;
    uint16_t status; /* 0: closed, or the backend's */
    uint32_t flags;
    const char *details;
    struct str text;  /* "no route matches", "to https://..." */
    bool is_answered; /* by a route: exit code 0 */
    const struct listener *listener;
    struct decision decision;
    struct addr peer;
    struct rng rng;
    struct explain_list steps, misses;
    struct explain_target *targets;
    size_t target_count;
};

/* The answer to `q` as of `root`; all of it lives in `a`. */
struct explanation *explain(const struct root *root, const struct ask *q, struct arena *a);

/* Adds what the manifests say of a host that is not served; for explanations from files. */
struct mesh;
void explain_claims(struct explanation *x, const struct mesh *m);
/* Adds the rules behind the one that won that the compiler left out; likewise. */
struct notes;
void explain_unreached(struct explanation *x, const struct notes *notes);

void explain_text(const struct explanation *x, struct buf *b);
void explain_json(const struct explanation *x, struct buf *b);
const char *explain_kind_name(enum explain_kind kind);
const char *explain_stage_name(enum explain_stage stage);

/* ---- misses.c: what nearly was ---- */

void misses_listener(struct explanation *x);
void misses_certificate(struct explanation *x);
void misses_host(struct explanation *x);
void misses_route(struct explanation *x);
void misses_target(struct explanation *x, const struct explain_target *t);

/* ---- words.c ---- */

void explain_add(struct explanation *x, struct explain_list *to, const struct part *p, origin_id at,
                 struct explain_step step);
/* In the arena of `x`; NULL: none. */
const struct origin *origin_of(struct explanation *x, const struct part *p, origin_id at);
struct str words_listener(const struct listener *l, struct arena *a);
/* "path prefix "/x", header x-v "1""; "every request" */
struct str words_match(const struct route_match *m, struct arena *a);
/* Why a rule does not hold, and the field that says so. */
struct route_miss;
struct str words_miss(const struct explanation *x, const struct route_match *m,
                      struct route_miss miss, struct str *ret_field);
/* "hedgus-app.hedgus.svc.cluster.local port 80, subset v1" */
struct str words_cluster(struct str name, struct arena *a);
/* "outbound|80|v1|host"; false: another form. */
struct cluster_words {
    struct str port, subset, host;
};
MUST_USE bool cluster_split(struct str name, struct cluster_words *ret);
