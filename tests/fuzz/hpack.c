/*
 * tests/fuzz/hpack - header blocks, each behind its length in two octets, to our decoder and
 * to nghttp2's: both take a block or both refuse it, and the fields are the same.
 */
#include "fuzz.h"

#include "codec/hpack/decode.h"

#include <nghttp2/nghttp2.h>

/* nghttp2 limits no block; it does refuse integers from 2^32 on and strings above 64 KiB. */
#define STRING_MAX 65535

static void check_field(const struct headers *ours, uint32_t i, const nghttp2_nv *nv)
{
    MUST(i < ours->n);
    MUST(str_eq(ours->v[i].name, str_make((const char *)nv->name, nv->namelen)));
    MUST(str_eq(ours->v[i].value, str_make((const char *)nv->value, nv->valuelen)));
}

/* False: it refuses. */
static bool oracle(nghttp2_hd_inflater *inflater, struct str block, const struct headers *ours,
                   bool compare)
{
    const uint8_t *at = (const uint8_t *)block.p;
    size_t left = block.n;
    uint32_t fields = 0;

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, at, left, 1);

        if (used < 0)
            return false;
        at += used;
        left -= (size_t)used;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            if (compare)
                check_field(ours, fields, &nv);
            fields++;
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && left == 0)
            break;
    }
    nghttp2_hd_inflate_end_headers(inflater);
    MUST(!compare || fields == ours->n);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    static const struct hpack_limits limits = { 1 << 24, 1 << 20 };
    struct str rest = str_make((const char *)octets, MIN(n, (size_t)STRING_MAX));
    nghttp2_hd_inflater *inflater;
    struct hpack_decoder d;
    struct arena a;
    bool going = true;

    MUST(nghttp2_hd_inflate_new(&inflater) == 0);
    hpack_decoder_init(&d, 4096);
    arena_init(&a, 4096);
    while (going && rest.n >= 2) {
        size_t size = (size_t)(unsigned char)rest.p[0] << 8 | (unsigned char)rest.p[1];
        struct str block = str_sub(rest, 2, size);
        struct headers fields = { 0 };
        bool over;
        bool ours = hpack_decode(&d, block, &limits, &a, &fields, &over) == NULL;

        MUST(!over);
        going = oracle(inflater, block, &fields, ours);
        MUST(going == ours);
        rest = str_from(rest, 2 + block.n);
    }
    arena_fini(&a);
    hpack_decoder_fini(&d);
    nghttp2_hd_inflate_del(inflater);
    return 0;
}
