#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

bool addr_parse_ip(struct str s, struct addr *ret)
{
    char text[ADDR_TEXT_MAX];
    struct addr a = { 0 };

    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
        return false;
    str_copy(s, text, sizeof(text));
    if (inet_pton(AF_INET, text, a.ip) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, text, a.ip) == 1)
        a.family = 6;
    else
        return false;
    *ret = a;
    return true;
}

bool addr_parse(struct str s, struct addr *ret)
{
    size_t colon = str_rfind(s, ':');
    struct str ip = str_sub(s, 0, colon);
    uint64_t port;
    struct addr a;

    if (colon == s.n || !str_u64(str_from(s, colon + 1), &port) || port > 65535)
        return false;
    if (ip.n > 2 && ip.p[0] == '[' && ip.p[ip.n - 1] == ']')
        ip = str_sub(ip, 1, ip.n - 2);
    else if (str_find(ip, ':') < ip.n)
        return false;
    if (!addr_parse_ip(ip, &a))
        return false;
    a.port = (uint16_t)port;
    *ret = a;
    return true;
}

struct str addr_format_ip(const struct addr *a, char out[static ADDR_TEXT_MAX])
{
    if (!addr_is_set(a) ||
        !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, out, ADDR_TEXT_MAX))
        return STR_NONE;
    return str_of(out);
}

struct str addr_format(const struct addr *a, char out[static ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];

    if (!addr_is_set(a))
        return STR_NONE;
    addr_format_ip(a, ip);
    snprintf(out, ADDR_TEXT_MAX, a->family == 4 ? "%s:%u" : "[%s]:%u", ip, a->port);
    return str_of(out);
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}
