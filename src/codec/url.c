#include "codec/url.h"

#include "base/addr.h"

enum octet {
    KEEP = 0,
    UNRESERVED, /* RFC 3986, 2.3: decoded where escaped */
    ESCAPE,     /* may not stand in a path */
};

static const uint8_t path_octet[256] = {
    [0 ... 0x20] = ESCAPE,
    ['"'] = ESCAPE,
    ['-'] = UNRESERVED,
    ['.'] = UNRESERVED,
    ['0' ... '9'] = UNRESERVED,
    ['<'] = ESCAPE,
    ['>'] = ESCAPE,
    ['A' ... 'Z'] = UNRESERVED,
    ['^'] = ESCAPE,
    ['_'] = UNRESERVED,
    ['`'] = ESCAPE,
    ['a' ... 'z'] = UNRESERVED,
    ['{' ... '}'] = ESCAPE,
    ['~'] = UNRESERVED,
    [0x7f ... 0xff] = ESCAPE,
};

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octet that an escape at the front of `s` stands for, or -1. */
static int escape_of(struct str s)
{
    if (s.n < 3 || s.p[0] != '%' || hex_of(s.p[1]) < 0 || hex_of(s.p[2]) < 0)
        return -1;
    return hex_of(s.p[1]) << 4 | hex_of(s.p[2]);
}

/* Nothing in it that BASE would touch: no escape, no backslash, no segment that starts with
 * a dot, nothing to escape. */
static bool is_normal(struct str path, bool merge)
{
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];

        if (c == '%' || c == '\\' || path_octet[(unsigned char)c] == ESCAPE)
            return false;
        if (i > 0 && path.p[i - 1] == '/' && (c == '.' || (merge && c == '/')))
            return false;
    }
    return true;
}

struct writer {
    char *p;
    size_t n;
    size_t segment; /* where the current segment starts, behind its "/" */
};

/* Ends a segment: takes dot segments back (RFC 3986, 5.2.4). Path parameters do not hide
 * them: "/x/..;/admin" is "/admin". */
static void end_segment(struct writer *w)
{
    struct str all = str_make(w->p + w->segment, w->n - w->segment);
    struct str rest = all, name = str_cut(&rest, ';');

    if (str_eq(name, STR("."))) {
        w->n = w->segment;
    } else if (str_eq(name, STR(".."))) {
        w->n = w->segment > 1 ? w->segment - 1 : 1;
        while (w->n > 1 && w->p[w->n - 1] != '/')
            w->n--;
    }
    w->segment = w->n;
}

static bool is_dots(const struct writer *w)
{
    struct str rest = str_make(w->p + w->segment, w->n - w->segment);
    struct str name = str_cut(&rest, ';');

    return str_eq(name, STR(".")) || str_eq(name, STR(".."));
}

/* A dot segment leaves the "/" before it, so the one behind it is not written. */
static void put_slash(struct writer *w)
{
    bool was_dots = is_dots(w);

    end_segment(w);
    if (was_dots)
        return;
    w->p[w->n++] = '/';
    w->segment = w->n;
}

static void put_escaped(struct writer *w, unsigned char c)
{
    w->p[w->n++] = '%';
    w->p[w->n++] = "0123456789ABCDEF"[c >> 4];
    w->p[w->n++] = "0123456789ABCDEF"[c & 15];
}

/* Would `c` be read as a digit of the stray "%" that was written before it? Then decoding it
 * would make an escape that nobody sent: "%%32e" must not become "%2e". */
static bool completes_escape(const struct writer *w, char c)
{
    if (hex_of(c) < 0)
        return false;
    return (w->n >= 1 && w->p[w->n - 1] == '%') ||
           (w->n >= 2 && w->p[w->n - 2] == '%' && hex_of(w->p[w->n - 1]) >= 0);
}

/* Writes what stands at the front of `rest`; returns the octets read, 0 for a NUL,
 * escaped or not. */
static size_t put_next(struct writer *w, struct str rest, enum url_normalize how)
{
    bool decode = how == URL_DECODE_AND_MERGE_SLASHES;
    int escaped = escape_of(rest);

    if (escaped == 0 || rest.p[0] == '\0')
        return 0;
    if (escaped > 0) {
        if (decode && (escaped == '/' || escaped == '\\'))
            put_slash(w);
        else if (path_octet[escaped] == UNRESERVED && !completes_escape(w, (char)escaped))
            w->p[w->n++] = (char)escaped;
        else
            w->n = (size_t)((char *)mempcpy(w->p + w->n, rest.p, 3) - w->p);
        return 3;
    }
    if (rest.p[0] == '/' || rest.p[0] == '\\')
        put_slash(w);
    else if (path_octet[(unsigned char)rest.p[0]] == ESCAPE)
        put_escaped(w, (unsigned char)rest.p[0]);
    else
        w->p[w->n++] = rest.p[0];
    return 1;
}

/* Envoy's order: dot segments are resolved first, "/a//../b" is "/a/b". */
static void merge_slashes(struct writer *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        if (w->p[i] != '/' || n == 0 || w->p[n - 1] != '/')
            w->p[n++] = w->p[i];
    }
    w->n = n;
}

bool url_path_normalize(struct str target, enum url_normalize how, struct arena *a, struct str *ret)
{
    struct str whole = str_sub(target, 0, str_find(target, '#'));
    size_t path_n = str_find(whole, '?');
    struct str path = str_sub(whole, 0, path_n), query = str_from(whole, path_n);
    struct writer w = { 0 };

    if (path.n == 0 || path.p[0] != '/')
        return false;
    if (how == URL_NONE || is_normal(path, how >= URL_MERGE_SLASHES)) {
        *ret = whole;
        return true;
    }
    w.p = arena_raw(a, path.n * 3 + query.n);
    for (size_t i = 0; i < path.n;) {
        size_t used = put_next(&w, str_from(path, i), how);

        if (used == 0)
            return false;
        i += used;
    }
    end_segment(&w);
    if (how >= URL_MERGE_SLASHES)
        merge_slashes(&w);
    if (query.n)
        memcpy(w.p + w.n, query.p, query.n);
    *ret = str_make(w.p, w.n + query.n);
    return true;
}

void url_path_split(struct str target, struct str *ret_path, struct str *ret_query)
{
    size_t mark = str_find(target, '?');

    *ret_query = mark < target.n ? str_from(target, mark + 1) : STR_NONE;
    *ret_path = str_sub(target, 0, mark);
}

struct str url_query_get(struct str query, struct str name)
{
    while (str_is_set(query)) {
        struct str one = str_cut(&query, '&');
        size_t equals = str_find(one, '=');

        if (str_eq(str_sub(one, 0, equals), name))
            return equals < one.n ? str_from(one, equals + 1) : STR("");
    }
    return STR_NONE;
}

static const bool
    authority_octet[256] = {
        ['!'] = true,         ['$'] = true, ['%'] = true, ['&' ... '.'] = true,
        ['0' ... '9'] = true, [':'] = true, [';'] = true, ['='] = true,
        ['A' ... 'Z'] = true, ['['] = true, [']'] = true, ['_'] = true,
        ['a' ... 'z'] = true, ['~'] = true,
    };

bool url_authority_is_valid(struct str authority)
{
    for (size_t i = 0; i < authority.n; i++) {
        if (!authority_octet[(unsigned char)authority.p[i]])
            return false;
    }
    return authority.n > 0;
}

struct str url_host_of(struct str authority)
{
    size_t colon = str_rfind(authority, ':');

    if (str_find(str_from(authority, colon), ']') < authority.n - colon)
        return authority; /* a colon of an IPv6 address */
    return str_sub(authority, 0, colon);
}

bool url_authority_parse(struct str authority, struct url_authority *ret)
{
    struct url_authority got = { .host = url_host_of(authority), .port = -1 };
    struct str port = str_from(authority, got.host.n + 1);
    uint64_t number = 0;
    struct addr address;

    if (!url_authority_is_valid(authority) || got.host.n == 0)
        return false;
    if (port.n) {
        if (!str_u64(port, &number) || number > UINT16_MAX)
            return false;
        got.port = (int32_t)number;
    }
    if (got.host.p[0] == '[') {
        if (got.host.n < 3 || got.host.p[got.host.n - 1] != ']')
            return false;
        got.host = str_sub(got.host, 1, got.host.n - 2);
        got.is_ipv6 = true;
        if (!addr_parse_ip(got.host, &address) || address.family != 6)
            return false;
    } else if (str_find(got.host, ':') < got.host.n || str_find(got.host, '[') < got.host.n ||
               str_find(got.host, ']') < got.host.n) {
        return false;
    }
    *ret = got;
    return true;
}

struct str url_lower(struct str host, struct arena *a)
{
    char *copy;

    if (!str_has_capital(host))
        return host;
    copy = arena_raw(a, host.n);
    for (size_t i = 0; i < host.n; i++)
        copy[i] = ascii_lower(host.p[i]);
    return str_make(copy, host.n);
}
