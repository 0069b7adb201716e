#include "unit/telemetry/sample.h"

#include "unit/check.h"

static struct listener listener = {
    .port = 8080,
    .manifest_port = 80,
    .stat_prefix = STR_INIT("0.0.0.0_8080"),
};
static struct cluster cluster = {
    .part.name = STR_INIT("outbound|80|v1|hedgus-app.hedgus.svc.cluster.local"),
    .service = { STR_INIT("hedgus-app.hedgus.svc.cluster.local"), STR_INIT("hedgus-app"),
                 STR_INIT("hedgus") },
};
static struct endpoint endpoint = {
    .addr = { 4, 8080, { 10, 0, 0, 7 } },
    .workload = STR_INIT("hedgus-app-v1"),
    .namespace = STR_INIT("hedgus"),
    .app = STR_INIT("hedgus-app"),
    .version = STR_INIT("v1"),
    .canonical_service = STR_INIT("hedgus-app"),
    .canonical_revision = STR_INIT("v1"),
};
static struct route route = { .name = STR_INIT("default") };

static void sample_base(struct record *r, struct arena *a)
{
    struct headers *request = ARENA_NEW(a, struct headers);

    headers_add(request, a, STR("user-agent"), STR("curl/7.88.1"));
    headers_add(request, a, STR("x-forwarded-for"), STR("192.0.2.9"));
    headers_add(request, a, STR("x-request-id"), STR("0b52df1a-91a8-4e36-a1c8-b41b34bfbcd5"));
    *r = (struct record){
        .listener = &listener,
        .start_wall_us = INT64_C(1795511703042999), /* 2026-11-24T09:15:03.042 */
        .start_ns = 1000000000,
        .request_end_ns = 1001000000,
        .end_ns = 1012999999,
        .protocol = PROTOCOL_HTTP11,
        .method = STR("GET"),
        .path = STR("/page?x=1"),
        .authority = STR("mk.hedgus.com"),
        .request = request,
        .downstream_local = { 4, 8080, { 127, 0, 0, 1 } },
        .downstream_remote = { 4, 0, { 192, 0, 2, 9 } },
        .downstream_peer = { 4, 51234, { 127, 0, 0, 1 } },
        .connection_id = 7,
    };
}

void sample_record(struct record *r, struct arena *a)
{
    struct headers *response = ARENA_NEW(a, struct headers);

    sample_base(r, a);
    headers_add(response, a, STR("x-envoy-upstream-service-time"), STR("11"));
    r->response = response;
    r->route = &route;
    r->cluster = &cluster;
    r->endpoint = &endpoint;
    r->attempts = 1;
    r->code = 200;
    r->details = "via_upstream";
    r->upstream_start_ns = 1001500000;
    r->upstream_first_ns = 1011000000;
    r->sent = 1234;
    r->upstream_local = (struct addr){ 4, 40000, { 10, 0, 0, 1 } };
    r->upstream_remote = endpoint.addr;
}

void sample_not_found(struct record *r, struct arena *a)
{
    sample_base(r, a);
    r->code = 404;
    r->flags = FLAG_NR;
    r->details = "route_not_found";
}

void sample_set(struct record *r, struct arena *a, const char *name, struct str value)
{
    struct headers *list = ARENA_NEW(a, struct headers);

    headers_share(list, a, r->request);
    headers_set(list, a, str_of(name), value);
    r->request = list;
}

struct str sample_page(struct buf *out, enum scrape_form form)
{
    struct scrape *s = scrape_new(&(struct scrape_ask){ .form = (uint8_t)form }, NULL);

    CHECK(s != NULL);
    buf_reset(out);
    while (scrape_more(s, out))
        ;
    scrape_free(s);
    CHECK(!out->full);
    return buf_str(out);
}
