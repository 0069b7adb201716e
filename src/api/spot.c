#include "api/decode_int.h"

#include <ctype.h>

#define PATH_MAX_OCTETS 4096
#define SEARCH_MAX 100000 /* nodes looked at for one path: an alias bomb has millions */

bool name_is_snake_of(struct str name, struct str camel)
{
    size_t k = 0;
    bool up = false;

    if (str_find(name, '_') == name.n)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (c == '_') {
            up = true;
            continue;
        }
        if (k >= camel.n || (up && c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c) != camel.p[k])
            return false;
        up = false;
        k++;
    }
    return k == camel.n && !up;
}

const struct node_pair *field_pair(const struct node *map, struct str name)
{
    const struct node_pair *pair = node_pair(map, name);

    if (pair || !map || map->kind != NODE_MAP)
        return pair;
    for (uint32_t i = 0; i < map->n; i++)
        if (name_is_snake_of(map->pairs[i].key, name))
            return &map->pairs[i];
    return NULL;
}

static bool is_word(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!isalnum((unsigned char)key.p[i]) && key.p[i] != '_')
            return false;
    return key.n > 0;
}

void path_add_key(struct buf *b, struct str key)
{
    if (!is_word(key)) {
        buf_printf(b, "[\"%.*s\"]", STRF(key));
        return;
    }
    if (b->n)
        buf_addc(b, '.');
    buf_add(b, key);
}

/* The container behind a node: copies of a node (aliases) share it. */
static const void *inside(const struct node *n)
{
    return n->kind == NODE_MAP   ? (const void *)n->pairs
           : n->kind == NODE_SEQ ? (const void *)n->items
                                 : NULL;
}

static bool starts_after(const struct node *n, const struct node *target)
{
    return n->line > target->line || (n->line == target->line && n->col > target->col);
}

static const struct node *child_of(const struct node *n, uint32_t i)
{
    return n->kind == NODE_MAP ? &n->pairs[i].value : &n->items[i];
}

/* Children stand in the file's order, so only the last one that does not start behind the target
 * can hold it: how many there are up to it. */
static uint32_t up_to(const struct node *n, const struct node *target)
{
    uint32_t low = 0, high = n->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (starts_after(child_of(n, middle), target))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* `thorough` looks everywhere, as aliases break the order. */
static bool find_path(const struct node *n, const struct node *target, bool thorough,
                      size_t *budget, struct buf *b)
{
    size_t length = b->n;

    if (n == target || (n->n && target->kind == n->kind && inside(n) == inside(target)))
        return true;
    if (n->kind == NODE_SCALAR)
        return false;
    for (uint32_t i = thorough ? n->n : up_to(n, target); i-- > 0 && *budget > 0;) {
        --*budget;
        if (n->kind == NODE_MAP)
            path_add_key(b, n->pairs[i].key);
        else
            buf_printf(b, "[%u]", i);
        if (find_path(child_of(n, i), target, thorough, budget, b))
            return true;
        b->n = length;
        if (!thorough)
            return false;
    }
    return false;
}

bool path_of_node(const struct api_object *o, const struct node *in, struct buf *b)
{
    size_t budget = SEARCH_MAX;

    if (!o->node || !in)
        return false;
    return find_path(o->node, in, false, &budget, b) || find_path(o->node, in, true, &budget, b);
}

void api_object_title(const struct api_object *o, struct buf *b)
{
    buf_add(b, o->kind->kind);
    if (!o->meta || !str_is_set(o->meta->name))
        return;
    buf_addc(b, ' ');
    if (o->kind->namespaced) {
        buf_add(b, o->meta->namespace);
        buf_addc(b, '/');
    }
    buf_add(b, o->meta->name);
}

static const struct node_pair *spot_pair(struct api_spot spot)
{
    return spot.field && spot.at->node ? field_pair(spot.at->node, str_of(spot.field)) : NULL;
}

struct pos api_spot_pos(const struct api_object *o, struct api_spot spot)
{
    const struct node_pair *pair, *inner;
    struct pos pos = { o->file, spot.at->line, spot.at->col };

    api_object_wake(o);
    pair = spot_pair(spot);
    if (!pair)
        return pos;
    pos.line = pair->value.line;
    pos.col = pair->value.col;
    if (pair->value.kind == NODE_SEQ && spot.index >= 0 && spot.index < pair->value.n) {
        pos.line = pair->value.items[spot.index].line;
        pos.col = pair->value.items[spot.index].col;
    }
    inner = str_is_set(spot.key) ? node_pair(&pair->value, spot.key) : NULL;
    if (inner) {
        pos.line = spot.on_key ? inner->line : inner->value.line;
        pos.col = spot.on_key ? inner->col : inner->value.col;
    }
    return pos;
}

void api_spot_path(const struct api_object *o, struct api_spot spot, struct buf *b)
{
    const struct node_pair *pair;

    api_object_wake(o);
    pair = spot_pair(spot);
    /* A message that was not written (a missing spec) stands under the body's key. */
    if (!path_of_node(o, spot.at->node, b) && !spot.at->node)
        buf_add(b, o->kind->body_key);
    if (!spot.field)
        return;
    path_add_key(b, pair ? pair->key : str_of(spot.field));
    if (spot.index >= 0)
        buf_printf(b, "[%lld]", (long long)spot.index);
    if (str_is_set(spot.key))
        path_add_key(b, spot.key);
}

static struct str title_in(struct arena *a, const struct api_object *o)
{
    struct buf b;
    struct str title;

    buf_init(&b, PATH_MAX_OCTETS);
    api_object_title(o, &b);
    title = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return title;
}

static void note_about(struct notes *notes, const struct api_object *o, struct str path)
{
    struct note *n = notes_last(notes);

    if (!n)
        return;
    n->object = title_in(notes->arena, o);
    n->path = arena_dup(notes->arena, path);
}

void api_note_other(struct notes *notes, const struct api_object *o, struct api_spot spot)
{
    struct note *n = notes_last(notes);

    if (!n)
        return;
    n->other = api_spot_pos(o, spot);
    n->other_object = title_in(notes->arena, o);
}

void api_note_at(const struct api_object *o, struct notes *notes, enum severity severity,
                 const char *code, struct pos pos, struct api_spot spot, const char *fmt,
                 va_list args)
{
    struct buf b, path;

    if (notes->n >= notes->max) {
        note_add(notes, severity, pos, code, " ");
        return;
    }
    buf_init(&b, 16 * PATH_MAX_OCTETS);
    buf_init(&path, PATH_MAX_OCTETS);
    api_object_title(o, &b);
    api_spot_path(o, spot, &path);
    if (path.n) {
        buf_add(&b, STR(": "));
        buf_add(&b, buf_str(&path));
    }
    buf_add(&b, STR(": "));
    buf_vprintf(&b, fmt, args);
    note_add(notes, severity, pos, code, "%.*s", STRF(buf_str(&b)));
    note_about(notes, o, buf_str(&path));
    buf_fini(&path);
    buf_fini(&b);
}

void api_note(const struct api_object *o, struct notes *notes, enum severity severity,
              const char *code, struct api_spot spot, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    api_note_at(o, notes, severity, code, api_spot_pos(o, spot), spot, fmt, args);
    va_end(args);
}

/* Cuts ".name", "[3]" or ["key"] off the path. */
static struct str cut_step(struct str *path, int64_t *ret_index)
{
    struct str step;
    uint64_t index;
    size_t end;

    *ret_index = -1;
    if (path->n && path->p[0] == '.')
        *path = str_from(*path, 1);
    if (path->n && path->p[0] == '[') {
        bool quoted = str_starts(*path, STR("[\""));

        end = quoted ? str_find_str(*path, STR("\"]")) : str_find(*path, ']');
        step = str_sub(*path, quoted ? 2 : 1, end - (quoted ? 2 : 1));
        *path = str_from(*path, end + (quoted ? 2 : 1));
        if (!quoted && str_u64(step, &index))
            *ret_index = (int64_t)MIN(index, UINT32_MAX);
        return step;
    }
    for (end = 0; end < path->n && path->p[end] != '.' && path->p[end] != '[';)
        end++;
    step = str_sub(*path, 0, end);
    *path = str_from(*path, end);
    return step;
}

struct pos api_pos_of(const struct api_object *o, struct str path)
{
    const struct node *n;
    struct pos pos = { o->file, o->line, o->col };

    api_object_wake(o);
    n = o->node;
    while (n && path.n) {
        int64_t index;
        struct str step = cut_step(&path, &index);
        const struct node_pair *pair;

        if (index >= 0) {
            n = n->kind == NODE_SEQ && index < n->n ? &n->items[index] : NULL;
        } else {
            pair = field_pair(n, step);
            n = pair ? &pair->value : NULL;
        }
        if (n) {
            pos.line = n->line;
            pos.col = n->col;
        }
    }
    return pos;
}
