/*
 * tests/sim/backend_h2 - virtual backends that speak HTTP/2, to whoever begins with its preface.
 */
#include "sim/backend.h"
#include "sim/conf.h"
#include "sim/h2peer.h"

#include <stdio.h>
#include <string.h>

static void answer_due(struct event *e);

static struct backend *backend_of(const struct h2stream *s)
{
    return s->of->owner;
}

/* ---- requests ---- */

static void answer_begin(struct h2stream *s)
{
    uint64_t delay = s->rq->act == ACT_STALL ? s->rq->stall_ns : between(1, 3000) * 1000;

    if (s->later.fire)
        return;
    s->later.fire = answer_due;
    event_in(&s->later, delay);
}

static void request_head(struct h2stream *s, const struct h2block *b)
{
    struct rq *r = request_at(b->id);
    char path[24];

    snprintf(path, sizeof(path), "/r/%lld", (long long)b->id);
    HOLDS(r && rq_is(r, b->method) && strcmp(path, b->path) == 0 && strcmp(r->host, b->host) == 0,
          "a backend gets a request that nobody sent: %s %s of %s, id %lld", b->method, b->path,
          b->host, (long long)b->id);
    s->rq = r;
    if (!backend_of(s)->dies)
        event_off(&backend_of(s)->idle);
    if (r->act == ACT_REFUSE && chance(700)) {
        h2stream_reset(s, NGHTTP2_REFUSED_STREAM);
        return;
    }
    rq_arrived(r, backend_of(s)->number / HOST_STRIDE);
    if (r->act == ACT_EARLY)
        answer_begin(s);
}

static void request_whole(struct h2stream *s)
{
    rq_arrived_whole(s->rq, s->got, s->sum);
    answer_begin(s);
}

/* ---- answers ---- */

static void infos_send(struct h2stream *s)
{
    nghttp2_nv nv = { (uint8_t *)":status", (uint8_t *)"103", 7, 3, 0 };

    for (uint8_t i = 0; i < s->rq->infos; i++)
        MUST(nghttp2_submit_headers(s->of->session, 0, s->id, NULL, &nv, 1, NULL) == 0);
}

static size_t field(nghttp2_nv *nv, const char *name, const char *value)
{
    *nv = (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), 0 };
    return 1;
}

static void answer_send(struct h2stream *s)
{
    struct rq *r = s->rq;
    bool has_body = rq_may_answer_body(r) && (r->down_n || r->down_trailers);
    nghttp2_data_provider body = h2stream_content(s, r->down_n, r->down_trailers);
    char status[8], id[16], length[24];
    nghttp2_nv nv[6];
    size_t n = 0;

    s->begun = true;
    infos_send(s);
    snprintf(status, sizeof(status), "%u", r->status);
    snprintf(id, sizeof(id), "%u", r->id);
    snprintf(length, sizeof(length), "%zu", r->down_n);
    n += field(&nv[n], ":status", status);
    n += field(&nv[n], "x-id", id);
    if (r->down == BY_LENGTH && r->status != 204 && r->status != 304)
        n += field(&nv[n], "content-length", length);
    if (r->grpc)
        n += field(&nv[n], "content-type", "application/grpc");
    if (r->act == ACT_RESET) {
        s->cuts = has_body = true;
        s->n = rq_may_answer_body(r) ? below(r->down_n + 1) : 0;
    }
    SAY("request %u: the backend answers on stream %d, act %d", r->id, s->id, r->act);
    MUST(nghttp2_submit_response(s->of->session, s->id, nv, n, has_body ? &body : NULL) == 0);
}

/* The streams above one are as good as never sent: none of them was begun to be answered. */
static void goaway_send(struct h2stream *s)
{
    struct h2peer *h = s->of;
    int32_t last = chance(500) ? INT32_MAX : s->id;

    for (struct h2stream *o = h->streams; o; o = o->next) {
        if (o->id > last && (o->gone || o->begun))
            last = o->id;
    }
    if (last == INT32_MAX)
        last = nghttp2_session_get_last_proc_stream_id(h->session);
    for (struct h2stream *o = h->streams; o; o = o->next) {
        if (o->id <= last || o->gone || !o->rq)
            continue;
        SAY("request %u: was not looked at", o->rq->id);
        o->gone = true;
        event_off(&o->later);
        o->rq->arrivals--;
        rq_left(o->rq);
    }
    SAY("c%u GOAWAY, %d was the last", h->peer->end->id, last);
    backend_of(s)->leaves = backend_of(s)->has_gone = true;
    MUST(nghttp2_submit_goaway(h->session, 0, last, 0, NULL, 0) == 0);
    h2peer_ping(h);
}

/* That no more is wanted, and a PING: what was under way has arrived when it is answered. */
static void goodbye(struct backend *b)
{
    if (b->leaves)
        return;
    b->leaves = true;
    MUST(nghttp2_submit_shutdown_notice(b->h2->session) == 0);
    h2peer_ping(b->h2);
}

static void answer_due(struct event *e)
{
    struct h2stream *s = CONTAINER_OF(e, struct h2stream, later);
    struct h2peer *h = s->of;
    struct backend *b = backend_of(s);

    if (s->cuts) { /* the rest of ACT_RESET */
        static const uint32_t codes[] = { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL,
                                          NGHTTP2_ENHANCE_YOUR_CALM };

        rq_left(s->rq);
        h2stream_reset(s, codes[below(LEN(codes))]);
        h2peer_pull(h);
        return;
    }
    if (s->rq->act == ACT_DIE_BEFORE) {
        backend_close(b, chance(500));
        return;
    }
    if (s->rq->act == ACT_GARBAGE)
        h2peer_spoil(h);
    if (s->rq->act == ACT_DIE_INSIDE)
        h->cut_left = between_most(1, 9 * 4 + s->rq->down_n, h->cut_left);
    answer_send(s);
    if (s->rq->act == ACT_GOAWAY)
        goaway_send(s);
    else if (s->rq->act == ACT_CLOSE)
        goodbye(b);
    h2peer_pull(h);
}

static void answer_cut(struct h2stream *s)
{
    s->later.fire = answer_due;
    event_in(&s->later, between(1, 20) * MS);
}

/* An answer behind the answer, which nobody may get. */
static void surplus_send(struct h2stream *s)
{
    static const char frames[] = "\0\0\x0c\1\4\0\0\0\0\x88\0\7x-never\1\x31"
                                 "\0\0\5\0\1\0\0\0\0wrong";
    char octets[sizeof(frames) - 1];

    memcpy(octets, frames, sizeof(octets));
    octets[7] = octets[7 + 9 + 12] = (char)(s->id >> 8);
    octets[8] = octets[8 + 9 + 12] = (char)s->id;
    s->of->spoilt = true;
    text_add(&s->of->behind, octets, sizeof(octets));
}

/* Both sides are through with it, or the other side has reset it. */
static void stream_closed(struct h2stream *s, uint32_t code)
{
    struct backend *b = backend_of(s);

    if (!s->rq)
        return;
    rq_left(s->rq);
    if (s->rq->act == ACT_SURPLUS && code == 0)
        surplus_send(s);
    if (s->rq->act == ACT_LEAVE)
        b->dies = true, event_in(&b->idle, between(1, 5) * MS);
    else if (s->of->open == 0 && chance(manners.idle_closes))
        event_in(&b->idle, between(1, 3000) * MS);
}

static const struct h2peer_ops ops = {
    .way_in = BODY_UP,
    .head = request_head,
    .whole = request_whole,
    .closed = stream_closed,
    .cut = answer_cut,
};

/* ---- connections ---- */

static void odd_due(struct event *e)
{
    struct backend *b = CONTAINER_OF(e, struct backend, odd);
    struct h2peer *h = b->h2;

    switch (b->stalls ? 1 : below(manners.changes ? 5 : 3)) {
    case 0:
        MUST(nghttp2_submit_ping(h->session, 0, NULL) == 0);
        break;
    case 1:
        h2peer_settings(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)between(1000, 100000));
        break;
    case 2:
        h2peer_settings(h, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, (uint32_t)below(8192));
        break;
    case 3: /* all wait until it is another */
        b->stalls = true;
        h2peer_settings(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
        event_in(e, between(1, 500) * MS);
        break;
    default:
        h2peer_settings(h, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)between(1, 10));
        break;
    }
    h2peer_pull(h);
}

void backend_h2_begin(struct backend *b)
{
    struct h2manner m = {
        .window = manners.window,
        .max_streams = manners.max_streams,
        .table = chance(600) ? 4096 : (uint32_t)below(5000),
        .drinks_ns = b->peer.pace_ns,
        .stutter = chance(300) ? (uint32_t)below(200) : 0,
        .pads = chance(300) ? (uint32_t)below(500) : 0,
    };

    b->h2 = ARENA_NEW(sim.arena, struct h2peer);
    h2peer_begin(b->h2, &b->peer, &ops, &m);
    b->h2->owner = b;
    b->odd.fire = odd_due;
    if (chance(manners.cuts))
        b->h2->cut_left = between(1, 300);
    if (chance(300))
        event_in(&b->odd, between(1, 2000) * MS);
    h2peer_pull(b->h2);
}

/* Behind GOAWAY the last stream ends the connection, when those under way have arrived. */
static void leave(struct backend *b)
{
    struct h2peer *h = b->h2;

    if (!h->ponged)
        return;
    if (!b->has_gone)
        MUST(nghttp2_submit_goaway(h->session, 0,
                                   nghttp2_session_get_last_proc_stream_id(h->session), 0, NULL,
                                   0) == 0);
    b->has_gone = true;
    h->finishes = h->open == 0;
}

void backend_h2_input(struct backend *b, struct str octets)
{
    h2peer_input(b->h2, octets);
    if (!b->peer.dead && b->leaves) {
        leave(b);
        h2peer_pull(b->h2);
    }
}

void backend_h2_drained(struct backend *b)
{
    if (b->h2->cut_left == 0)
        backend_close(b, chance(500));
    else
        h2peer_pull(b->h2);
}

void backend_h2_forget(struct backend *b)
{
    event_off(&b->odd);
    for (struct h2stream *s = b->h2->streams; s; s = s->next) {
        if (s->rq && !s->gone)
            rq_left(s->rq);
    }
    h2peer_end(b->h2);
}
