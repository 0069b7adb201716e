/*
 * bench/surge - clients that do not wait for each other: RATE requests a second come whatever
 * became of those before, and each is given up DEADLINE milliseconds after it came.
 *
 *     bench-surge PORT RATE SECONDS DEADLINE [CONNECTIONS]
 *
 * One thread, 127.0.0.1, HTTP/1.1. A request takes the connection that was used last, or dials
 * when none is free and fewer than CONNECTIONS (10000) are open; who gives up closes his. Prints
 * requests, and of them: good (200 in time), refused (503 in time), late (given up), broken
 * (closed, refused or reset), none (no connection free); then connections dialled, and the median
 * and the 99th of a hundred of what good ones took, in milliseconds.
 */
#include "bench/far.h"

#include <time.h>

struct client {
    struct far far;
    struct client *next, *before; /* among the idle, or among those under way by age */
    uint64_t came_ns;
    bool is_waiting;
    size_t n;
    char answer[4096];
};

struct ends {
    struct client first; /* of a ring */
};

static const char request[] = "GET / HTTP/1.1\r\nhost: surge\r\n\r\n";
static struct ends idle, waiting;
static uint64_t asked, good, refused, late, broken, none, dialled, open_now, *took;
static int port;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void leave(struct client *c)
{
    c->next->before = c->before;
    c->before->next = c->next;
}

static void enter(struct ends *at, struct client *c)
{
    c->next = &at->first;
    c->before = at->first.before;
    c->before->next = c;
    at->first.before = c;
}

static void ring(struct ends *at)
{
    at->first.next = at->first.before = &at->first;
}

static bool end(struct client *c, uint64_t *counter)
{
    leave(c);
    open_now--;
    if (c->is_waiting)
        ++*counter;
    return false;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* A whole answer is there. */
static bool answered(struct client *c, size_t whole)
{
    bool stays = !strcasestr(c->answer, "\r\nconnection: close") && c->n == whole;

    if (strncmp(c->answer + 9, "200", 3) == 0)
        took[good++] = now_ns() - c->came_ns;
    else
        refused++;
    c->is_waiting = false;
    c->n = 0;
    if (!stays)
        return end(c, &broken);
    leave(c);
    enter(&idle, c);
    return true;
}

static bool run(struct far *far)
{
    struct client *c = (struct client *)far;
    ssize_t n = recv(far->fd, c->answer + c->n, sizeof(c->answer) - 1 - c->n, 0);
    const char *body, *length;
    size_t whole;

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0)
        return end(c, &broken);
    c->n += (size_t)n;
    c->answer[c->n] = '\0';
    body = strstr(c->answer, "\r\n\r\n");
    length = strcasestr(c->answer, "\r\ncontent-length:");
    whole = body ? (size_t)(body + 4 - c->answer) + (length ? strtoull(length + 17, NULL, 10) : 0)
                 : SIZE_MAX;
    return c->n < whole || answered(c, whole);
}

static struct client *dial(void)
{
    struct sockaddr_in address = far_address(port);
    struct client *c = calloc(1, sizeof(*c));

    c->far.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    c->far.run = run;
    if (c->far.fd < 0 || (connect(c->far.fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
                          errno != EINPROGRESS)) {
        if (c->far.fd >= 0)
            close(c->far.fd);
        free(c);
        return NULL;
    }
    dialled++;
    open_now++;
    far_nodelay(c->far.fd);
    return c;
}

/* A dialled one sends when it is connected. */
static bool first_run(struct far *far)
{
    struct client *c = (struct client *)far;

    if (send(far->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
        far->run = run;
    else if (errno != EAGAIN && errno != ENOTCONN)
        return end(c, &broken);
    return true;
}

static void ask(size_t max)
{
    struct client *c = idle.first.before;
    bool fresh = c == &idle.first;

    asked++;
    if (!fresh) {
        leave(c);
    } else if (open_now >= max || !(c = dial())) {
        none++;
        return;
    }
    c->came_ns = now_ns();
    c->is_waiting = true;
    enter(&waiting, c);
    if (fresh) {
        c->far.run = first_run;
        far_watch(&c->far);
    } else {
        (void)send(c->far.fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
    }
}

static void give_up(uint64_t before_ns)
{
    while (waiting.first.next != &waiting.first && waiting.first.next->came_ns < before_ns) {
        struct client *c = waiting.first.next;

        end(c, &late);
        close(c->far.fd);
        free(c);
    }
}

/* Looked at before those who gave up are freed. */
static void look(int timeout_ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(far_epoll, events, 256, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct far *far = events[i].data.ptr;

        if (!far->run(far)) {
            close(far->fd);
            free(far);
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t begin = now_ns(), rate, length, deadline;
    size_t max;

    if (argc < 5) {
        fprintf(stderr, "usage: bench-surge PORT RATE SECONDS DEADLINE [CONNECTIONS]\n");
        return 64;
    }
    port = atoi(argv[1]);
    rate = strtoull(argv[2], NULL, 10);
    length = strtoull(argv[3], NULL, 10) * 1000000000u;
    deadline = strtoull(argv[4], NULL, 10) * 1000000u;
    max = argc > 5 ? strtoull(argv[5], NULL, 10) : 10000;
    took = calloc(rate * (length / 1000000000u + 1) + 1, sizeof(*took));
    far_epoll = epoll_create1(0);
    ring(&idle);
    ring(&waiting);
    for (uint64_t now = begin; now < begin + length; now = now_ns()) {
        for (uint64_t due = (now - begin) / 1000 * rate / 1000000; asked < due;)
            ask(max);
        look(1);
        give_up(now_ns() - deadline);
    }
    while (waiting.first.next != &waiting.first) {
        look(1);
        give_up(now_ns() - deadline);
    }
    qsort(took, good, sizeof(*took), compare);
    printf("asked %lu good %lu refused %lu late %lu broken %lu none %lu dialled %lu p50 %.1f p99 "
           "%.1f\n",
           asked, good, refused, late, broken, none, dialled, (double)took[good / 2] / 1e6,
           (double)took[good ? good * 99 / 100 : 0] / 1e6);
    return 0;
}
