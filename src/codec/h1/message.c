#include "codec/h1/line.h"
#include "codec/url.h"

/* Lengths beyond this are no lengths: sums of a few of them must fit 64 bits. */
#define MAX_LENGTH (UINT64_MAX / 4)

static const struct h1_error *length_judge(const struct headers *h, struct h1_framing *ret)
{
    const struct header *one = headers_find(h, HDR_CONTENT_LENGTH);
    uint64_t length = 0;

    if (!one)
        return NULL;
    if (headers_next(h, one))
        return &h1_error_two_lengths;
    if (!str_u64(one->value, &length) || length > MAX_LENGTH)
        return &h1_error_length;
    *ret = (struct h1_framing){ H1_BODY_LENGTH, length };
    return NULL;
}

static const struct h1_error *coding_judge(const struct h1_message *m, struct h1_framing *ret)
{
    const struct header *one = headers_find(&m->headers, HDR_TRANSFER_ENCODING);

    if (!one)
        return NULL;
    if (headers_find(&m->headers, HDR_CONTENT_LENGTH))
        return &h1_error_length_and_chunked;
    if (m->minor == 0)
        return &h1_error_coding_in_1_0;
    if (headers_next(&m->headers, one))
        return &h1_error_two_codings;
    if (!str_eq_nocase(one->value, STR("chunked")))
        return &h1_error_coding;
    *ret = (struct h1_framing){ H1_BODY_CHUNKED, 0 };
    return NULL;
}

/* Host may not be stripped: the backend would see another request (Istio: 400). */
static const struct h1_error *connection_judge(const struct h1_message *m)
{
    const struct header *one = headers_find(&m->headers, HDR_CONNECTION);

    for (; one; one = headers_next(&m->headers, one)) {
        struct str rest = one->value, token;

        while (header_token_next(&rest, &token)) {
            if (!header_name_is_valid(token) || header_id_of(token) == HDR_HOST)
                return &h1_error_connection_token;
        }
    }
    return NULL;
}

#define FRAMING_MARKS                                                                              \
    (HEADERS_MARK(HDR_CONTENT_LENGTH) | HEADERS_MARK(HDR_TRANSFER_ENCODING) |                      \
     HEADERS_MARK(HDR_CONNECTION))

const struct h1_error *h1_message_judge(struct h1_message *m)
{
    const struct headers *h = &m->headers;
    const struct h1_error *error;

    m->keep_alive = m->minor == 1;
    if (!(h->marks & FRAMING_MARKS))
        return NULL;
    error = length_judge(h, &m->framing);
    if (!error)
        error = coding_judge(m, &m->framing);
    if (!error)
        error = connection_judge(m);
    if (error)
        return error;
    if (!headers_find(h, HDR_CONNECTION))
        return NULL;
    if (m->minor == 0)
        m->keep_alive = headers_have_token(h, HDR_CONNECTION, STR("keep-alive"));
    if (headers_have_token(h, HDR_CONNECTION, STR("close")))
        m->keep_alive = false;
    if (headers_have_token(h, HDR_CONNECTION, STR("upgrade")))
        m->upgrade = headers_get(h, HDR_UPGRADE);
    return NULL;
}

const struct h1_error *h1_target_parse(struct str target, enum method method, struct arena *a,
                                       struct h1_request *ret)
{
    struct str rest = target;
    size_t colon, slash;

    ret->target = ret->path = target;
    if (method == METHOD_CONNECT) {
        ret->form = H1_TARGET_AUTHORITY;
        ret->authority = target;
        ret->path = STR("");
        return url_authority_is_valid(target) ? NULL : &h1_error_target;
    }
    ret->form = H1_TARGET_ORIGIN;
    if (target.p[0] == '/')
        return NULL;
    ret->form = H1_TARGET_ASTERISK;
    if (str_eq(target, STR("*")))
        return method == METHOD_OPTIONS ? NULL : &h1_error_target;
    ret->form = H1_TARGET_ABSOLUTE;
    colon = str_find(target, ':');
    ret->scheme = str_sub(target, 0, colon);
    rest = str_from(target, colon);
    if (!str_starts(rest, STR("://")))
        return &h1_error_target;
    if (!str_eq_nocase(ret->scheme, STR("http")) && !str_eq_nocase(ret->scheme, STR("https")))
        return &h1_error_scheme;
    rest = str_from(rest, 3);
    for (slash = 0; slash < rest.n && !memchr("/?#", rest.p[slash], 3); slash++)
        ;
    ret->authority = str_sub(rest, 0, slash);
    ret->path = str_from(rest, slash);
    if (ret->path.n == 0 || ret->path.p[0] != '/')
        ret->path = arena_printf(a, "/%.*s", STRF(ret->path));
    return ret->authority.n && url_authority_is_valid(ret->authority) ? NULL : &h1_error_bad_host;
}

/* Host: one in HTTP/1.1, at most one in 1.0, well-formed; an absolute target wins. */
static const struct h1_error *host_judge(struct h1_request *r, struct arena *a)
{
    struct header *host = headers_find(&r->m.headers, HDR_HOST);

    if (!host && r->m.minor == 1)
        return &h1_error_no_host;
    if (host && headers_next(&r->m.headers, host))
        return &h1_error_two_hosts;
    if (host && host->value.n && !url_authority_is_valid(host->value))
        return &h1_error_bad_host;
    if (r->form == H1_TARGET_ABSOLUTE)
        headers_set_id(&r->m.headers, a, HDR_HOST, r->authority);
    else if (r->form != H1_TARGET_AUTHORITY)
        r->authority = host ? host->value : STR("");
    return NULL;
}

static void request_of_line(struct h1_request *r, const struct h1_line *line)
{
    *r = (struct h1_request){ .method = line->method, .m.minor = line->minor };
}

/* Behind its target and fields. */
static const struct h1_error *request_judge(struct h1_request *r, struct arena *a)
{
    const struct h1_error *error = host_judge(r, a);

    if (!error)
        error = h1_message_judge(&r->m);
    if (error)
        return error;
    if (r->m.framing.kind == H1_BODY_LENGTH && r->m.framing.length == 0)
        r->m.framing.kind = H1_BODY_NONE;
    if (r->method == METHOD_CONNECT && r->m.framing.kind != H1_BODY_NONE)
        return r->m.framing.kind == H1_BODY_CHUNKED ? &h1_error_coding_not_allowed
                                                    : &h1_error_length_not_allowed;
    if (r->method == METHOD_CONNECT) /* what follows is the tunnel's, refused or not */
        r->m.keep_alive = false;
    r->expect_continue = r->m.minor == 1 &&
                         str_eq_nocase(headers_get(&r->m.headers, HDR_EXPECT), STR("100-continue"));
    return NULL;
}

const struct h1_error *h1_request_parse(struct str head, struct arena *a,
                                        const struct h1_limits *limits, struct h1_request *ret)
{
    struct str rest = head, first;
    const struct h1_error *error;
    struct h1_request got;
    struct h1_line line;

    if (!h1_line_cut(&rest, &first) || !str_ends(rest, STR("\r\n")))
        return &h1_error_first_line;
    error = h1_request_line(first, limits, &line);
    if (error)
        return error;
    rest.n -= 2;
    request_of_line(&got, &line);
    error = h1_target_parse(line.target, line.method, a, &got);
    if (!error)
        error = h1_fields_parse(rest, limits->max_headers, a, &got.m.headers);
    if (!error)
        error = request_judge(&got, a);
    if (error)
        return error;
    *ret = got;
    return NULL;
}

/* How far a reader came in `in`: 0 beyond the limit. */
static size_t octets_read(const struct h1_cursor *c, struct str in, const struct h1_limits *limits)
{
    size_t n = (size_t)(c->at - in.p);

    return n > limits->max_head_octets ? 0 : n;
}

size_t h1_request_read(struct str in, struct arena *a, const struct h1_limits *limits,
                       struct h1_request *ret)
{
    struct h1_cursor c;
    struct h1_line line;

    if (!h1_cursor_init(&c, in) || !h1_request_line_read(&c, limits, &line))
        return 0;
    request_of_line(ret, &line);
    if (h1_target_parse(line.target, line.method, a, ret) ||
        !h1_fields_read(&c, limits->max_headers, a, &ret->m.headers) || request_judge(ret, a))
        return 0;
    return octets_read(&c, in, limits);
}

/* What a response's status and request say about its body (RFC 9112, 6.3). */
static const struct h1_error *body_judge(struct h1_response *r, enum method method)
{
    struct h1_framing *f = &r->m.framing;
    bool is_tunnel = r->status == 101 || (method == METHOD_CONNECT && r->status / 100 == 2);

    if (r->status < 200 || r->status == 204 || is_tunnel) {
        if (f->kind == H1_BODY_CHUNKED)
            return &h1_error_coding_not_allowed;
        if (f->length)
            return &h1_error_length_not_allowed;
        headers_remove(&r->m.headers, HDR_CONTENT_LENGTH);
        f->kind = is_tunnel ? H1_BODY_UNTIL_CLOSE : H1_BODY_NONE;
    } else if (method == METHOD_HEAD || r->status == 304) {
        *f = (struct h1_framing){ H1_BODY_NONE, 0 };
    } else if (f->kind == H1_BODY_NONE) {
        f->kind = H1_BODY_UNTIL_CLOSE;
    } else if (f->kind == H1_BODY_LENGTH && f->length == 0) {
        f->kind = H1_BODY_NONE;
    }
    if (f->kind == H1_BODY_UNTIL_CLOSE)
        r->m.keep_alive = false;
    r->is_interim = r->status < 200 && r->status != 101;
    return NULL;
}

static void response_of_line(struct h1_response *r, const struct h1_line *line)
{
    *r = (struct h1_response){ .status = line->status,
                               .reason = line->reason,
                               .m.minor = line->minor };
}

static const struct h1_error *response_judge(struct h1_response *r, enum method method)
{
    const struct h1_error *error = h1_message_judge(&r->m);

    return error ? error : body_judge(r, method);
}

const struct h1_error *h1_response_parse(struct str head, enum method method, struct arena *a,
                                         const struct h1_limits *limits, struct h1_response *ret)
{
    struct str rest = head, first;
    const struct h1_error *error;
    struct h1_response got;
    struct h1_line line;

    if (!h1_line_cut(&rest, &first) || !str_ends(rest, STR("\r\n")))
        return &h1_error_first_line;
    error = h1_status_line(first, &line);
    if (error)
        return error;
    rest.n -= 2;
    response_of_line(&got, &line);
    error = h1_fields_parse(rest, limits->max_headers, a, &got.m.headers);
    if (!error)
        error = response_judge(&got, method);
    if (error)
        return error;
    *ret = got;
    return NULL;
}

size_t h1_response_read(struct str in, enum method method, struct arena *a,
                        const struct h1_limits *limits, struct h1_response *ret)
{
    struct h1_cursor c;
    struct h1_line line;

    if (!h1_cursor_init(&c, in) || !h1_status_line_read(&c, &line))
        return 0;
    response_of_line(ret, &line);
    if (!h1_fields_read(&c, limits->max_headers, a, &ret->m.headers) || response_judge(ret, method))
        return 0;
    return octets_read(&c, in, limits);
}

const struct h1_error *h1_trailers_parse(struct str section, uint32_t n_before, struct arena *a,
                                         const struct h1_limits *limits, struct headers *ret)
{
    struct headers got = { 0 }, kept = { 0 };
    uint32_t max = n_before < limits->max_headers ? limits->max_headers - n_before : 0;
    const struct h1_error *error = h1_fields_parse(section, max, a, &got);

    if (error)
        return error;
    for (uint32_t i = 0; i < got.n; i++) {
        if (header_may_trail(&got.v[i]))
            headers_add(&kept, a, got.v[i].name, got.v[i].value);
    }
    *ret = kept;
    return NULL;
}

#define HOP_MARKS                                                                                  \
    (HEADERS_MARK(HDR_CONNECTION) | HEADERS_MARK(HDR_KEEP_ALIVE) |                                 \
     HEADERS_MARK(HDR_PROXY_CONNECTION) | HEADERS_MARK(HDR_TRANSFER_ENCODING) |                    \
     HEADERS_MARK(HDR_UPGRADE) | HEADERS_MARK(HDR_HTTP2_SETTINGS))

static bool is_hop(const struct header *h)
{
    switch (h->id) {
    case HDR_CONNECTION:
    case HDR_KEEP_ALIVE:
    case HDR_PROXY_CONNECTION:
    case HDR_TRANSFER_ENCODING:
    case HDR_UPGRADE:
    case HDR_HTTP2_SETTINGS:
        return true;
    default:
        return false;
    }
}

static void remove_named(struct headers *h, struct str tokens)
{
    struct str token;

    while (header_token_next(&tokens, &token)) {
        enum header_id id = header_id_of(token);

        if (id != HDR_CONNECTION && id != HDR_TE && id != HDR_HOST && id != HDR_CONTENT_LENGTH)
            headers_remove_name(h, token);
    }
}

static void strip_te(struct headers *h)
{
    struct header *te = headers_find(h, HDR_TE);

    if (te && headers_have_token(h, HDR_TE, STR("trailers")))
        headers_change(h, te, STR("trailers"));
    else if (te)
        headers_remove(h, HDR_TE);
}

void headers_strip_hops(struct headers *h)
{
    struct header *one;

    while ((one = headers_find(h, HDR_CONNECTION)) != NULL) {
        struct str tokens = one->value;

        h->octets -= one->name.n + one->value.n;
        memmove(one, one + 1, (size_t)(&h->v[--h->n] - one) * sizeof(*one));
        remove_named(h, tokens);
    }
    headers_remove_if(h, HOP_MARKS, is_hop);
    strip_te(h);
}
