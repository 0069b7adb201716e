/*
 * tests/fuzz/h1_response - any octets as a response to GET, HEAD and CONNECT.
 */
#include "fuzz.h"
#include "h1_check.h"

#include "codec/h1/write.h"

static void check_round(const struct h1_response *r, enum method method, struct arena *a)
{
    struct h1_response again;
    struct buf b;

    buf_init(&b, 1 << 20);
    MUST(h1_response_write(&b, r->status, str_is_set(r->reason) ? r->reason : STR(""),
                           &r->m.headers, true));
    MUST(h1_response_parse(buf_str(&b), method, a, &h1_limits_default, &again) == NULL);
    h1_check_headers(&r->m.headers, &again.m.headers);
    MUST(r->status == again.status && str_eq(r->reason, again.reason));
    MUST(r->m.framing.kind == again.m.framing.kind);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    static const enum method methods[] = { METHOD_GET, METHOD_HEAD, METHOD_CONNECT };
    struct str in = str_make((const char *)octets, n);

    for (size_t i = 0; i < LEN(methods); i++) {
        struct h1_seen seen;
        struct arena a;

        arena_init(&a, 4096);
        seen = h1_check_feed(in, H1_RESPONSE, methods[i], &a);
        if (!seen.error && seen.response.status && seen.response.m.minor == 1)
            check_round(&seen.response, methods[i], &a);
        arena_fini(&a);
    }
    return 0;
}
