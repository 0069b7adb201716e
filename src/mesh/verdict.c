#include "mesh/verdict.h"

#include "base/map.h"
#include "mesh/verdict_int.h"

const char *verdict_kind_name(enum verdict_kind kind)
{
    static const char *const names[] = { "effective", "overridden", "shadowed", "not applicable",
                                         "unsupported" };

    return names[kind];
}

/* ---- notes ---- */

static const struct {
    const char *code;
    enum verdict_kind kind;
    const char *marker; /* in the text; NULL: any */
    bool is_whole;      /* covers the whole object */
} rows[] = {
    { "LAT0301", VERDICT_UNSUPPORTED, NULL, false },
    { "LAT0302", VERDICT_OVERRIDDEN, NULL, true },
    { "LAT0304", VERDICT_OVERRIDDEN, NULL, false },
    { "LAT0305", VERDICT_NOT_APPLICABLE, NULL, false },
    { "LAT0306", VERDICT_SHADOWED, "is never reached", false },
    { "LAT0306", VERDICT_NOT_APPLICABLE, "does not select", true },
    { "LAT0306", VERDICT_NOT_APPLICABLE, "names no Gateway", true },
    { "LAT0306", VERDICT_NOT_APPLICABLE, "none of these hosts", true },
    { "LAT0306", VERDICT_NOT_APPLICABLE, NULL, false },
    { "LAT0307", VERDICT_NOT_APPLICABLE, "handshakes for these hosts are closed", false },
    { "LAT0307", VERDICT_NOT_APPLICABLE, "holds no certificate", false },
    { "LAT0307", VERDICT_NOT_APPLICABLE, "cannot be issued", false },
    { "LAT0308", VERDICT_OVERRIDDEN, "last good version stays", true },
    { "LAT0308", VERDICT_NOT_APPLICABLE, "no good version", true },
};

/* The note's text behind "object: path: ". */
static struct str why_of(const struct note *n)
{
    struct str why = n->text;

    if (str_starts(why, n->object))
        why = str_from(why, n->object.n + 2);
    if (n->path.n && str_starts(why, n->path))
        why = str_from(why, n->path.n + 2);
    if (str_starts(why, STR("unsupported: ")))
        why = str_from(why, 13);
    return why;
}

static struct str parent_of(struct str path)
{
    size_t dot = str_rfind(path, '.'), bracket = str_rfind(path, '[');
    size_t end = dot == path.n ? bracket : bracket == path.n ? dot : MAX(dot, bracket);

    return end == path.n ? STR("") : str_sub(path, 0, end);
}

/* "the server is left out" is said of a leaf and covers its item of the list. */
static struct str scope_of(const struct note *n)
{
    struct str path = n->path;
    bool left_out = str_find_str(n->text, STR("server is left out")) < n->text.n;

    if (str_starts(path, STR("metadata")) && !str_eq(str_of(n->code), STR("LAT0305")) &&
        !str_eq(str_of(n->code), STR("LAT0306")))
        return STR("");
    if (str_find_str(n->text, STR("already defines subset")) < n->text.n)
        return parent_of(path);
    while (left_out && path.n &&
           (path.p[path.n - 1] != ']' || !str_starts(path, STR("spec.servers[")) ||
            str_find(str_from(path, 13), '[') < path.n - 13))
        path = parent_of(path);
    return path;
}

bool verdict_of_note(const struct note *n, struct verdict *ret)
{
    if (!n->object.n || !n->code)
        return false;
    for (size_t i = 0; i < LEN(rows); i++) {
        if (strcmp(n->code, rows[i].code) != 0)
            continue;
        if (rows[i].marker && str_find_str(n->text, str_of(rows[i].marker)) == n->text.n)
            continue;
        *ret = (struct verdict){ .kind = rows[i].kind,
                                 .object = n->object,
                                 .path = rows[i].is_whole ? STR("") : scope_of(n),
                                 .pos = n->pos,
                                 .text = why_of(n),
                                 .note = n };
        return true;
    }
    return false;
}

static void add_pos(struct buf *b, struct pos pos)
{
    buf_printf(b, "%.*s:%u:%u", STRF(pos.file), pos.line, MAX(pos.col, 1));
}

void verdict_print(struct buf *b, const struct verdict *v)
{
    add_pos(b, v->pos);
    buf_printf(b, ": %s: %.*s", verdict_kind_name(v->kind), STRF(v->object));
    if (v->path.n)
        buf_printf(b, ": %.*s", STRF(v->path));
    if (v->text.n)
        buf_printf(b, ": %.*s", STRF(v->text));
    if (!v->note || !v->note->other.file.n)
        return;
    buf_printf(b, " (by %.*s, ", STRF(v->note->other_object));
    add_pos(b, v->note->other);
    buf_addc(b, ')');
}

static int badness(const struct verdict *v)
{
    static const int of_kind[] = { [VERDICT_EFFECTIVE] = 0,
                                   [VERDICT_NOT_APPLICABLE] = 1,
                                   [VERDICT_SHADOWED] = 2,
                                   [VERDICT_OVERRIDDEN] = 3,
                                   [VERDICT_UNSUPPORTED] = 4 };

    return of_kind[v->kind] * 3 + (v->note ? SEV_INFO - (int)v->note->severity : 0);
}

bool verdict_is_worse(const struct verdict *a, const struct verdict *b)
{
    return badness(a) > badness(b);
}

/* ---- leaves ---- */

/* A verdict that a note gives. */
struct said {
    struct verdict v;
    bool is_told;
    struct said *next; /* of the same place */
    struct said *next_inside, *next_of_all;
};

struct walk {
    struct arena a;
    struct map at;     /* "object\npath" -> struct said, the last one first */
    struct map inside; /* the same by the path around it */
    struct said *all, **all_end;
    const struct mesh *m;
    const struct api_object *o; /* the object at hand */
    struct str title;
    struct buf key; /* room for one */
    mesh_verdict_fn *fn;
    void *arg;
};

static struct str key_of(struct walk *w, struct str object, struct str path)
{
    buf_reset(&w->key);
    buf_printf(&w->key, "%.*s\n%.*s", STRF(object), STRF(path));
    return buf_str(&w->key);
}

/* It is about another version of the object than the one that serves. */
static bool is_of_another(const struct verdict *v)
{
    return strcmp(v->note->code, "LAT0302") == 0 || strcmp(v->note->code, "LAT0308") == 0;
}

static struct said *link_to(struct walk *w, struct map *map, struct str object, struct str path,
                            struct said *s)
{
    struct str key = key_of(w, object, path);
    struct said *before = map_get(map, key);

    map_put(map, before ? key : arena_dup(&w->a, key), s);
    return before;
}

static void remember(struct walk *w, const struct verdict *v)
{
    struct said *s = ARENA_NEW(&w->a, struct said);

    s->v = *v;
    *w->all_end = s;
    w->all_end = &s->next_of_all;
    if (is_of_another(v) || str_eq(v->path, STR("metadata"))) /* of the object, not of its labels */
        return;
    s->next = link_to(w, &w->at, v->object, v->path, s);
    if (v->path.n)
        s->next_inside = link_to(w, &w->inside, v->object, parent_of(v->path), s);
}

/* What notes say of items and keys of a leaf: "spec.hosts[1]" of "spec.hosts". */
static void tell_inside(struct walk *w, struct str leaf)
{
    struct said *s = map_get(&w->inside, key_of(w, w->title, leaf));

    for (; s; s = s->next_inside) {
        if (!s->is_told)
            w->fn(w->arg, &s->v);
        s->is_told = true;
    }
}

/* What notes say of a leaf: the one that names the smallest piece around it. */
static void from_notes(struct walk *w, struct verdict *v)
{
    struct str around = v->path;
    bool is_all = false;

    tell_inside(w, v->path);
    while (!is_all) {
        struct said *s = map_get(&w->at, key_of(w, w->title, around));

        for (; s; s = s->next) {
            s->is_told = true;
            if (v->note)
                continue;
            v->kind = s->v.kind;
            v->text = s->v.text;
            v->note = s->v.note;
        }
        is_all = around.n == 0;
        around = parent_of(around);
    }
}

/* The access log is the program's, not the snapshot's. */
static bool is_of_program(const struct walk *w, const struct api_set *set)
{
    return w->o == w->m->config_object && str_starts(set->field->name, STR("accessLog"));
}

static bool is_used(const struct walk *w, const struct api_set *set)
{
    const struct api_at *at = set->levels[set->depth - 1].message;
    char name[64];

    if (set->field->state == API_NOT || set->field->type == API_SKIP)
        return false;
    if (set->field->state == API_NOTE && w->o->kind->proto)
        return false;
    return is_of_program(w, set) ||
           trace_has(w->m->trace, w->o,
                     (struct api_spot){ .at = at, .field = str_copy(set->field->name, name, 64) });
}

static void tell_leaf(void *arg, const struct api_set *set)
{
    struct walk *w = arg;
    struct verdict v = { .object = w->title, .path = set->path, .pos = set->pos };

    from_notes(w, &v);
    if (!v.note && !is_used(w, set)) {
        v.kind = VERDICT_NOT_APPLICABLE;
        v.text = str_of(verdict_reason(w->m, w->o, set));
    }
    w->fn(w->arg, &v);
}

static void tell_object(struct walk *w, const struct api_object *o)
{
    struct buf b;

    buf_init(&b, 8192);
    api_object_title(o, &b);
    w->o = o;
    w->title = buf_str(&b);
    api_each_set_leaf(o, tell_leaf, w);
    api_object_rest(o);
    buf_fini(&b);
}

static void tell_rest(struct walk *w)
{
    for (const struct said *s = w->all; s; s = s->next_of_all)
        if (!s->is_told)
            w->fn(w->arg, &s->v);
}

static void tell_all(struct walk *w)
{
    for (int kind = 0; kind < OBJ_KINDS; kind++) {
        const struct object_list *list = store_list(w->m->store, (enum object_kind)kind);

        for (size_t i = 0; i < list->n; i++)
            tell_object(w, list->v[i]);
    }
    if (w->m->config_object)
        tell_object(w, w->m->config_object);
    tell_rest(w);
}

void mesh_each_verdict(const struct mesh *m, const struct notes *notes, mesh_verdict_fn *fn,
                       void *arg)
{
    struct walk w = { .m = m, .fn = fn, .arg = arg };
    struct verdict v;

    MUST(m->trace);
    w.all_end = &w.all;
    arena_init(&w.a, 16384);
    map_init(&w.at);
    map_init(&w.inside);
    buf_init(&w.key, (size_t)1 << 20);
    for (size_t i = 0; i < notes->n; i++) {
        if (verdict_of_note(&notes->v[i], &v))
            remember(&w, &v);
    }
    tell_all(&w);
    buf_fini(&w.key);
    map_fini(&w.at);
    map_fini(&w.inside);
    arena_fini(&w.a);
}

static void count(void *arg, const struct verdict *v)
{
    ((size_t *)arg)[v->kind]++;
}

void mesh_count_verdicts(const struct mesh *m, const struct notes *notes,
                         size_t ret_counts[VERDICT_KINDS])
{
    memset(ret_counts, 0, sizeof(*ret_counts) * VERDICT_KINDS);
    mesh_each_verdict(m, notes, count, ret_counts);
}
