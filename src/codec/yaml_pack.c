/*
 * A node is one octet (struct head), then what of its place the head does not tell, then its
 * text or its number of children, and these. Before a value of a map stands its key: a head, a
 * place and a text, and the spelling where it is another. A text is a number: 0 and the text
 * itself, or that of an earlier one.
 */
#include "codec/yaml_pack.h"

#define RECENT 512 /* texts that are found again, by a cheap hash */

/* Where a node's column is looked for: most stand where an editor would put them. */
enum col_code { COL_WRITTEN, COL_SAME, COL_PLUS_1, COL_PLUS_2, COL_PLUS_4, COL_BEHIND_KEY };
#define LINE_WRITTEN 3 /* else so many lines below the one before */

/* The head: kind (of a key: whether its spelling is another), 2 bits; quoted, 1 bit; line,
 * 2 bits; enum col_code, 3 bits. */
struct head {
    uint8_t kind, quoted, line, col;
};

/* What columns are told from. */
struct around {
    uint32_t container, key_end;
};

static uint32_t col_of(struct around at, uint8_t code)
{
    static const uint8_t plus[] = {
        [COL_SAME] = 0, [COL_PLUS_1] = 1, [COL_PLUS_2] = 2, [COL_PLUS_4] = 4
    };

    return code == COL_BEHIND_KEY ? at.key_end : at.container + plus[code];
}

/* Where a value stands behind `key: `. */
static uint32_t key_end(const struct node_pair *pair)
{
    return pair->col + (uint32_t)pair->raw.n + (pair->quoted ? 4 : 2);
}

/* ---- writing ---- */

struct packer {
    struct buf *out;
    uint32_t line; /* of the node before */
    uint32_t texts;
    struct {
        struct str text;
        uint32_t number; /* from 1; 0: none */
    } recent[RECENT];
};

static void put_number(struct packer *k, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_addc(k->out, (char)(v | 0x80));
    buf_addc(k->out, (char)v);
}

static void put_place(struct packer *k, struct head h, uint32_t line, uint32_t col,
                      struct around at)
{
    int64_t down = (int64_t)line - k->line;

    h.line = (uint8_t)(down >= 0 && down < LINE_WRITTEN ? down : LINE_WRITTEN);
    for (h.col = COL_BEHIND_KEY; h.col != COL_WRITTEN && col_of(at, h.col) != col;)
        h.col--;
    buf_addc(k->out, (char)(h.kind | h.quoted << 2 | h.line << 3 | h.col << 5));
    if (h.line == LINE_WRITTEN)
        put_number(k, line);
    if (h.col == COL_WRITTEN)
        put_number(k, col);
    k->line = line;
}

static size_t recent_of(struct str s)
{
    uint64_t hash = s.n;

    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (hash ^ hash >> 32) % RECENT;
}

static void put_text(struct packer *k, struct str s)
{
    size_t at = recent_of(s);

    if (k->recent[at].number && str_eq(k->recent[at].text, s)) {
        put_number(k, k->recent[at].number);
        return;
    }
    k->recent[at].text = s;
    k->recent[at].number = ++k->texts;
    put_number(k, 0);
    put_number(k, s.n);
    buf_add(k->out, s);
    buf_addc(k->out, '\0');
}

static void put_node(struct packer *k, const struct node *n, struct around at);

static void put_pair(struct packer *k, const struct node_pair *pair, uint32_t container)
{
    bool respelled = !str_eq(pair->key, pair->raw);

    put_place(k, (struct head){ .kind = respelled, .quoted = pair->quoted }, pair->line, pair->col,
              (struct around){ container, 0 });
    put_text(k, pair->key);
    if (respelled)
        put_text(k, pair->raw);
    put_node(k, &pair->value, (struct around){ container, key_end(pair) });
}

static void put_node(struct packer *k, const struct node *n, struct around at)
{
    put_place(k, (struct head){ .kind = n->kind, .quoted = n->quoted }, n->line, n->col, at);
    if (n->kind == NODE_SCALAR) {
        put_text(k, n->text);
        return;
    }
    put_number(k, n->n);
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->kind == NODE_MAP)
            put_pair(k, &n->pairs[i], n->col);
        else
            put_node(k, &n->items[i], (struct around){ n->col, 0 });
    }
}

void node_pack(const struct node *n, struct buf *out)
{
    struct packer k = { .out = out, .line = n->line };

    put_number(&k, n->line);
    put_node(&k, n, (struct around){ 0, 0 });
    MUST(!out->full);
}

/* ---- reading ---- */

#define DEPTH_MAX 256 /* more than any reader lets through */

struct unpacker {
    struct arena *arena;
    const char *p, *end;
    uint32_t line, depth;
    struct str *texts; /* by number - 1 */
    size_t text_count, text_cap;
    bool failed; /* then all reads give 0 */
};

static uint64_t fail(struct unpacker *u)
{
    u->failed = true;
    u->p = u->end;
    return 0;
}

static uint8_t get_octet(struct unpacker *u)
{
    return u->p < u->end ? (uint8_t)*u->p++ : (uint8_t)fail(u);
}

static uint64_t get_number(struct unpacker *u)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t octet = get_octet(u);

        v |= (uint64_t)(octet & 0x7f) << shift;
        if (!(octet & 0x80))
            return v;
    }
    return fail(u);
}

static struct head get_place(struct unpacker *u, struct around at, uint32_t *line, uint32_t *col)
{
    uint8_t octet = get_octet(u);
    struct head h = { octet & 3, octet >> 2 & 1, octet >> 3 & 3, octet >> 5 };

    if (h.col > COL_BEHIND_KEY || h.kind > NODE_SEQ) {
        fail(u);
        h = (struct head){ 0 };
    }
    u->line = h.line == LINE_WRITTEN ? (uint32_t)get_number(u) : u->line + h.line;
    *line = u->line;
    *col = h.col == COL_WRITTEN ? (uint32_t)get_number(u) : col_of(at, h.col);
    return h;
}

static struct str get_text(struct unpacker *u)
{
    uint64_t number = get_number(u), n;

    if (number && number <= u->text_count)
        return u->texts[number - 1];
    n = number ? fail(u) : get_number(u);
    if (u->failed || n >= (size_t)(u->end - u->p) || u->p[n]) {
        fail(u);
        return STR("");
    }
    u->texts = arena_grow(u->arena, u->texts, u->text_count, &u->text_cap, sizeof(*u->texts));
    u->texts[u->text_count] = str_make(u->p, n);
    u->p += n + 1;
    return u->texts[u->text_count++];
}

static void get_node(struct unpacker *u, struct around at, struct node *ret);

static void get_pair(struct unpacker *u, uint32_t container, struct node_pair *ret)
{
    struct head h = get_place(u, (struct around){ container, 0 }, &ret->line, &ret->col);

    ret->quoted = h.quoted;
    ret->key = get_text(u);
    ret->raw = h.kind ? get_text(u) : ret->key;
    get_node(u, (struct around){ container, key_end(ret) }, &ret->value);
}

/* The children; each takes an octet at least. */
static void get_children(struct unpacker *u, struct node *ret)
{
    uint64_t n = get_number(u);

    if (n > (size_t)(u->end - u->p) || u->depth == DEPTH_MAX)
        n = fail(u);
    ret->n = (uint32_t)n;
    ret->items = NULL;
    if (ret->kind == NODE_MAP && n)
        ret->pairs = arena_raw(u->arena, n * sizeof(*ret->pairs));
    else if (n)
        ret->items = arena_raw(u->arena, n * sizeof(*ret->items));
    u->depth++;
    for (uint32_t i = 0; i < n && !u->failed; i++) {
        if (ret->kind == NODE_MAP)
            get_pair(u, ret->col, &ret->pairs[i]);
        else
            get_node(u, (struct around){ ret->col, 0 }, &ret->items[i]);
    }
    u->depth--;
}

static void get_node(struct unpacker *u, struct around at, struct node *ret)
{
    struct head h = get_place(u, at, &ret->line, &ret->col);

    ret->kind = h.kind;
    ret->quoted = h.quoted;
    ret->n = 0;
    ret->text = STR_NONE; /* all of the union */
    if (h.kind == NODE_SCALAR)
        ret->text = get_text(u);
    else
        get_children(u, ret);
}

struct node *node_unpack(struct arena *arena, struct str packed)
{
    struct unpacker u = { .arena = arena, .p = packed.p, .end = packed.p + packed.n };
    struct node *n = arena_raw(arena, sizeof(*n));

    u.line = (uint32_t)get_number(&u);
    get_node(&u, (struct around){ 0, 0 }, n);
    return u.failed || u.p != u.end ? NULL : n;
}
