#include "codec/h1/write.h"

#include "base/octets16.h"
#include "base/put.h"

static const struct {
    uint16_t status;
    struct str reason;
} reasons[] = {
    { 100, STR_INIT("Continue") },
    { 101, STR_INIT("Switching Protocols") },
    { 102, STR_INIT("Processing") },
    { 103, STR_INIT("Early Hints") },
    { 200, STR_INIT("OK") },
    { 201, STR_INIT("Created") },
    { 202, STR_INIT("Accepted") },
    { 203, STR_INIT("Non-Authoritative Information") },
    { 204, STR_INIT("No Content") },
    { 205, STR_INIT("Reset Content") },
    { 206, STR_INIT("Partial Content") },
    { 207, STR_INIT("Multi-Status") },
    { 208, STR_INIT("Already Reported") },
    { 226, STR_INIT("IM Used") },
    { 300, STR_INIT("Multiple Choices") },
    { 301, STR_INIT("Moved Permanently") },
    { 302, STR_INIT("Found") },
    { 303, STR_INIT("See Other") },
    { 304, STR_INIT("Not Modified") },
    { 305, STR_INIT("Use Proxy") },
    { 307, STR_INIT("Temporary Redirect") },
    { 308, STR_INIT("Permanent Redirect") },
    { 400, STR_INIT("Bad Request") },
    { 401, STR_INIT("Unauthorized") },
    { 402, STR_INIT("Payment Required") },
    { 403, STR_INIT("Forbidden") },
    { 404, STR_INIT("Not Found") },
    { 405, STR_INIT("Method Not Allowed") },
    { 406, STR_INIT("Not Acceptable") },
    { 407, STR_INIT("Proxy Authentication Required") },
    { 408, STR_INIT("Request Timeout") },
    { 409, STR_INIT("Conflict") },
    { 410, STR_INIT("Gone") },
    { 411, STR_INIT("Length Required") },
    { 412, STR_INIT("Precondition Failed") },
    { 413, STR_INIT("Payload Too Large") },
    { 414, STR_INIT("URI Too Long") },
    { 415, STR_INIT("Unsupported Media Type") },
    { 416, STR_INIT("Range Not Satisfiable") },
    { 417, STR_INIT("Expectation Failed") },
    { 418, STR_INIT("I'm a teapot") },
    { 421, STR_INIT("Misdirected Request") },
    { 422, STR_INIT("Unprocessable Entity") },
    { 423, STR_INIT("Locked") },
    { 424, STR_INIT("Failed Dependency") },
    { 425, STR_INIT("Too Early") },
    { 426, STR_INIT("Upgrade Required") },
    { 428, STR_INIT("Precondition Required") },
    { 429, STR_INIT("Too Many Requests") },
    { 431, STR_INIT("Request Header Fields Too Large") },
    { 451, STR_INIT("Unavailable For Legal Reasons") },
    { 500, STR_INIT("Internal Server Error") },
    { 501, STR_INIT("Not Implemented") },
    { 502, STR_INIT("Bad Gateway") },
    { 503, STR_INIT("Service Unavailable") },
    { 504, STR_INIT("Gateway Timeout") },
    { 505, STR_INIT("HTTP Version Not Supported") },
    { 506, STR_INIT("Variant Also Negotiates") },
    { 507, STR_INIT("Insufficient Storage") },
    { 508, STR_INIT("Loop Detected") },
    { 510, STR_INIT("Not Extended") },
    { 511, STR_INIT("Network Authentication Required") },
};

struct str h1_reason_of(uint16_t status)
{
    for (size_t i = 0; i < LEN(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return STR("Unknown");
}

static void put_lower8(char *at, const char *from)
{
    uint64_t v = swar_lower(swar_load8(from));

    memcpy(at, &v, sizeof(v));
}

static char *put_lower(char *at, struct str s)
{
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8)
        put_lower8(at + i, s.p + i);
    if (i && i < s.n) /* the last step overlaps the one before */
        put_lower8(at + s.n - 8, s.p + s.n - 8);
    for (; s.n < 8 && i < s.n; i++)
        at[i] = ascii_lower(s.p[i]);
    return at + s.n;
}

/* A known name is valid; what a parser has judged does not come here. */
RARE static bool is_writable(const struct header *one)
{
    return (one->id != HDR_OTHER || header_name_is_valid(one->name)) &&
           header_value_is_valid(one->value);
}

#define LABEL_OCTETS 48

/* A known name in lower case with what stands behind it, to be copied in steps of 16. Of 64 octets,
 * so that a place in the table is a shift. */
static const struct label {
    char text[63];
    uint8_t n;
} labels[HDR_COUNT] = {
#define XX(id, name) [HDR_##id] = { name ": ", sizeof(name ": ") - 1 },
    HEADER_MAP(XX)
#undef XX
};

/* Writes up to LABEL_OCTETS, of which the last are to be written over. */
static inline char *put_label(char *at, enum header_id id)
{
    const struct label *label = &labels[id];

    memcpy(at, label->text, 16);
    if (label->n > 16)
        memcpy(at + 16, label->text + 16, LABEL_OCTETS - 16);
    return at + label->n;
}

static inline char *put_colon(char *at)
{
    *at++ = ':';
    *at++ = ' ';
    return at;
}

RARE static char *put_other_name(char *at, struct str name)
{
    return put_colon(put_lower(at, name));
}

static inline char *put_name(char *at, const struct header *one, bool keep_case)
{
    if (keep_case)
        return put_colon(put(at, one->name));
    if (one->id == HDR_OTHER)
        return put_other_name(at, one->name);
    return put_label(at, (enum header_id)one->id);
}

static inline char *put_end(char *at)
{
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* No other names have these marks. */
static const uint64_t left_out_marks[] = {
    [H1_LEAVE_OUT_NONE] = 0,
    [H1_LEAVE_OUT_CODING] = HEADERS_MARK(HDR_TRANSFER_ENCODING),
    [H1_LEAVE_OUT_FRAMING] = HEADERS_MARK(HDR_TRANSFER_ENCODING) | HEADERS_MARK(HDR_CONTENT_LENGTH),
};

/* Where there is room for all: what is behind them, or NULL. */
static INLINED char *put_fields(char *at, const struct headers *h, uint64_t left_out,
                                bool keep_case)
{
    const struct header *end = h->n ? h->v + h->n : h->v;

    for (const struct header *one = h->v; one < end; one++) {
        if (left_out & header_marks[one->id])
            continue;
        if (!one->is_clean && !is_writable(one))
            return NULL;
        at = put_end(put(put_name(at, one, keep_case), one->value));
    }
    return at;
}

bool h1_fields_write(struct buf *b, const struct headers *h, bool keep_case,
                     enum h1_leave_out left_out)
{
    size_t size = h->octets + h->n * STR(": \r\n").n;
    uint64_t marks = left_out_marks[left_out];
    char *start = buf_reserve(b, size + LABEL_OCTETS), *at;

    if (!start)
        return false;
    at = keep_case ? put_fields(start, h, marks, true) : put_fields(start, h, marks, false);
    if (!at)
        return false;
    MUST((size_t)(at - start) <= size);
    b->n += (size_t)(at - start);
    return true;
}

bool h1_field_write(struct buf *b, enum header_id id, struct str value)
{
    char *start = buf_reserve(b, LABEL_OCTETS + value.n + 2);

    if (!start)
        return false;
    b->n += (size_t)(put_end(put(put_label(start, id), value)) - start);
    return true;
}

bool h1_head_end_write(struct buf *b)
{
    char *at = buf_reserve(b, 2);

    if (!at)
        return false;
    b->n += (size_t)(put_end(at) - at);
    return true;
}

/* No octet that would end a word of the first line. */
static bool is_word(struct str s)
{
    return s.n > 0 && !octets_have_control(s, ' ');
}

bool h1_request_line_write(struct buf *b, struct str method, struct str target)
{
    struct str version = STR(" HTTP/1.1\r\n");
    char *start = buf_reserve(b, method.n + 1 + target.n + version.n), *at = start;

    if (!start || !is_word(method) || !is_word(target))
        return false;
    at = put(at, method);
    *at++ = ' ';
    at = put(at, target);
    at = put(at, version);
    b->n += (size_t)(at - start);
    return true;
}

bool h1_status_line_write(struct buf *b, uint16_t status, struct str reason)
{
    struct str version = STR("HTTP/1.1 ");
    char *start, *at;

    MUST(status >= 100 && status <= 999);
    if (!str_is_set(reason))
        reason = h1_reason_of(status);
    start = at = buf_reserve(b, version.n + 4 + reason.n + 2);
    if (!start || !header_value_is_valid(reason))
        return false;
    at = put(at, version);
    *at++ = (char)('0' + status / 100);
    *at++ = (char)('0' + status / 10 % 10);
    *at++ = (char)('0' + status % 10);
    *at++ = ' ';
    at = put_end(put(at, reason));
    b->n += (size_t)(at - start);
    return true;
}

bool h1_request_write(struct buf *b, struct str method, struct str target, const struct headers *h,
                      bool keep_case)
{
    return h1_request_line_write(b, method, target) &&
           h1_fields_write(b, h, keep_case, H1_LEAVE_OUT_NONE) && h1_head_end_write(b);
}

bool h1_response_write(struct buf *b, uint16_t status, struct str reason, const struct headers *h,
                       bool keep_case)
{
    return h1_status_line_write(b, status, reason) &&
           h1_fields_write(b, h, keep_case, H1_LEAVE_OUT_NONE) && h1_head_end_write(b);
}

struct str h1_chunk_head(uint64_t size, char octets[H1_CHUNK_HEAD_MAX])
{
    char *end = octets + H1_CHUNK_HEAD_MAX, *at = end;

    MUST(size > 0);
    *--at = '\n';
    *--at = '\r';
    for (; size; size >>= 4)
        *--at = "0123456789abcdef"[size & 15];
    return str_make(at, (size_t)(end - at));
}

bool h1_last_chunk_write(struct buf *b, const struct headers *trailers, bool keep_case)
{
    return buf_add(b, STR("0\r\n")) && h1_fields_write(b, trailers, keep_case, H1_LEAVE_OUT_NONE) &&
           h1_head_end_write(b);
}
