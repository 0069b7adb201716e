#include "api/decode_int.h"

struct walk {
    const struct api_object *o;
    api_set_fn *fn;
    void *arg;
    struct buf path;
    struct api_level levels[API_DEPTH_MAX];
    size_t depth;
};

static void walk_message(struct walk *w, const struct api_record *r, const void *msg);

static void give_leaf(struct walk *w, const struct api_field *f, const void *msg)
{
    const struct api_at *at = msg;
    const struct node_pair *pair = at->node ? field_pair(at->node, f->name) : NULL;
    struct api_set set = { .field = f,
                           .path = buf_str(&w->path),
                           .pos = { w->o->file, at->line, at->col },
                           .levels = w->levels,
                           .depth = w->depth };

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

/* What nothing reads has no member to look at. */
static bool is_written(const struct api_field *f, const void *msg)
{
    const struct api_at *at = msg;

    return f->type == API_SKIP ? at->node && node_pair(at->node, f->name)
                               : api_field_is_set(f, msg);
}

static void walk_message(struct walk *w, const struct api_record *r, const void *msg)
{
    size_t length = w->path.n;

    MUST(w->depth < API_DEPTH_MAX);
    w->levels[w->depth++] = (struct api_level){ r, msg };
    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];

        if (!is_written(f, msg))
            continue;
        path_add_key(&w->path, f->name);
        if (f->type == API_MSG && f->state != API_NOT && f->record->n)
            walk_items(w, f, (const char *)msg + f->offset);
        else
            give_leaf(w, f, msg);
        w->path.n = length;
    }
    w->depth--;
}

/* Who the object is and how old is no field with an effect; labels and annotations are. */
static void walk_metadata(struct walk *w)
{
    static const struct str names[] = { STR_INIT("labels"), STR_INIT("annotations") };

    w->levels[w->depth++] = (struct api_level){ &rec_meta, w->o->meta };
    for (size_t i = 0; i < LEN(names); i++) {
        const struct api_field *f = api_field_find(&rec_meta, names[i]);

        if (!api_field_is_set(f, w->o->meta))
            continue;
        buf_printf(&w->path, "metadata.%.*s", STRF(names[i]));
        give_leaf(w, f, w->o->meta);
        buf_reset(&w->path);
    }
    w->depth--;
}

void api_each_set_leaf(const struct api_object *o, api_set_fn *fn, void *arg)
{
    struct walk w = { .o = o, .fn = fn, .arg = arg };

    api_object_wake(o);
    buf_init(&w.path, (size_t)1 << 20);
    walk_metadata(&w);
    buf_add(&w.path, o->kind->body_key);
    walk_message(&w, o->kind->body, o->body);
    buf_fini(&w.path);
}
