#include "codec/hpack/decode.h"

#include "codec/hpack/huffman.h"

static const struct hpack_error truncated = { "a field ends behind the block" };
static const struct hpack_error big_integer = { "an integer is too large" };
static const struct hpack_error bad_index = { "an index that no field has" };
static const struct hpack_error bad_huffman = { "a string is not Huffman code" };
static const struct hpack_error bad_size = { "a table size above what was announced" };
static const struct hpack_error late_size = { "a table size update behind a field" };

/* What an integer may be: no index, length or size needs more. */
#define INTEGER_MAX (1u << 28)

struct reader {
    struct hpack_decoder *d;
    struct str in;
    const struct hpack_limits *limits;
    struct arena *a;
    struct headers *out;
    bool over;
};

void hpack_decoder_init(struct hpack_decoder *d, size_t max)
{
    hpack_table_init(&d->table, max, false);
}

void hpack_decoder_fini(struct hpack_decoder *d)
{
    hpack_table_fini(&d->table);
}

/* 5.1 */
static const struct hpack_error *read_integer(struct str *in, unsigned prefix, uint32_t *ret)
{
    uint32_t mask = (1u << prefix) - 1;
    uint32_t v;

    if (in->n == 0)
        return &truncated;
    v = (unsigned char)in->p[0] & mask;
    *in = str_from(*in, 1);
    if (v == mask) {
        for (unsigned shift = 0;; shift += 7) {
            unsigned char c;

            if (in->n == 0)
                return &truncated;
            c = (unsigned char)in->p[0];
            *in = str_from(*in, 1);
            if (shift > 21 && c) /* zeros may go on, up to a point */
                return &big_integer;
            if (shift > 63)
                return &big_integer;
            v += shift > 21 ? 0 : (c & 0x7fu) << shift;
            if (!(c & 0x80))
                break;
        }
    }
    if (v > INTEGER_MAX)
        return &big_integer;
    *ret = v;
    return NULL;
}

/* 5.2. The string lies in the arena. */
static const struct hpack_error *read_string(struct reader *r, struct str *ret)
{
    bool is_huffman = r->in.n && (r->in.p[0] & 0x80);
    const struct hpack_error *error;
    struct str raw;
    uint32_t n;
    char *out;

    error = read_integer(&r->in, 7, &n);
    if (error)
        return error;
    if (n > r->in.n)
        return &truncated;
    raw = str_sub(r->in, 0, n);
    r->in = str_from(r->in, n);
    if (!is_huffman) {
        *ret = r->over ? raw : arena_dup(r->a, raw); /* the table copies */
        return NULL;
    }
    out = arena_raw(r->a, huffman_max(n));
    if (!huffman_read(raw, out, &ret->n))
        return &bad_huffman;
    ret->p = out;
    return NULL;
}

static void keep(struct reader *r, const struct hpack_field *f)
{
    if (r->over || r->out->n >= r->limits->max_headers ||
        r->out->octets + f->name.n + f->value.n > r->limits->max_octets) {
        r->over = true;
        return;
    }
    headers_add_as(r->out, r->a, (enum header_id)f->id, f->name, f->value);
}

/* A name with a capital is malformed in HTTP/2, and stays visible as another name. */
static uint16_t lower_id_of(struct str name)
{
    enum header_id id = header_id_of(name);

    return str_eq(name, header_id_name(id)) ? (uint16_t)id : HDR_OTHER;
}

/* The name of a field of the dynamic table, which may change before the field is read. */
static struct str lasting_name(const struct reader *r, const struct hpack_field *f)
{
    return f->id != HDR_OTHER ? header_id_name((enum header_id)f->id) : arena_dup(r->a, f->name);
}

/* 6.1 */
static const struct hpack_error *read_indexed(struct reader *r)
{
    const struct hpack_error *error;
    struct hpack_field f;
    uint32_t index;

    error = read_integer(&r->in, 7, &index);
    if (error)
        return error;
    if (!hpack_table_get(&r->d->table, index, &f))
        return &bad_index;
    if (index > HPACK_STATIC && !r->over) {
        f.name = lasting_name(r, &f);
        f.value = arena_dup(r->a, f.value);
    }
    keep(r, &f);
    return NULL;
}

/* 6.2 */
static const struct hpack_error *read_literal(struct reader *r, unsigned prefix, bool add)
{
    const struct hpack_error *error;
    struct hpack_field f = { 0 };
    uint32_t index;

    error = read_integer(&r->in, prefix, &index);
    if (error)
        return error;
    if (index) {
        if (!hpack_table_get(&r->d->table, index, &f))
            return &bad_index;
        if (index > HPACK_STATIC && !r->over) /* three octets may name 4,000 */
            f.name = lasting_name(r, &f);
    } else {
        error = read_string(r, &f.name);
        f.id = error ? HDR_OTHER : lower_id_of(f.name);
    }
    if (!error)
        error = read_string(r, &f.value);
    if (error)
        return error;
    if (add)
        hpack_table_add(&r->d->table, &f);
    keep(r, &f);
    return NULL;
}

/* 6.3 */
static const struct hpack_error *read_size(struct reader *r, bool at_start)
{
    const struct hpack_error *error;
    uint32_t size;

    error = read_integer(&r->in, 5, &size);
    if (error)
        return error;
    if (!at_start)
        return &late_size;
    if (size > r->d->table.max)
        return &bad_size;
    hpack_table_resize(&r->d->table, size);
    return NULL;
}

const struct hpack_error *hpack_decode(struct hpack_decoder *d, struct str block,
                                       const struct hpack_limits *limits, struct arena *a,
                                       struct headers *ret, bool *ret_over)
{
    struct reader r = { .d = d, .in = block, .limits = limits, .a = a, .out = ret };
    const struct hpack_error *error = NULL;
    bool at_start = true;

    while (r.in.n && !error) {
        unsigned char c = (unsigned char)r.in.p[0];

        if (c & 0x80)
            error = read_indexed(&r);
        else if (c & 0x40)
            error = read_literal(&r, 6, true);
        else if (c & 0x20)
            error = read_size(&r, at_start);
        else
            error = read_literal(&r, 4, false);
        at_start = at_start && (c & 0xe0) == 0x20;
    }
    *ret_over = r.over;
    return error;
}
