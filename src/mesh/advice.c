#include "mesh/advice.h"

#include "api/destinationrule.h"
#include "api/virtualservice.h"
#include "model/origins.h"
#include "model/sorted.h"

/* ---- virtual hosts: of two rules that take everything the second is never reached ---- */

static bool catches_all(const struct route_match *m)
{
    bool path = m->path.how == TEXT_ANY ||
                (m->path.how == TEXT_PREFIX && str_eq(m->path.value, STR("/"))) ||
                (m->path.how == TEXT_REGEX && str_eq(m->path.value, STR(".*")));

    return path && !m->method && !m->authority && !m->scheme && !m->headers.n && !m->query.n;
}

/* "VirtualService ns/name" */
static const struct api_object *routes_owner(const struct compile *c, struct str title)
{
    size_t space = str_find(title, ' '), slash = str_find(title, '/');

    if (slash >= title.n || !str_starts(title, STR("VirtualService ")))
        return NULL;
    return store_find(c->store, OBJ_VIRTUAL_SERVICE, str_sub(title, space + 1, slash - space - 1),
                      str_from(title, slash + 1));
}

/* The whole rule, where its only match is meant. */
static struct str rule_path(const struct compile *c, const struct origin *o)
{
    const struct api_object *vs = routes_owner(c, o->object);
    size_t dot = str_find_str(o->path, STR(".match["));
    struct str digits = str_from(o->path, MIN(o->path.n, sizeof("spec.http[") - 1));
    const struct api_virtualservice *body = vs ? vs->body : NULL;
    uint64_t at;

    if (dot == o->path.n || !body || !str_u64(str_cut(&digits, ']'), &at))
        return o->path;
    api_object_wake(vs);
    return at < body->http.n && body->http.v[at].match.n == 1 ? str_sub(o->path, 0, dot) : o->path;
}

static void note_taken(struct compile *c, const struct vhost *v, const struct route *late,
                       const struct route *first)
{
    struct origin o = part_origin_get(&v->part, late->origin, c->a);
    struct origin by = part_origin_get(&v->part, first->origin, c->a);
    struct str path = rule_path(c, &o);
    struct note *n;

    if (str_eq(o.object, by.object))
        return;
    note_add(c->notes, SEV_WARNING, (struct pos){ o.file, o.line, o.col }, "LAT0306",
             "%.*s: %.*s: is never reached: %.*s catches every request of %.*s before it; put the "
             "rules into one VirtualService",
             STRF(o.object), STRF(path), STRF(by.object), STRF(v->label));
    n = notes_last(c->notes);
    if (!n)
        return;
    n->object = o.object;
    n->path = path;
    n->other = (struct pos){ by.file, by.line, by.col };
    n->other_object = by.object;
}

static void advise_vhost(struct compile *c, const struct vhost *v)
{
    const struct route *first = NULL;

    for (uint32_t i = 0; i < v->routes.n; i++) {
        const struct route *r = &v->routes.v[i];

        if (!catches_all(&r->match))
            continue;
        if (first)
            note_taken(c, v, r, first);
        else
            first = r;
    }
}

static void advise_vhosts(struct compile *c)
{
    const struct root *root = root_edit_next(c->edit);

    for (slot_id i = 0; i < root_slots(root, PART_VHOST); i++) {
        const struct vhost *v = root_vhost(root, i);

        if (v)
            advise_vhost(c, v);
    }
}

/* ---- DestinationRules ---- */

static bool covers_any(const struct compile *c, struct str host)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&c->reg->services, &at));)
        if (name_is_subset(e->key, host))
            return true;
    return false;
}

/* Of the rules of one host that count, the oldest says the policy. */
static void advise_taken_rule(struct compile *c, const struct api_object *o,
                              const struct service *s)
{
    const struct api_destinationrule *d = o->body;
    struct notes *notes = c->notes, said;
    struct rule rule;

    notes_init(&said, c->a);
    c->notes = &said; /* what finding it says was said before */
    rule_find(c, s, &rule);
    c->notes = notes;
    if (!rule.object || rule.object == o || !d->traffic_policy || rule.traffic == d->traffic_policy)
        return;
    api_note(o, c->notes, SEV_WARNING, "LAT0304", LEAF(d, "trafficPolicy"),
             "%.*s says the policy of this host and is used; put both into one DestinationRule",
             STRF(compile_title(c, rule.object)));
    api_note_other(c->notes, rule.object, SPOT(rule.object->meta));
}

static void advise_rules(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_DESTINATION_RULE);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_destinationrule *d = all->v[i]->body;
        struct str host = name_host(c->a, d->host, all->v[i]->meta->namespace);
        const struct service *s = service_find(c, host);

        if (s)
            advise_taken_rule(c, all->v[i], s);
        else if (!host.n || host.p[0] != '*' || !covers_any(c, host))
            api_note(all->v[i], c->notes, SEV_WARNING, "LAT0305", LEAF(d, "host"),
                     "no service has this host, \"%.*s\": the rule has no effect", STRF(host));
    }
}

void advice_note(struct compile *c)
{
    if (!c->trace)
        return;
    advise_vhosts(c);
    advise_rules(c);
}

/* ---- names that nearly fit ---- */

static void service_index(struct map *by_name, struct service *s)
{
    const struct service *other = map_get(by_name, s->name);

    if (!s->is_entry && (!other || str_cmp(s->host, other->host) < 0))
        map_put(by_name, s->name, s);
}

/* Services by name; of one name the first by host. Filled when it is asked first. */
static const struct service *service_named(const struct compile *c, struct map *by_name,
                                           struct str name)
{
    const struct map_entry *e;

    if (!by_name->n)
        for (size_t at = 0; (e = map_next(&c->reg->services, &at));)
            service_index(by_name, e->value);
    return map_get(by_name, name);
}

static void hint_service(struct compile *c, struct map *by_name, struct note *n, struct str host)
{
    const struct service *s = service_named(c, by_name, str_cut(&host, '.'));

    if (s)
        n->text = arena_printf(c->a, "%.*s; Service %.*s/%.*s is there: write %.*s", STRF(n->text),
                               STRF(s->namespace), STRF(s->name), STRF(s->host));
}

/* Gateways by name, the oldest of each; filled when it is asked first. */
struct named_gateway {
    const struct api_meta *meta;
    struct named_gateway *next; /* of the same name */
};

static void gateway_index(struct compile *c, struct map *by_name)
{
    const struct object_list *all = store_list(c->store, OBJ_GATEWAY);

    for (size_t i = all->n; i-- > 0;) {
        struct named_gateway *g = ARENA_NEW(c->a, struct named_gateway);

        g->meta = all->v[i]->meta;
        g->next = map_get(by_name, g->meta->name);
        if (g->next)
            map_del(by_name, g->meta->name);
        map_put(by_name, g->meta->name, g);
    }
}

static void hint_gateway(struct compile *c, struct map *by_name, struct note *n, struct str full)
{
    struct str ns = str_cut(&full, '/');
    const struct named_gateway *g;

    if (!by_name->n)
        gateway_index(c, by_name);
    g = map_get(by_name, full);
    while (g && str_eq(g->meta->namespace, ns))
        g = g->next;
    if (g)
        n->text = arena_printf(c->a, "%.*s; there is one in namespace %.*s: write %.*s/%.*s",
                               STRF(n->text), STRF(g->meta->namespace), STRF(g->meta->namespace),
                               STRF(g->meta->name));
}

/* What stands behind `marker` up to `end`. */
static bool name_behind(const struct note *n, const char *marker, char end, struct str *ret)
{
    size_t at = str_find_str(n->text, str_of(marker));
    struct str rest;

    if (at == n->text.n)
        return false;
    rest = str_from(n->text, at + strlen(marker));
    *ret = str_cut(&rest, end);
    return true;
}

void advice_hint(struct compile *c, struct notes *notes)
{
    struct map by_name, gateways;

    map_init(&by_name);
    map_init(&gateways);
    for (size_t i = 0; i < notes->n; i++) {
        struct note *n = &notes->v[i];
        struct str name;

        if (!n->code || strcmp(n->code, "LAT0305") != 0)
            continue;
        if (name_behind(n, "no Service or ServiceEntry \"", '"', &name) ||
            name_behind(n, "no service has this host, \"", '"', &name))
            hint_service(c, &by_name, n, name);
        else if (name_behind(n, "there is no Gateway ", ' ', &name))
            hint_gateway(c, &gateways, n, name);
    }
    map_fini(&gateways);
    map_fini(&by_name);
}
