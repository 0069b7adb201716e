#include "sim/peer.h"

#include <string.h>

#define READ_OCTETS 16384

static void peer_run(struct peer *p);

static void peer_ready(struct actor *a)
{
    struct peer *p = CONTAINER_OF(a, struct peer, actor);

    if (!p->dead && !heap_has(&p->step.node))
        event_in(&p->step, p->pace_ns ? between(1, p->pace_ns) : 1000);
}

static void peer_due(struct event *e)
{
    peer_run(CONTAINER_OF(e, struct peer, step));
}

void peer_begin(struct peer *p, struct end *end)
{
    p->end = end;
    p->actor.ready = peer_ready;
    p->step.fire = peer_due;
    end->actor = &p->actor;
    if (p->piece == 0)
        p->piece = SIZE_MAX;
    peer_nudge(p);
}

void peer_nudge(struct peer *p)
{
    peer_ready(&p->actor);
}

static void wire_write(struct peer *p, struct str octets)
{
    text_add(&p->out, octets.p, octets.n);
    peer_nudge(p);
}

void peer_write(struct peer *p, struct str octets)
{
    if (p->dead || octets.n == 0)
        return;
    if (p->tls)
        tls_write(p, octets);
    else
        wire_write(p, octets);
}

size_t peer_waiting(const struct peer *p)
{
    return p->out.n - p->out.at;
}

void peer_finish(struct peer *p)
{
    if (p->dead || p->finishing || (p->tls && !tls_finish(p)))
        return;
    p->finishing = true;
    peer_nudge(p);
}

void peer_close(struct peer *p, bool reset)
{
    if (p->dead)
        return;
    p->dead = true;
    event_off(&p->step);
    end_close(p->end, reset);
}

/* True: something left. */
static bool peer_send(struct peer *p)
{
    size_t n = MIN(peer_waiting(p), p->piece);
    size_t sent = n ? end_send(p->end, p->out.p + p->out.at, n) : 0;

    p->out.at += sent;
    if (sent && peer_waiting(p) == 0 && p->drained)
        p->drained(p);
    if (!p->dead && p->finishing && peer_waiting(p) == 0)
        end_finish(p->end);
    return sent > 0;
}

static void peer_input(struct peer *p, struct str octets)
{
    if (!p->tls)
        p->input(p, octets);
    else if (!tls_received(p, octets))
        peer_close(p, true);
}

static bool peer_receive(struct peer *p)
{
    char octets[READ_OCTETS];
    size_t n;

    if (p->deaf_until > sim.now_ns)
        return false;
    n = end_recv(p->end, octets, MIN(sizeof(octets), p->piece));
    if (n)
        peer_input(p, str_make(octets, n));
    return n > 0;
}

static void peer_run(struct peer *p)
{
    bool moved = peer_send(p);

    if (!p->dead)
        moved |= peer_receive(p);
    if (p->dead)
        return;
    if (p->end->here_n == 0 && p->end->rst) {
        peer_close(p, false);
        p->ended(p, true);
        return;
    }
    if (p->end->here_n == 0 && p->end->fin && !p->told) {
        p->told = true;
        p->ended(p, false);
    }
    if (p->dead)
        return;
    if (p->deaf_until > sim.now_ns && (p->end->here_n || p->end->fin))
        event_at(&p->step, p->deaf_until);
    else if (moved)
        peer_nudge(p);
}
