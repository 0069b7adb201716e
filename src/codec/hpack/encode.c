#include "codec/hpack/encode.h"

#include "base/put.h"
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

/* Octets of an integer at most: a size has no more than 64 bits. */
#define INTEGER_OCTETS 11
/* A string that enters no table and is no longer goes as it is: coding would save a quarter of it
 * each time, and cost more than all else of the field. */
#define PLAIN_OCTETS 64

static char *put_large_integer(char *at, uint8_t first, size_t mask, size_t v)
{
    *at++ = (char)(first | mask);
    for (v -= mask; v >= 0x80; v >>= 7)
        *at++ = (char)(v | 0x80);
    *at++ = (char)v;
    return at;
}

/* 5.1 */
static inline char *put_integer(char *at, uint8_t first, unsigned prefix, size_t v)
{
    size_t mask = ((size_t)1 << prefix) - 1;

    if (v >= mask)
        return put_large_integer(at, first, mask, v);
    *at = (char)(first | v);
    return at + 1;
}

/* 5.2: Huffman's code where it is shorter. */
static char *put_coded(char *at, struct str s)
{
    size_t n = huffman_len(s);

    if (n >= s.n)
        return put(put_integer(at, 0, 7, s.n), s);
    at = put_integer(at, 0x80, 7, n);
    huffman_write(s, at);
    return at + n;
}

/* The names of header.h as put_coded() writes them: made once, before main. */
static struct {
    uint8_t n;
    char octets[NAME_OCTETS];
} coded_names[HDR_COUNT];

__attribute__((constructor)) static void code_names(void)
{
    for (unsigned id = 1; id < HDR_COUNT; id++) {
        struct str name = header_id_name((enum header_id)id);

        MUST(huffman_len(name) + 1 <= NAME_OCTETS);
        coded_names[id].n = (uint8_t)(put_coded(coded_names[id].octets, name) -
                                      coded_names[id].octets);
    }
}

static char *put_name(char *at, const struct hpack_field *f)
{
    if (f->id == HDR_OTHER)
        return put_coded(at, f->name);
    return put(at, str_make(coded_names[f->id].octets, coded_names[f->id].n));
}

static char *put_value(char *at, struct str value, enum policy policy)
{
    if (policy != POLICY_INDEX && value.n <= PLAIN_OCTETS)
        return put(put_integer(at, 0, 7, value.n), value);
    return put_coded(at, value);
}

bool hpack_encode_begin(struct hpack_encoder *e, struct buf *out)
{
    size_t lowest = e->lowest;
    char *at;

    if (lowest == SIZE_MAX)
        return true;
    e->lowest = SIZE_MAX;
    at = buf_reserve(out, 2 * INTEGER_OCTETS);
    if (!at)
        return false;
    if (lowest < e->table.size) /* 4.2: the lowest first */
        at = put_integer(at, 0x20, 5, lowest);
    at = put_integer(at, 0x20, 5, e->table.size);
    out->n = (size_t)(at - out->p);
    return true;
}

static enum policy policy_of(const struct hpack_encoder *e, const struct hpack_field *f)
{
    if (f->id == HDR_COOKIE)
        return f->value.n < COOKIE_GUESSABLE ? POLICY_NEVER : POLICY_INDEX;
    if (f->id == HDR_X_ENVOY_UPSTREAM_SERVICE_TIME) /* few values as long as it is fast */
        return f->value.n == 1 ? POLICY_INDEX : POLICY_PLAIN;
    if (f->name.n + f->value.n + HPACK_ENTRY_COST > e->table.size * 3 / 4)
        return POLICY_PLAIN; /* would empty the table */
    if (f->pseudo == HPACK_PATH)
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
    char *at = buf_reserve(out, field->name.n + field->value.n + NAME_OCTETS + 3 * INTEGER_OCTETS);

    if (!at)
        return false;
    if (!index && policy == POLICY_INDEX)
        index = hpack_table_find(&e->table, field);
    if (index && policy != POLICY_NEVER) {
        out->n = (size_t)(put_integer(at, 0x80, 7, index) - out->p);
        return true;
    }
    at = put_integer(at, forms[policy].first, forms[policy].prefix, name);
    if (!name)
        at = put_name(at, field);
    out->n = (size_t)(put_value(at, field->value, policy) - out->p);
    if (policy == POLICY_INDEX)
        hpack_table_add(&e->table, field);
    return true;
}
