#include "mesh/store.h"

#include "base/hash.h"
#include "base/map.h"
#include "mesh/check.h"

#include <stdio.h>
#include <stdlib.h>

#define SCRATCH ((size_t)1 << 20)

/* One content of a file, decoded. */
struct content {
    size_t refs;
    uint64_t serial; /* no other content has it, before or after */
    struct arena arena;
    struct api_objects objects;
    struct str *keys; /* of the objects: "group/kind/ns/name" */
};

struct stored_file {
    struct str path;        /* heap */
    uint64_t hash;          /* of the octets decoded last */
    struct content *served; /* what could be parsed of them; NULL: not read, or not known now */
    struct arena note_arena;
    struct notes notes; /* of the octets read last */
    size_t lost;        /* documents that could not be parsed */
    bool unread;        /* it, or a directory above it, cannot be read now */
    size_t stayed;      /* objects that stay as they were because of either */
    bool seen;
};

/* One identity. */
struct entry {
    struct str key;                /* of `now` */
    struct stored_file *holder;    /* where it stands, or stood when that could be read */
    struct content *now_in;        /* a reference */
    const struct api_object *now;  /* the file's version */
    const struct api_object *good; /* what is served; NULL: none */
    struct content *good_in;
};

struct store {
    struct map files;     /* path -> struct stored_file */
    struct api_pool pool; /* of objects that rest */
    struct arena scratch; /* of one file's tree, while it is decoded */
    struct map entries;   /* key -> struct entry */
    struct arena *arena;  /* of the lists */
    struct object_list lists[OBJ_KINDS];
    uint64_t digests[OBJ_KINDS];
    uint64_t serial; /* of the content decoded last */
    struct object_list broken;
};

static const struct {
    struct str group, kind;
} kinds[] = {
    [OBJ_GATEWAY] = { STR_INIT("networking.istio.io"), STR_INIT("Gateway") },
    [OBJ_VIRTUAL_SERVICE] = { STR_INIT("networking.istio.io"), STR_INIT("VirtualService") },
    [OBJ_DESTINATION_RULE] = { STR_INIT("networking.istio.io"), STR_INIT("DestinationRule") },
    [OBJ_SERVICE_ENTRY] = { STR_INIT("networking.istio.io"), STR_INIT("ServiceEntry") },
    [OBJ_WORKLOAD_ENTRY] = { STR_INIT("networking.istio.io"), STR_INIT("WorkloadEntry") },
    [OBJ_SERVICE] = { STR_INIT(""), STR_INIT("Service") },
    [OBJ_ENDPOINTS] = { STR_INIT(""), STR_INIT("Endpoints") },
    [OBJ_ENDPOINT_SLICE] = { STR_INIT("discovery.k8s.io"), STR_INIT("EndpointSlice") },
    [OBJ_POD] = { STR_INIT(""), STR_INIT("Pod") },
    [OBJ_DEPLOYMENT] = { STR_INIT("apps"), STR_INIT("Deployment") },
    [OBJ_STATEFUL_SET] = { STR_INIT("apps"), STR_INIT("StatefulSet") },
    [OBJ_DAEMON_SET] = { STR_INIT("apps"), STR_INIT("DaemonSet") },
    [OBJ_SECRET] = { STR_INIT(""), STR_INIT("Secret") },
    [OBJ_CONFIG_MAP] = { STR_INIT(""), STR_INIT("ConfigMap") },
    [OBJ_CERTIFICATE] = { STR_INIT("cert-manager.io"), STR_INIT("Certificate") },
};

static enum object_kind kind_of(const struct api_object *o)
{
    for (size_t i = 0; i < LEN(kinds); i++)
        if (str_eq(o->kind->kind, kinds[i].kind) && str_eq(o->kind->group, kinds[i].group))
            return (enum object_kind)i;
    return OBJ_OTHER;
}

static struct str object_key(struct arena *a, const struct api_object *o)
{
    return arena_printf(a, "%.*s/%.*s/%.*s/%.*s", STRF(o->kind->group), STRF(o->kind->kind),
                        STRF(o->meta->namespace), STRF(o->meta->name));
}

/* ---- contents and files ---- */

static void content_unref(struct content *c)
{
    if (!c || --c->refs)
        return;
    for (size_t i = 0; i < c->objects.n; i++)
        api_object_rest(c->objects.v[i]);
    arena_fini(&c->arena);
    free(c);
}

static void file_free(struct stored_file *f)
{
    content_unref(f->served);
    arena_fini(&f->note_arena);
    free((char *)(uintptr_t)f->path.p);
    free(f);
}

static struct stored_file *file_get(struct store *s, struct str path)
{
    struct stored_file *f = map_get(&s->files, path);
    char *copy;

    if (f)
        return f;
    f = must_alloc(sizeof(*f));
    copy = must_alloc(path.n + 1);
    memcpy(copy, path.p, path.n);
    f->path = str_make(copy, path.n);
    arena_init(&f->note_arena, 1024);
    map_put(&s->files, f->path, f);
    return f;
}

/* Kinds of which there may be very many, and that are read only where they are compiled. */
static bool is_rested(const struct api_object *o)
{
    return kind_of(o) == OBJ_VIRTUAL_SERVICE;
}

/* What stays of the objects of a file. */
static struct content *content_new(struct store *s, const struct api_objects *from)
{
    struct content *c = must_alloc(sizeof(*c));
    struct arena *a = &c->arena;

    c->refs = 1;
    c->serial = ++s->serial;
    arena_init(a, 1024);
    c->objects = (struct api_objects){ ARENA_ARRAY(a, struct api_object *, from->n), from->n,
                                       ARENA_ARRAY(a, struct api_unknown, from->unknown_count),
                                       from->unknown_count };
    c->keys = ARENA_ARRAY(a, struct str, from->n);
    for (size_t i = 0; i < from->n; i++) {
        c->objects.v[i] = api_object_keep(a, from->v[i], is_rested(from->v[i]) ? &s->pool : NULL);
        c->keys[i] = object_key(a, from->v[i]);
    }
    for (size_t i = 0; i < from->unknown_count; i++) {
        const struct api_unknown *u = &from->unknown[i];
        struct pos pos = { arena_dup(a, u->pos.file), u->pos.line, u->pos.col };

        c->objects.unknown[i] = (struct api_unknown){ arena_dup(a, u->api_version),
                                                      arena_dup(a, u->kind), pos };
    }
    return c;
}

/* How many documents could not be parsed. */
static size_t octets_load(struct arena *a, struct str path, struct str octets,
                          struct notes *ret_notes, struct api_objects *ret)
{
    notes_init(ret_notes, a);
    if (api_load_file(a, path, octets, ret_notes, ret))
        return 0;
    arena_reset(a);
    notes_init(ret_notes, a);
    return api_load_parts(a, path, octets, ret_notes, ret);
}

/* Decodes new octets, as many of their documents as can be parsed. */
static void file_decode(struct store *s, struct stored_file *f, const struct source_file *sf)
{
    struct api_objects objects = { 0 };
    struct notes made;

    f->hash = sf->hash;
    f->lost = octets_load(&s->scratch, f->path, sf->octets, &made, &objects);
    for (size_t i = 0; i < objects.n; i++)
        check_object(objects.v[i], &made);
    arena_reset(&f->note_arena);
    notes_init(&f->notes, &f->note_arena);
    notes_append(&f->notes, &made);
    content_unref(f->served);
    f->served = content_new(s, &objects);
    arena_reset(&s->scratch);
}

static bool is_below(struct str path, struct str dir)
{
    return str_starts(path, dir) &&
           (path.n == dir.n || path.p[dir.n] == '/' || str_ends(dir, STR("/")));
}

static bool is_below_error(struct str path, const struct source_scan *scan)
{
    for (size_t i = 0; i < scan->error_count; i++)
        if (is_below(path, scan->errors[i].path))
            return true;
    return false;
}

/* What the file holds is not known: its objects stay by their identity alone, as they will
 * after a restart. */
static void file_forget(struct stored_file *f)
{
    content_unref(f->served);
    f->served = NULL;
    f->unread = true;
}

static void file_begin(struct stored_file *f)
{
    f->seen = f->unread = false;
    f->stayed = 0;
}

static void file_update(struct store *s, const struct source_scan *scan,
                        const struct source_file *sf)
{
    struct stored_file *f = file_get(s, sf->path);
    bool is_same = f->served && f->hash == sf->hash;

    f->seen = true;
    if (sf->error.n || is_below_error(f->path, scan) ||
        (!str_is_set(sf->octets) && !(sf->dropped && is_same)))
        file_forget(f);
    else if (!is_same)
        file_decode(s, f, sf);
}

/* Files that no scan has, as their directory cannot be read: known from before the start. */
static void files_unseen(struct store *s, const struct source_scan *scan)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->files, &at));) {
        struct stored_file *f = e->value;

        if (f->seen || !is_below_error(f->path, scan))
            continue;
        f->seen = true;
        file_forget(f);
    }
}

static void files_sweep(struct store *s)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->files, &at));) {
        struct stored_file *f = e->value;

        if (f->seen)
            continue;
        map_del(&s->files, f->path);
        file_free(f);
    }
}

static void note_stayed(const struct stored_file *f, struct notes *notes)
{
    struct pos pos = { .file = f->path };
    const char *s = f->stayed == 1 ? "" : "s",
               *as = f->stayed == 1 ? "stays as it was" : "stay as they were";

    if (!f->stayed || f->unread)
        return;
    if (f->served && f->served->objects.n)
        note_add(notes, SEV_WARNING, pos, "LAT0308",
                 "%zu of its documents cannot be parsed: %zu object%s that the others do not hold "
                 "%s",
                 f->lost, f->stayed, s, as);
    else
        note_add(notes, SEV_WARNING, pos, "LAT0308",
                 "the file cannot be parsed: its %zu object%s %s", f->stayed, s, as);
}

/* What there is to say about a file as it is now. */
static void file_note(const struct stored_file *f, const struct source_file *sf,
                      struct notes *notes)
{
    if (sf->error.n)
        note_add(notes, SEV_ERROR, (struct pos){ .file = f->path }, "LAT0303",
                 "cannot be read: %.*s%s", STRF(sf->error),
                 f->stayed ? "; its objects stay as they were" : "");
    if (!f->unread)
        notes_append(notes, &f->notes);
    note_stayed(f, notes);
}

/* ---- identities ---- */

static void entry_free(struct entry *e)
{
    content_unref(e->good_in);
    content_unref(e->now_in);
    free(e);
}

static void entries_free(struct map *entries)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(entries, &at));)
        entry_free(e->value);
    map_fini(entries);
}

static void note_twice(const struct api_object *o, const struct api_object *first,
                       struct notes *notes)
{
    api_note(o, notes, SEV_ERROR, "LAT0302", SPOT(o->meta),
             "the same object stands at %.*s:%u already, and that one serves; remove one of them",
             STRF(first->file), first->line);
    api_note_other(notes, first, SPOT(first->meta));
}

static void note_broken(const struct api_object *o, bool has_good, struct notes *notes)
{
    api_note(o, notes, SEV_WARNING, "LAT0308", SPOT(o->meta), "%s",
             has_good ? "its last good version stays in effect until it is mended"
                      : "there is no good version of it to serve until it is mended");
}

/* The entry of an object of `f` in the new table; what is good follows it from the old one. */
static void entry_add(struct map *entries, struct map *old, struct stored_file *f, size_t at,
                      struct notes *notes)
{
    struct content *c = f->served;
    const struct api_object *o = c->objects.v[at];
    struct str key = c->keys[at];
    struct entry *was = map_get(old, key);
    struct entry *e = map_get(entries, key);

    if (e) {
        note_twice(o, e->now, notes);
        return;
    }
    e = must_alloc(sizeof(*e));
    e->key = key;
    e->holder = f;
    e->now = o;
    e->now_in = c;
    c->refs++;
    if (!o->broken) {
        e->good = o;
        e->good_in = c;
    } else if (was && was->good) {
        e->good = was->good;
        e->good_in = was->good_in;
    }
    if (e->good_in)
        e->good_in->refs++;
    if (o->broken)
        note_broken(o, e->good != NULL, notes);
    map_put(entries, e->key, e);
}

/* An object of a document that cannot be read now stays, unless it stands elsewhere. */
static void entries_stay(struct map *entries, struct map *old)
{
    const struct map_entry *m;

    for (size_t at = 0; (m = map_next(old, &at));) {
        struct entry *e = m->value;
        struct stored_file *f = e->holder;

        if (!f->seen || (!f->lost && !f->unread) || map_has(entries, e->key))
            continue;
        map_del(old, e->key);
        map_put(entries, e->key, e);
        f->stayed++;
    }
}

/* ---- lists ---- */

static int compare_age(const void *a, const void *b)
{
    const struct api_meta *x = (*(const struct api_object *const *)a)->meta;
    const struct api_meta *y = (*(const struct api_object *const *)b)->meta;
    int by_name;

    if (x->creation_timestamp.set != y->creation_timestamp.set)
        return x->creation_timestamp.set ? -1 : 1;
    if (x->creation_timestamp.set && x->creation_timestamp.unix_ms != y->creation_timestamp.unix_ms)
        return x->creation_timestamp.unix_ms < y->creation_timestamp.unix_ms ? -1 : 1;
    by_name = str_cmp(x->name, y->name);
    return by_name ? by_name : str_cmp(x->namespace, y->namespace);
}

static void lists_build(struct store *s)
{
    const struct map_entry *e;
    size_t caps[OBJ_KINDS] = { 0 }, broken_cap = 0;

    arena_free(s->arena);
    s->arena = arena_new(16384);
    memset(s->lists, 0, sizeof(s->lists));
    memset(s->digests, 0, sizeof(s->digests));
    memset(&s->broken, 0, sizeof(s->broken));
    for (size_t at = 0; (e = map_next(&s->entries, &at));) {
        const struct entry *entry = e->value;
        const struct api_object *o = entry->good ? entry->good : entry->now;
        enum object_kind kind = kind_of(o);
        struct object_list *list = entry->good ? &s->lists[kind] : &s->broken;
        size_t *cap = entry->good ? &caps[kind] : &broken_cap;

        list->v = arena_grow(s->arena, list->v, list->n, cap, sizeof(const struct api_object *));
        list->v[list->n++] = o;
        if (entry->good)
            s->digests[kind] = hash_mix(hash_mix(s->digests[kind], (uintptr_t)o),
                                        entry->good_in->serial);
    }
    if (s->broken.n)
        qsort(s->broken.v, s->broken.n, sizeof(const struct api_object *), compare_age);
    for (size_t i = 0; i < OBJ_KINDS; i++)
        if (s->lists[i].n)
            qsort(s->lists[i].v, s->lists[i].n, sizeof(const struct api_object *), compare_age);
}

/* ---- the whole ---- */

static void note_unknown_kinds(struct store *s, const struct source_scan *scan, struct notes *notes)
{
    const struct api_objects **all = must_alloc(sizeof(const struct api_objects *) * (scan->n + 1));
    size_t n = 0;

    for (size_t i = 0; i < scan->n; i++) {
        struct stored_file *f = map_get(&s->files, scan->files[i].path);

        if (f && f->served)
            all[n++] = &f->served->objects;
    }
    api_note_unknown(all, n, notes);
    free(all);
}

static void entries_build(struct store *s, const struct source_scan *scan, struct notes *notes)
{
    struct map old = s->entries;
    map_init(&s->entries);
    for (size_t i = 0; i < scan->n; i++) {
        struct stored_file *f = map_get(&s->files, scan->files[i].path);

        for (size_t k = 0; f->served && k < f->served->objects.n; k++)
            entry_add(&s->entries, &old, f, k, notes);
    }
    entries_stay(&s->entries, &old);
    entries_free(&old);
}

struct store *store_new(void)
{
    struct store *s = must_alloc(sizeof(*s));

    map_init(&s->files);
    map_init(&s->entries);
    api_pool_init(&s->pool);
    arena_init(&s->scratch, SCRATCH);
    return s;
}

void store_free(struct store *s)
{
    const struct map_entry *e;

    if (!s)
        return;
    entries_free(&s->entries);
    for (size_t at = 0; (e = map_next(&s->files, &at));)
        file_free(e->value);
    map_fini(&s->files);
    arena_free(s->arena);
    free(s);
}

void store_update(struct store *s, const struct source_scan *scan, struct notes *notes)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->files, &at));)
        file_begin(e->value);
    for (size_t i = 0; i < scan->error_count; i++)
        note_add(notes, SEV_ERROR, (struct pos){ .file = scan->errors[i].path }, "LAT0303",
                 "cannot be read: %.*s; what was read below it before stays",
                 STRF(scan->errors[i].text));
    if (scan->unwatched.path.n)
        note_add(notes, SEV_WARNING, (struct pos){ .file = scan->unwatched.path }, "LAT0303",
                 "cannot be watched: %.*s; changes there are live after SIGHUP",
                 STRF(scan->unwatched.text));
    for (size_t i = 0; i < scan->n; i++)
        file_update(s, scan, &scan->files[i]);
    files_unseen(s, scan);
    arena_fini(&s->scratch);
    entries_build(s, scan, notes);
    for (size_t i = 0; i < scan->n; i++)
        file_note(map_get(&s->files, scan->files[i].path), &scan->files[i], notes);
    files_sweep(s);
    note_unknown_kinds(s, scan, notes);
    lists_build(s);
}

const struct object_list *store_list(const struct store *s, enum object_kind kind)
{
    return &s->lists[kind];
}

uint64_t store_digest(const struct store *s, enum object_kind kind)
{
    return s->digests[kind];
}

const struct object_list *store_broken(const struct store *s)
{
    return &s->broken;
}

const struct api_object *store_find(const struct store *s, enum object_kind kind,
                                    struct str namespace, struct str name)
{
    char key[512];
    int n = snprintf(key, sizeof(key), "%.*s/%.*s/%.*s/%.*s", STRF(kinds[kind].group),
                     STRF(kinds[kind].kind), STRF(namespace), STRF(name));
    const struct entry *e;

    if (n <= 0 || (size_t)n >= sizeof(key))
        return NULL;
    e = map_get(&s->entries, str_make(key, (size_t)n));
    return e ? e->good : NULL;
}

void store_rest(struct store *s)
{
    api_pool_rest(&s->pool);
}
