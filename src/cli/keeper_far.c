#include "cli/keeper_far.h"

#include "cli/keeper_int.h"
#include "cli/sealed.h"

#include <unistd.h>

/* ---- asking ---- */

struct keeper *keeper_far(int take_asks, uint32_t group)
{
    struct keeper *k = keeper_new(group);

    k->asks = take_asks;
    return k;
}

static enum err ask(const struct keeper *k, struct message *m, const int *fds, size_t n,
                    struct message_fds *ret_fds)
{
    uint32_t kind = m->kind;

    if (link_send(k->asks, m, fds, n, true) != ERR_OK ||
        link_receive(k->asks, m, ret_fds, true) != ERR_OK)
        return ERR_IO;
    MUST(m->kind == kind);
    return (enum err)m->number;
}

uint16_t far_recall(struct keeper *k, const struct addr *bind, uint16_t stands_for)
{
    struct message m = { .kind = MSG_RECALL, .number = stands_for, .addrs = { *bind } };
    struct message_fds none;

    return ask(k, &m, NULL, 0, &none) == ERR_OK ? m.addrs[0].port : 0;
}

enum err far_hold(struct keeper *k, struct addr *addr, uint16_t stands_for, uint64_t round)
{
    struct message m = {
        .kind = MSG_HOLD, .number = stands_for, .round = round, .addrs = { *addr }
    };
    struct message_fds none;
    enum err e = ask(k, &m, NULL, 0, &none);

    if (e == ERR_OK)
        *addr = m.addrs[0];
    return e;
}

enum err far_take(struct keeper *k, const struct addr *addr, int *ret_fds)
{
    struct message m = { .kind = MSG_TAKE, .addrs = { *addr } };
    struct message_fds fds;
    enum err e = ask(k, &m, NULL, 0, &fds);

    if (e != ERR_OK)
        return e;
    MUST(fds.n == k->group);
    memcpy(ret_fds, fds.v, fds.n * sizeof(int));
    return ERR_OK;
}

void far_sweep(struct keeper *k, const struct addr *used, size_t n, uint64_t round)
{
    struct message m = { .kind = MSG_SWEEP, .round = round, .number = (uint32_t)n };
    struct message_fds none;
    int fd = sealed_new(str_make((const char *)used, n * sizeof(*used)));

    if (fd < 0) /* sockets stay until the next sweep */
        return;
    (void)ask(k, &m, &fd, 1, &none);
    close(fd);
}

/* ---- answering ---- */

/* One that is gone needs none; false: it asks and does not read. */
static bool answer(int asks, const struct message *m, const int *fds, size_t n)
{
    return link_send(asks, m, fds, n, false) != ERR_AGAIN;
}

static bool take(const struct keeper *k, int asks, struct message *m)
{
    int fds[LIVE_WORKERS_MAX];
    bool found = keeper_lend(k, &m->addrs[0], fds);

    m->number = found ? ERR_OK : ERR_NOT_FOUND;
    return answer(asks, m, fds, found ? k->group : 0);
}

static bool sweep(struct keeper *k, const struct message *m, const struct message_fds *fds)
{
    struct str octets;

    if (fds->n != 1 || !sealed_map(fds->v[0], &octets))
        return false;
    if (octets.n == m->number * sizeof(struct addr))
        keeper_sweep(k, (const struct addr *)(const void *)octets.p, m->number, m->round);
    sealed_unmap(octets);
    return true;
}

bool keeper_answer(struct keeper *k, int asks, const struct message *m,
                   const struct message_fds *fds, bool may_open)
{
    struct message said = *m;
    uint16_t stands_for = (uint16_t)m->number;

    switch (m->kind) {
    case MSG_HOLD:
        said.number = may_open ? keeper_hold(k, &said.addrs[0], stands_for, m->round) : ERR_ACCESS;
        return answer(asks, &said, NULL, 0);
    case MSG_RECALL:
        said.number = ERR_OK;
        said.addrs[0].port = keeper_recall(k, &m->addrs[0], stands_for);
        return answer(asks, &said, NULL, 0);
    case MSG_TAKE:
        return take(k, asks, &said);
    case MSG_SWEEP:
        said.number = ERR_OK;
        return sweep(k, m, fds) && answer(asks, &said, NULL, 0);
    default:
        return false;
    }
}
