#include "api/decode_int.h"

#include "base/when.h"
#include "codec/scalar.h"

#define NAMES_SHOWN 24 /* a message with more fields does not list them all */

void decode_note(struct decoder *d, enum severity severity, const char *code,
                 const struct seat *seat, const char *fmt, ...)
{
    struct api_at at = { .node = seat->in };
    struct api_spot spot = { &at, NULL, seat->index, seat->key, false };
    struct pos pos = { d->o->file, seat->value->line, seat->value->col };
    char field[256];
    va_list args;

    if (severity == SEV_ERROR)
        d->o->broken = true;
    if (seat->pair)
        spot.field = str_copy(seat->pair->key, field, sizeof(field));
    va_start(args, fmt);
    api_note_at(d->o, d->notes, severity, code, pos, spot, fmt, args);
    va_end(args);
}

static struct str field_name(const void *from, size_t i)
{
    return ((const struct api_record *)from)->fields[i].name;
}

/* Edits from a to b, counted in halves: a change of case is half an edit, two neighbours that
 * changed places are one. For names of up to 64 octets. */
static unsigned name_distance(struct str a, struct str b)
{
    unsigned rows[3][65];

    if (a.n > 64 || b.n > 64)
        return UINT32_MAX;
    for (size_t k = 0; k <= b.n; k++)
        rows[0][k] = (unsigned)k * 2;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = (unsigned)i * 2;
        for (size_t k = 1; k <= b.n; k++) {
            char x = a.p[i - 1], y = b.p[k - 1];
            unsigned change = x == y ? 0 : ascii_lower(x) == ascii_lower(y) ? 1 : 2;

            row[k] = MIN(MIN(above[k] + 2, row[k - 1] + 2), above[k - 1] + change);
            if (i > 1 && k > 1 && x == b.p[k - 2] && y == a.p[i - 2])
                row[k] = MIN(row[k], two_above[k - 2] + 2);
        }
    }
    return rows[a.n % 3][b.n];
}

struct str nearest_name(struct str name, size_t n, struct str (*get)(const void *from, size_t i),
                        const void *from)
{
    struct str best = STR_NONE;
    unsigned best_distance = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        struct str other = get(from, i);
        unsigned distance = name_distance(name, other);
        /* A third of the longer name may differ, unless only the case does. */
        unsigned allowed = (unsigned)MAX(name.n, other.n) * 2 / 3;

        if ((distance <= allowed || str_eq_nocase(name, other)) && distance < best_distance) {
            best = other;
            best_distance = distance;
        }
    }
    return best;
}

void decode_unknown(struct decoder *d, const struct api_record *r, const struct node *map,
                    const struct node_pair *pair)
{
    struct str near = nearest_name(pair->key, r->n, field_name, r);
    struct node place = { .line = pair->line, .col = pair->col };
    struct seat key = { map, pair, -1, STR_NONE, &place };
    struct buf names;

    buf_init(&names, 2048);
    if (str_is_set(near))
        buf_printf(&names, "did you mean \"%.*s\"?", STRF(near));
    else if (r->n == 0)
        buf_printf(&names, "%s has no fields: remove it", r->name);
    else if (r->n <= NAMES_SHOWN) {
        buf_printf(&names, "%s has ", r->name);
        for (size_t i = 0; i < r->n; i++)
            buf_printf(&names, "%s%.*s", i ? ", " : "", STRF(r->fields[i].name));
    } else
        buf_printf(&names, "%s has no field of this name: remove it", r->name);
    decode_note(d, SEV_ERROR, "LAT0102", &key, "unknown field; %.*s", STRF(buf_str(&names)));
    buf_fini(&names);
}

static const struct api_field *find_field(const struct api_record *r, struct str name, bool *snake)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->fields[i].name, name)) {
            *snake = false;
            return &r->fields[i];
        }
    for (size_t i = 0; i < r->n; i++)
        if (name_is_snake_of(name, r->fields[i].name)) {
            *snake = true;
            return &r->fields[i];
        }
    return NULL;
}

const struct api_field *api_field_find(const struct api_record *r, struct str name)
{
    bool snake;
    const struct api_field *f = find_field(r, name, &snake);

    return f && !snake ? f : NULL;
}

/* What an item of a list or a value of a map takes. */
static size_t item_size(const struct api_field *f, bool map)
{
    if (f->type == API_MSG)
        return map ? sizeof(void *) : f->record->size;
    return f->type == API_INT ? sizeof(int64_t) : sizeof(struct str);
}

static bool decode_submessage(struct decoder *d, const struct api_field *f, const struct seat *seat,
                              void *to)
{
    const struct node *n = seat->value;

    if (n->kind != NODE_MAP) {
        decode_note(d, SEV_ERROR, "LAT0103", seat, "an object (%s) is wanted, not %s",
                    f->record->name, node_what(n));
        return false;
    }
    memset(to, 0, f->record->size);
    *(struct api_at *)to = (struct api_at){ n->line, n->col, n };
    decode_fields(d, f->record, n, NULL, to);
    return true;
}

static void decode_list(struct decoder *d, const struct api_field *f, struct seat seat, void *to)
{
    const struct node *list = seat.value;
    size_t size = item_size(f, false);
    struct api_run run = { 0 };

    if (list->kind != NODE_SEQ) {
        decode_note(d, SEV_ERROR, "LAT0103", &seat,
                    "a list is wanted, not %s: begin each item with \"- \"", node_what(list));
        return;
    }
    run.v = arena_alloc(d->arena, MAX(size * list->n, 1));
    for (uint32_t i = 0; i < list->n; i++) {
        void *item = (char *)run.v + size * run.n;

        seat.value = &list->items[i];
        seat.index = i;
        if (f->type == API_MSG ? decode_submessage(d, f, &seat, item)
                               : decode_value(d, f, &seat, true, item))
            run.n++;
    }
    *(struct api_run *)to = run;
}

/* observed.md: an unquoted `y:` is the key "true"; nobody means that. */
static void warn_changed_key(struct decoder *d, const struct seat *seat,
                             const struct node_pair *pair)
{
    struct seat at = *seat;
    struct node place = { .line = pair->line, .col = pair->col };

    if (pair->quoted || str_eq(pair->key, pair->raw))
        return;
    at.value = &place;
    at.key = pair->key;
    decode_note(d, SEV_WARNING, "LAT0111", &at,
                "the unquoted key %.*s is read as \"%.*s\": quote it if \"%.*s\" is meant",
                STRF(pair->raw), STRF(pair->key), STRF(pair->raw));
}

static void decode_map(struct decoder *d, const struct api_field *f, struct seat seat, void *to)
{
    const struct node *map = seat.value;
    size_t size = item_size(f, true), stride = sizeof(struct str) + MAX(size, sizeof(void *));
    struct api_run run = { 0 };

    if (map->kind != NODE_MAP) {
        decode_note(d, SEV_ERROR, "LAT0103", &seat, "an object (key: value) is wanted, not %s",
                    node_what(map));
        return;
    }
    run.v = arena_alloc(d->arena, MAX(stride * map->n, 1));
    for (uint32_t i = 0; i < map->n; i++) {
        char *entry = (char *)run.v + stride * run.n;
        void *value = entry + sizeof(struct str);
        void *message = f->type == API_MSG ? arena_alloc(d->arena, f->record->size) : NULL;

        warn_changed_key(d, &seat, &map->pairs[i]);
        seat.value = &map->pairs[i].value;
        seat.key = map->pairs[i].key;
        *(struct str *)(void *)entry = seat.key;
        if (message)
            *(void **)value = message;
        /* Go reads a null as the empty string; proto-JSON refuses it. */
        if (!d->proto && f->type != API_MSG && f->type != API_INT && node_is_null(seat.value))
            *(struct str *)value = STR("");
        else if (!(message ? decode_submessage(d, f, &seat, message)
                           : decode_value(d, f, &seat, true, value)))
            continue;
        run.n++;
    }
    *(struct api_run *)to = run;
}

static void decode_one(struct decoder *d, const struct api_field *f, const struct seat *seat,
                       void *msg)
{
    void *to = (char *)msg + f->offset;

    if (f->shape == API_LIST_OF) {
        decode_list(d, f, *seat, to);
    } else if (f->shape == API_MAP_OF) {
        decode_map(d, f, *seat, to);
    } else if (f->type == API_MSG) {
        void *message = arena_alloc(d->arena, f->record->size);

        if (decode_submessage(d, f, seat, message))
            *(void **)to = message;
    } else {
        (void)decode_value(d, f, seat, false, to);
    }
}

static bool is_left(const char *const *leave, struct str name)
{
    for (; leave && *leave; leave++)
        if (str_eq(str_of(*leave), name))
            return true;
    return false;
}

static void decode_pair(struct decoder *d, const struct api_record *r, const struct node *map,
                        const struct node_pair *pair, void *msg)
{
    struct seat seat = { map, pair, -1, STR_NONE, &pair->value };
    struct seat key = seat;
    struct node place = { .line = pair->line, .col = pair->col };
    bool snake = false;
    const struct api_field *f = find_field(r, pair->key, &snake);

    key.value = &place;
    if (!f || (snake && !d->proto)) {
        decode_unknown(d, r, map, pair);
        return;
    }
    if (snake && node_pair(map, f->name)) {
        decode_note(d, SEV_ERROR, "LAT0105", &key, "the same field as \"%.*s\": remove one",
                    STRF(f->name));
        return;
    }
    if (snake && !(f->flags & API_SNAKE_TOO))
        decode_note(d, SEV_WARNING, "LAT0109", &key,
                    "read as \"%.*s\", but a cluster refuses this spelling", STRF(f->name));
    if (f->type == API_SKIP || node_is_null(&pair->value))
        return;
    decode_one(d, f, &seat, msg);
}

void decode_fields(struct decoder *d, const struct api_record *r, const struct node *map,
                   const char *const *leave, void *msg)
{
    for (uint32_t i = 0; i < map->n; i++)
        if (!is_left(leave, map->pairs[i].key))
            decode_pair(d, r, map, &map->pairs[i], msg);
    decode_defaults(d, r, msg);
}

static int32_t enum_number(const struct api_enum *e, struct str name)
{
    for (size_t i = 0; i < e->n; i++)
        if (str_eq(e->values[i].name, name))
            return e->values[i].number;
    MUST(!"a default that its enum has");
    return 0;
}

static void set_default(const struct api_field *f, void *to)
{
    struct scalar s = scalar_resolve(str_of(f->dflt));

    switch (f->type) {
    case API_BOOL:
        if (!((struct opt_bool *)to)->set)
            ((struct opt_bool *)to)->v = s.truth;
        break;
    case API_INT:
        if (!((struct opt_int *)to)->set)
            ((struct opt_int *)to)->v = s.integer;
        break;
    case API_NUM:
        if (!((struct opt_num *)to)->set)
            ((struct opt_num *)to)->v = s.number;
        break;
    case API_ENUM:
        if (!((struct opt_enum *)to)->set)
            ((struct opt_enum *)to)->v = enum_number(f->enums, str_of(f->dflt));
        break;
    case API_DUR:
        if (!((struct opt_dur *)to)->set)
            MUST(duration_parse(str_of(f->dflt), &((struct opt_dur *)to)->ns));
        break;
    case API_STRING:
        if (!str_is_set(*(struct str *)to))
            *(struct str *)to = str_of(f->dflt);
        break;
    default:
        MUST(!"a type that can have a default");
    }
}

void decode_defaults(struct decoder *d, const struct api_record *r, void *msg)
{
    (void)d;
    for (size_t i = 0; i < r->n; i++)
        if (r->fields[i].dflt && r->fields[i].shape == API_ONE)
            set_default(&r->fields[i], (char *)msg + r->fields[i].offset);
}

void *decode_message(struct decoder *d, const struct api_record *r, const struct node *map,
                     uint32_t line, uint32_t col)
{
    void *msg = arena_alloc(d->arena, r->size);

    *(struct api_at *)msg = (struct api_at){ line, col, map };
    if (map)
        decode_fields(d, r, map, NULL, msg);
    else
        decode_defaults(d, r, msg);
    return msg;
}

struct str api_map_get(const struct str_map *map, struct str key)
{
    for (size_t i = 0; i < map->n; i++)
        if (str_eq(map->v[i].key, key))
            return map->v[i].value;
    return STR_NONE;
}
