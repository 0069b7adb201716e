#include "filter/fault.h"

#define MILLION 1000000

struct fault {
    uint32_t delay_ppm, delay_ms, abort_ppm;
    uint16_t status;
    struct str grpc_status; /* or not set: an HTTP status */
};

/* What the timer needs while it runs; `done` stops it. */
struct waiter {
    struct timer timer;
    struct streams *table; /* NULL: nothing is waited for */
    struct stream_handle handle;
    const struct fault *fault;
};

/* ---- configuration ---- */

static bool number_read(struct str *rest, uint64_t max, uint32_t *ret)
{
    uint64_t v;

    if (!str_u64(str_cut(rest, ' '), &v) || v > max)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool abort_read(struct str rest, struct fault *f)
{
    struct str kind;
    uint32_t status;

    if (!number_read(&rest, MILLION, &f->abort_ppm))
        return false;
    kind = str_cut(&rest, ' ');
    f->status = 200;
    f->grpc_status = rest;
    if (str_eq(kind, STR("grpc")))
        return number_read(&rest, 16, &status);
    f->grpc_status = STR_NONE;
    if (!str_eq(kind, STR("http")) || !number_read(&rest, 599, &status) || status < 200)
        return false;
    f->status = (uint16_t)status;
    return true;
}

static bool line_read(struct str line, struct fault *f)
{
    struct str rest = line, word = str_cut(&rest, ' ');

    if (str_eq(word, STR("delay")))
        return number_read(&rest, MILLION, &f->delay_ppm) &&
               number_read(&rest, UINT32_MAX, &f->delay_ms);
    return str_eq(word, STR("abort")) && abort_read(rest, f);
}

static const void *fault_config_read(struct str octets, struct arena *a, struct str *reterr)
{
    struct fault *f = ARENA_NEW(a, struct fault);
    struct str rest = arena_dup(a, octets);

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');

        if (line.n && !line_read(line, f)) {
            *reterr = arena_printf(a, "fault: cannot read \"%.*s\"", STRF(line));
            return NULL;
        }
    }
    return f;
}

/* ---- requests ---- */

static bool is_drawn(const struct stream *s, uint32_t ppm)
{
    return ppm == MILLION || (ppm && rng_below(s->rng, MILLION) < ppm);
}

static enum flow abort_maybe(struct stream *s, const struct fault *f)
{
    struct headers extra = { 0 };
    struct stream_answer answer = { .status = f->status,
                                    .flags = FLAG_FI,
                                    .details = "fault_filter_abort",
                                    .body = STR("fault filter abort"),
                                    .headers = &extra };

    if (!is_drawn(s, f->abort_ppm))
        return FLOW_NEXT;
    if (str_is_set(f->grpc_status) && head_is_grpc(s->request))
        headers_add_id(&extra, s->arena, HDR_GRPC_STATUS, f->grpc_status);
    s->ops->answer(s, &answer);
    return FLOW_DONE;
}

static void delay_over(struct timer *t)
{
    struct waiter *w = CONTAINER_OF(t, struct waiter, timer);
    struct stream *s = stream_of(w->table, w->handle);

    if (s && abort_maybe(s, w->fault) == FLOW_NEXT)
        s->ops->go_on(s);
}

static enum flow fault_request_head(struct stream *s, const void *config, void *state)
{
    const struct fault *f = config;
    struct waiter *w = state;

    if (!is_drawn(s, f->delay_ppm))
        return abort_maybe(s, f);
    s->ops->note(s, FLAG_DI);
    w->table = s->table;
    w->handle = s->handle;
    w->fault = f;
    timer_init(&w->timer, s->loop, delay_over);
    timer_set(&w->timer, f->delay_ms);
    return FLOW_WAIT;
}

static void fault_done(struct stream *s, const void *config, void *state)
{
    struct waiter *w = state;

    (void)s;
    (void)config;
    if (w->table)
        timer_fini(&w->timer);
}

const struct filter_kind filter_fault = {
    .name = "fault",
    .state_size = sizeof(struct waiter),
    .config_read = fault_config_read,
    .request_head = fault_request_head,
    .done = fault_done,
};
