#include "echo/steer.h"

#include "base/when.h"
#include "codec/scalar.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str query_decode(struct str s, struct arena *a)
{
    char *out = arena_raw(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

        if (low >= 0) {
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_make(out, n);
}

/* ---- one function a parameter ---- */

static bool take_status(struct str v, struct arena *a, struct echo_steer *s)
{
    uint64_t n;

    (void)a;
    if (!str_u64(v, &n) || n < 200 || n > 599)
        return false;
    s->status = (uint16_t)n;
    return true;
}

static bool take_delay(struct str v, struct arena *a, struct echo_steer *s)
{
    int64_t ns;

    (void)a;
    if (!duration_parse(v, &ns) || ns < 0 || ns / 1000000 > ECHO_DELAY_MAX_MS)
        return false;
    s->delay_ms = (uint32_t)(ns / 1000000);
    return true;
}

static bool take_size(struct str v, struct arena *a, struct echo_steer *s)
{
    (void)a;
    s->has_size = true;
    return size_parse(v, &s->size) && s->size <= ECHO_SIZE_MAX;
}

static bool field_add(struct str v, struct arena *a, struct headers *into)
{
    struct str name = str_cut(&v, ':');

    v = str_trim(v);
    if (!header_name_is_valid(name) || !header_value_is_valid(v))
        return false;
    headers_add(into, a, name, str_is_set(v) ? v : STR(""));
    return true;
}

static bool take_header(struct str v, struct arena *a, struct echo_steer *s)
{
    return field_add(v, a, &s->headers);
}

static bool take_trailer(struct str v, struct arena *a, struct echo_steer *s)
{
    return field_add(v, a, &s->trailers);
}

static bool take_close(struct str v, struct arena *a, struct echo_steer *s)
{
    (void)a;
    s->close = str_eq(v, STR("1"));
    return s->close || str_eq(v, STR("0"));
}

static bool take_reset(struct str v, struct arena *a, struct echo_steer *s)
{
    (void)a;
    s->reset_at_head = str_eq(v, STR("after-head"));
    return s->reset_at_head;
}

static bool take_resources(struct str v, struct arena *a, struct echo_steer *s)
{
    uint64_t n;

    (void)a;
    if (!str_u64(v, &n) || n > ECHO_RESOURCES_MAX)
        return false;
    s->resources = (uint32_t)n;
    return true;
}

static const struct {
    struct str name;
    bool (*take)(struct str v, struct arena *a, struct echo_steer *s);
    const char *wants;
} parameters[] = {
    { STR_INIT("status"), take_status, "a status from 200 to 599" },
    { STR_INIT("delay"), take_delay, "a duration such as 200ms, at most 1h" },
    { STR_INIT("size"), take_size, "octets such as 1000, 64Ki, 1Mi, at most 16Gi" },
    { STR_INIT("header"), take_header, "name:value" },
    { STR_INIT("trailer"), take_trailer, "name:value" },
    { STR_INIT("close"), take_close, "0 or 1" },
    { STR_INIT("reset"), take_reset, "after-head" },
    { STR_INIT("resources"), take_resources, "a number up to 64" },
};

bool echo_steer_parse(struct str query, struct arena *a, struct echo_steer *ret,
                      struct str *ret_why)
{
    struct echo_steer s = { .status = 200 };

    while (str_is_set(query)) {
        struct str value = str_cut(&query, '&');
        struct str name = query_decode(str_cut(&value, '='), a);

        value = query_decode(value, a);
        for (size_t i = 0; i < LEN(parameters); i++) {
            if (!str_eq(name, parameters[i].name) || parameters[i].take(value, a, &s))
                continue;
            *ret_why = arena_printf(a, "?%.*s wants %s, not '%.*s'\n", STRF(name),
                                    parameters[i].wants, STRF(value));
            return false;
        }
    }
    *ret = s;
    return true;
}
