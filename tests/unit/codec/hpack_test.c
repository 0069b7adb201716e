/*
 * codec/hpack against nghttp2's coder, both ways, over generated sequences of messages; and
 * the examples of RFC 7541, appendix C.
 */
#include "base/rng.h"
#include "codec/hpack/decode.h"
#include "codec/hpack/encode.h"
#include "codec/hpack/huffman.h"
#include "unit/check.h"

#include <nghttp2/nghttp2.h>

static const struct hpack_limits wide = { 1 << 20, 1000 };

static struct str unhex(const char *hex, char *out)
{
    size_t n = 0;

    for (; *hex; hex++) {
        unsigned v;

        if (*hex == ' ')
            continue;
        sscanf(hex, "%2x", &v);
        out[n++] = (char)v;
        hex++;
    }
    return str_make(out, n);
}

TEST(rfc7541_c4_requests_with_huffman_share_one_table)
{
    static const struct {
        const char *hex;
        uint32_t n;
        const char *name, *value;
        size_t used;
    } cases[] = {
        { "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", 4, ":authority", "www.example.com", 57 },
        { "8286 84be 5886 a8eb 1064 9cbf", 5, "cache-control", "no-cache", 110 },
        { "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", 5, "custom-key",
          "custom-value", 164 },
    };
    struct hpack_decoder d;
    struct arena a;

    hpack_decoder_init(&d, 4096);
    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        char octets[256];
        struct headers h = { 0 };
        bool over;

        CASE(i);
        CHECK(!hpack_decode(&d, unhex(cases[i].hex, octets), &wide, &a, &h, &over));
        CHECK_EQ(h.n, cases[i].n);
        CHECK_STRZ(h.v[h.n - 1].name, cases[i].name);
        CHECK_STRZ(h.v[h.n - 1].value, cases[i].value);
        CHECK_EQ(d.table.used, cases[i].used);
    }
    arena_fini(&a);
    hpack_decoder_fini(&d);
}

TEST(malformed_blocks_are_compression_errors)
{
    static const struct {
        const char *hex;
        bool ok;
    } cases[] = {
        { "80", false },                   /* index 0 */
        { "be", false },                   /* 62 in an empty dynamic table */
        { "ff", false },                   /* an integer that does not end */
        { "ff ff ff ff ff ff 7f", false }, /* too large */
        { "40 05 61 62", false },          /* a string behind the end */
        { "00 81 ff 00", false },          /* a padding of 8 bits */
        { "00 82 ff ff 00", false },       /* a padding of 16 bits */
        { "00 84 ff ff ff ff 00", false }, /* the end-of-string word */
        { "00 81 1c 00", false },          /* a padding that is not ones */
        { "82 20", false },                /* a size update behind a field (4.2) */
        { "3f e2 1f", false },             /* a size above 4096 */
        { "3f e1 1f 82", true },           /* 4096 */
        { "20 3f e1 1f 82", true },        /* two at the start */
        { "", true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct hpack_decoder d;
        struct headers h = { 0 };
        char octets[64];
        struct arena a;
        bool over;

        CASE(i);
        hpack_decoder_init(&d, 4096);
        arena_init(&a, 4096);
        CHECK_EQ(!hpack_decode(&d, unhex(cases[i].hex, octets), &wide, &a, &h, &over), cases[i].ok);
        arena_fini(&a);
        hpack_decoder_fini(&d);
    }
}

TEST(a_field_without_an_octet_may_be_the_first_of_the_table)
{
    static const struct hpack_limits limits = { 3000, 100 };
    struct headers h = { 0 };
    struct hpack_decoder d;
    struct arena a;
    bool over;

    hpack_decoder_init(&d, 4096);
    arena_init(&a, 4096);
    CHECK(!hpack_decode(&d, STR("\x40\0\0\xbe"), &limits, &a, &h, &over));
    CHECK_EQ(h.n, 2);
    CHECK(h.v[1].name.p && h.v[1].name.n == 0 && h.v[1].value.p && h.v[1].value.n == 0);
    hpack_decoder_fini(&d);
    arena_fini(&a);
}

TEST(decoded_octets_are_limited_and_the_tables_stay_the_same)
{
    static const struct hpack_limits narrow = { 3000, 100 };
    struct hpack_encoder e;
    struct hpack_decoder d;
    struct hpack_field cookie = { .id = HDR_COOKIE, .name = STR("cookie") };
    char value[1000];
    struct arena a;
    struct buf b;

    memset(value, 'c', sizeof(value));
    cookie.value = str_make(value, sizeof(value));
    hpack_encoder_init(&e, 4096);
    hpack_decoder_init(&d, 4096);
    arena_init(&a, 4096);
    buf_init(&b, 1 << 20);
    for (int round = 0; round < 2; round++) {
        struct headers h = { 0 };
        bool over;

        buf_reset(&b);
        CHECK(hpack_encode_begin(&e, &b));
        for (int i = 0; i < 50; i++) /* 1 octet each, 1000 decoded: the cookie bomb */
            CHECK(hpack_encode(&e, &cookie, &b));
        CHECK(b.n < 2000);
        CHECK(!hpack_decode(&d, buf_str(&b), &narrow, &a, &h, &over));
        CHECK(over);
        CHECK(h.octets <= 3000);
        CHECK_EQ(d.table.used, e.table.used);
    }
    buf_fini(&b);
    arena_fini(&a);
    hpack_encoder_fini(&e);
    hpack_decoder_fini(&d);
}

TEST(huffman_round_trips_every_octet)
{
    char in[256], coded[2048], out[2048];
    size_t n;

    for (int c = 0; c < 256; c++)
        in[c] = (char)c;
    for (size_t len = 0; len <= 256; len++) {
        struct str s = str_make(in, len);

        huffman_write(s, coded);
        CHECK(huffman_read(str_make(coded, huffman_len(s)), out, &n));
        CHECK_STR(str_make(out, n), s);
    }
}

/* ---- the oracle ---- */

static const char *const names[] = {
    ":method", ":path",  ":status",    ":authority",    "cookie",       "accept",  "user-agent",
    "server",  "x-some", "set-cookie", "authorization", "content-type", "x-other", "etag",
};

static struct hpack_field random_field(struct rng *rng, struct arena *a)
{
    struct str name = str_of(names[rng_below(rng, LEN(names))]);
    size_t n = rng_below(rng, 10) == 0 ? rng_below(rng, 3000) : rng_below(rng, 40);
    char *value = arena_raw(a, n + 1);
    uint64_t kind = rng_below(rng, 4);

    for (size_t i = 0; i < n; i++)
        value[i] = (char)(kind == 0 ? rng_below(rng, 256) : 'a' + rng_below(rng, 3));
    if (kind == 3)
        return (struct hpack_field){ (uint16_t)header_id_of(name), name, STR("the same each time"),
                                     0 };
    return (struct hpack_field){ (uint16_t)header_id_of(name), name, str_make(value, n), 0 };
}

static size_t random_message(struct rng *rng, struct arena *a, struct hpack_field *f, size_t max)
{
    size_t n = rng_below(rng, max);

    for (size_t i = 0; i < n; i++)
        f[i] = random_field(rng, a);
    return n;
}

static void check_inflates(nghttp2_hd_inflater *inflater, struct str block,
                           const struct hpack_field *f, size_t n)
{
    size_t got = 0;

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, (const uint8_t *)block.p,
                                              block.n, 1);

        CHECK(used >= 0);
        block = str_from(block, (size_t)used);
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            CHECK(got < n);
            CHECK_STR(str_make((char *)nv.name, nv.namelen), f[got].name);
            CHECK_STR(str_make((char *)nv.value, nv.valuelen), f[got].value);
            got++;
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
    }
    nghttp2_hd_inflate_end_headers(inflater);
    CHECK_EQ(got, n);
}

TEST(nghttp2_reads_what_we_write)
{
    nghttp2_hd_inflater *inflater;
    struct hpack_encoder e;
    struct rng rng;
    struct buf b;

    rng_init(&rng, 11);
    buf_init(&b, 1 << 20);
    CHECK_EQ(nghttp2_hd_inflate_new(&inflater), 0);
    hpack_encoder_init(&e, 4096);
    for (int round = 0; round < 3000; round++) {
        struct hpack_field f[30];
        struct arena a;
        size_t n;

        CASE(round);
        arena_init(&a, 65536);
        n = random_message(&rng, &a, f, LEN(f));
        /* several between two blocks: the lowest comes first (RFC 7541, 4.2) */
        for (uint64_t k = rng_below(&rng, 20) == 0 ? 1 + rng_below(&rng, 3) : 0; k > 0; k--) {
            size_t size = rng_below(&rng, 4097);

            hpack_encoder_resize(&e, size);
            nghttp2_hd_inflate_change_table_size(inflater, size);
        }
        buf_reset(&b);
        CHECK(hpack_encode_begin(&e, &b));
        for (size_t i = 0; i < n; i++)
            CHECK(hpack_encode(&e, &f[i], &b));
        check_inflates(inflater, buf_str(&b), f, n);
        arena_fini(&a);
    }
    nghttp2_hd_inflate_del(inflater);
    hpack_encoder_fini(&e);
    buf_fini(&b);
}

TEST(we_read_what_nghttp2_writes)
{
    nghttp2_hd_deflater *deflater;
    struct hpack_decoder d;
    static uint8_t block[1 << 20];
    struct rng rng;

    rng_init(&rng, 12);
    CHECK_EQ(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    hpack_decoder_init(&d, 4096);
    for (int round = 0; round < 3000; round++) {
        struct hpack_field f[30];
        nghttp2_nv nv[30];
        struct headers h = { 0 };
        struct arena a;
        bool over;
        ssize_t len;
        size_t n;

        CASE(round);
        arena_init(&a, 65536);
        n = random_message(&rng, &a, f, LEN(f));
        for (size_t i = 0; i < n; i++)
            nv[i] = (nghttp2_nv){ (uint8_t *)(uintptr_t)f[i].name.p,
                                  (uint8_t *)(uintptr_t)f[i].value.p, f[i].name.n, f[i].value.n,
                                  rng_below(&rng, 10) == 0 ? NGHTTP2_NV_FLAG_NO_INDEX : 0 };
        if (rng_below(&rng, 20) == 0)
            nghttp2_hd_deflate_change_table_size(deflater, rng_below(&rng, 4097));
        len = nghttp2_hd_deflate_hd(deflater, block, sizeof(block), nv, n);
        CHECK(len >= 0);
        CHECK(!hpack_decode(&d, str_make((char *)block, (size_t)len), &wide, &a, &h, &over));
        CHECK_EQ(h.n, n);
        for (size_t i = 0; i < n; i++) {
            CHECK_STR(h.v[i].name, f[i].name);
            CHECK_STR(h.v[i].value, f[i].value);
            CHECK_EQ(h.v[i].id, header_id_of(f[i].name));
        }
        arena_fini(&a);
    }
    nghttp2_hd_deflate_del(deflater);
    hpack_decoder_fini(&d);
}

static void encode_and_decode(struct hpack_encoder *e, struct hpack_decoder *d, unsigned number)
{
    struct hpack_field field = { .id = HDR_OTHER, .name = STR("x-many") };
    struct headers got = { 0 };
    struct arena a;
    struct buf out;
    char value[64];
    bool over = false;

    arena_init(&a, 1024);
    buf_init(&out, 1024);
    snprintf(value, sizeof(value), "%u-%.*s", number, (int)(number * 7 % 40),
             "0123456789012345678901234567890123456789");
    field.value = str_of(value);
    CHECK(hpack_encode_begin(e, &out));
    CHECK(hpack_encode(e, &field, &out));
    CHECK(hpack_decode(d, buf_str(&out), &wide, &a, &got, &over) == NULL);
    CHECK_EQ(got.n, 1);
    CHECK_STRZ(got.v[0].value, value);
    buf_fini(&out);
    arena_fini(&a);
}

TEST(tables_grow_as_they_fill_and_shrink_at_rest_without_losing_step)
{
    struct hpack_encoder e;
    struct hpack_decoder d;

    hpack_encoder_init(&e, 4096);
    hpack_decoder_init(&d, 4096);
    CHECK_EQ(hpack_table_octets(&e.table) + hpack_table_octets(&d.table), 0);
    encode_and_decode(&e, &d, 1);
    CHECK(hpack_table_octets(&d.table) <= 256);
    for (unsigned i = 0; i < 2000; i++) {
        encode_and_decode(&e, &d, i % 211); /* some come again while they are in the table */
        if (i % 97 == 0)
            hpack_table_fit(&d.table);
        if (i % 301 == 0) {
            hpack_encoder_rest(&e);
            CHECK_EQ(hpack_table_octets(&e.table), 0);
        }
    }
    hpack_encoder_rest(&e);
    encode_and_decode(&e, &d, 1);
    CHECK_EQ(d.table.n, 1); /* it was told that the table was emptied */
    hpack_table_fit(&d.table);
    CHECK(hpack_table_octets(&d.table) < 64);
    hpack_encoder_fini(&e);
    hpack_decoder_fini(&d);
}
