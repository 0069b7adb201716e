#include "route/route.h"

#include "base/rng.h"
#include "unit/check.h"

/* ---- hosts: observed.md, Hosts ------------------------------------------------------------- */

/* A root in which each domain has a virtual host of its own, named as the domain. */
static struct root *root_of_domains(const char *const *domains, uint32_t n,
                                    const struct routes **ret)
{
    struct slots *slots = slots_new();
    struct root_edit *e = root_edit_new(NULL);
    struct routes *routes = part_new(PART_ROUTES, STR("http.80"));
    slot_id slot = routes->part.slot;
    struct root *root;
    struct str err;

    routes->domains.v = ARENA_ARRAY(routes->part.arena, struct domain, n);
    routes->domains.n = n;
    for (uint32_t i = 0; i < n; i++) {
        struct vhost *vhost = part_new(PART_VHOST, str_of(domains[i]));

        routes->domains.v[i].name = arena_dup(routes->part.arena, str_of(domains[i]));
        routes->domains.v[i].vhost = slots_of(slots, PART_VHOST, str_of(domains[i]));
        CHECK(part_finish(&vhost->part, &err));
        root_edit_set(e, &vhost->part);
    }
    CHECK(part_finish(&routes->part, &err));
    root_edit_set(e, &routes->part);
    root = root_edit_finish(e);
    slots_free(slots);
    *ret = root_routes(root, slot);
    return root;
}

static struct str host_winner(const struct root *root, const struct routes *routes,
                              const char *host)
{
    const struct vhost *vhost = route_vhost(root, routes, str_of(host));

    return vhost ? vhost->part.name : STR("-");
}

TEST(a_host_falls_to_the_exact_name_then_the_longest_suffix_then_any)
{
    static const char *const domains[] = { "*.test",     "x.test", "*.w.test", "w.test",
                                           "*.b.w.test", "*",      "127.0.0.1" };
    static const char *const closed[] = { "*.test", "x.test" };
    static const struct {
        const char *host, *want, *want_closed;
    } cases[] = {
        { "x.test", "x.test", "x.test" },
        { "y.test", "*.test", "*.test" },
        { "a.w.test", "*.w.test", "*.test" },
        { "a.b.c.w.test", "*.w.test", "*.test" },
        { "a.b.w.test", "*.b.w.test", "*.test" },
        { "b.w.test", "*.w.test", "*.test" },
        { "w.test", "w.test", "*.test" },
        { ".w.test", "*.test", "*.test" }, /* a suffix never stands for no label */
        { ".test", "*", "-" },
        { "test", "*", "-" },
        { "x.test.", "*", "-" },
        { "xtest", "*", "-" },
        { "127.0.0.1", "127.0.0.1", "-" },
        { "", "*", "-" },
        { ".", "*", "-" },
        { "*.test", "*.test", "*.test" },
        { "*", "*", "-" },
    };
    const struct routes *routes, *closed_routes;
    struct root *root = root_of_domains(domains, LEN(domains), &routes);
    struct root *closed_root = root_of_domains(closed, LEN(closed), &closed_routes);

    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        CHECK_STRZ(host_winner(root, routes, cases[i].host), cases[i].want);
        CHECK_STRZ(host_winner(closed_root, closed_routes, cases[i].host), cases[i].want_closed);
    }
    root_unref(root);
    root_unref(closed_root);
}

/* The rules once more, one domain after the other. */
static struct str naive_host(const char *const *domains, uint32_t n, struct str host)
{
    struct str best = STR_NONE;

    for (uint32_t i = 0; i < n; i++) {
        struct str d = str_of(domains[i]);

        if (host.n > 0 && str_eq(d, host) && !str_starts(d, STR("*")))
            return d;
        if (str_eq(d, STR("*"))) {
            if (!str_is_set(best))
                best = d;
        } else if (str_starts(d, STR("*.")) && host.n > d.n - 1 && str_ends(host, str_from(d, 1)) &&
                   d.n > best.n) {
            best = d;
        }
    }
    return str_is_set(best) ? best : STR("-");
}

TEST(the_host_index_agrees_with_a_naive_search)
{
    static const char *const all[] = { "a", "a.b", "*.b", "*.a.b", "*.b.b",   "b.a.b",
                                       "*", "*.a", "b",   "a.a",   "*.a.a.b", "b.b" };
    static const char *const labels[] = { "a", "b", ".", "a.", "b.", ".b", ".a" };
    struct rng rng;

    rng_init(&rng, 32);
    for (uint32_t i = 0; i < 300; i++) {
        const char *domains[LEN(all)];
        const struct routes *routes;
        struct root *root;
        uint32_t n = 0;

        for (uint32_t k = 0; k < LEN(all); k++) {
            if (rng_below(&rng, 2))
                domains[n++] = all[k];
        }
        root = root_of_domains(domains, n, &routes);
        for (uint32_t k = 0; k < 300; k++) {
            char host[32] = "";
            size_t at = 0;

            for (uint64_t l = rng_below(&rng, 6); l > 0; l--)
                at += (size_t)snprintf(host + at, sizeof(host) - at, "%s",
                                       labels[rng_below(&rng, LEN(labels))]);
            CASE(i * 1000 + k);
            CHECK_STR(host_winner(root, routes, host), naive_host(domains, n, str_of(host)));
        }
        root_unref(root);
    }
}
