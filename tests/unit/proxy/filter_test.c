/*
 * The filter contract (design 5.14) through a filter of the test's own that waits.
 */
#include "filter/filter.h"
#include "live/host.h"
#include "rig.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits wait_ms in the request, or in the response where the path says so. */
struct waiter {
    struct timer timer;
    struct streams *table;
    struct stream_handle handle;
};

static _Atomic uint32_t wait_ms;
static _Atomic int held, woke, found_gone, ended;

static void waiter_due(struct timer *t)
{
    struct waiter *w = CONTAINER_OF(t, struct waiter, timer);
    struct stream *s = stream_of(w->table, w->handle);

    woke++;
    if (s)
        s->ops->go_on(s);
    else
        found_gone++;
    timer_fini(t);
    free(w);
}

static enum flow wait_a_little(struct stream *s)
{
    struct waiter *w = malloc(sizeof(*w));

    timer_init(&w->timer, s->loop, waiter_due);
    w->table = s->table;
    w->handle = s->handle;
    timer_set(&w->timer, wait_ms);
    held++;
    return FLOW_WAIT;
}

static enum flow wait_request_head(struct stream *s, const void *config, void *state)
{
    (void)config;
    (void)state;
    return str_eq(s->path, STR("/response")) ? FLOW_NEXT : wait_a_little(s);
}

static enum flow wait_response_head(struct stream *s, const void *config, void *state)
{
    (void)config;
    (void)state;
    return str_eq(s->path, STR("/response")) ? wait_a_little(s) : FLOW_NEXT;
}

static void wait_done(struct stream *s, const void *config, void *state)
{
    (void)s;
    (void)config;
    (void)state;
    ended++;
}

static const struct filter_kind kind_wait = {
    .name = "wait",
    .request_head = wait_request_head,
    .response_head = wait_response_head,
    .done = wait_done,
};

/* Answers itself. */
static enum flow answer_request_head(struct stream *s, const void *config, void *state)
{
    (void)config;
    (void)state;
    s->ops->reply(s, 418, STR("short and stout"), "teapot", 0);
    return FLOW_DONE;
}

static const struct filter_kind kind_answer = {
    .name = "answer",
    .request_head = answer_request_head,
};

static bool parse(struct filter_config *fc, struct arena *a, struct str *reterr)
{
    static const struct filter_kind *const own[] = { &kind_wait, &kind_answer };

    for (size_t i = 0; i < LEN(own); i++) {
        if (!str_eq(fc->kind, str_of(own[i]->name)))
            continue;
        fc->row = own[i];
        fc->parsed = "";
        return true;
    }
    return filter_config_parse(fc, a, reterr);
}

static const struct part_hooks hooks = {
    .host_get = live_host_get,
    .host_unref = live_host_unref,
    .filter_parse = parse,
};

TEST(a_filter_may_hold_request_and_response_back)
{
    struct rig r = { .filter = "wait", .hooks = &hooks };
    int fd;

    woke = found_gone = ended = 0;
    wait_ms = 30;
    rig_start(&r, true);
    fd = rig_client(&r);
    CHECK(has(talk(fd, GET("/request"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    CHECK(has(talk(fd, GET("/response"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    CHECK_EQ(woke, 2);
    CHECK_EQ(found_gone, 0);
    close(fd);
    rig_stop(&r, true);
    CHECK_EQ(ended, 2);
}

TEST(a_waiter_finds_its_stream_gone_when_the_client_has_left)
{
    struct rig r = { .filter = "wait", .hooks = &hooks };

    held = woke = found_gone = ended = 0;
    wait_ms = 1000; /* long enough for the reset to be there first, whatever the load */
    rig_start(&r, true);
    for (int i = 0; i < 5; i++) {
        int fd = rig_client(&r);
        struct linger reset = { .l_onoff = 1 };

        CHECK(send_text(fd, GET("/request")));
        for (int turn = 0; turn < 1000 && held <= i; turn++)
            usleep(10000); /* a reset takes along what was not read */
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    for (int i = 0; i < 500 && woke < 5; i++)
        usleep(10000);
    CHECK_EQ(woke, 5);
    CHECK_EQ(found_gone, 5);
    rig_stop(&r, true);
    CHECK_EQ(ended, 5);
}

TEST(a_reply_of_a_filter_runs_back_through_the_others)
{
    struct rig r = { .filter = "answer", .hooks = &hooks };
    struct str got;
    int fd;

    rig_start(&r, false);
    fd = rig_client(&r);
    got = talk(fd, GET("/"), "short and stout");
    CHECK(has(got, "HTTP/1.1 418 "));
    CHECK(has(got, "x-by: lateen\r\n"));
    CHECK(has(got, "content-length: 15\r\n"));
    close(fd);
    rig_stop(&r, false);
}
