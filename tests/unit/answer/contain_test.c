/*
 * Design 5.5: removing or breaking one object never changes the answer to a request that did not
 * use it. A request uses every object in its decision's origins, and every object that won a
 * conflict or a look-up against a candidate for it. Answers are the data plane's own decisions
 * (explain runs proxy/decide.h), what was used is read from the origins of the parts they went
 * through and from the compiler's notes of conflicts.
 */
#include "base/hash.h"
#include "base/map.h"
#include "model/origins.h"
#include "source/files.h"
#include "unit/answer/world.h"

#include <stdlib.h>

#define DOCS_MAX 64
#define QUESTIONS 16
#define STEPS_PER_WORLD 40

/* Sanitizers look at the code, not at the numbers. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 400
#else
#define STEPS 2000
#endif

static size_t worlds(void)
{
    const char *is_long = getenv("LATEEN_LONG");

    return STEPS / STEPS_PER_WORLD * (is_long && *is_long == '1' ? 20 : 1);
}

/* What is planted: a kind of use that is not counted. */
enum omit { OMIT_NOTHING, OMIT_ROUTES, OMIT_ENDPOINTS, OMIT_CONFLICTS };

struct question {
    struct ask ask;
    struct str answer; /* in the arena of the test */
    struct map used;   /* "VirtualService ns/name" */
};

struct test {
    struct arena arena;
    struct rng rng;
    struct world world;
    struct source_file files[DOCS_MAX]; /* a document each */
    struct str titles[DOCS_MAX];        /* "VirtualService ns/name" */
    size_t n;
    struct question questions[QUESTIONS];
    enum omit omit;
    size_t violations, checked;
};

/* ---- manifests ---- */

static struct str word_behind(struct str text, struct str key)
{
    size_t at = str_find_str(text, key) + key.n, end = at;

    while (end < text.n && !strchr(", }\n", text.p[end]))
        end++;
    return str_sub(text, at, end - at);
}

static void file_set(struct test *t, size_t i, struct str octets)
{
    t->files[i].octets = octets;
    t->files[i].hash = hash_stable(octets);
    t->files[i].changed = true;
}

static void manifests_make(struct test *t)
{
    struct buf b;
    struct str rest;

    buf_init(&b, 1 << 20);
    random_manifests(&t->rng, &b);
    random_backends(&t->rng, &b);
    rest = arena_dup(&t->arena, buf_str(&b));
    buf_fini(&b);
    for (t->n = 0; rest.n; t->n++) {
        size_t end = str_find_str(rest, STR("---\n"));
        struct str text = str_sub(rest, 0, end);

        CHECK(t->n < DOCS_MAX);
        rest = str_from(rest, MIN(end + 4, rest.n));
        t->files[t->n].path = arena_printf(&t->arena, "%02zu.yaml", t->n);
        t->titles[t->n] = arena_printf(
            &t->arena, "%.*s %.*s/%.*s", STRF(word_behind(text, STR("kind: "))),
            STRF(word_behind(text, STR("namespace: "))), STRF(word_behind(text, STR("{name: "))));
        file_set(t, t->n, text);
    }
}

/* ---- answers ---- */

/* The chain of the handshake: the one that serves may be another (421). */
static const struct chain *shown_by(const struct explanation *x)
{
    return x->listener && x->listener->is_tls && x->decision.chain
               ? decide_chain(x->root, x->listener, x->ask->sni)
               : NULL;
}

static void add_certificate(struct buf *b, const struct explanation *x)
{
    const struct chain *c = shown_by(x);

    for (uint32_t i = 0; c && i < c->secrets.n; i++) {
        const struct secret *s = root_secret(x->root, c->secrets.v[i]);

        if (s)
            buf_printf(b, " cert %llx", (unsigned long long)s->part.hash);
    }
}

static void add_targets(struct buf *b, const struct explanation *x)
{
    for (size_t i = 0; i < x->target_count; i++) {
        const struct explain_target *t = &x->targets[i];
        char at[ADDR_TEXT_MAX];

        buf_printf(b, " to %.*s %.3f%%%s", STRF(t->destination->cluster_name), t->percent,
                   t->refused ? t->refused->details : "");
        for (size_t k = 0; k < t->endpoint_count; k++)
            buf_printf(b, " %.*s*%u", STRF(addr_format(&t->endpoints[k].endpoint->addr, at)),
                       t->endpoints[k].endpoint->weight);
    }
}

/* All that a client can see of it, and the share of each backend. */
static struct str answer_of(struct test *t, const struct explanation *x)
{
    const struct route *r = x->decision.route;
    struct str text;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_printf(&b, "%s at %s, %u %s", explain_kind_name(x->kind), explain_stage_name(x->stage),
               x->status, x->details ? x->details : "");
    if (x->kind == EXPLAIN_REDIRECT)
        buf_printf(&b, " %.*s", STRF(x->text));
    if (x->kind == EXPLAIN_DIRECT)
        buf_printf(&b, " %.*s", STRF(r->direct->body));
    add_certificate(&b, x);
    add_targets(&b, x);
    text = arena_dup(&t->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

/* ---- uses ---- */

static void use(struct question *q, struct str object)
{
    map_put(&q->used, object, q);
}

static void use_part(struct test *t, struct question *q, const struct part *p)
{
    struct origin_list all;

    if (!p)
        return;
    all = part_origins(p, &t->arena);
    for (uint32_t i = 0; i < all.n; i++)
        use(q, arena_dup(&t->arena, all.v[i].object));
}

static void use_one(struct test *t, struct question *q, const struct part *p, origin_id id)
{
    if (p && id < p->origin_count)
        use(q, arena_dup(&t->arena, part_origin_get(p, id, &t->arena).object));
}

/* A virtual host is there because of the Gateways whose servers its rules came through. */
static void use_gateways(struct test *t, struct question *q, const struct root *root,
                         const struct vhost *v)
{
    for (uint32_t i = 0; i < v->servers.n; i++)
        use_part(t, q, root_part(root, PART_SERVER, v->servers.v[i]));
}

static void use_route(struct test *t, struct question *q, const struct explanation *x)
{
    const struct vhost *v = x->decision.vhost;
    const struct route *r = x->decision.route;

    if (t->omit == OMIT_ROUTES || !v)
        return;
    use_gateways(t, q, x->root, v);
    if (!r || (r->redirect && r->redirect->https_redirect)) /* all of its rules had a say */
        use_part(t, q, &v->part);
    else
        use_one(t, q, &v->part, r->origin);
    for (size_t i = 0; i < x->target_count; i++)
        use_one(t, q, &v->part, x->targets[i].destination->origin);
}

/* Whether a DestinationRule is for the host of a service. */
static bool rules_over(struct str text, struct str host)
{
    struct str said = word_behind(text, STR("host: "));
    size_t dot = str_find(host, '.');

    if (str_starts(said, STR("\"*")))
        return str_ends(host, str_sub(said, 2, said.n - 3));
    return str_eq(said, host) || str_eq(said, str_sub(host, 0, dot));
}

/* There is no such cluster: each rule over its host had a say in that. */
static void use_rules(struct test *t, struct question *q, struct str host)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_starts(t->titles[i], STR("DestinationRule")) &&
            rules_over(t->files[i].octets, host))
            use(q, t->titles[i]);
}

static void use_target(struct test *t, struct question *q, const struct explain_target *target)
{
    struct cluster_words words;

    if (target->cluster)
        use_part(t, q, &target->cluster->part);
    else if (t->omit != OMIT_CONFLICTS && cluster_split(target->destination->cluster_name, &words))
        use_rules(t, q, words.host);
    if (target->hosts && t->omit != OMIT_ENDPOINTS)
        use_part(t, q, &target->hosts->part);
}

static void use_decision(struct test *t, struct question *q, const struct explanation *x)
{
    const struct decision *d = &x->decision;
    const struct chain *shown = shown_by(x);

    if (x->listener)
        use_one(t, q, &x->listener->part, 0);
    if (d->chain)
        use_part(t, q, &d->chain->part);
    if (shown)
        use_part(t, q, &shown->part);
    for (uint32_t i = 0; shown && i < shown->secrets.n; i++)
        use_part(t, q, root_part(x->root, PART_SECRET, shown->secrets.v[i]));
    if (d->by_host)
        use_part(t, q, &d->by_host->part);
    use_route(t, q, x);
    for (size_t i = 0; i < x->target_count; i++)
        use_target(t, q, &x->targets[i]);
}

/* Whether an object speaks of a host, or of all. */
static bool speaks_of(const struct test *t, struct str title, struct str host)
{
    struct str text = STR_NONE, dot = str_from(host, str_find(host, '.'));

    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->titles[i], title))
            text = t->files[i].octets;
    return str_find_str(text, host) < text.n || str_find_str(text, STR("\"*\"")) < text.n ||
           (dot.n && str_find_str(text, dot) < text.n);
}

/* Of a conflict's loser, which might have answered, the winner is used. */
static void use_winners(struct test *t, struct question *q, const struct explanation *x)
{
    struct str service = STR_NONE;

    if (t->omit == OMIT_CONFLICTS)
        return;
    for (size_t i = 0; i < x->target_count; i++)
        if (str_find_str(x->targets[i].destination->cluster_name, STR("|e.x")) <
            x->targets[i].destination->cluster_name.n)
            service = STR("e.x");
    for (size_t i = 0; i < t->world.notes.n; i++) {
        const struct note *n = &t->world.notes.v[i];

        if (!n->other_object.n)
            continue;
        if (speaks_of(t, n->object, q->ask.host) ||
            (str_is_set(service) && speaks_of(t, n->object, service)))
            use(q, arena_dup(&t->arena, n->other_object));
    }
}

static void question_answer(struct test *t, struct question *q, struct str *ret, bool uses)
{
    const struct explanation *x = explain(t->world.root, &q->ask, &t->arena);

    *ret = answer_of(t, x);
    if (!uses)
        return;
    use_decision(t, q, x);
    use_winners(t, q, x);
}

static void questions_make(struct test *t)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct question *q = &t->questions[i];
        struct str method, url, lines[4], why;
        size_t n;

        map_init(&q->used);
        random_question(&t->rng, &t->arena, &method, &url, lines, &n);
        CHECK(ask_parse(method, url, lines, n, &t->arena, &q->ask, &why));
        question_answer(t, q, &q->answer, true);
    }
}

/* ---- steps ---- */

static void report(const struct test *t, const struct question *q, const char *what, size_t doc,
                   struct str now)
{
    const struct map_entry *e;

    if (t->omit)
        return;
    print_error("%s %.*s: %.*s %.*s\n was: %.*s\n now: %.*s\n uses:", what, STRF(t->titles[doc]),
                STRF(q->ask.method), STRF(q->ask.url), STRF(q->answer), STRF(now));
    for (size_t at = 0; (e = map_next(&q->used, &at));)
        print_error(" %.*s,", STRF(e->key));
    print_error("\n%.*s\n", STRF(t->files[doc].octets));
}

/* `all`: no answer at all may differ. */
static void compare(struct test *t, const char *what, size_t doc, bool all)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct question *q = &t->questions[i];
        struct str now;

        if (!all && map_has(&q->used, t->titles[doc]))
            continue;
        question_answer(t, q, &now, false);
        t->checked++;
        if (str_eq(now, q->answer))
            continue;
        t->violations++;
        report(t, q, what, doc, now);
    }
}

static struct str broken(struct test *t, struct str whole)
{
    struct str at = word_behind(whole, STR("kind: "));
    size_t end = (size_t)(at.p - whole.p) + at.n;

    switch (rng_below(&t->rng, 3)) {
    case 0: /* no YAML */
        return arena_printf(&t->arena, "%.*s\n- [\n", STRF(whole));
    case 1: /* a field that there is none of */
        return arena_printf(&t->arena, "%.*s\nnonsense: 1%.*s", STRF(str_sub(whole, 0, end)),
                            STRF(str_from(whole, end)));
    default: /* another type */
        return arena_printf(&t->arena, "%.*s\nstatus: [1\n", STRF(whole));
    }
}

static void without(struct test *t, struct world *w, size_t doc)
{
    struct source_file all[DOCS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        if (i != doc)
            all[n++] = t->files[i];
    world_update(w, all, n);
}

/* The object was never whole: a program that starts so. */
static void fresh(struct test *t, size_t doc)
{
    struct mesh_options o = { 0 };
    struct world running = t->world;

    world_begin(&t->world, &o);
    world_update(&t->world, t->files, t->n);
    compare(t, "never whole", doc, false);
    world_close(&t->world);
    t->world = running;
}

static void step(struct test *t)
{
    size_t doc = rng_below(&t->rng, t->n);
    struct str whole = t->files[doc].octets;

    without(t, &t->world, doc);
    compare(t, "removed", doc, false);
    world_update(&t->world, t->files, t->n);
    compare(t, "put back", doc, true);
    file_set(t, doc, broken(t, whole));
    world_update(&t->world, t->files, t->n);
    compare(t, "broken", doc, true);
    if (rng_below(&t->rng, 4) == 0)
        fresh(t, doc);
    file_set(t, doc, whole);
    world_update(&t->world, t->files, t->n);
    compare(t, "mended", doc, true);
}

static void one_world(struct test *t, uint64_t seed)
{
    struct mesh_options o = { 0 };

    arena_init(&t->arena, 1 << 20);
    rng_init(&t->rng, seed);
    manifests_make(t);
    world_begin(&t->world, &o);
    world_update(&t->world, t->files, t->n);
    questions_make(t);
    for (int i = 0; i < STEPS_PER_WORLD && t->violations < 3; i++) {
        CASE(seed * 1000 + (uint64_t)i);
        step(t);
    }
    for (size_t i = 0; i < QUESTIONS; i++)
        map_fini(&t->questions[i].used);
    world_close(&t->world);
    arena_fini(&t->arena);
}

static size_t walk(enum omit omit, size_t count)
{
    static struct test t; /* large */
    size_t violations = 0, checked = 0;

    worlds_begin();
    for (uint64_t seed = 1; seed <= count; seed++) {
        memset(&t, 0, sizeof(t));
        t.omit = omit;
        one_world(&t, seed);
        violations += t.violations;
        checked += t.checked;
    }
    worlds_end();
    CHECK(checked > count * STEPS_PER_WORLD * QUESTIONS);
    return violations;
}

TEST(removing_or_breaking_an_object_changes_no_answer_that_did_not_use_it)
{
    CHECK_EQ(walk(OMIT_NOTHING, worlds()), 0);
}

TEST(a_use_that_is_not_counted_is_found_out)
{
    CHECK(walk(OMIT_ROUTES, 2) > 0);
    CHECK(walk(OMIT_ENDPOINTS, 4) > 0);
    CHECK(walk(OMIT_CONFLICTS, 20) > 0);
}
