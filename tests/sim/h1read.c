#include "sim/h1read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void h1read_begin(struct h1read *r, bool responses)
{
    struct text line = r->line;

    line.n = line.at = 0;
    *r = (struct h1read){ .responses = responses, .line = line };
}

/* Adds octets up to and with a LF to the line. False: there is none yet. */
static bool line_take(struct h1read *r, struct str *octets)
{
    const char *lf = octets->n ? memchr(octets->p, '\n', octets->n) : NULL;
    size_t n = lf ? (size_t)(lf - octets->p) + 1 : octets->n;

    text_add(&r->line, octets->p, n);
    *octets = str_from(*octets, n);
    return lf != NULL;
}

static struct str line_of(const struct h1read *r)
{
    return str_make(r->line.p, r->line.n);
}

static bool ends_head(struct str s)
{
    return s.n >= 4 && memcmp(s.p + s.n - 4, "\r\n\r\n", 4) == 0;
}

static void field_read(struct h1head *h, const char *line)
{
    if (strncasecmp(line, "content-length:", 15) == 0)
        h->length = strtoll(line + 15, NULL, 10);
    else if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0)
        h->chunked = true;
    else if (strncasecmp(line, "connection: close", 17) == 0)
        h->close = true;
    else if (strncasecmp(line, "x-id:", 5) == 0)
        h->id = strtoll(line + 5, NULL, 10);
    else if (strncasecmp(line, "x-sum:", 6) == 0)
        h->sum = strtoll(line + 6, NULL, 10);
    else if (strncasecmp(line, "x-wrong:", 8) == 0)
        h->wrong = true;
}

static bool head_read(struct h1read *r)
{
    struct h1head *h = &r->head;
    char *line = r->line.p, *end = r->line.p + r->line.n;

    *h = (struct h1head){ .length = -1, .id = -1, .sum = -1 };
    if (r->responses) {
        if (r->line.n < 12 || memcmp(line, "HTTP/1.", 7) != 0)
            return false;
        h->status = (uint16_t)strtoul(line + 9, NULL, 10);
    } else {
        size_t n = 0;

        while (n < sizeof(h->method) - 1 && line + n < end && line[n] >= 'A' && line[n] <= 'Z')
            n++;
        memcpy(h->method, line, n);
    }
    while (line < end) {
        char *lf = memchr(line, '\n', (size_t)(end - line));

        *lf = '\0';
        field_read(h, line);
        line = lf + 1;
    }
    return true;
}

/* Which framing stands behind the head. */
static enum h1step body_step(struct h1read *r)
{
    const struct h1head *h = &r->head;

    if (r->responses && (r->no_body || h->status == 204 || h->status == 304 || h->status < 200))
        return H1R_DONE;
    if (h->chunked)
        return H1R_SIZE;
    if (h->length >= 0) {
        r->left = (uint64_t)h->length;
        return r->left ? H1R_LENGTH : H1R_DONE;
    }
    return r->responses ? H1R_CLOSE : H1R_DONE;
}

static enum h1what head_next(struct h1read *r, struct str *octets)
{
    while (line_take(r, octets)) {
        if (!ends_head(line_of(r)))
            continue;
        if (!head_read(r))
            return H1W_BAD;
        r->line.n = 0;
        r->step = H1R_DONE; /* body_step decides at the next call, when no_body is known */
        r->left = UINT64_MAX;
        return H1W_HEAD;
    }
    return H1W_MORE;
}

static enum h1what data_next(struct h1read *r, struct str *octets, struct str *ret,
                             enum h1step after)
{
    size_t n = (size_t)MIN(r->left, octets->n);

    if (n == 0)
        return H1W_MORE;
    *ret = str_sub(*octets, 0, n);
    *octets = str_from(*octets, n);
    r->left -= n;
    if (r->left == 0)
        r->step = after;
    return H1W_DATA;
}

static enum h1what size_next(struct h1read *r, struct str *octets)
{
    char *end;

    if (!line_take(r, octets))
        return H1W_MORE;
    r->left = strtoull(r->line.p, &end, 16);
    if (end == r->line.p || (*end != '\r' && *end != ';'))
        return H1W_BAD;
    r->step = r->left ? H1R_CHUNK : H1R_TRAILERS;
    r->line.n = 0;
    return H1W_DATA; /* of no octets */
}

static enum h1what framing_next(struct h1read *r, struct str *octets)
{
    bool is_empty;
    int64_t sum;

    if (!line_take(r, octets))
        return H1W_MORE;
    is_empty = str_eq(line_of(r), STR("\r\n"));
    sum = r->line.n > 6 && strncasecmp(r->line.p, "x-sum:", 6) == 0
              ? strtoll(r->line.p + 6, NULL, 10)
              : -1;
    r->line.n = 0;
    if (r->step == H1R_CHUNK_END) {
        r->step = H1R_SIZE;
        return is_empty ? H1W_DATA : H1W_BAD;
    }
    if (sum >= 0)
        r->head.sum = sum;
    if (!is_empty)
        return H1W_DATA;
    r->step = H1R_DONE;
    return H1W_END;
}

enum h1what h1read_next(struct h1read *r, struct str *octets, struct str *ret)
{
    *ret = STR_NONE;
    if (r->step == H1R_DONE && r->left == UINT64_MAX) {
        r->left = 0;
        r->step = body_step(r);
    }
    switch (r->step) {
    case H1R_HEAD:
        return head_next(r, octets);
    case H1R_LENGTH:
        return data_next(r, octets, ret, H1R_DONE);
    case H1R_SIZE:
        return size_next(r, octets);
    case H1R_CHUNK:
        return data_next(r, octets, ret, H1R_CHUNK_END);
    case H1R_CHUNK_END:
    case H1R_TRAILERS:
        return framing_next(r, octets);
    case H1R_CLOSE:
        r->left = UINT64_MAX - 1;
        return data_next(r, octets, ret, H1R_CLOSE);
    case H1R_DONE:
        break;
    }
    return H1W_END;
}
