#include "api/check.h"
#include "api/decode_int.h"

#define MS INT64_C(1000000)

static void say(struct api_checker *c, enum severity severity, const char *code,
                struct api_spot spot, const char *fmt, va_list args)
{
    struct buf b;

    buf_init(&b, 8192);
    buf_vprintf(&b, fmt, args);
    api_note(c->o, c->notes, severity, code, spot, "%.*s", STRF(buf_str(&b)));
    buf_fini(&b);
}

void api_error(struct api_checker *c, struct api_spot spot, const char *fmt, ...)
{
    va_list args;

    c->o->broken = true;
    va_start(args, fmt);
    say(c, SEV_ERROR, "LAT0107", spot, fmt, args);
    va_end(args);
}

void api_warn(struct api_checker *c, struct api_spot spot, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, SEV_WARNING, "LAT0107", spot, fmt, args);
    va_end(args);
}

/* A field of the message being looked at. */
struct field_at {
    struct api_checker *c;
    const struct api_field *f;
    const void *msg, *value;
    const char *name; /* f->name, with a NUL */
};

static struct api_spot field_spot(const struct field_at *at)
{
    return (struct api_spot){ at->msg, at->name, -1, STR_NONE, false };
}

static bool is_set(const struct api_field *f, const void *value)
{
    if (f->shape != API_ONE)
        return ((const struct api_run *)value)->n > 0;
    switch (f->type) {
    case API_BOOL:
        return ((const struct opt_bool *)value)->set;
    case API_INT:
        return ((const struct opt_int *)value)->set;
    case API_NUM:
        return ((const struct opt_num *)value)->set;
    case API_STRING:
    case API_BYTES:
        return str_is_set(*(const struct str *)value) && ((const struct str *)value)->p != f->dflt;
    case API_ENUM:
        return ((const struct opt_enum *)value)->set;
    case API_DUR:
        return ((const struct opt_dur *)value)->set;
    case API_TIME:
        return ((const struct opt_time *)value)->set;
    case API_PORT:
        return ((const struct int_or_str *)value)->set;
    case API_MSG:
    case API_TREE:
        return *(const void *const *)value != NULL;
    default:
        return false;
    }
}

bool api_field_is_set(const struct api_field *f, const void *msg)
{
    return f->type != API_SKIP && is_set(f, (const char *)msg + f->offset);
}

static void check_string(const struct field_at *at, api_check_fn *check, struct str value,
                         struct api_spot spot)
{
    struct buf why;

    buf_init(&why, 1024);
    if (!check(value, &why))
        api_error(at->c, spot, "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
}

static void check_strings(const struct field_at *at)
{
    const struct str_list *list = at->value;
    const struct str_map *map = at->value;

    if (at->f->shape == API_ONE) {
        check_string(at, at->f->check, *(const struct str *)at->value, field_spot(at));
        return;
    }
    if (at->f->shape == API_LIST_OF) {
        for (size_t i = 0; i < list->n; i++)
            check_string(at, at->f->check, list->v[i],
                         (struct api_spot){ at->msg, at->name, (int64_t)i, STR_NONE, false });
        return;
    }
    for (size_t i = 0; i < map->n; i++)
        check_string(at, at->f->check, map->v[i].value,
                     (struct api_spot){ at->msg, at->name, -1, map->v[i].key, false });
}

static void check_keys(const struct field_at *at)
{
    const struct api_run *run = at->value;
    size_t stride = at->f->type == API_MSG || at->f->type == API_INT ? sizeof(struct int_entry)
                                                                     : sizeof(struct str_entry);

    for (size_t i = 0; i < run->n; i++) {
        struct str key = *(const struct str *)(const void *)((const char *)run->v + stride * i);

        check_string(at, at->f->check_key, key,
                     (struct api_spot){ at->msg, at->name, -1, key, true });
    }
}

/* istio-api.md 1.2: at least 1 ms, whole milliseconds. */
static void check_duration(const struct field_at *at)
{
    const struct opt_dur *d = at->value;

    if (!at->c->o->kind->proto || at->f->flags & API_ANY_DUR)
        return;
    if (d->ns < MS)
        api_error(at->c, field_spot(at), "must be at least 1ms%s",
                  d->ns == 0 ? ": remove the field to do without" : "");
    else if (d->ns % MS)
        api_error(at->c, field_spot(at), "must be whole milliseconds");
}

static void check_message(struct api_checker *c, const struct api_record *r, const void *msg);

static void check_messages(const struct field_at *at)
{
    const struct api_run *run = at->value;
    const struct api_entry *entries = run->v;

    if (at->f->shape == API_ONE) {
        check_message(at->c, at->f->record, *(const void *const *)at->value);
        return;
    }
    for (size_t i = 0; i < run->n; i++)
        check_message(at->c, at->f->record,
                      at->f->shape == API_MAP_OF ? entries[i].value
                                                 : (const char *)run->v + at->f->record->size * i);
}

static bool is_empty_text(const struct field_at *at)
{
    return at->f->type == API_STRING && at->f->shape == API_ONE &&
           ((const struct str *)at->value)->n == 0;
}

/* It is written, but could not be read: that was noted already. */
static bool was_refused(const struct field_at *at)
{
    const struct api_at *msg = at->msg;
    const struct node_pair *pair = msg->node ? field_pair(msg->node, at->f->name) : NULL;

    return pair && !node_is_null(&pair->value) &&
           (pair->value.kind == NODE_SCALAR || pair->value.n > 0);
}

static void check_field(struct api_checker *c, const struct api_field *f, const void *msg)
{
    char name[64];
    struct field_at at = { c, f, msg, (const char *)msg + f->offset, name };
    bool set = api_field_is_set(f, msg);

    str_copy(f->name, name, sizeof(name));
    if (f->flags & API_REQUIRED && (set ? is_empty_text(&at) : !was_refused(&at)))
        api_error(c, field_spot(&at), "is missing: set it (%c%s)", ascii_lower(f->doc[0]),
                  f->doc + 1);
    if (!set)
        return;
    if (f->flags & API_DEPRECATED)
        api_warn(c, field_spot(&at), "is deprecated: %c%s", ascii_lower(f->doc[0]), f->doc + 1);
    if (f->check)
        check_strings(&at);
    if (f->check_key)
        check_keys(&at);
    if (f->type == API_DUR)
        check_duration(&at);
    if (f->type == API_MSG)
        check_messages(&at);
}

/* Of the fields of one group at most one may be set. */
static void check_groups(struct api_checker *c, const struct api_record *r, const void *msg)
{
    char name[64];

    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];

        if (!f->group || !api_field_is_set(f, msg))
            continue;
        for (size_t k = 0; k < i; k++) {
            if (r->fields[k].group != f->group || !api_field_is_set(&r->fields[k], msg))
                continue;
            api_error(c,
                      (struct api_spot){ msg, str_copy(f->name, name, sizeof(name)), -1, STR_NONE,
                                         false },
                      "only one of \"%.*s\" and \"%.*s\" may be set: remove one",
                      STRF(r->fields[k].name), STRF(f->name));
            break;
        }
    }
}

static void check_message(struct api_checker *c, const struct api_record *r, const void *msg)
{
    check_groups(c, r, msg);
    for (size_t i = 0; i < r->n; i++)
        check_field(c, &r->fields[i], msg);
}

/* istio-api.md 1.2: annotations that Istio's own controllers alone may write. */
static void check_annotations(struct api_checker *c, const struct api_meta *m)
{
    for (size_t i = 0; i < m->annotations.n; i++) {
        struct str key = m->annotations.v[i].key;

        if (str_starts(key, STR("internal.istio.io/")))
            api_error(c, KEYED(m, "annotations", key), "is reserved for Istio itself: remove it");
        if (str_eq(key, STR("istio.io/dry-run")))
            api_error(c, KEYED(m, "annotations", key),
                      "is for AuthorizationPolicy only: remove it");
    }
}

static void check_meta(struct api_checker *c)
{
    const struct api_meta *m = c->o->meta;
    struct buf why;

    check_message(c, &rec_meta, m);
    buf_init(&why, 1024);
    if (!api_check_dns_subdomain(m->name, &why))
        api_error(c, LEAF(m, "name"), "%.*s", STRF(buf_str(&why)));
    why.n = 0;
    if (c->o->kind->namespaced && !api_check_dns_label(m->namespace, &why))
        api_error(c, LEAF(m, "namespace"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    if (c->o->kind->proto)
        check_annotations(c, m);
}

bool api_validate(struct api_object *o, struct notes *notes)
{
    struct api_checker c = { o, notes };
    size_t before = notes->errors;
    bool decoded = !o->broken;

    if (o->kind != &api_kind_meshconfig)
        check_meta(&c);
    check_message(&c, o->kind->body, o->body);
    /* With parts missing the kind's rules would only repeat what was noted. */
    if (o->kind->validate && decoded)
        o->kind->validate(&c, o->body);
    return decoded && notes->errors == before;
}
