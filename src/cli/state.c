#include "cli/state.h"

#include "base/log.h"
#include "cli/file.h"
#include "cli/state_writer.h"
#include "mesh/kept.h"
#include "model/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1u << 30)
#define SHARD_MAX (256u << 20)
#define OWNER "belongs-to"

struct state {
    struct str dir;
    struct arena arena;
    struct str paths, flags; /* what the directory is to belong to */
    bool same_paths, same_flags;
    int lock;         /* -1: not held */
    bool is_held_off; /* said: somebody else holds it */
    bool is_ours;     /* nothing in it is another's */
    bool has_recalled;
    int64_t snapshot_ms;
    struct root *pending;  /* to be written; a reference */
    struct root *snapshot; /* as read, which need not be written; a reference */
    struct state_writer *writer;
    char names[KEPT_SHARDS][12];
    uint64_t digests[KEPT_SHARDS]; /* of what is there or on its way ... */
    bool known[KEPT_SHARDS];       /* ... if that is known */
};

static struct str path_of(const struct state *s, struct str name, struct arena *a)
{
    return arena_printf(a, "%.*s/%.*s", STRF(s->dir), STRF(name));
}

/* ---- to whom it belongs ---- */

static struct str paths_text(const struct run_options *run, struct arena *a)
{
    char cwd[PATH_MAX];
    struct str text;
    struct buf b;

    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < run->files.n; i++) {
        struct str path = run->files.v[i];

        buf_printf(&b, "path %.*s", STRF(path));
        if (!str_starts(path, STR("/")))
            buf_printf(&b, " in %s", cwd);
        buf_addc(&b, '\n');
    }
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static struct str flags_text(const struct run_options *run, struct arena *a)
{
    char bind[ADDR_TEXT_MAX];
    struct str text;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_printf(&b, "namespace %.*s\nmesh-config %.*s\n", STRF(run->namespace),
               STRF(run->mesh_config));
    if (addr_is_set(&run->bind))
        buf_printf(&b, "bind %.*s\n", STRF(addr_format_ip(&run->bind, bind)));
    for (size_t i = 0; i < run->ports.n; i++)
        buf_printf(&b, "port %u=%u\n", run->ports.v[i].from, run->ports.v[i].to);
    for (size_t i = 0; i < run->labels.n; i++)
        buf_printf(&b, "label %.*s=%.*s\n", STRF(run->labels.v[i].key),
                   STRF(run->labels.v[i].value));
    if (run->dev)
        buf_add(&b, STR("dev\n"));
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void find_owner(struct state *s)
{
    struct str text, why;

    if (!file_read(path_of(s, STR(OWNER), &s->arena), FILE_MAX, &s->arena, &text, &why))
        return;
    s->same_paths = str_starts(text, s->paths) && str_starts(str_from(text, s->paths.n), STR("\n"));
    s->same_flags = s->same_paths && str_eq(str_from(text, s->paths.n + 1), s->flags);
}

struct state *state_new(struct str dir, const struct run_options *run,
                        const struct image_sink *sink)
{
    struct state *s = must_alloc(sizeof(*s));

    s->dir = dir;
    s->lock = -1;
    arena_init(&s->arena, 4096);
    s->paths = paths_text(run, &s->arena);
    s->flags = flags_text(run, &s->arena);
    for (uint32_t i = 0; i < KEPT_SHARDS; i++)
        snprintf(s->names[i], sizeof(s->names[i]), "objects/%02x", i);
    find_owner(s);
    s->same_flags = s->same_flags && !run->dev;
    s->writer = state_writer_start(s->dir, sink);
    return s;
}

void state_free(struct state *s)
{
    if (!s)
        return;
    state_writer_stop(s->writer);
    root_unref(s->pending);
    root_unref(s->snapshot);
    if (s->lock >= 0)
        close(s->lock);
    arena_fini(&s->arena);
    free(s);
}

/* ---- reading ---- */

static void warn_unusable(const struct state *s, struct str name, struct str why)
{
    log_warn("state", "what was last good cannot be used", KV("dir", s->dir), KV("file", name),
             KV("reason", why));
}

/* False: it is not there; or it cannot be read, which is logged. */
static bool read_file(const struct state *s, struct str name, struct arena *a, struct str *ret)
{
    struct str path = path_of(s, name, a), why;

    if (access(path.p, F_OK) != 0)
        return false;
    if (file_read(path, FILE_MAX, a, ret, &why))
        return true;
    warn_unusable(s, name, why);
    return false;
}

static int64_t written_ms(const struct state *s, struct str name, struct arena *a)
{
    struct stat st;

    if (stat(path_of(s, name, a).p, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

struct root *state_snapshot(struct state *s)
{
    struct slots *slots = slots_new(); /* until the parts hold them themselves */
    struct str octets, why = STR_NONE;
    struct arena a;

    arena_init(&a, 65536);
    if (s->same_flags && read_file(s, STR("last-good"), &a, &octets)) {
        s->snapshot_ms = written_ms(s, STR("last-good"), &a);
        s->snapshot = image_read(octets, slots, &why);
        if (!s->snapshot)
            warn_unusable(s, STR("last-good"), why);
    }
    arena_fini(&a);
    slots_free(slots);
    return s->snapshot ? root_ref(s->snapshot) : NULL;
}

int64_t state_snapshot_ms(const struct state *s)
{
    return s->snapshot_ms;
}

void state_recall(struct state *s, struct mesh *m)
{
    for (uint32_t i = 0; i < KEPT_SHARDS && s->same_paths; i++) {
        struct str name = str_of(s->names[i]), octets, why;
        struct arena a;

        arena_init(&a, 65536);
        if (read_file(s, name, &a, &octets)) {
            if (kept_read(m, octets, &why))
                s->has_recalled = true;
            else
                warn_unusable(s, name, why);
        }
        arena_fini(&a);
    }
}

bool state_has_recalled(const struct state *s)
{
    return s->has_recalled;
}

/* ---- writing ---- */

static bool take_lock(struct state *s)
{
    struct arena a;

    if (s->lock >= 0)
        return true;
    arena_init(&a, 4096);
    s->lock = open(path_of(s, STR("lock"), &a).p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        close(s->lock);
        s->lock = -1;
    }
    arena_fini(&a);
    if (s->lock < 0 && !s->is_held_off)
        log_warn("state", "what is good is not kept as long as another program uses the directory",
                 KV("dir", s->dir), KVZ("reason", strerror(errno)));
    s->is_held_off = s->lock < 0;
    return s->lock >= 0;
}

/* Removes what a program that was killed left half written; with `all` everything. */
static void sweep(const struct str dir, bool all, struct arena *a)
{
    DIR *d = opendir(dir.p);
    const struct dirent *e;

    while (d && (e = readdir(d)) != NULL) {
        struct str name = str_of(e->d_name);

        if (name.p[0] != '.' && (all || str_ends(name, STR(".tmp"))))
            unlink(arena_printf(a, "%.*s/%.*s", STRF(dir), STRF(name)).p);
    }
    if (d)
        closedir(d);
}

/* From here on everything in the directory belongs to this program. */
static bool take_over(struct state *s)
{
    struct str objects, owner;
    struct arena a;
    bool fine;

    if (s->is_ours)
        return true;
    arena_init(&a, 4096);
    objects = path_of(s, STR("objects"), &a);
    owner = path_of(s, STR(OWNER), &a);
    if (!s->same_paths)
        unlink(owner.p); /* first: until the new name stands there nothing is believed */
    if (!s->same_flags)
        unlink(path_of(s, STR("last-good"), &a).p);
    fine = dir_make(objects);
    sweep(s->dir, false, &a);
    sweep(objects, !s->same_paths, &a);
    fine = fine &&
           file_write_atomic(owner, arena_printf(&a, "%.*s\n%.*s", STRF(s->paths), STRF(s->flags)));
    if (!fine)
        log_warn("state", "what is good cannot be kept", KV("dir", s->dir),
                 KVZ("reason", strerror(errno)));
    arena_fini(&a);
    s->is_ours = fine;
    return fine;
}

/* Whether a shard that an earlier program wrote is the same: it need not be synced again. */
static bool is_there(const struct state *s, struct str name, const struct buf *octets)
{
    struct str found;
    struct arena a;
    bool same;

    arena_init(&a, 4096);
    same = octets->n ? read_file(s, name, &a, &found) && str_eq(found, buf_str(octets))
                     : access(path_of(s, name, &a).p, F_OK) != 0;
    arena_fini(&a);
    return same;
}

static void write_shard(struct state *s, const struct mesh *m, uint32_t i)
{
    struct str name = str_of(s->names[i]);
    struct buf b;

    buf_init(&b, SHARD_MAX);
    kept_write(m, i, &b);
    if (!s->known[i] && is_there(s, name, &b))
        buf_fini(&b);
    else
        state_writer_octets(s->writer, name, &b);
    s->known[i] = true;
}

static void write_objects(struct state *s, const struct mesh *m)
{
    uint64_t digests[KEPT_SHARDS];

    if (state_writer_has_failed(s->writer))
        memset(s->known, 0, sizeof(s->known));
    kept_digests(m, digests);
    for (uint32_t i = 0; i < KEPT_SHARDS; i++) {
        if (s->known[i] && digests[i] == s->digests[i])
            continue;
        write_shard(s, m, i);
        s->digests[i] = digests[i];
    }
}

void state_keep(struct state *s, struct root *root)
{
    if (root == s->snapshot)
        return;
    root_unref(s->pending);
    s->pending = root_ref(root);
    root_unref(s->snapshot);
    s->snapshot = NULL;
}

bool state_is_busy(const struct state *s)
{
    return state_writer_is_busy(s->writer);
}

bool state_write(struct state *s, const struct mesh *m)
{
    if (!take_lock(s))
        return false;
    if (!take_over(s))
        return true;
    if (!mesh_is_cold(m)) /* else it knows of no objects yet */
        write_objects(s, m);
    if (s->pending)
        state_writer_image(s->writer, s->pending);
    s->pending = NULL;
    return true;
}
