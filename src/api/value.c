#include "api/decode_int.h"

#include "base/when.h"
#include "codec/scalar.h"

#include <math.h>

#define HOUR INT64_C(3600000000000)
#define SHOWN 60 /* octets of a value that a message repeats */

static struct str shown(struct str s)
{
    return str_sub(s, 0, SHOWN);
}

/* Of a list or an object: no number, no truth, and nobody asks for its text. */
static struct scalar scalar_of(const struct node *n)
{
    return n->kind != NODE_SCALAR || n->quoted ? (struct scalar){ .kind = SCALAR_STR }
                                               : scalar_resolve(n->text);
}

const char *node_what(const struct node *n)
{
    if (n->kind == NODE_SEQ)
        return "a list";
    return n->kind == NODE_MAP ? "an object" : scalar_kind_name(scalar_of(n).kind);
}

#define WRONG(d, seat, ...) (decode_note(d, SEV_ERROR, "LAT0103", seat, __VA_ARGS__), false)

static bool wrong_type(struct decoder *d, const struct seat *seat, const char *want)
{
    const struct node *n = seat->value;

    if (n->kind == NODE_SCALAR)
        return WRONG(d, seat, "%s is wanted, not %s (%.*s)", want, node_what(n),
                     STRF(shown(n->text)));
    return WRONG(d, seat, "%s is wanted, not %s", want, node_what(n));
}

static bool read_text(struct decoder *d, const struct seat *seat, struct str *to)
{
    const struct node *n = seat->value;
    struct scalar s = scalar_of(n);

    if (n->kind != NODE_SCALAR)
        return wrong_type(d, seat, "a string");
    if (s.kind == SCALAR_NULL)
        return WRONG(d, seat,
                     "a string is wanted, but nothing stands here: write \"\" for an "
                     "empty one");
    if (s.kind != SCALAR_STR)
        return WRONG(d, seat, "a string is wanted, but YAML reads %.*s as %s: quote it, \"%.*s\"",
                     STRF(shown(n->text)), scalar_kind_name(s.kind), STRF(shown(n->text)));
    *to = n->text;
    return true;
}

static bool value_string(struct decoder *d, const struct api_field *f, const struct seat *seat,
                         bool bare, void *to)
{
    (void)f;
    (void)bare;
    return read_text(d, seat, to);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* RFC 4648, 4; line ends are skipped as Go does. */
static bool base64_decode(struct arena *arena, struct str text, struct str *ret)
{
    char *out = arena_raw(arena, text.n / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t n = 0, digits = 0, pads = 0;

    for (size_t i = 0; i < text.n; i++) {
        int digit = base64_digit(text.p[i]);

        if (text.p[i] == '\n' || text.p[i] == '\r')
            continue;
        if (text.p[i] == '=')
            pads++;
        else if (digit < 0 || pads)
            return false;
        bits = bits << 6 | (uint32_t)(digit < 0 ? 0 : digit);
        if (++digits % 4)
            continue;
        out[n++] = (char)(bits >> 16);
        out[n++] = (char)(bits >> 8);
        out[n++] = (char)bits;
    }
    if (digits % 4 || pads > 2)
        return false;
    *ret = str_make(out, n - pads);
    return true;
}

static bool value_bytes(struct decoder *d, const struct api_field *f, const struct seat *seat,
                        bool bare, void *to)
{
    struct str text;

    (void)f;
    (void)bare;
    if (!read_text(d, seat, &text))
        return false;
    if (!base64_decode(d->arena, text, to))
        return WRONG(d, seat, "not base64: encode the value, or give it as text%s",
                     str_eq(seat->pair->key, STR("data")) ? " under stringData" : "");
    return true;
}

static bool value_bool(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       bool bare, void *to)
{
    const struct node *n = seat->value;
    struct scalar s = scalar_of(n);

    (void)f;
    (void)bare;
    if (n->kind != NODE_SCALAR || s.kind != SCALAR_BOOL) {
        if (n->kind == NODE_SCALAR && n->quoted && scalar_resolve(n->text).kind == SCALAR_BOOL)
            return WRONG(d, seat,
                         "true or false is wanted, not the string \"%.*s\": remove the "
                         "quotes",
                         STRF(shown(n->text)));
        return wrong_type(d, seat, "true or false");
    }
    *(struct opt_bool *)to = (struct opt_bool){ s.truth, true };
    return true;
}

/* The number of a node; strings of digits pass for proto-JSON, with a warning. */
static bool read_number(struct decoder *d, const struct seat *seat, const char *want,
                        struct scalar *ret)
{
    const struct node *n = seat->value;
    struct scalar s = scalar_of(n);
    double number;

    if (n->kind != NODE_SCALAR)
        return wrong_type(d, seat, want);
    if (s.kind == SCALAR_INT || s.kind == SCALAR_FLOAT) {
        *ret = s;
        return true;
    }
    if (!n->quoted || !scalar_parse_double(n->text, &number))
        return wrong_type(d, seat, want);
    if (!d->proto)
        return WRONG(d, seat, "%s is wanted, not the string \"%.*s\": remove the quotes", want,
                     STRF(shown(n->text)));
    decode_note(d, SEV_WARNING, "LAT0109", seat,
                "%s is wanted; the string \"%.*s\" is read as one, but a cluster refuses it: "
                "remove the quotes",
                want, STRF(shown(n->text)));
    *ret = (struct scalar){ .kind = SCALAR_FLOAT, .number = number };
    if (scalar_parse_int(n->text, &ret->integer))
        ret->kind = SCALAR_INT;
    return true;
}

static bool value_int(struct decoder *d, const struct api_field *f, const struct seat *seat,
                      bool bare, void *to)
{
    struct scalar s = { 0 };

    if (!read_number(d, seat, "a whole number", &s))
        return false;
    if (s.kind == SCALAR_FLOAT) {
        if (s.number != floor(s.number) || fabs(s.number) > 9e15)
            return wrong_type(d, seat, "a whole number");
        s.integer = (int64_t)s.number;
    }
    if (s.big)
        return WRONG(d, seat, "%.*s is too large", STRF(shown(seat->value->text)));
    if ((f->min != 0 || f->max != 0) && ((double)s.integer < f->min || (double)s.integer > f->max))
        return (decode_note(d, SEV_ERROR, "LAT0108", seat, "%lld is not from %.0f to %.0f",
                            (long long)s.integer, f->min, f->max),
                false);
    if (bare)
        *(int64_t *)to = s.integer;
    else
        *(struct opt_int *)to = (struct opt_int){ s.integer, true };
    return true;
}

static bool value_num(struct decoder *d, const struct api_field *f, const struct seat *seat,
                      bool bare, void *to)
{
    struct scalar s = { 0 };

    (void)bare;
    if (!read_number(d, seat, "a number", &s))
        return false;
    if (!isfinite(s.number))
        return wrong_type(d, seat, "a finite number");
    if ((f->min != 0 || f->max != 0) && (s.number < f->min || s.number > f->max))
        return (decode_note(d, SEV_ERROR, "LAT0108", seat, "%g is not from %g to %g", s.number,
                            f->min, f->max),
                false);
    *(struct opt_num *)to = (struct opt_num){ s.number, true };
    return true;
}

static struct str enum_name(const void *from, size_t i)
{
    return ((const struct api_enum *)from)->values[i].name;
}

static bool wrong_enum(struct decoder *d, const struct api_enum *e, const struct seat *seat)
{
    struct str near = nearest_name(seat->value->text, e->n, enum_name, e);
    struct buf names;

    buf_init(&names, 1024);
    for (size_t i = 0; i < e->n; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", STRF(e->values[i].name));
    decode_note(d, SEV_ERROR, "LAT0104", seat, "\"%.*s\" is none of %.*s%s%.*s%s",
                STRF(shown(seat->value->text)), STRF(buf_str(&names)),
                str_is_set(near) ? "; did you mean " : "", STRF(near), str_is_set(near) ? "?" : "");
    buf_fini(&names);
    return false;
}

static bool value_enum(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       bool bare, void *to)
{
    const struct node *n = seat->value;
    struct opt_enum *value = to;
    int64_t number;

    (void)bare;
    if (n->kind != NODE_SCALAR)
        return wrong_type(d, seat, "a name");
    for (size_t i = 0; i < f->enums->n; i++)
        if (str_eq(n->text, f->enums->values[i].name)) {
            *value = (struct opt_enum){ f->enums->values[i].number, true };
            return true;
        }
    if (!d->proto || n->quoted || !scalar_parse_int(n->text, &number))
        return wrong_enum(d, f->enums, seat);
    for (size_t i = 0; i < f->enums->n; i++)
        if (number == f->enums->values[i].number) {
            decode_note(d, SEV_WARNING, "LAT0109", seat,
                        "the number %lld is read as %.*s, but a cluster refuses it: write the name",
                        (long long)number, STRF(f->enums->values[i].name));
            *value = (struct opt_enum){ (int32_t)number, true };
            return true;
        }
    return wrong_enum(d, f->enums, seat);
}

/* "90d": a cluster stores it, observed.md; cert-manager fails on it later. */
static bool read_days(struct str text, int64_t *ret_ns)
{
    uint64_t days;

    if (!str_ends(text, STR("d")) || !str_u64(str_sub(text, 0, text.n - 1), &days) || days > 100000)
        return false;
    *ret_ns = (int64_t)days * 24 * HOUR;
    return true;
}

static bool value_dur(struct decoder *d, const struct api_field *f, const struct seat *seat,
                      bool bare, void *to)
{
    const struct node *n = seat->value;
    struct opt_dur value = { .set = true };

    (void)bare;
    if (n->kind == NODE_SCALAR && scalar_of(n).kind == SCALAR_INT)
        return WRONG(d, seat,
                     "a duration with its unit is wanted, not the number %.*s: write "
                     "\"%.*ss\" for seconds, \"%.*sms\" for milliseconds",
                     STRF(shown(n->text)), STRF(shown(n->text)), STRF(shown(n->text)));
    if (n->kind != NODE_SCALAR || scalar_of(n).kind != SCALAR_STR)
        return wrong_type(d, seat, "a duration");
    if (f->flags & API_GO_DUR && read_days(n->text, &value.ns))
        decode_note(d, SEV_WARNING, "LAT0109", seat,
                    "cert-manager itself cannot read days: write %lldh",
                    (long long)(value.ns / HOUR));
    else if (!duration_parse(n->text, &value.ns))
        return WRONG(d, seat,
                     "\"%.*s\" is no duration: write a number with a unit, as in 1h, 1m, "
                     "1.5s, 100ms",
                     STRF(shown(n->text)));
    *(struct opt_dur *)to = value;
    return true;
}

static bool value_time(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       bool bare, void *to)
{
    struct opt_time value = { .set = true };
    struct str text;

    (void)f;
    (void)bare;
    if (!read_text(d, seat, &text))
        return false;
    if (!when_parse(text, &value.unix_ms))
        return WRONG(d, seat, "\"%.*s\" is no time: write it as 2026-11-24T09:15:03Z",
                     STRF(shown(text)));
    *(struct opt_time *)to = value;
    return true;
}

static bool value_port(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       bool bare, void *to)
{
    const struct node *n = seat->value;
    struct scalar s = scalar_of(n);
    struct int_or_str value = { .set = true };

    (void)f;
    (void)bare;
    if (n->kind == NODE_SCALAR && s.kind == SCALAR_INT && !s.big)
        value.v = s.integer;
    else if (n->kind == NODE_SCALAR && s.kind == SCALAR_STR)
        value.text = n->text;
    else
        return wrong_type(d, seat, "a port's number or name");
    *(struct int_or_str *)to = value;
    return true;
}

static bool value_tree(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       bool bare, void *to)
{
    (void)d;
    (void)f;
    (void)bare;
    *(const struct node **)to = seat->value;
    return true;
}

bool decode_value(struct decoder *d, const struct api_field *f, const struct seat *seat, bool bare,
                  void *to)
{
    static bool (*const readers[])(struct decoder *, const struct api_field *, const struct seat *,
                                   bool, void *) = {
        [API_BOOL] = value_bool,     [API_INT] = value_int,     [API_NUM] = value_num,
        [API_STRING] = value_string, [API_BYTES] = value_bytes, [API_ENUM] = value_enum,
        [API_DUR] = value_dur,       [API_TIME] = value_time,   [API_PORT] = value_port,
        [API_TREE] = value_tree,
    };

    MUST(f->type < LEN(readers) && readers[f->type]);
    return readers[f->type](d, f, seat, bare, to);
}
