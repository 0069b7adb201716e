#include "sim/plan.h"

#include "sim/backend.h"
#include "sim/kernel.h"

#include <string.h>

/* ---- the network and the kernel ---- */

static void plan_weather(const struct plan *p)
{
    static const size_t segments[] = { 1, 7, 100, 1460, 1460, 16384, 65536 };
    static const size_t caps[] = { 64, 2000, 16384, 65536, 262144 };

    weather = (struct weather){
        .latency_ns = (uint64_t[]){ 20000, 200000, 5 * MS, 40 * MS }[below(4)],
        .segment = segments[below(LEN(segments))],
        .cap = caps[below(LEN(caps))],
        .loss = chance(300) ? (uint32_t)between(1, 100) : 0,
    };
    if (weather.cap < 2000 || weather.segment < 100) {
        weather.latency_ns = 20000;
        if (p->calm) /* a handshake octet by octet, each late, takes longer than it may */
            weather.loss = 0;
    }
}

static void plan_faults(const struct plan *p)
{
    faults = (struct faults){ .slow_clock = chance(30) };
    if (chance(400)) {
        faults.intr = (uint32_t)below(100);
        faults.again = (uint32_t)below(200);
        faults.short_send = (uint32_t)below(300);
    }
    if (p->calm || chance(600))
        return;
    faults.send_error = chance(300) ? (uint32_t)between(1, 20) : 0;
    faults.accept_error = chance(300) ? (uint32_t)between(10, 300) : 0;
    faults.no_descriptor = chance(300) ? (uint32_t)between(10, 200) : 0;
    faults.connect_error = chance(300) ? (uint32_t)between(10, 300) : 0;
}

static void plan_manners(const struct plan *p)
{
    manners = (struct manners){
        .pace_ns = between(1, 20) * MS,
        .piece = chance(700) ? SIZE_MAX : between(1, 3000),
        .deaf = (uint32_t)below(200),
        /* those beyond a limit that is not known yet are refused, which is not calm */
        .max_streams = (p->calm && !p->limited) || chance(500) ? 100 : (uint32_t)between(1, 4),
        .window = chance(500) ? 65535 : (uint32_t)between(1000, 65535),
    };
    if (p->calm)
        return;
    manners.changes = chance(500);
    manners.cuts = chance(200) ? (uint32_t)between(50, 500) : 0;
    if (chance(50))
        manners.window = (uint32_t)between(30, 100);
    manners.idle_closes = chance(600) ? (uint32_t)between(50, 1000) : 0;
    manners.refuses = chance(200) ? (uint32_t)between(50, 900) : 0;
    manners.holes = chance(150) ? (uint32_t)between(50, 500) : 0;
}

/* ---- configurations ---- */

static uint32_t limit(void)
{
    return chance(600) ? 0 : (uint32_t)between(1, 6);
}

static void plan_limits(const struct plan *p, struct conf *c)
{
    for (int i = 0; i < CLUSTERS; i++) {
        c->limits[i].max_connections = chance(500) ? 0 : (uint32_t)between(1, 3);
        if (p->calm && !p->limited)
            continue;
        c->limits[i].max_pending = limit();
        c->limits[i].max_requests = limit();
        c->limits[i].max_retries = limit();
    }
}

static void plan_conf(const struct plan *p, struct conf *c)
{
    *c = (struct conf){
        .tls = chance(150),
        .per_connection = chance(800) ? 0 : (uint32_t)between(1, 5),
        .connect_ms = (uint32_t)between(500, 3000),
        .idle_ms = chance(800) ? 3600000 : (uint32_t)between(100, 20000),
        .down_idle_ms = p->calm || chance(700) ? 3600000 : (uint32_t)between(500, 10000),
        .head_ms = p->calm || chance(700) ? 60000 : (uint32_t)between(200, 5000),
        .route_ms = p->calm || chance(700) ? 0 : (uint32_t)between(10, 3000),
        .retries = chance(300) ? 0 : 2,
        .buffer_limit = chance(700) ? 1 << 20 : (uint32_t)between(1, 65536),
        .max_body = p->calm || chance(900) ? 0 : between(1, 20000),
        .headers_filter = chance(500),
        .lb = (uint8_t)below(3),
        .listener_max = !p->limited && (p->calm || chance(850)) ? 0 : limit(),
    };
    for (int i = 0; i < CLUSTERS; i++) {
        c->hosts[i] = (uint32_t)between(1, HOSTS_MAX);
        c->http2[i] = chance(450);
    }
    plan_limits(p, c);
}

void plan_change(struct plan *p, struct conf *ret)
{
    struct conf other;

    *ret = p->conf;
    plan_conf(p, &other);
    if (chance(500))
        ret->hosts[0] = other.hosts[0];
    if (chance(300))
        ret->http2[1] = other.http2[1];
    if (chance(300))
        ret->tls = other.tls && p->conf.tls;
    if (chance(300))
        ret->limits[0] = other.limits[0];
    if (chance(300))
        ret->listener_max = other.listener_max;
    if (chance(300))
        ret->per_connection = other.per_connection;
    if (chance(300))
        ret->route_ms = other.route_ms;
    if (chance(300))
        ret->headers_filter = other.headers_filter;
}

/* ---- requests ---- */

#define BODY_MOST 100000u

static size_t body_size(void)
{
    size_t most = weather.cap < 2000 || weather.segment < 100 ? 500 : BODY_MOST;

    /* more than a stream's window */
    if (chance(8) && most == BODY_MOST && weather.cap >= 16384)
        return between(300000, 400000);
    switch (below(8)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return between(1, most);
    case 3:
        return between_most(16000, 17000, most);
    default:
        return between(1, 400);
    }
}

static enum act plan_act(const struct plan *p, bool bad)
{
    if (p->calm || !bad)
        return chance(700) ? ACT_ANSWER : chance(500) ? ACT_STALL : ACT_CLOSE;
    return (enum act)below(ACTS);
}

static void plan_request(const struct plan *p, struct rq *r, uint32_t id, bool bad, bool http2)
{
    static const char *const methods[] = { "GET", "GET", "GET", "POST", "POST", "PUT", "HEAD" };

    *r = (struct rq){
        .id = id,
        .method = methods[below(LEN(methods))],
        .host = chance(500) ? "a.test" : "b.test",
        .down_n = body_size(),
        .down = (enum framing)below(3),
        .up = (enum framing)below(2),
        .infos = chance(100) ? (uint8_t)between(1, 3) : 0,
        .status = chance(60)    ? 204
                  : chance(60)  ? 304
                  : chance(100) ? 503
                                : 200,
        .act = plan_act(p, bad),
        .stall_ns = between(1, 1500) * MS,
        .is_last = !http2 && chance(50),
        .http10 = !http2 && chance(40),
        .grpc = http2 && chance(200),
    };
    if (rq_is(r, "POST") || rq_is(r, "PUT"))
        r->up_n = body_size();
    else
        r->up = BY_LENGTH;
    if (r->http10)
        r->up = BY_LENGTH;
    r->expect = !r->http10 && r->up_n && chance(100);
    if (r->grpc) {
        r->method = "POST";
        r->up = r->down = BY_CHUNKS;
        r->up_n = body_size();
        r->status = 200;
    }
    r->up_trailers = r->up == BY_CHUNKS && chance(200);
    r->down_trailers = r->grpc || (r->down == BY_CHUNKS && chance(200) && rq_may_answer_body(r));
}

/* ---- clients ---- */

static void plan_client(struct plan *p, struct client *c, bool rude)
{
    c->http2 = chance(500);
    c->address = (uint8_t)between(ADDRESS_FIRST, ADDRESS_LAST);
    c->tls = p->conf.tls && chance(700);
    c->port = c->tls ? PORT_TLS : PORT_CLEAR;
    c->depth = chance(500) ? 1 : (uint32_t)between(1, 6);
    c->think_ns = chance(500) ? 0 : between(1, 2000) * MS;
    c->window = chance(500) ? 65535 : (uint32_t)between(1000, 65535);
    c->connections_left = p->calm ? 1000 : 4;
    c->half_closes = !(p->calm && c->http2) && chance(150);
    c->stays = !c->half_closes && chance(200);
    c->peer.pace_ns = chance(300) ? between(1, 20) * MS : 0;
    c->peer.piece = chance(700) ? SIZE_MAX : between(1, 2000);
    if (!rude || chance(400))
        return;
    c->rude = chance(500);
    c->abort_ns = between(1, 4000) * MS;
    c->resets = chance(500);
    c->cancels = (uint32_t)below(300);
}

/* It does not wait to be told how many streams it may have. */
static void plan_hasty(struct plan *p, struct client *c)
{
    memset(p->conf.limits, 0, sizeof(p->conf.limits));
    p->max_connections = 2 * HASTY;
    manners.max_streams = 100;
    c->http2 = true;
    c->tls = false;
    c->port = PORT_CLEAR;
    c->n = c->depth = HASTY;
    c->half_closes = false;
    c->peer.pace_ns = 0;
}

/* Most wait for an answer at a backend at once. */
static void hasty_request(struct rq *r, uint32_t *at_once)
{
    r->method = "GET";
    r->up_n = 0;
    r->up = BY_LENGTH;
    r->up_trailers = r->expect = r->grpc = r->is_last = r->http10 = false;
    r->down_n = MIN(r->down_n, 400u);
    r->act = ACT_STALL;
    r->at_once = at_once;
}

static void plan_clients(struct plan *p)
{
    bool rude = !p->calm && chance(400), bad = !p->calm && chance(600), hasty;

    p->client_count = (uint32_t)between(1, chance(300) ? CLIENTS_MAX : 4);
    requests = ARENA_ARRAY(sim.arena, struct rq, CLIENTS_MAX * 8 + HASTY);
    request_count = 0;
    for (uint32_t i = 0; i < p->client_count; i++) {
        struct client *c = p->clients[i] = ARENA_NEW(sim.arena, struct client);

        plan_client(p, c, rude);
        c->first = request_count;
        c->n = (uint32_t)between(1, 6);
        hasty = p->limited && i == 0 && chance(50);
        if (hasty)
            plan_hasty(p, c);
        for (uint32_t k = 0; k < c->n; k++) {
            plan_request(p, &requests[request_count], request_count, bad && chance(500), c->http2);
            if (hasty)
                hasty_request(&requests[request_count], &c->at_once);
            if (c->tls)
                requests[request_count].http10 = false;
            request_count++;
        }
    }
}

void plan_make(struct plan *p)
{
    *p = (struct plan){ .calm = chance(300),
                        .limited = chance(300),
                        .workers = chance(750) ? 1 : 2 };
    p->limited &= p->calm;
    p->from_address = !p->limited && (p->calm || chance(900)) ? 0 : limit();
    p->max_connections = p->calm || chance(800) ? 100 : between(1, 6);
    p->max_body_octets = p->calm || chance(800) ? 16 << 20 : between(1, 40) * 16384;
    plan_weather(p);
    plan_faults(p);
    plan_manners(p);
    plan_conf(p, &p->conf);
    plan_clients(p);
    if (p->calm)
        return;
    p->reloads = chance(400) ? (uint32_t)between(1, 4) : 0;
    p->refusals = chance(250) ? (uint32_t)between(1, 10) : 0;
    p->drain_ns = chance(200) ? between(1, 5000) * MS : 0;
    p->drain_min_ms = (uint32_t)below(3000);
    p->drain_max_ms = p->drain_min_ms + (uint32_t)below(10000);
    p->stop_ns = chance(100) ? between(1, 4000) * MS : 0;
}
