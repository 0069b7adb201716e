#include "codec/h2/message.h"

#include "base/octets16.h"
#include "codec/method.h"
#include "codec/url.h"

/* ---- fields one by one ---- */

static bool name_is_good(const struct header *h)
{
    if (h->id != HDR_OTHER) /* in lower case: hpack/decode.h */
        return true;
    for (size_t i = 0; i < h->name.n; i++) {
        if (h->name.p[i] >= 'A' && h->name.p[i] <= 'Z')
            return false;
    }
    return header_name_is_valid(h->name);
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* 8.2.1: no NUL, CR, LF, and no space or tab at either end. */
static bool value_is_clean(struct str value)
{
    return value.n == 0 || (!is_blank(value.p[0]) && !is_blank(value.p[value.n - 1]) &&
                            header_value_is_valid(value));
}

/* 8.2.2: what belongs to one hop of HTTP/1. */
static bool is_connection_specific(const struct header *h)
{
    switch (h->id) {
    case HDR_CONNECTION:
    case HDR_KEEP_ALIVE:
    case HDR_PROXY_CONNECTION:
    case HDR_TRANSFER_ENCODING:
    case HDR_UPGRADE:
        return true;
    case HDR_TE:
        return !str_eq_nocase(h->value, STR("trailers"));
    default:
        return false;
    }
}

static bool regular_is_good(const struct header *h)
{
    return name_is_good(h) && value_is_clean(h->value) && !is_connection_specific(h);
}

static bool read_length(struct h2_message *m, struct str value)
{
    uint64_t v;

    if (!str_u64(value, &v) || v > INT64_MAX ||
        (m->content_length >= 0 && m->content_length != (int64_t)v))
        return false;
    m->content_length = (int64_t)v;
    return true;
}

/* Where a pseudo-header goes, or NULL. */
static struct str *pseudo(struct h2_message *m, struct str name, struct str *status)
{
    if (str_eq(name, STR(":method")))
        return &m->method;
    if (str_eq(name, STR(":scheme")))
        return &m->scheme;
    if (str_eq(name, STR(":authority")))
        return &m->authority;
    if (str_eq(name, STR(":path")))
        return &m->path;
    if (str_eq(name, STR(":protocol")))
        return &m->protocol;
    return str_eq(name, STR(":status")) ? status : NULL;
}

/* 8.2.3: several cookie fields are one for whoever reads them next. */
static struct str cookie_join(const struct headers *fields, struct arena *a)
{
    char *text = arena_raw(a, fields->octets + 2 * (size_t)fields->n);
    size_t n = 0;

    for (uint32_t i = 0; i < fields->n; i++) {
        const struct header *h = &fields->v[i];

        if (h->id != HDR_COOKIE)
            continue;
        if (n) {
            memcpy(text + n, "; ", 2);
            n += 2;
        }
        memcpy(text + n, h->value.p, h->value.n);
        n += h->value.n;
    }
    return str_make(text, n);
}

/* All fields: pseudo-headers first, each once (8.3). */
static bool read_fields(const struct headers *fields, struct arena *a, struct h2_message *m,
                        struct str *status)
{
    uint32_t cookies = 0;
    bool regular = false;

    *m = (struct h2_message){ .content_length = -1 };
    for (uint32_t i = 0; i < fields->n; i++) {
        const struct header *h = &fields->v[i];

        if (h->name.n && h->name.p[0] == ':') {
            struct str *at = pseudo(m, h->name, status);

            if (regular || !at || str_is_set(*at) || !value_is_clean(h->value))
                return false;
            *at = h->value;
            continue;
        }
        regular = true;
        if (!regular_is_good(h) || (h->id == HDR_CONTENT_LENGTH && !read_length(m, h->value)))
            return false;
        if (h->id == HDR_COOKIE)
            cookies++;
        else if (h->id != HDR_CONTENT_LENGTH || !headers_find(&m->headers, HDR_CONTENT_LENGTH))
            headers_add_as(&m->headers, a, (enum header_id)h->id, h->name, h->value)->is_clean =
                true;
    }
    if (cookies)
        headers_add_id(&m->headers, a, HDR_COOKIE, cookie_join(fields, a));
    return true;
}

/* ---- messages ---- */

/* RFC 3986, 3.1 */
static bool scheme_is_good(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') &&
            (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return s.n > 0;
}

/* Nothing that would end a word of HTTP/1's request line. */
static bool path_is_good(const struct h2_message *m)
{
    if (m->path.n == 0 || octets_have_control(m->path, ' '))
        return false;
    return m->path.p[0] == '/' || (str_eq(m->path, STR("*")) && str_eq(m->method, STR("OPTIONS")));
}

static bool target_is_good(const struct h2_message *m)
{
    bool is_connect = str_eq(m->method, STR("CONNECT"));

    if (is_connect && !str_is_set(m->protocol)) /* 8.5 */
        return !str_is_set(m->scheme) && !str_is_set(m->path) && m->authority.n;
    if (str_is_set(m->protocol) && (!is_connect || !header_name_is_valid(m->protocol)))
        return false; /* RFC 8441, 4; a token as in Upgrade */
    return scheme_is_good(m->scheme) && path_is_good(m);
}

/* One authority: Host may repeat it, in any case, but not say another. */
static bool settle_authority(struct h2_message *m, struct arena *a)
{
    struct header *host = headers_find(&m->headers, HDR_HOST);

    if (headers_count(&m->headers, HDR_HOST) > 1)
        return false;
    if (host && !str_is_set(m->authority))
        m->authority = host->value;
    if (host && !str_eq_nocase(host->value, m->authority))
        return false;
    if (m->authority.n == 0 || !url_authority_is_valid(m->authority))
        return false;
    headers_set_id(&m->headers, a, HDR_HOST, m->authority);
    return true;
}

const struct h2_error *h2_request_read(const struct headers *fields, struct arena *a,
                                       struct h2_message *ret)
{
    struct str status = STR_NONE;

    if (!read_fields(fields, a, ret, &status) || str_is_set(status) ||
        method_of(ret->method) == METHOD_UNKNOWN || !target_is_good(ret) ||
        !settle_authority(ret, a))
        return &h2_error_malformed;
    return NULL;
}

const struct h2_error *h2_response_read(const struct headers *fields, struct arena *a,
                                        struct h2_message *ret)
{
    struct str status = STR_NONE;
    uint64_t v;

    if (!read_fields(fields, a, ret, &status) || status.n != 3 || !str_u64(status, &v) || v < 100 ||
        v == 101 || str_is_set(ret->method) || str_is_set(ret->path) || str_is_set(ret->scheme) ||
        str_is_set(ret->authority) || str_is_set(ret->protocol))
        return &h2_error_malformed;
    ret->status = (uint16_t)v;
    return NULL;
}

const struct h2_error *h2_trailers_read(const struct headers *fields, struct arena *a,
                                        struct headers *ret)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        const struct header *h = &fields->v[i];

        if ((h->name.n && h->name.p[0] == ':') || !regular_is_good(h))
            return &h2_error_malformed;
        if (header_may_trail(h))
            headers_add_as(ret, a, (enum header_id)h->id, h->name, h->value);
    }
    return NULL;
}

/* ---- writing ---- */

struct fields {
    struct hpack_field *v;
    size_t n;
};

static struct hpack_field *fields_raw(struct arena *a, size_t n)
{
    return arena_raw(a, n * sizeof(struct hpack_field));
}

static void add(struct fields *f, enum hpack_pseudo pseudo, struct str name, struct str value)
{
    f->v[f->n++] = (struct hpack_field){ .name = name, .value = value, .pseudo = (uint8_t)pseudo };
}

static void add_all(struct fields *f, const struct headers *headers, struct arena *a,
                    bool is_request)
{
    for (uint32_t i = 0; i < headers->n; i++) {
        const struct header *h = &headers->v[i];

        if (is_connection_specific(h) || (is_request && h->id == HDR_HOST))
            continue;
        f->v[f->n++] = (struct hpack_field){ h->id, header_name_lower(h, a), h->value, 0 };
    }
}

struct hpack_field *h2_request_fields(const struct h2_message *m, const struct headers *headers,
                                      struct arena *a, size_t *ret_n)
{
    struct fields f = { fields_raw(a, headers->n + 5), 0 };

    add(&f, HPACK_METHOD, STR(":method"), m->method);
    if (str_is_set(m->scheme))
        add(&f, HPACK_SCHEME, STR(":scheme"), m->scheme);
    if (str_is_set(m->authority))
        add(&f, HPACK_AUTHORITY, STR(":authority"), m->authority);
    if (m->path.n)
        add(&f, HPACK_PATH, STR(":path"), m->path);
    if (str_is_set(m->protocol))
        add(&f, HPACK_NO_PSEUDO, STR(":protocol"), m->protocol);
    add_all(&f, headers, a, true);
    *ret_n = f.n;
    return f.v;
}

struct hpack_field *h2_response_fields(uint16_t status, const struct headers *headers,
                                       struct arena *a, size_t *ret_n)
{
    struct fields f = { fields_raw(a, headers->n + 1), 0 };
    char digits[] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10) };

    MUST(status <= 999);
    add(&f, HPACK_STATUS, STR(":status"), arena_dup(a, str_make(digits, sizeof(digits))));
    add_all(&f, headers, a, false);
    *ret_n = f.n;
    return f.v;
}

struct hpack_field *h2_trailer_fields(const struct headers *headers, struct arena *a, size_t *ret_n)
{
    struct fields f = { fields_raw(a, headers->n + 1), 0 };

    add_all(&f, headers, a, false);
    *ret_n = f.n;
    return f.v;
}
