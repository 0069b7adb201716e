#include "model/path_index_keys.h"

#include <stdlib.h>

#define NOWHERE UINT32_MAX
#define BIG 6 /* routes of one path from which on they are a path_group */

/* One text that routes have as exact path, as prefix, or both. Their numbers stand in `ids`,
 * rising: exact ones from `exact`, prefixes from `prefix` to the next key's. One more key
 * stands behind the last. */
struct path_key {
    uint32_t exact, prefix;
    uint32_t parent; /* the longest shorter key that is a prefix of this and has prefix routes */
};

/* The group of a long list of ids. */
struct big {
    uint32_t begin; /* of the list in `ids` */
    struct path_group group;
};

struct path_keys {
    const struct route *routes;
    struct path_key *v; /* sorted by their texts' octets, in lower case if nocase */
    uint32_t n, big_n;
    bool nocase;
    uint32_t *ids;
    struct big *big; /* by `begin` */
};

/* ---- building --------------------------------------------------------------------------- */

/* A route without a path has the prefix "/". */
static struct str text_of(const struct route *route)
{
    const struct text_matcher *m = &route->match.path;

    return m->how == TEXT_EXACT || m->how == TEXT_PREFIX ? m->value : STR("/");
}

static struct str key_text(const struct path_keys *keys, const struct path_key *key)
{
    return text_of(&keys->routes[keys->ids[key->exact]]);
}

static int lower_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);

    for (size_t i = 0; i < n; i++) {
        int diff = (unsigned char)ascii_lower(a.p[i]) - (unsigned char)ascii_lower(b.p[i]);

        if (diff != 0)
            return diff;
    }
    return (a.n > n) - (b.n > n);
}

static int text_cmp(bool nocase, struct str a, struct str b)
{
    return nocase ? lower_cmp(a, b) : str_cmp(a, b);
}

static bool text_starts(bool nocase, struct str text, struct str prefix)
{
    return nocase ? str_starts_nocase(text, prefix) : str_starts(text, prefix);
}

struct entry {
    struct str text;
    uint32_t id;
    bool is_prefix, nocase;
};

static int entry_cmp(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    int text = text_cmp(a->nocase, a->text, b->text);

    if (text != 0)
        return text;
    if (a->is_prefix != b->is_prefix)
        return a->is_prefix ? 1 : -1;
    return a->id < b->id ? -1 : 1;
}

/* The literal paths of one case sensitivity, sorted; the caller frees. */
static struct entry *entries_of(const struct vhost *vhost, bool nocase, uint32_t *ret_n)
{
    struct entry *entries = must_alloc(sizeof(*entries) * (vhost->routes.n + 1));
    uint32_t n = 0;

    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        const struct route *route = &vhost->routes.v[i];
        const struct text_matcher *m = &route->match.path;
        bool is_any = m->how == TEXT_ANY || m->how == TEXT_PRESENT;

        if (m->how != TEXT_REGEX && (!is_any && m->nocase) == nocase)
            entries[n++] = (struct entry){ text_of(route), i, m->how != TEXT_EXACT, nocase };
    }
    qsort(entries, n, sizeof(*entries), entry_cmp);
    *ret_n = n;
    return entries;
}

/* In sorted order the key before, or one of its ancestors, is the parent. */
static uint32_t parent_of(const struct path_keys *keys, uint32_t number)
{
    struct str text = key_text(keys, &keys->v[number]);
    uint32_t at = number - 1;

    if (number == 0)
        return NOWHERE;
    while (at != NOWHERE && !(keys->v[at].prefix < keys->v[at + 1].exact &&
                              text_starts(keys->nocase, text, key_text(keys, &keys->v[at]))))
        at = keys->v[at].parent;
    return at;
}

static uint32_t texts_count(const struct entry *entries, uint32_t n)
{
    uint32_t count = n > 0;

    for (uint32_t i = 1; i < n; i++)
        count += text_cmp(entries[i].nocase, entries[i - 1].text, entries[i].text) != 0;
    return count;
}

static void keys_fill(struct path_keys *keys, const struct entry *entries, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct path_key *key = &keys->v[keys->n];

        if (i == 0 || text_cmp(keys->nocase, entries[i].text, entries[i - 1].text) != 0) {
            *key = (struct path_key){ i, i, NOWHERE };
            keys->n++;
        } else {
            key--;
        }
        keys->ids[i] = entries[i].id;
        if (!entries[i].is_prefix)
            key->prefix++;
    }
    keys->v[keys->n] = (struct path_key){ n, n, NOWHERE };
    for (uint32_t i = 0; i < keys->n; i++)
        keys->v[i].parent = parent_of(keys, i);
}

static void big_add(struct path_keys *keys, uint32_t begin, uint32_t end, struct arena *a)
{
    struct big *big = &keys->big[keys->big_n];

    if (end - begin < BIG)
        return;
    big->begin = begin;
    path_group_build(&big->group, keys->routes, keys->ids + begin, end - begin, a);
    keys->big_n += big->group.table_n > 0;
}

static void bigs_build(struct path_keys *keys, struct arena *a)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < keys->n; i++) {
        n += keys->v[i].prefix - keys->v[i].exact >= BIG;
        n += keys->v[i + 1].exact - keys->v[i].prefix >= BIG;
    }
    keys->big = ARENA_ARRAY(a, struct big, n);
    for (uint32_t i = 0; i < keys->n; i++) {
        big_add(keys, keys->v[i].exact, keys->v[i].prefix, a);
        big_add(keys, keys->v[i].prefix, keys->v[i + 1].exact, a);
    }
}

struct path_keys *path_keys_build(const struct vhost *vhost, bool nocase)
{
    struct arena *a = vhost->part.arena;
    struct path_keys *keys;
    uint32_t n;
    struct entry *entries = entries_of(vhost, nocase, &n);

    if (n == 0) {
        free(entries);
        return NULL;
    }
    keys = ARENA_NEW(a, struct path_keys);
    keys->routes = vhost->routes.v;
    keys->nocase = nocase;
    keys->v = ARENA_ARRAY(a, struct path_key, texts_count(entries, n) + 1);
    keys->ids = ARENA_ARRAY(a, uint32_t, n);
    keys_fill(keys, entries, n);
    bigs_build(keys, a);
    free(entries);
    return keys;
}

/* ---- looking up ------------------------------------------------------------------------- */

/* The last key <= path is the deepest that holds, or its descendant. */
uint32_t path_keys_deepest(const struct path_keys *keys, struct str path)
{
    uint32_t low = 0, high = keys ? keys->n : 0, at;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (text_cmp(keys->nocase, key_text(keys, &keys->v[mid]), path) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    at = low == 0 ? NOWHERE : low - 1;
    while (at != NOWHERE && !text_starts(keys->nocase, path, key_text(keys, &keys->v[at])))
        at = keys->v[at].parent;
    return at;
}

static const struct path_group *big_at(const struct path_keys *keys, uint32_t begin)
{
    uint32_t low = 0, high = keys->big_n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (keys->big[mid].begin < begin)
            low = mid + 1;
        else
            high = mid;
    }
    return low < keys->big_n && keys->big[low].begin == begin ? &keys->big[low].group : NULL;
}

static void list_collect(const struct path_keys *keys, uint32_t begin, uint32_t end,
                         const struct route_request *rq, uint32_t from, struct path_batch *b)
{
    const struct path_group *group = end - begin >= BIG ? big_at(keys, begin) : NULL;

    if (group)
        path_group_collect(group, rq, from, b);
    else
        path_batch_add_list(b, keys->ids + begin, end - begin, from);
}

void path_keys_collect(const struct path_keys *keys, uint32_t deepest,
                       const struct route_request *rq, uint32_t from, struct path_batch *b)
{
    if (deepest == NOWHERE)
        return;
    if (key_text(keys, &keys->v[deepest]).n == rq->path.n)
        list_collect(keys, keys->v[deepest].exact, keys->v[deepest].prefix, rq, from, b);
    for (uint32_t at = deepest; at != NOWHERE; at = keys->v[at].parent)
        list_collect(keys, keys->v[at].prefix, keys->v[at + 1].exact, rq, from, b);
}
