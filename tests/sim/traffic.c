#include "sim/traffic.h"

#include <stdio.h>
#include <string.h>

struct rq *requests;
uint32_t request_count;
uint32_t rq_served[RQ_CLUSTERS];

struct rq *request_at(int64_t id)
{
    return id >= 0 && id < (int64_t)request_count ? &requests[id] : NULL;
}

bool rq_is(const struct rq *r, const char *method)
{
    return strcmp(r->method, method) == 0;
}

bool rq_has_body(const struct rq *r)
{
    return r->up_n > 0 || r->up_trailers || rq_is(r, "POST") || rq_is(r, "PUT");
}

bool rq_may_answer_body(const struct rq *r)
{
    return !rq_is(r, "HEAD") && r->status != 204 && r->status != 304;
}

static char octet(const struct rq *r, int way, size_t at)
{
    uint64_t x = (r->id + 1) * 0x9e3779b1u + (uint64_t)way * 0x85ebca6bu + at * 0xc2b2ae35u;

    return (char)('!' + (x >> 11) % 90);
}

void body_fill(const struct rq *r, int way, size_t at, char *into, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into[i] = octet(r, way, at + i);
}

void body_check(const struct rq *r, int way, size_t at, const char *p, size_t n)
{
    size_t most = way == BODY_UP ? r->up_n : r->down_n;

    HOLDS(at + n <= most, "request %u: %zu octets where %zu were sent (%s)", r->id, at + n, most,
          way == BODY_UP ? "up" : "down");
    for (size_t i = 0; i < n; i++)
        HOLDS(p[i] == octet(r, way, at + i), "request %u: octet %zu (%s) is not its own", r->id,
              at + i, way == BODY_UP ? "up" : "down");
}

/* ---- what becomes of requests ---- */

static bool is_over(const struct rq *r)
{
    return r->whole || r->broken;
}

void rq_head(struct rq *r, uint16_t code, int64_t id)
{
    HOLDS(!is_over(r), "request %u is answered again", r->id);
    HOLDS(!r->has_head, "request %u has two heads", r->id);
    HOLDS(id < 0 || id == r->id || r->poisoned, "request %u gets the answer of %lld", r->id,
          (long long)id);
    r->has_head = true;
    r->is_local = id < 0;
    r->code = code;
    SAY("request %u: head %u%s", r->id, code, r->is_local ? ", made here" : "");
}

static void sum_check(const struct rq *r, int64_t sum, bool due, const char *where)
{
    HOLDS((sum >= 0) == due, "request %u: trailers %d %s, not %d", r->id, sum >= 0, where, due);
    HOLDS(sum < 0 || sum == r->id, "request %u has the trailers of %lld %s", r->id, (long long)sum,
          where);
}

void rq_whole(struct rq *r, int64_t sum)
{
    HOLDS(!is_over(r), "request %u is answered twice", r->id);
    HOLDS(r->has_head, "request %u ends without a head", r->id);
    if (!r->is_local && !r->poisoned && rq_may_answer_body(r)) {
        HOLDS(r->down_got == r->down_n, "request %u looks whole with %zu of %zu octets", r->id,
              r->down_got, r->down_n);
        sum_check(r, sum, r->down_trailers && !r->http10, "at the client");
    }
    r->whole = true;
    r->over_ns = sim.now_ns;
    SAY("request %u: whole, %u", r->id, r->code);
}

void rq_broken(struct rq *r, const char *how)
{
    if (is_over(r))
        return;
    r->broken = true;
    r->over_ns = sim.now_ns;
    SAY("request %u: broken (%s)", r->id, how);
}

void rq_arrived(struct rq *r, uint32_t cluster)
{
    r->arrivals++;
    rq_left(r);
    r->cluster = (uint8_t)(cluster + 1);
    rq_served[cluster]++;
    if (r->at_once)
        HOLDS(++*r->at_once <= STREAMS_MAX, "a client has more than %d streams", STREAMS_MAX);
    SAY("request %u: at a backend, %s, act %d", r->id, r->method, r->act);
    HOLDS(!r->refused, "request %u is at a backend, and was refused", r->id);
    HOLDS(r->arrivals <= 12, "request %u is sent again and again", r->id);
    HOLDS(!rq_is(r, "POST") || r->arrivals == 1, "request %u, a POST, is at backends twice", r->id);
}

void rq_left(struct rq *r)
{
    if (r->cluster)
        rq_served[r->cluster - 1]--;
    if (r->cluster && r->at_once)
        --*r->at_once;
    r->cluster = 0;
}

void rq_arrived_whole(struct rq *r, size_t n, int64_t sum)
{
    SAY("request %u: whole at a backend", r->id);
    HOLDS(n == r->up_n, "request %u looks whole to the backend with %zu of %zu octets", r->id, n,
          r->up_n);
    sum_check(r, sum, r->up_trailers, "at the backend");
}

/* ---- texts ---- */

void text_add(struct text *t, const char *p, size_t n)
{
    if (t->at == t->n)
        t->at = t->n = 0;
    if (t->n + n > t->cap) {
        size_t cap = MAX((t->n + n) * 2, 1024);
        char *grown = arena_raw(sim.arena, cap);

        if (t->n)
            memcpy(grown, t->p, t->n);
        t->p = grown;
        t->cap = cap;
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
}

void text_say(struct text *t, const char *fmt, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    MUST(n >= 0 && (size_t)n < sizeof(line));
    text_add(t, line, (size_t)n);
}

void text_body(struct text *t, const struct rq *r, int way, enum framing framing, size_t n,
               bool trailers)
{
    size_t at = 0, chunk = between(1, 20000);
    char *octets = arena_raw(sim.arena, n + 1);

    body_fill(r, way, 0, octets, n);
    if (framing != BY_CHUNKS) {
        text_add(t, octets, n);
        return;
    }
    while (at < n) {
        size_t piece = between_most(1, chunk, n - at);

        text_say(t, "%zx\r\n", piece);
        text_add(t, octets + at, piece);
        text_say(t, "\r\n");
        at += piece;
    }
    text_say(t, "0\r\n");
    if (trailers)
        text_say(t, "x-sum: %u\r\n", r->id);
    text_say(t, "\r\n");
}
