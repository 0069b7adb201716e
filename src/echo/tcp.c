/*
 * echo/tcp - sends octets back to where they came from, with back-pressure.
 */
#include "echo/serve_int.h"

#include <stdlib.h>

#define ECHO_TCP_OCTETS 16384
#define ROUNDS_PER_TURN 16

struct echo_tcp {
    struct task task;
    struct transport *transport;
    struct echo_conn *conn;
    bool eof, closing;
    size_t at, n; /* octets[at, n) wait to go back */
    char octets[ECHO_TCP_OCTETS];
};

static void tcp_end(struct echo_tcp *t, bool reset)
{
    struct echo_conn *conn = t->conn;

    transport_close(t->transport, reset);
    task_cancel(&t->task);
    free(t);
    echo_conn_gone(conn);
}

/* Octets moved, 0 at the end of what there is, below 0: an error. */
static ssize_t tcp_write(struct echo_tcp *t)
{
    struct iovec iov = { t->octets + t->at, t->n - t->at };
    ssize_t sent = t->transport->ops->writev(t->transport, &iov, 1);

    if (sent == -ERR_AGAIN)
        return 0;
    if (sent > 0)
        t->at += (size_t)sent;
    return sent;
}

static ssize_t tcp_read(struct echo_tcp *t)
{
    ssize_t got;

    if (t->eof || t->transport->read_drained)
        return 0;
    got = t->transport->ops->read(t->transport, t->octets, sizeof(t->octets));
    if (got == -ERR_AGAIN)
        return 0;
    if (got == -ERR_EOF) {
        t->eof = true;
        return 1; /* something changed */
    }
    if (got > 0) {
        t->at = 0;
        t->n = (size_t)got;
    }
    return got;
}

static bool tcp_is_open(struct echo_tcp *t)
{
    struct transport *tr = t->transport;

    if (tr->state == TRANSPORT_OPENING)
        tr->state = tr->ops->advance(tr);
    return tr->state == TRANSPORT_OPEN;
}

static void tcp_run(struct task *task)
{
    struct echo_tcp *t = CONTAINER_OF(task, struct echo_tcp, task);
    ssize_t moved = 1;

    if (t->closing || (!tcp_is_open(t) && t->transport->state == TRANSPORT_FAILED)) {
        tcp_end(t, true);
        return;
    }
    if (t->transport->state == TRANSPORT_OPENING)
        return;
    for (int round = 0; moved > 0 && round < ROUNDS_PER_TURN; round++) {
        moved = t->at < t->n ? tcp_write(t) : tcp_read(t);
        if (moved > 0 && t->eof && t->at == t->n) {
            tcp_end(t, false);
            return;
        }
    }
    if (moved < 0)
        tcp_end(t, true);
    else if (moved > 0)
        task_wake(task);
}

bool echo_tcp_start(struct echo_conn *c, struct transport *take_transport)
{
    struct echo_tcp *t = must_alloc(sizeof(*t));

    t->transport = take_transport;
    t->conn = c;
    c->tcp = t;
    task_init(&t->task, c->listener->server->loop, tcp_run);
    take_transport->task = &t->task;
    task_wake(&t->task);
    return true;
}

void echo_tcp_close(struct echo_tcp *t)
{
    t->closing = true;
    task_wake(&t->task);
}
