/*
 * telemetry/process - the process about itself: time, memory, files. Linux's /proc.
 */
#include "telemetry/metrics.h"

#include "telemetry/log_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t begun = PTHREAD_ONCE_INIT;
static uint64_t start_ns;
static double start_s;
static _Atomic bool is_draining;
static _Atomic int64_t first_expiry_ms;

static void begin(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    start_s = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    start_ns = log_clock_ns();
}

void metrics_process_begin(void)
{
    pthread_once(&begun, begin);
}

void metrics_set_live(bool live)
{
    atomic_store_explicit(&is_draining, !live, memory_order_relaxed);
}

void metrics_set_first_expiry(int64_t ms)
{
    atomic_store_explicit(&first_expiry_ms, ms, memory_order_relaxed);
}

/* As Envoy says it: whole days, 0 when it has expired, and the largest number without any. */
static uint64_t days_left(void)
{
    int64_t ms = atomic_load_explicit(&first_expiry_ms, memory_order_relaxed);
    struct timespec t;
    int64_t left;

    clock_gettime(CLOCK_REALTIME, &t);
    left = ms - (int64_t)t.tv_sec * 1000;
    return ms == 0 ? UINT32_MAX : (uint64_t)MAX(left, 0) / 86400000;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The numbers of /proc/self/statm: pages of address space, pages resident. */
static void read_memory(struct metrics_process *p)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    uint64_t pages[2] = { 0 }, page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct str rest = str_make(text, n > 0 ? (size_t)n : 0);

    if (fd >= 0)
        close(fd);
    for (size_t i = 0; i < LEN(pages) && rest.n; i++) {
        if (!str_u64(str_cut(&rest, ' '), &pages[i]))
            break;
    }
    p->virtual = pages[0] * page;
    p->resident = pages[1] * page;
}

/* Entries of a directory of /proc; without ".", ".." and, for files, the listing itself. Linux
 * 6.2 tells the number of files at once; listing thousands would make a turn long. */
static uint64_t entries_of(const char *path, uint64_t less)
{
    struct stat told;
    uint64_t n = 0;
    DIR *dir;

    if (stat(path, &told) == 0 && told.st_size > 0)
        return (uint64_t)told.st_size;
    dir = opendir(path);
    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n > less ? n - less : 0;
}

void metrics_process_read(struct metrics_process *ret)
{
    struct mallinfo2 heap = mallinfo2();
    struct rusage usage = { 0 };
    struct rlimit files = { 0 };

    metrics_process_begin();
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    *ret = (struct metrics_process){
        .uptime_s = (double)(log_clock_ns() - start_ns) / 1e9,
        .start_s = start_s,
        .cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime),
        .allocated = heap.uordblks + heap.hblkhd,
        .heap = heap.arena + heap.hblkhd,
        .open_files = entries_of("/proc/self/fd", 3),
        .max_files = files.rlim_cur,
        .threads = entries_of("/proc/self/task", 2),
        .first_expiry_days = days_left(),
        .is_live = !atomic_load_explicit(&is_draining, memory_order_relaxed),
    };
    read_memory(ret);
}
