#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

socklen_t sockaddr_of_addr(const struct addr *a, struct sockaddr_storage *out)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };

    MUST(addr_is_set(a));
    if (a->family == 4) {
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    memcpy(&in6.sin6_addr, a->ip, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

static struct addr addr_of_in6(const struct sockaddr_in6 *in6)
{
    struct addr a = { .port = ntohs(in6->sin6_port) };

    if (memcmp(&in6->sin6_addr, v4_mapped, sizeof(v4_mapped)) == 0) {
        a.family = 4;
        memcpy(a.ip, (const char *)&in6->sin6_addr + 12, 4);
    } else {
        a.family = 6;
        memcpy(a.ip, &in6->sin6_addr, 16);
    }
    return a;
}

struct addr sockaddr_to_addr(const struct sockaddr_storage *s)
{
    struct addr a = { 0 };
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (s->ss_family == AF_INET) {
        memcpy(&in, s, sizeof(in));
        a.family = 4;
        a.port = ntohs(in.sin_port);
        memcpy(a.ip, &in.sin_addr, 4);
    } else if (s->ss_family == AF_INET6) {
        memcpy(&in6, s, sizeof(in6));
        a = addr_of_in6(&in6);
    }
    return a;
}

struct addr sockaddr_local(int fd)
{
    struct sockaddr_storage s = { 0 };
    socklen_t n = sizeof(s);

    if (getsockname(fd, (struct sockaddr *)&s, &n) != 0)
        return (struct addr){ 0 };
    return sockaddr_to_addr(&s);
}
