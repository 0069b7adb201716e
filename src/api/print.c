#include "api/decode_int.h"

#include "base/jsontext.h"
#include "base/when.h"
#include "codec/scalar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes YAML in block style or JSON; a container that turns out empty is `{}` or `[]`. */
struct printer {
    struct buf *b;
    enum api_format format;
    unsigned level;
    bool first;   /* nothing was written in this container yet */
    bool in_line; /* YAML: a "- " was written, the first key follows it */
};

static void new_line(struct printer *p)
{
    if (p->in_line) {
        p->in_line = false;
        return;
    }
    if (p->format == API_JSON && p->b->n && p->first == false)
        buf_addc(p->b, ',');
    if (p->b->n && p->b->p[p->b->n - 1] != '\n')
        buf_addc(p->b, '\n');
    for (unsigned i = 0; i < p->level; i++)
        buf_add(p->b, STR("  "));
}

static bool is_plain(struct str s)
{
    if (s.n == 0 || !isalpha((unsigned char)s.p[0]) || scalar_resolve(s).kind != SCALAR_STR)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr("._/-", s.p[i]))
            return false;
    return true;
}

static void print_text(struct printer *p, struct str s)
{
    if (p->format == API_YAML && is_plain(s))
        buf_add(p->b, s);
    else
        json_add_string(p->b, s);
}

static void print_key(struct printer *p, struct str key)
{
    new_line(p);
    p->first = false;
    print_text(p, key);
    buf_add(p->b, p->format == API_JSON ? STR(": ") : STR(":"));
}

/* Between a key and a scalar. */
static void print_gap(struct printer *p)
{
    if (p->format == API_YAML && p->b->n && p->b->p[p->b->n - 1] == ':')
        buf_addc(p->b, ' ');
}

/* Opens a container; gives back what print_close needs. */
static struct printer print_open(struct printer *p, bool list)
{
    struct printer inner = *p;

    inner.first = true;
    inner.in_line = false;
    if (p->format == API_JSON) {
        buf_addc(p->b, list ? '[' : '{');
        inner.level++;
    } else if (p->b->n && p->b->p[p->b->n - 1] == ' ') {
        /* behind "- ": the keys stand in the same column as the first */
        inner.in_line = true;
    } else if (!list && p->b->n) {
        inner.level++;
    }
    return inner;
}

static void print_close(struct printer *p, const struct printer *inner, bool list)
{
    if (p->format == API_JSON) {
        if (!inner->first) {
            buf_addc(p->b, '\n');
            for (unsigned i = 0; i < p->level; i++)
                buf_add(p->b, STR("  "));
        }
        buf_addc(p->b, list ? ']' : '}');
    } else if (inner->first) {
        print_gap(p);
        buf_add(p->b, list ? STR("[]") : STR("{}"));
    }
}

/* One item of a list; returns the printer for what stands in it. */
static struct printer print_item(struct printer *list)
{
    struct printer item = *list;

    new_line(list);
    list->first = false;
    item.in_line = false;
    if (list->format == API_YAML) {
        buf_add(list->b, STR("- "));
        item.level++;
    }
    return item;
}

static void print_duration(struct buf *b, int64_t ns)
{
    uint64_t abs = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char fraction[16];
    size_t n;

    snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(abs % 1000000000));
    for (n = 10; n > 1 && fraction[n - 1] == '0';)
        n--;
    buf_printf(b, "%s%llu%.*ss", ns < 0 ? "-" : "", (unsigned long long)(abs / 1000000000),
               (int)(n > 1 ? n : 0), fraction);
}

static void print_number(struct buf *b, double v)
{
    char text[40];

    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add(b, str_of(text));
}

static void print_bytes(struct buf *b, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t v = 0;
        size_t n = MIN(s.n - i, 3);

        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_addc(b, k > n ? '=' : digits[v >> (18 - 6 * k) & 63]);
    }
    buf_addc(b, '"');
}

static struct str enum_text(const struct api_enum *e, int32_t number)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->values[i].number == number)
            return e->values[i].name;
    return STR("");
}

static void print_tree(struct printer *p, const struct node *n)
{
    struct printer inner, item;

    if (n->kind == NODE_SCALAR) {
        print_gap(p);
        if (n->quoted || scalar_resolve(n->text).kind == SCALAR_STR)
            print_text(p, n->text);
        else
            buf_add(p->b, n->n == 0 && n->text.n == 0 ? STR("null") : n->text);
        return;
    }
    inner = print_open(p, n->kind == NODE_SEQ);
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->kind == NODE_MAP) {
            print_key(&inner, n->pairs[i].key);
            print_tree(&inner, &n->pairs[i].value);
        } else {
            item = print_item(&inner);
            print_tree(&item, &n->items[i]);
        }
    }
    print_close(p, &inner, n->kind == NODE_SEQ);
}

static void print_message(struct printer *p, const struct api_record *r, const void *msg);

/* A value that is no message; `bare` as decode_value has it. */
static void print_value(struct printer *p, const struct api_field *f, const void *v, bool bare)
{
    const struct int_or_str *port = v;
    char text[WHEN_LEN + 1];

    if (f->type == API_TREE) {
        print_tree(p, *(const struct node *const *)v);
        return;
    }
    print_gap(p);
    switch (f->type) {
    case API_BOOL:
        buf_add(p->b, ((const struct opt_bool *)v)->v ? STR("true") : STR("false"));
        break;
    case API_INT:
        buf_printf(p->b, "%lld",
                   (long long)(bare ? *(const int64_t *)v : ((const struct opt_int *)v)->v));
        break;
    case API_NUM:
        print_number(p->b, ((const struct opt_num *)v)->v);
        break;
    case API_STRING:
        print_text(p, *(const struct str *)v);
        break;
    case API_BYTES:
        print_bytes(p->b, *(const struct str *)v);
        break;
    case API_ENUM:
        print_text(p, enum_text(f->enums, ((const struct opt_enum *)v)->v));
        break;
    case API_DUR:
        buf_addc(p->b, '"');
        print_duration(p->b, ((const struct opt_dur *)v)->ns);
        buf_addc(p->b, '"');
        break;
    case API_TIME:
        when_format(((const struct opt_time *)v)->unix_ms, text);
        json_add_string(p->b, str_of(text));
        break;
    case API_PORT:
        if (str_is_set(port->text))
            print_text(p, port->text);
        else
            buf_printf(p->b, "%lld", (long long)port->v);
        break;
    default:
        break;
    }
}

static void print_list(struct printer *p, const struct api_field *f, const struct api_run *run)
{
    struct printer list = print_open(p, true);
    size_t size = f->type == API_MSG   ? f->record->size
                  : f->type == API_INT ? sizeof(int64_t)
                                       : sizeof(struct str);

    for (size_t i = 0; i < run->n; i++) {
        struct printer item = print_item(&list);
        const void *v = (const char *)run->v + size * i;

        if (f->type == API_MSG)
            print_message(&item, f->record, v);
        else
            print_value(&item, f, v, true);
    }
    print_close(p, &list, true);
}

static void print_map(struct printer *p, const struct api_field *f, const struct api_run *run)
{
    struct printer map = print_open(p, false);
    size_t stride = f->type == API_MSG || f->type == API_INT ? sizeof(struct int_entry)
                                                             : sizeof(struct str_entry);

    for (size_t i = 0; i < run->n; i++) {
        const char *entry = (const char *)run->v + stride * i;
        const void *v = entry + sizeof(struct str);

        print_key(&map, *(const struct str *)(const void *)entry);
        if (f->type == API_MSG)
            print_message(&map, f->record, *(const void *const *)v);
        else
            print_value(&map, f, v, true);
    }
    print_close(p, &map, false);
}

static void print_fields(struct printer *p, const struct api_record *r, const void *msg)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];
        const void *v = (const char *)msg + f->offset;

        if (!api_field_is_set(f, msg))
            continue;
        print_key(p, f->name);
        if (f->shape == API_LIST_OF)
            print_list(p, f, v);
        else if (f->shape == API_MAP_OF)
            print_map(p, f, v);
        else if (f->type == API_MSG)
            print_message(p, f->record, *(const void *const *)v);
        else
            print_value(p, f, v, false);
    }
}

static void print_message(struct printer *p, const struct api_record *r, const void *msg)
{
    struct printer inner = print_open(p, false);

    print_fields(&inner, r, msg);
    print_close(p, &inner, false);
}

void api_print(const struct api_object *o, struct buf *b, enum api_format format)
{
    struct buf own;
    struct printer p = { &own, format, 0, true, false };
    struct printer inner;

    api_object_wake(o);
    buf_init(&own, b->max);
    inner = print_open(&p, false);
    if (o->kind != &api_kind_meshconfig) {
        print_key(&inner, STR("apiVersion"));
        print_gap(&inner);
        print_text(&inner, o->api_version);
        print_key(&inner, STR("kind"));
        print_gap(&inner);
        print_text(&inner, o->kind->kind);
        print_key(&inner, STR("metadata"));
        print_message(&inner, &rec_meta, o->meta);
    }
    if (o->kind->body_key.n) {
        print_key(&inner, o->kind->body_key);
        print_message(&inner, o->kind->body, o->body);
    } else {
        print_fields(&inner, o->kind->body, o->body);
    }
    print_close(&p, &inner, false);
    buf_addc(&own, '\n');
    buf_add(b, buf_str(&own));
    buf_fini(&own);
}
