#include "mesh/watch.h"

#include "base/hash.h"
#include "mesh/mesh_int.h"

static input_key key_of(uint64_t scope, enum watch_how how, struct str host)
{
    return key_mix(key_mix(scope, how + 1), hash_str(host));
}

static bool is_wildcard(struct str host)
{
    return host.n && host.p[0] == '*';
}

void watch_cell(struct compile *c, struct vs_cell *cell, uint64_t gateway, struct str host)
{
    struct inputs *in = &c->plan->cells_by_host;
    struct str wider;

    inputs_add(in, &cell->hosts, INPUT_CLAIM, key_of(gateway, WATCH_IS, host));
    for (size_t at = 0; name_wider(c->a, host, &at, &wider);)
        inputs_add(in, &cell->hosts, INPUT_CLAIM, key_of(gateway, WATCH_UNDER, wider));
}

void watch_server(struct compile *c, struct server_plan *s, struct str host)
{
    struct inputs *in = &c->plan->servers_by_host;
    uint64_t table = s->table->digest;
    struct str wider;

    inputs_add(in, &s->watch, INPUT_CLAIM, key_of(table, WATCH_IS, host));
    if (is_wildcard(host))
        inputs_add(in, &s->watch, INPUT_CLAIM, key_of(table, WATCH_UNDER, host));
    for (size_t at = 0; name_wider(c->a, host, &at, &wider);)
        inputs_add(in, &s->watch, INPUT_CLAIM, key_of(table, WATCH_IS, wider));
}

void watch_touch_servers(struct compile *c, const struct table_plan *t, enum watch_how how,
                         struct str host)
{
    struct list touched;

    list_init(&touched);
    inputs_touch(&c->plan->servers_by_host, key_of(t->digest, how, host), &touched);
    while (!list_is_empty(&touched)) {
        struct reader *r = CONTAINER_OF(touched.next, struct reader, changed);
        struct server_plan *s = CONTAINER_OF(r, struct server_plan, watch);

        list_remove(&r->changed);
        if (list_is_empty(&s->unsaid))
            list_push_back(&c->plan->unsaid_servers, &s->unsaid);
    }
}

void watch_each_cell(struct compile *c, struct server_plan *s, struct str host, watch_cell_fn *fn)
{
    struct inputs *in = &c->plan->cells_by_host;
    uint64_t gateway = s->gateway->hash;
    struct list touched;
    struct str wider;

    list_init(&touched);
    inputs_touch(in, key_of(gateway, WATCH_IS, host), &touched);
    if (is_wildcard(host))
        inputs_touch(in, key_of(gateway, WATCH_UNDER, host), &touched);
    for (size_t at = 0; name_wider(c->a, host, &at, &wider);)
        inputs_touch(in, key_of(gateway, WATCH_IS, wider), &touched);
    while (!list_is_empty(&touched)) {
        /* An index has the newest first. */
        struct reader *r = CONTAINER_OF(touched.prev, struct reader, changed);

        list_remove(&r->changed);
        fn(c, s, CONTAINER_OF(r, struct vs_cell, hosts));
    }
}
