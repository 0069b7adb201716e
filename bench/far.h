/*
 * bench/far - what the benchmarks' own little servers share: an edge-triggered epoll loop over
 * blocking-free sockets of 127.0.0.1. Nothing of Lateen is in it.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* The first member of what a server knows of a connection; all of it is zero at first. */
struct far {
    int fd;
    bool (*run)(struct far *far); /* something happened; false: close and free it */
};

static int far_epoll = -1;

static inline void far_die(const char *what)
{
    perror(what);
    exit(1);
}

static inline void far_watch(struct far *far)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              .data.ptr = far };

    if (epoll_ctl(far_epoll, EPOLL_CTL_ADD, far->fd, &ev) != 0)
        far_die("epoll_ctl");
}

static inline void far_nodelay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static inline struct sockaddr_in far_address(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static size_t far_size;
static bool (*far_run)(struct far *far);

static inline bool far_accept(struct far *listener)
{
    int fd;

    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct far *far = calloc(1, far_size);

        far_nodelay(fd);
        far->fd = fd;
        far->run = far_run;
        far_watch(far);
    }
    return true;
}

/* Each connection gets `size` octets that begin with a struct far, and `run`. */
static inline void far_listen(int port, size_t size, bool (*run)(struct far *far))
{
    struct sockaddr_in address = far_address(port);
    struct far *listener = calloc(1, sizeof(*listener));
    int one = 1;

    far_size = size;
    far_run = run;
    far_epoll = epoll_create1(0);
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    listener->run = far_accept;
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener->fd, 4096) != 0)
        far_die("listen");
    far_watch(listener);
}

__attribute__((noreturn)) static inline void far_loop(void)
{
    struct epoll_event events[256];

    for (;;) {
        int n = epoll_wait(far_epoll, events, 256, -1);

        for (int i = 0; i < n; i++) {
            struct far *far = events[i].data.ptr;

            if (!far->run(far)) {
                close(far->fd);
                free(far);
            }
        }
    }
}
