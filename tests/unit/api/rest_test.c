/*
 * Trees come back from few octets as they were, and objects from their rest.
 */
#include "api/virtualservice.h"
#include "codec/yaml_pack.h"
#include "unit/api/manifests.h"

#include <stdlib.h>

static void check_same(const struct node *a, const struct node *b);

static void check_same_pair(const struct node_pair *a, const struct node_pair *b)
{
    CHECK_STR(a->key, b->key);
    CHECK_STR(a->raw, b->raw);
    CHECK_EQ(a->line, b->line);
    CHECK_EQ(a->col, b->col);
    CHECK_EQ(a->quoted, b->quoted);
    check_same(&a->value, &b->value);
}

static void check_same(const struct node *a, const struct node *b)
{
    CHECK_EQ(a->kind, b->kind);
    CHECK_EQ(a->quoted, b->quoted);
    CHECK_EQ(a->line, b->line);
    CHECK_EQ(a->col, b->col);
    CHECK_EQ(a->n, b->n);
    if (a->kind == NODE_SCALAR)
        CHECK_STR(a->text, b->text);
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->kind == NODE_MAP)
            check_same_pair(&a->pairs[i], &b->pairs[i]);
        else
            check_same(&a->items[i], &b->items[i]);
    }
}

static void check_packs(struct str text, bool json)
{
    struct arena *arena = arena_new(4096);
    struct yaml_docs docs;
    struct notes notes;
    struct buf b;

    notes_init(&notes, arena);
    CHECK(yaml_read(arena, STR("f"), text, json, NULL, &notes, &docs));
    for (size_t i = 0; i < docs.n; i++) {
        buf_init(&b, 1 << 20);
        node_pack(&docs.v[i], &b);
        check_same(&docs.v[i], node_unpack(arena, buf_str(&b)));
        buf_fini(&b);
    }
    arena_free(arena);
}

TEST(a_packed_tree_comes_back_with_every_place_and_spelling)
{
    static const char *const texts[] = {
        "plain",
        "''",
        "- a\n-\n- ~\n- 'q'\n- \"\"\n",
        "a: {b: [1, {c: d}], 'e' : f}\ng:\n- h\n-   i: j\n    k:\n\n\n\n\n\n        l\n",
        "y: 1\n0x10: 2\n1.50: 3\n\"y\": 4\n!!str on: 5\n",
        "a: &x {b: c}\nd: *x\ne:\n  <<: *x\n  f: *x\ng: [*x, *x]\n",
        "a: |\n  text\n  more\nb: >-\n  folded\n  text\n",
        "---\na: {}\nb: []\n---\nc: \xc3\xa9\n",
        "            deep: 1\n",
    };

    for (size_t i = 0; i < LEN(texts); i++) {
        CASE(i);
        check_packs(str_of(texts[i]), false);
    }
    check_packs(STR("{\"a\": [1, \"x\", null, {\"b\":\n\n\n\n{\"a\": true}}],\n\"\": 2}"), true);
}

TEST(more_texts_than_are_remembered_come_back)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 2000; i++)
        buf_printf(&b, "- key%d: value%d\n  same: x\n", i, i % 700);
    check_packs(buf_str(&b), false);
    buf_fini(&b);
}

static struct str print(const struct api_object *o, struct arena *a)
{
    struct str text;
    struct buf b;

    buf_init(&b, 1 << 20);
    api_print(o, &b, API_YAML);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void check_object(const struct api_object *o, struct arena *a)
{
    struct api_pool pool;
    struct api_object *kept;
    struct arena *own = arena_new(1024);

    api_pool_init(&pool);
    kept = api_object_keep(own, o, &pool);
    CHECK_EQ(kept->node == NULL, !o->broken);
    CHECK_STR(kept->meta->name, o->meta->name);
    CHECK_STR(kept->meta->namespace, o->meta->namespace);
    for (int round = 0; round < 2; round++) {
        const void *body = kept->body;

        CHECK_STR(print(kept, a), print(o, a));
        CHECK(kept->node != NULL && kept->body == body);
        check_same(kept->node, o->node);
        CHECK_EQ(kept->broken, o->broken);
        CHECK_EQ(pool.octets > 0, !o->broken);
        api_pool_rest(&pool);
        CHECK_EQ(pool.octets, 0);
        CHECK_EQ(kept->node == NULL, !o->broken);
    }
    arena_free(own);
}

static void check_manifest(const char *path, const char *name)
{
    struct str octets = read_whole(path);
    struct loaded l = load_octets(name, octets);

    (void)name;
    for (size_t i = 0; l.parsed && i < l.objects.n; i++)
        check_object(l.objects.v[i], l.arena);
    unload(&l);
    free((char *)(uintptr_t)octets.p);
}

TEST(every_object_wakes_as_it_was_decoded)
{
    CHECK(each_manifest("good", check_manifest) > 0);
    CHECK(each_manifest("broken", check_manifest) > 0);
}

TEST(the_first_level_of_an_object_at_rest_can_be_read)
{
    struct loaded l = load_text("f.yaml",
                                "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
                                "metadata: {name: v, labels: {a: b}}\nspec:\n"
                                "  hosts: [x.test, y.test]\n  gateways: [g]\n  http:\n"
                                "  - {name: r, directResponse: {status: 200}}\n");
    struct arena *own = arena_new(1024);
    struct api_pool pool;
    const struct api_object *o;
    const struct api_virtualservice *vs;
    struct pos pos;

    api_pool_init(&pool);
    o = api_object_keep(own, l.objects.v[0], &pool);
    unload(&l);
    vs = o->body;
    CHECK_EQ(vs->hosts.n, 2);
    CHECK_STRZ(vs->hosts.v[1], "y.test");
    CHECK_STRZ(vs->gateways.v[0], "g");
    CHECK_EQ(vs->http.n, 1);
    CHECK(!vs->http.v && o->meta->labels.n == 1 && !o->meta->labels.v);
    pos = api_spot_pos(o, ITEM(vs, "hosts", 1));
    CHECK_EQ(pos.line, 5);
    CHECK_EQ(pos.col, 19);
    CHECK_STRZ(vs->http.v[0].name, "r");
    api_object_rest(o);
    CHECK(!vs->http.v);
    CHECK_STRZ(vs->hosts.v[0], "x.test");
    arena_free(own);
}
