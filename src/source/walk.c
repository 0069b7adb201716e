/*
 * source/walk - finds the manifests below a root: directories in full, links followed.
 *
 * A directory that cannot be read is reported and keeps what is known below it; loops of
 * links end at the directory that contains itself.
 */
#include "source/files_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WALK_DEPTH 64

struct walk {
    struct source *s;
    size_t root;
    struct found {
        struct str path; /* in the arena of the scan */
        struct stat st;  /* of the file itself, as it was found */
        bool is_known;   /* false: a link that leads nowhere */
    } * found;
    size_t n, cap;
    struct stat above[WALK_DEPTH];
};

bool name_is_manifest(struct str name)
{
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) ||
           str_ends(name, STR(".json"));
}

static void walk_found(struct walk *w, struct str path, const struct stat *st)
{
    w->found = arena_grow(w->s->arena, w->found, w->n, &w->cap, sizeof(*w->found));
    w->found[w->n++] = (struct found){ path, st ? *st : (struct stat){ 0 }, st != NULL };
}

static bool is_loop(const struct walk *w, size_t depth, const struct stat *st)
{
    for (size_t i = 0; i < depth; i++)
        if (w->above[i].st_dev == st->st_dev && w->above[i].st_ino == st->st_ino)
            return true;
    return false;
}

static void walk_dir(struct walk *w, struct str path, const struct stat *st, size_t depth);

static void walk_entry(struct walk *w, struct str dir, struct str name, size_t depth)
{
    struct str path = arena_printf(w->s->arena, "%.*s/%.*s", STRF(dir), STRF(name));
    struct stat st;

    if (lstat(path.p, &st))
        return; /* gone since the directory was read: its event follows */
    if (S_ISLNK(st.st_mode)) {
        if (stat(path.p, &st)) {
            if (name_is_manifest(name))
                walk_found(w, path, NULL); /* a dangling link: an error of that file */
            return;
        }
        if (S_ISDIR(st.st_mode) || name_is_manifest(name))
            notify_path(w->s, path.p);
    }
    if (S_ISDIR(st.st_mode))
        walk_dir(w, path, &st, depth + 1);
    else if (name_is_manifest(name))
        walk_found(w, path, &st);
}

static void walk_dir(struct walk *w, struct str path, const struct stat *st, size_t depth)
{
    struct dirent *entry;
    DIR *dir;

    if (depth >= WALK_DEPTH) {
        source_add_error(w->s, path, "directories are nested too deeply");
        return;
    }
    if (is_loop(w, depth, st))
        return;
    w->above[depth] = *st;
    notify_dir(w->s, path.p); /* before reading it, so that no change is missed */
    dir = opendir(path.p);
    if (!dir) {
        source_add_error(w->s, path, strerror(errno));
        return;
    }
    errno = 0;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            walk_entry(w, path, str_of(entry->d_name), depth);
        errno = 0;
    }
    if (errno)
        source_add_error(w->s, path, strerror(errno));
    closedir(dir);
}

static int compare_path(const void *a, const void *b)
{
    return str_cmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

/* The same file by another way: it was read where it stood first. */
static bool seen_before(struct source *s, const struct file_record *r, const struct stat *st)
{
    if (!r->path.n || s->roots[r->root].once || !st)
        return false;
    if (source_has_id(s, st->st_dev, st->st_ino))
        return true;
    source_add_id(s, st->st_dev, st->st_ino);
    return false;
}

/* `st`: of the file, a moment ago; NULL: it could not be had. */
static void walk_read(struct source *s, struct str path, size_t root, const struct stat *st)
{
    struct file_record *r = map_get(&s->records, path);

    if (r && r->seen)
        return;
    if (s->patient && source_is_busy(s, path)) {
        s->held = true;
        if (r) {
            r->seen = true;
            (void)seen_before(s, r, st);
        }
        return;
    }
    r = source_record(s, path, root);
    if (seen_before(s, r, st))
        return;
    r->seen = (st && record_is_current(r, st)) || read_record(s, r);
    if (r->seen)
        r->gone_at_ms = 0;
}

static void walk_once(struct source *s, size_t index)
{
    struct source_root *root = &s->roots[index];
    struct file_record *r = source_record(s, root->path, index);

    r->seen = root->done || read_record(s, r);
    root->done = true;
}

void walk_root(struct source *s, size_t index)
{
    struct source_root *root = &s->roots[index];
    struct walk *w;
    struct stat st;

    if (!root->once && stat(root->path.p, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        root->once = true; /* a pipe: what it says is said once */
    if (root->once) {
        walk_once(s, index);
        return;
    }
    notify_path(s, root->path.p);
    if (stat(root->path.p, &st)) {
        source_add_error(s, root->path, strerror(errno));
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        walk_read(s, root->path, index, &st);
        return;
    }
    w = must_alloc(sizeof(*w));
    w->s = s;
    w->root = index;
    walk_dir(w, root->path, &st, 0);
    if (w->n)
        qsort(w->found, w->n, sizeof(*w->found), compare_path);
    for (size_t i = 0; i < w->n; i++)
        walk_read(s, w->found[i].path, index, w->found[i].is_known ? &w->found[i].st : NULL);
    free(w);
}
