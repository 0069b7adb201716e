/*
 * mesh/files - files that manifests name (certificates): which piece of work has read which, and
 * whether they differ by now. They are looked at by time and size when somebody asks
 * (mesh_files_changed) and in each update.
 */
#include "mesh/mesh_int.h"
#include "mesh/watch.h"

#include <stdlib.h>

struct seen_file {
    struct str path;
    uint64_t stamp;
};

static uint64_t stamp_of(const struct mesh *m, struct str path)
{
    const struct mesh_hooks *h = &m->o.hooks;

    return h->file_stamp ? h->file_stamp(h->arg, path) : 0;
}

static input_key file_key(struct str path)
{
    return input_of(INPUT_FILE, 0, path, STR_NONE, STR_NONE);
}

void mesh_file_seen(struct compile *c, struct str path)
{
    struct seen_file *f = map_get(&c->m->files, path);

    if (c->reading)
        inputs_add(&c->m->inputs, c->reading, INPUT_FILE, file_key(path));
    if (f)
        return;
    f = must_alloc(sizeof(*f));
    f->path = plan_dup(path);
    f->stamp = stamp_of(c->m, path);
    map_put(&c->m->files, f->path, f);
}

size_t mesh_files(const struct mesh *m)
{
    return m->files.n;
}

bool mesh_files_changed(const struct mesh *m)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&m->files, &at));) {
        const struct seen_file *f = e->value;

        if (f->stamp != stamp_of(m, f->path))
            return true;
    }
    return false;
}

void files_touch(struct compile *c)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&c->m->files, &at));) {
        struct seen_file *f = e->value;
        uint64_t now = stamp_of(c->m, f->path);

        if (f->stamp == now)
            continue;
        f->stamp = now;
        inputs_touch(&c->m->inputs, file_key(f->path), &c->touched);
    }
}

void files_free(struct mesh *m)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&m->files, &at));) {
        struct seen_file *f = e->value;

        free((char *)(uintptr_t)f->path.p);
        free(f);
    }
    map_fini(&m->files);
}
