#include "codec/hpack/encode.h"

#include "codec/hpack/huffman.h"

enum policy { POLICY_INDEX, POLICY_PLAIN, POLICY_NEVER };

/* By name; what is not listed is indexed. */
static const uint8_t policies[HDR_COUNT] = {
    [HDR_AUTHORIZATION] = POLICY_NEVER,
    [HDR_PROXY_AUTHORIZATION] = POLICY_NEVER,
    [HDR_SET_COOKIE] = POLICY_NEVER,
    [HDR_X_REQUEST_ID] = POLICY_PLAIN,
    [HDR_CONTENT_LENGTH] = POLICY_PLAIN,
    [HDR_ETAG] = POLICY_PLAIN,
    [HDR_LOCATION] = POLICY_PLAIN,
    [HDR_TRACEPARENT] = POLICY_PLAIN,
    [HDR_X_B3_SPANID] = POLICY_PLAIN,
    [HDR_X_B3_TRACEID] = POLICY_PLAIN,
    [HDR_X_FORWARDED_CLIENT_CERT] = POLICY_PLAIN,
    [HDR_IF_NONE_MATCH] = POLICY_PLAIN,
    [HDR_IF_MODIFIED_SINCE] = POLICY_PLAIN,
};

#define NAME_OCTETS 40 /* of the longest known name, encoded */

/* A short secret could be guessed by watching sizes (7.1.3). */
#define COOKIE_GUESSABLE 20

void hpack_encoder_init(struct hpack_encoder *e, size_t max)
{
    hpack_table_init(&e->table, max, true);
    e->lowest = SIZE_MAX;
}

void hpack_encoder_fini(struct hpack_encoder *e)
{
    hpack_table_fini(&e->table);
}

void hpack_encoder_resize(struct hpack_encoder *e, size_t size)
{
    size = MIN(size, e->table.max);
    if (size == e->table.size)
        return;
    hpack_table_resize(&e->table, size);
    e->lowest = MIN(e->lowest, size);
}

void hpack_encoder_rest(struct hpack_encoder *e)
{
    if (hpack_table_octets(&e->table) == 0)
        return;
    hpack_table_clear(&e->table);
    e->lowest = 0;
}

static bool write_integer(struct buf *out, uint8_t first, unsigned prefix, size_t v)
{
    size_t mask = ((size_t)1 << prefix) - 1;
    char octets[12];
    size_t n = 0;

    if (v < mask) {
        octets[n++] = (char)(first | v);
        return buf_add(out, str_make(octets, n));
    }
    octets[n++] = (char)(first | mask);
    for (v -= mask; v >= 0x80; v >>= 7)
        octets[n++] = (char)(v | 0x80);
    octets[n++] = (char)v;
    return buf_add(out, str_make(octets, n));
}

static bool write_string(struct buf *out, struct str s)
{
    size_t n = huffman_len(s);
    char *at;

    if (n >= s.n)
        return write_integer(out, 0, 7, s.n) && buf_add(out, s);
    if (!write_integer(out, 0x80, 7, n))
        return false;
    at = buf_reserve(out, n);
    if (!at)
        return false;
    huffman_write(s, at);
    out->n += n;
    return true;
}

/* The names of header.h as write_string() writes them: made once, before main. */
static struct {
    uint8_t n;
    char octets[NAME_OCTETS];
} coded_names[HDR_COUNT];

__attribute__((constructor)) static void code_names(void)
{
    struct buf octets;

    buf_init(&octets, NAME_OCTETS);
    for (unsigned id = 1; id < HDR_COUNT; id++) {
        buf_reset(&octets);
        MUST(write_string(&octets, header_id_name((enum header_id)id)));
        coded_names[id].n = (uint8_t)octets.n;
        memcpy(coded_names[id].octets, octets.p, octets.n);
    }
    buf_fini(&octets);
}

static bool write_name(struct buf *out, const struct hpack_field *f)
{
    if (f->id == HDR_OTHER)
        return write_string(out, f->name);
    return buf_add(out, str_make(coded_names[f->id].octets, coded_names[f->id].n));
}

bool hpack_encode_begin(struct hpack_encoder *e, struct buf *out)
{
    size_t lowest = e->lowest;

    if (lowest == SIZE_MAX)
        return true;
    e->lowest = SIZE_MAX;
    if (lowest < e->table.size && !write_integer(out, 0x20, 5, lowest)) /* 4.2: the lowest first */
        return false;
    return write_integer(out, 0x20, 5, e->table.size);
}

static enum policy policy_of(const struct hpack_encoder *e, const struct hpack_field *f)
{
    if (f->id == HDR_COOKIE)
        return f->value.n < COOKIE_GUESSABLE ? POLICY_NEVER : POLICY_INDEX;
    if (f->id == HDR_X_ENVOY_UPSTREAM_SERVICE_TIME) /* few values as long as it is fast */
        return f->value.n == 1 ? POLICY_INDEX : POLICY_PLAIN;
    if (f->name.n + f->value.n + HPACK_ENTRY_COST > e->table.size * 3 / 4)
        return POLICY_PLAIN; /* would empty the table */
    if (str_eq(f->name, STR(":path")))
        return POLICY_PLAIN;
    return (enum policy)policies[f->id];
}

bool hpack_encode(struct hpack_encoder *e, const struct hpack_field *field, struct buf *out)
{
    static const struct {
        uint8_t first, prefix;
    } forms[] = {
        [POLICY_INDEX] = { 0x40, 6 }, [POLICY_PLAIN] = { 0, 4 }, [POLICY_NEVER] = { 0x10, 4 }
    };
    enum policy policy = policy_of(e, field);
    uint32_t name, index = hpack_static_find(field, &name);

    if (!index && policy == POLICY_INDEX)
        index = hpack_table_find(&e->table, field);
    if (index && policy != POLICY_NEVER)
        return write_integer(out, 0x80, 7, index);
    if (!write_integer(out, forms[policy].first, forms[policy].prefix, name) ||
        (!name && !write_name(out, field)) || !write_string(out, field->value))
        return false;
    if (policy == POLICY_INDEX)
        hpack_table_add(&e->table, field);
    return true;
}
