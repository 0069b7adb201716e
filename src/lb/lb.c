#include "lb/lb.h"

#include "base/map.h"
#include "lb/deck.h"
#include "lb/host_set.h"

#include <stdlib.h>

/* A deck per route, while its weights stay what they are. */
struct route_deck {
    struct {
        slot_id vhost;
        uint32_t route;
    } key;
    struct deck deck;
};

struct lb {
    struct rng *rng;
    struct map decks;       /* of struct route_deck by its key */
    struct host_set **sets; /* by slot: a list, as a rule of one */
    slot_id sets_cap;
    size_t set_n;
};

#define KEY_STR(object) str_make((const char *)&(object)->key, sizeof((object)->key))

struct lb *lb_new(struct rng *rng)
{
    struct lb *lb = must_alloc(sizeof(*lb));

    lb->rng = rng;
    return lb;
}

static void deck_drop(struct lb *lb, struct route_deck *rd)
{
    map_del(&lb->decks, KEY_STR(rd));
    deck_fini(&rd->deck);
    free(rd);
}

/* Takes `*at` out of its list. */
static void set_drop(struct lb *lb, struct host_set **at)
{
    struct host_set *set = *at;

    *at = set->next;
    host_set_free(set);
    lb->set_n--;
}

void lb_free(struct lb *lb)
{
    const struct map_entry *e;

    if (!lb)
        return;
    for (size_t at = 0; (e = map_next(&lb->decks, &at)) != NULL;)
        deck_drop(lb, e->value);
    for (slot_id slot = 0; slot < lb->sets_cap; slot++) {
        while (lb->sets[slot])
            set_drop(lb, &lb->sets[slot]);
    }
    map_fini(&lb->decks);
    free(lb->sets);
    free(lb);
}

/* ---- destinations ----------------------------------------------------------------------- */

static bool has_weights(const struct deck *d, const struct route *route)
{
    if (d->n != route->destinations.n)
        return false;
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->weights[i] != route->destinations.v[i].weight)
            return false;
    }
    return true;
}

static void route_deck_lay(struct route_deck *rd, const struct route *route)
{
    uint32_t n = route->destinations.n;
    uint32_t *weights = must_alloc(sizeof(*weights) * n);

    for (uint32_t i = 0; i < n; i++)
        weights[i] = route->destinations.v[i].weight;
    deck_init(&rd->deck, weights, n);
    free(weights);
}

/* True when nothing is to be dealt: one has all the weight, or nobody any. */
static bool is_settled(const struct route *route, uint32_t *ret)
{
    uint32_t weighted = 0, last = 0;

    for (uint32_t i = 0; i < route->destinations.n && weighted < 2; i++) {
        if (route->destinations.v[i].weight > 0) {
            last = i;
            weighted++;
        }
    }
    if (weighted < 2)
        *ret = last;
    return weighted < 2;
}

uint32_t lb_destination(struct lb *lb, const struct vhost *vhost, const struct route *route)
{
    struct route_deck want = { .key = { vhost->part.slot, route->id } };
    struct route_deck *rd;
    uint32_t only;

    if (is_settled(route, &only))
        return only;
    rd = map_get(&lb->decks, KEY_STR(&want));
    if (!rd) {
        rd = must_alloc(sizeof(*rd));
        rd->key = want.key;
        map_put(&lb->decks, KEY_STR(rd), rd);
        route_deck_lay(rd, route);
    } else if (!has_weights(&rd->deck, route)) {
        deck_fini(&rd->deck);
        route_deck_lay(rd, route);
    }
    return deck_next(&rd->deck, lb->rng);
}

/* ---- endpoints --------------------------------------------------------------------------- */

static void sets_grow(struct lb *lb, slot_id slot)
{
    slot_id cap = MAX(lb->sets_cap * 2, slot + 16);

    if (slot < lb->sets_cap)
        return;
    lb->sets = must_realloc(lb->sets, cap * sizeof(struct host_set *));
    memset(lb->sets + lb->sets_cap, 0, (cap - lb->sets_cap) * sizeof(struct host_set *));
    lb->sets_cap = cap;
}

static struct host_set *set_new(struct lb *lb, const struct cluster *cluster,
                                const struct hosts *hosts)
{
    struct host_set *set = host_set_new(hosts, cluster->lb, lb->rng);

    sets_grow(lb, hosts->part.slot);
    set->next = lb->sets[hosts->part.slot];
    lb->sets[hosts->part.slot] = set;
    lb->set_n++;
    return set;
}

static struct host_set *set_for(struct lb *lb, const struct cluster *cluster,
                                const struct hosts *hosts)
{
    slot_id slot = hosts->part.slot;
    struct host_set *set = slot < lb->sets_cap ? lb->sets[slot] : NULL;

    while (set && (set->hash != hosts->part.hash || set->policy != cluster->lb))
        set = set->next;
    return set ? set : set_new(lb, cluster, hosts);
}

static bool is_tried(const struct endpoint *e, const struct endpoint *const *tried, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tried[i] == e || addr_eq(&tried[i]->addr, &e->addr))
            return true;
    }
    return false;
}

/* The first untried one from a place drawn by chance, or NULL. */
static const struct endpoint *untried_any(struct lb *lb, const struct host_set *set,
                                          const struct hosts *hosts,
                                          const struct endpoint *const *tried, size_t tried_n)
{
    uint32_t from = (uint32_t)rng_below(lb->rng, set->n);

    for (uint32_t i = 0; i < set->n; i++) {
        const struct endpoint *e = &hosts->endpoints.v[set->healthy[(from + i) % set->n]];

        if (!is_tried(e, tried, tried_n))
            return e;
    }
    return NULL;
}

const struct endpoint *lb_endpoint(struct lb *lb, const struct cluster *cluster,
                                   const struct hosts *hosts, const struct endpoint *const *tried,
                                   size_t tried_n)
{
    struct host_set *set = set_for(lb, cluster, hosts);
    const struct endpoint *e, *other;

    if (set->n == 0)
        return NULL;
    e = host_set_next(set, hosts, lb->rng);
    if (!is_tried(e, tried, tried_n))
        return e;
    other = untried_any(lb, set, hosts, tried, tried_n);
    return other ? other : e;
}

/* ---- sweeping ----------------------------------------------------------------------------- */

static bool deck_is_used(const struct route_deck *rd, const struct root *root)
{
    const struct vhost *vhost = root_vhost(root, rd->key.vhost);

    return vhost && rd->key.route < vhost->routes.n &&
           has_weights(&rd->deck, &vhost->routes.v[rd->key.route]);
}

void lb_sweep(struct lb *lb, const struct root *root)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&lb->decks, &at)) != NULL;) {
        if (!deck_is_used(e->value, root))
            deck_drop(lb, e->value);
    }
    for (slot_id slot = 0; slot < lb->sets_cap; slot++) {
        const struct hosts *hosts = lb->sets[slot] ? root_hosts(root, slot) : NULL;

        for (struct host_set **at = &lb->sets[slot]; *at;) {
            if (!hosts || hosts->part.hash != (*at)->hash)
                set_drop(lb, at);
            else
                at = &(*at)->next;
        }
    }
}

size_t lb_state_count(const struct lb *lb)
{
    return lb->decks.n + lb->set_n;
}
