/*
 * Design 5.10, counted and not timed: what one change among many VirtualServices lets the plan
 * do does not depend on how many there are; and tables of more than one leaf equal those that
 * are made anew.
 */
#include "base/rng.h"
#include "mesh/mesh_int.h"
#include "route/route.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"

#include <stdio.h>
#include <stdlib.h>

#define GATEWAY_HEAD                                                                               \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: %s, namespace: shop}\n"   \
    "spec:\n  servers:\n"

static const char *const servers[] = {
    "  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}\n",
    "  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.test'], tls: {mode: "
    "SIMPLE, "
    "credentialName: c}}\n",
    "  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.test'], tls: {mode: "
    "SIMPLE, "
    "credentialName: other}}\n",
    "  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.test', x.other], tls: "
    "{mode: "
    "SIMPLE, credentialName: c}}\n",
    "  - {port: {number: 8080, name: more, protocol: HTTP}, hosts: [h00007.test]}\n",
    "  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*', x.other]}\n",
};

/* Digits are rows of `servers`. */
static void write_gateway(struct bench *b, const char *name, const char *rows)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), GATEWAY_HEAD, name);

    for (const char *r = rows; *r; r++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", servers[*r - '0']);
    bench_file(b, name, text);
}

static void add_service(struct buf *b, size_t i, const char *hosts, const char *gateways)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: "
               "v%05zu, namespace: shop}\nspec: {hosts: [%s], gateways: [%s], http: "
               "[{directResponse: {status: 200}}]}\n",
               i, hosts, gateways);
}

static void write_one(struct bench *b, const char *hosts, const char *gateways)
{
    struct buf text;

    buf_init(&text, 4096);
    add_service(&text, 99999, hosts, gateways);
    buf_addc(&text, 0);
    bench_file(b, "one", text.p);
    buf_fini(&text);
}

static void write_many(struct bench *b, size_t n)
{
    struct buf text;
    char host[32];

    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        snprintf(host, sizeof(host), "h%05zu.test", i);
        add_service(&text, i, host, "g");
    }
    buf_addc(&text, 0);
    bench_file(b, "many", text.p);
    buf_fini(&text);
}

static void write_secret(struct bench *b, const char *value)
{
    char text[256];

    snprintf(text, sizeof(text),
             "apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: shop}\nstringData: "
             "{tls.crt: %s}\n",
             value);
    bench_file(b, "secret", text);
}

/* ---- work ---- */

struct change {
    const char *name;
    const char *hosts, *gateways; /* of the one VirtualService; NULL: there is none */
    const char *g, *other;        /* rows of two Gateways; other NULL: there is none */
    const char *secret;
};

/* One after another; each differs from the one before in one thing. */
static const struct change changes[] = {
    { "at first", NULL, NULL, "01", NULL, "a" },
    { "added", "a.test", "g", "01", NULL, "a" },
    { "hosts changed", "b.test", "g", "01", NULL, "a" },
    { "a host of another", "h00003.test", "g", "01", NULL, "a" },
    { "wildcard", "'*.h.test'", "g", "01", NULL, "a" },
    { "everything", "'*'", "g", "01", NULL, "a" },
    { "gateways changed", "b.test", "other", "01", NULL, "a" },
    { "Gateway added", "b.test", "other", "01", "0", "a" },
    { "Gateway with another port", "b.test", "other", "01", "4", "a" },
    { "Gateway removed", "b.test", "other", "01", NULL, "a" },
    { "two gateways", "b.test", "'g, other'", "01", NULL, "a" },
    { "removed", NULL, NULL, "01", NULL, "a" },
    { "credential changed", NULL, NULL, "02", NULL, "a" },
    { "and back", NULL, NULL, "01", NULL, "a" },
    { "Secret changed", NULL, NULL, "01", NULL, "b" },
    { "TLS server gets a host", NULL, NULL, "03", NULL, "b" },
    { "and loses it", NULL, NULL, "01", NULL, "b" },
    { "server added before all", NULL, NULL, "401", NULL, "b" },
    { "server removed", NULL, NULL, "01", NULL, "b" },
    { "plain server gets a host", NULL, NULL, "51", NULL, "b" },
};

static void apply(struct bench *b, const struct change *c)
{
    if (c->hosts)
        write_one(b, c->hosts, c->gateways);
    else if (bench_has(b, "one"))
        bench_remove(b, "one");
    write_gateway(b, "g", c->g);
    if (c->other)
        write_gateway(b, "other", c->other);
    else if (bench_has(b, "other"))
        bench_remove(b, "other");
    write_secret(b, c->secret);
    arena_reset(&b->arena);
    bench_update(b);
}

/* Pieces made and steps taken, ever. */
static uint64_t work_so_far(const struct bench *b)
{
    const struct plan_work *w = b->mesh ? &b->mesh->work : NULL;

    return w ? w->placed + w->bound + w->vhosts + w->nodes + w->said + b->mesh->made : 0;
}

static void work_of(size_t n, uint64_t ret[LEN(changes)])
{
    struct bench b;

    bench_init(&b);
    write_many(&b, n);
    for (size_t i = 0; i < LEN(changes); i++) {
        uint64_t before = work_so_far(&b);

        apply(&b, &changes[i]);
        ret[i] = work_so_far(&b) - before;
    }
    bench_fini(&b);
}

#define WORK_MAX 60

TEST(a_change_among_10000_services_takes_the_steps_that_it_takes_among_100)
{
    static uint64_t few[LEN(changes)], many[LEN(changes)];

    work_of(100, few);
    work_of(10000, many);
    CHECK(many[0] > 10000 * 4); /* that it counts at all */
    for (size_t i = 1; i < LEN(changes); i++) {
        CASE(i);
        if (many[i] > few[i] + 20 || many[i] > WORK_MAX)
            print_error("%s: %d steps, %d among 100\n", changes[i].name, (int)many[i], (int)few[i]);
        CHECK(many[i] <= few[i] + 20); /* a leaf may split */
        CHECK(many[i] <= WORK_MAX);
    }
}

/* ---- large tables ---- */

#define WALK_SERVICES 160

static void walk_write(struct bench *b, const char *const spec[WALK_SERVICES], int file)
{
    static const char *const names[] = { "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7" };
    struct buf text;
    char host[64];

    buf_init(&text, 1 << 20);
    for (size_t i = (size_t)file; i < WALK_SERVICES; i += 8) {
        if (!spec[i])
            continue;
        if (spec[i][0] == '*')
            snprintf(host, sizeof(host), "'*.h%03zu.test'", i);
        else
            snprintf(host, sizeof(host), "h%03zu.%s", i, spec[i]);
        add_service(&text, i, spec[i][0] == '!' ? "'*'" : host, i % 3 ? "g" : "g, other");
    }
    buf_addc(&text, 0);
    bench_file(b, names[file], text.p);
    buf_fini(&text);
}

/* The domain that wins for a host, by looking at all. */
static const struct vhost *winner(const struct root *root, const struct routes *r, struct str host)
{
    struct domain_cursor at = { 0 };
    const struct domain *d, *best = NULL;

    for (; (d = route_domain(root, r, &at)); at.at++) {
        bool is_suffix = d->name.n && d->name.p[0] == '*';
        bool fits = str_eq(d->name, host) ||
                    (is_suffix && str_ends(host, str_from(d->name, 1)) && host.n >= d->name.n);

        if (fits && (!best || str_eq(d->name, host) ||
                     (!str_eq(best->name, host) && d->name.n > best->name.n)))
            best = d;
    }
    return best ? root_vhost(root, best->vhost) : NULL;
}

static void check_lookups(const struct root *root, const struct routes *r)
{
    static const char *const forms[] = { "h%03zu.test",   "a.h%03zu.test", "b.a.h%03zu.test",
                                         "h%03zu.x.test", "h%03zu.other",  ".h%03zu.test" };

    for (size_t i = 0; i < WALK_SERVICES * LEN(forms); i++) {
        char host[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(host, sizeof(host), forms[i % LEN(forms)], i / LEN(forms));
#pragma GCC diagnostic pop
        CHECK(route_vhost(root, r, str_of(host)) == winner(root, r, str_of(host)));
    }
}

/* Every 10th step: it takes longer than the step. */
static void check_tables(const struct root *root, bool *any_shards)
{
    for (slot_id i = 0; i < root_slots(root, PART_ROUTES); i++) {
        const struct routes *r = root_routes(root, i);

        if (!r)
            continue;
        *any_shards |= r->shards.n > 0;
        check_lookups(root, r);
    }
}

static void both_update(struct bench *kept, struct bench *fresh)
{
    char *said;

    arena_reset(&kept->arena);
    arena_reset(&fresh->arena);
    if (fresh->mesh)
        mesh_forget(fresh->mesh);
    bench_update(kept);
    bench_update(fresh);
    bench_check_same(kept->root, fresh->root);
    CHECK_EQ(root_hash(kept->root), root_hash(fresh->root));
    said = strdup(bench_notes(kept, ""));
    CHECK_STRZ(str_of(said), bench_notes(fresh, ""));
    free(said);
    CHECK_EQ(mesh_counts(kept->mesh)->virtual_services, mesh_counts(fresh->mesh)->virtual_services);
    CHECK_EQ(mesh_counts(kept->mesh)->routes, mesh_counts(fresh->mesh)->routes);
}

TEST(a_table_of_many_leaves_that_was_changed_equals_one_made_anew)
{
    static const char *const specs[] = { NULL, "test", "test", "x.test", "*", "other", "!" };
    static const char *const gateways[] = { "01", "02", "03", "401", "10", "51", "5", "1", "0" };
    static const char *spec[WALK_SERVICES];
    struct bench kept, fresh;
    bool any_shards = false;
    struct rng rng;

    rng_init(&rng, 7);
    bench_init(&kept);
    bench_init(&fresh);
    for (size_t i = 0; i < WALK_SERVICES; i++)
        spec[i] = "test";
    for (int step = 0; step < 300; step++) {
        const char *rows = gateways[rng_below(&rng, LEN(gateways))];
        bool all = step == 0, other = rng_below(&rng, 2);
        /* Now and then most of a file goes, or comes: nodes merge and split. */
        size_t many = rng_below(&rng, 6) ? 1 : 40, at = rng_below(&rng, WALK_SERVICES);

        CASE(step);
        for (size_t i = 0; i < many && !all; i++)
            spec[(at + i * 8) % WALK_SERVICES] =
                specs[many > 1 ? (size_t)step % 2 : rng_below(&rng, LEN(specs))];
        for (size_t k = 0; k < 2; k++) {
            struct bench *b = k ? &fresh : &kept;

            for (int file = 0; file < 8; file++)
                if (all || file == (int)(at % 8))
                    walk_write(b, spec, file);
            if (step % 3 == 0)
                write_gateway(b, "g", rows);
            if (step % 5 == 0 && other)
                write_gateway(b, "other", rows);
            else if (step % 5 == 0 && bench_has(b, "other"))
                bench_remove(b, "other");
            write_secret(b, step % 7 ? "a" : "b");
        }
        both_update(&kept, &fresh);
        if (step % 10 == 9)
            check_tables(kept.root, &any_shards);
    }
    CHECK(any_shards);
    bench_fini(&kept);
    bench_fini(&fresh);
}
