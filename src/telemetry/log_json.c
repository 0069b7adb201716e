/*
 * telemetry/log_json - JSON formats: an object whose strings are format strings.
 *
 * A string that is one operator alone keeps the operator's type (numbers stay numbers, a
 * missing value is null); any other string stays a string. Members keep their order.
 * Objects nest. Source: Envoy's json_format.
 */
#include "telemetry/log_format.h"

#include "base/jsontext.h"

#define DEPTH_MAX 16

static bool json_fail(struct log_builder *b, const char *wanted, struct str rest)
{
    b->error = arena_printf(b->arena, "expected %s before \"%.*s\"", wanted,
                            STRF(str_sub(rest, 0, 20)));
    return false;
}

static struct str skip_space(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r'))
        s = str_from(s, 1);
    return s;
}

static bool take(struct str *s, char c)
{
    *s = skip_space(*s);
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
    } else if (c < 0x800) {
        buf_addc(out, (char)(0xc0 | c >> 6));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(out, (char)(0xe0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* \uXXXX behind the "u". Surrogates come out as what they are and are replaced when printed. */
static bool read_hex4(struct str *s, struct buf *out)
{
    uint32_t c = 0;

    if (s->n < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char d = ascii_lower(s->p[i]);
        bool digit = d >= '0' && d <= '9';

        if (!digit && (d < 'a' || d > 'f'))
            return false;
        c = c << 4 | (uint32_t)(digit ? d - '0' : d - 'a' + 10);
    }
    *s = str_from(*s, 4);
    add_utf8(out, c);
    return true;
}

static bool read_escape(struct str *s, struct buf *out)
{
    static const struct str from = STR_INIT("\"\\/bfnrt"), to = STR_INIT("\"\\/\b\f\n\r\t");
    char c = s->n ? s->p[0] : '\0';
    size_t at = str_find(from, c);

    if (s->n == 0)
        return false;
    *s = str_from(*s, 1);
    if (c == 'u')
        return read_hex4(s, out);
    return at < from.n && buf_addc(out, to.p[at]);
}

/* The string behind its opening quote, decoded into the arena. */
static bool read_string(struct log_builder *b, struct str *s, struct str *ret)
{
    struct buf text;
    bool fine = false;

    buf_init(&text, s->n + 1);
    while (s->n && !fine) {
        char c = s->p[0];

        *s = str_from(*s, 1);
        if (c == '"')
            fine = true;
        else if (c == '\\' ? !read_escape(s, &text) : !buf_addc(&text, c))
            break;
    }
    if (fine)
        *ret = arena_dup(b->arena, buf_str(&text));
    buf_fini(&text);
    return fine || json_fail(b, "the end of a string", *s);
}

/* Is the text one operator and nothing else? */
static bool is_one_op(struct str text, struct str *ret_op)
{
    struct str literal, op;

    if (text.n < 2 || text.p[0] != '%' || !log_piece_cut(&text, &literal, &op))
        return false;
    *ret_op = op;
    return text.n == 0 && str_is_set(op);
}

static bool add_value_string(struct log_builder *b, struct str text)
{
    struct str literal, op;

    if (is_one_op(text, &op))
        return log_builder_op(b, op, LOG_STYLE_JSON);
    buf_addc(&b->literal, '"');
    while (text.n) {
        if (!log_piece_cut(&text, &literal, &op)) {
            b->error = STR("an operator has no closing \"%\" (a percent sign is \"%%\")");
            return false;
        }
        log_escape_add(&b->literal, literal, LOG_STYLE_JSON_PART);
        if (str_is_set(op) && !log_builder_op(b, op, LOG_STYLE_JSON_PART))
            return false;
    }
    buf_addc(&b->literal, '"');
    return true;
}

static size_t digits_len(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

/* Octets of the number at the front: "-12.5"; exponents are not taken. */
static size_t number_len(struct str s)
{
    size_t sign = s.n && s.p[0] == '-', whole = digits_len(str_from(s, sign)), part;

    if (whole == 0 || (whole > 1 && s.p[sign] == '0'))
        return 0;
    part = str_starts(str_from(s, sign + whole), STR("."))
               ? digits_len(str_from(s, sign + whole + 1))
               : 0;
    return sign + whole + (part ? part + 1 : 0);
}

/* A number, true, false or null stands as it is. */
static bool read_bare(struct log_builder *b, struct str *s)
{
    static const struct str words[] = { STR_INIT("true"), STR_INIT("false"), STR_INIT("null") };
    size_t n = number_len(*s);

    for (size_t i = 0; i < LEN(words) && n == 0; i++) {
        if (str_starts(*s, words[i]))
            n = words[i].n;
    }
    if (n == 0)
        return json_fail(b, "a string or an object", *s);
    buf_add(&b->literal, str_sub(*s, 0, n));
    *s = str_from(*s, n);
    return true;
}

static bool read_object(struct log_builder *b, struct str *s, size_t depth);

static bool read_value(struct log_builder *b, struct str *s, size_t depth)
{
    struct str text;

    if (take(s, '"'))
        return read_string(b, s, &text) && add_value_string(b, text);
    if (take(s, '{'))
        return read_object(b, s, depth + 1);
    return read_bare(b, s);
}

/* Behind the opening brace. */
static bool read_object(struct log_builder *b, struct str *s, size_t depth)
{
    struct str name;

    if (depth > DEPTH_MAX)
        return json_fail(b, "no deeper object", *s);
    buf_addc(&b->literal, '{');
    for (bool first = true; !take(s, '}'); first = false) {
        if (!first && !take(s, ','))
            return json_fail(b, "\",\" or \"}\"", *s);
        if (!take(s, '"'))
            return json_fail(b, "a name in quotes", *s);
        if (!read_string(b, s, &name))
            return false;
        if (!take(s, ':'))
            return json_fail(b, "\":\"", *s);
        if (!first)
            buf_addc(&b->literal, ',');
        json_add_string(&b->literal, name);
        buf_addc(&b->literal, ':');
        if (!read_value(b, s, depth))
            return false;
    }
    buf_addc(&b->literal, '}');
    return true;
}

bool log_json_parse(struct log_builder *b, struct str text)
{
    if (!take(&text, '{'))
        return json_fail(b, "\"{\": a JSON format is an object", text);
    if (!read_object(b, &text, 0))
        return false;
    text = skip_space(text);
    return text.n == 0 || json_fail(b, "the end", text);
}
