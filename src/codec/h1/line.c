#include "codec/h1/line.h"

#include "base/octets16.h"

bool h1_line_cut(struct str *rest, struct str *ret)
{
    const char *cr = rest->n ? memchr(rest->p, '\r', rest->n) : NULL;
    size_t n = cr ? (size_t)(cr - rest->p) : 0;

    if (!cr || n + 1 >= rest->n || cr[1] != '\n')
        return false;
    *ret = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n + 2);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1" and "HTTP/1.0" only; another well-formed version has an error of its own. */
static const struct h1_error *version_parse(struct str s, uint8_t *ret)
{
    if (s.n != 8 || !str_starts(s, STR("HTTP/")) || !is_digit(s.p[5]) || s.p[6] != '.' ||
        !is_digit(s.p[7]))
        return &h1_error_first_line;
    if (s.p[5] != '1' || s.p[7] > '1')
        return &h1_error_version;
    *ret = (uint8_t)(s.p[7] - '0');
    return NULL;
}

/* Visible octets, and those above 0x7f, which codec/url escapes. */
static bool target_is_clean(struct str target)
{
    return target.n > 0 && !octets_have_control(target, ' ');
}

const struct h1_error *h1_request_line(struct str line, const struct h1_limits *limits,
                                       struct h1_line *ret)
{
    struct h1_line got = { 0 };
    struct str rest = line, method = str_cut(&rest, ' ');
    const struct h1_error *error;

    if (!header_name_is_valid(method) || !str_is_set(rest))
        return &h1_error_first_line;
    got.method = method_of(method);
    if (got.method == METHOD_UNKNOWN) /* a broken HTTP/2 preface, for one */
        return &h1_error_method;
    got.target = str_cut(&rest, ' ');
    if (got.target.n > limits->max_target_octets)
        return &h1_error_target_too_long;
    error = version_parse(rest, &got.minor);
    if (error)
        return error;
    if (!target_is_clean(got.target))
        return &h1_error_target;
    *ret = got;
    return NULL;
}

const struct h1_error *h1_status_line(struct str line, struct h1_line *ret)
{
    struct h1_line got = { 0 };
    struct str rest = line, version = str_cut(&rest, ' '), code;
    const struct h1_error *error = version_parse(version, &got.minor);
    uint64_t status = 0;

    if (error)
        return error;
    code = str_cut(&rest, ' ');
    if (code.n != 3 || !str_u64(code, &status) || status < 100)
        return &h1_error_first_line;
    if (!header_value_is_valid(rest))
        return &h1_error_first_line;
    got.status = (uint16_t)status;
    got.reason = rest;
    *ret = got;
    return NULL;
}

static const struct h1_error *field_parse(struct str line, struct arena *a, struct headers *ret)
{
    size_t colon = str_find(line, ':');
    struct str name = str_sub(line, 0, colon), value;
    enum header_id id = header_id_of(name);

    if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t')
        return &h1_error_fold;
    if (colon == line.n || (id == HDR_OTHER && !header_name_is_valid(name)))
        return &h1_error_header_name;
    value = str_trim(str_from(line, colon + 1));
    if (!header_value_is_valid(value))
        return &h1_error_header_value;
    headers_add_as(ret, a, id, name, value)->is_clean = true;
    return NULL;
}

const struct h1_error *h1_fields_parse(struct str lines, uint32_t max, struct arena *a,
                                       struct headers *ret)
{
    struct str line;

    while (lines.n) {
        const struct h1_error *error;

        if (!h1_line_cut(&lines, &line))
            return &h1_error_header_value; /* a CR stands alone */
        if (ret->n >= max)
            return &h1_error_too_many_headers;
        error = field_parse(line, a, ret);
        if (error)
            return error;
    }
    return NULL;
}
