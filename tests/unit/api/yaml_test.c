#include "codec/yaml.h"
#include "unit/check.h"

#include <stdlib.h>

struct tree {
    struct arena *arena;
    struct notes notes;
    struct yaml_docs docs;
    bool fine;
};

static struct tree read_tree(struct str text, bool json, const struct yaml_limits *limits)
{
    struct tree t = { .arena = arena_new(4096) };

    notes_init(&t.notes, t.arena);
    t.fine = yaml_read(t.arena, STR("f"), text, json, limits, &t.notes, &t.docs);
    return t;
}

TEST(yaml_nodes_know_their_place)
{
    struct tree t = read_tree(STR("# c\n"
                                  "a:\n"
                                  "  - x\n"
                                  "  - {b: 'q', \"c\": |\n"
                                  "      t}\n"
                                  "---\n"
                                  "other: 1\n"),
                              false, NULL);
    const struct node *a;

    arena_free(t.arena);
    t = read_tree(STR("# c\na:\n  - x\n  - b: 'q'\n    c: |\n      text\n---\nother: 1\n"), false,
                  NULL);
    CHECK(t.fine);
    CHECK_EQ(t.docs.n, 2);
    a = node_get(&t.docs.v[0], STR("a"));
    CHECK(a && a->kind == NODE_SEQ && a->n == 2);
    CHECK_EQ(a->items[0].line, 3);
    CHECK_EQ(a->items[0].col, 5);
    CHECK(!a->items[0].quoted);
    CHECK_EQ(a->items[1].line, 4);
    CHECK_EQ(node_get(&a->items[1], STR("b"))->col, 8);
    CHECK(node_get(&a->items[1], STR("b"))->quoted);
    CHECK_STRZ(node_get(&a->items[1], STR("c"))->text, "text\n");
    CHECK_EQ(t.docs.v[1].line, 8);
    arena_free(t.arena);
}

TEST(yaml_keys_are_what_kubectl_makes_of_them)
{
    static const struct {
        const char *text, *key;
    } cases[] = { { "y: 1", "true" },     { "\"y\": 1", "y" },  { "no: 1", "false" },
                  { "0x10: 1", "16" },    { "1.50: 1", "1.5" }, { "name: 1", "name" },
                  { "!!str on: 1", "on" } };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct tree t = read_tree(str_of(cases[i].text), false, NULL);

        CASE(i);
        CHECK(t.fine);
        CHECK_STRZ(t.docs.v[0].pairs[0].key, cases[i].key);
        arena_free(t.arena);
    }
}

TEST(yaml_aliases_and_merge_keys_are_expanded)
{
    struct tree t = read_tree(STR("base: &b {x: 1, y1: 2}\n"
                                  "other: &o {z: 9}\n"
                                  "one: *b\n"
                                  "two: {<<: *b, x: 3}\n"
                                  "three: {<<: [*o, *b], z: 4}\n"),
                              false, NULL);
    const struct node *two, *three;

    CHECK(t.fine);
    CHECK_STRZ(node_get(node_get(&t.docs.v[0], STR("one")), STR("y1"))->text, "2");
    two = node_get(&t.docs.v[0], STR("two"));
    CHECK_EQ(two->n, 2);
    CHECK_STRZ(node_get(two, STR("x"))->text, "3");
    CHECK_STRZ(node_get(two, STR("y1"))->text, "2");
    three = node_get(&t.docs.v[0], STR("three"));
    CHECK_EQ(three->n, 3);
    CHECK_STRZ(node_get(three, STR("z"))->text, "4");
    arena_free(t.arena);
}

/* What libfyaml 0.7.12 gets wrong. */
TEST(yaml_escapes_in_quoted_scalars_are_read_whole)
{
    struct tree t = read_tree(STR("a: ''''''''''''''''''''''''''''''''''''''''\n"
                                  "b: \"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\n\\x41\\u00e9\"\n"),
                              false, NULL);

    CHECK(t.fine);
    CHECK_STRZ(node_get(&t.docs.v[0], STR("a"))->text, "'''''''''''''''''''");
    CHECK_STRZ(node_get(&t.docs.v[0], STR("b"))->text, "\"\"\"\"\"\"\"\"\"\nA\xc3\xa9");
    arena_free(t.arena);
}

TEST(yaml_limits_end_in_a_note_at_their_place)
{
    static const struct yaml_limits small = { 200, 20, 20, 4 };
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        { "[[[[1]]]]", true },
        { "[[[[[1]]]]]", false },
        { "a: &a [1, 1, 1, 1]\nb: [*a, *a]", true },
        { "a: &a [1, 1, 1, 1]\nb: [*a, *a, *a]", false },
        { "a: &a [[[1]]]\nb: [[*a]]", false },
        { "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]", true },
        { "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", false },
    };
    char *large = must_alloc(300);
    struct tree t;

    for (size_t i = 0; i < LEN(cases); i++) {
        t = read_tree(str_of(cases[i].text), false, &small);
        CASE(i);
        CHECK_EQ(t.fine, cases[i].fine);
        CHECK_EQ(t.notes.errors, !cases[i].fine);
        arena_free(t.arena);
    }
    memset(large, ' ', 300);
    t = read_tree(str_make(large, 201), false, &small);
    CHECK(!t.fine);
    arena_free(t.arena);
    free(large);
}

/* Each hostile text ends in a note, never in a crash or in output on stderr. */
TEST(yaml_hostile_input_ends_in_a_message)
{
    static const struct {
        struct str text;
        uint32_t line, col;
    } cases[] = {
        { STR_INIT("a: \"open\nb: c\n"), 1, 4 },
        { STR_INIT("a: [b\n"), 1, 4 },
        { STR_INIT("a: b: c\n"), 1, 5 },
        { STR_INIT("a:\n\tb: c\n"), 2, 1 },
        { STR_INIT("a: \0\n"), 1, 4 },
        { STR_INIT("a: \xff\n"), 1, 4 },
        { STR_INIT("\xc3\xa9: \xed\xa0\x80\n"), 1, 4 },
        { STR_INIT("a: \x1b[0m\n"), 1, 4 },
        { STR_INIT("a: *b\n"), 1, 4 },
        { STR_INIT("&a [*a]\n"), 1, 5 },
        { STR_INIT("a: 1\nb: 2\na: 3\n"), 3, 1 },
        { STR_INIT("y: 1\ntrue: 2\n"), 2, 1 },
        { STR_INIT("a: @b\n"), 1, 4 },
        { STR_INIT("%YAML 9.9\n---\na: b\n"), 1, 1 },
        { STR_INIT("? {a: b}\n: c\n"), 1, 3 },
        { STR_INIT("!<tag:evil> a: b\n"), 0, 0 },
        { STR_INIT("a: !!binary aGk=\n"), 0, 0 },
        { STR_INIT(": a\n"), 0, 0 },
        { STR_INIT("a: >9999999999\n"), 0, 0 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct tree t = read_tree(cases[i].text, false, NULL);

        CASE(i);
        CHECK(!t.fine);
        CHECK_EQ(t.notes.errors, 1);
        if (cases[i].line) {
            CHECK_EQ(t.notes.v[0].pos.line, cases[i].line);
            CHECK_EQ(t.notes.v[0].pos.col, cases[i].col);
        }
        arena_free(t.arena);
    }
}

/* RFC 8259 to the letter: what YAML would take is refused in a .json file. */
TEST(json_is_read_strictly)
{
    static const struct {
        const char *text, *want; /* the value of "a"; NULL: refused */
        uint32_t line, col;
    } cases[] = {
        { "{\"a\": \"b\"}", "b", 0, 0 },
        { "{\"a\":\"\\u0041\\u00e9\\ud83d\\ude00\"}", "A\xc3\xa9\xf0\x9f\x98\x80", 0, 0 },
        { "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t", 0, 0 },
        { "\t{\r\n \"a\" :\t-1.5e+3 } ", "-1.5e+3", 0, 0 },
        { "{\"a\": true, \"b\": [1, {}, []], \"c\": null}", "true", 0, 0 },
        { "{\"a\": \"\\ud83d\"}", NULL, 1, 14 },
        { "{\"a\": \"\\ude00\"}", NULL, 1, 14 },
        { "{\"a\": \"\\x41\"}", NULL, 1, 9 },
        { "{\"a\": \"\\u00g0\"}", NULL, 1, 12 },
        { "{\"a\": \"b\n\"}", NULL, 1, 7 },
        { "{\"a\": \"b", NULL, 1, 7 },
        { "{\"a\": \"b\"", NULL, 1, 1 },
        { "{\"a\": \"b\",}", NULL, 1, 11 },
        { "{\"a\": [1,]}", NULL, 1, 10 },
        { "{\"a\": [1 2]}", NULL, 1, 10 },
        { "{\"a\" \"b\"}", NULL, 1, 6 },
        { "{a: 1}", NULL, 1, 2 },
        { "{'a': 1}", NULL, 1, 2 },
        { "{\"a\": b}", NULL, 1, 7 },
        { "{\"a\": }", NULL, 1, 7 },
        { "{\"a\": 01}", NULL, 1, 7 },
        { "{\"a\": +1}", NULL, 1, 7 },
        { "{\"a\": 1.}", NULL, 1, 7 },
        { "{\"a\": .5}", NULL, 1, 7 },
        { "{\"a\": True}", NULL, 1, 7 },
        { "{\"a\": 1} # c", NULL, 1, 10 },
        { "{\"a\": 1}\n{\"a\": 2}", NULL, 2, 1 },
        { "{\"a\": 1,\n \"a\": 2}", NULL, 2, 2 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct tree t = read_tree(str_of(cases[i].text), true, NULL);

        CASE(i);
        CHECK_EQ(t.fine, cases[i].want != NULL);
        if (t.fine) {
            CHECK_STRZ(node_get(&t.docs.v[0], STR("a"))->text, cases[i].want);
        } else {
            CHECK_EQ(t.notes.v[0].pos.line, cases[i].line);
            CHECK_EQ(t.notes.v[0].pos.col, cases[i].col);
        }
        arena_free(t.arena);
    }
}

TEST(yaml_cut_anywhere_never_crashes)
{
    static const char text[] =
        "%YAML 1.2\n---\na: &x [1, 'two', \"th\\u00e9\"]\nb: {c: *x, <<: {d: e}}\n"
        "? f\n: |-\n  g\n   h\n...\n--- !!map\ni: >+\n  j\n\n";

    for (size_t n = 0; n < sizeof(text); n++) {
        for (int json = 0; json < 2; json++) {
            struct tree t = read_tree(str_make(text, n), json, NULL);

            CHECK(t.fine || t.notes.errors);
            arena_free(t.arena);
        }
    }
}
