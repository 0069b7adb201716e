#include "cli/analyze_text.h"

#include "answer/ist.h"
#include "base/jsontext.h"
#include "cli/say.h"

#define PIECE ((size_t)256 << 10)
#define PIECE_MAX ((size_t)64 << 20) /* one message is no larger */

const char *level_name(enum severity s)
{
    static const char *const names[] = { "Error", "Warning", "Info" };

    return names[s];
}

struct str origin_words(struct arena *a, struct str object)
{
    size_t space = str_find(object, ' '), slash = str_find(object, '/');

    if (space == object.n || slash == object.n)
        return object;
    return arena_printf(a, "%.*s %.*s.%.*s", (int)space, object.p,
                        STRF(str_from(object, slash + 1)),
                        STRF(str_sub(object, space + 1, slash - space - 1)));
}

/* ---- the frame ---- */

void analyze_text_init(struct analyze_text *t, struct str form, struct arena *arena)
{
    *t = (struct analyze_text){ .arena = arena };
    t->form = str_eq(form, STR("json"))   ? FORM_JSON
              : str_eq(form, STR("yaml")) ? FORM_YAML
                                          : FORM_LOG;
    buf_init(&t->b, PIECE_MAX);
    if (t->form == FORM_JSON)
        buf_addc(&t->b, '[');
}

static void flush(struct analyze_text *t)
{
    say_out_sink(buf_str(&t->b));
    buf_reset(&t->b);
}

void analyze_text_end(struct analyze_text *t)
{
    if (t->form == FORM_JSON)
        buf_add(&t->b, t->items ? STR("\n]\n") : STR("]\n"));
    else if (t->form == FORM_YAML && !t->items)
        buf_add(&t->b, STR("[]\n"));
    flush(t);
    buf_fini(&t->b);
}

/* ---- items ---- */

static void item_begin(struct analyze_text *t)
{
    static const char *const begin[] = { "", "\n{", "- " };

    if (t->form == FORM_JSON && t->items)
        buf_addc(&t->b, ',');
    buf_add(&t->b, str_of(begin[t->form]));
    t->items++;
}

static void item_end(struct analyze_text *t)
{
    static const char *const end[] = { "", "}", "\n" };

    buf_add(&t->b, str_of(end[t->form]));
    if (t->b.n > PIECE)
        flush(t);
}

static void add_key(struct analyze_text *t, const char *key, bool is_first)
{
    if (t->form == FORM_JSON)
        buf_printf(&t->b, "%s\"%s\":", is_first ? "" : ",", key);
    else
        buf_printf(&t->b, "%s%s: ", is_first ? "" : "\n  ", key);
}

static void add_text(struct analyze_text *t, const char *key, struct str value)
{
    add_key(t, key, false);
    json_add_string(&t->b, value);
}

/* ---- messages ---- */

static struct str message_of(const struct note *n)
{
    return n->object.n && str_starts(n->text, n->object) ? str_from(n->text, n->object.n + 2)
                                                         : n->text;
}

static void note_line(struct analyze_text *t, const struct note *n)
{
    const char *ist = ist_code(n);

    note_print(&t->b, n);
    if (!ist)
        return;
    t->b.n--; /* its newline */
    buf_printf(&t->b, " [%s]\n", ist);
}

/* istioctl's fields; where it has a code of its own for the finding, that is the code. */
static void note_item(struct analyze_text *t, const struct note *n)
{
    const char *ist = ist_code(n), *code = n->code ? n->code : "";

    add_key(t, "code", true);
    json_add_string(&t->b, str_of(ist ? ist : code));
    if (ist)
        add_text(t, "lateenCode", str_of(code));
    add_text(t, "level", str_of(level_name(n->severity)));
    add_text(t, "message", message_of(n));
    add_text(t, "origin", origin_words(t->arena, n->object));
    add_text(t, "reference",
             n->pos.line ? arena_printf(t->arena, "%.*s:%u", STRF(n->pos.file), n->pos.line)
                         : n->pos.file);
    add_text(t, "documentationUrl",
             *code ? arena_printf(t->arena, "docs/explain.md#%s", code) : STR(""));
}

void analyze_text_note(struct analyze_text *t, const struct note *n)
{
    item_begin(t);
    if (t->form == FORM_LOG)
        note_line(t, n);
    else
        note_item(t, n);
    item_end(t);
}

/* ---- verdicts ---- */

static void add_place(struct analyze_text *t, struct pos pos)
{
    add_text(t, "file", pos.file);
    add_key(t, "line", false);
    buf_printf(&t->b, "%u", pos.line);
    add_key(t, "column", false);
    buf_printf(&t->b, "%u", MAX(pos.col, 1));
}

/* In YAML, too, a map on one line. */
static void add_by(struct analyze_text *t, const struct note *n)
{
    enum analyze_form form = t->form;

    add_key(t, "by", false);
    t->form = FORM_JSON;
    buf_addc(&t->b, '{');
    add_key(t, "object", true);
    json_add_string(&t->b, n->other_object);
    add_place(t, n->other);
    buf_addc(&t->b, '}');
    t->form = form;
}

static void verdict_item(struct analyze_text *t, const struct verdict *v)
{
    add_key(t, "object", true);
    json_add_string(&t->b, v->object);
    add_text(t, "field", v->path);
    add_text(t, "verdict", str_of(verdict_kind_name(v->kind)));
    add_place(t, v->pos);
    if (v->text.n)
        add_text(t, "reason", v->text);
    if (v->note && v->note->other.file.n)
        add_by(t, v->note);
}

void analyze_text_verdict(struct analyze_text *t, const struct verdict *v)
{
    item_begin(t);
    if (t->form == FORM_LOG)
        verdict_print(&t->b, v);
    else
        verdict_item(t, v);
    if (t->form == FORM_LOG)
        buf_addc(&t->b, '\n');
    item_end(t);
}
