#include "model/path_index.h"

#include "model/pattern.h"

#include <stdlib.h>

#define NOWHERE UINT32_MAX

/* One text that routes have as exact path, as prefix, or both. Their numbers stand in `ids`,
 * rising: exact ones from `exact`, prefixes from `prefix` to `end`. */
struct path_key {
    struct str text;
    uint32_t exact, prefix, end;
    uint32_t parent; /* the longest shorter key that is a prefix of this and has prefix routes */
};

struct path_keys {
    struct path_key *v; /* sorted by octets */
    uint32_t n;
    uint32_t *ids;
    bool nocase; /* texts are lower case, and so is the path taken */
};

struct path_index {
    const struct route *routes;
    struct path_keys keys[2]; /* [1]: without case */
    uint32_t *regexes;        /* route numbers, rising */
    uint32_t regex_n;
};

/* ---- building --------------------------------------------------------------------------- */

struct entry {
    struct str text;
    uint32_t id;
    bool is_prefix;
};

static int entry_cmp(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    int text = str_cmp(a->text, b->text);

    if (text != 0)
        return text;
    if (a->is_prefix != b->is_prefix)
        return a->is_prefix ? 1 : -1;
    return a->id < b->id ? -1 : 1;
}

static struct str lower_copy(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    return str_make(p, s.n);
}

/* The literal paths of one case sensitivity, sorted; the caller frees. */
static struct entry *entries_of(const struct vhost *vhost, bool nocase, uint32_t *ret_n)
{
    struct entry *entries = must_alloc(sizeof(*entries) * (vhost->routes.n + 1));
    uint32_t n = 0;

    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        const struct text_matcher *m = &vhost->routes.v[i].match.path;
        bool is_any = m->how == TEXT_ANY || m->how == TEXT_PRESENT;

        if (m->how == TEXT_REGEX || (!is_any && m->nocase) != nocase)
            continue;
        entries[n] = (struct entry){ m->value, i, m->how != TEXT_EXACT };
        if (is_any)
            entries[n].text = STR("/");
        else if (nocase)
            entries[n].text = lower_copy(vhost->part.arena, m->value);
        n++;
    }
    qsort(entries, n, sizeof(*entries), entry_cmp);
    *ret_n = n;
    return entries;
}

static bool has_prefix_routes(const struct path_key *key)
{
    return key->prefix < key->end;
}

/* In sorted order the key before, or one of its ancestors, is the parent. */
static uint32_t parent_of(const struct path_keys *keys, uint32_t number)
{
    struct str text = keys->v[number].text;
    uint32_t at = number - 1;

    if (number == 0)
        return NOWHERE;
    while (at != NOWHERE &&
           !(has_prefix_routes(&keys->v[at]) && str_starts(text, keys->v[at].text)))
        at = keys->v[at].parent;
    return at;
}

static void keys_build(struct path_keys *keys, const struct vhost *vhost, bool nocase)
{
    struct arena *a = vhost->part.arena;
    uint32_t n;
    struct entry *entries = entries_of(vhost, nocase, &n);

    keys->nocase = nocase;
    keys->v = ARENA_ARRAY(a, struct path_key, n);
    keys->ids = ARENA_ARRAY(a, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        struct path_key *key = &keys->v[keys->n];

        if (i == 0 || !str_eq(entries[i].text, entries[i - 1].text)) {
            *key = (struct path_key){ entries[i].text, i, i, i, NOWHERE };
            keys->n++;
        } else {
            key--;
        }
        keys->ids[i] = entries[i].id;
        key->end++;
        if (!entries[i].is_prefix)
            key->prefix++;
    }
    for (uint32_t i = 0; i < keys->n; i++)
        keys->v[i].parent = parent_of(keys, i);
    free(entries);
}

struct path_index *path_index_build(const struct vhost *vhost)
{
    struct path_index *x = ARENA_NEW(vhost->part.arena, struct path_index);

    x->routes = vhost->routes.v;
    x->regexes = ARENA_ARRAY(vhost->part.arena, uint32_t, vhost->routes.n);
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        if (vhost->routes.v[i].match.path.how == TEXT_REGEX)
            x->regexes[x->regex_n++] = i;
    }
    keys_build(&x->keys[0], vhost, false);
    keys_build(&x->keys[1], vhost, true);
    return x;
}

/* ---- looking up ------------------------------------------------------------------------- */

static int path_cmp(const struct path_keys *keys, struct str text, struct str path)
{
    size_t n = MIN(text.n, path.n);

    if (!keys->nocase)
        return str_cmp(text, path);
    for (size_t i = 0; i < n; i++) {
        int diff = (unsigned char)text.p[i] - (unsigned char)ascii_lower(path.p[i]);

        if (diff != 0)
            return diff;
    }
    return (text.n > n) - (path.n > n);
}

static bool path_starts(const struct path_keys *keys, struct str path, struct str text)
{
    return keys->nocase ? str_starts_nocase(path, text) : str_starts(path, text);
}

/* The deepest key that is the path, or a prefix of it. The last key <= path is either that
 * or its descendant. */
static uint32_t deepest_of(const struct path_keys *keys, struct str path)
{
    uint32_t low = 0, high = keys->n, at;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (path_cmp(keys, keys->v[mid].text, path) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    at = low == 0 ? NOWHERE : low - 1;
    while (at != NOWHERE && !path_starts(keys, path, keys->v[at].text))
        at = keys->v[at].parent;
    return at;
}

/* The smallest id >= from in ids[begin..end), or NOWHERE. */
static uint32_t id_from(const uint32_t *ids, uint32_t begin, uint32_t end, uint32_t from)
{
    uint32_t stop = end;

    while (begin < end) {
        uint32_t mid = begin + (end - begin) / 2;

        if (ids[mid] < from)
            begin = mid + 1;
        else
            end = mid;
    }
    return begin < stop ? ids[begin] : NOWHERE;
}

static uint32_t keys_next(const struct path_keys *keys, uint32_t deepest, struct str path,
                          uint32_t from)
{
    uint32_t best = NOWHERE;

    if (deepest != NOWHERE && keys->v[deepest].text.n == path.n)
        best = id_from(keys->ids, keys->v[deepest].exact, keys->v[deepest].prefix, from);
    for (uint32_t at = deepest; at != NOWHERE; at = keys->v[at].parent) {
        uint32_t id = id_from(keys->ids, keys->v[at].prefix, keys->v[at].end, from);

        best = MIN(best, id);
    }
    return best;
}

void path_cursor_init(struct path_cursor *c, const struct path_index *index, struct str path)
{
    *c = (struct path_cursor){ .index = index, .path = path };
    for (size_t i = 0; i < LEN(index->keys); i++)
        c->deepest[i] = deepest_of(&index->keys[i], path);
}

uint32_t path_cursor_next(struct path_cursor *c, uint32_t from)
{
    const struct path_index *x = c->index;
    uint32_t best = NOWHERE;

    for (size_t i = 0; i < LEN(x->keys); i++)
        best = MIN(best, keys_next(&x->keys[i], c->deepest[i], c->path, from));
    while (c->regex_at < x->regex_n && x->regexes[c->regex_at] < best) {
        uint32_t id = x->regexes[c->regex_at++];

        if (id >= from && pattern_matches(x->routes[id].match.path.regex, c->path))
            return id;
    }
    return best;
}
