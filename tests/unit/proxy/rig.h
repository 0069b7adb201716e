/*
 * tests/unit/proxy/rig - a worker with a snapshot built by hand, a scripted backend and a
 * raw client: the data plane without manifests.
 */
#pragma once

#include "proxy/worker.h"
#include "unit/check.h"

#include <pthread.h>

/* Answers each request head as its path says; see answer() in rig.c. */
struct backend {
    int fd;
    uint16_t port;
    pthread_t thread;
    _Atomic bool stop;
    char seen[65536]; /* the last request head, for one connection at a time */
};

/* Zero it; `filter`, `hooks` and `max_body` may be set before rig_start. */
struct rig {
    struct backend backend;
    struct slots *slots;
    struct worker *worker;
    uint16_t port;
    const char *filter; /* the kind of one more filter, before the router */
    const struct part_hooks *hooks;
    uint64_t max_body; /* octets; 0: no limit */
};

extern const struct part_hooks rig_hooks;

void rig_start(struct rig *r, bool with_backend);
void rig_stop(struct rig *r, bool with_backend);
int rig_client(const struct rig *r); /* a connected blocking socket, 5 s patience */

bool send_text(int fd, const char *text);
/* Sends (unless empty), then reads until `until` has arrived or the other side ends. */
struct str talk(int fd, const char *request, const char *until);
bool has(struct str text, const char *part);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.test\r\n\r\n"
