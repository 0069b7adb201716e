#include "filter/cors.h"
#include "filter/fault.h"
#include "filter/filter.h"
#include "filter/headers.h"
#include "filter/router.h"

static const struct filter_kind *const kinds[] = {
    &filter_cors,
    &filter_fault,
    &filter_headers,
    &filter_router,
};

const struct filter_kind *filter_kind_find(struct str name)
{
    for (size_t i = 0; i < LEN(kinds); i++) {
        if (str_eq(name, str_of(kinds[i]->name)))
            return kinds[i];
    }
    return NULL;
}

bool filter_config_parse(struct filter_config *fc, struct arena *a, struct str *reterr)
{
    const struct filter_kind *kind = filter_kind_find(fc->kind);
    static const char none;

    if (!kind) {
        *reterr = arena_printf(a, "no filter of kind \"%.*s\"", STRF(fc->kind));
        return false;
    }
    fc->row = kind;
    fc->parsed = kind->config_read ? NULL : &none;
    if (!kind->config_read || !fc->config.n)
        return true;
    fc->parsed = kind->config_read(fc->config, a, reterr);
    return fc->parsed != NULL;
}

void filter_config_drop(struct filter_config *fc)
{
    const struct filter_kind *kind = fc->row;

    if (kind && kind->config_free && fc->parsed)
        kind->config_free(fc->parsed);
    fc->parsed = NULL;
}

static const struct filter_config *find(const struct filter_config *v, size_t n,
                                        struct str instance)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(v[i].instance, instance))
            return &v[i];
    }
    return NULL;
}

const struct filter_config *filter_config_for(const struct stream *s,
                                              const struct filter_config *base)
{
    const struct filter_config *over = NULL;

    if (s->destination && s->destination->overrides.n)
        over = find(s->destination->overrides.v, s->destination->overrides.n, base->instance);
    if (!over && s->route && s->route->overrides.n)
        over = find(s->route->overrides.v, s->route->overrides.n, base->instance);
    if (!over && s->vhost && s->vhost->overrides.n)
        over = find(s->vhost->overrides.v, s->vhost->overrides.n, base->instance);
    return over ? over : base;
}
