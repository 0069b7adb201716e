#include "sim/backend.h"

#include "sim/conf.h"
#include "sim/h1read.h"
#include "sim/h2peer.h"
#include "sim/kernel.h"

#include <string.h>

#define SURPLUS "HTTP/1.1 200 OK\r\nx-wrong: 1\r\ncontent-length: 5\r\n\r\nwrong"

struct manners manners;

static struct backend *backend_of(struct peer *p)
{
    return CONTAINER_OF(p, struct backend, peer);
}

/* ---- connections ---- */

static void backend_input(struct peer *p, struct str octets);
static void backend_ended(struct peer *p, bool reset);
static void backend_drained(struct peer *p);
static void answer_due(struct event *e);
static void idle_due(struct event *e);

static enum dialled dialled(uint16_t number, struct end *theirs)
{
    struct backend *b;

    if (chance(manners.refuses))
        return DIAL_REFUSED;
    if (chance(manners.holes))
        return DIAL_HOLE;
    b = ARENA_NEW(sim.arena, struct backend);
    b->number = number;
    b->peer = (struct peer){ .pace_ns = chance(300) ? manners.pace_ns : 0,
                             .piece = manners.piece,
                             .input = backend_input,
                             .ended = backend_ended,
                             .drained = backend_drained };
    if (chance(manners.deaf))
        b->peer.deaf_until = sim.now_ns + between(1, 2000) * MS;
    b->reader = ARENA_NEW(sim.arena, struct h1read);
    h1read_begin(b->reader, false);
    b->answer.fire = answer_due;
    b->idle.fire = idle_due;
    peer_begin(&b->peer, theirs);
    return DIAL_TAKEN;
}

void backends_begin(void)
{
    kernel_dialled_hook = dialled;
}

void backend_close(struct backend *b, bool reset)
{
    if (b->rq)
        rq_left(b->rq);
    if (b->h2)
        backend_h2_forget(b);
    event_off(&b->answer);
    event_off(&b->idle);
    peer_close(&b->peer, reset);
}

static void idle_due(struct event *e)
{
    struct backend *b = CONTAINER_OF(e, struct backend, idle);

    SAY("c%u the backend closes its idle connection", b->peer.end->id);
    backend_close(b, false);
}

static void backend_ended(struct peer *p, bool reset)
{
    (void)reset;
    backend_close(backend_of(p), false);
}

/* ---- answers ---- */

static void answer_head(struct text *t, const struct rq *r)
{
    for (uint8_t i = 0; i < r->infos; i++)
        text_say(t, "HTTP/1.1 103 Early Hints\r\nlink: </%u>\r\n\r\n", i);
    text_say(t, "HTTP/1.1 %u Whatever\r\nx-id: %u\r\n", r->status, r->id);
    if (r->act == ACT_CLOSE)
        text_say(t, "connection: close\r\n");
    if (r->status == 204 || r->status == 304)
        text_say(t, "\r\n");
    else if (r->down == BY_CHUNKS)
        text_say(t, "transfer-encoding: chunked\r\n\r\n");
    else if (r->down == BY_LENGTH)
        text_say(t, "content-length: %zu\r\n\r\n", r->down_n);
    else
        text_say(t, "\r\n");
}

static void answer_write(struct backend *b)
{
    const struct rq *r = b->rq;
    struct text t = { 0 };
    size_t n;

    answer_head(&t, r);
    if (rq_may_answer_body(r))
        text_body(&t, r, BODY_DOWN, r->down, r->down_n, r->down_trailers);
    n = t.n;
    if (r->act == ACT_DIE_INSIDE) {
        b->dies = true;
        n = between(1, t.n > 1 ? t.n - 1 : 1);
    }
    b->leaves = r->act == ACT_CLOSE || r->act == ACT_LEAVE ||
                (r->down == BY_CLOSE && rq_may_answer_body(r));
    if (r->act == ACT_SURPLUS && !b->leaves) {
        b->surplus = true;
        b->peer.end->peer->surplus_at = b->peer.end->sent + peer_waiting(&b->peer) + t.n;
        text_say(&t, SURPLUS);
        n = t.n;
    }
    rq_left(b->rq);
    SAY("request %u: the backend answers, act %d, %zu of %zu octets", r->id, r->act, n, t.n);
    peer_write(&b->peer, str_make(t.p, n));
}

static void answer_due(struct event *e)
{
    struct backend *b = CONTAINER_OF(e, struct backend, answer);

    if (b->rq->act == ACT_DIE_BEFORE) {
        backend_close(b, chance(500));
        return;
    }
    if (b->rq->act == ACT_GARBAGE) {
        peer_write(&b->peer, STR("\x16\x03\x01 what is this\r\n\r\n"));
        b->dies = true;
        return;
    }
    answer_write(b);
}

static void next_request(struct backend *b)
{
    b->answering = b->answered = false;
    b->rq = NULL;
    b->up_got = 0;
    h1read_begin(b->reader, false);
    if (chance(manners.idle_closes))
        event_in(&b->idle, between(1, 3000) * MS);
}

static void backend_drained(struct peer *p)
{
    struct backend *b = backend_of(p);

    if (b->h2) {
        backend_h2_drained(b);
        return;
    }
    if (!b->rq)
        return;
    if (b->dies) {
        backend_close(b, true);
        return;
    }
    b->answered = true;
    if (b->leaves)
        peer_finish(p);
    else if (!b->reading)
        next_request(b);
}

static void answer_begin(struct backend *b)
{
    uint64_t delay = b->rq->act == ACT_STALL ? b->rq->stall_ns : between(1, 3000) * 1000;

    if (b->answering)
        return;
    b->answering = true;
    event_in(&b->answer, delay);
}

/* ---- requests ---- */

static void request_head(struct backend *b)
{
    const struct h1head *h = &b->reader->head;
    struct rq *r = request_at(h->id);

    HOLDS(r && rq_is(r, h->method), "a backend gets a request that nobody sent: %s, id %lld",
          h->method, (long long)h->id);
    event_off(&b->idle);
    r->poisoned |= b->surplus;
    b->rq = r;
    b->reading = true;
    rq_arrived(r, b->number / HOST_STRIDE);
    if (r->act == ACT_EARLY)
        answer_begin(b);
}

static void request_whole(struct backend *b)
{
    b->reading = false;
    rq_arrived_whole(b->rq, b->up_got, b->reader->head.sum);
    if (b->answered)
        next_request(b);
    else
        answer_begin(b);
}

static void h1_input(struct backend *b, struct str octets)
{
    enum h1what what = H1W_DATA;
    struct str data;

    while (!b->peer.dead && what != H1W_MORE) {
        if (b->answered && b->leaves && octets.n) { /* it is not there any more */
            HOLDS(b->rq->act != ACT_CLOSE, "request %u: more behind connection: close", b->rq->id);
            backend_close(b, true);
            return;
        }
        if (b->surplus && b->rq && !b->reading) { /* out of step for good */
            backend_close(b, true);
            return;
        }
        if (b->rq && !b->reading) {
            HOLDS(octets.n == 0, "request %u: more octets before it was answered: %.*s", b->rq->id,
                  (int)MIN(octets.n, 80), octets.p);
            return;
        }
        what = h1read_next(b->reader, &octets, &data);
        HOLDS(what != H1W_BAD, "a backend gets what is no HTTP");
        if (what == H1W_HEAD) {
            request_head(b);
        } else if (what == H1W_DATA) {
            body_check(b->rq, BODY_UP, b->up_got, data.p, data.n);
            b->up_got += data.n;
        } else if (what == H1W_END) {
            request_whole(b);
        }
    }
}

/* "PR" can only begin HTTP/2's preface. */
static void first_input(struct backend *b, struct str octets)
{
    text_add(&b->first, octets.p, octets.n);
    if (b->first.n < 2)
        return;
    b->is_known = true;
    if (memcmp(b->first.p, "PR", 2) == 0)
        backend_h2_begin(b);
    backend_input(&b->peer, str_make(b->first.p, b->first.n));
}

static void backend_input(struct peer *p, struct str octets)
{
    struct backend *b = backend_of(p);

    if (!b->is_known)
        first_input(b, octets);
    else if (b->h2)
        backend_h2_input(b, octets);
    else
        h1_input(b, octets);
}
