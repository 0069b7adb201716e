/*
 * source/notify - inotify: which directories to watch, and when events are worth a scan.
 *
 * An event never says what to do, only that a scan is due: scans are cheap, and a queue that
 * ran over or an event that was misread then costs nothing. What is watched follows from
 * each scan: every directory read, the directory of each link on the way to a file, and
 * the parents of a root, of which only the root's own names count. The first scan leaves the
 * way to the second, which follows at once: to watch a directory the kernel walks every name
 * of it that it remembers, 40 ms for a busy /tmp, and the first answer need not wait for that.
 */
#include "source/files_int.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define READS_PER_TURN 8

/* For a directory on the way: what is written in a busy /tmp or home is nobody's business. */
#define WATCH_NAMES                                                                                \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |            \
     IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)
#define WATCH_WRITES (WATCH_NAMES | IN_MODIFY | IN_CLOSE_WRITE)
#define LINK_HOPS 16

/* A file that was written to and not closed since. */
struct busy {
    char *path;
    uint64_t since_ms;
};

static uint64_t clock_ms(const struct source *s)
{
    return loop_clock_ns(s->loop) / 1000000;
}

/* ---- which directories ---- */

static struct dir_watch *dir_by_wd(struct source *s, int wd)
{
    for (size_t i = 0; i < s->dir_count; i++)
        if (s->dirs[i]->wd == wd)
            return s->dirs[i];
    return NULL;
}

static void dir_free_names(struct dir_watch *d)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&d->names, &at));)
        free(e->value);
    map_reset(&d->names);
}

static void dir_free(struct dir_watch *d)
{
    dir_free_names(d);
    map_fini(&d->names);
    free((char *)(uintptr_t)d->path.p);
    free(d);
}

static struct dir_watch *dir_add(struct source *s, const char *path, uint32_t mask)
{
    struct dir_watch *d;
    int wd;

    if (s->fd < 0)
        return NULL;
    wd = inotify_add_watch(s->fd, path, mask);
    if (wd < 0) { /* where it is missing its parent is watched */
        if ((errno == ENOSPC || errno == ENOMEM) && !s->out.unwatched.path.n)
            s->out.unwatched = (struct source_error){
                arena_dup(s->arena, str_of(path)),
                errno == ENOSPC ? STR("fs.inotify.max_user_watches is reached")
                                : STR("the kernel has no memory for it")
            };
        return NULL;
    }
    d = dir_by_wd(s, wd);
    if (!d) {
        if (s->dir_count == s->dir_cap) {
            s->dir_cap = s->dir_cap ? s->dir_cap * 2 : 16;
            s->dirs = must_realloc(s->dirs, s->dir_cap * sizeof(struct dir_watch *));
        }
        d = must_alloc(sizeof(*d));
        d->wd = wd;
        map_init(&d->names);
        s->dirs[s->dir_count++] = d;
    }
    if (d->scan != s->scans) {
        d->scan = s->scans;
        d->all = false;
        dir_free_names(d);
        free((char *)(uintptr_t)d->path.p);
        d->path = str_make(heap_strz(str_of(path)), strlen(path));
    }
    return d;
}

static void notify_name(struct source *s, struct str dir, struct str name, uint32_t mask)
{
    char z[PATH_MAX];
    struct dir_watch *d;
    char *key;

    if (dir.n >= sizeof(z))
        return;
    d = dir_add(s, str_copy(dir.n ? dir : STR("/"), z, sizeof(z)), mask);
    if (!d || map_has(&d->names, name))
        return;
    key = heap_strz(name);
    map_put(&d->names, str_make(key, name.n), key);
}

/* Makes an absolute path of `path`, seen from the working directory. */
static bool make_absolute(struct str path, char out[PATH_MAX])
{
    char here[PATH_MAX];
    int n;

    if (path.n && path.p[0] == '/') {
        n = snprintf(out, PATH_MAX, "%.*s", STRF(path));
    } else {
        if (!getcwd(here, sizeof(here)))
            return false;
        n = snprintf(out, PATH_MAX, "%s/%.*s", here, STRF(path));
    }
    return n > 0 && n < PATH_MAX;
}

void notify_dir(struct source *s, const char *path)
{
    char all[PATH_MAX];
    struct dir_watch *d;

    if (s->fd < 0 || !make_absolute(str_of(path), all))
        return;
    d = dir_add(s, all, WATCH_WRITES);
    if (!d)
        return;
    d->all = true;
    if (str_eq(d->path, str_of(all)))
        return;
    free((char *)(uintptr_t)d->path.p); /* events are named after the way it is walked */
    d->path = str_make(heap_strz(str_of(all)), strlen(all));
}

/* Where the link at `head` leads, with what followed it. */
static bool follow_link(const char *head, struct str rest, char out[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t got = readlink(head, target, sizeof(target) - 1);
    struct str dir = str_of(head);
    int n;

    if (got < 0)
        return false;
    dir.n = str_rfind(dir, '/');
    n = snprintf(out, PATH_MAX, "%.*s%s%.*s%.*s", target[0] == '/' ? 0 : (int)dir.n, head,
                 target[0] == '/' ? "" : "/", (int)got, target, STRF(rest));
    return n > 0 && n < PATH_MAX;
}

static bool is_regular(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Every name on the way of `path`, links included, counts in the directory it stands in. */
void notify_path(struct source *s, const char *path)
{
    char now[PATH_MAX], next[PATH_MAX], head[PATH_MAX];
    size_t at = 1;
    int hops = 0;

    if (s->fd < 0 || !make_absolute(str_of(path), now))
        return;
    while (at < strlen(now)) {
        struct str all = str_of(now);
        size_t end = at + str_find(str_from(all, at), '/');
        struct str name = str_sub(all, at, end - at);

        if (name.n && !str_eq(name, STR(".")) && !str_eq(name, STR(".."))) {
            str_copy(str_sub(all, 0, end), head, sizeof(head));
            if (is_regular(head))
                notify_name(s, str_sub(all, 0, at - 1), name, WATCH_WRITES);
            else if (s->scans > 1)
                notify_name(s, str_sub(all, 0, at - 1), name, WATCH_NAMES);
            if (follow_link(head, str_from(all, end), next)) {
                if (++hops > LINK_HOPS)
                    return;
                memcpy(now, next, sizeof(now));
                at = 1;
                continue;
            }
        }
        at = end + 1;
    }
}

void notify_sweep(struct source *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->dir_count; i++) {
        struct dir_watch *d = s->dirs[i];

        if (d->scan == s->scans) {
            s->dirs[kept++] = d;
            continue;
        }
        (void)inotify_rm_watch(s->fd, d->wd);
        dir_free(d);
    }
    s->dir_count = kept;
}

/* ---- files being written ---- */

static void busy_drop(struct source *s, struct str path)
{
    struct busy *b = map_del(&s->busy, path);

    if (!b)
        return;
    free(b->path);
    free(b);
}

bool source_is_busy(struct source *s, struct str path)
{
    char all[PATH_MAX];
    struct busy *b;

    if (!s->busy.n || !make_absolute(path, all))
        return false;
    b = map_get(&s->busy, str_of(all));
    if (!b)
        return false;
    if (clock_ms(s) - b->since_ms < SOURCE_BUSY_MS)
        return true;
    busy_drop(s, str_of(all));
    return false;
}

static void busy_add(struct source *s, struct str path)
{
    struct busy *b;

    if (map_has(&s->busy, path))
        return;
    b = must_alloc(sizeof(*b));
    b->path = heap_strz(path);
    b->since_ms = clock_ms(s);
    map_put(&s->busy, str_make(b->path, path.n), b);
}

/* ---- events ---- */

/* What a log or a swap file beside the manifests does all day. */
static bool is_idle_talk(const struct dir_watch *d, const struct inotify_event *ev, struct str name)
{
    const uint32_t moves = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

    return name.n && !(ev->mask & (IN_ISDIR | moves)) && !name_is_manifest(name) &&
           !map_has(&d->names, name);
}

static bool dir_event(struct source *s, const struct dir_watch *d, const struct inotify_event *ev)
{
    struct str name = ev->len ? str_of(ev->name) : STR_NONE;
    char path[PATH_MAX];
    int n;

    if ((name.n && !d->all && !map_has(&d->names, name)) || is_idle_talk(d, ev, name))
        return false;
    if (!name.n || (ev->mask & IN_ISDIR))
        return true;
    n = snprintf(path, sizeof(path), "%.*s/%.*s", STRF(d->path), STRF(name));
    if (n <= 0 || (size_t)n >= sizeof(path))
        return true;
    if ((ev->mask & IN_MODIFY) && str_eq(s->probe, str_make(path, (size_t)n)))
        s->probe_written = true;
    if (ev->mask & IN_MODIFY)
        busy_add(s, str_make(path, (size_t)n));
    else if (ev->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO))
        busy_drop(s, str_make(path, (size_t)n));
    return true;
}

static bool one_event(struct source *s, const struct inotify_event *ev)
{
    struct dir_watch *d;

    if (ev->mask & IN_Q_OVERFLOW) {
        const struct map_entry *e;

        for (size_t at = 0; (e = map_next(&s->busy, &at));)
            busy_drop(s, e->key); /* their closing may have been lost */
        return true;
    }
    d = dir_by_wd(s, ev->wd);
    if (!d || (ev->mask & IN_IGNORED))
        return d != NULL;
    return dir_event(s, d, ev);
}

static bool read_events(struct source *s)
{
    _Alignas(struct inotify_event) char octets[16384];
    bool any = false;

    /* A log that grows beside the manifests must not hold the thread here. */
    for (int round = 0;; round++) {
        ssize_t got;

        if (round == READS_PER_TURN) {
            task_wake(&s->events);
            return any;
        }
        got = read(s->fd, octets, sizeof(octets));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (char *p = octets; p < octets + got;) {
            const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;

            any |= one_event(s, ev);
            p += sizeof(*ev) + ev->len;
        }
    }
    s->watch.ready &= (uint8_t)~READY_READ;
    return any;
}

/* Waits for 10 ms of quiet, but no longer than 100 ms after the first change. */
static void gather(struct source *s)
{
    uint64_t now = clock_ms(s), waited;

    if (!s->first_event_ms)
        s->first_event_ms = now ? now : 1;
    waited = now - s->first_event_ms;
    if (waited >= SOURCE_GATHER_MS)
        task_wake(&s->task);
    else
        timer_set(&s->timer, MIN(SOURCE_QUIET_MS, SOURCE_GATHER_MS - waited));
}

/* Not source_is_busy: it may be closed again, but what was read is from before or between. */
bool source_was_written(struct source *s, struct str path)
{
    char all[PATH_MAX];

    if (s->fd < 0 || !make_absolute(path, all))
        return false;
    s->probe = str_of(all);
    s->probe_written = false;
    if (read_events(s))
        gather(s);
    s->probe = STR_NONE;
    return s->probe_written;
}

static void notify_run(struct task *t)
{
    struct source *s = CONTAINER_OF(t, struct source, events);

    if (read_events(s))
        gather(s);
}

bool source_watch(struct source *s, struct loop *loop, source_changed_fn *changed, void *arg)
{
    source_attend(s, loop, changed, arg);
    s->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (s->fd < 0)
        return false;
    task_init(&s->events, loop, notify_run);
    if (watch_start(&s->watch, loop, s->fd, &s->events))
        return true;
    close(s->fd);
    s->fd = -1;
    return false;
}

void notify_fini(struct source *s)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->busy, &at));)
        busy_drop(s, e->key);
    for (size_t i = 0; i < s->dir_count; i++)
        dir_free(s->dirs[i]);
    free(s->dirs);
    s->dirs = NULL;
    s->dir_count = 0;
    if (s->fd < 0)
        return;
    task_cancel(&s->events);
    watch_stop(&s->watch);
    close(s->fd);
    s->fd = -1;
}
