#include "filter/router.h"

static enum flow router_request_head(struct stream *s, const void *config, void *state)
{
    (void)config;
    (void)state;
    s->ops->forward(s);
    return FLOW_DONE;
}

const struct filter_kind filter_router = {
    .name = "router",
    .request_head = router_request_head,
};
