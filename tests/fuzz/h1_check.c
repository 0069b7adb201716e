#include "h1_check.h"

#include "base/hash.h"

#define ONE_BY_ONE_MAX 512 /* octets: feeding copies them all each time */

void h1_check_headers(const struct headers *a, const struct headers *b)
{
    MUST(a->n == b->n && a->octets == b->octets);
    for (uint32_t i = 0; i < a->n; i++) {
        MUST(a->v[i].id == b->v[i].id);
        MUST(str_eq(a->v[i].name, b->v[i].name) && str_eq(a->v[i].value, b->v[i].value));
    }
}

static void check_same(const struct h1_seen *a, const struct h1_seen *b)
{
    MUST(!a->error == !b->error);
    if (a->error)
        return;
    MUST(a->more == b->more);
    MUST(str_eq(a->body, b->body));
    if (a->more)
        return;
    MUST(a->used == b->used);
    h1_check_headers(&a->trailers, &b->trailers);
}

struct h1_seen h1_check_feed(struct str in, enum h1_side side, enum method method, struct arena *a)
{
    struct h1_seen whole = h1_feed(in, in.n ? in.n : 1, side, method, a);
    struct h1_seen split = h1_feed(in, 1 + hash_stable(in) % (in.n + 1), side, method, a);

    check_same(&whole, &split);
    if (in.n <= ONE_BY_ONE_MAX) {
        split = h1_feed(in, 0, side, method, a);
        check_same(&whole, &split);
    }
    return whole;
}
