/*
 * bench/lookup - what finding a route costs, and what a route weighs.
 *
 *     build/bench/bench-lookup [ROUNDS]
 *
 * Builds parts directly: virtual hosts of 100 routes with two weighted destinations each.
 * Prints nanoseconds of this thread's CPU for route_vhost and route_pick, the least of
 * ROUNDS (9) rounds; rows take turns in each round, so that the machine's moods fall on all.
 * Requests hit virtual hosts by chance: with many of them caches miss, as in real life.
 */
#include "base/rng.h"
#include "route/route.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PER_VHOST 100
#define REQUESTS 8192

enum shape {
    SHAPE_PREFIX,     /* the fixture: one prefix a route */
    SHAPE_PREDICATES, /* half of the routes: the prefix "/" with a header and a method */
    SHAPE_ONE_PATH,   /* all routes in one virtual host on one path, told by a header */
    SHAPE_REGEX,      /* one virtual host of regexes */
    SHAPE_REGEX_HARD, /* regexes of which no text is known, in sets */
};

struct row {
    const char *name;
    enum shape shape;
    uint32_t routes;
};

static const struct row rows[] = {
    { "1 route", SHAPE_PREFIX, 1 },
    { "10k routes", SHAPE_PREFIX, 10000 },
    { "100k routes", SHAPE_PREFIX, 100000 },
    { "1 with predicates", SHAPE_PREDICATES, 1 },
    { "10k with predicates", SHAPE_PREDICATES, 10000 },
    { "100k with predicates", SHAPE_PREDICATES, 100000 },
    { "10k on one path", SHAPE_ONE_PATH, 10000 },
    { "100k on one path", SHAPE_ONE_PATH, 100000 },
    { "1 regex", SHAPE_REGEX, 1 },
    { "1k regexes", SHAPE_REGEX, 1000 },
    { "1k regexes without text", SHAPE_REGEX_HARD, 1000 },
};

enum place { PLACE_FIRST, PLACE_MEDIAN, PLACE_LAST, PLACE_MISS, PLACES };
static const char *const places[] = { "first", "median", "last", "miss" };

struct bed {
    const struct row *row;
    struct root *root;
    const struct routes *routes;
    uint32_t vhosts, per_vhost;
    double finish_ms;
    uint64_t octets;        /* malloc's, all of them */
    uint64_t origin_octets; /* of these, for origins */
    double least_ns[PLACES];
    struct arena *arena; /* of the requests */
    struct route_request *requests[PLACES];
};

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- parts ---------------------------------------------------------------------------------- */

static bool is_one_vhost(enum shape shape)
{
    return shape == SHAPE_ONE_PATH || shape == SHAPE_REGEX || shape == SHAPE_REGEX_HARD;
}

static void match_fill(struct arena *a, enum shape shape, uint32_t i, struct route_match *m)
{
    m->path.how = TEXT_PREFIX;
    m->path.value = arena_printf(a, "/service-%u/", i);
    if (shape == SHAPE_REGEX || shape == SHAPE_REGEX_HARD) {
        m->path.how = TEXT_REGEX;
        m->path.value = shape == SHAPE_REGEX
                            ? arena_printf(a, "/api/v[0-9]+/service-%u/[^/]+/items", i)
                            : arena_printf(a, "/[a-z]+/[a-z]%c[a-z]%c[a-z]*[0-9]*", 'a' + i % 26,
                                           'a' + i / 26 % 26);
    } else if (shape == SHAPE_ONE_PATH || (shape == SHAPE_PREDICATES && i % 2 == 0)) {
        struct named_matcher *h = ARENA_NEW(a, struct named_matcher);

        m->path.value = STR("/");
        h->name = STR("x-version");
        h->match = (struct text_matcher){ .how = TEXT_EXACT, .value = arena_printf(a, "v%u", i) };
        m->headers.v = h;
        m->headers.n = 1;
        m->method = ARENA_NEW(a, struct text_matcher);
        *m->method = (struct text_matcher){ .how = TEXT_EXACT, .value = STR("GET") };
    }
}

static void destinations_fill(struct vhost *v, struct slots *slots, uint32_t number,
                              struct route *r)
{
    struct arena *a = v->part.arena;

    r->destinations.n = 2;
    r->destinations.v = ARENA_ARRAY(a, struct destination, 2);
    for (uint32_t k = 0; k < 2; k++) {
        struct destination *d = &r->destinations.v[k];

        d->cluster_name = arena_printf(a, "outbound|80|v%u|app-%u.default.svc.cluster.local", k + 1,
                                       number);
        d->cluster = slots_of(slots, PART_CLUSTER, d->cluster_name);
        d->weight = k ? 10 : 90;
    }
}

/* As the compiler leaves them. */
static void origins_add(struct vhost *v, uint32_t number)
{
    for (uint32_t i = 0; i < v->routes.n; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            char file[40], object[40], path[60];
            struct origin o = { .kind = ORIGIN_FILE, .line = i * 20 + k, .col = 5 };
            origin_id id;

            snprintf(file, sizeof(file), "manifests/vs-%u.yaml", number);
            snprintf(object, sizeof(object), "VirtualService default/vs-%u", number);
            snprintf(path, sizeof(path), k ? "spec.http[%u].route[%u]" : "spec.http[%u].match[0]",
                     i, k - 1);
            o.file = str_of(file);
            o.object = str_of(object);
            o.path = str_of(path);
            id = part_origin(&v->part, o);
            if (k)
                v->routes.v[i].destinations.v[k - 1].origin = id;
            else
                v->routes.v[i].origin = id;
        }
    }
}

static struct vhost *vhost_make(const struct bed *b, struct slots *slots, uint32_t number,
                                struct str name, bool has_origins)
{
    struct vhost *v = part_new(PART_VHOST, name);
    struct str err = STR_NONE;

    v->label = arena_dup(v->part.arena, name);
    v->routes.n = b->per_vhost;
    v->routes.v = ARENA_ARRAY(v->part.arena, struct route, v->routes.n);
    for (uint32_t i = 0; i < v->routes.n; i++) {
        struct route *r = &v->routes.v[i];

        r->id = i;
        r->name = arena_dup(v->part.arena, STR("default"));
        match_fill(v->part.arena, b->row->shape, i, &r->match);
        destinations_fill(v, slots, number, r);
    }
    if (has_origins)
        origins_add(v, number);
    if (!part_finish(&v->part, &err)) {
        printf("%.*s\n", STRF(err));
        exit(1);
    }
    return v;
}

static struct str host_of(struct arena *a, uint32_t number)
{
    return arena_printf(a, "host-%u.example.test", number);
}

/* Returns what malloc has given out for it. */
static uint64_t root_make(struct bed *b, bool has_origins)
{
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    struct slots *slots = slots_new();
    struct root_edit *e = root_edit_new(NULL);
    struct routes *routes = part_new(PART_ROUTES, STR("http.80"));
    struct str err;
    slot_id slot = routes->part.slot;

    routes->domains.n = b->vhosts;
    routes->domains.v = ARENA_ARRAY(routes->part.arena, struct domain, b->vhosts);
    for (uint32_t i = 0; i < b->vhosts; i++) {
        struct domain *d = &routes->domains.v[i];
        struct vhost *v;

        d->name = host_of(routes->part.arena, i);
        d->vhost = slots_of(slots, PART_VHOST, d->name);
        v = vhost_make(b, slots, i, d->name, has_origins);
        root_edit_set(e, &v->part);
    }
    if (!part_finish(&routes->part, &err))
        exit(1);
    root_edit_set(e, &routes->part);
    b->root = root_edit_finish(e);
    slots_free(slots);
    b->routes = root_routes(b->root, slot);
    return mallinfo2().uordblks + mallinfo2().hblkhd - before;
}

/* ---- requests ------------------------------------------------------------------------------- */

static uint32_t number_at(const struct bed *b, enum place place)
{
    switch (place) {
    case PLACE_MEDIAN:
        return b->per_vhost / 2;
    case PLACE_LAST:
        return b->per_vhost - 1;
    default:
        return 0;
    }
}

static void request_make(struct bed *b, enum place place, uint32_t vhost, struct route_request *rq)
{
    struct headers *headers = ARENA_NEW(b->arena, struct headers);
    uint32_t i = place == PLACE_MISS ? b->per_vhost : number_at(b, place);
    struct arena *a = b->arena;

    headers_add(headers, a, STR("host"), host_of(a, vhost));
    headers_add(headers, a, STR("user-agent"), STR("curl/7.88.1"));
    headers_add(headers, a, STR("accept"), STR("*/*"));
    headers_add(headers, a, STR("x-request-id"), STR("4f2bd0a6-7dd4-4d6e-9f0e-0d5c2a1f3b11"));
    headers_add(headers, a, STR("x-version"), arena_printf(a, "v%u", i));
    *rq = (struct route_request){ .host = headers->v[0].value,
                                  .authority = headers->v[0].value,
                                  .path = arena_printf(a, "/service-%u/users/17/items", i),
                                  .method = STR("GET"),
                                  .scheme = STR("https"),
                                  .port = 443,
                                  .headers = headers };
    if (b->row->shape == SHAPE_REGEX)
        rq->path = arena_printf(a, "/api/v1/service-%u/17/items", i);
    if (b->row->shape == SHAPE_REGEX_HARD)
        rq->path = place == PLACE_MISS
                       ? STR("/service/A")
                       : arena_printf(a, "/service/x%cx%cx", 'a' + i % 26, 'a' + i / 26 % 26);
}

static void requests_make(struct bed *b, struct rng *rng)
{
    b->arena = arena_new(65536);
    for (uint32_t p = 0; p < PLACES; p++) {
        b->requests[p] = ARENA_ARRAY(b->arena, struct route_request, REQUESTS);
        for (uint32_t i = 0; i < REQUESTS; i++)
            request_make(b, (enum place)p, (uint32_t)rng_below(rng, b->vhosts), &b->requests[p][i]);
    }
}

static void measure(struct bed *b, enum place place)
{
    uint32_t found = 0;
    double before = cpu_now(), ns;

    for (uint32_t i = 0; i < REQUESTS; i++) {
        const struct route_request *rq = &b->requests[place][i];
        const struct vhost *v = route_vhost(b->root, b->routes, rq->host);
        const struct route *r = v ? route_pick(v, rq) : NULL;

        found += r != NULL;
    }
    ns = (cpu_now() - before) / REQUESTS;
    if (found != (place == PLACE_MISS ? 0 : REQUESTS)) {
        printf("%s, %s: %u found\n", b->row->name, places[place], found);
        exit(1);
    }
    if (b->least_ns[place] == 0 || ns < b->least_ns[place])
        b->least_ns[place] = ns;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void bed_make(struct bed *b, const struct row *row, struct rng *rng)
{
    double before;

    b->row = row;
    b->per_vhost = is_one_vhost(row->shape) ? row->routes : MIN(row->routes, PER_VHOST);
    b->vhosts = row->routes / b->per_vhost;
    b->origin_octets = root_make(b, true);
    root_unref(b->root);
    before = cpu_now();
    b->octets = root_make(b, false);
    b->finish_ms = (cpu_now() - before) / 1e6;
    b->origin_octets -= MIN(b->octets, b->origin_octets);
    requests_make(b, rng);
}

static void bed_print(const struct bed *b)
{
    printf("%-24s %9.2f", b->row->name, b->finish_ms);
    for (uint32_t p = 0; p < PLACES; p++)
        printf(" %8.0f", b->least_ns[p]);
    printf(" %9.0f %9.0f\n", (double)b->octets / b->row->routes,
           (double)b->origin_octets / b->row->routes);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 9;
    struct bed beds[LEN(rows)] = { 0 };
    struct rng rng;

    rng_init(&rng, 7);
    for (size_t i = 0; i < LEN(rows); i++) {
        bed_make(&beds[i], &rows[i], &rng);
    }
    for (long k = 0; k < rounds; k++) {
        for (size_t i = 0; i < LEN(rows); i++) {
            for (uint32_t p = 0; p < PLACES; p++)
                measure(&beds[i], (enum place)p);
        }
    }
    printf("sizeof: route %zu, destination %zu, text_matcher %zu\n", sizeof(struct route),
           sizeof(struct destination), sizeof(struct text_matcher));
    printf("%-24s %9s %8s %8s %8s %8s %9s %9s\n", "", "finish ms", "first ns", "median", "last",
           "miss", "octets", "+origins");
    for (size_t i = 0; i < LEN(rows); i++) {
        bed_print(&beds[i]);
        root_unref(beds[i].root);
        arena_free(beds[i].arena);
    }
    return 0;
}
