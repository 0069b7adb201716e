/*
 * tests/fuzz/text - any octets to the small readers of text: addresses, instants, durations,
 * scalars, sizes, characters, methods, header lists. What one reads it writes, and reads again as
 * the same.
 */
#include "fuzz.h"

#include "base/addr.h"
#include "base/jsontext.h"
#include "base/utf8.h"
#include "base/when.h"
#include "codec/header.h"
#include "codec/method.h"
#include "codec/scalar.h"
#include "telemetry/blocks.h"

#include <math.h>

#define OUT_MAX (16u << 20)
#define DAY_MS INT64_C(86400000)

static void check_addr(struct str in)
{
    char text[ADDR_TEXT_MAX];
    struct addr one, again;

    if (addr_parse(in, &one)) {
        MUST(addr_is_set(&one));
        MUST(addr_parse(addr_format(&one, text), &again) && addr_eq(&one, &again));
    }
    if (addr_parse_ip(in, &one))
        MUST(addr_parse_ip(addr_format_ip(&one, text), &again) && addr_eq(&one, &again));
}

static void check_when(struct str in)
{
    char text[WHEN_LEN + 1];
    int64_t ms, again, ns;

    if (!duration_parse(in, &ns))
        ns = 0;
    /* of the years 1 to 9998: an offset may lead out of those with four digits */
    if (!when_parse(in, &ms) || ms < -719162 * DAY_MS || ms > 2932530 * DAY_MS)
        return;
    when_format(ms, text);
    MUST(when_parse(str_of(text), &again) && again == ms);
}

static void check_scalar(struct str in)
{
    struct scalar s = scalar_resolve(in);
    char digits[20];
    int64_t whole;
    uint64_t size;
    double number;

    MUST(scalar_kind_name(s.kind) != NULL);
    MUST(s.kind != SCALAR_BOOL || in.n <= 5);
    if (scalar_parse_int(in, &whole) && whole >= 0) {
        int64_t again;

        MUST(scalar_parse_int(str_of_u64((uint64_t)whole, digits), &again) && again == whole);
    }
    if (scalar_parse_double(in, &number))
        MUST(!isnan(number) && in.n > 0);
    if (size_parse(in, &size))
        MUST(in.n > 0 && in.p[0] >= '0' && in.p[0] <= '9');
}

static void check_utf8(struct str in)
{
    struct str rest = in;
    bool whole = true;

    while (rest.n && whole) {
        uint32_t c;
        size_t n = utf8_read(rest, &c);

        whole = n > 0;
        MUST(n <= MIN(rest.n, 4) && (!whole || (c <= 0x10ffff && (c < 0xd800 || c > 0xdfff))));
        rest = str_from(rest, n);
    }
    MUST(whole == utf8_is_whole(in));
}

/* Whatever a stranger sent, what is written of it are characters on one line. */
static void check_escapes(struct str in)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    json_add_string(&out, in);
    MUST(out.full || (utf8_is_whole(buf_str(&out)) && buf_str(&out).n >= 2));
    for (size_t i = 0; i < buf_str(&out).n; i++)
        MUST((unsigned char)buf_str(&out).p[i] >= 0x20);
    buf_reset(&out);
    label_value_add(&out, in);
    MUST(out.full || utf8_is_whole(buf_str(&out)));
    MUST(str_find(buf_str(&out), '\n') == buf_str(&out).n);
    buf_fini(&out);
}

static void check_header(struct str in)
{
    struct str rest = in, one;
    enum header_id id = header_id_of(in);
    enum method m = method_of(in);

    MUST(id == HDR_OTHER || str_eq_nocase(header_id_name(id), in));
    MUST(m == METHOD_UNKNOWN || str_eq(method_text(m), in));
    MUST(id == HDR_OTHER || header_name_is_valid(in));
    while (header_token_next(&rest, &one)) {
        MUST(one.n > 0 && str_eq(str_trim(one), one) && str_find(one, ',') == one.n);
        MUST(one.p >= in.p && one.p + one.n <= in.p + in.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);

    check_addr(in);
    check_when(in);
    check_scalar(in);
    check_utf8(in);
    check_escapes(in);
    check_header(in);
    return 0;
}
