/*
 * proxy/chain - runs the filters that the connection manager lists (design 5.14).
 */
#include "proxy/request.h"

static void filter_add(struct request *r, const struct filter_config *fc, uint32_t place)
{
    struct filter_run *f = &r->filters[r->filter_count++];

    f->config = fc->parsed;
    f->kind = fc->row;
    f->place = place;
    if (f->kind->state_size)
        f->state = arena_alloc(r->s.arena, f->kind->state_size);
    r->has_body_hooks |= f->kind->request_body || f->kind->response_body;
}

void chain_choose(struct request *r)
{
    const struct http_manager *m = r->s.chain ? &r->s.chain->http : NULL;
    const struct filter_run *ran = r->filters;
    uint32_t n = m ? m->filters.n : 0;
    uint32_t from = r->filter_at ? ran[r->filter_at - 1].place + 1 : 0;

    r->filters = ARENA_ARRAY(r->s.arena, struct filter_run, r->filter_at + n + 1);
    if (r->filter_at)
        memcpy(r->filters, ran, r->filter_at * sizeof(*ran));
    r->filter_count = r->filter_at;
    for (uint32_t i = from; i < n; i++) {
        const struct filter_config *fc = &m->filters.v[i];

        if (r->has_overrides)
            fc = filter_config_for(&r->s, fc);
        if (fc->parsed)
            filter_add(r, fc, i);
    }
    r->response_filter_at = r->filter_count;
}

void chain_request_head(struct request *r)
{
    while (r->filter_at < r->filter_count && r->state == REQUEST_FILTERS) {
        struct filter_run *f = &r->filters[r->filter_at++];
        enum flow flow = FLOW_NEXT;

        if (f->kind->request_head)
            flow = f->kind->request_head(&r->s, f->config, f->state);
        if (flow == FLOW_WAIT) {
            request_set_state(r, REQUEST_WAITING);
            return;
        }
        if (flow == FLOW_DONE)
            return;
        if (flow == FLOW_REROUTE && !edge_reroute(r))
            return;
    }
    /* A chain without a router at its end serves nobody. */
    if (r->state == REQUEST_FILTERS)
        refuse_send(r, &refused_no_route);
}

bool chain_response_head(struct request *r)
{
    while (r->response_filter_at > 0) {
        struct filter_run *f = &r->filters[--r->response_filter_at];

        if (f->kind->response_head &&
            f->kind->response_head(&r->s, f->config, f->state) == FLOW_WAIT) {
            r->response_waits = true;
            return false;
        }
    }
    return true;
}

void chain_response_info(struct request *r, struct head *info)
{
    for (uint32_t i = r->filter_count; i > 0; i--) {
        struct filter_run *f = &r->filters[i - 1];

        if (f->kind->response_info)
            (void)f->kind->response_info(&r->s, f->config, f->state, info);
    }
}

void chain_body(struct request *r, bool is_response, struct bufq *octets, bool end)
{
    if (!r->has_body_hooks)
        return;
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[is_response ? r->filter_count - 1 - i : i];

        if (is_response && f->kind->response_body)
            (void)f->kind->response_body(&r->s, f->config, f->state, octets, end);
        if (!is_response && f->kind->request_body)
            (void)f->kind->request_body(&r->s, f->config, f->state, octets, end);
    }
}

void chain_trailers(struct request *r, bool is_response, struct headers *trailers)
{
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[is_response ? r->filter_count - 1 - i : i];

        if (is_response && f->kind->response_trailers)
            (void)f->kind->response_trailers(&r->s, f->config, f->state, trailers);
        if (!is_response && f->kind->request_trailers)
            (void)f->kind->request_trailers(&r->s, f->config, f->state, trailers);
    }
}

void chain_done(struct request *r)
{
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[i];

        if (f->kind->done)
            f->kind->done(&r->s, f->config, f->state);
    }
}
