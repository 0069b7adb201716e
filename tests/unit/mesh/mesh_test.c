#include "mesh/tree.h"
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
