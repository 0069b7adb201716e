#include "api/check.h"

#include "base/addr.h"
#include "codec/regex.h"

#include <ctype.h>

#define WHY(...) (buf_printf(why, __VA_ARGS__), false)
#define SHOW(s) STRF(str_sub(s, 0, 80))

static bool all(struct str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && (!s.p[i] || !strchr(more, s.p[i])))
            return false;
    return true;
}

static bool has_upper(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (isupper((unsigned char)s.p[i]))
            return true;
    return false;
}

static bool is_edge(char c)
{
    return isalnum((unsigned char)c) != 0;
}

static bool is_dns_label(struct str s)
{
    return s.n > 0 && s.n <= 63 && all(s, "-") && is_edge(s.p[0]) && is_edge(s.p[s.n - 1]);
}

static bool is_label_text(struct str s)
{
    return s.n <= 63 && (s.n == 0 || (all(s, "-_.") && is_edge(s.p[0]) && is_edge(s.p[s.n - 1])));
}

bool api_check_regex(struct str value, struct buf *why)
{
    struct regex *r;
    struct buf error;

    if (value.n > REGEX_PATTERN_MAX)
        return WHY("a regex may have %d octets, this one has %zu: shorten it", REGEX_PATTERN_MAX,
                   value.n);
    buf_init(&error, 512);
    r = regex_new(value, &error);
    if (!r)
        buf_printf(why, "not a regex in RE2's syntax: %.*s", STRF(buf_str(&error)));
    buf_fini(&error);
    regex_free(r);
    return r != NULL;
}

bool api_check_dns_label(struct str value, struct buf *why)
{
    if (value.n == 0 || (is_dns_label(value) && !has_upper(value)))
        return true;
    return WHY("\"%.*s\" is no DNS label: use lower-case letters, digits and -, at most 63",
               SHOW(value));
}

bool api_check_dns_subdomain(struct str value, struct buf *why)
{
    struct str rest = value;

    if (value.n == 0)
        return true;
    while (str_is_set(rest) && value.n <= 253) {
        struct str label = str_cut(&rest, '.');

        if (label.n == 0 || !all(label, "-") || has_upper(label) || !is_edge(label.p[0]) ||
            !is_edge(label.p[label.n - 1]))
            return WHY("\"%.*s\" is no DNS name: use lower-case letters, digits, - and .",
                       SHOW(value));
    }
    return value.n <= 253 ||
           WHY("a name may have 253 octets, this one has %zu: shorten it", value.n);
}

bool api_check_label_key(struct str value, struct buf *why)
{
    size_t slash = str_find(value, '/');
    struct str name = slash < value.n ? str_from(value, slash + 1) : value;

    if (name.n && is_label_text(name) &&
        (slash == value.n || api_check_dns_subdomain(str_sub(value, 0, slash), why)))
        return true;
    why->n = 0;
    return WHY("\"%.*s\" is no label key: use [prefix/]name of letters, digits, -, _ and .",
               SHOW(value));
}

bool api_check_label_value(struct str value, struct buf *why)
{
    if (is_label_text(value))
        return true;
    return WHY("\"%.*s\" is no label value: use at most 63 letters, digits, -, _ and .",
               SHOW(value));
}

bool api_check_selector_key(struct str value, struct buf *why)
{
    if (str_find(value, '*') < value.n)
        return WHY("a wildcard (*) has no meaning in a selector's key: name the label");
    return api_check_label_key(value, why);
}

bool api_check_selector_value(struct str value, struct buf *why)
{
    if (str_find(value, '*') < value.n)
        return WHY("a wildcard (*) has no meaning in a selector: write the label's value");
    return api_check_label_value(value, why);
}

bool api_check_subset(struct str value, struct buf *why)
{
    if (value.n == 0 || is_dns_label(value))
        return true;
    return WHY("\"%.*s\" is no subset name: use letters, digits and - only%s", SHOW(value),
               str_find(value, '.') < value.n ? " (no dot)" : "");
}

bool api_check_header_name(struct str value, struct buf *why)
{
    if (value.n && all(value, "!#$%&'*+-.^_`|~"))
        return true;
    return WHY("\"%.*s\" is no header name", SHOW(value));
}

bool api_check_ip(struct str value, struct buf *why)
{
    struct addr addr;

    return addr_parse_ip(value, &addr) || WHY("\"%.*s\" is no IP address", SHOW(value));
}

bool api_check_cidr(struct str value, struct buf *why)
{
    size_t slash = str_find(value, '/');
    struct addr addr;
    uint64_t bits;

    if (addr_parse_ip(str_sub(value, 0, slash), &addr) &&
        (slash == value.n ||
         (str_u64(str_from(value, slash + 1), &bits) && bits <= (addr.family == 4 ? 32 : 128))))
        return true;
    return WHY("\"%.*s\" is neither an IP address nor a CIDR such as 10.0.0.0/8", SHOW(value));
}

static bool is_one_of(struct str value, const char *const *names)
{
    for (; *names; names++)
        if (str_eq_nocase(value, str_of(*names)))
            return true;
    return false;
}

bool api_check_gw_protocol(struct str value, struct buf *why)
{
    static const char *const names[] = { "HTTP", "HTTPS", "GRPC",  "GRPC-WEB", "HTTP2", "MONGO",
                                         "TCP",  "TLS",   "REDIS", "MYSQL",    NULL };

    if (value.n == 0 || is_one_of(value, names))
        return true;
    return WHY("\"%.*s\" is none of HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP, TLS, REDIS, "
               "MYSQL",
               SHOW(value));
}

bool api_check_se_protocol(struct str value, struct buf *why)
{
    static const char *const names[] = { "HTTP",  "HTTPS", "GRPC", "GRPC-WEB", "HTTP2",
                                         "MONGO", "TCP",   "TLS",  "REDIS",    "HTTP_PROXY",
                                         "UDP",   "MYSQL", NULL };

    if (value.n == 0 || is_one_of(value, names))
        return true;
    return WHY("\"%.*s\" is none of HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP, TLS, REDIS, "
               "MYSQL, UDP",
               SHOW(value));
}

bool api_check_port_name(struct str value, struct buf *why)
{
    if (value.n <= 63 && all(value, "-") && !has_upper(value) &&
        (value.n == 0 || (is_edge(value.p[0]) && is_edge(value.p[value.n - 1]))))
        return true;
    return WHY("\"%.*s\" is no port name: use lower-case letters, digits and -", SHOW(value));
}

bool api_check_data_key(struct str value, struct buf *why)
{
    if (value.n && value.n <= 253 && all(value, "-_."))
        return true;
    return WHY("\"%.*s\" is no key: use letters, digits, -, _ and .", SHOW(value));
}

bool api_check_https_url(struct str value, struct buf *why)
{
    if (value.n == 0 || str_starts(value, STR("https://")) || str_starts(value, STR("http://")))
        return true;
    return WHY("\"%.*s\" is no URL: write https://host/path", SHOW(value));
}

static bool is_numeric(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

bool api_check_fqdn(struct str name, struct buf *why)
{
    struct str rest = str_ends(name, STR(".")) ? str_sub(name, 0, name.n - 1) : name;
    struct str label = STR("");

    if (name.n == 0)
        return WHY("a host name is empty: write a name");
    if (name.n > 255)
        return WHY("a host name may have 255 octets, this one has %zu", name.n);
    while (str_is_set(rest)) {
        label = str_cut(&rest, '.');
        if (!is_dns_label(label))
            return WHY(
                "\"%.*s\" is no host name: \"%.*s\" is no DNS label%s", SHOW(name), SHOW(label),
                str_find(label, '*') < label.n ? " (a wildcard may only be the whole first label)"
                                               : "");
    }
    if (is_numeric(label))
        return WHY("\"%.*s\" is no host name: the last label is a number", SHOW(name));
    return true;
}

bool api_check_wildcard_fqdn(struct str name, struct buf *why)
{
    if (str_eq(name, STR("*")))
        return true;
    return api_check_fqdn(str_starts(name, STR("*.")) ? str_from(name, 2) : name, why);
}

void api_check_export_to(struct api_checker *c, const struct api_at *at,
                         const struct str_list *list, bool nobody_allowed)
{
    struct str own = c->o->meta->namespace;
    bool dot = false, literal = false, everybody = false;

    for (size_t i = 0; i < list->n; i++) {
        struct str v = list->v[i];
        struct api_spot spot = { at, "exportTo", (int64_t)i, STR_NONE, false };
        struct buf why;

        dot |= str_eq(v, STR("."));
        literal |= str_eq(v, own);
        everybody |= str_eq(v, STR("*")) || str_eq(v, STR("~"));
        if (str_eq(v, STR("*")) || str_eq(v, STR(".")) || (nobody_allowed && str_eq(v, STR("~"))))
            continue;
        buf_init(&why, 512);
        if (v.n == 0 || !api_check_dns_label(v, &why))
            api_error(c, spot, "\"%.*s\" is no namespace: write *, . or a name%s", SHOW(v),
                      str_eq(v, STR("~")) ? " (~ is for ServiceEntry only)" : "");
        buf_fini(&why);
    }
    if (dot && literal)
        api_error(c, (struct api_spot){ at, "exportTo", -1, STR_NONE, false },
                  "\".\" and the own namespace \"%.*s\" mean the same: remove one", STRF(own));
    if (everybody && list->n > 1)
        api_error(c, (struct api_spot){ at, "exportTo", -1, STR_NONE, false },
                  "\"*\" and \"~\" stand alone: remove the others");
}
