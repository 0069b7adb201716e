#include "sim/client.h"

#include "sim/h1read.h"
#include "sim/h2peer.h"
#include "sim/kernel.h"

#include <string.h>

static void h1_send(struct client *c);
static void client_next(struct event *e);

static struct client *client_of(struct peer *p)
{
    return CONTAINER_OF(p, struct client, peer);
}

struct rq *client_rq(struct client *c, uint32_t i)
{
    return &requests[c->first + i];
}

bool client_is_done(const struct client *c)
{
    return !c->connected && !heap_has(&c->next.node);
}

/* ---- connections ---- */

void client_drop(struct client *c)
{
    c->connected = false;
    h2peer_end(c->h2);
    event_off(&c->odd);
    event_off(&c->abort);
    event_off(&c->next);
}

void client_is_through(struct client *c)
{
    if (c->stays)
        return;
    peer_finish(&c->peer);
    if (chance(500)) {
        peer_close(&c->peer, false);
        client_drop(c);
    }
}

void client_lost(struct client *c, const char *how)
{
    for (uint32_t i = 0; i < c->next_send; i++)
        rq_broken(client_rq(c, i), how);
    c->next_answer = c->next_send;
    peer_close(&c->peer, false);
    client_drop(c);
    if (c->next_send < c->n && c->connections_left)
        event_in(&c->next, between(1, 500) * MS);
}

void client_aborts(struct event *e)
{
    struct client *c = CONTAINER_OF(e, struct client, abort);

    SAY("c%u the client goes away", c->peer.end->id);
    for (uint32_t i = 0; i < c->next_send; i++) {
        client_rq(c, i)->aborted |= !client_rq(c, i)->whole;
        rq_broken(client_rq(c, i), "aborted");
    }
    peer_close(&c->peer, c->resets);
    client_drop(c);
}

static void h1_input(struct peer *p, struct str octets);
static void h1_ended(struct peer *p, bool reset);

static void client_connect(struct client *c)
{
    struct end *ours, *theirs;

    c->connections_left--;
    net_pair(&ours, &theirs);
    if (!kernel_knock(c->port, c->address, theirs)) {
        SAY("nobody listens on %u", c->port);
        client_drop(c);
        return;
    }
    c->connected = true;
    c->sent_here = false;
    c->peer = (struct peer){
        .pace_ns = c->peer.pace_ns, .piece = c->peer.piece, .input = h1_input, .ended = h1_ended
    };
    if (chance(200))
        c->peer.deaf_until = sim.now_ns + between(1, 3000) * MS;
    c->peer.tls = c->tls ? tls_new(c->http2) : NULL;
    c->held = (struct text){ 0 };
    c->h2 = NULL;
    if (c->http2)
        client_h2_peer(&c->peer);
    SAY("c%u client connects to %u, HTTP/%d", ours->id, c->port, c->http2 ? 2 : 1);
    peer_begin(&c->peer, ours);
    if (c->abort_ns)
        event_in(&c->abort, c->abort_ns);
    h1read_begin(c->reader, true);
    if (c->http2)
        client_h2_begin(c);
}

static void client_next(struct event *e)
{
    struct client *c = CONTAINER_OF(e, struct client, next);

    if (!c->connected)
        client_connect(c);
    if (!c->connected)
        return;
    if (c->h2)
        client_h2_send(c);
    else
        h1_send(c);
}

void client_begin(struct client *c, uint64_t delay_ns)
{
    c->reader = ARENA_NEW(sim.arena, struct h1read);
    c->next.fire = client_next;
    c->abort.fire = client_aborts;
    event_in(&c->next, delay_ns);
}

/* ---- HTTP/1 ---- */

static void request_write(struct client *c, const struct rq *r)
{
    struct text t = { 0 };

    text_say(&t, "%s /r/%u HTTP/1.%d\r\nHost: %s\r\nx-id: %u\r\n", r->method, r->id, !r->http10,
             r->host, r->id);
    if (r->up == BY_CHUNKS)
        text_say(&t, "transfer-encoding: chunked\r\n");
    else if (rq_has_body(r))
        text_say(&t, "content-length: %zu\r\n", r->up_n);
    if (r->is_last)
        text_say(&t, "connection: close\r\n");
    if (r->expect)
        text_say(&t, "expect: 100-continue\r\n");
    text_say(&t, "\r\n");
    if (r->expect) {
        peer_write(&c->peer, str_make(t.p, t.n));
        t.n = 0;
    }
    if (rq_has_body(r))
        text_body(&t, r, BODY_UP, r->up, r->up_n, r->up_trailers);
    if (r->expect)
        c->held = t;
    else
        peer_write(&c->peer, str_make(t.p, t.n));
}

static void held_send(struct client *c)
{
    struct text held = c->held;

    c->held = (struct text){ 0 };
    peer_write(&c->peer, str_make(held.p, held.n));
}

/* The last request on this connection. */
static bool has_said_goodbye(struct client *c)
{
    const struct rq *r = c->sent_here ? client_rq(c, c->next_send - 1) : NULL;

    return r && (r->is_last || r->http10);
}

static void h1_send(struct client *c)
{
    if (c->held.n)
        held_send(c);
    while (c->next_send < c->n && c->next_send - c->next_answer < c->depth && !c->held.n &&
           !has_said_goodbye(c)) {
        struct rq *r = client_rq(c, c->next_send++);

        c->sent_here = r->begun = true;
        r->sent_ns = sim.now_ns;
        SAY("request %u: %s, %zu octets", r->id, r->method, r->up_n);
        request_write(c, r);
    }
    if (c->held.n)
        event_in(&c->next, between(1, 1000) * MS);
    else if (c->next_send == c->n && c->half_closes)
        peer_finish(&c->peer);
}

static void h1_answered(struct client *c, struct rq *r)
{
    rq_whole(r, c->reader->head.sum);
    c->next_answer++;
    h1read_begin(c->reader, true);
    if (r->is_last || r->http10)
        return; /* the other side ends it */
    if (c->next_answer == c->n)
        client_is_through(c);
    else if (!heap_has(&c->next.node))
        event_in(&c->next, c->think_ns ? between(1, c->think_ns) : 1);
}

static void h1_head(struct client *c, struct rq *r)
{
    const struct h1head *h = &c->reader->head;

    if (h->status < 200) {
        if (h->status == 100 && c->held.n)
            held_send(c);
        h1read_begin(c->reader, true);
        return;
    }
    r->poisoned |= h->wrong; /* they met a request that was under way already */
    rq_head(r, h->status, h->id);
    /* who did not read all of the head does not know that it is HEAD */
    c->reader->no_body = rq_is(r, "HEAD") && h->status != 408;
}

static void h1_octets(struct rq *r, struct str octets)
{
    if (!r->is_local && !r->poisoned)
        body_check(r, BODY_DOWN, r->down_got, octets.p, octets.n);
    r->down_got += octets.n;
}

static void h1_input(struct peer *p, struct str octets)
{
    struct client *c = client_of(p);
    enum h1what what = H1W_DATA;
    struct str data;

    while (!p->dead && what != H1W_MORE) {
        struct rq *r = client_rq(c, c->next_answer);

        if (c->next_answer == c->next_send) {
            HOLDS(octets.n == 0, "octets that answer nothing: %.*s", (int)MIN(octets.n, 60),
                  octets.p);
            return;
        }
        what = h1read_next(c->reader, &octets, &data);
        HOLDS(what != H1W_BAD || r->poisoned, "request %u: the answer is no HTTP", r->id);
        if (what == H1W_HEAD)
            h1_head(c, r);
        else if (what == H1W_DATA)
            h1_octets(r, data);
        else if (what == H1W_END)
            h1_answered(c, r);
        else if (what == H1W_BAD)
            peer_close(p, true);
    }
}

static void h1_ended(struct peer *p, bool reset)
{
    struct client *c = client_of(p);

    if (!reset && c->next_answer < c->next_send && c->reader->step == H1R_CLOSE) {
        struct rq *r = client_rq(c, c->next_answer++);

        rq_whole(r, -1);
    }
    client_lost(c, reset ? "reset" : "closed");
}
