/*
 * codec/h1/read - the lines of a head that is whole and good, sixteen octets at a step: each octet
 * is looked at once, or twice where sixteen do not divide.
 */
#include "codec/h1/line.h"

#include "base/octets16.h"

/* The first octet from `p` on that is `octet`, or `end`: sixteen octets lie before it, as in all of
 * a cursor. */
static const char *find_far(const char *p, const char *end, char octet)
{
    uint32_t at;

    for (; end - p >= 16; p += 16) {
        at = octets16_eq(p, octet);
        if (at)
            return p + __builtin_ctz(at);
    }
    if (p == end)
        return p;
    at = octets16_eq(end - 16, octet) >> (16 - (end - p)); /* the last sixteen, again */
    return at ? p + __builtin_ctz(at) : end;
}

static inline const char *find(const char *p, const char *end, char octet)
{
    uint32_t at = end - p >= 16 ? octets16_eq(p, octet) : 0;

    return at ? p + __builtin_ctz(at) : find_far(p, end, octet);
}

/* The same for an octet up to `max`, or DEL. */
static const char *control_far(const char *p, const char *end, uint8_t max)
{
    uint32_t at;

    for (; end - p >= 16; p += 16) {
        at = octets16_control(p, max);
        if (at)
            return p + __builtin_ctz(at);
    }
    if (p == end)
        return p;
    at = octets16_control(end - 16, max) >> (16 - (end - p));
    return at ? p + __builtin_ctz(at) : end;
}

static inline const char *control(const char *p, const char *end, uint8_t max)
{
    uint32_t at = end - p >= 16 ? octets16_control(p, max) : 0;

    return at ? p + __builtin_ctz(at) : control_far(p, end, max);
}

static inline bool is_crlf(const char *p, const char *end)
{
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

/* Where a text ends that a line's end follows: controls but HTAB may not stand in it. NULL: it is
 * another. */
static inline const char *text_end(const char *p, const char *end)
{
    p = control(p, end, 0x1f);
    while (p < end && *p == '\t')
        p = control(p + 1, end, 0x1f);
    return is_crlf(p, end) ? p : NULL;
}

static inline bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* "HTTP/1.0" or "HTTP/1.1" */
static bool version_is(const char *p, uint8_t *ret_minor)
{
    if (memcmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1'))
        return false;
    *ret_minor = (uint8_t)(p[7] - '0');
    return true;
}

bool h1_cursor_init(struct h1_cursor *c, struct str in)
{
    *c = (struct h1_cursor){ in.p, in.p + in.n };
    return in.n >= 16;
}

bool h1_request_line_read(struct h1_cursor *c, const struct h1_limits *limits, struct h1_line *ret)
{
    const char *space = find(c->at, c->end, ' '), *target = space + 1, *end;

    if (space == c->end)
        return false;
    ret->method = method_of(str_make(c->at, (size_t)(space - c->at)));
    end = control(target, c->end, ' ');
    ret->target = str_make(target, (size_t)(end - target));
    if (ret->method == METHOD_UNKNOWN || ret->target.n == 0 ||
        ret->target.n > limits->max_target_octets)
        return false;
    if (c->end - end < 11 || *end != ' ' || !version_is(end + 1, &ret->minor) ||
        !is_crlf(end + 9, c->end))
        return false;
    c->at = end + 11;
    return true;
}

bool h1_status_line_read(struct h1_cursor *c, struct h1_line *ret)
{
    const char *code = c->at + 9, *reason = code + 3, *end;
    unsigned hundreds = (unsigned)code[0] - '0', tens = (unsigned)code[1] - '0';
    unsigned ones = (unsigned)code[2] - '0';

    if (!version_is(c->at, &ret->minor) || code[-1] != ' ' || hundreds - 1 > 8 || tens > 9 ||
        ones > 9)
        return false;
    ret->status = (uint16_t)(hundreds * 100 + tens * 10 + ones);
    ret->reason = STR_NONE;
    end = text_end(reason, c->end);
    if (!end || (*reason != ' ' && reason != end))
        return false;
    if (*reason == ' ')
        ret->reason = str_make(reason + 1, (size_t)(end - reason - 1));
    c->at = end + 2;
    return true;
}

/* One field line at `at`: what is behind it, or NULL. */
static inline const char *field_read(const char *at, const char *end, struct arena *a,
                                     struct headers *ret)
{
    const char *colon = find(at, end, ':'), *value = colon + 1, *line_end, *behind;
    struct str name = str_make(at, (size_t)(colon - at));
    enum header_id id = header_id_of(name);

    if (colon == end || (id == HDR_OTHER && !header_name_is_valid(name)))
        return NULL;
    while (value < end && is_blank(*value))
        value++;
    line_end = behind = text_end(value, end);
    if (!behind)
        return NULL;
    while (line_end > value && is_blank(line_end[-1]))
        line_end--;
    headers_add_as(ret, a, id, name, str_make(value, (size_t)(line_end - value)))->is_clean = true;
    return behind + 2;
}

bool h1_fields_read(struct h1_cursor *c, uint32_t max, struct arena *a, struct headers *ret)
{
    const char *at = c->at, *end = c->end;

    while (at && end - at >= 2 && *at != '\r')
        at = ret->n < max ? field_read(at, end, a, ret) : NULL;
    if (!at || !is_crlf(at, end))
        return false;
    c->at = at + 2;
    return true;
}
