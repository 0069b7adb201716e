#include "unit/http/rig.h"

#include "unit/check.h"

static const enum http_version versions[] = { HTTP_11, HTTP_2 };

static const struct pipe_script scripts[] = {
    { 0, 0, 65536, false }, { 1, 0, 65536, false }, { 0, 1, 65536, false },  { 0, 0, 10, false },
    { 7, 11, 64, true },    { 0, 0, 65536, true },  { 3, 100, 1000, false },
};

static void set_script(struct rig *r, const struct pipe_script *s, struct transport *up)
{
    *pipe_script(up) = *s;
    *pipe_script(r->b) = *s;
}

struct scenario {
    const char *method, *path;
    size_t body;
    uint16_t status;
    size_t got;
    uint32_t infos;
};

static const struct scenario scenarios[] = {
    { "GET", "/size/0", 0, 200, 0, 0 },         { "GET", "/size/5", 0, 200, 5, 0 },
    { "GET", "/size/40000", 0, 200, 40000, 0 }, { "POST", "/echo", 30000, 200, 30000, 0 },
    { "POST", "/echo", 1, 200, 1, 0 },          { "HEAD", "/size/100", 0, 200, 0, 0 },
    { "GET", "/hints", 0, 200, 0, 2 },          { "POST", "/size/9", 20000, 200, 9, 0 },
};

TEST(exchanges_come_out_whole_however_short_reads_and_writes_are)
{
    int row = 0;

    for (size_t v = 0; v < LEN(versions); v++) {
        for (size_t s = 0; s < LEN(scripts); s++) {
            for (size_t i = 0; i < LEN(scenarios); i++) {
                const struct scenario *w = &scenarios[i];
                struct transport *up;
                struct call *c;
                struct rig r;

                CASE(row++);
                rig_init_raw(&r);
                up = r.a;
                set_script(&r, &scripts[s], up);
                r.version = versions[v];
                r.up = http_connect(r.pools, up, &r.client, &r.settings, versions[v]);
                r.a = NULL;
                c = rig_call(&r, w->method, w->path, w->body);
                for (int n = 0; n < 100 && !c->done; n++)
                    rig_settle(&r);
                CHECK(c->done);
                CHECK_EQ(c->fail, LEG_OK);
                CHECK_EQ(c->status, w->status);
                CHECK_EQ(c->got, w->got);
                CHECK_EQ(c->sum, w->got);
                CHECK_EQ(c->infos, w->infos);
                if (versions[v] == HTTP_2 || w->body < 20000) /* else answered too early */
                    CHECK(r.up && http_conn_is_usable(r.up));
                rig_fini(&r);
            }
        }
    }
}

TEST(many_legs_share_a_connection)
{
    struct rig r;

    rig_init(&r, HTTP_2);
    rig_settle(&r);
    for (int i = 0; i < 100; i++)
        rig_call(&r, "POST", "/echo", (size_t)i * 700 + 1);
    CHECK(!http_conn_is_usable(r.up)); /* the server's limit */
    for (int n = 0; n < 10; n++)
        rig_settle(&r);
    for (uint32_t i = 0; i < r.n; i++) {
        CASE(i);
        CHECK(r.calls[i].done && r.calls[i].fail == LEG_OK);
        CHECK_EQ(r.calls[i].sum, i * 700 + 1);
    }
    CHECK(http_conn_is_usable(r.up));
    CHECK(r.changed > 0); /* the pool was told that it is usable again */
    rig_fini(&r);
}

TEST(a_connection_breaks_at_each_step)
{
    for (int side = 0; side < 2; side++) {
        for (size_t v = 0; v < LEN(versions); v++) {
            for (int step = 0; step < 60; step++) {
                struct transport *up;
                struct rig r;

                CASE(side * 10000 + (int)v * 1000 + step);
                rig_init_raw(&r);
                up = r.a;
                pipe_script(up)->capacity = 500;
                r.up = http_connect(r.pools, up, &r.client, &r.settings, versions[v]);
                r.a = NULL;
                for (int i = 0; i < (versions[v] == HTTP_2 ? 5 : 1); i++)
                    rig_call(&r, "POST", "/echo", 3000);
                rig_turns(&r, step);
                if (side == 0 && r.up)
                    pipe_break(up, ERR_RESET);
                else if (r.down)
                    pipe_break(r.b, ERR_RESET);
                rig_settle(&r);
                for (uint32_t i = 0; i < r.n; i++) {
                    CHECK(r.calls[i].done);
                    CHECK(r.calls[i].fail != LEG_OK || r.calls[i].sum == 3000);
                }
                rig_fini(&r);
            }
        }
    }
}

TEST(a_client_releases_at_each_step)
{
    static const char *const paths[] = { "/echo", "/size/30000", "/never", "/early" };

    for (size_t p = 0; p < LEN(paths); p++) {
        for (size_t v = 0; v < LEN(versions); v++) {
            for (int step = 0; step < 40; step++) {
                struct call *c;
                struct rig r;

                CASE((int)p * 10000 + (int)v * 1000 + step);
                rig_init(&r, versions[v]);
                if (versions[v] == HTTP_2)
                    rig_call(&r, "GET", "/size/50000", 0);
                c = rig_call(&r, "POST", paths[p], 100000);
                c->paused = step & 1;
                rig_turns(&r, step);
                call_release(c);
                rig_settle(&r);
                if (versions[v] == HTTP_2) { /* its neighbour is whole */
                    CHECK(r.calls[0].done && r.calls[0].fail == LEG_OK);
                    CHECK_EQ(r.calls[0].sum, 50000);
                    CHECK(r.up && http_conn_is_usable(r.up));
                }
                if (versions[v] == HTTP_2) /* FIN does not end a whole request of HTTP/1 */
                    CHECK_EQ(r.exchanges, 0);
                rig_fini(&r);
            }
        }
    }
}

TEST(a_server_lets_go_or_breaks_off_and_it_shows)
{
    static const char *const paths[] = { "/release", "/break" };

    for (size_t p = 0; p < LEN(paths); p++) {
        for (size_t v = 0; v < LEN(versions); v++) {
            struct call *c;
            struct rig r;

            CASE(p * 2 + v);
            rig_init(&r, versions[v]);
            c = rig_call(&r, "GET", paths[p], 0);
            rig_settle(&r);
            CHECK(c->done);
            CHECK_EQ(c->fail, LEG_GONE);
            CHECK(!c->leg);
            CHECK(versions[v] == HTTP_2 ? r.up != NULL : r.up == NULL);
            rig_fini(&r);
        }
    }
}

TEST(a_connection_closes_at_each_step)
{
    for (int side = 0; side < 2; side++) {
        for (size_t v = 0; v < LEN(versions); v++) {
            for (int step = 0; step < 40; step++) {
                struct rig r;

                CASE(side * 10000 + (int)v * 1000 + step);
                rig_init(&r, versions[v]);
                for (int i = 0; i < (versions[v] == HTTP_2 ? 5 : 1); i++)
                    rig_call(&r, "POST", "/echo", 30000);
                rig_turns(&r, step);
                if (side == 0 && r.up)
                    http_conn_close(r.up);
                else if (side == 1 && r.down)
                    http_conn_close(r.down);
                rig_settle(&r);
                for (uint32_t i = 0; i < r.n; i++)
                    CHECK(r.calls[i].done);
                rig_fini(&r);
            }
        }
    }
}

TEST(a_reader_that_stops_holds_only_its_own_stream)
{
    struct call *slow, *fast;
    struct rig r;

    rig_init(&r, HTTP_2);
    slow = rig_call(&r, "GET", "/size/5000000", 0);
    slow->paused = true;
    rig_settle(&r);
    CHECK_EQ(slow->leg->in.n, 256 * 1024); /* its window, no more */
    for (int i = 0; i < 20; i++) {
        fast = rig_call(&r, "GET", "/size/400000", 0);
        rig_settle(&r);
        CASE(i);
        CHECK(fast->done && fast->sum == 400000);
    }
    CHECK_EQ(slow->leg->in.n, 256 * 1024);
    slow->paused = false;
    task_wake(&slow->task);
    rig_settle(&r);
    CHECK(slow->done && slow->sum == 5000000);
    rig_fini(&r);
}

TEST(an_upload_that_is_not_taken_holds_only_its_own_stream)
{
    struct call *slow, *fast;
    struct rig r;

    rig_init(&r, HTTP_2);
    r.hold = true;
    slow = rig_call(&r, "POST", "/hold", 3000000);
    rig_settle(&r);
    CHECK_EQ(slow->leg->out_octets, 256 * 1024);
    fast = rig_call(&r, "POST", "/echo", 2000000);
    rig_settle(&r);
    CHECK(fast->done && fast->sum == 2000000);
    CHECK_EQ(slow->leg->out_octets, 256 * 1024);
    rig_fini(&r);
}

TEST(a_draining_server_says_goaway_twice_and_loses_nothing)
{
    struct call *c, *late;
    struct rig r;

    rig_init(&r, HTTP_2);
    r.hold = true;
    c = rig_call(&r, "POST", "/hold", 100);
    rig_settle(&r);
    late = rig_call(&r, "GET", "/size/5", 0); /* sends its HEADERS behind GOAWAY's arrival */
    http_conn_drain(r.down);
    rig_settle(&r);
    CHECK(late->done);
    CHECK_EQ(late->fail, LEG_REFUSED); /* nothing left: another connection will do */
    CHECK(r.up && !http_conn_is_usable(r.up));
    http_conn_retire(r.down);
    rig_settle(&r);
    CHECK(!c->done && r.down);
    call_release(c);
    rig_settle(&r);
    CHECK(r.up == NULL && r.down == NULL);
    rig_fini(&r);
}

TEST(an_idle_connection_ends_after_its_time)
{
    for (size_t v = 0; v < LEN(versions); v++) {
        struct call *c;
        struct rig r;

        CASE(v);
        rig_init(&r, versions[v]);
        c = rig_call(&r, "GET", "/size/5", 0);
        rig_settle(&r);
        CHECK(c->done && r.up);
        r.now_ns += 59000ull * 1000000;
        rig_settle(&r);
        CHECK(r.up && r.down);
        r.now_ns += 3000ull * 1000000;
        rig_settle(&r);
        CHECK(r.up == NULL);
        rig_fini(&r);
    }
}

struct opener {
    struct timer timer;
    struct rig *rig;
    struct call *call;
};

static void open_one(struct timer *t)
{
    struct opener *o = CONTAINER_OF(t, struct opener, timer);

    o->call = rig_call(o->rig, "GET", "/size/5", 0);
}

/* The rest of a second and the request come in one turn. */
TEST(a_request_in_the_turn_in_which_a_connection_comes_to_rest_begins_its_idle_time_anew)
{
    struct opener o = { 0 };
    struct rig r;

    rig_init(&r, HTTP_2);
    rig_call(&r, "GET", "/size/5", 0);
    rig_settle(&r);
    o.rig = &r;
    timer_init(&o.timer, r.loop, open_one);
    timer_set(&o.timer, 999);
    r.now_ns += 1000ull * 1000000;
    rig_settle(&r);
    CHECK(o.call && o.call->done && r.up);
    r.now_ns += 59500ull * 1000000;
    rig_settle(&r);
    CHECK(r.up != NULL);
    r.now_ns += 2000ull * 1000000;
    rig_settle(&r);
    CHECK(r.up == NULL);
    timer_fini(&o.timer);
    rig_fini(&r);
}

TEST(an_answer_above_the_limits_is_a_protocol_error)
{
    for (size_t v = 0; v < LEN(versions); v++) {
        struct call *c;
        struct rig r;

        CASE(v);
        rig_init(&r, versions[v]);
        c = rig_call(&r, "GET", "/big", 0);
        rig_settle(&r);
        CHECK(c->done);
        CHECK_EQ(c->fail, LEG_PROTOCOL);
        rig_fini(&r);
    }
}

TEST(a_connection_that_does_not_open_fails_its_legs)
{
    for (size_t v = 0; v < LEN(versions); v++) {
        for (int how = 0; how < 3; how++) {
            struct transport *up;
            struct call *c;
            struct rig r;

            CASE(v * 3 + (size_t)how);
            rig_init_raw(&r);
            up = r.a;
            pipe_opening(up);
            r.up = http_connect(r.pools, up, &r.client, &r.settings, versions[v]);
            r.a = NULL;
            c = rig_call(&r, "GET", "/size/5", 0);
            rig_settle(&r);
            CHECK(!c->done);
            if (how == 2)
                r.now_ns += 6000ull * 1000000;
            else
                pipe_opened(up, how ? ERR_REFUSED : ERR_OK);
            rig_settle(&r);
            CHECK(c->done);
            CHECK_EQ(c->fail, how == 0 ? LEG_OK : how == 1 ? LEG_CONNECT : LEG_CONNECT_TIMEOUT);
            rig_fini(&r);
        }
    }
}
