#include "cli/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void notify_send(struct str state)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    struct str path = str_of(getenv("NOTIFY_SOCKET"));
    socklen_t n;
    ssize_t sent;
    int fd;

    if (path.n < 2 || path.n >= sizeof(to.sun_path) || (path.p[0] != '/' && path.p[0] != '@'))
        return;
    memcpy(to.sun_path, path.p, path.n);
    if (path.p[0] == '@') /* the abstract name space */
        to.sun_path[0] = '\0';
    n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sent = sendto(fd, state.p, state.n, MSG_NOSIGNAL, (struct sockaddr *)&to, n);
    (void)sent; /* whoever asked to be told is gone */
    close(fd);
}

void notify_reloading(void)
{
    struct timespec t;
    char text[96];
    int n;

    clock_gettime(CLOCK_MONOTONIC, &t);
    n = snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
                 (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
    notify_send(str_make(text, (size_t)n));
}

uint64_t notify_watchdog_ms(void)
{
    struct str pid = str_of(getenv("WATCHDOG_PID"));
    uint64_t usec, who;

    if (!str_u64(str_of(getenv("WATCHDOG_USEC")), &usec))
        return 0;
    if (pid.n && (!str_u64(pid, &who) || who != (uint64_t)getpid()))
        return 0;
    return usec / 2000;
}
