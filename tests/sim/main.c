/*
 * tests/sim/main - runs schedules and prints TAP.
 *
 *   sim [--from N] [--count N] [--group N] [-j N] [--seeds FILE]   many, N at a time
 *   sim --seed N [--trace]                                         one, with all that happens in it
 *
 * Each schedule runs in a process of its own, so that all begin alike and one may die: by a failed
 * check, MUST, a sanitizer, or 60 s without an end. `--first` ends at the first failure, with
 * status 0: for planted defects.
 */
#include "sim/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A schedule's process ends by the leak sanitizer's look, if there is one; what libraries do at
 * exit would cost more than the schedule. */
#ifdef __SANITIZE_ADDRESS__
#define JOB_EXIT() exit(0)
#else
#define JOB_EXIT() _exit(0)
#endif

#define SECONDS_EACH 60 /* of the real clock, however slow the machine */
#define JOBS_MAX 64

struct options {
    uint64_t from, count, group, seed;
    unsigned jobs;
    const char *seeds;
    bool one, first;
};

/* A process and its schedule. */
struct job {
    pid_t pid; /* 0: none */
    uint64_t seed;
};

struct group {
    uint64_t done, failed;
};

static struct options options = { .from = 1, .count = 100, .group = 100, .jobs = 1 };
static struct job jobs[JOBS_MAX];
static struct group *groups;
static char (*texts)[sizeof(sim.failure)]; /* what each job's process says; shared memory */
static char *own;

static void failed(const char *text)
{
    if (own)
        snprintf(own, sizeof(*texts), "%s", text);
    else
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)sim.seed, text);
    _exit(1);
}

static void run_one(uint64_t seed)
{
    alarm(SECONDS_EACH);
    run_schedule(seed);
    alarm(0);
}

/* ---- many ---- */

static void job_start(unsigned k, uint64_t seed)
{
    pid_t pid;

    texts[k][0] = '\0';
    fflush(NULL);
    pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        own = texts[k];
        run_one(seed);
        JOB_EXIT();
    }
    jobs[k] = (struct job){ pid, seed };
}

static const char *cause(unsigned k, int status)
{
    static char text[64];

    if (texts[k][0])
        return texts[k];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return "no end after 60 s";
    snprintf(text, sizeof(text), "ended by %s %d", WIFSIGNALED(status) ? "signal" : "exit status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return text;
}

static uint64_t group_size(uint64_t g)
{
    return MIN(options.group, options.count - g * options.group);
}

/* True: its schedule failed. */
static bool job_ended(unsigned k, int status)
{
    uint64_t g = (jobs[k].seed - options.from) / options.group;
    uint64_t first = options.from + g * options.group;
    bool bad = status != 0;

    if (bad)
        printf("%s - seed %llu: %s\n", options.first ? "# found" : "not ok",
               (unsigned long long)jobs[k].seed, cause(k, status));
    jobs[k].pid = 0;
    groups[g].failed += bad;
    if (++groups[g].done == group_size(g) && !groups[g].failed && !options.first)
        printf("ok - schedules %llu to %llu\n", (unsigned long long)first,
               (unsigned long long)(first + group_size(g) - 1));
    fflush(stdout);
    return bad;
}

static bool job_wait(void)
{
    unsigned k = 0;
    int status;
    pid_t pid = wait(&status);

    MUST(pid > 0);
    while (jobs[k].pid != pid)
        k++;
    return job_ended(k, status);
}

static unsigned job_free(void)
{
    unsigned k = 0;

    while (k < options.jobs && jobs[k].pid)
        k++;
    return k;
}

static bool job_any(void)
{
    for (unsigned k = 0; k < options.jobs; k++) {
        if (jobs[k].pid)
            return true;
    }
    return false;
}

static bool run_many(void)
{
    uint64_t end = options.from + options.count;
    bool bad = false;

    groups = must_alloc(sizeof(*groups) * (options.count / options.group + 1));
    for (uint64_t s = options.from; s < end && !(bad && options.first); s++) {
        if (job_free() == options.jobs)
            bad |= job_wait();
        job_start(job_free(), s);
    }
    while (job_any())
        bad |= job_wait();
    free(groups);
    return bad;
}

static void texts_begin(void)
{
    texts = mmap(NULL, sizeof(*texts) * JOBS_MAX, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(texts != MAP_FAILED);
}

/* The seeds that failed once, each a group of its own. */
static bool run_kept(const char *path)
{
    FILE *in = fopen(path, "r");
    uint64_t kept[1000];
    char line[256];
    size_t n = 0;
    bool bad = false;

    if (!in) {
        printf("not ok - %s cannot be read\n", path);
        return true;
    }
    options.count = options.group = 1;
    options.jobs = 1;
    while (n < LEN(kept) && fgets(line, sizeof(line), in)) {
        if (line[0] >= '0' && line[0] <= '9')
            kept[n++] = strtoull(line, NULL, 10);
    }
    fclose(in); /* before any fork: a child that exits would wind it back */
    for (size_t i = 0; i < n; i++) {
        options.from = kept[i];
        bad |= run_many();
    }
    return bad;
}

/* ---- what was asked for ---- */

static uint64_t number(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc) {
        fprintf(stderr, "sim: %s needs a number\n", argv[*i]);
        exit(64);
    }
    return strtoull(argv[++*i], NULL, 10);
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            sim.trace = true;
        else if (strcmp(argv[i], "--first") == 0)
            options.first = true;
        else if (strcmp(argv[i], "--from") == 0)
            options.from = number(argc, argv, &i);
        else if (strcmp(argv[i], "--count") == 0)
            options.count = number(argc, argv, &i);
        else if (strcmp(argv[i], "--group") == 0)
            options.group = number(argc, argv, &i);
        else if (strcmp(argv[i], "-j") == 0)
            options.jobs = (unsigned)number(argc, argv, &i);
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            options.seeds = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0)
            options.one = true, options.seed = number(argc, argv, &i);
        else
            fprintf(stderr, "sim: what is %s?\n", argv[i]), exit(64);
    }
    if (options.jobs < 1 || options.jobs > JOBS_MAX || options.group < 1)
        exit(64);
}

int main(int argc, char **argv)
{
    bool bad;

    sim.failed = failed;
    read_options(argc, argv);
    runs_begin();
    texts_begin();
    if (options.one) {
        run_one(options.seed);
        printf("ok - seed %llu\n", (unsigned long long)options.seed);
        return 0;
    }
    bad = options.seeds ? run_kept(options.seeds) : run_many();
    return bad == options.first ? 0 : 1;
}
