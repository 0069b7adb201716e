/*
 * bench/relay - the floor of the comparisons: moves octets between a client and the backend and
 * understands nothing.
 *
 *     bench-relay PORT BACKEND-PORT
 *
 * One thread, 127.0.0.1, a connection to the backend for each client. No proxy with
 * one message each way can cost less.
 */
#include "bench/far.h"

#include <sys/ioctl.h>

#define BUFFER (64 * 1024)

/* One side. Octets read here wait in `octets` until the other side has taken them. */
struct side {
    struct far far;
    struct side *other;
    size_t n, sent;
    char *octets;
};

static int backend_port;

/* Reads from one side and writes to the other until one of them has to wait. False: ended. */
static bool move(struct side *from)
{
    for (;;) {
        ssize_t n;

        while (from->sent < from->n) {
            n = send(from->other->far.fd, from->octets + from->sent, from->n - from->sent,
                     MSG_NOSIGNAL);
            if (n < 0)
                return errno == EAGAIN;
            from->sent += (size_t)n;
        }
        n = recv(from->far.fd, from->octets, BUFFER, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        from->n = (size_t)n;
        from->sent = 0;
        if (from->n < BUFFER) { /* the socket is empty: told again when it is not */
            n = send(from->other->far.fd, from->octets, from->n, MSG_NOSIGNAL);
            if (n == (ssize_t)from->n) {
                from->sent = from->n;
                return true;
            }
            from->sent = n > 0 ? (size_t)n : 0;
        }
    }
}

/* The sides end together: the loop frees the one that runs, and the other one at its next event. */
static bool gone_run(struct far *far)
{
    free(((struct side *)far)->octets);
    return false;
}

static bool relay_run(struct far *far)
{
    struct side *s = (struct side *)far;

    /* The event may be room to write for what the other side has read; else there is nothing to ask
     * it for. */
    if (move(s) && (s->other->sent == s->other->n || move(s->other)))
        return true;
    s->other->far.run = gone_run;
    shutdown(s->other->far.fd, SHUT_RDWR);
    return gone_run(far);
}

static bool relay_first(struct far *far)
{
    struct side *down = (struct side *)far, *up = calloc(1, sizeof(*up));
    struct sockaddr_in address = far_address(backend_port);

    up->far.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(up->far.fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        far_die("connect");
    far_nodelay(up->far.fd);
    if (ioctl(up->far.fd, FIONBIO, &(int){ 1 }) != 0)
        far_die("ioctl");
    up->other = down;
    down->other = up;
    up->octets = malloc(BUFFER);
    down->octets = malloc(BUFFER);
    up->far.run = down->far.run = relay_run;
    far_watch(&up->far);
    return relay_run(far);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench-relay PORT BACKEND-PORT\n");
        return 64;
    }
    backend_port = atoi(argv[2]);
    far_listen(atoi(argv[1]), sizeof(struct side), relay_first);
    far_loop();
}
