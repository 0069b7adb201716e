/*
 * tests/sim/client_h2 - virtual clients that speak HTTP/2: several requests at once, each with a
 * stream of its own.
 */
#include "sim/client.h"
#include "sim/h2peer.h"

#include <stdio.h>
#include <string.h>

static struct client *client_of(struct h2peer *h)
{
    return h->owner;
}

/* ---- answers ---- */

/* No stream is open and none will be: what is left goes over another connection. */
static void move_on(struct client *c)
{
    peer_close(&c->peer, false);
    client_drop(c);
    if (c->connections_left)
        event_in(&c->next, between(1, 500) * MS);
}

static void over(struct client *c)
{
    c->next_answer++;
    if (c->next_answer == c->n)
        client_is_through(c);
    else if (c->h2->goaway && c->next_answer == c->next_send)
        move_on(c);
    else if (!c->h2->goaway && !heap_has(&c->next.node))
        event_in(&c->next, c->think_ns ? between(1, c->think_ns) : 1);
}

static void answer_head(struct h2stream *s, const struct h2block *b)
{
    struct rq *r = s->rq;

    if (b->status < 200) {
        if (b->status == 100)
            h2stream_go_on(s);
        return;
    }
    r->poisoned |= b->poison;
    rq_head(r, b->status, b->id);
    HOLDS(!r->is_local || !r->grpc || b->status != 200 || b->grpc || r->poisoned,
          "request %u: 200 made here without a grpc-status", r->id);
}

static void answer_whole(struct h2stream *s)
{
    s->rq->down_got = s->got;
    rq_whole(s->rq, s->sum);
    if (!s->sent_end && chance(500)) /* what is left of the request is of no use */
        h2stream_reset(s, NGHTTP2_NO_ERROR);
    else if (!s->sent_end)
        h2stream_go_on(s);
    if (s->gone)
        over(client_of(s->of));
}

static void answer_closed(struct h2stream *s, uint32_t code)
{
    struct rq *r = s->rq;

    HOLDS(code != NGHTTP2_REFUSED_STREAM || r->arrivals == 0,
          "request %u is refused, and was at a backend", r->id);
    r->refused |= code == NGHTTP2_REFUSED_STREAM;
    rq_broken(r, nghttp2_http2_strerror(code));
    over(client_of(s->of));
}

static void answer_cut(struct h2stream *s)
{
    (void)s;
}

static const struct h2peer_ops ops = {
    .way_in = BODY_DOWN,
    .head = answer_head,
    .whole = answer_whole,
    .closed = answer_closed,
    .cut = answer_cut,
};

/* ---- requests ---- */

static void add(nghttp2_nv *nv, size_t *n, const char *name, const char *value)
{
    nv[(*n)++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value,
                               strlen(name), strlen(value), 0 };
}

/* It is cancelled, or its body is sent without a 100. */
static void stream_due(struct event *e)
{
    struct h2stream *s = CONTAINER_OF(e, struct h2stream, later);
    struct h2peer *h = s->of;
    struct client *c = client_of(h);

    if (s->waits) {
        h2stream_go_on(s);
    } else {
        s->rq->aborted |= !s->rq->whole;
        rq_broken(s->rq, "cancelled");
        h2stream_reset(s, chance(500) ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
        over(c);
    }
    if (c->connected && c->h2 == h)
        h2peer_pull(h);
}

static void request_send(struct client *c, struct rq *r)
{
    char path[24], id[16], length[24];
    struct h2stream *s = h2stream_new(c->h2, r);
    bool has_body = r->up_n || r->up_trailers;
    nghttp2_data_provider body = h2stream_content(s, r->up_n, r->up_trailers);
    nghttp2_nv nv[12];
    size_t n = 0;

    snprintf(path, sizeof(path), "/r/%u", r->id);
    snprintf(id, sizeof(id), "%u", r->id);
    snprintf(length, sizeof(length), "%zu", r->up_n);
    add(nv, &n, ":method", r->method);
    add(nv, &n, ":scheme", c->tls ? "https" : "http");
    add(nv, &n, ":authority", r->host);
    add(nv, &n, ":path", path);
    add(nv, &n, "x-id", id);
    if (r->up == BY_LENGTH && rq_has_body(r))
        add(nv, &n, "content-length", length);
    if (r->expect)
        add(nv, &n, "expect", "100-continue");
    if (r->grpc)
        add(nv, &n, "content-type", "application/grpc"), add(nv, &n, "te", "trailers");
    s->waits = r->expect;
    s->later.fire = stream_due;
    s->id = nghttp2_submit_request(c->h2->session, NULL, nv, n, has_body ? &body : NULL, s);
    MUST(s->id > 0);
    if (s->waits)
        event_in(&s->later, between(1, 1000) * MS);
    else if (chance(c->cancels))
        event_in(&s->later, between(0, 300) * MS);
}

void client_h2_send(struct client *c)
{
    struct h2peer *h = c->h2;

    while (c->next_send < c->n && c->next_send - c->next_answer < c->depth && !h->goaway) {
        struct rq *r = client_rq(c, c->next_send++);

        r->begun = true;
        r->sent_ns = sim.now_ns;
        SAY("request %u: %s, %zu octets", r->id, r->method, r->up_n);
        request_send(c, r);
    }
    h->finishes = c->next_send == c->n && c->half_closes;
    if (h->goaway && c->next_answer == c->next_send && c->next_send < c->n)
        move_on(c);
    else
        h2peer_pull(h);
}

/* ---- connections ---- */

/* Something that a client may do at any time, or may not. */
static void odd_due(struct event *e)
{
    struct client *c = CONTAINER_OF(e, struct client, odd);
    struct h2peer *h = c->h2;

    switch (below(c->rude ? 7 : 4)) {
    case 0:
        MUST(nghttp2_submit_ping(h->session, 0, NULL) == 0);
        break;
    case 1:
        h2peer_settings(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)between(1000, 100000));
        break;
    case 2:
        h2peer_settings(h, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, (uint32_t)below(8192));
        break;
    case 3: /* goes on sending, and reads nothing */
        c->peer.deaf_until = sim.now_ns + between(1, 3000) * MS;
        break;
    case 4:
        h->goaway = true; /* nghttp2 opens none behind its own, either */
        MUST(nghttp2_submit_goaway(h->session, 0, 0, 0, NULL, 0) == 0);
        break;
    case 5:
        h->cut_left = between_most(1, 3000, h->cut_left);
        break;
    default:
        h2peer_spoil(h);
        break;
    }
    h2peer_pull(h);
}

static void input(struct peer *p, struct str octets)
{
    h2peer_input(CONTAINER_OF(p, struct client, peer)->h2, octets);
}

static void drained(struct peer *p)
{
    struct client *c = CONTAINER_OF(p, struct client, peer);

    if (c->h2->cut_left == 0)
        client_aborts(&c->abort);
    else
        h2peer_pull(c->h2);
}

static void ended(struct peer *p, bool reset)
{
    client_lost(CONTAINER_OF(p, struct client, peer), reset ? "reset" : "closed");
}

void client_h2_peer(struct peer *p)
{
    p->input = input;
    p->drained = drained;
    p->ended = ended;
}

void client_h2_begin(struct client *c)
{
    struct h2manner m = {
        .window = c->window,
        .max_streams = 100,
        .table = chance(600) ? 4096 : (uint32_t)below(5000),
        .drinks_ns = c->peer.pace_ns,
        .stutter = chance(300) ? (uint32_t)below(200) : 0,
        .pads = chance(300) ? (uint32_t)below(500) : 0,
        .hasty = c->depth > 100 ? c->depth : 0,
    };

    c->h2 = ARENA_NEW(sim.arena, struct h2peer);
    h2peer_begin(c->h2, &c->peer, &ops, &m);
    c->h2->owner = c;
    c->odd.fire = odd_due;
    if (chance(300))
        event_in(&c->odd, between(1, 3000) * MS);
}
