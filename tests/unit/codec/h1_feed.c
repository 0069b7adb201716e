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
    if (got != H1_WHOLE)
        return s;
    s.used = scan.len;
    if (head_parse(&s, h1_scan_head(&scan, all), side, method, a))
        body_run(&s, &f, side == H1_REQUEST ? &s.request.m : &s.response.m, a);
    return s;
}
