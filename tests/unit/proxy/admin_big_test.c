/*
 * Pages over a large snapshot are made in small pieces, and are whole.
 */
#include "proxy/admin_int.h"
#include "unit/check.h"

#include <stdlib.h>
#include <time.h>

#define PIECE_MAX (64 * 1024)

static struct root *root;
static struct arena arena;

static const struct root *host_root(void *arg)
{
    (void)arg;
    return root;
}

static void put(struct root_edit *e, struct slots *slots, void *part)
{
    struct part *p = part;
    struct str error = STR_NONE;

    p->slot = slots_of(slots, p->kind, p->name);
    CHECK(part_finish(p, &error));
    root_edit_set(e, p);
}

static struct vhost *vhost_of(uint32_t n)
{
    struct vhost *v = part_new(PART_VHOST, STR("http.80/big.test"));

    v->label = STR("big.test:80");
    v->routes.n = n;
    v->routes.v = ARENA_ARRAY(v->part.arena, struct route, n);
    for (uint32_t i = 0; i < n; i++) {
        struct route *r = &v->routes.v[i];

        r->name = STR("r");
        r->id = i;
        r->action = ACTION_DIRECT_RESPONSE;
        r->match.path = (struct text_matcher){
            .how = TEXT_EXACT, .value = arena_printf(v->part.arena, "/path/%u", i)
        };
        r->direct = ARENA_NEW(v->part.arena, struct direct_response);
        r->direct->status = 200;
        r->origin = part_origin(&v->part, (struct origin){ .kind = ORIGIN_FILE,
                                                           .line = i + 1,
                                                           .file = STR("big.yaml"),
                                                           .object = STR("VirtualService a/b") });
    }
    return v;
}

static struct cluster *cluster_of(struct slots *slots, uint32_t i)
{
    struct cluster *c = part_new(PART_CLUSTER, arena_printf(&arena, "outbound|80||s%u", i));

    c->connect_ms = 1500;
    c->hosts = slots_of(slots, PART_HOSTS, STR("many"));
    return c;
}

static struct hosts *hosts_of(uint32_t n)
{
    struct hosts *h = part_new(PART_HOSTS, STR("many"));

    h->endpoints.n = n;
    h->endpoints.v = ARENA_ARRAY(h->part.arena, struct endpoint, n);
    for (uint32_t i = 0; i < n; i++)
        h->endpoints.v[i] = (struct endpoint){
            .addr = { 4, 80, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } },
            .weight = 1
        };
    return h;
}

static void build(struct slots *slots, uint32_t routes, uint32_t clusters, uint32_t endpoints)
{
    struct root_edit *e = root_edit_new(NULL);
    struct vhost *v = vhost_of(routes);
    struct routes *r = part_new(PART_ROUTES, STR("http.80"));

    r->domains.n = 1;
    r->domains.v = ARENA_ARRAY(r->part.arena, struct domain, 1);
    r->domains.v[0] = (struct domain){ STR("big.test"), v->part.slot };
    put(e, slots, v);
    put(e, slots, r);
    for (uint32_t i = 0; i < clusters; i++)
        put(e, slots, cluster_of(slots, i));
    put(e, slots, hosts_of(endpoints));
    root = root_edit_finish(e);
}

static uint64_t thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t count(struct str text, const char *what)
{
    size_t n = 0, at;

    while ((at = str_find_str(text, str_of(what))) < text.n) {
        n++;
        text = str_from(text, at + 1);
    }
    return n;
}

/* How often a page says two words; LATEEN_FIGURES prints what it costs. */
static void page_counts(void (*page)(struct admin_call *c), const char *query, const char *one,
                        size_t want_one, const char *two, size_t want_two)
{
    struct admin admin = { .host = { .root = host_root } };
    struct admin_call c = { .admin = &admin, .arena = &arena, .query = str_of(query) };
    uint64_t octets = 0, longest_ns = 0, all_ns = 0;
    size_t ones = 0, twos = 0;
    bool more = true;

    buf_init(&c.body, 1 << 30);
    page(&c);
    while (more) {
        uint64_t from = thread_ns(), took;

        more = c.more(&c);
        took = thread_ns() - from;
        all_ns += took;
        longest_ns = MAX(longest_ns, took);
        octets += c.body.n;
        CHECK(c.body.n < PIECE_MAX);
        ones += count(buf_str(&c.body), one);
        twos += count(buf_str(&c.body), two);
        buf_reset(&c.body);
    }
    CHECK(c.body.cap <= 2 * PIECE_MAX); /* all that the page ever holds */
    CHECK_EQ(ones, want_one);
    CHECK_EQ(twos, want_two);
    c.end(&c);
    buf_fini(&c.body);
    if (getenv("LATEEN_FIGURES"))
        printf("?%s: %.1f MB, %.1f ms of CPU, longest piece %.3f ms\n", query, (double)octets / 1e6,
               (double)all_ns / 1e6, (double)longest_ns / 1e6);
}

/* LATEEN_LONG: 100,000 routes. */
TEST(pages_of_a_large_snapshot_are_made_in_small_pieces)
{
    struct slots *slots = slots_new();
    uint32_t routes = getenv("LATEEN_LONG") ? 100000 : 10000, endpoints = routes / 10;

    arena_init(&arena, 1 << 16);
    build(slots, routes, 50, endpoints);
    page_counts(admin_show_dump, "resource=dynamic_route_configs", "{\"match\":", routes,
                "\"at\":\"big.yaml:", routes);
    page_counts(admin_show_dump, "include_eds", "\"lb_endpoints\":[", 1,
                "\"health_status\":", endpoints);
    page_counts(admin_show_clusters, "", "::observability_name::", 50,
                "::rq_active::", (size_t)50 * endpoints);
    page_counts(admin_show_clusters, "format=json", "\"host_statuses\":[", 50,
                "\"eds_health_status\":", (size_t)50 * endpoints);
    root_unref(root);
    slots_free(slots);
    arena_fini(&arena);
}
