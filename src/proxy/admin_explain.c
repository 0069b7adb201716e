/*
 * proxy/admin_explain - GET /explain?url=...&method=...&header=name:value...&format=json: why
 * a request is answered as it is, from the snapshot that serves. The program answers.
 */
#include "proxy/admin_int.h"

#define HEADERS_MAX 100

struct headers_asked {
    struct str v[HEADERS_MAX];
    size_t n;
};

static void read_headers(const struct admin_call *c, struct headers_asked *to)
{
    struct str rest = c->query;

    while (str_is_set(rest) && to->n < HEADERS_MAX) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');

        if (str_eq(key, STR("header")) && str_is_set(value))
            to->v[to->n++] = admin_decode(c, value);
    }
}

static void ask(struct admin_call *c, struct admin_question *q)
{
    const struct admin_host *h = &c->admin->host;
    bool is_answered = false;

    if (!h->explain(h->arg, q, &c->body, &is_answered)) {
        c->status = 400;
        buf_addc(&c->body, '\n');
        return;
    }
    c->answered = is_answered ? STR("true") : STR("false");
    if (q->json)
        c->type = "application/json";
}

void admin_explain(struct admin_call *c)
{
    struct headers_asked *headers = ARENA_NEW(c->arena, struct headers_asked);
    struct admin_question q = { .arena = c->arena, .json = admin_wants_json(c) };

    if (!c->admin->host.explain) {
        admin_say(c, 501, "%.*s: not built yet", STRF(c->path));
        return;
    }
    q.url = admin_param(c, STR("url"));
    q.method = admin_param(c, STR("method"));
    if (!q.url.n) {
        admin_say(c, 400,
                  "/explain?url=https://host/path[&method=GET][&header=name:value]..."
                  "[&format=json]");
        return;
    }
    q.root = admin_root(c);
    if (!q.root)
        return;
    read_headers(c, headers);
    q.headers = headers->v;
    q.header_count = headers->n;
    ask(c, &q);
}
