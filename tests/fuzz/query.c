/*
 * tests/fuzz/query - any octets as the target of an admin request, as what is asked of `explain`,
 * and as the query and the head of a request to a stand-in: an answer, whatever they are.
 *
 * The first octet chooses method, port, and whether something serves; NULs part the lines of
 * `explain`.
 */
#include "fuzz.h"
#include "fuzz/mesh_feed.h"

#include "answer/explain.h"
#include "base/utf8.h"
#include "echo/answer.h"
#include "event/loop.h"
#include "proxy/admin_int.h"

#define LINES 8

/* ---- admin pages ---- */

static const char manifests[] =
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: n}\n"
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.x']}]}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: n}\n"
    "spec:\n  hosts: [a.x, '*.b.x']\n  gateways: [g]\n  http:\n"
    "  - {match: [{uri: {prefix: /a}, headers: {x: {exact: y}}}], route: [{destination: {host: "
    "s}}]}\n"
    "  - {match: [{uri: {regex: '/b+'}, queryParams: {q: {exact: z}}}], redirect: {uri: /c}}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n}\n"
    "spec: {ports: [{name: http, port: 80}]}\n";

static const struct root *snapshot(void *arg)
{
    static struct root *root;
    struct mesh *m;

    (void)arg;
    if (!root) {
        m = mesh_feed_new(true, NULL, NULL);
        root = mesh_feed(m, str_of(manifests));
        mesh_free(m);
        MUST(root != NULL);
    }
    return root;
}

static bool answer_question(void *arg, const struct admin_question *q, struct buf *out,
                            bool *ret_is_answered)
{
    const struct explanation *x;
    struct ask ask;
    struct str why = STR_NONE;

    (void)arg;
    if (!ask_parse(q->method, q->url, q->headers, q->header_count, q->arena, &ask, &why)) {
        buf_add(out, why);
        return false;
    }
    x = explain(q->root, &ask, q->arena);
    (q->json ? explain_json : explain_text)(x, out);
    *ret_is_answered = x->is_answered;
    return true;
}

/* What `more` makes in pieces; a page of one small snapshot has an end. */
static void check_pieces(struct admin_call *c)
{
    size_t pieces = 0;

    while (c->more && c->more(c)) {
        MUST(!c->body.full && ++pieces < 100000);
        buf_reset(&c->body);
    }
}

static void check_admin(uint8_t choice, struct str target)
{
    static struct loop *loop;
    struct admin_host serves = { .root = snapshot, .explain = answer_question }, cold = { 0 };
    struct admin admin = { .loop = loop = loop ? loop : loop_new(NULL),
                           .host = choice & 64 ? cold : serves };
    struct head head = { .method = choice & 1 ? STR("POST") : STR("GET"),
                         .path = target,
                         .authority = STR("127.0.0.1:15000") };
    struct admin_call c = { .admin = &admin, .request = &head, .arena = arena_new(4096) };

    buf_init(&c.body, 1 << 24);
    admin_answer(&c, (enum admin_port)(choice / 2 % ADMIN_PORTS));
    MUST(c.status >= 200 && c.status < 600 && c.type != NULL);
    MUST(admin_decode(&c, target).n <= target.n);
    (void)admin_param(&c, STR("url"));
    check_pieces(&c);
    if (c.end)
        c.end(&c);
    buf_fini(&c.body);
    arena_free(c.arena);
    log_level_set(LOG_ERROR);
}

/* ---- what else asks ---- */

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
