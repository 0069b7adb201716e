#include "cli/keepsake.h"

#include "api/object.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "cli/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT_MAX (80u << 20)

/* A manifest that is there. */
struct kept {
    struct str path;          /* real path, owned: the key */
    uint64_t written, wanted; /* hashes of the octets on disk and of those to be there; 0: none */
    struct str octets;        /* to be written, owned; STR_NONE: nothing to do */
    bool seen;
};

struct keepsake {
    char *dir;
    struct map by_path;
    bool may_delete; /* the last scan had no source error: what is not in it is gone */
};

struct keepsake *keepsake_new(struct str state_dir)
{
    char dir[PATH_MAX];
    struct keepsake *k;
    struct buf b;

    buf_init(&b, sizeof(dir) - 1);
    buf_printf(&b, "%.*s/manifests", STRF(state_dir));
    str_copy(buf_str(&b), dir, sizeof(dir));
    buf_fini(&b);
    if (!dir_make(str_of(dir)))
        return NULL;
    k = must_alloc(sizeof(*k));
    k->dir = must_alloc(strlen(dir) + 1);
    str_copy(str_of(dir), k->dir, strlen(dir) + 1);
    map_init(&k->by_path);
    return k;
}

static void kept_drop_octets(struct kept *f)
{
    free((char *)(uintptr_t)f->octets.p);
    f->octets = STR_NONE;
}

static void kept_free(struct kept *f)
{
    kept_drop_octets(f);
    free((char *)(uintptr_t)f->path.p);
    free(f);
}

void keepsake_free(struct keepsake *k)
{
    const struct map_entry *e;
    size_t at = 0;

    if (!k)
        return;
    while ((e = map_next(&k->by_path, &at)) != NULL)
        kept_free(e->value);
    map_fini(&k->by_path);
    free(k->dir);
    free(k);
}

static struct str own(struct str s)
{
    char *copy = must_alloc(s.n + 1);

    if (s.n)
        memcpy(copy, s.p, s.n);
    return str_make(copy, s.n);
}

/* The path that stays the same from whatever directory the program is started. */
static struct str real_path(struct str path, struct arena *a)
{
    char *real = realpath(arena_dup(a, path).p, NULL);
    struct str s = real ? arena_dup(a, str_of(real)) : STR_NONE;

    free(real);
    return s;
}

static struct str kept_path(const struct keepsake *k, struct str path, struct arena *a)
{
    return arena_printf(a, "%s/%016llx", k->dir, (unsigned long long)hash_stable(path));
}

/* ---- recalling ---- */

static bool is_broken(const struct source_file *f)
{
    struct api_objects objects;
    struct arena a;
    struct notes notes;
    bool fine;

    arena_init(&a, 65536);
    notes_init(&notes, &a);
    fine = str_is_set(f->octets) && api_load_file(&a, f->path, f->octets, &notes, &objects);
    fine = fine && notes.errors == 0;
    arena_fini(&a);
    return !fine;
}

/* The file as it was kept; false where it was not, or is still the same. */
static bool recall_one(struct keepsake *k, struct source_file *f, struct arena *a)
{
    struct str path = real_path(f->path, a), text, why;

    if (!str_is_set(path) || !file_read(kept_path(k, path, a), KEPT_MAX, a, &text, &why))
        return false;
    if (!str_eq(str_cut(&text, '\n'), path) || !str_is_set(text) || str_eq(text, f->octets))
        return false;
    f->octets = text;
    f->hash = hash_stable(text);
    f->error = STR_NONE;
    return true;
}

bool keepsake_recall(struct keepsake *k, const struct source_scan *scan, struct arena *a,
                     struct source_scan *ret)
{
    bool any = false;

    *ret = *scan;
    ret->files = ARENA_ARRAY(a, struct source_file, scan->n + 1);
    for (size_t i = 0; i < scan->n; i++) {
        struct source_file kept = scan->files[i];
        bool recalled = recall_one(k, &kept, a) && is_broken(&scan->files[i]);

        ret->files[i] = recalled ? kept : scan->files[i];
        any |= recalled;
    }
    return any;
}

/* ---- keeping ---- */

static struct kept *kept_of(struct keepsake *k, struct str path)
{
    struct kept *f = map_get(&k->by_path, path);

    if (f)
        return f;
    f = must_alloc(sizeof(*f));
    f->path = own(path);
    map_put(&k->by_path, f->path, f);
    return f;
}

static void broken_files(const struct notes *notes, struct map *ret)
{
    for (size_t i = 0; i < notes->n; i++) {
        if (notes->v[i].severity == SEV_ERROR)
            map_put(ret, notes->v[i].pos.file, (void *)(uintptr_t)notes);
    }
}

void keepsake_note(struct keepsake *k, const struct source_scan *scan, const struct notes *notes)
{
    const struct map_entry *e;
    struct map broken;
    struct arena a;
    size_t at = 0;

    arena_init(&a, 16384);
    map_init(&broken);
    broken_files(notes, &broken);
    while ((e = map_next(&k->by_path, &at)) != NULL)
        ((struct kept *)e->value)->seen = false;
    for (size_t i = 0; i < scan->n; i++) {
        const struct source_file *s = &scan->files[i];
        struct str path = real_path(s->path, &a);
        struct kept *f = str_is_set(path) ? kept_of(k, path) : NULL;

        if (!f)
            continue;
        f->seen = true;
        if (notes->dropped || s->error.n || map_has(&broken, s->path) || f->wanted == s->hash)
            continue;
        kept_drop_octets(f);
        f->octets = own(s->octets);
        f->wanted = s->hash;
    }
    k->may_delete = scan->error_count == 0;
    map_fini(&broken);
    arena_fini(&a);
}

static void write_one(struct keepsake *k, struct kept *f)
{
    struct arena a;
    struct buf b;

    arena_init(&a, 4096);
    buf_init(&b, KEPT_MAX);
    buf_add(&b, f->path);
    buf_addc(&b, '\n');
    buf_add(&b, f->octets);
    if (!b.full && file_write_atomic(kept_path(k, f->path, &a), buf_str(&b)))
        f->written = f->wanted;
    else
        log_warn("state", "the last good version of a manifest cannot be kept", KV("file", f->path),
                 KVZ("reason", b.full ? "too large" : strerror(errno)));
    kept_drop_octets(f);
    buf_fini(&b);
    arena_fini(&a);
}

void keepsake_write(struct keepsake *k)
{
    const struct map_entry *e;
    size_t at = 0;

    while ((e = map_next(&k->by_path, &at)) != NULL) {
        struct kept *f = e->value;
        struct arena a;

        if (f->seen) {
            if (str_is_set(f->octets) && f->written != f->wanted)
                write_one(k, f);
            continue;
        }
        if (!k->may_delete)
            continue;
        arena_init(&a, 4096);
        unlink(kept_path(k, f->path, &a).p);
        arena_fini(&a);
        map_del(&k->by_path, f->path);
        kept_free(f);
    }
}
