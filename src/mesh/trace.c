#include "mesh/trace.h"

#include "base/arena.h"
#include "base/hash.h"

struct trace {
    struct arena *arena;
    struct map places; /* 8 octets of a hash -> the trace */
};

struct trace *trace_new(void)
{
    struct arena *a = arena_new(16384);
    struct trace *t = ARENA_NEW(a, struct trace);

    t->arena = a;
    map_init(&t->places);
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    map_fini(&t->places);
    arena_free(t->arena);
}

static uint64_t place_of(const struct api_object *o, struct api_spot spot)
{
    uint64_t at = hash_mix((uintptr_t)o, ((uint64_t)spot.at->line << 32) | spot.at->col);

    return spot.field ? hash_mix(at, hash_stable(str_of(spot.field))) : at;
}

static void keep(struct trace *t, uint64_t place)
{
    struct str key = str_make((const char *)&place, sizeof(place));

    if (!map_has(&t->places, key))
        map_put(&t->places, arena_dup(t->arena, key), t);
}

void trace_use(struct trace *t, const struct api_object *o, struct api_spot spot)
{
    if (!t || !o || !spot.at)
        return;
    keep(t, place_of(o, spot));
    keep(t, (uintptr_t)o);
}

static bool has(const struct trace *t, uint64_t place)
{
    return map_has(&t->places, str_make((const char *)&place, sizeof(place)));
}

bool trace_has_object(const struct trace *t, const struct api_object *o)
{
    return has(t, (uintptr_t)o);
}

bool trace_has(const struct trace *t, const struct api_object *o, struct api_spot spot)
{
    struct api_spot message = spot;

    message.field = NULL;
    return has(t, place_of(o, spot)) || has(t, place_of(o, message));
}
