#include "mesh/tree.h"
#include "model/origins.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"

static void read_tutorial(struct bench *b)
{
    static const char *const names[] = {
        "0-namespace",        "1-deployment-v1",   "1-deployment-v2", "3-myapp-service",
        "4-destination-rule", "5-virtual-service", "6-gateway",       "7-certificate",
    };
    static char paths[LEN(names)][512];

    for (size_t i = 0; i < LEN(names); i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/examples/tutorial/%s.yaml", TREE, names[i]);
        bench_read(b, paths[i]);
    }
}

TEST(the_tutorial_becomes_these_parts)
{
    struct bench b;

    bench_init(&b);
    bench_dev(&b);
    read_tutorial(&b);
    bench_update(&b);
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)),
               "0.0.0.0_8080 8080(80): 0.0.0.0_8080\n"
               "0.0.0.0_8443 8443(443) tls: 0.0.0.0_8443/https.443.https.hedgus-api.hedgus\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_CHAIN)),
               "0.0.0.0_8080 routes=http.80\n"
               "0.0.0.0_8443/https.443.https.hedgus-api.hedgus "
               "routes=https.443.https.hedgus-api.hedgus sni=mk.hedgus.com tls "
               "kubernetes://istio-ingress/hedgus-crt\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)),
               "http.80: mk.hedgus.com\nhttps.443.https.hedgus-api.hedgus: mk.hedgus.com\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_VHOST)),
               "http.80/mk.hedgus.com = mk.hedgus.com:80\n"
               "https.443.https.hedgus-api.hedgus/mk.hedgus.com = mk.hedgus.com:443\n");
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/mk.hedgus.com")),
               "path^/ -> outbound|80|v1|hedgus-app.hedgus.svc.cluster.local*50 "
               "outbound|80|v2|hedgus-app.hedgus.svc.cluster.local*50\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_HOSTS)),
               "outbound|80|v1|hedgus-app.hedgus.svc.cluster.local from stand-in: "
               "hedgus-app-v1/hedgus/hedgus-app/v1\n"
               "outbound|80|v2|hedgus-app.hedgus.svc.cluster.local from stand-in: "
               "hedgus-app-v2/hedgus/hedgus-app/v2\n"
               "outbound|80||hedgus-app.hedgus.svc.cluster.local from stand-in: "
               "hedgus-app-v1/hedgus/hedgus-app/v1 hedgus-app-v2/hedgus/hedgus-app/v2\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_SECRET)), "kubernetes://istio-ingress/hedgus-crt\n");
    CHECK_EQ(b.issues, 1);
    bench_update(&b);
    CHECK_EQ(b.verdict, MESH_SAME);
    CHECK_EQ(b.issues, 1);
    bench_fini(&b);
}

TEST(routes_destinations_and_endpoints_know_where_they_come_from)
{
    struct bench b;
    const struct vhost *v = NULL;
    struct origin o;
    const struct hosts *h;

    bench_init(&b);
    bench_dev(&b);
    read_tutorial(&b);
    bench_update(&b);
    for (slot_id i = 0; i < root_slots(b.root, PART_VHOST) && !v; i++)
        v = root_vhost(b.root, i);
    CHECK(v != NULL);
    CHECK_STRZ(part_origin_get(&v->part, 0, &b.arena).object, "Gateway hedgus/hedgus-api");
    o = part_origin_get(&v->part, v->routes.v[0].origin, &b.arena);
    CHECK_STRZ(o.object, "VirtualService hedgus/hedgus-app");
    CHECK_STRZ(o.path, "spec.http[0].match[0]");
    CHECK_EQ(o.line, 15);
    o = part_origin_get(&v->part, v->routes.v[0].destinations.v[1].origin, &b.arena);
    CHECK_STRZ(o.path, "spec.http[0].route[1]");
    CHECK(str_ends(o.file, STR("5-virtual-service.yaml")));
    h = root_hosts(b.root, root_cluster(b.root, v->routes.v[0].destinations.v[1].cluster)->hosts);
    o = part_origin_get(&h->part, h->endpoints.v[0].origin, &b.arena);
    CHECK_STRZ(o.object, "Deployment hedgus/hedgus-app-v2");
    CHECK_STRZ(o.path, "spec.template");
    bench_fini(&b);
}
