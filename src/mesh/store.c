#include "mesh/store.h"

#include "base/map.h"
#include "mesh/check.h"
#include "mesh/objects.h"

#include <stdio.h>
#include <stdlib.h>

#define SCRATCH ((size_t)512 << 10)
#define AWAKE_MAX ((size_t)16 << 20)

struct stored_file {
    struct str path;        /* heap */
    uint64_t hash;          /* of the octets decoded last */
    struct content *served; /* what could be parsed of them; NULL: not read, or not known now */
    struct arena note_arena;
    struct notes notes; /* of the octets read last */
    size_t lost;        /* documents that could not be parsed */
    bool unread;        /* it, or a directory above it, cannot be read now */
    struct holder holder;
    bool seen;
};

struct store {
    struct map files;     /* path -> struct stored_file */
    struct api_pool pool; /* of objects that rest */
    size_t awake_max;
    struct tally contents;
    struct arena scratch; /* of one file's tree, while it is decoded */
    struct objects *objects;
    struct stored_file **scanned;       /* of the update under way, in the order of the scan */
    const struct api_objects **unknown; /* of contents with kinds that are not known */
    size_t unknown_n, unknown_cap;
    size_t notes_max; /* of a file */
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
    [OBJ_ISSUER] = { STR_INIT("cert-manager.io"), STR_INIT("Issuer") },
    [OBJ_CLUSTER_ISSUER] = { STR_INIT("cert-manager.io"), STR_INIT("ClusterIssuer") },
};

enum object_kind object_kind_of(const struct api_object *o)
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

static size_t content_octets(const struct content *c)
{
    return sizeof(*c) + c->arena.total;
}

void content_unref(struct content *c)
{
    if (!c || --c->refs)
        return;
    for (size_t i = 0; i < c->objects.n; i++)
        api_object_rest(c->objects.v[i]);
    c->all->n -= c->objects.n;
    c->all->octets -= content_octets(c);
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
    f->holder.path = f->path;
    list_init(&f->holder.staying);
    map_put(&s->files, f->path, f);
    return f;
}

/* Kinds of which there may be very many, and that are read only where they are compiled. */
static bool is_rested(const struct api_object *o)
{
    return object_kind_of(o) == OBJ_VIRTUAL_SERVICE;
}

/* What stays of the objects of a file. */
static struct content *content_new(struct store *s, const struct api_objects *from)
{
    struct content *c = must_alloc(sizeof(*c));
    struct arena *a = &c->arena;

    c->refs = 1;
    c->all = &s->contents;
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
    c->all->n += from->n;
    c->all->octets += content_octets(c);
    return c;
}

/* How many documents could not be parsed. */
static size_t octets_load(struct arena *a, struct str path, struct str octets, size_t notes_max,
                          struct notes *ret_notes, struct api_objects *ret)
{
    notes_init(ret_notes, a);
    ret_notes->max = notes_max;
    if (api_load_file(a, path, octets, ret_notes, ret))
        return 0;
    arena_reset(a);
    notes_init(ret_notes, a);
    ret_notes->max = notes_max;
    return api_load_parts(a, path, octets, ret_notes, ret);
}

/* From now on the objects of `c` are the file's; NULL: it is not known what it holds. */
static void file_serve(struct store *s, struct stored_file *f, struct content *take_c)
{
    if (f->served)
        objects_detach(s->objects, f->served);
    content_unref(f->served);
    f->served = take_c;
    f->holder.keeps = f->lost || f->unread;
    objects_unsettle(s->objects, &f->holder);
    if (!take_c)
        return;
    take_c->holder = &f->holder;
    objects_attach(s->objects, take_c);
}

/* Decodes new octets, as many of their documents as can be parsed. */
static void file_decode(struct store *s, struct stored_file *f, const struct source_file *sf)
{
    struct api_objects objects = { 0 };
    struct notes made;

    f->hash = sf->hash;
    f->lost = octets_load(&s->scratch, f->path, sf->octets, s->notes_max, &made, &objects);
    for (size_t i = 0; i < objects.n; i++)
        check_object(objects.v[i], &made);
    arena_reset(&f->note_arena);
    notes_init(&f->notes, &f->note_arena);
    f->notes.max = s->notes_max;
    notes_append(&f->notes, &made);
    file_serve(s, f, content_new(s, &objects));
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
static void file_forget(struct store *s, struct stored_file *f)
{
    f->unread = true;
    if (f->served || !f->holder.keeps)
        file_serve(s, f, NULL);
}

/* Kinds that are not known are said once for all files. */
static void note_unknown_later(struct store *s, const struct api_objects *objects)
{
    if (s->unknown_n == s->unknown_cap) {
        s->unknown_cap = MAX(s->unknown_cap * 2, 4);
        s->unknown = must_realloc(s->unknown, s->unknown_cap * sizeof(const struct api_objects *));
    }
    s->unknown[s->unknown_n++] = objects;
}

static struct stored_file *file_update(struct store *s, const struct source_scan *scan,
                                       const struct source_file *sf, size_t rank)
{
    struct stored_file *f = file_get(s, sf->path);
    bool is_same = f->served && f->hash == sf->hash;

    f->seen = true;
    f->unread = false;
    f->holder.rank = rank;
    if (sf->error.n || is_below_error(f->path, scan) ||
        (!str_is_set(sf->octets) && !(sf->dropped && is_same)))
        file_forget(s, f);
    else if (!is_same)
        file_decode(s, f, sf);
    if (f->served && f->served->objects.unknown_count)
        note_unknown_later(s, &f->served->objects);
    return f;
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
        file_forget(s, f);
    }
}

static void files_leave(struct store *s)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->files, &at));) {
        struct stored_file *f = e->value;

        if (f->seen)
            continue;
        f->lost = 0;
        f->unread = false;
        file_serve(s, f, NULL);
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
    const char *s = f->holder.stayed == 1 ? "" : "s",
               *as = f->holder.stayed == 1 ? "stays as it was" : "stay as they were";

    if (!f->holder.stayed || f->unread)
        return;
    if (f->served && f->served->objects.n)
        note_add(notes, SEV_WARNING, pos, "LAT0308",
                 "%zu of its documents cannot be parsed: %zu object%s that the others do not hold "
                 "%s",
                 f->lost, f->holder.stayed, s, as);
    else
        note_add(notes, SEV_WARNING, pos, "LAT0308",
                 "the file cannot be parsed: its %zu object%s %s", f->holder.stayed, s, as);
}

/* What there is to say about a file as it is now. */
static void file_note(const struct stored_file *f, const struct source_file *sf,
                      struct notes *notes)
{
    if (sf->error.n)
        note_add(notes, SEV_ERROR, (struct pos){ .file = f->path }, "LAT0303",
                 "cannot be read: %.*s%s", STRF(sf->error),
                 f->holder.stayed ? "; its objects stay as they were" : "");
    if (!f->unread)
        notes_append(notes, &f->notes);
    note_stayed(f, notes);
}

/* ---- the whole ---- */

struct store *store_new(size_t awake_max)
{
    struct store *s = must_alloc(sizeof(*s));

    map_init(&s->files);
    s->objects = objects_new();
    api_pool_init(&s->pool);
    s->awake_max = awake_max ? awake_max : AWAKE_MAX;
    arena_init(&s->scratch, SCRATCH);
    return s;
}

void store_free(struct store *s)
{
    const struct map_entry *e;

    if (!s)
        return;
    objects_free(s->objects);
    for (size_t at = 0; (e = map_next(&s->files, &at));)
        file_free(e->value);
    map_fini(&s->files);
    free(s->unknown);
    free(s->scanned);
    free(s);
}

void store_take(struct store *s, const struct source_scan *scan, size_t notes_max)
{
    const struct map_entry *e;

    s->notes_max = notes_max;
    for (size_t at = 0; (e = map_next(&s->files, &at));)
        ((struct stored_file *)e->value)->seen = false;
    s->unknown_n = 0;
    s->scanned = must_realloc(s->scanned, (scan->n + 1) * sizeof(struct stored_file *));
    for (size_t i = 0; i < scan->n; i++)
        s->scanned[i] = file_update(s, scan, &scan->files[i], i);
    arena_fini(&s->scratch);
}

static bool is_sound(const struct stored_file *f)
{
    if (f->unread || f->lost)
        return false;
    for (size_t i = 0; i < f->served->objects.n; i++)
        if (f->served->objects.v[i]->broken)
            return false;
    return true;
}

enum store_found store_found(const struct store *s, const struct source_scan *scan)
{
    bool sound = scan->error_count == 0, any = false;

    for (size_t i = 0; i < scan->n - scan->own; i++) {
        const struct stored_file *f = s->scanned[i];

        sound = sound && is_sound(f);
        any |= f->served && (f->served->objects.n || !f->lost);
    }
    if (sound)
        return STORE_SOUND;
    return any ? STORE_TROUBLE : STORE_NOTHING;
}

bool store_recall(struct store *s, struct str holder, struct str file, struct str tree)
{
    struct api_objects objects;
    struct content *c;
    struct notes notes;
    bool known;

    notes_init(&notes, &s->scratch);
    known = api_load_packed(&s->scratch, file, tree, &notes, &objects);
    if (known) {
        check_object(objects.v[0], &notes);
        c = content_new(s, &objects);
        c->holder = &file_get(s, holder)->holder;
        objects_recall(s->objects, c);
        content_unref(c);
    }
    arena_fini(&s->scratch);
    return known;
}

static bool knows_below(const struct store *s, struct str dir)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->files, &at));)
        if (is_below(e->key, dir))
            return true;
    return false;
}

void store_note(struct store *s, const struct source_scan *scan, struct notes *notes)
{
    for (size_t i = 0; i < scan->error_count; i++)
        note_add(notes, SEV_ERROR, (struct pos){ .file = scan->errors[i].path }, "LAT0303",
                 "cannot be read: %.*s%s", STRF(scan->errors[i].text),
                 knows_below(s, scan->errors[i].path) ? "; what was read below it before stays"
                                                      : "");
    if (scan->unwatched.path.n)
        note_add(notes, SEV_WARNING, (struct pos){ .file = scan->unwatched.path }, "LAT0303",
                 "cannot be watched: %.*s; changes there are live after SIGHUP",
                 STRF(scan->unwatched.text));
    for (size_t i = 0; i < scan->n; i++)
        file_note(s->scanned[i], &scan->files[i], notes);
}

void store_settle(struct store *s, const struct source_scan *scan, struct notes *notes)
{
    files_unseen(s, scan);
    files_leave(s);
    objects_settle(s->objects);
    objects_note(s->objects, notes);
    store_note(s, scan, notes);
    files_sweep(s);
    api_note_unknown(s->unknown, s->unknown_n, notes);
}

const struct objects *store_objects(const struct store *s)
{
    return s->objects;
}

void store_done(struct store *s)
{
    objects_done(s->objects);
    api_pool_rest(&s->pool);
}

const struct object_change *store_changes(const struct store *s, size_t *ret_n)
{
    return objects_changes(s->objects, ret_n);
}

const struct object_list *store_list(const struct store *s, enum object_kind kind)
{
    return objects_list(s->objects, kind);
}

const struct object_list *store_broken(const struct store *s)
{
    return objects_broken(s->objects);
}

const struct api_object *store_find(const struct store *s, enum object_kind kind,
                                    struct str namespace, struct str name)
{
    char key[512];
    int n = snprintf(key, sizeof(key), "%.*s/%.*s/%.*s/%.*s", STRF(kinds[kind].group),
                     STRF(kinds[kind].kind), STRF(namespace), STRF(name));

    if (n <= 0 || (size_t)n >= sizeof(key))
        return NULL;
    return objects_find(s->objects, str_make(key, (size_t)n));
}

void store_relieve(struct store *s)
{
    if (s->pool.octets > s->awake_max)
        api_pool_rest(&s->pool);
}

void store_tally(const struct store *s, struct tally *ret_objects, struct tally *ret_awake)
{
    *ret_objects = (struct tally){ "objects", s->contents.n, s->contents.octets };
    *ret_awake = (struct tally){ "objects awake", s->pool.n, s->pool.octets };
}
