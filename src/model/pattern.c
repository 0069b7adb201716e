#include "model/pattern.h"

#include "base/map.h"
#include "codec/regex.h"

#include <pthread.h>
#include <stdlib.h>

#define LITERALS_MAX 16

/* A pattern, or the patterns of a set with a NUL behind each, compiled once. */
struct shared {
    struct pattern_set set; /* of a set */
    struct str key;
    uint32_t refs;
    struct regex *regex; /* of a pattern */
    bool has_literals;
    struct pattern_literals literals;
    struct arena arena; /* of key and literals */
};

static struct {
    pthread_mutex_t lock;
    struct map patterns; /* text -> struct shared */
    struct map sets;     /* patterns -> struct shared */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Is put into `map`, which borrows its key. */
static struct shared *shared_new(struct map *map, struct str key)
{
    struct shared *s = must_alloc(sizeof(*s));

    arena_init(&s->arena, 256);
    s->key = arena_dup(&s->arena, str_is_set(key) ? key : STR(""));
    s->refs = 1;
    map_put(map, s->key, s);
    return s;
}

static void shared_free(struct map *map, struct shared *s)
{
    map_del(map, s->key);
    if (map->n == 0) { /* leave nothing behind */
        map_fini(map);
        map_init(map);
    }
    regex_free(s->regex);
    regex_set_free(s->set.regexes);
    arena_fini(&s->arena);
    free(s);
}

/* ---- patterns ----------------------------------------------------------------------------- */

static struct regex *pattern_hold(struct str text, struct buf *error)
{
    struct shared *s = map_get(&all.patterns, text);
    struct regex *regex;

    if (s) {
        s->refs++;
        return s->regex;
    }
    regex = regex_new(text, error);
    if (regex)
        shared_new(&all.patterns, text)->regex = regex;
    return regex;
}

bool pattern_build(struct text_matcher *m, struct arena *a, struct str *reterr)
{
    struct buf error;

    buf_init(&error, 4096);
    pthread_mutex_lock(&all.lock);
    m->regex = pattern_hold(m->value, &error);
    pthread_mutex_unlock(&all.lock);
    if (!m->regex)
        *reterr = arena_dup(a, buf_str(&error));
    buf_fini(&error);
    return m->regex != NULL;
}

void pattern_drop(struct text_matcher *m)
{
    struct shared *s;

    if (!m->regex)
        return;
    pthread_mutex_lock(&all.lock);
    s = map_get(&all.patterns, m->value);
    MUST(s && s->refs > 0);
    if (--s->refs == 0)
        shared_free(&all.patterns, s);
    pthread_mutex_unlock(&all.lock);
    m->regex = NULL;
}

bool pattern_matches(const struct regex *regex, struct str text)
{
    return regex_is_full(regex, text);
}

struct pattern_literals pattern_literals(struct str pattern)
{
    struct pattern_literals found;
    struct shared *s;

    pthread_mutex_lock(&all.lock);
    s = map_get(&all.patterns, pattern);
    MUST(s);
    if (!s->has_literals) {
        struct str *v = ARENA_ARRAY(&s->arena, struct str, LITERALS_MAX);

        s->literals.n = regex_literals(s->regex, &s->arena, v, LITERALS_MAX);
        s->literals.v = v;
        s->has_literals = true;
    }
    found = s->literals;
    pthread_mutex_unlock(&all.lock);
    return found;
}

/* ---- sets --------------------------------------------------------------------------------- */

static struct pattern_set *set_hold(struct str key, const struct str *patterns, uint32_t n)
{
    struct shared *s = map_get(&all.sets, key);

    if (s) {
        s->refs++;
    } else {
        s = shared_new(&all.sets, key);
        s->set.regexes = regex_set_new(patterns, n);
    }
    return &s->set;
}

struct pattern_set *pattern_set_hold(const struct str *patterns, uint32_t n)
{
    struct pattern_set *set;
    struct buf key;

    buf_init(&key, SIZE_MAX);
    for (uint32_t i = 0; i < n; i++) {
        buf_add(&key, patterns[i]);
        buf_addc(&key, '\0');
    }
    pthread_mutex_lock(&all.lock);
    set = set_hold(buf_str(&key), patterns, n);
    pthread_mutex_unlock(&all.lock);
    buf_fini(&key);
    return set;
}

void pattern_set_drop(struct pattern_set *set)
{
    struct shared *s;

    if (!set)
        return;
    s = CONTAINER_OF(set, struct shared, set);
    pthread_mutex_lock(&all.lock);
    MUST(s->refs > 0);
    if (--s->refs == 0)
        shared_free(&all.sets, s);
    pthread_mutex_unlock(&all.lock);
}
