#include "api/certmanager.h"
#include "api/core.h"
#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/meshconfig.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"
#include "api/workload.h"
#include "unit/api/manifests.h"

#define VS_HEAD                                                                                    \
    "apiVersion: networking.istio.io/v1\n"                                                         \
    "kind: VirtualService\n"                                                                       \
    "metadata: {name: a, namespace: ns}\n"                                                         \
    "spec:\n"                                                                                      \
    "  hosts: [a.test]\n"

static const void *body_of(struct loaded *l, size_t i)
{
    CHECK_STRZ(loaded_notes(l), "");
    CHECK(i < l->objects.n);
    return l->objects.v[i]->body;
}

TEST(a_virtual_service_is_decoded_with_places)
{
    struct loaded l = load_text("f.yaml", VS_HEAD "  http:\n"
                                                  "    - route:\n"
                                                  "        - destination: {host: a}\n"
                                                  "          weight: 90\n");
    const struct api_virtualservice *vs = body_of(&l, 0);
    const struct api_object *o = l.objects.v[0];

    CHECK_EQ(vs->http.n, 1);
    CHECK_STRZ(vs->http.v[0].route.v[0].destination->host, "a");
    CHECK_EQ(vs->http.v[0].route.v[0].weight.v, 90);
    CHECK_EQ(api_spot_pos(o, LEAF(&vs->http.v[0].route.v[0], "weight")).line, 9);
    CHECK_EQ(api_pos_of(o, STR("spec.http[0].route[0].weight")).col, 19);
    CHECK_EQ(api_pos_of(o, STR("spec.http[0].route[0].headers")).line, 8);
    CHECK_STRZ(o->meta->namespace, "ns");
    CHECK_STRZ(o->file, "f.yaml");
    unload(&l);
}

TEST(unset_differs_from_the_default_that_is_written)
{
    struct loaded l = load_text("f.yaml", "apiVersion: networking.istio.io/v1\n"
                                          "kind: DestinationRule\n"
                                          "metadata: {name: a}\n"
                                          "spec:\n"
                                          "  host: a\n"
                                          "  trafficPolicy:\n"
                                          "    outlierDetection: {consecutive5xxErrors: 5}\n"
                                          "    loadBalancer: {}\n");
    const struct api_destinationrule *dr = body_of(&l, 0);
    const struct api_outlier_detection *o = dr->traffic_policy->outlier_detection;

    CHECK(o->consecutive_5xx_errors.set);
    CHECK_EQ(o->consecutive_5xx_errors.v, 5);
    CHECK(!o->interval.set);
    CHECK_EQ(o->interval.ns, INT64_C(10000000000));
    CHECK_EQ(o->max_ejection_percent.v, 10);
    CHECK(!dr->traffic_policy->load_balancer->simple.set);
    CHECK_EQ(dr->traffic_policy->load_balancer->simple.v, LB_SIMPLE_LEAST_REQUEST);
    CHECK(dr->traffic_policy->tls == NULL);
    CHECK_STRZ(l.objects.v[0]->meta->namespace, "default");
    unload(&l);
}

TEST(null_and_missing_are_the_same_and_empty_is_not)
{
    struct loaded l = load_text("f.yaml", VS_HEAD "  gateways: null\n"
                                                  "  http:\n"
                                                  "    - timeout: ~\n"
                                                  "      delegate: {}\n"
                                                  "      rewrite:\n"
                                                  "    - match:\n"
                                                  "        - uri: {exact: ''}\n"
                                                  "      delegate: {name: x}\n");
    const struct api_virtualservice *vs;

    CHECK_EQ(l.notes.errors, 0);
    vs = l.objects.v[0]->body;
    CHECK_EQ(vs->gateways.n, 0);
    CHECK(!vs->http.v[0].timeout.set);
    CHECK(vs->http.v[0].delegate != NULL);
    CHECK(vs->http.v[0].rewrite == NULL);
    CHECK(str_is_set(vs->http.v[1].match.v[0].uri->exact));
    CHECK(!str_is_set(vs->http.v[1].match.v[0].uri->prefix));
    unload(&l);
}

TEST(a_list_gives_its_items_and_unknown_kinds_are_told_once)
{
    struct loaded l = load_text("f.yaml",
                                "apiVersion: v1\n"
                                "kind: List\n"
                                "items:\n"
                                "  - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                                "  - {apiVersion: x/v1, kind: Foo, metadata: {name: b}}\n"
                                "---\n"
                                "apiVersion: x/v2\n"
                                "kind: Foo\n"
                                "---\n"
                                "apiVersion: y/v1\n"
                                "kind: Foo\n"
                                "---\n"
                                "apiVersion: networking.istio.io/v1\n"
                                "kind: Virtualservice\n");
    const struct api_objects *files = &l.objects;

    CHECK_EQ(l.objects.n, 1);
    CHECK_EQ(l.objects.v[0]->line, 4);
    api_note_unknown(&files, 1, &l.notes);
    CHECK_STRZ(
        loaded_notes(&l),
        "5:5: info: Foo of x/v1 is a kind that Lateen does not read: skipped [LAT0112]\n"
        "10:1: info: Foo of y/v1 is a kind that Lateen does not read: skipped [LAT0112]\n"
        "13:1: info: Virtualservice of networking.istio.io/v1 is a kind that Lateen does not "
        "read: skipped; did you mean VirtualService? [LAT0112]\n");
    unload(&l);
}

TEST(a_secret_gives_its_octets)
{
    struct loaded l = load_text("f.yaml", "apiVersion: v1\n"
                                          "kind: Secret\n"
                                          "metadata: {name: a}\n"
                                          "data:\n"
                                          "  a: aGVsbG8=\n"
                                          "  b: |\n"
                                          "    aGVs\n"
                                          "    bG8h\n"
                                          "  c: ''\n"
                                          "stringData: {d: text}\n");
    const struct api_secret *s = body_of(&l, 0);

    CHECK_STRZ(api_map_get(&s->data, STR("a")), "hello");
    CHECK_STRZ(api_map_get(&s->data, STR("b")), "hello!");
    CHECK_STRZ(api_map_get(&s->data, STR("c")), "");
    CHECK_STRZ(api_map_get(&s->string_data, STR("d")), "text");
    CHECK(!str_is_set(api_map_get(&s->data, STR("e"))));
    unload(&l);
}

TEST(the_mesh_config_of_a_config_map_has_places_in_its_file)
{
    struct loaded l = load_text("f.yaml", "apiVersion: v1\n"
                                          "kind: ConfigMap\n"
                                          "metadata: {name: istio, namespace: istio-system}\n"
                                          "data:\n"
                                          "  mesh: |-\n"
                                          "    accessLogFile: /dev/stdout\n"
                                          "    defaultConfig:\n"
                                          "      gatewayTopology: {numTrustedProxies: 2}\n"
                                          "    conectTimeout: 5s\n");
    const struct api_meshconfig *m;
    struct api_object *o;

    CHECK_EQ(l.notes.n, 0);
    o = api_meshconfig_of(l.arena, l.objects.v[0], &l.notes);
    CHECK(o != NULL);
    CHECK_STRZ(loaded_notes(&l), "9:1: error: MeshConfig: conectTimeout: unknown field; did you "
                                 "mean \"connectTimeout\"? [LAT0102]\n");
    m = o->body;
    CHECK_STRZ(m->access_log_file, "/dev/stdout");
    CHECK_EQ(m->default_config->gateway_topology->num_trusted_proxies.v, 2);
    CHECK_EQ(m->connect_timeout.ns, INT64_C(10000000000));
    CHECK_STRZ(m->root_namespace, "istio-system");
    m = api_meshconfig_default(l.arena)->body;
    CHECK_STRZ(m->trust_domain, "cluster.local");
    unload(&l);
}

struct seen {
    struct buf text;
};

static void see_leaf(void *arg, const struct api_set *set)
{
    struct seen *seen = arg;

    buf_printf(&seen->text, "%u:%u %.*s\n", set->pos.line, set->pos.col, STRF(set->path));
}

/* Which messages are looked into depends on the tables' marks, so only leaves of the top are
 * counted on here. */
TEST(set_leaves_are_walked_in_order_with_their_places)
{
    struct loaded l = load_text("f.yaml", "apiVersion: networking.istio.io/v1\n"
                                          "kind: WorkloadEntry\n"
                                          "metadata: {name: a}\n"
                                          "spec:\n"
                                          "  weight: 5\n"
                                          "  address: 10.0.0.1\n"
                                          "  labels: {app: a}\n");
    struct seen seen;

    CHECK_EQ(l.notes.n, 0);
    buf_init(&seen.text, 4096);
    api_each_set_leaf(l.objects.v[0], see_leaf, &seen);
    CHECK_STRZ(buf_str(&seen.text), "6:12 spec.address\n7:11 spec.labels\n5:11 spec.weight\n");
    buf_fini(&seen.text);
    unload(&l);
}

TEST(the_hash_differs_when_content_or_a_place_does)
{
    struct loaded a = load_text("f.yaml", VS_HEAD "  http: [{delegate: {name: x}}]\n");
    struct loaded b = load_text("f.yaml", "# moved\n" VS_HEAD "  http: [{delegate: {name: x}}]\n");
    struct loaded d = load_text("g.yaml", VS_HEAD "  http: [{delegate: {name: x}}]\n");
    struct loaded c = load_text("f.yaml", VS_HEAD "  http: [{delegate: {name: z}}]\n");

    CHECK(a.objects.v[0]->place_hash != b.objects.v[0]->place_hash);
    CHECK(a.objects.v[0]->place_hash != c.objects.v[0]->place_hash);
    CHECK(a.objects.v[0]->place_hash == d.objects.v[0]->place_hash);
    unload(&d);
    unload(&a);
    unload(&b);
    unload(&c);
}

TEST(names_are_suggested_by_the_edits_they_are_away)
{
    static const struct {
        const char *field, *want;
    } cases[] = {
        { "host", "did you mean \"hosts\"?" },       { "HTTP", "did you mean \"http\"?" },
        { "gatways", "did you mean \"gateways\"?" }, { "gatewasy", "did you mean \"gateways\"?" },
        { "exprtTo", "did you mean \"exportTo\"?" }, { "zzzzzz", "VirtualService has hosts" },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct arena *arena = arena_new(4096);
        struct str text = arena_printf(arena, VS_HEAD "  http: [{delegate: {name: x}}]\n  %s: x\n",
                                       cases[i].field);
        struct loaded l = load_octets("f.yaml", text);
        struct str got = loaded_notes(&l);

        CASE(i);
        CHECK(str_find_str(got, str_of(cases[i].want)) < got.n);
        unload(&l);
        arena_free(arena);
    }
}
