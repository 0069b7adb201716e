#include "sim/net.h"

#include "sim/kernel.h"

#include <errno.h>
#include <string.h>

enum carries { CARRIES_OCTETS, CARRIES_FIN, CARRIES_RESET };

struct segment {
    struct segment *next;
    enum carries carries;
    size_t at, n;
    uint64_t at_ns;
    char octets[];
};

struct weather weather;

static void arrival_due(struct event *ev);
static void room_due(struct event *ev);

static struct end *end_new(uint32_t id)
{
    struct end *e = ARENA_NEW(sim.arena, struct end);

    e->id = id;
    e->flying_last = &e->flying;
    e->here_last = &e->here;
    e->cap = between(weather.cap / 2, weather.cap);
    e->latency_ns = between(weather.latency_ns / 2, weather.latency_ns * 2);
    e->arrival.fire = arrival_due;
    e->room.fire = room_due;
    return e;
}

void net_pair(struct end **ret_a, struct end **ret_b)
{
    static uint32_t last;
    struct end *a = end_new(++last), *b = end_new(last);

    a->peer = b;
    b->peer = a;
    a->open = b->open = true;
    *ret_a = a;
    *ret_b = b;
}

void end_wake(struct end *e)
{
    if (e->vfd)
        kernel_edge(e->vfd);
    else if (e->actor && !e->closed)
        e->actor->ready(e->actor);
}

static const char *name_of(const struct end *e)
{
    return e->vfd ? "worker" : "actor";
}

/* ---- sending ---- */

static void segment_fly(struct end *to, enum carries carries, const char *p, size_t n)
{
    struct segment *s = arena_raw(sim.arena, sizeof(*s) + n);
    uint64_t at = sim.now_ns + to->latency_ns + below(to->latency_ns / 4 + 1);

    if (chance(weather.loss))
        at += between(200, 1500) * MS;
    s->next = NULL;
    s->carries = carries;
    s->at = 0;
    s->n = n;
    s->at_ns = to->last_at_ns = MAX(at, to->last_at_ns);
    if (n)
        memcpy(s->octets, p, n);
    *to->flying_last = s;
    to->flying_last = &s->next;
    to->flying_n += n;
    if (to->flying == s)
        event_at(&to->arrival, s->at_ns);
}

size_t end_room(const struct end *e)
{
    size_t used = e->peer->flying_n + e->peer->here_n;

    return used < e->peer->cap ? e->peer->cap - used : 0;
}

bool end_has_space(const struct end *e)
{
    return end_room(e) * 3 >= e->peer->cap;
}

size_t end_send(struct end *e, const char *p, size_t n)
{
    size_t taken = MIN(n, end_room(e)), at = 0;

    e->full = taken < n;
    while (at < taken) {
        size_t piece = between_most(1, weather.segment, taken - at);

        segment_fly(e->peer, CARRIES_OCTETS, p + at, piece);
        at += piece;
    }
    e->sent += taken;
    sim.progress += taken > 0;
    return taken;
}

void end_finish(struct end *e)
{
    if (e->shut || e->rst)
        return;
    e->shut = true;
    SAY("c%u %s sends FIN", e->id, name_of(e));
    segment_fly(e->peer, CARRIES_FIN, NULL, 0);
}

/* A reset overtakes what the sender's kernel had not sent yet. */
static void reset_fly(struct end *e)
{
    struct end *to = e->peer;

    if (chance(500)) {
        to->flying = NULL;
        to->flying_last = &to->flying;
        to->flying_n = 0;
        to->last_at_ns = 0;
        event_off(&to->arrival);
    }
    segment_fly(to, CARRIES_RESET, NULL, 0);
}

void end_close(struct end *e, bool reset)
{
    bool unread = e->here_n > 0;

    if (e->closed)
        return;
    e->closed = true;
    sim.progress++;
    SAY("c%u %s closes%s", e->id, name_of(e), reset ? " with a reset" : unread ? " unread" : "");
    if (e->rst || e->connecting)
        return;
    if (reset || unread)
        reset_fly(e);
    else
        end_finish(e);
}

/* ---- arriving ---- */

static void arrives_at_closed(struct end *e, const struct segment *s)
{
    if (s->carries == CARRIES_OCTETS && !e->rst) {
        e->rst = true;
        segment_fly(e->peer, CARRIES_RESET, NULL, 0);
    }
}

static void arrives(struct end *e, struct segment *s)
{
    if (s->carries == CARRIES_RESET) {
        e->rst = true;
        e->error = e->fin ? EPIPE : ECONNRESET;
    } else if (s->carries == CARRIES_FIN) {
        e->fin = true;
    } else {
        s->next = NULL;
        *e->here_last = s;
        e->here_last = &s->next;
        e->here_n += s->n;
        e->got += s->n;
    }
    SAY("c%u %s gets %s%zu", e->id, name_of(e),
        s->carries == CARRIES_RESET ? "RST "
        : s->carries == CARRIES_FIN ? "FIN "
                                    : "",
        s->n);
    end_wake(e);
}

static void arrival_due(struct event *ev)
{
    struct end *e = CONTAINER_OF(ev, struct end, arrival);
    struct segment *s = e->flying;

    e->flying = s->next;
    if (!e->flying)
        e->flying_last = &e->flying;
    else
        event_at(&e->arrival, e->flying->at_ns);
    e->flying_n -= s->n;
    sim.progress++;
    if (e->closed)
        arrives_at_closed(e, s);
    else if (!e->rst)
        arrives(e, s);
}

/* The other side has read: this end's sender learns of room. */
static void room_due(struct event *ev)
{
    struct end *e = CONTAINER_OF(ev, struct end, room);

    if (e->closed || !e->full || !end_has_space(e))
        return;
    e->full = false;
    end_wake(e);
}

size_t end_recv(struct end *e, char *into, size_t n)
{
    size_t got = 0;

    while (e->here && got < n) {
        struct segment *s = e->here;
        size_t piece = MIN(s->n - s->at, n - got);

        memcpy(into + got, s->octets + s->at, piece);
        s->at += piece;
        got += piece;
        if (s->at == s->n)
            e->here = s->next;
    }
    if (!e->here)
        e->here_last = &e->here;
    e->here_n -= got;
    if (got && e->peer->full && !heap_has(&e->peer->room.node) && end_has_space(e->peer))
        event_in(&e->peer->room, e->latency_ns);
    sim.progress += got > 0;
    return got;
}
