/*
 * What explain says is what a running worker does: status, flags, Location, and the set of
 * destinations, over manifests and requests made by chance.
 */
#include "base/map.h"
#include "telemetry/flags.h"
#include "unit/answer/world.h"

#include <stdlib.h>

#define QUESTIONS 100 /* of a world */
#define ROUND 2       /* decks, so that a whole one is seen */

struct question {
    struct ask ask;
    const struct explanation *x;
    struct world_answer got;
    struct map expected; /* "CODE FLAGS CLUSTER" */
};

static uint64_t seed;

/* Sanitizers look at the code, not at the numbers. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAIRS 4000
#else
#define PAIRS 20000
#endif

static size_t pairs(void)
{
    const char *is_long = getenv("LATEEN_LONG");

    return is_long && *is_long == '1' ? 200000 : PAIRS;
}

/* How often it must be asked for each destination to have its turn. */
static size_t times_of(const struct explanation *x)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < x->target_count; i++)
        sum += x->targets[i].destination->weight;
    return sum ? ROUND * sum : 1;
}

static void expect(struct question *q, struct arena *a, uint16_t status, uint32_t flags,
                   struct str cluster)
{
    char room[FLAGS_TEXT_MAX];
    struct str key = arena_printf(a, "%u %.*s %.*s", status, STRF(flags_format(flags, room)),
                                  STRF(cluster.n ? cluster : STR("-")));

    map_put(&q->expected, key, q);
}

static void expect_all(struct question *q, struct arena *a)
{
    const struct explanation *x = q->x;

    map_init(&q->expected);
    for (size_t i = 0; i < x->target_count; i++) {
        const struct explain_target *t = &x->targets[i];

        if (t->refused)
            expect(q, a, t->refused->status, t->refused->flags,
                   t->cluster ? t->cluster->part.name : STR_NONE);
        else
            expect(q, a, 200, 0, t->cluster->part.name);
    }
    if (!x->target_count && x->kind != EXPLAIN_CLOSED)
        expect(q, a, x->status, x->flags, STR_NONE);
}

static bool fail_at(const struct question *q, const char *what, struct str line)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    explain_text(q->x, &b);
    for (uint32_t i = 0; i < q->ask.headers.n; i++)
        buf_printf(&b, "%.*s: %.*s\n", STRF(q->ask.headers.v[i].name),
                   STRF(q->ask.headers.v[i].value));
    print_error("seed %llu: %s: %.*s (status %u, closed %d)\n%.*s\n", (unsigned long long)seed,
                what, STRF(line), q->got.status, q->got.closed, STRF(buf_str(&b)));
    buf_fini(&b);
    return false;
}

static void ask_one(struct world *w, struct rng *rng, struct question *q, size_t id)
{
    struct str method, url, lines[4], why;
    char name[24];
    size_t n;

    do {
        random_question(rng, &w->arena, &method, &url, lines, &n);
        CHECK(ask_parse(method, url, lines, n, &w->arena, &q->ask, &why));
    } while (!world_port(w, q->ask.port));
    q->x = explain(w->root, &q->ask, &w->arena);
    expect_all(q, &w->arena);
    snprintf(name, sizeof(name), "%zu", id);
    world_ask(w, &q->ask, name, times_of(q->x), &q->got);
    if (q->got.closed != (q->x->kind == EXPLAIN_CLOSED))
        CHECK(fail_at(q, "closed or not", STR("")));
    if (q->x->kind == EXPLAIN_REDIRECT &&
        !str_eq(str_from(q->x->text, 3), q->got.location)) /* behind "to " */
        CHECK(fail_at(q, "location", q->got.location));
}

/* Each line of the log must be one that was expected; what is left was never seen. */
static void compare(struct question *questions, struct str log)
{
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        struct str id = str_cut(&line, ' ');
        uint64_t at;
        const struct map_entry *e;
        struct question *q;
        size_t it = 0;

        if (!str_u64(id, &at)) /* a handshake or request without an id: none is sent */
            continue;
        q = &questions[at];
        while ((e = map_next(&q->expected, &it)) && !str_eq(e->key, line))
            ;
        if (!e)
            CHECK(fail_at(q, "the worker did", line));
        else
            *(struct question **)(uintptr_t)&e->value = NULL; /* seen */
    }
    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct map_entry *e;

        for (size_t it = 0; (e = map_next(&questions[i].expected, &it));) {
            if (e->value)
                CHECK(fail_at(&questions[i], "the worker never did", e->key));
        }
        map_fini(&questions[i].expected);
    }
}

static void one_world(struct rng *rng, size_t *kinds)
{
    struct question *questions;
    struct world w;
    struct buf yaml;

    buf_init(&yaml, 1 << 20);
    random_manifests(rng, &yaml);
    world_open(&w, buf_str(&yaml), true);
    questions = ARENA_ARRAY(&w.arena, struct question, QUESTIONS);
    for (size_t i = 0; i < QUESTIONS; i++) {
        ask_one(&w, rng, &questions[i], i);
        kinds[questions[i].x->kind]++;
    }
    compare(questions, world_stop(&w));
    world_close(&w);
    buf_fini(&yaml);
}

TEST(explain_says_what_a_running_worker_does)
{
    size_t kinds[EXPLAIN_FORWARD + 1] = { 0 }, n = pairs();
    struct rng rng;

    seed = getenv("LATEEN_SEED") ? strtoull(getenv("LATEEN_SEED"), NULL, 10) : 1;
    rng_init(&rng, seed);
    worlds_begin();
    for (size_t i = 0; i < n; i += QUESTIONS)
        one_world(&rng, kinds);
    worlds_end();
    for (size_t i = 0; i < LEN(kinds); i++) {
        CASE(i);
        CHECK(kinds[i] > n / 200); /* each kind of answer was among them */
    }
    print_message("seed %llu: closed %zu, refused %zu, direct %zu, redirect %zu, forward %zu\n",
                  (unsigned long long)seed, kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]);
}
