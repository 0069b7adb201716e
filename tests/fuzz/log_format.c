/*
 * tests/fuzz/log_format - any octets as an access log format, text or JSON, and any octets
 * in what strangers fill in: one line, printable, and JSON that ends where it should.
 *
 * The first octet chooses; a NUL parts the format from the value.
 */
#include "fuzz.h"

#include "telemetry/telemetry.h"

static void fill(struct record *r, struct arena *a, struct str value)
{
    struct headers *list = ARENA_NEW(a, struct headers);

    headers_add(list, a, STR("user-agent"), value);
    headers_add(list, a, STR("grpc-status"), value);
    *r = (struct record){
        .start_wall_us = (int64_t)value.n * 7919,
        .start_ns = 1,
        .end_ns = value.n,
        .is_grpc = true,
        .code = 200,
        .method = value,
        .path = value,
        .authority = value,
        .sni = value,
        .upstream_failure = value,
        .request = list,
        .response = list,
        .trailers = list,
    };
}

/* Outside of a user's own literals no octet can end the line or reach a terminal. */
static void check_line(struct str line, bool whole_line)
{
    MUST(line.n > 0 && line.p[line.n - 1] == '\n');
    for (size_t i = 0; whole_line && i + 1 < line.n; i++)
        MUST((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
}

static void check_json(struct str line)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i + 1 < line.n; i++) {
        char c = line.p[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}')
            depth--;
        MUST(depth > 0 || i + 2 == line.n);
    }
    MUST(depth == 0 && !quoted);
}

static void check_format(struct str format, bool json, struct str value)
{
    struct arena a;
    struct str err;
    struct log_format *f;
    struct record r;
    struct buf out;

    arena_init(&a, 4096);
    buf_init(&out, 64 << 20);
    fill(&r, &a, value);
    f = log_format_parse(format, json, &a, &err);
    if (f) {
        log_format_write(f, &r, &out);
        if (!out.full)
            check_line(buf_str(&out), json || format.n == 0);
        if (!out.full && json)
            check_json(buf_str(&out));
    } else {
        MUST(err.n > 0);
    }
    buf_fini(&out);
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n), format, value;

    if (n == 0)
        return 0;
    format = str_from(in, 1);
    value = format;
    if (str_find(format, '\0') < format.n)
        format = str_cut(&value, '\0');
    check_format(format, octets[0] & 1, value);
    check_format(STR(""), octets[0] & 1, value);
    return 0;
}
