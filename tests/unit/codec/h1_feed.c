#include "h1_feed.h"

#include "base/buf.h"

#include <stdlib.h>

/* Fed in pieces: all octets so far lie in a block of exactly that size, so that a reader
 * beyond the end is seen by AddressSanitizer. */
struct feed {
    struct str all;
    size_t given, first; /* octets given so far; size of the first piece, 0: one by one */
};

static bool feed_next(struct feed *f)
{
    if (f->given == f->all.n)
        return false;
    if (f->first == 0)
        f->given++;
    else
        f->given = f->given < f->first ? MIN(f->first, f->all.n) : f->all.n;
    return true;
}

static void seen_fail(struct h1_seen *s, const struct h1_error *error)
{
    s->error = error;
}

static bool head_parse(struct h1_seen *s, struct str head, enum h1_side side, enum method method,
                       struct arena *a)
{
    if (side == H1_REQUEST)
        s->error = h1_request_parse(head, a, &h1_limits_default, &s->request);
    else
        s->error = h1_response_parse(head, method, a, &h1_limits_default, &s->response);
    return !s->error;
}

static void check_message(const struct h1_message *a, const struct h1_message *b)
{
    MUST(a->minor == b->minor && a->keep_alive == b->keep_alive);
    MUST(a->framing.kind == b->framing.kind && a->framing.length == b->framing.length);
    MUST(str_eq(a->upgrade, b->upgrade));
    MUST(a->headers.n == b->headers.n && a->headers.octets == b->headers.octets);
    for (uint32_t i = 0; i < a->headers.n; i++) {
        MUST(str_eq(a->headers.v[i].name, b->headers.v[i].name));
        MUST(str_eq(a->headers.v[i].value, b->headers.v[i].value));
    }
}

/* Reading in one pass takes what scanning and parsing take, and makes the same of it. `head` is
 * the head's length of a good message, 0 of any other. */
static void check_read(const struct h1_seen *s, size_t head, struct str all, enum h1_side side,
                       enum method method, struct arena *a)
{
    struct h1_request rq;
    struct h1_response rs;

    if (side == H1_REQUEST) {
        MUST(h1_request_read(all, a, &h1_limits_default, &rq) == head);
        if (head == 0)
            return;
        check_message(&rq.m, &s->request.m);
        MUST(rq.method == s->request.method && rq.form == s->request.form);
        MUST(str_eq(rq.path, s->request.path) && str_eq(rq.authority, s->request.authority));
        MUST(str_eq(rq.scheme, s->request.scheme) && str_eq(rq.target, s->request.target));
        MUST(rq.expect_continue == s->request.expect_continue);
    } else {
        MUST(h1_response_read(all, method, a, &h1_limits_default, &rs) == head);
        if (head == 0)
            return;
        check_message(&rs.m, &s->response.m);
        MUST(rs.status == s->response.status && rs.is_interim == s->response.is_interim);
        MUST(str_eq(rs.reason, s->response.reason));
    }
}

static void body_run(struct h1_seen *s, struct feed *f, const struct h1_message *m, struct arena *a)
{
    struct h1_body b;
    struct buf content;

    buf_init(&content, SIZE_MAX / 2);
    h1_body_init(&b, m->framing, &h1_limits_default, &m->headers);
    for (;;) {
        size_t n = f->given - s->used;
        char *piece = n ? malloc(n) : NULL;
        struct str in = str_make(piece, n);
        struct h1_chunk chunk;
        enum h1_body_got got;

        if (n)
            memcpy(piece, f->all.p + s->used, n);
        got = h1_body_next(&b, in, &chunk);
        MUST(chunk.used <= n);
        s->used += chunk.used;
        if (got == H1_BODY_DATA) {
            MUST(chunk.data.n > 0);
            buf_add(&content, chunk.data);
        }
        if (got == H1_BODY_END)
            seen_fail(s, h1_trailers_parse(arena_dup(a, chunk.trailers), m->headers.n, a,
                                           &h1_limits_default, &s->trailers));
        if (got == H1_BODY_BAD)
            seen_fail(s, b.error);
        free(piece);
        if (got == H1_BODY_END || got == H1_BODY_BAD)
            break;
        if (got == H1_BODY_MORE && !feed_next(f)) {
            s->more = !h1_body_may_close(&b);
            break;
        }
    }
    s->body = arena_dup(a, buf_str(&content));
    buf_fini(&content);
}

struct h1_seen h1_feed(struct str all, size_t first, enum h1_side side, enum method method,
                       struct arena *a)
{
    struct feed f = { .all = all, .first = first };
    struct h1_seen s = { 0 };
    struct h1_scan scan;
    enum h1_got got = H1_MORE;

    h1_scan_init(&scan, side, &h1_limits_default);
    while (got == H1_MORE && feed_next(&f)) {
        char *piece = malloc(f.given);

        memcpy(piece, all.p, f.given);
        got = h1_head_scan(&scan, str_make(piece, f.given));
        free(piece);
    }
    s.error = scan.error;
    s.more = got == H1_MORE;
    if (got != H1_WHOLE || !head_parse(&s, h1_scan_head(&scan, all), side, method, a)) {
        check_read(&s, 0, all, side, method, a);
        s.used = scan.len;
        return s;
    }
    s.used = scan.len;
    check_read(&s, scan.skipped ? 0 : scan.len, all, side, method, a);
    body_run(&s, &f, side == H1_REQUEST ? &s.request.m : &s.response.m, a);
    return s;
}
