#include "codec/h1/head.h"

#include "codec/h1/line.h"
#include "codec/url.h"

const struct h1_limits h1_limits_default = {
    .max_head_octets = 60 * 1024,
    .max_headers = 100,
    .max_target_octets = URL_TARGET_MAX,
    .max_chunk_ext = 1024,
};

void h1_scan_init(struct h1_scan *s, enum h1_side side, const struct h1_limits *limits)
{
    *s = (struct h1_scan){ .side = side, .limits = limits };
}

struct str h1_scan_head(const struct h1_scan *s, struct str in)
{
    return str_sub(in, s->skipped, s->len - s->skipped);
}

static enum h1_got scan_fail(struct h1_scan *s, const struct h1_error *error)
{
    s->error = error;
    return H1_BAD;
}

/* Judges a first line that is not whole yet: its length and its first octet. */
static enum h1_got scan_part(struct h1_scan *s, struct str in)
{
    struct str line = str_from(in, s->line);

    if (in.n - s->skipped > s->limits->max_head_octets)
        return scan_fail(s, &h1_error_head_too_large);
    if (s->lines > 0 || line.n == 0)
        return H1_MORE;
    if (s->side == H1_REQUEST && line.n > s->limits->max_target_octets + H1_LINE_REST)
        return scan_fail(s, &h1_error_target_too_long);
    if (line.p[0] == '\r' ? line.n > 1 : !header_name_is_valid(str_sub(line, 0, 1)))
        return scan_fail(s, &h1_error_first_line);
    return H1_MORE;
}

/* Judges the line [s->line, end), CRLF cut off. Sets s->len at the empty line. */
static const struct h1_error *scan_line(struct h1_scan *s, struct str line)
{
    bool is_request = s->side == H1_REQUEST;
    struct h1_line ret;

    if (s->lines == 0 && line.n == 0) {
        if (!is_request || s->skipped)
            return &h1_error_empty_line;
        s->skipped = 2;
        return NULL;
    }
    if (s->lines++ == 0)
        return is_request ? h1_request_line(line, s->limits, &ret) : h1_status_line(line, &ret);
    if (line.n == 0)
        s->len = s->at;
    else if (s->lines - 1 > s->limits->max_headers)
        return &h1_error_too_many_headers;
    return NULL;
}

enum h1_got h1_head_scan(struct h1_scan *s, struct str in)
{
    if (s->error)
        return H1_BAD;
    if (s->len)
        return H1_WHOLE;
    while (s->at < in.n) {
        const char *lf = memchr(in.p + s->at, '\n', in.n - s->at);
        const struct h1_error *error;
        size_t end;

        if (!lf) {
            s->at = in.n;
            break;
        }
        end = (size_t)(lf - in.p);
        if (end == s->line || in.p[end - 1] != '\r')
            return scan_fail(s, &h1_error_bare_lf);
        s->at = end + 1;
        error = scan_line(s, str_sub(in, s->line, end - 1 - s->line));
        s->line = s->at;
        if (error)
            return scan_fail(s, error);
        if (s->at - s->skipped > s->limits->max_head_octets)
            return scan_fail(s, &h1_error_head_too_large);
        if (s->len)
            return H1_WHOLE;
    }
    return scan_part(s, in);
}
