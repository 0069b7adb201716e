/*
 * proxy/attempt - tries at upstreams: destination, endpoint, connection, retries.
 *
 * Source: Envoy's router with Istio's default retry policy (istio-api.md 1.4.4); the
 * idle-race retry and what is replayed: design 7.
 */
#include "proxy/request.h"

#include "codec/method.h"
#include "live/host.h"
#include "proxy/redirect.h"
#include "proxy/shadow.h"
#include "proxy/upstream.h"
#include "route/retry.h"
#include "route/rewrite.h"

#define BACKOFF_MOST 10 /* times the base */
#define MOVES_MAX 5     /* from connections that were going away */

/* ---- the request as the backend gets it ---- */

struct str decimal_text(struct arena *a, uint64_t v)
{
    static const char small[] = "0123456789";
    char digits[20];

    return v < 10 ? str_make(&small[v], 1) : arena_dup(a, str_of_u64(v, digits));
}

static void finish_request_head(struct request *r)
{
    struct headers *h = &r->s.request->headers;
    struct arena *a = r->s.arena;
    uint32_t ms = r->s.route->timeout_ms;
    uint32_t per_try = retry_of(r->s.route)->per_try_ms;

    if (per_try && (!ms || per_try < ms))
        ms = per_try;
    headers_set_id(h, a, HDR_X_ENVOY_ATTEMPT_COUNT, decimal_text(a, r->record.attempts))->is_clean =
        true;
    if (ms)
        headers_set_id(h, a, HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, decimal_text(a, ms));
}

/* Behind the filters, as Envoy does: they and the log see what was asked for. */
static void rewrite_request(struct request *r)
{
    struct head *head = r->s.request;

    if (!rewrite_has_path(r->s.route))
        return;
    headers_set_id(&head->headers, r->s.arena, HDR_X_ENVOY_ORIGINAL_PATH, head->path);
    head->path = rewrite_path(r->s.route, head->path, r->s.path, r->s.arena);
}

/* ---- starting ---- */

static void count_active(struct request *r, int32_t by)
{
    if (r->counted_active == (by > 0))
        return;
    r->counted_active = by > 0;
    atomic_fetch_add_explicit(&r->endpoint->live->active[worker_id(r->worker)], by,
                              memory_order_relaxed);
}

static bool was_tried(const struct request *r, const struct endpoint *e)
{
    for (uint32_t i = 0; i < r->tried_n; i++) {
        if (r->tried[i] == e)
            return true;
    }
    return false;
}

/* Once, whatever becomes of the first try. */
static void mirror_request(struct request *r)
{
    r->mirrored = true;
    shadows_start(r);
}

static void attempt_open(struct request *r);

void attempt_start(struct request *r)
{
    const struct hosts *hosts = root_hosts(request_root(r), r->cluster->hosts);
    const struct endpoint *e = NULL;

    if (hosts)
        e = lb_endpoint(r->worker->lb, r->cluster, hosts, r->tried,
                        retry_of(r->s.route)->any_host ? 0 : r->tried_n);
    if (!e) {
        refuse_send(r, &refused_no_endpoint);
        return;
    }
    r->endpoint = e;
    if (r->tried_n < REQUEST_TRIED_MAX && !was_tried(r, e))
        r->tried[r->tried_n++] = e;
    r->record.attempts++;
    r->record.upstream_remote = e->addr;
    r->record.upstream_local = (struct addr){ 0 };
    finish_request_head(r);
    if (r->s.route->extras && r->record.attempts == 1 && !r->mirrored)
        mirror_request(r);
    attempt_open(r);
}

/* All of the request is here and only its turn is waited for: the route's time runs. */
static void attempt_waits(struct request *r)
{
    if (r->down->in_end && r->s.route->timeout_ms && r->timer.deadline_ms == 0)
        timer_set(&r->timer, r->s.route->timeout_ms);
}

static void attempt_open(struct request *r)
{
    r->claim.authority = r->s.request->authority;
    r->record.upstream_start_ns = loop_now_ns(r->s.loop);
    r->up = upstream_open(r->worker, r->cluster, r->endpoint, r->s.arena, &r->claim,
                          &r->open_error);
    if (!r->up && r->open_error == ERR_AGAIN) {
        attempt_waits(r);
        return;
    }
    if (!r->up && r->open_error == ERR_OVERFLOW)
        r->record.attempts--; /* nothing was sent */
    count_active(r, 1);
    if (!r->up) {
        attempt_failed(r);
        return;
    }
    r->up->in_limit = MIN(r->up->in_limit, r->down->hold_limit);
    r->up->is_head_request = str_eq(r->s.request->method, STR("HEAD"));
    r->up->out_head = r->s.request;
    if (!bufq_is_empty(&r->replay) && !bufq_share(&r->up->out, &r->replay)) {
        reply_send(&r->s, 503, STR_NONE, "overload", FLAG_OM);
        return;
    }
    r->down->want_body = true;
    leg_wake(r->down);
    pump_request(r);
    if (r->up)
        leg_wake(r->up);
}

void attempt_turn(struct request *r)
{
    if (r->state == REQUEST_UPSTREAM && !r->up)
        attempt_open(r);
}

void attempt_end(struct request *r)
{
    upstream_let_go(r->worker, &r->claim);
    if (r->endpoint)
        count_active(r, -1);
    if (r->up && r->up->transport && !addr_is_set(&r->record.upstream_local))
        r->record.upstream_local = r->up->transport->info.local;
    if (r->has_try_timer)
        timer_off(&r->try_timer);
    leg_release(r->up);
    r->up = NULL;
}

void attempt_keep(struct request *r, const struct bufq *octets)
{
    size_t limit = MIN(r->s.chain->http.buffer_limit, 16 * http_pools_room(r->worker->pools));

    if (!r->can_replay)
        return;
    if (r->replay.n + octets->n <= limit && bufq_share(&r->replay, octets))
        return;
    r->can_replay = false; /* Envoy: beyond the buffer limit there is no retry */
    bufq_reset(&r->replay);
}

void attempt_forward(struct stream *s)
{
    struct request *r = request_of(s);
    const struct route *route = s->route;
    const struct refusal *refused = decide_action(route);

    if (refused) {
        refuse_send(r, refused);
        return;
    }
    if (route->action != ACTION_FORWARD) {
        redirect_answer(r);
        return;
    }
    r->cluster = s->destination ? root_cluster(request_root(r), s->destination->cluster) : NULL;
    if (!r->cluster) {
        refuse_send(r, &refused_no_cluster);
        return;
    }
    rewrite_request(r);
    r->can_replay = true;
    claim_of_cluster(&r->claim, r->cluster);
    request_set_state(r, REQUEST_UPSTREAM);
    attempt_start(r);
}

/* ---- failures ---- */

struct failure {
    uint16_t status;
    uint32_t flag;
    const char *details, *reason; /* Envoy's response code details and body */
};

static const struct failure connect_failure = {
    503, FLAG_UF, "upstream_reset_before_response_started{remote_connection_failure}",
    "remote connection failure"
};
static const struct failure connect_timeout = {
    503, FLAG_UF, "upstream_reset_before_response_started{connection_timeout}", "connection timeout"
};
static const struct failure termination = {
    503, FLAG_UC, "upstream_reset_before_response_started{connection_termination}",
    "connection termination"
};
static const struct failure protocol_error = {
    502, FLAG_UPE, "upstream_reset_before_response_started{protocol_error}", "protocol error"
};
static const struct failure refused_stream = {
    503, FLAG_UR, "upstream_reset_before_response_started{remote_refused_stream_reset}",
    "remote refused stream reset"
};
static const struct failure head_too_large = {
    431, 0, "upstream_reset_before_response_started{http2.peer_header_overflow}",
    "the backend takes no head of that size"
};
static const struct failure try_timeout = { 504, FLAG_UT, "upstream_per_try_timeout",
                                            "upstream request timeout" };
static const struct failure overflow = { 503, FLAG_UO,
                                         "upstream_reset_before_response_started{overflow}",
                                         "overflow" };
static const struct failure no_memory = { 503, FLAG_OM,
                                          "upstream_reset_before_response_started{overflow}",
                                          "overflow" };

static const struct failure *failure_of(const struct request *r)
{
    if (!r->up)
        return r->open_error == ERR_OVERFLOW ? &overflow : &connect_failure;
    switch (r->up->fail) {
    case LEG_CONNECT:
        return &connect_failure;
    case LEG_CONNECT_TIMEOUT:
        return &connect_timeout;
    case LEG_REFUSED:
        return &refused_stream;
    case LEG_PROTOCOL:
        return &protocol_error;
    case LEG_TOO_LARGE:
        return &head_too_large;
    case LEG_NO_MEMORY:
        return &no_memory;
    default:
        return &termination;
    }
}

/* The other end closed an idle connection as we took it: nobody's fault, tried again
 * without counting (design 7). */
static bool is_idle_race(const struct request *r)
{
    const struct leg *up = r->up;
    const struct retry_policy *retry = retry_of(r->s.route);

    /* Behind GOAWAY: another connection will do (RFC 9113, 6.8). */
    if (up && up->fail == LEG_REFUSED && !up->out_started)
        return r->can_replay && r->moved < MOVES_MAX;
    if (!up || up->fail != LEG_GONE || !up->reused || up->in_started || !r->can_replay)
        return false;
    if (!up->out_started)
        return true;
    return retry->idle_race && method_is_idempotent(method_of(r->s.request->method));
}

/* Conditions that a failure before the response meets. */
static uint32_t reasons_of(const struct request *r, const struct failure *f)
{
    uint32_t any = RETRY_RESET | RETRY_5XX | RETRY_GATEWAY_ERROR;

    if (f == &overflow || f == &no_memory || f == &head_too_large)
        return 0;
    if (f->flag == FLAG_UF)
        return any | RETRY_CONNECT_FAILURE | RETRY_RESET_BEFORE_REQUEST;
    if (f->flag == FLAG_UR)
        return any | RETRY_REFUSED_STREAM;
    return r->up && !r->up->out_started ? any | RETRY_RESET_BEFORE_REQUEST : any;
}

static bool has_tries(const struct request *r)
{
    return r->can_replay && r->retries < retry_of(r->s.route)->attempts;
}

static struct str failure_body(const struct request *r, const struct failure *f, struct str why)
{
    return arena_printf(r->s.arena,
                        "upstream connect error or disconnect/reset before headers. %sreset "
                        "reason: %s%s%.*s",
                        r->retries ? "retried and the latest " : "", f->reason,
                        why.n ? ", transport failure reason: " : "", STRF(why));
}

static void try_fires(struct timer *t)
{
    struct request *r = CONTAINER_OF(t, struct request, try_timer);

    r->try_due = true;
    task_wake(&r->task);
}

static void try_timer_set(struct request *r, uint64_t ms)
{
    if (!r->has_try_timer)
        timer_init(&r->try_timer, r->s.loop, try_fires);
    r->has_try_timer = true;
    r->try_due = false;
    timer_set(&r->try_timer, ms);
}

/* False: maxRetries says no. */
static bool try_again(struct request *r)
{
    uint64_t base = MAX(retry_of(r->s.route)->base_ms, 1);

    if (!claim_retry(&r->claim))
        return false;
    metrics_cluster_stat(r->worker->metrics, r->cluster, STAT_UPSTREAM_RQ_RETRY, 1);
    r->retry_due = true;
    try_timer_set(r, rng_below(r->s.rng, MIN(base << MIN(r->retries, 4), base * BACKOFF_MOST)) + 1);
    r->retries++;
    return true;
}

static void answer_failure(struct request *r, const struct failure *f, struct str why,
                           uint32_t flags)
{
    struct headers extra = { 0 };

    if (r->retries && r->retries >= retry_of(r->s.route)->attempts)
        flags |= FLAG_URX;
    if (f->flag == FLAG_UO)
        headers_add_id(&extra, r->s.arena, HDR_X_ENVOY_OVERLOADED, STR("true"));
    else
        r->record.upstream_failure = why;
    if (f == &try_timeout) {
        reply_with(r, f->status, str_of(f->reason), f->details, f->flag | flags, &extra);
        return;
    }
    reply_with(r, f->status, failure_body(r, f, f->flag == FLAG_UO ? STR_NONE : why), f->details,
               f->flag | flags, &extra);
}

/* Behind the head of the response. */
static void broke_off(struct request *r, const struct failure *f, struct str why)
{
    r->record.upstream_failure = why;
    if (f->flag == FLAG_UPE)
        reply_break(r, "upstream_reset_after_response_started{protocol_error}", FLAG_UPE);
    else
        reply_break(r, "upstream_reset_after_response_started{connection_termination}", FLAG_UC);
}

static void failed_by(struct request *r, const struct failure *f)
{
    bool asks = retry_of(r->s.route)->on & reasons_of(r, f);
    struct str why = r->up ? r->up->fail_text : str_of(err_text(r->open_error));
    bool idle_race = is_idle_race(r);
    bool moves = idle_race && r->up->fail == LEG_REFUSED;

    if (f->flag == FLAG_UF)
        metrics_cluster_stat(r->worker->metrics, r->cluster, STAT_UPSTREAM_CX_CONNECT_FAIL, 1);
    if (r->state == REQUEST_RESPONSE) {
        broke_off(r, f, why);
        return;
    }
    attempt_end(r);
    if (idle_race) {
        r->tried_n = 0;
        r->moved += moves;
        metrics_stat(r->worker->metrics, STAT_IDLE_RACE_RECOVERED, 1);
        attempt_start(r);
    } else if (!asks || !has_tries(r)) {
        answer_failure(r, f, why, 0);
    } else if (!try_again(r)) {
        answer_failure(r, f, why, FLAG_UO); /* maxRetries */
    }
}

void attempt_failed(struct request *r)
{
    failed_by(r, failure_of(r));
}

/* ---- one try's time, and answers that ask for another ---- */

void attempt_sent(struct request *r)
{
    uint32_t ms = retry_of(r->s.route)->per_try_ms;

    if (ms)
        try_timer_set(r, ms);
}

void attempt_due(struct request *r)
{
    r->try_due = false;
    if (r->state != REQUEST_UPSTREAM)
        return; /* the response has begun: only the route's time counts */
    if (r->retry_due) {
        r->retry_due = false;
        attempt_start(r);
    } else if (r->up) {
        failed_by(r, &try_timeout);
    }
}

bool attempt_rejects(struct request *r)
{
    const struct head *head = r->up->in_head;
    struct str text = r->record.is_grpc ? headers_get(&head->headers, HDR_GRPC_STATUS) : STR_NONE;
    uint64_t grpc = 0;
    bool has_grpc = str_is_set(text) && str_u64(text, &grpc) && grpc < 100;

    if (!retry_asks(retry_of(r->s.route), head->status, has_grpc ? (int)grpc : -1))
        return false;
    if (!has_tries(r)) {
        if (r->retries)
            r->record.flags |= FLAG_URX;
        return false;
    }
    if (!claim_retry(&r->claim)) {
        r->record.flags |= FLAG_UO;
        return false;
    }
    attempt_end(r);
    return try_again(r);
}
