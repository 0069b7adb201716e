/*
 * proxy/chain - runs the filters that the connection manager lists (design 5.14).
 */
#include "proxy/request.h"

void chain_init(struct request *r)
{
    const struct http_manager *m = r->s.chain ? &r->s.chain->http : NULL;
    uint32_t n = m ? m->filters.n : 0;

    r->filters = ARENA_ARRAY(r->s.arena, struct filter_run, MAX(n, 1));
    for (uint32_t i = 0; i < n; i++) {
        struct filter_run *f = &r->filters[i];

        f->config = &m->filters.v[i];
        f->kind = f->config->row;
        if (f->kind->state_size)
            f->state = arena_alloc(r->s.arena, f->kind->state_size);
        r->has_body_hooks |= f->kind->request_body || f->kind->response_body;
    }
    r->filter_count = n;
    r->response_filter_at = n;
}

static const void *config_of(const struct request *r, const struct filter_run *f)
{
    return (r->has_overrides ? filter_config_for(&r->s, f->config) : f->config)->parsed;
}

void chain_request_head(struct request *r)
{
    while (r->filter_at < r->filter_count && r->state == REQUEST_FILTERS) {
        struct filter_run *f = &r->filters[r->filter_at++];
        enum flow flow = FLOW_NEXT;

        if (f->kind->request_head)
            flow = f->kind->request_head(&r->s, config_of(r, f), f->state);
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
            f->kind->response_head(&r->s, config_of(r, f), f->state) == FLOW_WAIT) {
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
            (void)f->kind->response_info(&r->s, config_of(r, f), f->state, info);
    }
}

void chain_body(struct request *r, bool is_response, struct bufq *octets, bool end)
{
    if (!r->has_body_hooks)
        return;
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[is_response ? r->filter_count - 1 - i : i];

        if (is_response && f->kind->response_body)
            (void)f->kind->response_body(&r->s, config_of(r, f), f->state, octets, end);
        if (!is_response && f->kind->request_body)
            (void)f->kind->request_body(&r->s, config_of(r, f), f->state, octets, end);
    }
}

void chain_trailers(struct request *r, bool is_response, struct headers *trailers)
{
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[is_response ? r->filter_count - 1 - i : i];

        if (is_response && f->kind->response_trailers)
            (void)f->kind->response_trailers(&r->s, config_of(r, f), f->state, trailers);
        if (!is_response && f->kind->request_trailers)
            (void)f->kind->request_trailers(&r->s, config_of(r, f), f->state, trailers);
    }
}

void chain_done(struct request *r)
{
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct filter_run *f = &r->filters[i];

        if (f->kind->done)
            f->kind->done(&r->s, config_of(r, f), f->state);
    }
}
