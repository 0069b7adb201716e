#include "codec/yaml_tree.h"

#include "codec/scalar.h"

#include <stdlib.h>

#define HASHED_KEYS 16 /* larger maps find duplicate keys by a hash table */

static const struct str merge_key = STR_INIT("<<");

struct anchor {
    struct node node;
    size_t size;
    uint32_t height;
    bool open; /* its end has not been seen: an alias to it would be endless */
};

void tree_init(struct tree *t, struct arena *arena, struct notes *notes, struct str file,
               const struct yaml_limits *limits)
{
    *t = (struct tree){ .arena = arena, .notes = notes, .file = file, .limits = *limits };
    t->levels = must_alloc((limits->depth + 1) * sizeof(*t->levels));
    map_init(&t->anchors);
}

void tree_fini(struct tree *t)
{
    map_fini(&t->anchors);
    free(t->levels);
    free(t->items);
    free(t->pairs);
    free(t->docs);
}

bool tree_fail(struct tree *t, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 4096);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    note_add(t->notes, SEV_ERROR, (struct pos){ t->file, line, col }, code, "%.*s",
             STRF(buf_str(&text)));
    buf_fini(&text);
    t->failed = true;
    return false;
}

/* Heap arrays: in the arena every growth would leave the old array behind. */
static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 64;
    return must_realloc(items, *cap * size);
}

static void add_pair(struct tree *t, struct node_pair pair)
{
    t->pairs = grow(t->pairs, t->pair_count, &t->pair_cap, sizeof(*t->pairs));
    t->pairs[t->pair_count++] = pair;
}

/* The merge key's value: a map, or a list of maps (yaml.org/type/merge.html). */
static bool put_merge(struct tree *t, struct tree_level *top, const struct node *value)
{
    bool fine = value->kind == NODE_MAP || value->kind == NODE_SEQ;

    for (uint32_t i = 0; value->kind == NODE_SEQ && i < value->n; i++)
        fine &= value->items[i].kind == NODE_MAP;
    if (!fine || top->merge.n)
        return tree_fail(t, value->line, value->col, "LAT0101",
                         "the merge key << takes one map or a list of maps, once");
    top->merge = *value;
    top->has_key = false;
    return true;
}

static bool put_value(struct tree *t, struct node value)
{
    struct tree_level *top = &t->levels[t->depth];

    if (t->depth == 0) {
        t->root = value;
        t->has_root = true;
    } else if (top->node.kind == NODE_SEQ) {
        t->items = grow(t->items, t->item_count, &t->item_cap, sizeof(*t->items));
        t->items[t->item_count++] = value;
    } else if (!top->key.quoted && str_eq(top->key.raw, merge_key)) {
        return put_merge(t, top, &value);
    } else {
        top->key.value = value;
        top->has_key = false;
        add_pair(t, top->key);
    }
    return true;
}

/* A JSON object has string keys only: kubectl's reader prints what YAML made of the key. */
static bool put_key(struct tree *t, const struct node *n)
{
    struct tree_level *top = &t->levels[t->depth];
    struct scalar s;

    if (n->kind != NODE_SCALAR)
        return tree_fail(t, n->line, n->col, "LAT0101",
                         "a key must be a plain word, not a list or a map");
    top->key = (struct node_pair){
        .key = n->text, .raw = n->text, .line = n->line, .col = n->col, .quoted = n->quoted
    };
    top->has_key = true;
    if (n->quoted || str_eq(n->text, merge_key))
        return true;
    s = scalar_resolve(n->text);
    if (s.kind == SCALAR_NULL)
        return tree_fail(t, n->line, n->col, "LAT0101",
                         "a key is missing here, or is null: quote it if a key \"%.*s\" is meant",
                         STRF(n->text));
    if (s.kind == SCALAR_BOOL)
        top->key.key = s.truth ? STR("true") : STR("false");
    else if (s.kind == SCALAR_INT)
        top->key.key = s.big ? arena_printf(t->arena, "%llu", (unsigned long long)s.integer)
                             : arena_printf(t->arena, "%lld", (long long)s.integer);
    else if (s.kind == SCALAR_FLOAT)
        top->key.key = arena_printf(t->arena, "%g", s.number);
    return true;
}

static bool put_node(struct tree *t, struct node n)
{
    struct tree_level *top = &t->levels[t->depth];

    if (t->depth && top->node.kind == NODE_MAP && !top->has_key)
        return put_key(t, &n);
    return put_value(t, n);
}

static bool count_nodes(struct tree *t, size_t n, const struct node *where)
{
    t->nodes += n;
    if (t->nodes <= t->limits.nodes)
        return true;
    return tree_fail(t, where->line, where->col, "LAT0110",
                     "the file has more than %zu values when aliases are expanded: split it",
                     t->limits.nodes);
}

static bool count_aliased(struct tree *t, size_t n, const struct node *where)
{
    t->aliased += n;
    if (t->aliased > t->limits.aliased)
        return tree_fail(t, where->line, where->col, "LAT0110",
                         "aliases add more than %zu values to the file: write out what is needed",
                         t->limits.aliased);
    return count_nodes(t, n, where);
}

static bool too_deep(struct tree *t, const struct node *where)
{
    return tree_fail(t, where->line, where->col, "LAT0110",
                     "nested deeper than %u levels: flatten it", t->limits.depth);
}

/* The open levels now have something `below` levels high in them. */
static void raise_levels(struct tree *t, uint32_t below)
{
    for (uint32_t i = 1; i <= t->depth; i++)
        t->levels[i].height = MAX(t->levels[i].height, t->depth - i + below);
}

static void set_anchor(struct tree *t, struct str name, struct node n, size_t size, uint32_t height,
                       bool open)
{
    struct anchor *a;

    if (!str_is_set(name))
        return;
    a = ARENA_NEW(t->arena, struct anchor);
    *a = (struct anchor){ n, size, height, open };
    map_put(&t->anchors, name, a);
}

bool tree_scalar(struct tree *t, struct node n, struct str anchor)
{
    n.kind = NODE_SCALAR;
    n.n = 0;
    if (!count_nodes(t, 1, &n))
        return false;
    set_anchor(t, anchor, n, 1, 0, false);
    return put_node(t, n);
}

bool tree_alias(struct tree *t, struct node place, struct str name)
{
    struct anchor *a = map_get(&t->anchors, name);
    struct node n;

    if (!a)
        return tree_fail(t, place.line, place.col, "LAT0101",
                         "the alias *%.*s names no anchor before it: write &%.*s where it is meant",
                         STRF(name), STRF(name));
    if (a->open)
        return tree_fail(t, place.line, place.col, "LAT0101",
                         "the alias *%.*s stands inside what it names: it would never end",
                         STRF(name));
    if (!count_aliased(t, a->size, &place))
        return false;
    if (t->depth + a->height > t->limits.depth)
        return too_deep(t, &place);
    raise_levels(t, a->height);
    n = a->node;
    n.line = place.line;
    n.col = place.col;
    return put_node(t, n);
}

bool tree_open(struct tree *t, struct node place, enum node_kind kind, struct str anchor)
{
    struct tree_level *top = &t->levels[t->depth];
    size_t nodes_before = t->nodes;

    place.kind = (uint8_t)kind;
    place.quoted = false;
    if (t->depth && top->node.kind == NODE_MAP && !top->has_key)
        return put_key(t, &place);
    if (!count_nodes(t, 1, &place))
        return false;
    if (t->depth >= t->limits.depth)
        return too_deep(t, &place);
    raise_levels(t, 1);
    set_anchor(t, anchor, place, 0, 0, true);
    t->levels[++t->depth] = (struct tree_level){
        .node = place,
        .first = kind == NODE_SEQ ? t->item_count : t->pair_count,
        .anchor = anchor,
        .nodes_before = nodes_before,
    };
    return true;
}

static bool duplicate(struct tree *t, const struct node_pair *first, const struct node_pair *second)
{
    return tree_fail(t, second->line, second->col, "LAT0105",
                     "the key \"%.*s\" stands here again, first at line %u, column %u: remove one",
                     STRF(second->raw), first->line, first->col);
}

static bool check_keys_hashed(struct tree *t, struct node_pair *pairs, size_t n)
{
    struct map seen;
    bool fine = true;

    map_init(&seen);
    for (size_t i = 0; i < n; i++) {
        struct node_pair *first = map_put(&seen, pairs[i].key, &pairs[i]);

        if (first)
            fine = duplicate(t, first, &pairs[i]);
    }
    map_fini(&seen);
    return fine;
}

static bool check_keys(struct tree *t, struct node_pair *pairs, size_t n)
{
    bool fine = true;

    if (n > HASHED_KEYS)
        return check_keys_hashed(t, pairs, n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(pairs[i].key, pairs[k].key)) {
                fine = duplicate(t, &pairs[k], &pairs[i]);
                break;
            }
    return fine;
}

/* Pairs of a merged map whose keys the open map does not have yet. */
static void merge_map(struct tree *t, size_t first, const struct node *from)
{
    struct map have;

    map_init(&have);
    for (size_t i = first; i < t->pair_count; i++)
        map_put(&have, t->pairs[i].key, t);
    for (uint32_t i = 0; i < from->n; i++)
        if (!map_has(&have, from->pairs[i].key))
            add_pair(t, from->pairs[i]);
    map_fini(&have);
}

static bool merge_maps(struct tree *t, const struct tree_level *level)
{
    const struct node *from = &level->merge;
    size_t before = t->pair_count;

    if (from->kind == NODE_MAP)
        merge_map(t, level->first, from);
    for (uint32_t i = 0; from->kind == NODE_SEQ && i < from->n; i++)
        merge_map(t, level->first, &from->items[i]);
    return count_aliased(t, t->pair_count - before, from);
}

static void *keep(struct arena *arena, const void *from, size_t n, size_t size)
{
    void *to = arena_raw(arena, n * size);

    memcpy(to, from, n * size);
    return to;
}

bool tree_close(struct tree *t)
{
    struct tree_level level = t->levels[t->depth--];
    struct node n = level.node;

    if (n.kind == NODE_SEQ) {
        n.n = (uint32_t)(t->item_count - level.first);
        n.items = n.n ? keep(t->arena, &t->items[level.first], n.n, sizeof(*n.items)) : NULL;
        t->item_count = level.first;
    } else {
        if (t->pair_count > level.first &&
            !check_keys(t, &t->pairs[level.first], t->pair_count - level.first))
            return false;
        if (level.merge.n && !merge_maps(t, &level))
            return false;
        n.n = (uint32_t)(t->pair_count - level.first);
        n.pairs = n.n ? keep(t->arena, &t->pairs[level.first], n.n, sizeof(*n.pairs)) : NULL;
        t->pair_count = level.first;
    }
    set_anchor(t, level.anchor, n, t->nodes - level.nodes_before, level.height + 1, false);
    return put_value(t, n);
}

void tree_document_end(struct tree *t)
{
    if (t->has_root && !node_is_null(&t->root)) {
        t->docs = grow(t->docs, t->doc_count, &t->doc_cap, sizeof(*t->docs));
        t->docs[t->doc_count++] = t->root;
    }
    t->has_root = false;
    map_reset(&t->anchors);
}

const struct node_pair *node_pair(const struct node *map, struct str key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (str_eq(map->pairs[i].key, key))
            return &map->pairs[i];
    return NULL;
}

const struct node *node_get(const struct node *map, struct str key)
{
    const struct node_pair *pair = node_pair(map, key);

    return pair ? &pair->value : NULL;
}

bool node_is_null(const struct node *n)
{
    return n->kind == NODE_SCALAR && !n->quoted && scalar_resolve(n->text).kind == SCALAR_NULL;
}
