#include "api/check_policy.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))

/* region[/zone[/subzone]]; a * stands last and alone in its part. */
static bool locality_is_fine(struct str l)
{
    size_t parts = 0;

    while (str_is_set(l)) {
        struct str part = str_cut(&l, '/');

        if (part.n == 0 || ++parts > 3)
            return false;
        if (str_find(part, '*') < part.n && (part.n > 1 || str_is_set(l)))
            return false;
    }
    return parts > 0;
}

/* Does the pattern `a` hold for what `b` stands for? */
static bool locality_covers(struct str a, struct str b)
{
    while (str_is_set(a)) {
        struct str part = str_cut(&a, '/');

        if (str_eq(part, STR("*")))
            return true;
        if (!str_is_set(b) || !str_eq(part, str_cut(&b, '/')))
            return false;
    }
    return true;
}

static void check_distribute(struct api_checker *c, const struct api_locality_lb *l, size_t i)
{
    const struct api_locality_distribute *d = &l->distribute.v[i];
    int64_t sum = 0;

    if (!locality_is_fine(d->from))
        api_error(c, LEAF(d, "from"), "\"%.*s\" is no locality: write region/zone/subzone, * last",
                  SHOW(d->from));
    for (size_t k = 0; k < i; k++)
        if (locality_covers(d->from, l->distribute.v[k].from) ||
            locality_covers(l->distribute.v[k].from, d->from))
            api_error(c, LEAF(d, "from"), "\"%.*s\" overlaps with distribute[%zu]: remove one",
                      SHOW(d->from), k);
    for (size_t k = 0; k < d->to.n; k++) {
        if (!locality_is_fine(d->to.v[k].key))
            api_error(c, KEYED(d, "to", d->to.v[k].key),
                      "no locality: write region/zone/subzone, * last");
        if (d->to.v[k].value < 1 || d->to.v[k].value > 100)
            api_error(c, KEYED(d, "to", d->to.v[k].key), "%lld is no share: write 1 to 100",
                      (long long)d->to.v[k].value);
        sum += d->to.v[k].value;
        for (size_t m = 0; m < k; m++)
            if (locality_covers(d->to.v[k].key, d->to.v[m].key) ||
                locality_covers(d->to.v[m].key, d->to.v[k].key))
                api_error(c, KEYED(d, "to", d->to.v[k].key), "overlaps with \"%.*s\": remove one",
                          SHOW(d->to.v[m].key));
    }
    if (sum != 100)
        api_error(c, LEAF(d, "to"), "the shares sum to %lld: make it 100", (long long)sum);
}

static bool is_region(struct str s)
{
    return s.n && str_find(s, '/') == s.n && str_find(s, '*') == s.n;
}

static void check_failover(struct api_checker *c, const struct api_locality_failover *f)
{
    if (!is_region(f->from))
        api_error(c, LEAF(f, "from"), "\"%.*s\" must be a region alone, without zone and *",
                  SHOW(f->from));
    if (!is_region(f->to))
        api_error(c, LEAF(f, "to"), "\"%.*s\" must be a region alone, without zone and *",
                  SHOW(f->to));
    if (f->from.n && str_eq(f->from, f->to))
        api_error(c, LEAF(f, "to"), "is the same region as from: name another");
}

void api_check_locality(struct api_checker *c, const struct api_locality_lb *l, bool has_outlier)
{
    if (l->distribute.n && (l->failover.n || l->failover_priority.n))
        api_error(c, LEAF(l, "distribute"), "cannot stand with failover: remove one");
    for (size_t i = 0; i < l->distribute.n; i++)
        check_distribute(c, l, i);
    for (size_t i = 0; i < l->failover.n; i++)
        check_failover(c, &l->failover.v[i]);
    for (size_t i = 0; i < l->failover_priority.n && l->failover.n; i++)
        if (str_eq(l->failover_priority.v[i], STR("topology.kubernetes.io/region")))
            api_error(c, ITEM(l, "failoverPriority", i),
                      "the region label cannot stand with failover: remove one");
    if ((l->failover.n || l->failover_priority.n) && !has_outlier)
        api_warn(c, SPOT(l), "fail-over needs outlierDetection, without it nothing fails over");
}
