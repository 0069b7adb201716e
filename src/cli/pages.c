#include "cli/pages.h"

#include "cli/say.h"
#include "net/listen.h"

#include <unistd.h>

#define PORT_TRIES 50

static const struct {
    const char *flag;
    uint8_t ip[4];
    uint16_t port;
} page_defaults[ADMIN_PORTS] = {
    [ADMIN_PAGES] = { "admin", { 127, 0, 0, 1 }, 15000 },
    [ADMIN_HEALTH] = { "health", { 0, 0, 0, 0 }, 15021 },
    [ADMIN_METRICS] = { "metrics", { 0, 0, 0, 0 }, 15090 },
};

static const struct flag_addr *page_flag(const struct run_options *o, enum admin_port which)
{
    const struct flag_addr *flags[] = {
        [ADMIN_PAGES] = &o->admin, [ADMIN_HEALTH] = &o->health, [ADMIN_METRICS] = &o->metrics
    };

    return flags[which];
}

static struct addr page_default(const struct run_options *o, enum admin_port which)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    struct addr a = { .family = 4, .port = page_defaults[which].port };

    memcpy(a.ip, o->dev ? loopback : page_defaults[which].ip, 4);
    return a;
}

/* In --dev a default port that is taken moves to the next free one (surface.md 2.2). */
static enum err page_listen(struct addr *addr, int *ret_fd, bool moves)
{
    enum err e = listen_open(addr, ret_fd, 1);

    for (int i = 0; i < PORT_TRIES && e != ERR_OK && moves; i++) {
        addr->port++;
        e = listen_open(addr, ret_fd, 1);
    }
    return e;
}

static bool page_open(struct pages *p, const struct run_options *o, enum admin_port which)
{
    const struct flag_addr *flag = page_flag(o, which);
    struct addr addr = flag->is_set ? flag->addr : page_default(o, which);
    char text[ADDR_TEXT_MAX];
    enum err e;

    if (flag->is_off)
        return true;
    e = page_listen(&addr, &p->fds[which], o->dev && !flag->is_set);
    if (e != ERR_OK) {
        p->fds[which] = -1;
        say_err("lateen run: cannot listen on %.*s: %s; --%s ADDR:PORT binds another, "
                "--%s off none\n",
                STRF(addr_format(&addr, text)), err_text(e), page_defaults[which].flag,
                page_defaults[which].flag);
        return false;
    }
    p->addrs[which] = addr;
    return true;
}

bool pages_open(struct pages *p, const struct run_options *o)
{
    for (enum admin_port which = 0; which < ADMIN_PORTS; which++) {
        if (!page_open(p, o, which))
            return false;
    }
    return true;
}

void pages_close(struct pages *p)
{
    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        if (p->fds[i] >= 0)
            close(p->fds[i]);
        p->fds[i] = -1;
    }
}
