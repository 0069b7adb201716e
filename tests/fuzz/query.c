/*
 * tests/fuzz/query - any octets as the target of an admin request, as what is asked of `explain`,
 * and as the query and the head of a request to a stand-in: an answer, whatever they are.
 *
 * The first octet chooses method and port; NULs part the lines of `explain`.
 */
#include "fuzz.h"

#include "answer/ask.h"
#include "base/utf8.h"
#include "echo/answer.h"
#include "event/loop.h"
#include "proxy/admin_int.h"

#define LINES 8

/* Of a program that has no configuration yet. */
static void check_admin(uint8_t choice, struct str target)
{
    static struct loop *loop;
    struct admin admin = { .loop = loop = loop ? loop : loop_new(NULL) };
    struct head head = { .method = choice & 1 ? STR("POST") : STR("GET"),
                         .path = target,
                         .authority = STR("127.0.0.1:15000") };
    struct admin_call c = { .admin = &admin, .request = &head, .arena = arena_new(4096) };

    buf_init(&c.body, 1 << 24);
    admin_answer(&c, (enum admin_port)(choice / 2 % ADMIN_PORTS));
    MUST(c.status >= 200 && c.status < 600 && c.type != NULL);
    MUST(admin_decode(&c, target).n <= target.n);
    (void)admin_param(&c, STR("url"));
    if (c.end)
        c.end(&c);
    buf_fini(&c.body);
    arena_free(c.arena);
    log_level_set(LOG_ERROR);
}

static void check_ask(struct str in)
{
    struct str method = str_cut(&in, '\0'), url = str_cut(&in, '\0'), lines[LINES], why = STR_NONE;
    struct arena *a = arena_new(4096);
    struct ask q;
    size_t n = 0;

    for (; n < LINES && str_is_set(in); n++)
        lines[n] = str_cut(&in, '\0');
    if (ask_parse(method, url, lines, n, a, &q, &why)) {
        MUST(q.host.n > 0 && q.target.n > 0 && q.port > 0);
        MUST(ask_head(&q, a) != NULL);
    } else {
        MUST(why.n > 0);
    }
    arena_free(a);
}

static void check_echo(uint8_t choice, struct str query)
{
    static const struct str accepts[] = { STR_INIT("*/*"), STR_INIT("application/json"),
                                          STR_INIT("text/html") };
    struct arena *a = arena_new(4096);
    struct echo_identity who = { STR("reviews"), STR("v1"), false };
    struct head head = { .method = STR("GET"), .path = query, .authority = query };
    struct echo_request rq = { .head = &head };
    struct echo_answer answer = { 0 };
    struct echo_steer steer;
    struct str why = STR_NONE;

    MUST(echo_steer_parse(query, a, &steer, &why) || why.n > 0);
    headers_add(&head.headers, a, STR("accept"), accepts[choice % 3]);
    headers_add(&head.headers, a, STR("user-agent"), query);
    echo_answer_build(&who, &rq, a, &answer);
    MUST(answer.head && answer.head->status >= 200 && answer.head->status < 600);
    MUST(choice % 3 != 1 || answer.head->status != 200 || utf8_is_whole(answer.body));
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_from(str_make((const char *)octets, n), 1);

    if (n == 0)
        return 0;
    check_admin(octets[0], in);
    check_ask(in);
    check_echo(octets[0], in);
    return 0;
}
