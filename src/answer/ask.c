#include "answer/ask.h"

#include "base/addr.h"
#include "codec/method.h"
#include "codec/url.h"

static bool fail(struct str *ret_why, struct str why)
{
    *ret_why = why;
    return false;
}

static bool parse_authority(struct ask *q, struct arena *a, struct str *ret_why)
{
    struct url_authority got;
    struct addr ip;

    if (!url_authority_parse(q->authority, &got) || got.port == 0)
        return fail(ret_why, arena_printf(a, "\"%.*s\" is no host", STRF(q->authority)));
    q->host = url_lower(got.host, a);
    q->port = got.port < 0 ? (q->is_tls ? 443 : 80) : (uint16_t)got.port;
    if (q->is_tls && !addr_parse_ip(q->host, &ip))
        q->sni = q->host;
    return true;
}

static bool parse_url(struct ask *q, struct str url, struct arena *a, struct str *ret_why)
{
    size_t scheme = str_find_str(url, STR("://"));
    struct str rest = scheme < url.n ? str_from(url, scheme + 3) : url;
    size_t end = 0;

    q->is_tls = scheme < url.n && str_eq_nocase(str_sub(url, 0, scheme), STR("https"));
    if (scheme < url.n && !q->is_tls && !str_eq_nocase(str_sub(url, 0, scheme), STR("http")))
        return fail(ret_why,
                    arena_printf(a, "the scheme of \"%.*s\" is neither http nor https", STRF(url)));
    while (end < rest.n && !strchr("/?#", rest.p[end]))
        end++;
    q->authority = str_sub(rest, 0, end);
    q->target = str_from(rest, end);
    q->target = str_sub(q->target, 0, str_find(q->target, '#'));
    if (!q->target.n || q->target.p[0] != '/')
        q->target = arena_printf(a, "/%.*s", STRF(q->target));
    for (size_t i = 0; i < q->target.n; i++) {
        if ((unsigned char)q->target.p[i] <= ' ' || q->target.p[i] == 0x7f)
            return fail(ret_why, STR("a URL has no spaces and no control characters"));
    }
    q->url = arena_printf(a, "%s://%.*s%.*s", q->is_tls ? "https" : "http", STRF(q->authority),
                          STRF(q->target));
    return parse_authority(q, a, ret_why);
}

/* What belongs to the hop never reaches a matcher. */
static bool is_hop_header(struct str name)
{
    static const struct str names[] = { STR_INIT("connection"),       STR_INIT("transfer-encoding"),
                                        STR_INIT("content-length"),   STR_INIT("keep-alive"),
                                        STR_INIT("proxy-connection"), STR_INIT("te") };

    for (size_t i = 0; i < LEN(names); i++) {
        if (str_eq_nocase(name, names[i]))
            return true;
    }
    return false;
}

static bool parse_header(struct ask *q, struct str line, struct arena *a, struct str *ret_why)
{
    size_t colon = str_find(line, ':');
    struct str name = str_trim(str_sub(line, 0, colon)),
               value = str_trim(str_from(line, colon + 1));

    if (colon == line.n || !header_name_is_valid(name) || !header_value_is_valid(value))
        return fail(ret_why,
                    arena_printf(a, "\"%.*s\" is no header; -H 'name: value'", STRF(line)));
    if (str_eq_nocase(name, STR("host"))) {
        if (!url_authority_is_valid(value))
            return fail(ret_why, arena_printf(a, "\"%.*s\" is no host", STRF(value)));
        q->authority = value;
    } else if (str_eq_nocase(name, STR("upgrade"))) {
        q->upgrade = value;
    } else if (!is_hop_header(name)) {
        headers_add(&q->headers, a, name, value);
    }
    return true;
}

bool ask_parse(struct str method, struct str url, const struct str *lines, size_t n,
               struct arena *a, struct ask *ret, struct str *ret_why)
{
    struct ask q = { .method = method.n ? method : STR("GET") };

    if (method_of(q.method) == METHOD_UNKNOWN)
        return fail(ret_why, arena_printf(a, "\"%.*s\" is no method; methods are in capitals",
                                          STRF(q.method)));
    if (!parse_url(&q, url, a, ret_why))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!parse_header(&q, lines[i], a, ret_why))
            return false;
    }
    *ret = q;
    return true;
}

struct head *ask_head(const struct ask *q, struct arena *a)
{
    struct head *head = head_new(a);

    head->version = HTTP_11;
    head->method = q->method;
    head->authority = q->authority;
    head->path = q->target;
    head->upgrade = q->upgrade;
    headers_add(&head->headers, a, STR("host"), q->authority);
    headers_copy(&head->headers, a, &q->headers);
    return head;
}
