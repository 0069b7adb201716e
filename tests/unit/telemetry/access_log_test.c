#include "unit/telemetry/sample.h"

#include "telemetry/telemetry.h"
#include "unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TMP_TEMPLATE "/tmp/lateen-log-XXXXXX"

struct rig {
    struct arena arena;
    struct log_format *format;
    struct record record;
    char dir[sizeof(TMP_TEMPLATE)];
    char path[64];
};

static void rig_init(struct rig *g, const char *format)
{
    struct str err;

    arena_init(&g->arena, 4096);
    g->format = log_format_parse(str_of(format), false, &g->arena, &err);
    CHECK(g->format != NULL);
    sample_record(&g->record, &g->arena);
    memcpy(g->dir, TMP_TEMPLATE, sizeof(g->dir));
    CHECK(mkdtemp(g->dir) != NULL);
    snprintf(g->path, sizeof(g->path), "%s/access.log", g->dir);
}

static void rig_fini(struct rig *g)
{
    unlink(g->path);
    CHECK_EQ(rmdir(g->dir), 0);
    arena_fini(&g->arena);
}

static struct access_log *rig_open(struct rig *g, const char *path)
{
    enum err e = ERR_OK;
    struct access_log *log = access_log_open(str_of(path), g->format, &e);

    CHECK_EQ(e, ERR_OK);
    CHECK(log != NULL);
    return log;
}

/* The file's octets, in the arena. */
static struct str read_all(struct rig *g, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size;
    char *octets;

    CHECK(fd >= 0);
    size = lseek(fd, 0, SEEK_END);
    octets = arena_raw(&g->arena, (size_t)size + 1);
    CHECK_EQ(pread(fd, octets, (size_t)size, 0), size);
    close(fd);
    return str_make(octets, (size_t)size);
}

static size_t count(struct str s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

TEST(closing_writes_all_that_waits_in_order)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;

    rig_init(&g, "%CONNECTION_ID%");
    log = rig_open(&g, g.path);
    e = log_end_new(log);
    for (uint64_t i = 0; i < 3; i++) {
        g.record.connection_id = i;
        log_end_add(e, &g.record);
    }
    log_end_free(e);
    access_log_close(log);
    CHECK_STRZ(read_all(&g, g.path), "0\n1\n2\n");
    rig_fini(&g);
}

TEST(lines_wait_100_ms_and_then_leave)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;

    rig_init(&g, "x");
    log = rig_open(&g, g.path);
    e = log_end_new(log);
    CHECK_EQ(log_end_turn(e, 5), 0);
    log_end_add(e, &g.record);
    CHECK_EQ(log_end_turn(e, 10), 100);
    CHECK_EQ(log_end_turn(e, 60), 50);
    CHECK_EQ(read_all(&g, g.path).n, 0);
    CHECK_EQ(log_end_turn(e, 110), 0);
    for (int i = 0; i < 200 && read_all(&g, g.path).n == 0; i++)
        wait_ms(10);
    CHECK_STRZ(read_all(&g, g.path), "x\n");
    log_end_add(e, &g.record);
    CHECK_EQ(log_end_turn(e, 500), 100);
    log_end_free(e);
    access_log_close(log);
    rig_fini(&g);
}

TEST(without_a_log_nothing_happens)
{
    struct rig g;
    struct log_writer_end *e = log_end_new(NULL);

    rig_init(&g, "x");
    log_end_add(e, &g.record);
    CHECK_EQ(log_end_turn(e, 1), 0);
    log_end_flush(e);
    log_end_free(e);
    log_end_free(NULL);
    access_log_close(NULL);
    rig_fini(&g);
}

struct worker {
    pthread_t thread;
    struct access_log *log;
    struct record record;
    int lines;
};

static void *worker_run(void *arg)
{
    struct worker *w = arg;
    struct log_writer_end *e = log_end_new(w->log);

    for (int i = 0; i < w->lines; i++) {
        log_end_add(e, &w->record);
        if (i % 10 == 0)
            (void)log_end_turn(e, (uint64_t)i);
    }
    log_end_free(e);
    return NULL;
}

/* Reopening in the midst of it loses and repeats nothing. */
TEST(workers_write_at_once_and_every_line_is_whole_or_counted)
{
    struct rig g;
    struct worker w[3];
    struct access_log *log;
    size_t lines, dropped;
    struct str all;

    rig_init(&g, "0123456789");
    log = rig_open(&g, g.path);
    for (size_t i = 0; i < LEN(w); i++) {
        w[i] = (struct worker){ .log = log, .record = g.record, .lines = 20000 };
        CHECK_EQ(pthread_create(&w[i].thread, NULL, worker_run, &w[i]), 0);
    }
    access_log_reopen(log);
    for (size_t i = 0; i < LEN(w); i++)
        pthread_join(w[i].thread, NULL);
    dropped = access_log_dropped(log);
    access_log_close(log);
    all = read_all(&g, g.path);
    lines = count(all, '\n');
    CHECK_EQ(lines + dropped, 60000);
    CHECK_EQ(all.n, lines * 11);
    rig_fini(&g);
}

TEST(reopen_follows_a_rotation)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;
    char old[80];

    rig_init(&g, "%CONNECTION_ID%");
    snprintf(old, sizeof(old), "%s.1", g.path);
    log = rig_open(&g, g.path);
    e = log_end_new(log);
    log_end_add(e, &g.record);
    log_end_flush(e);
    for (int i = 0; i < 200 && read_all(&g, g.path).n == 0; i++)
        wait_ms(10);
    CHECK_EQ(rename(g.path, old), 0);
    access_log_reopen(log);
    for (int i = 0; i < 200 && access(g.path, F_OK) != 0; i++)
        wait_ms(10);
    g.record.connection_id = 8;
    log_end_add(e, &g.record);
    log_end_free(e);
    access_log_close(log);
    CHECK_STRZ(read_all(&g, old), "7\n");
    CHECK_STRZ(read_all(&g, g.path), "8\n");
    unlink(old);
    rig_fini(&g);
}

TEST(a_full_disk_drops_and_counts_and_goes_on)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;

    rig_init(&g, "x");
    log = rig_open(&g, "/dev/full"); /* ENOSPC on every write */
    e = log_end_new(log);
    for (int round = 1; round <= 2; round++) {
        log_end_add(e, &g.record);
        log_end_add(e, &g.record);
        log_end_flush(e);
        for (int i = 0; i < 200 && access_log_dropped(log) < (uint64_t)round * 2; i++)
            wait_ms(10);
        CHECK_EQ(access_log_dropped(log), round * 2);
    }
    log_end_free(e);
    access_log_close(log);
    rig_fini(&g);
}

TEST(a_reader_that_is_gone_is_no_signal)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;
    int reader;

    rig_init(&g, "x");
    CHECK_EQ(mkfifo(g.path, 0600), 0);
    reader = open(g.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    log = rig_open(&g, g.path);
    e = log_end_new(log);
    close(reader);
    log_end_add(e, &g.record);
    log_end_flush(e);
    for (int i = 0; i < 200 && access_log_dropped(log) == 0; i++)
        wait_ms(10);
    CHECK_EQ(access_log_dropped(log), 1);
    log_end_free(e);
    access_log_close(log);
    rig_fini(&g);
}

/* The pipe's reader sleeps: 64 chunks wait, the rest is dropped, and closing ends in time. */
TEST(a_stuck_reader_never_blocks_a_worker_nor_the_end)
{
    struct rig g;
    struct access_log *log;
    struct log_writer_end *e;
    struct timespec t0, t1;
    int reader;

    rig_init(&g, "");
    CHECK_EQ(mkfifo(g.path, 0600), 0);
    reader = open(g.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    log = rig_open(&g, g.path);
    e = log_end_new(log);
    for (int i = 0; i < 20000; i++) /* 8 MB where 2 may wait */
        log_end_add(e, &g.record);
    CHECK(access_log_dropped(log) > 1000);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    log_end_free(e);
    access_log_close(log);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    CHECK(t1.tv_sec - t0.tv_sec <= 4);
    close(reader);
    rig_fini(&g);
}

TEST(a_path_that_cannot_be_opened_says_why)
{
    static const struct {
        const char *path;
        enum err want;
    } cases[] = {
        { "/nonexistent/access.log", ERR_NOT_FOUND },
        { "", ERR_NOT_FOUND },
    };
    struct rig g;

    rig_init(&g, "x");
    for (size_t i = 0; i < LEN(cases); i++) {
        enum err e = ERR_OK;

        CASE(i);
        CHECK(!access_log_open(str_of(cases[i].path), g.format, &e));
        CHECK_EQ(e, cases[i].want);
    }
    rig_fini(&g);
}
