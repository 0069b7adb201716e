/*
 * Each leaf that counts as effective is: changing it alone gives another snapshot.
 *
 * Walks the schema tables along objects of every kind. Each leaf is given other values, or is
 * put where it was not; what is said of it is compared with what became of the snapshot.
 */
#include "api/core.h"
#include "base/hash.h"
#include "base/jsontext.h"
#include "codec/scalar.h"
#include "mesh/mesh_int.h"
#include "mesh/verdict.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"
#include "unit/mesh/leaf_world.h"

#define VALUES_MAX 24
#define STEPS_MAX 24
#define ITEMS_LOOKED_AT 4
/* Values tried of a leaf; more only where these prove nothing. Sanitizers look at the code, and
 * see enough of it in every tenth leaf. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VALUES_TRIED 1
#define EACH 10
#else
#define VALUES_TRIED 3
#define EACH 1
#endif

/* A step of a path: a key, or an index. */
struct step {
    struct str key; /* STR_NONE: `index` */
    size_t index;
};

struct path {
    struct step v[STEPS_MAX];
    size_t n;
};

/* What a leaf was set to, and what became of it. */
struct outcome {
    uint64_t hash;
    bool is_told, is_effective; /* a verdict; that it is effective */
    struct str value;           /* JSON; STR_NONE: not written */
};

struct walk {
    struct bench bench;
    struct arena world; /* of the texts */
    struct leaf_object objects[LEAF_OBJECTS_MAX];
    size_t n;
    const struct api_object *o; /* the object at hand, from a decoding of its own */
    const char *file;           /* NULL: it is the MeshConfig */
    const char *field, *other;  /* as in struct leaf_object */
    struct arena *a;
    size_t leaves, effective, ignored;
    void (*plant)(struct walk *w); /* after each update */
};

/* ---- writing an object with one leaf changed ---- */

struct edit {
    const struct path *path;
    struct str value;                /* STR_NONE: the leaf is left out */
    const struct api_record *holder; /* of the leaf; its one-ofs are left out */
    uint8_t group;
};

static void write_node(struct buf *b, const struct node *n, const struct edit *e, size_t at);

/* The rest of a path that is not written, with the value at its end. */
static void write_rest(struct buf *b, const struct edit *e, size_t at)
{
    size_t depth = at;

    for (; at < e->path->n; at++) {
        const struct step *s = &e->path->v[at];

        buf_addc(b, str_is_set(s->key) ? '{' : '[');
        if (str_is_set(s->key)) {
            json_add_string(b, s->key);
            buf_addc(b, ':');
        }
    }
    buf_add(b, e->value);
    for (; at > depth; at--)
        buf_addc(b, str_is_set(e->path->v[at - 1].key) ? '}' : ']');
}

static void write_scalar(struct buf *b, const struct node *n)
{
    struct scalar s = scalar_resolve(n->text);

    if (n->quoted || s.kind == SCALAR_STR)
        json_add_string(b, n->text);
    else
        buf_add(b, n->text);
}

static bool is_rival(const struct edit *e, size_t at, struct str key)
{
    const struct api_field *f;

    if (!e->group || at + 1 != e->path->n)
        return false;
    f = api_field_find(e->holder, key);
    return f && f->group == e->group && !str_eq(key, e->path->v[at].key);
}

static void write_map(struct buf *b, const struct node *n, const struct edit *e, size_t at)
{
    const struct step *s = e && at < e->path->n ? &e->path->v[at] : NULL;
    bool is_last = s && at + 1 == e->path->n, found = false;
    const char *comma = "";

    buf_addc(b, '{');
    for (uint32_t i = 0; i < n->n; i++) {
        const struct node_pair *p = &n->pairs[i];
        bool here = s && str_eq(p->key, s->key);

        found |= here;
        if ((here && is_last && !str_is_set(e->value)) || (s && is_rival(e, at, p->key)))
            continue;
        buf_add(b, str_of(comma));
        comma = ",";
        json_add_string(b, p->key);
        buf_addc(b, ':');
        if (here && is_last)
            buf_add(b, e->value);
        else
            write_node(b, &p->value, here ? e : NULL, at + 1);
    }
    if (s && !found && str_is_set(e->value)) {
        buf_add(b, str_of(comma));
        json_add_string(b, s->key);
        buf_addc(b, ':');
        write_rest(b, e, at + 1);
    }
    buf_addc(b, '}');
}

static void write_node(struct buf *b, const struct node *n, const struct edit *e, size_t at)
{
    if (n->kind == NODE_MAP) {
        write_map(b, n, e, at);
        return;
    }
    if (n->kind == NODE_SCALAR) {
        write_scalar(b, n);
        return;
    }
    buf_addc(b, '[');
    for (uint32_t i = 0; i < n->n; i++) {
        bool here = e && at < e->path->n && e->path->v[at].index == i;

        buf_add(b, i ? STR(",") : STR(""));
        write_node(b, &n->items[i], here ? e : NULL, at + 1);
    }
    buf_addc(b, ']');
}

static struct str path_text(const struct path *p, struct arena *a)
{
    struct str text = STR("");

    for (size_t i = 0; i < p->n; i++) {
        if (!str_is_set(p->v[i].key))
            text = arena_printf(a, "%.*s[%zu]", STRF(text), p->v[i].index);
        else if (str_find(p->v[i].key, '.') < p->v[i].key.n)
            text = arena_printf(a, "%.*s[\"%.*s\"]", STRF(text), STRF(p->v[i].key));
        else
            text = arena_printf(a, "%.*s%s%.*s", STRF(text), i ? "." : "", STRF(p->v[i].key));
    }
    return text;
}

/* ---- trying values ---- */

struct wanted {
    struct str object, path;
    bool is_told, is_effective;
    size_t unsupported; /* verdicts of any leaf */
};

static void see(void *arg, const struct verdict *v)
{
    struct wanted *w = arg;

    w->unsupported += v->kind == VERDICT_UNSUPPORTED;
    if (!str_eq(v->path, w->path) || !str_eq(v->object, w->object))
        return;
    w->is_told = true;
    w->is_effective = v->kind == VERDICT_EFFECTIVE;
}

/* The snapshot, and what the program takes from the MeshConfig by itself. */
static uint64_t hash_of(const struct bench *b)
{
    const struct api_meshconfig *m = mesh_config(b->mesh);
    uint64_t log = hash_mix(hash_stable(m->access_log_file), hash_stable(m->access_log_format));

    return hash_mix(root_hash(b->root), hash_mix(log, (uint64_t)m->access_log_encoding.v));
}

static struct str title_of(const struct walk *w)
{
    struct str title;
    struct buf b;

    buf_init(&b, 4096);
    api_object_title(w->o, &b);
    title = arena_dup(w->a, buf_str(&b));
    buf_fini(&b);
    return title;
}

static struct outcome try_value(struct walk *w, const struct edit *e)
{
    struct outcome out = { .value = e->value };
    struct wanted wanted = { .object = title_of(w), .path = path_text(e->path, w->a) };
    struct buf b;

    buf_init(&b, 1 << 20);
    write_node(&b, w->o->node, e, 0);
    buf_addc(&b, 0);
    if (w->file)
        bench_file(&w->bench, w->file, b.p);
    else
        w->bench.mesh->o.mesh_config = arena_dup(w->a, str_of(b.p));
    bench_update(&w->bench);
    if (w->plant)
        w->plant(w);
    out.hash = hash_of(&w->bench);
    mesh_each_verdict(w->bench.mesh, &w->bench.notes, see, &wanted);
    CHECK_EQ(wanted.unsupported > 0, mesh_summary(w->bench.mesh)->unsupported > 0); /* --strict */
    out.is_told = wanted.is_told;
    out.is_effective = wanted.is_effective;
    buf_fini(&b);
    return out;
}

static void restore(struct walk *w)
{
    struct path none = { .n = 0 };
    struct edit e = { .path = &none };

    (void)try_value(w, &e);
}

/* ---- values for a leaf ---- */

struct values {
    struct str v[VALUES_MAX];
    size_t n;
};

static void add_value(struct values *to, struct str json)
{
    if (to->n < VALUES_MAX)
        to->v[to->n++] = json;
}

static void add_texts(struct walk *w, struct values *to, const char *form, struct str now)
{
    static const char *const words[] = { "grpc-x", "none.test", "127.0.0.77", "HTTP2", "TCP",
                                         "TLS",    "tcp-x",     "Failed",     "True" };

    if (now.n)
        add_value(to, arena_printf(w->a, form, arena_printf(w->a, "%.*sx", STRF(now)).p));
    for (size_t i = 0; i < LEN(words); i++)
        add_value(to, arena_printf(w->a, form, words[i]));
}

static void add_numbers(struct walk *w, const struct api_field *f, struct values *to)
{
    static const int numbers[] = { 2, 81, 0, 302, 8080 };

    for (size_t i = 0; i < LEN(numbers); i++)
        if ((f->min == 0 && f->max == 0) || (numbers[i] >= f->min && numbers[i] <= f->max))
            add_value(to, arena_printf(w->a, "%d", numbers[i]));
}

static void add_of_type(struct walk *w, const struct api_field *f, const struct node *now,
                        struct values *to)
{
    struct str text = now && now->kind == NODE_SCALAR ? now->text : STR_NONE;

    if (f->type == API_BOOL) {
        add_value(to, STR("true"));
        add_value(to, STR("false"));
    } else if (f->type == API_INT || f->type == API_NUM) {
        add_numbers(w, f, to);
    } else if (f->type == API_ENUM) {
        for (size_t i = 0; i < f->enums->n; i++)
            add_value(to, arena_printf(w->a, "\"%.*s\"", STRF(f->enums->values[i].name)));
    } else if (f->type == API_DUR) {
        add_value(to, STR("\"7s\""));
        add_value(to, STR("\"8s\""));
    } else if (f->type == API_PORT) {
        add_value(to, STR("8099"));
        add_value(to, STR("\"web\""));
        add_value(to, STR("\"none\""));
    } else if (f->type == API_BYTES) {
        add_value(to, STR("\"aG8=\""));
    } else if (f->type == API_STRING) {
        add_texts(w, to, "\"%s\"", text);
    }
}

static void add_lists(struct walk *w, const struct api_field *f, struct values *to)
{
    if (f->type == API_INT) {
        add_value(to, STR("[81]"));
        return;
    }
    add_texts(w, to, "[\"%s\"]", STR_NONE);
    add_value(to, STR("[\"AES256-GCM-SHA384\"]"));
    add_value(to, STR("[\"app\"]"));
    add_value(to, STR("[\"*\"]"));
    add_value(to, STR("[\"ns/none\"]"));
}

/* Each value of a map changed on its own, and a map of something else. */
static void add_maps(struct walk *w, const struct api_field *f, const struct node *now,
                     struct values *to)
{
    bool is_int = f->type == API_INT;

    for (uint32_t i = 0; now && now->kind == NODE_MAP && i < now->n; i++) {
        struct buf b;

        buf_init(&b, 1 << 20);
        buf_addc(&b, '{');
        for (uint32_t k = 0; k < now->n; k++) {
            buf_add(&b, k ? STR(",") : STR(""));
            json_add_string(&b, now->pairs[k].key);
            buf_addc(&b, ':');
            if (k == i)
                buf_add(&b, is_int ? STR("8099") : STR("\"none\""));
            else
                write_node(&b, &now->pairs[k].value, NULL, 0);
        }
        buf_addc(&b, '}');
        add_value(to, arena_dup(w->a, buf_str(&b)));
        buf_fini(&b);
    }
    add_value(to, is_int ? STR("{\"http\":8099}") : STR("{\"version\":\"v9\"}"));
    add_value(to, is_int ? STR("{\"web\":8098}") : STR("{\"app\":\"none\"}"));
    add_value(to, is_int ? STR("{\"x\":8098}") : STR("{\"x-a\":\"b\"}"));
    if (!is_int)
        add_value(to, STR("{\"networking.istio.io/exportTo\":\"none\"}"));
}

static void values_of(struct walk *w, const struct api_field *f, const struct node *now,
                      struct values *to)
{
    if (f->shape == API_LIST_OF)
        add_lists(w, f, to);
    else if (f->shape == API_MAP_OF)
        add_maps(w, f, now, to);
    else
        add_of_type(w, f, now, to);
}

/* ---- the leaves ---- */

static bool is_proved(const struct outcome *all, size_t n, const struct outcome *one)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].hash != one->hash)
            return true;
    return false;
}

static const struct node *node_at(const struct node *n, const struct path *p)
{
    for (size_t i = 0; n && i < p->n; i++) {
        if (str_is_set(p->v[i].key))
            n = node_get(n, p->v[i].key);
        else
            n = n->kind == NODE_SEQ && p->v[i].index < n->n ? &n->items[p->v[i].index] : NULL;
    }
    return n;
}

/* What is told of a leaf, whatever it is set to, must be borne out. */
static const struct outcome *unproved(const struct outcome *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].is_effective && !is_proved(all, n, &all[i]))
            return &all[i];
    return NULL;
}

static void judge(struct walk *w, const struct path *p, const struct outcome *all, size_t n)
{
    const struct outcome *bad = unproved(all, n);
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any |= all[i].is_effective;
    if (bad) {
        if (!w->plant)
            print_error("%.*s: %.*s: %.*s counts as effective and changes nothing\n",
                        STRF(title_of(w)), STRF(path_text(p, w->a)), STRF(bad->value));
        w->ignored++;
        return;
    }
    w->effective += any;
}

static void check_leaf(struct walk *w, const struct path *p, const struct api_record *holder,
                       const struct api_field *f)
{
    const struct node *now = node_at(w->o->node, p);
    struct edit e = { .path = p, .holder = holder, .group = f->group };
    struct outcome all[VALUES_MAX + 2];
    struct values values = { .n = 0 };
    size_t n = 0;

    if (w->leaves++ % EACH && !w->plant)
        return;
    if (w->field && str_eq(f->name, str_of(w->field)))
        add_value(&values, str_of(w->other));
    values_of(w, f, now, &values);
    if (now) {
        struct buf b;

        buf_init(&b, 1 << 20);
        write_node(&b, now, NULL, 0);
        e.value = arena_dup(w->a, buf_str(&b));
        buf_fini(&b);
        all[n++] = try_value(w, &e);
        e.value = STR_NONE;
    }
    all[n++] = try_value(w, &e);
    for (size_t i = 0; i < values.n && (i < VALUES_TRIED || unproved(all, n)); i++) {
        e.value = values.v[i];
        all[n++] = try_value(w, &e);
    }
    judge(w, p, all, n);
}

static void walk_record(struct walk *w, struct path *p, const struct api_record *r);

static void walk_items(struct walk *w, struct path *p, const struct api_field *f)
{
    const struct node *now = node_at(w->o->node, p);
    size_t n = now && now->kind != NODE_SCALAR ? MIN(now->n, ITEMS_LOOKED_AT) : 0;

    for (size_t i = 0; i < MAX(n, 1); i++) {
        if (f->shape == API_LIST_OF)
            p->v[p->n++] = (struct step){ .key = STR_NONE, .index = i };
        else
            p->v[p->n++] = (struct step){ .key = n ? now->pairs[i].key : STR("x-a") };
        walk_record(w, p, f->record);
        p->n--;
    }
}

static void walk_record(struct walk *w, struct path *p, const struct api_record *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];

        if (f->state == API_NOT || f->type == API_SKIP || f->type == API_TREE)
            continue; /* never effective */
        CHECK(p->n + 2 < STEPS_MAX);
        p->v[p->n++] = (struct step){ .key = f->name };
        if (f->type != API_MSG)
            check_leaf(w, p, r, f);
        else if (f->shape == API_ONE)
            walk_record(w, p, f->record);
        else
            walk_items(w, p, f);
        p->n--;
    }
}

static void walk_metadata(struct walk *w)
{
    static const char *const names[] = { "labels", "annotations" };
    struct path p = { .v = { { STR("metadata"), 0 } }, .n = 2 };

    for (size_t i = 0; i < LEN(names); i++) {
        p.v[1] = (struct step){ .key = str_of(names[i]) };
        check_leaf(w, &p, &rec_meta, api_field_find(&rec_meta, str_of(names[i])));
    }
}

static void walk_body(struct walk *w)
{
    struct path p = { .n = 0 };

    restore(w);
    if (w->o->kind->body_key.n)
        p.v[p.n++] = (struct step){ .key = w->o->kind->body_key };
    walk_record(w, &p, w->o->kind->body);
    restore(w);
}

static void walk_object(struct walk *w, const struct leaf_object *object)
{
    struct api_objects objects;
    struct notes notes;

    w->a = arena_new(1 << 16);
    notes_init(&notes, w->a);
    CHECK(api_load_file(w->a, str_of(object->file), str_of(object->text), &notes, &objects));
    CHECK_EQ(notes.errors, 0);
    CHECK_EQ(objects.n, 1);
    w->o = objects.v[0];
    w->file = object->file;
    w->field = object->field;
    w->other = object->other;
    walk_metadata(w);
    walk_body(w);
    arena_free(w->a);
}

static void walk_mesh_config(struct walk *w)
{
    struct notes notes;

    w->a = arena_new(1 << 16);
    notes_init(&notes, w->a);
    w->bench.mesh->o.mesh_config_file = STR("mesh.yaml");
    w->o = api_decode_meshconfig(w->a, STR("mesh.yaml"), str_of(leaf_mesh_config(w->a)), &notes);
    CHECK_EQ(notes.errors, 0);
    w->file = w->field = NULL;
    walk_body(w);
    w->bench.mesh->o.mesh_config = STR_NONE;
    arena_free(w->a);
}

static void world_begin(struct walk *w, bool is_told)
{
    static struct str_entry label = { STR_INIT("app"), STR_INIT("gw") };
    static const struct str_map labels = { &label, 1 };

    memset(w, 0, sizeof(*w));
    bench_init(&w->bench);
    bench_dev(&w->bench);
    w->bench.options.verdicts = true;
    if (is_told) {
        w->bench.options.namespace = STR("ns");
        w->bench.options.labels = &labels;
    }
    arena_init(&w->world, 1 << 16);
    w->n = leaf_objects(&w->world, w->objects);
    for (size_t i = 0; i < w->n; i++)
        bench_file(&w->bench, w->objects[i].file, w->objects[i].text);
    bench_update(&w->bench);
    if (w->bench.notes.errors)
        print_error("%s", bench_notes(&w->bench, "error"));
    CHECK_EQ(w->bench.notes.errors, 0);
}

static void world_end(struct walk *w)
{
    bench_fini(&w->bench);
    arena_fini(&w->world);
}

static void every_leaf(bool is_told)
{
    struct walk w;

    world_begin(&w, is_told);
    for (size_t i = 0; i < w.n; i++)
        if (is_told || strstr(w.objects[i].text, "networking.istio.io"))
            walk_object(&w, &w.objects[i]);
    walk_mesh_config(&w);
    print_message("%zu leaves, of which %zu are effective\n", w.leaves, w.effective);
    CHECK_EQ(w.ignored, 0);
    CHECK(w.effective > w.leaves / 4 / EACH);
    world_end(&w);
}

TEST(each_leaf_that_counts_as_effective_changes_the_snapshot)
{
    every_leaf(true);
}

TEST(so_it_is_where_nobody_says_what_gateway_this_is)
{
    every_leaf(false);
}

TEST(every_kind_that_is_read_has_an_object_here)
{
    struct leaf_object objects[LEAF_OBJECTS_MAX];
    struct arena a;
    size_t n;

    arena_init(&a, 4096);
    n = leaf_objects(&a, objects);
    for (size_t i = 0; i < api_kind_count; i++) {
        char want[64];
        bool found = false;

        snprintf(want, sizeof(want), "kind: %.*s\n", STRF(api_kinds[i]->kind));
        for (size_t k = 0; k < n; k++)
            found |= strstr(objects[k].text, want) != NULL;
        CASE(i);
        CHECK(found);
    }
    arena_fini(&a);
}

/* ---- the test of the test ---- */

/* A compiler that says it uses nodePort, and does not. */
static void plant_node_port(struct walk *w)
{
    const struct object_list *all = store_list(w->bench.mesh->store, OBJ_SERVICE);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_service *s = all->v[i]->body;

        if (s->ports.n)
            trace_use(w->bench.mesh->trace, all->v[i], LEAF(&s->ports.v[0], "nodePort"));
    }
}

TEST(a_field_that_is_told_to_be_used_and_is_ignored_is_found)
{
    struct walk w;

    world_begin(&w, true);
    w.plant = plant_node_port;
    for (size_t i = 0; i < w.n; i++)
        if (strstr(w.objects[i].text, "kind: Service\n"))
            walk_object(&w, &w.objects[i]);
    CHECK(w.ignored > 0);
    world_end(&w);
}
