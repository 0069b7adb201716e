#include "unit/check.h"
#include "unit/mesh/bench.h"

#define GATEWAY                                                                                    \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"                    \
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]}\n"
#define VS(name, host, status)                                                                     \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " name "}\n"       \
    "spec: {hosts: [" host "], gateways: [gw], http: [{directResponse: {status: " status "}}]}\n"

TEST(the_same_identity_twice_is_an_error_at_the_second_place)
{
    struct bench b;

    bench_init(&b);
    bench_file(&b, "a.yaml", GATEWAY);
    bench_file(&b, "b.yaml", VS("v", "a.x", "201"));
    bench_file(&b, "c.yaml", "# a line\n" VS("v, namespace: default", "b.x", "202"));
    bench_update(&b);
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: a.x\n");
    CHECK_STRZ(str_of(bench_notes(&b, "")),
               "c.yaml:4:11: error: VirtualService default/v: metadata: the same object stands at "
               "b.yaml:1 already, and that one serves; remove one of them [LAT0302]\n");
    bench_remove(&b, "b.yaml");
    bench_update(&b);
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: b.x\n");
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    bench_fini(&b);
}

TEST(a_file_that_cannot_be_parsed_keeps_its_objects_until_mended)
{
    struct bench b;

    bench_init(&b);
    bench_file(&b, "a.yaml", GATEWAY);
    bench_file(&b, "b.yaml", VS("v", "a.x", "201"));
    bench_update(&b);
    bench_file(&b, "b.yaml", "kind: [\n");
    bench_update(&b);
    CHECK_EQ(b.verdict, MESH_SAME);
    CHECK_EQ(b.notes.errors, 1);
    CHECK(bench_notes(&b, "its 1 object stays as it was")[0]);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 201 \n");
    bench_file(&b, "a.yaml", GATEWAY "---\n" VS("w", "b.x", "203")); /* others go on */
    bench_update(&b);
    CHECK_EQ(b.verdict, MESH_NEW);
    CHECK_EQ(b.notes.errors, 1);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 201 \n");
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> direct 203 \n");
    bench_file(&b, "b.yaml", VS("v", "a.x", "202"));
    bench_update(&b);
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 202 \n");
    bench_fini(&b);
}

TEST(an_object_that_breaks_keeps_its_last_good_version)
{
    static const char *const broken[] = {
        VS("v", "a.x", "abc"),
        VS("v", "a.x", "200, staus: 1"),
        VS("v", "a.x", "600"),
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a.x], gateways: [gw], http: [{match: [{uri: {regex: \"(\"}}], "
        "directResponse: {status: 204}}]}\n",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a.x], gateways: [gw], http: [{headers: {request: {set: {\"a b\": x}}}, "
        "directResponse: {status: 204}}]}\n",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a.x], gateways: [gw], http: [{headers: {response: {add: {a: "
        "\"x\\r\\ny: z\"}}}, directResponse: {status: 204}}]}\n",
    };

    for (size_t i = 0; i < LEN(broken); i++) {
        struct bench b;
        char yaml[4096];

        CASE(i);
        bench_init(&b);
        bench_load(&b, GATEWAY "---\n" VS("v", "a.x", "201") "---\n" VS("w", "b.x", "201"));
        snprintf(yaml, sizeof(yaml), GATEWAY "---\n%s---\n" VS("w", "b.x", "202"), broken[i]);
        bench_load(&b, yaml);
        CHECK_EQ(b.verdict, MESH_NEW);
        CHECK(bench_notes(&b, "its last good version stays")[0]);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 201 \n");
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> direct 202 \n");
        bench_load(&b, yaml); /* and again, from the version before */
        bench_load(&b, GATEWAY "---\n" VS("w", "b.x", "203"));
        CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: b.x\n");
        bench_load(&b, yaml); /* deleted in between: there is no last good version */
        CHECK(bench_notes(&b, "there is no good version of it")[0]);
        CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: a.x b.x\n");
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")),
                   "-> direct 500 VirtualService default/v is broken\n\n");
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> direct 202 \n");
        bench_fini(&b);
    }
}

static const struct part *vhost_named(const struct bench *b, const char *name)
{
    for (slot_id i = 0; i < root_slots(b->root, PART_VHOST); i++) {
        const struct part *p = root_part(b->root, PART_VHOST, i);

        if (p && str_eq(p->name, str_of(name)))
            return p;
    }
    return NULL;
}

TEST(a_change_replaces_only_the_parts_it_touches)
{
    struct bench b;
    const struct part *a, *other;
    slot_id slot;

    bench_init(&b);
    bench_file(&b, "a.yaml", GATEWAY);
    bench_file(&b, "b.yaml", VS("v", "a.x", "201"));
    bench_file(&b, "c.yaml", VS("w", "b.x", "201"));
    bench_update(&b);
    a = vhost_named(&b, "http.80/a.x");
    other = vhost_named(&b, "http.80/b.x");
    slot = a->slot;
    bench_file(&b, "b.yaml", VS("v", "a.x", "202"));
    bench_update(&b);
    CHECK(vhost_named(&b, "http.80/a.x") != a);
    CHECK_EQ(vhost_named(&b, "http.80/a.x")->slot, slot);
    CHECK(vhost_named(&b, "http.80/b.x") == other);
    bench_fini(&b);
}

/* Property of design 5.5 without broken objects: the way to a configuration leaves no trace. */
TEST(a_reload_ends_where_a_fresh_start_would)
{
    static const char *const steps[] = {
        GATEWAY "---\n" VS("v", "a.x", "201"),
        GATEWAY "---\n" VS("v", "a.x", "202") "---\n" VS("w", "b.x", "201"),
        GATEWAY,
        VS("w", "b.x", "201"),
        GATEWAY "---\n" VS("w", "a.x", "202") "---\n" VS("v", "a.x", "203"),
        GATEWAY "---\n" VS("v", "a.x", "201"),
    };
    struct bench b;

    bench_init(&b);
    for (size_t i = 0; i < LEN(steps); i++) {
        struct bench fresh;

        CASE(i);
        bench_load(&b, steps[i]);
        bench_init(&fresh);
        bench_load(&fresh, steps[i]);
        CHECK(root_hash(b.root) == root_hash(fresh.root));
        bench_fini(&fresh);
    }
    bench_fini(&b);
}

TEST(what_is_removed_is_gone)
{
    struct bench b;

    bench_init(&b);
    bench_file(&b, "a.yaml", GATEWAY);
    bench_file(&b, "b.yaml", VS("v", "a.x", "201"));
    bench_update(&b);
    bench_remove(&b, "a.yaml");
    bench_update(&b);
    for (int kind = 0; kind < PART_KINDS; kind++)
        CHECK_STRZ(str_of(bench_text(&b, (enum part_kind)kind)),
                   kind == PART_CLUSTER ? "BlackHoleCluster least\n" : "");
    CHECK(bench_notes(&b, "there is no Gateway default/gw")[0]);
    bench_fini(&b);
}

TEST(sources_that_cannot_be_read_are_said)
{
    struct bench b;

    bench_init(&b);
    bench_file(&b, "a.yaml", GATEWAY "---\n" VS("v", "a.x", "201"));
    bench_update(&b);
    b.files[0].error = STR("Permission denied");
    b.error = (struct source_error){ STR("gone"), STR("No such file or directory") };
    b.has_error = true;
    bench_update(&b);
    CHECK_EQ(b.verdict, MESH_SAME);
    CHECK_STRZ(str_of(bench_notes(&b, "")),
               "a.yaml: error: cannot be read: Permission denied; its objects stay as they were "
               "[LAT0303]\n"
               "gone: error: cannot be read: No such file or directory [LAT0303]\n");
    b.error.path = STR("a.yaml"); /* a root that was there */
    bench_update(&b);
    CHECK(bench_notes(&b, "No such file or directory; what was read below it before stays")[0]);
    bench_fini(&b);
}

TEST(strict_refuses_errors_and_keeps_the_last_good_root)
{
    struct bench b;

    bench_init(&b);
    b.options.strict = true;
    bench_load(&b, GATEWAY "---\n" VS("v", "a.x", "201"));
    CHECK_EQ(b.verdict, MESH_NEW);
    bench_load(&b, GATEWAY "---\n" VS("v", "a.x", "abc"));
    CHECK_EQ(b.verdict, MESH_REFUSED);
    bench_load(&b, GATEWAY "---\n" VS("v", "a.x", "202"));
    CHECK_EQ(b.verdict, MESH_NEW);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 202 \n");
    bench_fini(&b);
}

TEST(the_mesh_config_of_the_manifests_or_of_the_flag)
{
    static const char map[] = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, "
                              "namespace: istio-system}\ndata:\n  mesh: |\n"
                              "    connectTimeout: 3s\n    accessLogFile: /dev/stdout\n";
    struct bench b;

    bench_init(&b);
    bench_load(&b, map);
    CHECK_STRZ(mesh_config(b.mesh)->access_log_file, "/dev/stdout");
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), "BlackHoleCluster least connect=3000\n");
    bench_load(&b, "kind: Nothing\napiVersion: v9\nmetadata: {name: x}\n");
    CHECK(bench_notes(&b, "info: ")[0]);
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), "BlackHoleCluster least\n");
    bench_fini(&b);
    bench_init(&b);
    b.options.mesh_config = STR("connectTimeout: 4s\nnoSuch: 1\n");
    b.options.mesh_config_file = STR("mesh.yaml");
    bench_load(&b, map);
    CHECK(bench_notes(&b, "mesh.yaml:2:1: error")[0]);
    bench_fini(&b);
}

/* YAML lets a document begin anew wherever a marker stands: what is around a broken one is
 * read, and an object that the others do not hold may stand in it. */
TEST(documents_beside_one_that_cannot_be_parsed_follow_their_text)
{
    static const char *const broken[] = {
        "a: [\n",       "metadata: 'open\n", "x: 1\nx: 2\n",
        "a: b: c\n",    "\ta: 1\n",          "text: |+\n  one\n bad\n",
        "a: *nobody\n", "hosts: {a: ]\n",    "- 1\nb: 2\n",
        "a: \"\\q\"\n", "kind: [ {\n...\n",  "? [\n",
    };

    for (size_t i = 0; i < LEN(broken); i++) {
        struct bench b;
        char yaml[4096];

        CASE(i);
        bench_init(&b);
        bench_load(&b, GATEWAY "---\n" VS("v", "a.x", "201") "---\n" VS(
                           "w", "b.x", "201") "---\n" VS("u", "c.x", "201"));
        snprintf(yaml, sizeof(yaml),
                 GATEWAY "---\n" VS("v", "a.x", "202") "--- # w\n%s---\n" VS("u", "c.x", "203"),
                 broken[i]);
        bench_load(&b, yaml);
        CHECK_EQ(b.notes.errors, 1);
        CHECK(bench_notes(&b, "1 of its documents cannot be parsed: 1 object that the others do "
                              "not hold stays as it was")[0]);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 202 \n");
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> direct 201 \n");
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/c.x")), "-> direct 203 \n");
        bench_file(&b, "n.yaml", VS("w", "b.x", "204")); /* it stands elsewhere now */
        bench_update(&b);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> direct 204 \n");
        bench_remove(&b, "n.yaml");
        bench_update(&b);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "(no such virtual host)");
        bench_fini(&b);
    }
}

TEST(a_syntax_error_behind_many_documents_is_noted_at_its_line)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, GATEWAY "---\na: [\n---\n" VS("v", "a.x", "201") "---\nb: ]\n");
    CHECK_EQ(b.notes.errors, 2);
    CHECK(bench_notes(&b, "m.yaml:7:1: error: not valid YAML")[0]);
    CHECK(bench_notes(&b, "m.yaml:13:4: error: not valid YAML")[0]);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> direct 201 \n");
    bench_load(&b, "%YAML 1.1\n---\n" GATEWAY "---\na: [\n"); /* directives: all or nothing */
    CHECK(bench_notes(&b, "the file cannot be parsed: its 2 objects stay as they were")[0]);
    bench_fini(&b);
}
