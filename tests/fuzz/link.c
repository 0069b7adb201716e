/*
 * tests/fuzz/link - any packets from another process of the program, with descriptors or without,
 * to the keeper: each is answered or refused, and no descriptor is lost.
 *
 * A packet: its form (one octet), its length (one octet, in units of 8), its octets.
 */
#include "fuzz.h"

#include "base/log.h"
#include "cli/keeper_far.h"
#include "cli/sealed.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HAS_SEALED = 1, HAS_OTHER = 2, HAS_MANY = 4, IS_WHOLE = 8, FROM_CONTROL = 16 };

static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

/* Port 0 stands for the one that is held, which the kernel picked. */
static void send_packet(int fd, uint8_t form, struct str octets, const struct addr *held)
{
    struct message m = { .kind = 0 };
    int sealed = form & HAS_SEALED ? sealed_new(str_from(octets, sizeof(m))) : -1;
    int fds[LINK_FDS_MAX];
    size_t n = 0;

    if (sealed >= 0)
        fds[n++] = sealed;
    if (form & HAS_OTHER)
        fds[n++] = STDERR_FILENO;
    while (form & HAS_MANY && n < LINK_FDS_MAX)
        fds[n++] = STDERR_FILENO;
    if (octets.n)
        memcpy(&m, octets.p, MIN(octets.n, sizeof(m)));
    if (m.addrs[0].port == 0)
        m.addrs[0].port = held->port;
    if (form & IS_WHOLE)
        MUST(link_send(fd, &m, fds, n, false) == ERR_OK);
    else
        MUST(send(fd, octets.p, octets.n, MSG_NOSIGNAL) >= 0);
    if (sealed >= 0)
        close(sealed);
}

static void close_all(const struct message_fds *fds)
{
    for (size_t i = 0; i < fds->n; i++)
        MUST(fds->v[i] < 0 || close(fds->v[i]) == 0);
}

/* As cli/processes does: what is no message or no question ends the one who sent it. */
static bool serve(struct keeper *k, int fd, bool may_open)
{
    struct message m;
    struct message_fds fds = { .n = 0 };
    bool fine = link_receive(fd, &m, &fds, false) == ERR_OK;

    /* control may have any port opened: not in a test */
    if (fine && (m.kind != MSG_HOLD || !may_open))
        fine = keeper_answer(k, fd, &m, &fds, may_open);
    close_all(&fds);
    return fine;
}

static void take_answer(int fd)
{
    struct message m;
    struct message_fds fds = { .n = 0 };

    if (link_receive(fd, &m, &fds, false) == ERR_OK)
        close_all(&fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);
    int before = lowest_free(), ends[2];
    struct keeper *k = keeper_new(2);
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    bool goes_on = true;

    log_level_set(LOG_ERROR);
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    MUST(keeper_hold(k, &at, 80, 1) == ERR_OK);
    while (in.n >= 2 && goes_on) {
        uint8_t form = (uint8_t)in.p[0];
        struct str packet = str_sub(in, 2, 8 * (size_t)(uint8_t)in.p[1]);

        in = str_from(in, 2 + packet.n);
        send_packet(ends[0], form, packet, &at);
        goes_on = serve(k, ends[1], form & FROM_CONTROL);
        take_answer(ends[0]);
    }
    close(ends[0]);
    close(ends[1]);
    keeper_free(k);
    MUST(lowest_free() == before);
    return 0;
}
