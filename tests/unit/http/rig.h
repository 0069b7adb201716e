/*
 * tests/unit/http/rig - a client and a server connection joined by a pipe, of either version,
 * with exchanges that do what their path says. Time is the rig's: nothing waits.
 *
 * Paths: /echo sends the body back as it comes, with its trailers; /size/N sends N octets;
 * /early answers without reading; /never does not answer; /hold does not read until `hold`
 * is cleared, then as /echo; /break sends half and breaks off; /release lets go at once;
 * /hints sends two 103 before; /big sends a head that no limit lets pass; /heavy one of 2,000
 * octets, and 502 where the client takes none so large; /upgrade says 501 where it is asked to be
 * something else.
 */
#pragma once

#include "http/conn.h"
#include "net/pipe.h"

#define RIG_CALLS 150

struct rig;

/* A client's exchange. */
struct call {
    struct task task;
    struct rig *rig;
    struct leg *leg;
    struct arena *arena;
    struct head *head;
    size_t to_send, sent, got;
    uint32_t sum; /* of what came */
    bool paused;  /* takes nothing */
    bool started, done;
    uint8_t fail;
    uint16_t status;
    uint32_t infos;
    bool trailers;
};

struct rig {
    struct loop *loop;
    uint64_t now_ns;
    struct http_pools *pools;
    struct http_settings settings;
    struct http_server server;
    struct http_client client;
    struct transport *a, *b; /* the client's end, the server's */
    struct http_conn *up, *down;
    enum http_version version;
    struct call calls[RIG_CALLS];
    uint32_t n;
    uint32_t requests, bad_requests, closed, changed;
    uint16_t bad_status;
    uint32_t counts[H2_COUNTS], client_counts[H2_COUNTS];
    size_t served;      /* octets of bodies that exchanges of the server took */
    uint32_t exchanges; /* of the server, alive */
    bool hold;
};

void rig_init(struct rig *r, enum http_version version);
/* Ends all and proves that nothing is left. */
void rig_fini(struct rig *r);
/* The same, the client's side by hand: octets through r->a. */
void rig_init_raw(struct rig *r);
/* The same, the server's side by hand: octets through r->a; r->b is the client's end. */
void rig_init_raw_server(struct rig *r);
struct call *rig_call(struct rig *r, const char *method, const char *path, size_t body);
void call_release(struct call *c);
/* Turns of the loop, or until nothing moves. */
void rig_turns(struct rig *r, int n);
void rig_settle(struct rig *r);
