#include "cli/role.h"

#include "cli/exit.h"
#include "cli/role_int.h"
#include "cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VARIABLE "LATEEN_ROLE"

static const char *const names[] = {
    [ROLE_NONE] = "keeper", [ROLE_CONTROL] = "control", [ROLE_DATA] = "data"
};

const char *role_name(enum role_kind kind)
{
    return names[kind];
}

/* ---- from the keeper to its child ---- */

/* "data 5 6 1234": role, descriptors of orders and asks, the keeper. */
void role_to_environment(enum role_kind kind, int orders, int asks, pid_t keeper)
{
    char text[64];

    snprintf(text, sizeof(text), "%s %d %d %d", names[kind], orders, asks, (int)keeper);
    setenv(VARIABLE, text, 1);
}

static bool take_number(struct str *text, uint64_t *ret)
{
    return str_u64(str_cut(text, ' '), ret) && *ret <= INT32_MAX;
}

static bool is_link(uint64_t fd)
{
    int type = 0;
    socklen_t n = sizeof(type);

    return getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET &&
           fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool role_from_environment(struct role *ret)
{
    struct str text = str_of(getenv(VARIABLE));
    struct str name = str_cut(&text, ' ');
    uint64_t orders, asks, keeper;

    *ret = (struct role){ .kind = ROLE_NONE };
    if (!str_is_set(name))
        return true;
    if (!take_number(&text, &orders) || !take_number(&text, &asks) ||
        !take_number(&text, &keeper) || (pid_t)keeper != getppid() || !is_link(orders) ||
        !is_link(asks))
        return false;
    unsetenv(VARIABLE);
    ret->kind = str_eq(name, STR("data")) ? ROLE_DATA : ROLE_CONTROL;
    ret->orders = (int)orders;
    ret->asks = (int)asks;
    return true;
}

/* ---- the process ---- */

static void keeper_gone(struct link *l, enum err why)
{
    (void)why;
    link_close(l);
    _exit(EXIT_FAILED); /* as its death would end this process anyway */
}

bool station_open(struct station *s, const struct role *role)
{
    s->loop = loop_new(NULL);
    s->asks = role->asks;
    s->exit_code = EXIT_FINE;
    s->orders.ended = keeper_gone;
    return link_open(&s->orders, s->loop, role->orders);
}

void station_tell(const struct station *s, const struct message *m, const int *fds, size_t n)
{
    if (s->orders.fd >= 0 && link_send(s->orders.fd, m, fds, n, true) != ERR_OK)
        _exit(EXIT_FAILED); /* the keeper is gone */
}

void station_leave(struct station *s, int exit_code)
{
    s->exit_code = exit_code;
    loop_stop(s->loop);
}

void station_close(struct station *s)
{
    link_close(&s->orders);
    loop_free(s->loop);
}

int role_run(const struct role *role, const struct run_options *o)
{
    char name[16];

    snprintf(name, sizeof(name), "lateen-%s", names[role->kind]);
    prctl(PR_SET_NAME, name);
    /* exec has kept it unless the file has capabilities; a keeper that is gone is seen by its
     * end of the links */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signals_block(); /* they are the keeper's, also those of a terminal */
    if (role->kind == ROLE_DATA)
        return role_data_run(role, o);
    return role_control_run(role, o);
}
