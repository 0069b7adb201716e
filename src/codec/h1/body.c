#include "codec/h1/body.h"

#define MAX_SIZE_DIGITS 15 /* below 2^60: sums of a few sizes fit 64 bits */

void h1_body_init(struct h1_body *b, struct h1_framing framing, const struct h1_limits *limits,
                  const struct headers *before)
{
    size_t octets = before ? before->octets : 0;
    uint32_t n = before ? before->n : 0;

    *b = (struct h1_body){
        .kind = framing.kind,
        .state = framing.kind == H1_BODY_CHUNKED ? H1_AT_SIZE : H1_AT_DATA,
        .left = framing.length,
        .ext_left = limits->max_chunk_ext,
        .trailer_octets = octets < limits->max_head_octets ? limits->max_head_octets - octets : 0,
        .trailer_lines = n < limits->max_headers ? limits->max_headers - n : 0,
    };
    if (framing.kind == H1_BODY_NONE || (framing.kind == H1_BODY_LENGTH && framing.length == 0))
        b->state = H1_AT_END;
}

static enum h1_body_got body_fail(struct h1_body *b, const struct h1_error *error)
{
    b->error = error;
    b->state = H1_AT_ERROR;
    return H1_BODY_BAD;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const struct h1_error *size_step(struct h1_body *b, char c)
{
    int digit = hex_of(c);

    if (digit >= 0) {
        if (++b->digits > MAX_SIZE_DIGITS)
            return &h1_error_chunk_size;
        b->left = b->left << 4 | (uint64_t)digit;
        return NULL;
    }
    if (b->digits == 0 || (c != '\r' && c != ';'))
        return &h1_error_chunk_size;
    b->state = c == ';' ? H1_AT_EXTENSION : H1_AT_SIZE_LF;
    return NULL;
}

static const struct h1_error *extension_step(struct h1_body *b, char c)
{
    if (c == '\r') {
        b->state = H1_AT_SIZE_LF;
        return NULL;
    }
    if (b->ext_left == 0 || !header_value_is_valid(str_make(&c, 1)))
        return &h1_error_chunk_extension;
    b->ext_left--;
    return NULL;
}

/* One octet between the contents of chunks. */
static const struct h1_error *frame_step(struct h1_body *b, char c)
{
    switch (b->state) {
    case H1_AT_SIZE:
        return size_step(b, c);
    case H1_AT_EXTENSION:
        return extension_step(b, c);
    case H1_AT_SIZE_LF:
        b->state = b->left ? H1_AT_DATA : H1_AT_TRAILERS;
        return c == '\n' ? NULL : &h1_error_chunk_size;
    case H1_AT_DATA_CR:
        b->state = H1_AT_DATA_LF;
        return c == '\r' ? NULL : &h1_error_chunk_end;
    default:
        MUST(b->state == H1_AT_DATA_LF);
        b->state = H1_AT_SIZE;
        b->digits = 0;
        return c == '\n' ? NULL : &h1_error_chunk_end;
    }
}

/* `in` starts where the section does. */
static enum h1_body_got read_trailers(struct h1_body *b, struct str in, struct h1_chunk *ret)
{
    while (b->at < in.n) {
        const char *lf = memchr(in.p + b->at, '\n', in.n - b->at);
        size_t end = lf ? (size_t)(lf - in.p) : in.n;

        if (end > b->trailer_octets)
            return body_fail(b, &h1_error_trailers_too_large);
        b->at = end;
        if (!lf)
            break;
        if (end == b->line || in.p[end - 1] != '\r')
            return body_fail(b, &h1_error_bare_lf);
        b->at++;
        if (end - 1 == b->line) {
            ret->trailers = str_sub(in, 0, b->line);
            ret->used += b->at;
            b->state = H1_AT_END;
            return H1_BODY_END;
        }
        if (b->trailer_lines-- == 0)
            return body_fail(b, &h1_error_too_many_headers);
        b->line = b->at;
    }
    return H1_BODY_MORE;
}

/* `in` starts with content. */
static enum h1_body_got read_data(struct h1_body *b, struct str in, struct h1_chunk *ret)
{
    if (in.n == 0)
        return H1_BODY_MORE;
    ret->data = in;
    if (b->kind != H1_BODY_UNTIL_CLOSE) {
        if (b->left < in.n)
            ret->data.n = (size_t)b->left;
        b->left -= ret->data.n;
        if (b->left == 0)
            b->state = b->kind == H1_BODY_CHUNKED ? H1_AT_DATA_CR : H1_AT_END;
    }
    ret->used += ret->data.n;
    return H1_BODY_DATA;
}

enum h1_body_got h1_body_next(struct h1_body *b, struct str in, struct h1_chunk *ret)
{
    *ret = (struct h1_chunk){ .trailers = STR("") };
    for (;;) {
        const struct h1_error *error;

        if (b->state == H1_AT_END)
            return H1_BODY_END;
        if (b->state == H1_AT_ERROR)
            return H1_BODY_BAD;
        if (b->state == H1_AT_DATA)
            return read_data(b, str_from(in, ret->used), ret);
        if (b->state == H1_AT_TRAILERS)
            return read_trailers(b, str_from(in, ret->used), ret);
        if (ret->used == in.n)
            return H1_BODY_MORE;
        error = frame_step(b, in.p[ret->used++]);
        if (error)
            return body_fail(b, error);
    }
}

bool h1_body_is_done(const struct h1_body *b)
{
    return b->state == H1_AT_END;
}

bool h1_body_may_close(const struct h1_body *b)
{
    return b->state == H1_AT_END || (b->kind == H1_BODY_UNTIL_CLOSE && b->state == H1_AT_DATA);
}
