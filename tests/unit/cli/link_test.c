#include "cli/keeper_far.h"
#include "cli/sealed.h"

#include "unit/check.h"
#include "unit/full_disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- messages ---- */

static struct got {
    struct link link;
    struct message last;
    size_t n, fds;
    enum err ended;
} got;

static void arrived(struct link *l, const struct message *m, struct message_fds *fds)
{
    (void)l;
    got.last = *m;
    got.n++;
    got.fds += fds->n;
}

static void ended(struct link *l, enum err why)
{
    got.ended = why;
    link_close(l);
}

static struct loop *begin(int *ret_theirs)
{
    struct loop *loop = loop_new(NULL);

    got = (struct got){ .link = { .fd = -1, .arrived = arrived, .ended = ended } };
    CHECK(link_open_pair(&got.link, loop, ret_theirs));
    return loop;
}

static size_t descriptors(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

TEST(messages_arrive_in_order_with_their_descriptors)
{
    int theirs, pipes[2];
    size_t open_before;
    struct loop *loop;

    CHECK_EQ(pipe(pipes), 0);
    loop = begin(&theirs);
    open_before = descriptors();
    for (uint64_t i = 1; i <= 100; i++) {
        struct message m = { .kind = MSG_LIVE, .round = i };

        CHECK_EQ(link_send(theirs, &m, pipes, i % 3, false), ERR_OK);
    }
    loop_turn(loop, 0);
    CHECK_EQ(got.n, 100);
    CHECK_EQ(got.last.round, 100);
    CHECK_EQ(got.fds, 100);
    CHECK_EQ(descriptors(), open_before); /* what nobody took is closed */
    close(theirs);
    loop_turn(loop, 0);
    CHECK_EQ(got.ended, ERR_EOF);
    close(pipes[0]);
    close(pipes[1]);
    loop_free(loop);
}

TEST(what_is_no_message_ends_the_link)
{
    static const struct {
        const char *octets;
        size_t n;
    } cases[] = { { "x", 1 }, { "", 0 }, { "LONG", sizeof(struct message) + 1 } };
    static char octets[sizeof(struct message) + 1];

    for (size_t i = 0; i < LEN(cases); i++) {
        int theirs;
        struct loop *loop = begin(&theirs);

        CASE(i);
        CHECK_EQ(send(theirs, octets, cases[i].n, 0), cases[i].n);
        loop_turn(loop, 0);
        CHECK_EQ(got.n, 0);
        CHECK_EQ(got.ended, cases[i].n ? ERR_SYNTAX : ERR_EOF);
        close(theirs);
        loop_free(loop);
    }
}

TEST(who_does_not_read_is_noticed)
{
    struct message m = { .kind = MSG_RESCAN };
    int theirs, sent = 0;
    struct loop *loop = begin(&theirs);
    enum err e;

    while ((e = link_send(got.link.fd, &m, NULL, 0, false)) == ERR_OK)
        sent++;
    CHECK_EQ(e, ERR_AGAIN);
    CHECK(sent > 100); /* a burst is no reason to end anybody */
    close(theirs);
    CHECK_EQ(link_send(got.link.fd, &m, NULL, 0, false), ERR_EOF);
    link_close(&got.link);
    loop_free(loop);
}

/* ---- memory files ---- */

TEST(sealed_octets_are_read_and_cannot_change)
{
    struct str octets = STR_NONE;
    int fd = sealed_new(STR("what control says"));

    CHECK(fd >= 0 && sealed_map(fd, &octets));
    CHECK_STR(octets, STR("what control says"));
    CHECK(write(fd, "x", 1) < 0);
    CHECK(ftruncate(fd, 0) < 0);
    sealed_unmap(octets);
    close(fd);
    fd = sealed_new(STR(""));
    CHECK(sealed_map(fd, &octets) && octets.n == 0);
    sealed_unmap(octets);
    close(fd);
}

TEST(a_file_that_is_not_sealed_is_refused)
{
    struct str octets = STR_NONE;
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    CHECK(!sealed_map(fd, &octets));
    CHECK(!sealed_map(-1, &octets));
    close(fd);
}

TEST(without_room_there_is_no_memory_file)
{
    size_t open_before = descriptors();
    struct rlimit before = full_disk_begin();
    int fd = sealed_new(STR("x"));

    full_disk_end(before);
    CHECK_EQ(fd, -1);
    CHECK_EQ(descriptors(), open_before);
}

TEST(of_files_that_come_one_after_the_other_the_last_is_kept)
{
    size_t open_before = descriptors();
    int kept = -1;

    for (int i = 0; i < 3; i++) {
        struct message_fds fds = { .v = { open("/dev/null", O_RDONLY | O_CLOEXEC) }, .n = 1 };
        int given = fds.v[0];

        message_file_keep(&kept, &fds);
        CHECK_EQ(kept, given);
        CHECK_EQ(fds.v[0], -1);
    }
    CHECK_EQ(descriptors(), open_before + 1);
    close(kept);
}

/* ---- the keeper of another process ---- */

static struct asked {
    int fd;
    struct keeper *keeper;
    bool may_open, is_fine;
} asked;

/* Answers until the other side is gone or asks what it may not. */
static void *answer(void *arg)
{
    struct message m;
    struct message_fds fds;

    (void)arg;
    asked.is_fine = true;
    while (asked.is_fine && link_receive(asked.fd, &m, &fds, true) == ERR_OK) {
        asked.is_fine = keeper_answer(asked.keeper, asked.fd, &m, &fds, asked.may_open);
        for (size_t i = 0; i < fds.n; i++)
            close(fds.v[i]);
    }
    close(asked.fd);
    return NULL;
}

static struct keeper *far_begin(bool may_open, pthread_t *ret_thread)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    asked = (struct asked){ ends[1], keeper_new(3), may_open, false };
    CHECK_EQ(pthread_create(ret_thread, NULL, answer, NULL), 0);
    return keeper_far(ends[0], 3);
}

static void far_end(struct keeper *far, pthread_t thread)
{
    keeper_free(far);
    pthread_join(thread, NULL);
    keeper_free(asked.keeper);
}

TEST(control_has_sockets_opened_and_data_takes_them)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } }, other = at;
    size_t open_before = descriptors();
    struct keeper *far;
    pthread_t thread;
    int fds[3];

    far = far_begin(true, &thread);
    CHECK_EQ(keeper_take(far, &at, fds), ERR_NOT_FOUND);
    CHECK_EQ(keeper_hold(far, &at, 80, 1), ERR_OK);
    CHECK(at.port != 0);
    CHECK_EQ(keeper_hold(far, &other, 80, 2), ERR_OK);
    CHECK_EQ(keeper_recall(far, &(struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } }, 80),
             other.port);
    CHECK_EQ(keeper_recall(far, &at, 81), 0);
    CHECK_EQ(keeper_take(far, &at, fds), ERR_OK);
    for (size_t i = 0; i < LEN(fds); i++)
        CHECK_EQ(close(fds[i]), 0);
    keeper_sweep(far, NULL, 0, 1);
    CHECK_EQ(keeper_take(far, &at, fds), ERR_NOT_FOUND);
    keeper_sweep(far, &other, 1, 2);
    CHECK_EQ(keeper_take(far, &other, fds), ERR_OK);
    for (size_t i = 0; i < LEN(fds); i++)
        CHECK_EQ(close(fds[i]), 0);
    far_end(far, thread);
    CHECK_EQ(descriptors(), open_before);
}

TEST(data_opens_no_socket)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct keeper *far;
    pthread_t thread;

    far = far_begin(false, &thread);
    CHECK_EQ(keeper_hold(far, &at, 80, 1), ERR_ACCESS);
    CHECK_EQ(at.port, 0);
    far_end(far, thread);
}

TEST(a_question_that_is_none_is_not_answered)
{
    static const struct message cases[] = {
        { .kind = MSG_STOP },
        { .kind = 0 },
        { .kind = MSG_SWEEP, .number = 1 }, /* without its file */
        { .kind = 4000000000 },
    };
    struct keeper *k = keeper_new(1);
    struct message_fds none = { .n = 0 };

    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        CHECK(!keeper_answer(k, -1, &cases[i], &none, true));
    }
    keeper_free(k);
}

TEST(a_keeper_that_is_gone_is_an_error)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct keeper *far;
    int ends[2], fds[3];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[1]);
    far = keeper_far(ends[0], 3);
    CHECK_EQ(keeper_hold(far, &at, 80, 1), ERR_IO);
    CHECK_EQ(keeper_take(far, &at, fds), ERR_IO);
    keeper_sweep(far, &at, 1, 1);
    keeper_free(far);
}
