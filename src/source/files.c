/*
 * source/files - scans, and when they are made.
 */
#include "source/files.h"

#include "source/files_int.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_OCTETS_DEFAULT ((size_t)64 << 20)

static struct str without_slashes(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

struct source *source_new(const struct str *paths, size_t n, size_t max_octets)
{
    struct source *s = must_alloc(sizeof(*s));

    s->fd = -1;
    s->max_octets = max_octets ? max_octets : MAX_OCTETS_DEFAULT;
    s->roots = must_alloc(sizeof(*s->roots) * (n ? n : 1));
    s->root_count = n;
    for (size_t i = 0; i < n; i++) {
        struct str path = without_slashes(paths[i]);

        s->roots[i].path = str_make(heap_strz(path), path.n);
        s->roots[i].once = str_eq(path, STR("-"));
    }
    map_init(&s->records);
    map_init(&s->ids);
    map_init(&s->busy);
    return s;
}

void source_add_own(struct source *s, struct str path)
{
    struct source_root *root;

    s->roots = must_realloc(s->roots, sizeof(*s->roots) * (s->root_count + 1));
    root = &s->roots[s->root_count++];
    *root = (struct source_root){ .path = str_make(heap_strz(path), path.n), .own = true };
}

static void record_free(struct file_record *r)
{
    free((char *)(uintptr_t)r->path.p);
    free(r->octets);
    free(r);
}

void source_free(struct source *s)
{
    const struct map_entry *e;

    if (!s)
        return;
    notify_fini(s);
    if (s->loop) {
        task_cancel(&s->task);
        timer_fini(&s->timer);
    }
    for (size_t at = 0; (e = map_next(&s->records, &at));)
        record_free(e->value);
    map_fini(&s->records);
    map_fini(&s->ids);
    map_fini(&s->busy);
    for (size_t i = 0; i < s->root_count; i++)
        free((char *)(uintptr_t)s->roots[i].path.p);
    free(s->roots);
    arena_free(s->arena);
    free(s);
}

void source_add_error(struct source *s, struct str path, const char *text)
{
    s->out.errors = arena_grow(s->arena, s->out.errors, s->out.error_count, &s->error_cap,
                               sizeof(*s->out.errors));
    s->out.errors[s->out.error_count++] = (struct source_error){
        .path = arena_dup(s->arena, path), .text = arena_dup(s->arena, str_of(text))
    };
}

struct file_record *source_record(struct source *s, struct str path, size_t root)
{
    struct file_record *r = map_get(&s->records, path);

    if (r)
        return r;
    r = must_alloc(sizeof(*r));
    r->path = str_make(heap_strz(path), path.n);
    r->root = root;
    r->fresh = true;
    r->changed = true;
    map_put(&s->records, r->path, r);
    return r;
}

static bool is_below(struct str path, struct str dir)
{
    return str_starts(path, dir) &&
           (path.n == dir.n || path.p[dir.n] == '/' || str_eq(dir, STR("/")));
}

/* Below something that could not be looked at: nothing is known, so it stays. */
static bool is_unknown(const struct source *s, const struct file_record *r)
{
    for (size_t i = 0; i < s->out.error_count; i++)
        if (is_below(r->path, s->out.errors[i].path))
            return true;
    return false;
}

bool source_may_come_back(struct source *s, uint64_t *since_ms, uint64_t for_ms)
{
    uint64_t now = s->loop ? loop_clock_ns(s->loop) / 1000000 : 0;

    if (!s->patient)
        return false;
    if (!*since_ms)
        *since_ms = now ? now : 1;
    if (now - *since_ms >= for_ms)
        return false;
    s->held = true;
    return true;
}

bool source_has_id(const struct source *s, dev_t dev, ino_t ino)
{
    uint64_t both[2] = { dev, ino };

    return map_has(&s->ids, str_make((const char *)both, sizeof(both)));
}

void source_add_id(struct source *s, dev_t dev, ino_t ino)
{
    uint64_t both[2] = { dev, ino };

    map_put(&s->ids, arena_dup(s->arena, str_make((const char *)both, sizeof(both))), s);
}

/* Gone, but perhaps for a moment only. One that was renamed is not: it stands elsewhere now. */
static bool is_awaited(struct source *s, struct file_record *r)
{
    return r->known && !source_has_id(s, r->stamp.dev, r->stamp.ino) &&
           source_may_come_back(s, &r->gone_at_ms, SOURCE_GONE_MS);
}

/* Drops the records of files that are gone; true if there was one that had been handed out. */
static bool drop_missing(struct source *s)
{
    const struct map_entry *e;
    bool dropped = false;

    for (size_t at = 0; (e = map_next(&s->records, &at));) {
        struct file_record *r = e->value;

        if (r->seen || is_unknown(s, r) || is_awaited(s, r))
            continue;
        dropped |= !r->fresh;
        map_del(&s->records, r->path);
        record_free(r);
    }
    return dropped;
}

static void add_file(struct source *s, struct file_record *r)
{
    s->out.files = arena_grow(s->arena, s->out.files, s->out.n, &s->file_cap,
                              sizeof(*s->out.files));
    s->out.files[s->out.n++] = (struct source_file){
        .path = r->path,
        .octets = r->octets ? str_make(r->octets, r->n) : STR_NONE,
        .dropped = r->known && !r->octets,
        .error = r->error[0] ? str_of(r->error) : STR_NONE,
        .hash = r->hash,
        .changed = r->changed,
    };
    s->out.own += s->roots[r->root].own;
    r->lost = r->error[0] || is_unknown(s, r);
    s->out.changed |= r->changed;
    r->changed = false;
    r->fresh = false;
}

static int compare_record(const void *a, const void *b)
{
    const struct file_record *x = *(struct file_record *const *)a;
    const struct file_record *y = *(struct file_record *const *)b;

    if (x->root != y->root)
        return x->root < y->root ? -1 : 1;
    return str_cmp(x->path, y->path);
}

static void list_files(struct source *s)
{
    struct file_record **all = ARENA_ARRAY(s->arena, struct file_record *, s->records.n + 1);
    const struct map_entry *e;
    size_t n = 0;

    for (size_t at = 0; (e = map_next(&s->records, &at));)
        all[n++] = e->value;
    qsort(all, n, sizeof(*all), compare_record);
    for (size_t i = 0; i < n; i++)
        add_file(s, all[i]);
}

static bool same_errors(const struct source_scan *a, const struct source_scan *b)
{
    if (a->error_count != b->error_count)
        return false;
    for (size_t i = 0; i < a->error_count; i++)
        if (!str_eq(a->errors[i].path, b->errors[i].path) ||
            !str_eq(a->errors[i].text, b->errors[i].text))
            return false;
    return true;
}

static const struct source_scan *scan_all(struct source *s, bool patient)
{
    struct arena *before_arena = s->arena;
    struct source_scan before = s->out;
    const struct map_entry *e;

    s->arena = arena_new(16384);
    s->out = (struct source_scan){ .changed = s->scans == 0 };
    s->file_cap = s->error_cap = 0;
    s->patient = patient;
    s->held = false;
    s->scans++;
    map_reset(&s->ids);
    for (size_t at = 0; (e = map_next(&s->records, &at));)
        ((struct file_record *)e->value)->seen = false;
    for (size_t i = 0; i < s->root_count; i++)
        walk_root(s, i);
    s->out.changed |= drop_missing(s);
    list_files(s);
    s->out.changed |= !same_errors(&before, &s->out);
    notify_sweep(s);
    map_reset(&s->ids);
    arena_free(before_arena);
    return &s->out;
}

void source_drop_octets(struct source *s)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->records, &at));) {
        struct file_record *r = e->value;

        free(r->octets);
        r->octets = NULL;
    }
    for (size_t i = 0; i < s->out.n; i++) {
        struct source_file *f = &s->out.files[i];

        f->dropped |= str_is_set(f->octets);
        f->octets = STR_NONE;
    }
}

struct tally source_tally(const struct source *s)
{
    struct tally t = { "files", s->records.n, s->arena ? s->arena->total : 0 };
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->records, &at));) {
        const struct file_record *r = e->value;

        t.octets += sizeof(*r) + r->path.n + 1 + (r->octets ? r->n : 0);
    }
    return t;
}

const struct source_scan *source_scan(struct source *s)
{
    const struct source_scan *scan = scan_all(s, false);

    if (s->fd >= 0 && s->scans == 1)
        task_wake(&s->task); /* now the way there is watched (notify.c) */
    return scan;
}

/* The loop's turn: gathered changes are old or quiet enough, or somebody asked. */
static void source_run(struct task *t)
{
    struct source *s = CONTAINER_OF(t, struct source, task);
    bool asked = s->rescan;
    const struct source_scan *scan;

    s->rescan = false;
    s->first_event_ms = 0;
    timer_off(&s->timer);
    /* What is held back while somebody watches comes with a scan of its own. */
    scan = scan_all(s, !asked || s->fd >= 0);
    if (s->held)
        timer_set(&s->timer, SOURCE_GONE_MS);
    if (scan->changed || asked)
        s->changed(s, scan, s->arg);
}

static void source_fire(struct timer *t)
{
    struct source *s = CONTAINER_OF(t, struct source, timer);

    task_wake(&s->task);
}

void source_attend(struct source *s, struct loop *loop, source_changed_fn *changed, void *arg)
{
    s->loop = loop;
    s->changed = changed;
    s->arg = arg;
    task_init(&s->task, loop, source_run);
    timer_init(&s->timer, loop, source_fire);
}

void source_rescan(struct source *s)
{
    s->rescan = true;
    task_wake(&s->task);
}
