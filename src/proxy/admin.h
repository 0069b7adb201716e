/*
 * proxy/admin - the service ports of a running program: admin pages, health, metrics
 * (surface.md 2.4).
 *
 * Lives on one loop, main's, and asks the program through struct admin_host, on that loop's
 * thread. GETs change nothing; what does is a POST with a loopback Host and no foreign
 * Origin. Keys never leave. Pages that are not built yet answer 501 and say which.
 */
#pragma once

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "event/loop.h"
#include "model/root.h"

enum admin_port { ADMIN_PAGES, ADMIN_HEALTH, ADMIN_METRICS, ADMIN_PORTS };

enum admin_state { ADMIN_STARTING, ADMIN_LIVE, ADMIN_DRAINING };

struct tally;  /* base/tally.h */
struct worker; /* proxy/worker.h */

/* GET /explain?method=&url=&header=...: what is asked; strings live in `arena`. */
struct admin_question {
    const struct root *root;
    struct str method, url;    /* method empty: GET */
    const struct str *headers; /* "name: value" */
    size_t header_count;
    bool json;
    struct arena *arena;
};

/* POST /drain_listeners: listeners close at once, after the drain's least time (?graceful), or
 * not at all (?graceful&skip_exit: clients are only told to go). */
enum admin_drain { ADMIN_DRAIN_AT_ONCE, ADMIN_DRAIN_GRACEFUL, ADMIN_DRAIN_TELL };

#define ADMIN_MEMORY_ROWS 8

/* The program, as the pages see it. Members that are NULL make their page answer 501. */
struct admin_host {
    /* The first configuration serves: LIVE; no drain has begun. */
    enum admin_state (*state)(void *arg);
    /* What the workers serve; borrowed for the call, NULL before the first. */
    const struct root *(*root)(void *arg);
    /* Writes the answer. False: the question is wrong, and `out` says why. */
    bool (*explain)(void *arg, const struct admin_question *q, struct buf *out,
                    bool *ret_is_answered);
    void (*drain_listeners)(void *arg, enum admin_drain how);
    void (*quit)(void *arg);        /* POST /quitquitquit: may return before it is done */
    void (*reopen_logs)(void *arg); /* POST /reopen_logs */
    /* What the configuration takes; how many rows. */
    size_t (*memory)(void *arg, struct tally ret[ADMIN_MEMORY_ROWS]);
    /* The workers, counted from 0; NULL: no such one. */
    struct worker *(*worker)(void *arg, size_t i);
    /* The level of this process's log was set; others may have to follow. May be NULL. */
    void (*log_level)(void *arg, enum log_level level);
    void *arg;
};

struct admin;

struct admin *admin_new(struct loop *loop, const struct admin_host *host);
/* Stops listening and ends all connections; runs the loop for that. Takes NULL. */
void admin_free(struct admin *a);

/* Serves a listening socket, which is taken over also when it fails. */
MUST_USE enum err admin_serve(struct admin *a, enum admin_port which, int take_fd);
