/*
 * codec/h1/read - the lines of a head that is whole and good, sixteen octets at a step: each octet
 * is looked at once, or twice where sixteen do not divide.
 */
#include "codec/h1/line.h"

#include "base/octets16.h"

/* The first octet from `p` on that is `octet`, or c->end. */
static const char *find_octet(const struct h1_cursor *c, const char *p, char octet)
{
    uint32_t at;

    for (; c->end - p >= 16; p += 16) {
        at = octets16_eq(p, octet);
        if (at)
            return p + __builtin_ctz(at);
    }
    if (p == c->end)
        return p;
    at = octets16_eq(c->end - 16, octet) >> (16 - (c->end - p)); /* the last sixteen, again */
    return at ? p + __builtin_ctz(at) : c->end;
}

/* The same for an octet up to `max`, or DEL. */
static const char *find_control(const struct h1_cursor *c, const char *p, uint8_t max)
{
    uint32_t at;

    for (; c->end - p >= 16; p += 16) {
        at = octets16_control(p, max);
        if (at)
            return p + __builtin_ctz(at);
    }
    if (p == c->end)
        return p;
    at = octets16_control(c->end - 16, max) >> (16 - (c->end - p));
    return at ? p + __builtin_ctz(at) : c->end;
}

/* Where a text ends that a line's end follows: controls but HTAB may not stand in it. NULL: it is
 * another. */
static const char *text_end(const struct h1_cursor *c, const char *p)
{
    p = find_control(c, p, 0x1f);
    while (p < c->end && *p == '\t')
        p = find_control(c, p + 1, 0x1f);
    return c->end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? p : NULL;
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
    const char *space = find_octet(c, c->at, ' '), *target = space + 1, *end;

    if (space == c->end)
        return false;
    ret->method = method_of(str_make(c->at, (size_t)(space - c->at)));
    end = find_control(c, target, ' ');
    ret->target = str_make(target, (size_t)(end - target));
    if (ret->method == METHOD_UNKNOWN || ret->target.n == 0 ||
        ret->target.n > limits->max_target_octets)
        return false;
    if (c->end - end < 11 || *end != ' ' || !version_is(end + 1, &ret->minor) || end[9] != '\r' ||
        end[10] != '\n')
        return false;
    c->at = end + 11;
    return true;
}

bool h1_status_line_read(struct h1_cursor *c, struct h1_line *ret)
{
    const char *code = c->at + 9, *reason = code + 3, *end;
    uint64_t status;

    if (c->end - reason < 2 || !version_is(c->at, &ret->minor) || code[-1] != ' ' ||
        !str_u64(str_make(code, 3), &status) || status < 100)
        return false;
    ret->status = (uint16_t)status;
    ret->reason = STR_NONE;
    if (*reason != ' ' && *reason != '\r')
        return false;
    end = text_end(c, reason);
    if (!end)
        return false;
    if (*reason == ' ')
        ret->reason = str_make(reason + 1, (size_t)(end - reason - 1));
    c->at = end + 2;
    return true;
}

/* One field line; c->at moves behind it. */
static bool field_read(struct h1_cursor *c, struct arena *a, struct headers *ret)
{
    const char *colon = find_octet(c, c->at, ':'), *value = colon + 1, *end, *line_end;
    struct str name = str_make(c->at, (size_t)(colon - c->at));
    enum header_id id = header_id_of(name);

    if (colon == c->end || (id == HDR_OTHER && !header_name_is_valid(name)))
        return false;
    while (value < c->end && (*value == ' ' || *value == '\t'))
        value++;
    line_end = end = text_end(c, value);
    if (!end)
        return false;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    headers_add_as(ret, a, id, name, str_make(value, (size_t)(end - value)))->is_clean = true;
    c->at = line_end + 2;
    return true;
}

bool h1_fields_read(struct h1_cursor *c, uint32_t max, struct arena *a, struct headers *ret)
{
    while (c->end - c->at >= 2) {
        if (c->at[0] == '\r') {
            c->at += 2;
            return c->at[-1] == '\n';
        }
        if (ret->n >= max || !field_read(c, a, ret))
            return false;
    }
    return false;
}
