/*
 * tests/fuzz/h1_request - any octets as a request: every way to feed them gives the same, and
 * what is accepted reads the same after it was written again.
 */
#include "fuzz.h"
#include "h1_check.h"

#include "codec/h1/write.h"

static void check_round(const struct h1_request *r, struct arena *a)
{
    struct h1_request again;
    struct buf b;

    buf_init(&b, 1 << 20);
    MUST(h1_request_write(&b, method_text(r->method), r->target, &r->m.headers, true));
    MUST(h1_request_parse(buf_str(&b), a, &h1_limits_default, &again) == NULL);
    h1_check_headers(&r->m.headers, &again.m.headers);
    MUST(str_eq(r->path, again.path) && str_eq(r->authority, again.authority));
    MUST(r->m.framing.kind == again.m.framing.kind);
    MUST(r->m.framing.length == again.m.framing.length);
    MUST(r->m.keep_alive == again.m.keep_alive);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);
    struct h1_seen seen;
    struct arena a;

    arena_init(&a, 4096);
    seen = h1_check_feed(in, H1_REQUEST, METHOD_UNKNOWN, &a);
    if (!seen.error && seen.request.method && seen.request.m.minor == 1) {
        check_round(&seen.request, &a);
        headers_strip_hops(&seen.request.m.headers);
        MUST(headers_count(&seen.request.m.headers, HDR_HOST) == 1);
        MUST(headers_count(&seen.request.m.headers, HDR_TRANSFER_ENCODING) == 0);
        MUST(headers_count(&seen.request.m.headers, HDR_CONNECTION) == 0);
    }
    arena_fini(&a);
    return 0;
}
