#include "echo/steer.h"

#include "unit/check.h"

TEST(the_query_steers_the_answer)
{
    static const struct {
        const char *query;
        uint16_t status;
        uint32_t delay_ms;
        int64_t size; /* -1: none */
        bool close, reset;
        uint32_t resources, headers, trailers;
    } cases[] = {
        { "", 200, 0, -1, false, false, 0, 0, 0 },
        { "status=503", 503, 0, -1, false, false, 0, 0, 0 },
        { "status=404&status=503", 503, 0, -1, false, false, 0, 0, 0 },
        { "x=1&delay=200ms&y", 200, 200, -1, false, false, 0, 0, 0 },
        { "size=1Mi", 200, 0, 1048576, false, false, 0, 0, 0 },
        { "size=0", 200, 0, 0, false, false, 0, 0, 0 },
        { "close=1&reset=after-head", 200, 0, -1, true, true, 0, 0, 0 },
        { "header=x:y&header=a%3Ab&trailer=t:%20z", 200, 0, -1, false, false, 0, 2, 1 },
        { "resources=3", 200, 0, -1, false, false, 3, 0, 0 },
        { "STATUS=503", 200, 0, -1, false, false, 0, 0, 0 },
    };
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct echo_steer s;
        struct str why;

        CASE(i);
        CHECK(echo_steer_parse(str_of(cases[i].query), &a, &s, &why));
        CHECK_EQ(s.status, cases[i].status);
        CHECK_EQ(s.delay_ms, cases[i].delay_ms);
        CHECK_EQ(s.has_size ? (int64_t)s.size : -1, cases[i].size);
        CHECK_EQ(s.close, cases[i].close);
        CHECK_EQ(s.reset_at_head, cases[i].reset);
        CHECK_EQ(s.resources, cases[i].resources);
        CHECK_EQ(s.headers.n, cases[i].headers);
        CHECK_EQ(s.trailers.n, cases[i].trailers);
    }
    arena_fini(&a);
}

TEST(a_parameter_that_cannot_be_read_says_what_it_wants)
{
    static const struct {
        const char *query, *why;
    } cases[] = {
        { "status=99", "?status wants a status from 200 to 599, not '99'\n" },
        { "status=", "?status wants a status from 200 to 599, not ''\n" },
        { "delay=5", "?delay wants a duration such as 200ms, at most 1h, not '5'\n" },
        { "delay=2h", "?delay wants a duration such as 200ms, at most 1h, not '2h'\n" },
        { "size=1Ti", "?size wants octets such as 1000, 64Ki, 1Mi, at most 16Gi, not '1Ti'\n" },
        { "size=17Gi", "?size wants octets such as 1000, 64Ki, 1Mi, at most 16Gi, not '17Gi'\n" },
        { "header=a%20b:c", "?header wants name:value, not 'a b:c'\n" },
        { "header=a:b%0d%0ac:d", "?header wants name:value, not 'a:b\r\nc:d'\n" },
        { "reset=now", "?reset wants after-head, not 'now'\n" },
        { "resources=65", "?resources wants a number up to 64, not '65'\n" },
    };
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct echo_steer s;
        struct str why = STR_NONE;

        CASE(i);
        CHECK(!echo_steer_parse(str_of(cases[i].query), &a, &s, &why));
        CHECK_STRZ(why, cases[i].why);
    }
    arena_fini(&a);
}
