/*
 * An origin is an octet (its kind, and whether file and object are those of the one before),
 * else file and object; how much of the path before it shares, and the rest of it; the line
 * as a difference; the column. Numbers are of seven bits an octet, the lowest first; a text
 * stands behind its length and 1, or is 0 where it is not set.
 */
#include "model/origins.h"

#define KIND_MASK 3
#define SAME_SOURCE 4

/* While a part is filled. */
struct origin_writer {
    struct origin last;
    size_t cap; /* of p->origins */
};

/* ---- writing ---- */

static char *room(struct part *p, size_t n)
{
    struct origin_writer *w = p->origin_writer;

    if (w->cap - p->origins.n < n) {
        char *grown;

        w->cap = MAX(w->cap * 2, p->origins.n + n);
        grown = arena_raw(p->arena, w->cap);
        if (p->origins.n)
            memcpy(grown, p->origins.p, p->origins.n);
        p->origins.p = grown;
    }
    p->origins.n += n;
    return (char *)(uintptr_t)p->origins.p + p->origins.n - n;
}

static void put_number(struct part *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *room(p, 1) = (char)(v | 0x80);
    *room(p, 1) = (char)v;
}

static void put_text(struct part *p, struct str s)
{
    put_number(p, str_is_set(s) ? s.n + 1 : 0);
    if (s.n)
        memcpy(room(p, s.n), s.p, s.n);
}

static bool is_same(struct str a, struct str b)
{
    return str_is_set(a) == str_is_set(b) && str_eq(a, b);
}

static size_t shared(struct str a, struct str b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* 0, -1, 1, -2, ... as 0, 1, 2, 3, ... */
static uint64_t folded(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

origin_id part_origin(struct part *p, struct origin o)
{
    struct origin_writer *w = p->origin_writer;
    size_t same_path;
    bool same_source;

    if (!w)
        w = p->origin_writer = ARENA_NEW(p->arena, struct origin_writer);
    MUST(w->cap >= p->origins.n && o.kind <= KIND_MASK);
    same_source = is_same(o.file, w->last.file) && is_same(o.object, w->last.object);
    same_path = shared(o.path, w->last.path);
    *room(p, 1) = (char)(o.kind | (same_source ? SAME_SOURCE : 0));
    if (!same_source) {
        put_text(p, o.file);
        put_text(p, o.object);
        w->last.file = arena_dup(p->arena, o.file);
        w->last.object = arena_dup(p->arena, o.object);
    }
    put_number(p, same_path);
    put_text(p, str_is_set(o.path) ? str_from(o.path, same_path) : o.path);
    put_number(p, folded((int64_t)o.line - w->last.line));
    put_number(p, o.col);
    w->last.path = arena_dup(p->arena, o.path);
    w->last.line = o.line;
    return p->origin_count++;
}

/* ---- reading ---- */

static uint64_t get_number(struct origin_reader *r)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t octet;

    do {
        MUST(r->rest.n && shift < 64);
        octet = (uint8_t)r->rest.p[0];
        r->rest = str_from(r->rest, 1);
        v |= (uint64_t)(octet & 0x7f) << shift;
        shift += 7;
    } while (octet & 0x80);
    return v;
}

static struct str get_text(struct origin_reader *r)
{
    uint64_t n = get_number(r);
    struct str s;

    if (!n)
        return STR_NONE;
    MUST(n - 1 <= r->rest.n);
    s = str_sub(r->rest, 0, n - 1);
    r->rest = str_from(r->rest, n - 1);
    return s;
}

static void get_path(struct origin_reader *r)
{
    size_t same = get_number(r);
    struct str more = get_text(r);

    MUST(same <= r->path.n);
    r->path.n = same;
    buf_add(&r->path, more);
    r->now.path = str_is_set(more) ? buf_str(&r->path) : STR_NONE;
}

void origin_reader_init(struct origin_reader *r, const struct part *p)
{
    *r = (struct origin_reader){ .rest = p->origins, .left = p->origin_count };
    buf_init(&r->path, SIZE_MAX);
}

void origin_reader_fini(struct origin_reader *r)
{
    buf_fini(&r->path);
}

bool origin_reader_next(struct origin_reader *r)
{
    uint64_t line;
    uint8_t head;

    if (!r->left)
        return false;
    r->left--;
    head = (uint8_t)get_number(r);
    r->now.kind = head & KIND_MASK;
    if (!(head & SAME_SOURCE)) {
        r->now.file = get_text(r);
        r->now.object = get_text(r);
    }
    get_path(r);
    line = get_number(r);
    r->now.line += (uint32_t)(line >> 1 ^ (line & 1 ? UINT64_MAX : 0));
    r->now.col = (uint32_t)get_number(r);
    return true;
}

struct origin_list part_origins(const struct part *p, struct arena *a)
{
    struct origin *all = ARENA_ARRAY(a, struct origin, p->origin_count);
    struct origin_reader r;
    uint32_t n = 0;

    origin_reader_init(&r, p);
    while (origin_reader_next(&r)) {
        all[n] = r.now;
        all[n++].path = arena_dup(a, r.now.path);
    }
    origin_reader_fini(&r);
    return (struct origin_list){ all, n };
}

struct origin part_origin_get(const struct part *p, origin_id id, struct arena *a)
{
    struct origin_reader r;
    struct origin o;

    MUST(id < p->origin_count);
    origin_reader_init(&r, p);
    for (origin_id i = 0; i <= id; i++)
        MUST(origin_reader_next(&r));
    o = r.now;
    o.path = arena_dup(a, o.path);
    origin_reader_fini(&r);
    return o;
}
