#include "codec/yaml.h"

#include "base/hash.h"
#include "base/map.h"
#include "codec/scalar.h"

#include <libfyaml.h>
#include <stdlib.h>

#define MB ((size_t)1 << 20)
#define HASHED_KEYS 16 /* larger maps find duplicate keys by a hash table */

const struct yaml_limits yaml_default_limits = { 64 * MB, 8000000, 1000000, 100 };

/* One open container, or the document itself. */
struct level {
    struct node node;     /* kind, place */
    size_t first;         /* where its items stand in `items` or `pairs` */
    struct node_pair key; /* of a map: the key whose value comes next */
    bool has_key;
    struct node merge; /* of a map: the value of its key <<; n is 0 without one */
    struct str anchor;
    size_t nodes_before; /* to know the size of what is anchored */
    uint32_t height;     /* levels below it */
};

struct anchor {
    struct node node;
    size_t size;
    uint32_t height;
    bool open; /* its end has not been seen: an alias to it would be endless */
};

struct reader {
    struct arena *arena;
    struct notes *notes;
    struct str file;
    struct yaml_limits limits;
    struct fy_parser *parser;
    struct fy_diag *diag;
    bool json;
    struct level *levels; /* limits.depth + 1 */
    uint32_t depth;
    struct node *items; /* of all open sequences */
    size_t item_count, item_cap;
    struct node_pair *pairs; /* of all open maps */
    size_t pair_count, pair_cap;
    struct map anchors;
    size_t nodes, aliased;
    struct node *docs;
    size_t doc_count, doc_cap;
    struct node root;
    bool has_root;
    bool failed;
};

static struct pos at(const struct reader *r, uint32_t line, uint32_t col)
{
    return (struct pos){ r->file, line, col };
}

static const struct str merge_key = STR_INIT("<<");

#define FAIL(r, line, col, code, ...)                                                              \
    ((r)->failed = true, note_add((r)->notes, SEV_ERROR, at(r, line, col), code, __VA_ARGS__),     \
     false)

/* Heap arrays: in the arena every growth would leave the old array behind. */
static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 64;
    return must_realloc(items, *cap * size);
}

static void add_pair(struct reader *r, struct node_pair pair)
{
    r->pairs = grow(r->pairs, r->pair_count, &r->pair_cap, sizeof(*r->pairs));
    r->pairs[r->pair_count++] = pair;
}

/* The merge key's value: a map, or a list of maps (yaml.org/type/merge.html). */
static bool put_merge(struct reader *r, struct level *top, const struct node *value)
{
    bool fine = value->kind == NODE_MAP || value->kind == NODE_SEQ;

    for (uint32_t i = 0; value->kind == NODE_SEQ && i < value->n; i++)
        fine &= value->items[i].kind == NODE_MAP;
    if (!fine || top->merge.n)
        return FAIL(r, value->line, value->col, "LAT0101",
                    "the merge key << takes one map or a list of maps, once");
    top->merge = *value;
    top->has_key = false;
    return true;
}

/* The library gives an absent value no mark, and a block scalar that of its second line: the
 * key is what people look for. */
static void mend_place(const struct level *top, struct node *value)
{
    bool in_map = top && top->node.kind == NODE_MAP;

    if (value->line == 0 || (in_map && value->block)) {
        value->line = in_map ? top->key.line : top ? top->node.line : 1;
        value->col = in_map ? top->key.col : top ? top->node.col : 1;
    }
}

static bool put_value(struct reader *r, struct node value)
{
    struct level *top = r->depth ? &r->levels[r->depth] : NULL;

    mend_place(top, &value);

    if (!top) {
        r->root = value;
        r->has_root = true;
    } else if (top->node.kind == NODE_SEQ) {
        r->items = grow(r->items, r->item_count, &r->item_cap, sizeof(*r->items));
        r->items[r->item_count++] = value;
    } else if (!top->key.quoted && str_eq(top->key.raw, merge_key)) {
        return put_merge(r, top, &value);
    } else {
        top->key.value = value;
        top->has_key = false;
        add_pair(r, top->key);
    }
    return true;
}

/* A JSON object has string keys only: kubectl's reader prints what YAML made of the key. */
static bool put_key(struct reader *r, struct node *n)
{
    struct level *top = &r->levels[r->depth];
    struct scalar s;

    if (n->line == 0) {
        n->line = top->node.line;
        n->col = top->node.col;
    }
    if (n->kind != NODE_SCALAR)
        return FAIL(r, n->line, n->col, "LAT0101",
                    "a key must be a plain word, not a list or a map");
    top->key = (struct node_pair){
        .key = n->text, .raw = n->text, .line = n->line, .col = n->col, .quoted = n->quoted
    };
    top->has_key = true;
    if (n->quoted)
        return true;
    if (str_eq(n->text, merge_key))
        return true;
    s = scalar_resolve(n->text);
    if (s.kind == SCALAR_NULL)
        return FAIL(r, n->line, n->col, "LAT0101",
                    "a key is missing here, or is null: quote it if a key \"%.*s\" is meant",
                    STRF(n->text));
    if (s.kind == SCALAR_BOOL)
        top->key.key = s.truth ? STR("true") : STR("false");
    else if (s.kind == SCALAR_INT)
        top->key.key = s.big ? arena_printf(r->arena, "%llu", (unsigned long long)s.integer)
                             : arena_printf(r->arena, "%lld", (long long)s.integer);
    else if (s.kind == SCALAR_FLOAT)
        top->key.key = arena_printf(r->arena, "%g", s.number);
    return true;
}

static bool put_node(struct reader *r, struct node n)
{
    struct level *top = &r->levels[r->depth];

    if (r->depth && top->node.kind == NODE_MAP && !top->has_key)
        return put_key(r, &n);
    return put_value(r, n);
}

static bool count_nodes(struct reader *r, size_t n, const struct node *where)
{
    r->nodes += n;
    if (r->nodes <= r->limits.nodes)
        return true;
    return FAIL(r, where->line, where->col, "LAT0110",
                "the file has more than %zu values when aliases are expanded: split it",
                r->limits.nodes);
}

static bool count_aliased(struct reader *r, size_t n, const struct node *where)
{
    r->aliased += n;
    if (r->aliased > r->limits.aliased)
        return FAIL(r, where->line, where->col, "LAT0110",
                    "aliases add more than %zu values to the file: write out what is needed",
                    r->limits.aliased);
    return count_nodes(r, n, where);
}

static struct str token_text(struct fy_token *token)
{
    size_t n = 0;
    const char *p = token ? fy_token_get_text(token, &n) : NULL;

    return p ? str_make(p, n) : STR("");
}

static struct node place_of(struct fy_event *e)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    struct node n = { .line = 0 };

    if (mark) {
        n.line = (uint32_t)mark->line + 1;
        n.col = (uint32_t)mark->column + 1;
    }
    return n;
}

static struct str anchor_of(struct reader *r, struct fy_event *e)
{
    struct fy_token *token = fy_event_get_anchor_token(e);

    return token ? arena_dup(r->arena, token_text(token)) : STR_NONE;
}

static void set_anchor(struct reader *r, struct str name, struct node n, size_t size,
                       uint32_t height, bool open)
{
    struct anchor *a = ARENA_NEW(r->arena, struct anchor);

    *a = (struct anchor){ n, size, height, open };
    map_put(&r->anchors, name, a);
}

/* !!str makes a string of what follows; the tags of the core types change nothing here. */
static bool read_tag(struct reader *r, struct fy_event *e, struct node *n)
{
    static const struct str plain[] = {
        STR_INIT("tag:yaml.org,2002:int"),  STR_INIT("tag:yaml.org,2002:bool"),
        STR_INIT("tag:yaml.org,2002:null"), STR_INIT("tag:yaml.org,2002:float"),
        STR_INIT("tag:yaml.org,2002:map"),  STR_INIT("tag:yaml.org,2002:seq"),
    };
    struct fy_token *token = fy_event_get_tag_token(e);
    struct str tag = token_text(token);

    if (!token)
        return true;
    if (str_eq(tag, STR("tag:yaml.org,2002:str")) || str_eq(tag, STR("!"))) {
        n->quoted = true;
        return true;
    }
    for (size_t i = 0; i < LEN(plain); i++)
        if (str_eq(tag, plain[i]))
            return true;
    return FAIL(r, n->line, n->col, "LAT0101", "the tag \"%.*s\" is not supported: remove it",
                STRF(tag));
}

static bool on_scalar(struct reader *r, struct fy_event *e)
{
    struct node n = place_of(e);
    struct fy_token *token = e->scalar.value;
    struct str anchor = anchor_of(r, e);
    enum fy_scalar_style style;

    n.kind = NODE_SCALAR;
    n.text = arena_dup(r->arena, token_text(token));
    style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    n.quoted = style != FYSS_PLAIN;
    n.block = style == FYSS_LITERAL || style == FYSS_FOLDED;
    /* The mark stands behind the quote. */
    n.col -= (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && n.col > 1;
    if (!read_tag(r, e, &n) || !count_nodes(r, 1, &n))
        return false;
    if (str_is_set(anchor))
        set_anchor(r, anchor, n, 1, 0, false);
    return put_node(r, n);
}

static bool on_alias(struct reader *r, struct fy_event *e)
{
    struct node n = place_of(e);
    struct str name = token_text(e->alias.anchor);
    struct anchor *a = map_get(&r->anchors, name);

    n.col -= n.col > 1; /* the mark stands behind the asterisk */
    if (!a || a->open)
        return FAIL(r, n.line, n.col, "LAT0101",
                    a ? "the alias *%.*s stands inside what it names: it would never end"
                      : "the alias *%.*s names no anchor before it",
                    STRF(name));
    if (!count_aliased(r, a->size, &n))
        return false;
    if (r->depth + a->height > r->limits.depth)
        return FAIL(r, n.line, n.col, "LAT0110", "nested deeper than %u levels", r->limits.depth);
    for (uint32_t i = 1, below = a->height; i <= r->depth; i++)
        r->levels[i].height = MAX(r->levels[i].height, r->depth - i + 1 + below);
    n.kind = a->node.kind;
    n.quoted = a->node.quoted;
    n.n = a->node.n;
    if (n.kind == NODE_SCALAR)
        n.text = a->node.text;
    else if (n.kind == NODE_SEQ)
        n.items = a->node.items;
    else
        n.pairs = a->node.pairs;
    return put_node(r, n);
}

static bool on_open(struct reader *r, struct fy_event *e, enum node_kind kind)
{
    struct node n = place_of(e);
    struct level *top = &r->levels[r->depth];
    struct str anchor = anchor_of(r, e);
    size_t nodes_before = r->nodes;

    n.kind = (uint8_t)kind;
    if (r->depth && top->node.kind == NODE_MAP && !top->has_key)
        return put_key(r, &n);
    if (!read_tag(r, e, &n) || !count_nodes(r, 1, &n))
        return false;
    n.quoted = false;
    if (r->depth >= r->limits.depth)
        return FAIL(r, n.line, n.col, "LAT0110", "nested deeper than %u levels", r->limits.depth);
    for (uint32_t i = 1; i <= r->depth; i++)
        r->levels[i].height = MAX(r->levels[i].height, r->depth - i + 1);
    if (str_is_set(anchor))
        set_anchor(r, anchor, n, 0, 0, true);
    r->levels[++r->depth] = (struct level){
        .node = n,
        .first = kind == NODE_SEQ ? r->item_count : r->pair_count,
        .anchor = anchor,
        .nodes_before = nodes_before,
    };
    return true;
}

static bool duplicate(struct reader *r, const struct node_pair *first,
                      const struct node_pair *second)
{
    return FAIL(r, second->line, second->col, "LAT0105",
                "the key \"%.*s\" stands here again, first at line %u, column %u: remove one",
                STRF(second->raw), first->line, first->col);
}

static bool check_keys_hashed(struct reader *r, struct node_pair *pairs, size_t n)
{
    struct map seen;
    bool fine = true;

    map_init(&seen);
    for (size_t i = 0; i < n; i++) {
        struct node_pair *first = map_put(&seen, pairs[i].key, &pairs[i]);

        if (first)
            fine = duplicate(r, first, &pairs[i]);
    }
    map_fini(&seen);
    return fine;
}

static bool check_keys(struct reader *r, struct node_pair *pairs, size_t n)
{
    bool fine = true;

    if (n > HASHED_KEYS)
        return check_keys_hashed(r, pairs, n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(pairs[i].key, pairs[k].key)) {
                fine = duplicate(r, &pairs[k], &pairs[i]);
                break;
            }
    return fine;
}

static void *keep(struct arena *arena, const void *from, size_t octets)
{
    void *to = arena_raw(arena, MAX(octets, 1));

    if (octets)
        memcpy(to, from, octets);
    return to;
}

/* Pairs of a merged map whose keys the open map does not have yet. */
static void merge_map(struct reader *r, size_t first, const struct node *from)
{
    struct map have;

    map_init(&have);
    for (size_t i = first; i < r->pair_count; i++)
        map_put(&have, r->pairs[i].key, r);
    for (uint32_t i = 0; i < from->n; i++)
        if (!map_has(&have, from->pairs[i].key))
            add_pair(r, from->pairs[i]);
    map_fini(&have);
}

static bool merge_maps(struct reader *r, const struct level *level)
{
    const struct node *from = &level->merge;
    size_t before = r->pair_count;

    if (from->kind == NODE_MAP)
        merge_map(r, level->first, from);
    for (uint32_t i = 0; from->kind == NODE_SEQ && i < from->n; i++)
        merge_map(r, level->first, &from->items[i]);
    return count_aliased(r, r->pair_count - before, from);
}

static bool on_close(struct reader *r)
{
    struct level level = r->levels[r->depth--];
    struct node n = level.node;

    if (n.kind == NODE_SEQ) {
        n.n = (uint32_t)(r->item_count - level.first);
        n.items = keep(r->arena, r->items + level.first, n.n * sizeof(*n.items));
        r->item_count = level.first;
    } else {
        if (!check_keys(r, r->pairs + level.first, r->pair_count - level.first) ||
            (level.merge.n && !merge_maps(r, &level)))
            return false;
        n.n = (uint32_t)(r->pair_count - level.first);
        n.pairs = keep(r->arena, r->pairs + level.first, n.n * sizeof(*n.pairs));
        r->pair_count = level.first;
    }
    if (str_is_set(level.anchor))
        set_anchor(r, level.anchor, n, r->nodes - level.nodes_before, level.height + 1, false);
    return put_value(r, n);
}

static bool on_document_end(struct reader *r)
{
    if (r->has_root && !node_is_null(&r->root)) {
        r->docs = grow(r->docs, r->doc_count, &r->doc_cap, sizeof(*r->docs));
        r->docs[r->doc_count++] = r->root;
    }
    r->has_root = false;
    map_reset(&r->anchors);
    return true;
}

static bool on_event(struct reader *r, struct fy_event *e)
{
    switch (e->type) {
    case FYET_SCALAR:
        return on_scalar(r, e);
    case FYET_ALIAS:
        return on_alias(r, e);
    case FYET_MAPPING_START:
        return on_open(r, e, NODE_MAP);
    case FYET_SEQUENCE_START:
        return on_open(r, e, NODE_SEQ);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return on_close(r);
    case FYET_DOCUMENT_END:
        return on_document_end(r);
    default:
        return true;
    }
}

static void drop_output(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)n;
}

/* Errors are collected; nothing ever goes to stderr. */
static struct fy_diag *make_diag(void)
{
    struct fy_diag_cfg cfg;
    struct fy_diag *diag;

    fy_diag_cfg_default(&cfg);
    cfg.fp = NULL;
    cfg.output_fn = drop_output;
    cfg.colorize = false;
    diag = fy_diag_create(&cfg);
    MUST(diag);
    fy_diag_set_collect_errors(diag, true);
    return diag;
}

/* What to do about libfyaml's commonest complaints. */
static const char *hint_for(struct str message)
{
    static const struct {
        struct str part;
        const char *hint;
    } hints[] = {
        { STR_INIT("nested block mapping"), ": quote a value that holds \": \"" },
        { STR_INIT("plain scalar cannot start"), ": quote the value" },
        { STR_INIT("tab character"), ": indent with spaces" },
        { STR_INIT("multiline plain key"), ": check the indentation of the next lines" },
        { STR_INIT("wrongly indented"), ": is its end missing?" },
        { STR_INIT("without a closing"), ": close it" },
        { STR_INIT("end of stream"), ": is its end missing?" },
        { STR_INIT("after mapping"), ": check the indentation" },
        { STR_INIT("did not find"), ": check the indentation" },
        { STR_INIT("invalid indent"), ": check the indentation" },
        { STR_INIT("JSON plain scalar"), ": quote the string" },
        { STR_INIT("trailing comma"), ": remove it" },
        { STR_INIT("missing comma"), ": add it, or close what is open" },
    };

    for (size_t i = 0; i < LEN(hints); i++)
        if (str_find_str(message, hints[i].part) < message.n)
            return hints[i].hint;
    return "";
}

/* libfyaml's first error is the cause; what follows is its echo. */
static void note_library_error(struct reader *r)
{
    void *prev = NULL;
    struct fy_diag_error *first = fy_diag_errors_iterate(r->diag, &prev);

    if (first)
        (void)FAIL(r, first->line > 0 ? (uint32_t)first->line : 1,
                   first->column > 0 ? (uint32_t)first->column : 1, "LAT0101", "not valid %s: %s%s",
                   r->json ? "JSON" : "YAML", first->msg, hint_for(str_of(first->msg)));
    else
        (void)FAIL(r, 1, 1, "LAT0101", "not valid %s", r->json ? "JSON" : "YAML");
}

static void read_events(struct reader *r)
{
    struct fy_event *e;

    while (!r->failed && (e = fy_parser_parse(r->parser))) {
        bool end = e->type == FYET_STREAM_END;

        on_event(r, e);
        fy_parser_event_free(r->parser, e);
        if (end)
            return;
    }
    if (!r->failed && fy_parser_get_stream_error(r->parser))
        note_library_error(r);
}

/* The octets of one UTF-8 character at `p`, 0 where it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t want = p[0] < 0x80   ? 1
                  : p[0] < 0xc2 ? 0
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf5 ? 4
                                : 0;

    if (!want || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return want;
}

/* Octets that no YAML file may hold are found before the library sees any. */
static bool check_octets(struct reader *r, struct str octets)
{
    const unsigned char *p = (const unsigned char *)octets.p;
    uint32_t line = 1, col = 1;

    for (size_t i = 0; i < octets.n;) {
        size_t n = utf8_length(p + i, octets.n - i);

        if (!n)
            return FAIL(r, line, col, "LAT0101", "not UTF-8: octet 0x%02x", p[i]);
        if ((p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r') || p[i] == 0x7f)
            return FAIL(r, line, col, "LAT0101", "a control character (0x%02x) may not stand here",
                        p[i]);
        col++;
        if (p[i] == '\n') {
            line++;
            col = 1;
        }
        i += n;
    }
    return true;
}

static bool read_all(struct reader *r, struct str octets)
{
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT |
                 (r->json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
        .diag = r->diag = make_diag(),
    };

    r->parser = fy_parser_create(&cfg);
    MUST(r->parser);
    if (fy_parser_set_string(r->parser, octets.p ? octets.p : "", octets.n) == 0)
        read_events(r);
    else
        note_library_error(r);
    fy_parser_destroy(r->parser);
    fy_diag_destroy(r->diag);
    return !r->failed;
}

bool yaml_read(struct arena *arena, struct str file, struct str octets, bool json,
               const struct yaml_limits *limits, struct notes *notes, struct yaml_docs *ret)
{
    struct reader r = { .arena = arena, .notes = notes, .file = file, .json = json };
    bool fine;

    r.limits = limits ? *limits : yaml_default_limits;
    if (str_starts(octets, STR("\xef\xbb\xbf")))
        octets = str_from(octets, 3);
    if (octets.n > r.limits.octets)
        return FAIL(&r, 1, 1, "LAT0110", "the file has %zu octets, more than %zu: split it",
                    octets.n, r.limits.octets);
    if (!check_octets(&r, octets))
        return false;
    r.levels = must_alloc((r.limits.depth + 1) * sizeof(*r.levels));
    map_init(&r.anchors);
    fine = read_all(&r, octets);
    if (fine) {
        ret->v = keep(arena, r.docs, r.doc_count * sizeof(*r.docs));
        ret->n = r.doc_count;
    }
    map_fini(&r.anchors);
    free(r.levels);
    free(r.items);
    free(r.pairs);
    free(r.docs);
    return fine;
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

uint64_t node_hash(const struct node *n, bool place)
{
    uint64_t h = hash_mix((uint64_t)n->kind * 2 + n->quoted, n->n);

    if (place)
        h = hash_mix(h, (uint64_t)n->line << 32 | n->col);
    if (n->kind == NODE_SCALAR)
        return hash_mix(h, hash_stable(n->text));
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->kind == NODE_SEQ) {
            h = hash_mix(h, node_hash(&n->items[i], place));
            continue;
        }
        h = hash_mix(h, hash_stable(n->pairs[i].key));
        h = hash_mix(h, node_hash(&n->pairs[i].value, place));
    }
    return h;
}
