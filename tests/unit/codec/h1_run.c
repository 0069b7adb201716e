#include "h1_run.h"

#include "base/buf.h"

#include "unit/check.h"

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
        f->given = f->given < f->first ? f->first : f->all.n;
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
        CHECK(chunk.used <= n);
        s->used += chunk.used;
        if (got == H1_BODY_DATA) {
            CHECK(chunk.data.n > 0);
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

static struct h1_seen run_once(struct str all, size_t first, enum h1_side side, enum method method,
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
    if (got != H1_WHOLE)
        return s;
    s.used = scan.len;
    if (head_parse(&s, h1_scan_head(&scan, all), side, method, a))
        body_run(&s, &f, side == H1_REQUEST ? &s.request.m : &s.response.m, a);
    return s;
}

static void check_same(const struct h1_seen *got, const struct h1_seen *want)
{
    CHECK_STR(got->error ? got->error->name : STR("none"),
              want->error ? want->error->name : STR("none"));
    CHECK_EQ(got->more, want->more);
    if (got->error || got->more)
        return;
    CHECK_EQ(got->used, want->used);
    CHECK_STR(got->body, want->body);
    CHECK_EQ(got->trailers.n, want->trailers.n);
    for (uint32_t i = 0; i < got->trailers.n; i++)
        CHECK_STR(got->trailers.v[i].value, want->trailers.v[i].value);
}

struct h1_seen h1_run(struct str in, enum h1_side side, enum method method, struct arena *a)
{
    struct h1_seen whole = run_once(in, in.n ? in.n : 1, side, method, a), got;

    for (size_t first = 0; first < in.n; first++) {
        struct arena scratch;

        arena_init(&scratch, 4096);
        got = run_once(in, first, side, method, &scratch);
        check_same(&got, &whole);
        arena_fini(&scratch);
    }
    return whole;
}
