/*
 * proxy/admin_int - the admin pages' inside: ports, one request and its answer, the table.
 *
 * admin.c carries requests and answers; admin_pages.c has the table and the small pages;
 * admin_walk.h goes through the snapshot for those that show it.
 */
#pragma once

#include "base/buf.h"
#include "http/conn.h"
#include "net/listen.h"
#include "net/net.h"
#include "proxy/admin.h"

#define ADMIN_BODY_MAX (1u << 30)

struct admin_service {
    struct http_server http;
    struct acceptor acceptor;
    struct admin *admin;
    uint8_t which; /* enum admin_port */
    bool is_open;
};

struct admin {
    struct loop *loop;
    struct admin_host host;
    struct http_pools *pools;
    struct net *net;
    struct http_settings settings;
    struct admin_service services[ADMIN_PORTS];
    struct list conns; /* struct admin_conn */
    bool failed;       /* POST /healthcheck/fail */
    uint64_t started_ms;
};

struct admin_page;

/* One request and its answer. */
struct admin_call {
    struct admin *admin;
    const struct admin_page *page;
    const struct head *request;
    struct str path, query; /* of the target; the query STR_NONE without */
    struct arena *arena;
    uint16_t status;
    const char *type;    /* Content-Type */
    struct str allow;    /* 405: the methods */
    struct str answered; /* X-Lateen-Answered of /explain; STR_NONE: none */
    struct buf body;
    /* A page that is made in pieces sets these: `more` appends the next one to `body` (which
     * holds nothing else then), in a fraction of a millisecond; false: that was all. `end`
     * lets go of `page_state`; it is called once, whatever becomes of the answer. */
    bool (*more)(struct admin_call *c);
    void (*end)(struct admin_call *c);
    void *page_state;
    bool waits; /* set by `more`: for others, so ask again a little later */
    /* Called when the answer has left: what ends the program must not cut it off. */
    void (*after)(struct admin *a);
};

struct admin_page {
    struct str path;
    uint8_t port;   /* enum admin_port */
    bool is_change; /* POST only */
    const char *help;
    void (*answer)(struct admin_call *c); /* NULL: not built yet */
};

extern const struct admin_page admin_pages[];
extern const size_t admin_page_count;

/* Answers: sets status, type and body. */
void admin_answer(struct admin_call *c, enum admin_port port);
/* A text of one line. */
void admin_say(struct admin_call *c, uint16_t status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The query's parameter, %XX decoded; STR_NONE without. */
struct str admin_param(const struct admin_call *c, struct str name);
bool admin_has_param(const struct admin_call *c, struct str name); /* "?name", "?name=..." */
/* %XX and "+" decoded, in the call's arena. */
struct str admin_decode(const struct admin_call *c, struct str raw);
bool admin_wants_json(const struct admin_call *c); /* ?format=json */
/* What the workers serve; NULL: nothing yet, and the page was answered. */
const struct root *admin_root(struct admin_call *c);
enum admin_state admin_state_of(const struct admin *a);

const char *admin_state_name(const struct admin *a); /* "LIVE" */

/* admin_state.c */
void admin_server_info(struct admin_call *c);
void admin_memory(struct admin_call *c);
void admin_logging(struct admin_call *c);
void admin_logging_show(struct admin_call *c);

/* admin_connections.c */
void admin_connections(struct admin_call *c);

/* admin_show.c, admin_dump.c */
void admin_show_listeners(struct admin_call *c);
void admin_show_clusters(struct admin_call *c);
void admin_show_certs(struct admin_call *c);
void admin_show_dump(struct admin_call *c);

/* admin_explain.c */
void admin_explain(struct admin_call *c);
