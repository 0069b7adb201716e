#include "api/decode_int.h"

struct walk {
    const struct api_object *o;
    api_set_fn *fn;
    void *arg;
    struct buf path;
};

static void walk_message(struct walk *w, const struct api_record *r, const void *msg);

static void give_leaf(struct walk *w, const struct api_field *f, const void *msg)
{
    const struct api_at *at = msg;
    const struct node_pair *pair = at->node ? field_pair(at->node, f->name) : NULL;
    struct api_set set = { f, buf_str(&w->path), { w->o->file, at->line, at->col } };

    if (pair) {
        set.pos.line = pair->value.line;
        set.pos.col = pair->value.col;
    }
    w->fn(w->arg, &set);
}

static void walk_items(struct walk *w, const struct api_field *f, const void *value)
{
    const struct api_run *run = value;
    const struct api_entry *entries = run->v;
    size_t length = w->path.n;

    if (f->shape == API_ONE) {
        walk_message(w, f->record, *(const void *const *)value);
        return;
    }
    for (size_t i = 0; i < run->n; i++) {
        if (f->shape == API_MAP_OF)
            path_add_key(&w->path, entries[i].key);
        else
            buf_printf(&w->path, "[%zu]", i);
        walk_message(w, f->record,
                     f->shape == API_MAP_OF ? entries[i].value
                                            : (const char *)run->v + f->record->size * i);
        w->path.n = length;
    }
}

static void walk_message(struct walk *w, const struct api_record *r, const void *msg)
{
    size_t length = w->path.n;

    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];

        if (!api_field_is_set(f, msg))
            continue;
        path_add_key(&w->path, f->name);
        if (f->type == API_MSG && f->state != API_NOT && f->record->n)
            walk_items(w, f, (const char *)msg + f->offset);
        else
            give_leaf(w, f, msg);
        w->path.n = length;
    }
}

void api_each_set_leaf(const struct api_object *o, api_set_fn *fn, void *arg)
{
    struct walk w = { o, fn, arg, { 0 } };

    api_object_wake(o);
    buf_init(&w.path, (size_t)1 << 20);
    buf_add(&w.path, o->kind->body_key);
    walk_message(&w, o->kind->body, o->body);
    buf_fini(&w.path);
}
