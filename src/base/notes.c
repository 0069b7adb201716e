#include "base/notes.h"

#include <stdlib.h>

void notes_init(struct notes *notes, struct arena *arena)
{
    *notes = (struct notes){ .arena = arena, .max = NOTES_MAX };
}

static void add(struct notes *notes, struct note note)
{
    if (note.severity == SEV_ERROR)
        notes->errors++;
    if (note.severity == SEV_WARNING)
        notes->warnings++;
    if (notes->n >= notes->max) {
        notes->dropped++;
        return;
    }
    notes->v = arena_grow(notes->arena, notes->v, notes->n, &notes->cap, sizeof(*notes->v));
    notes->v[notes->n++] = note;
}

void note_add(struct notes *notes, enum severity severity, struct pos pos, const char *code,
              const char *fmt, ...)
{
    va_list args;
    struct str text = STR_NONE;

    if (notes->n < notes->max) {
        va_start(args, fmt);
        text = arena_vprintf(notes->arena, fmt, args);
        va_end(args);
    }
    add(notes, (struct note){ .severity = severity, .pos = pos, .text = text, .code = code });
}

struct note *notes_last(struct notes *notes)
{
    return notes->n && !notes->dropped ? &notes->v[notes->n - 1] : NULL;
}

void notes_append(struct notes *to, const struct notes *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct note note = from->v[i];

        note.pos.file = arena_dup(to->arena, note.pos.file);
        note.text = arena_dup(to->arena, note.text);
        note.object = arena_dup(to->arena, note.object);
        note.path = arena_dup(to->arena, note.path);
        note.other.file = arena_dup(to->arena, note.other.file);
        note.other_object = arena_dup(to->arena, note.other_object);
        add(to, note);
    }
    to->dropped += from->dropped;
}

static int compare(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    int c = str_cmp(x->pos.file, y->pos.file);

    if (c != 0)
        return c;
    if (x->pos.line != y->pos.line)
        return x->pos.line < y->pos.line ? -1 : 1;
    if (x->pos.col != y->pos.col)
        return x->pos.col < y->pos.col ? -1 : 1;
    return str_cmp(x->text, y->text);
}

void notes_sort(struct notes *notes)
{
    if (notes->n)
        qsort(notes->v, notes->n, sizeof(*notes->v), compare);
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = { "error", "warning", "info" };

    return names[s];
}

/* A note is one line, whatever octets a manifest put into its text. */
static void add_visible(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f)
            buf_printf(b, "\\x%02x", c);
        else
            buf_addc(b, s.p[i]);
    }
}

void note_print(struct buf *b, const struct note *note)
{
    if (str_is_set(note->pos.file)) {
        buf_add(b, note->pos.file);
        if (note->pos.line)
            buf_printf(b, ":%u:%u", note->pos.line, MAX(note->pos.col, 1));
        buf_add(b, STR(": "));
    }
    buf_printf(b, "%s: ", severity_name(note->severity));
    add_visible(b, note->text);
    if (note->code)
        buf_printf(b, " [%s]", note->code);
    buf_addc(b, '\n');
}
