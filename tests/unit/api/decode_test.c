#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "unit/api/manifests.h"

TEST(a_virtual_service_is_decoded_with_places)
{
    struct loaded l = load_text("f.yaml", "apiVersion: networking.istio.io/v1\n"
                                          "kind: VirtualService\n"
                                          "metadata: {name: a, namespace: ns}\n"
                                          "spec:\n"
                                          "  hosts: [a.test]\n"
                                          "  http:\n"
                                          "    - route:\n"
                                          "        - destination: {host: a}\n"
                                          "          weight: 90\n");
    const struct api_virtualservice *vs;

    CHECK(l.parsed);
    CHECK_STRZ(loaded_notes(&l), "");
    CHECK_EQ(l.objects.n, 1);
    vs = l.objects.v[0]->body;
    CHECK_EQ(vs->http.n, 1);
    CHECK_STRZ(vs->http.v[0].route.v[0].destination->host, "a");
    CHECK_EQ(vs->http.v[0].route.v[0].weight.v, 90);
    CHECK_EQ(api_spot_pos(l.objects.v[0], LEAF(&vs->http.v[0].route.v[0], "weight")).line, 9);
    CHECK_EQ(api_pos_of(l.objects.v[0], STR("spec.http[0].route[0].weight")).col, 19);
    unload(&l);
}
