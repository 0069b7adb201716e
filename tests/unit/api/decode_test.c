#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/object.h"
#include "api/virtualservice.h"
#include "unit/check.h"

/* A file read into an arena of its own. */
struct loaded {
    struct arena *arena;
    struct notes notes;
    struct api_objects objects;
    bool parsed;
};

static struct loaded load(const char *text)
{
    struct loaded l = { .arena = arena_new(65536) };

    notes_init(&l.notes, l.arena);
    l.parsed = api_load_file(l.arena, STR("f.yaml"), str_of(text), &l.notes, &l.objects);
    return l;
}

static void print_notes(const struct loaded *l)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < l->notes.n; i++)
        note_print(&b, &l->notes.v[i]);
    if (b.n)
        print_error("%.*s", STRF(buf_str(&b)));
    buf_fini(&b);
}

TEST(a_virtual_service_is_decoded_with_places)
{
    struct loaded l = load("apiVersion: networking.istio.io/v1\n"
                           "kind: VirtualService\n"
                           "metadata: {name: a, namespace: ns}\n"
                           "spec:\n"
                           "  hosts: [a.test]\n"
                           "  http:\n"
                           "    - route:\n"
                           "        - destination: {host: a}\n"
                           "          weight: 90\n");
    const struct api_virtualservice *vs;

    print_notes(&l);
    CHECK(l.parsed);
    CHECK_EQ(l.notes.n, 0);
    CHECK_EQ(l.objects.n, 1);
    vs = l.objects.v[0]->body;
    CHECK_EQ(vs->http.n, 1);
    CHECK_STRZ(vs->http.v[0].route.v[0].destination->host, "a");
    CHECK_EQ(vs->http.v[0].route.v[0].weight.v, 90);
    CHECK_EQ(api_spot_pos(l.objects.v[0], LEAF(&vs->http.v[0].route.v[0], "weight")).line, 9);
    CHECK_EQ(api_pos_of(l.objects.v[0], STR("spec.http[0].route[0].weight")).col, 19);
    arena_free(l.arena);
}
