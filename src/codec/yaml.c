#include "codec/yaml_tree.h"

#include "base/swar.h"
#include "base/utf8.h"

#include <yaml.h>

#define MB ((size_t)1 << 20)

const struct yaml_limits yaml_default_limits = { 64 * MB, 8000000, 1000000, 100 };

static struct node place_of(const yaml_mark_t *mark)
{
    return (struct node){ .line = (uint32_t)mark->line + 1, .col = (uint32_t)mark->column + 1 };
}

static struct str keep_name(struct tree *t, const yaml_char_t *name)
{
    return arena_dup(t->arena, str_of((const char *)name));
}

/* !!str makes a string of what follows; the tags of the core types change nothing here. */
static bool read_tag(struct tree *t, const yaml_char_t *name, struct node *n)
{
    static const struct str plain[] = {
        STR_INIT("tag:yaml.org,2002:int"),  STR_INIT("tag:yaml.org,2002:bool"),
        STR_INIT("tag:yaml.org,2002:null"), STR_INIT("tag:yaml.org,2002:float"),
        STR_INIT("tag:yaml.org,2002:map"),  STR_INIT("tag:yaml.org,2002:seq"),
    };
    struct str tag = str_of((const char *)name);

    if (tag.n == 0)
        return true;
    if (str_eq(tag, STR("tag:yaml.org,2002:str")) || str_eq(tag, STR("!"))) {
        n->quoted = true;
        return true;
    }
    for (size_t i = 0; i < LEN(plain); i++)
        if (str_eq(tag, plain[i]))
            return true;
    return tree_fail(t, n->line, n->col, "LAT0101", "the tag \"%.*s\" is not supported: remove it",
                     STRF(str_sub(tag, 0, 80)));
}

static bool on_scalar(struct tree *t, const yaml_event_t *e)
{
    struct node n = place_of(&e->start_mark);

    n.quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    n.text = arena_dup(t->arena,
                       str_make((const char *)e->data.scalar.value, e->data.scalar.length));
    return read_tag(t, e->data.scalar.tag, &n) &&
           tree_scalar(t, n, keep_name(t, e->data.scalar.anchor));
}

static bool on_open(struct tree *t, const yaml_event_t *e, enum node_kind kind,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct node n = place_of(&e->start_mark);

    return read_tag(t, tag, &n) && tree_open(t, n, kind, keep_name(t, anchor));
}

static void on_event(struct tree *t, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(t, e);
        break;
    case YAML_ALIAS_EVENT:
        tree_alias(t, place_of(&e->start_mark), keep_name(t, e->data.alias.anchor));
        break;
    case YAML_MAPPING_START_EVENT:
        on_open(t, e, NODE_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_open(t, e, NODE_SEQ, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        tree_close(t);
        break;
    case YAML_DOCUMENT_END_EVENT:
        tree_document_end(t);
        break;
    default:
        break;
    }
}

/* What to do about the parser's complaints; `context`: the place that helps is where the
 * thing that has no end begins. */
static const struct remedy {
    struct str part;
    const char *text;
    bool context;
} remedies[] = {
    { STR_INIT("mapping values are not allowed"),
      "quote the value if it holds \": \", else check the indentation", false },
    { STR_INIT("unexpected end of stream"), "close the quote that is opened here", true },
    { STR_INIT("unexpected document indicator"), "close the quote that is opened here", true },
    { STR_INIT("expected ',' or"), "close the bracket that is opened here", true },
    { STR_INIT("that cannot start any token"), "quote the value", false },
    { STR_INIT("expected key"), "check the indentation", false },
    { STR_INIT("expected '-'"), "check the indentation of the list", false },
    { STR_INIT("could not find expected ':'"), "add it, or check the indentation", true },
    { STR_INIT("tab character"), "indent with spaces", false },
    { STR_INIT("escape"), "use single quotes, or double the backslash", false },
    { STR_INIT("alias or anchor"), "quote the value", false },
};

static const struct remedy *remedy_for(struct str problem)
{
    static const struct remedy none = { .text = "look around this place" };

    for (size_t i = 0; i < LEN(remedies); i++)
        if (str_find_str(problem, remedies[i].part) < problem.n)
            return &remedies[i];
    return &none;
}

/* Does the parser stand at a tab? Lines are walked, as its index counts characters. */
static bool is_at_tab(struct str octets, const yaml_mark_t *mark)
{
    for (size_t line = 0; line < mark->line; line++)
        octets = str_from(octets, str_find(octets, '\n') + 1);
    return mark->column < octets.n && octets.p[mark->column] == '\t';
}

static void note_syntax(struct tree *t, const yaml_parser_t *p, struct str octets)
{
    struct str problem = str_of(p->problem ? p->problem : "unknown problem");
    const struct remedy *remedy = remedy_for(problem);
    const char *text = remedy->text;
    const yaml_mark_t *mark = remedy->context && p->context ? &p->context_mark : &p->problem_mark;

    if (is_at_tab(octets, &p->problem_mark))
        text = "a tab stands here: indent with spaces";
    tree_fail(t, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, "LAT0101",
              "not valid YAML: %s%s%s: %s", p->context ? p->context : "", p->context ? ", " : "",
              problem.p, text);
}

static void read_events(struct tree *t, struct str octets)
{
    yaml_parser_t parser;
    yaml_event_t event;
    bool end = false;

    MUST(yaml_parser_initialize(&parser));
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(octets.p ? octets.p : ""),
                                 octets.n);
    while (!end && !t->failed) {
        if (!yaml_parser_parse(&parser, &event)) {
            note_syntax(t, &parser, octets);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        on_event(t, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

/* YAML's c-printable, without the byte order mark. */
static bool is_printable(uint32_t v)
{
    if (v == '\t' || v == '\n' || v == '\r' || v == 0x85)
        return true;
    return v >= 0x20 && v != 0x7f && !(v >= 0x80 && v < 0xa0) && v != 0xfeff && v != 0xfffe &&
           v != 0xffff;
}

/* Are the next eight octets printable ASCII? */
static bool is_plain8(struct str octets, size_t at)
{
    uint64_t v;

    if (octets.n - at < sizeof(v))
        return false;
    v = swar_load8(octets.p + at);
    return !(v & SWAR_EACH(0x80)) && !swar_controls(v, 0x1f);
}

/* Octets that no manifest may hold are found before the parser sees any. */
static bool check_octets(struct tree *t, struct str octets)
{
    const unsigned char *p = (const unsigned char *)octets.p;
    uint32_t line = 1, col = 1, v = 0;

    for (size_t i = 0; i < octets.n;) {
        size_t n = is_plain8(octets, i) ? 8 : 0;

        if (n) {
            i += n;
            col += (uint32_t)n;
            continue;
        }
        n = utf8_read(str_from(octets, i), &v);
        if (!n)
            return tree_fail(t, line, col, "LAT0101",
                             "not UTF-8 (octet 0x%02x): save the file as UTF-8", p[i]);
        if (!is_printable(v))
            return tree_fail(t, line, col, "LAT0101",
                             "the control character U+%04X may not stand here: remove it", v);
        col++;
        if (v == '\n') {
            line++;
            col = 1;
        }
        i += n;
    }
    return true;
}

bool yaml_read(struct arena *arena, struct str file, struct str octets, bool json,
               const struct yaml_limits *limits, struct notes *notes, struct yaml_docs *ret)
{
    struct tree t;

    tree_init(&t, arena, notes, file, limits ? limits : &yaml_default_limits);
    if (str_starts(octets, STR("\xef\xbb\xbf")))
        octets = str_from(octets, 3);
    if (octets.n > t.limits.octets)
        tree_fail(&t, 1, 1, "LAT0110", "the file has %zu octets, more than %zu: split it", octets.n,
                  t.limits.octets);
    else if (check_octets(&t, octets) && json)
        json_read(&t, octets);
    else if (!t.failed)
        read_events(&t, octets);
    if (!t.failed) {
        ret->v = ARENA_ARRAY(arena, struct node, MAX(t.doc_count, 1));
        ret->n = t.doc_count;
        if (t.doc_count)
            memcpy(ret->v, t.docs, t.doc_count * sizeof(*t.docs));
    }
    tree_fini(&t);
    return !t.failed;
}
