/*
 * bench/sink - the backend of the comparisons: cheaper than any server, so that the proxy in front
 * of it is what is measured.
 *
 *     bench-sink PORT
 *
 * One thread, 127.0.0.1. Answers each HTTP/1.1 request with 100 octets, or with 1 MiB where its
 * path begins with "/1m"; a body (with Content-Length) is read and thrown away. It trusts its
 * clients: not for a network.
 */
#include "bench/far.h"

#define HEAD_MAX 16384
#define BIG (1u << 20)

struct conn {
    struct far far;
    size_t n;         /* octets of a head so far */
    uint64_t skip;    /* octets of a body that still come */
    bool big;         /* what is to be answered behind it */
    size_t left;      /* octets of the answer under way */
    const char *from; /* where they are */
    char head[HEAD_MAX];
};

static char small_answer[512], *big_answer;
static size_t small_n, big_n;

static size_t make_answer(char *at, size_t body)
{
    int n = sprintf(
        at, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %zu\r\n\r\n", body);

    memset(at + n, 'x', body);
    return (size_t)n + body;
}

static uint64_t body_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");

    return at ? strtoull(at + 17, NULL, 10) : 0;
}

/* False: the connection is gone. */
static bool write_on(struct conn *c)
{
    while (c->left) {
        ssize_t n = send(c->far.fd, c->from, c->left, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN;
        c->from += n;
        c->left -= (size_t)n;
    }
    return true;
}

static bool answer(struct conn *c)
{
    c->from = c->big ? big_answer : small_answer;
    c->left = c->big ? big_n : small_n;
    return write_on(c);
}

static bool take(struct conn *c, const char *octets, size_t n)
{
    while (n) {
        char *end;
        size_t some = MIN(n, HEAD_MAX - 1 - c->n), before = c->n;

        if (c->skip) {
            some = MIN(n, c->skip);
            c->skip -= some;
            octets += some;
            n -= some;
            if (c->skip == 0 && !answer(c))
                return false;
            continue;
        }
        if (some == 0)
            return false;
        memcpy(c->head + c->n, octets, some);
        c->n += some;
        c->head[c->n] = '\0';
        end = strstr(c->head, "\r\n\r\n");
        if (!end)
            return true;
        some = (size_t)(end + 4 - c->head) - before;
        octets += some;
        n -= some;
        end[2] = '\0';
        c->big = strstr(c->head, " /1m") != NULL;
        c->skip = body_length(c->head);
        c->n = 0;
        if (c->skip == 0 && !answer(c))
            return false;
    }
    return true;
}

static bool sink_run(struct far *far)
{
    static char octets[256 * 1024];
    struct conn *c = (struct conn *)far;

    if (!write_on(c))
        return false;
    for (;;) {
        ssize_t n = recv(far->fd, octets, sizeof(octets), 0);

        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0 || !take(c, octets, (size_t)n))
            return false;
        if ((size_t)n < sizeof(octets))
            return true;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench-sink PORT\n");
        return 64;
    }
    big_answer = malloc(BIG + 512);
    small_n = make_answer(small_answer, 100);
    big_n = make_answer(big_answer, BIG);
    far_listen(atoi(argv[1]), sizeof(struct conn), sink_run);
    far_loop();
}
