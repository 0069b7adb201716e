/*
 * proxy/admin_dump - /config_dump in the shape of Envoy's admin.v3.ConfigDump, as far as the
 * parts of a snapshot go. Fields that have Envoy's default are left out, keys redacted.
 *
 * Source: Envoy's admin page; what Istio's gateway dumps (observed).
 */
#include "proxy/admin_dump_int.h"

#include "base/jsontext.h"
#include "codec/regex.h"

#define TYPE "type.googleapis.com/"

void dump_begin(struct buf *b, const char *type)
{
    buf_printf(b, "{\"@type\":\"" TYPE "%s\"", type);
}

void dump_duration(struct buf *b, const char *key, uint32_t ms)
{
    if (ms % 1000 == 0)
        buf_printf(b, ",\"%s\":\"%us\"", key, ms / 1000);
    else
        buf_printf(b, ",\"%s\":\"%u.%03us\"", key, ms / 1000, ms % 1000);
}

/* Stands at the origin `id`, if it is not behind already. */
static bool origins_reach(struct admin_walk *w, const struct part *p, origin_id id)
{
    if (w->origins_of != p) {
        if (w->origins_of)
            origin_reader_fini(&w->origins);
        origin_reader_init(&w->origins, p);
        w->origins_of = p;
        w->origins_at = 0;
    }
    while (w->origins_at <= id && origin_reader_next(&w->origins))
        w->origins_at++;
    return w->origins_at == id + 1;
}

void dump_origin(struct admin_walk *w, struct buf *b, const struct part *p, origin_id id)
{
    const struct origin *o = &w->origins.now;

    if (id >= p->origin_count || !origins_reach(w, p, id) || o->kind == ORIGIN_DEFAULT)
        return;
    buf_add(b, STR(",\"metadata\":{\"filter_metadata\":{\"lateen\":{"));
    json_add_pair(b, "object", o->object);
    if (o->path.n)
        json_add_more(b, "field", o->path);
    if (o->file.n) {
        buf_add(b, STR(",\"at\":"));
        json_add_string(b, o->file);
        b->n--; /* goes on inside the string */
        buf_printf(b, ":%u:%u\"", o->line, o->col);
    }
    buf_add(b, STR("}}}"));
}

/* ---- the sections ---- */

static const struct section {
    const char *resource; /* the list's name, and what ?resource= asks for */
    const char *type, *item_type, *field;
    uint8_t kind; /* enum part_kind; PART_KINDS: the bootstrap */
    bool (*dump)(struct admin_walk *w, struct buf *b, const struct part *p);
} sections[] = {
    { "bootstrap", "envoy.admin.v3.BootstrapConfigDump", NULL, NULL, PART_KINDS, NULL },
    { "dynamic_active_clusters", "envoy.admin.v3.ClustersConfigDump",
      "envoy.admin.v3.ClustersConfigDump.DynamicCluster", "cluster", PART_CLUSTER, dump_cluster },
    { "dynamic_endpoint_configs", "envoy.admin.v3.EndpointsConfigDump",
      "envoy.admin.v3.EndpointsConfigDump.DynamicEndpointConfig", "endpoint_config", PART_HOSTS,
      dump_hosts },
    { "dynamic_listeners", "envoy.admin.v3.ListenersConfigDump",
      "envoy.admin.v3.ListenersConfigDump.DynamicListener", "listener", PART_LISTENER,
      dump_listener },
    { "dynamic_route_configs", "envoy.admin.v3.RoutesConfigDump",
      "envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig", "route_config", PART_ROUTES,
      dump_routes },
    { "dynamic_active_secrets", "envoy.admin.v3.SecretsConfigDump",
      "envoy.admin.v3.SecretsConfigDump.DynamicSecret", "secret", PART_SECRET, dump_secret },
};

static bool is_wanted(const struct admin_walk *w, const struct section *s)
{
    if (str_is_set(w->resource))
        return str_eq(w->resource, str_of(s->resource));
    return s->kind != PART_HOSTS || w->with_hosts;
}

static void bootstrap(struct admin_call *c, const struct admin_walk *w)
{
    struct buf *b = &c->body;

    if (!str_is_set(w->resource)) {
        dump_begin(b, "envoy.admin.v3.BootstrapConfigDump");
        buf_add(b, STR(",\"bootstrap\":{"));
    } else {
        dump_begin(b, "envoy.config.bootstrap.v3.Bootstrap");
        buf_addc(b, ',');
    }
    buf_add(b,
            STR("\"node\":{\"id\":\"lateen\",\"cluster\":\"lateen\",\"user_agent_name\":\"lateen\","
                "\"user_agent_version\":\"" LATEEN_VERSION "\"}"));
    buf_printf(b, ",\"admin\":{\"address\":{\"socket_address\":{\"address\":\"127.0.0.1\"}}}");
    buf_add(b, str_is_set(w->resource) ? STR("}") : STR("}}"));
}

/* A listener stands in its state, with its name before. */
static void item_begin(struct admin_walk *w, struct buf *b, const struct section *s,
                       const struct part *p)
{
    admin_walk_comma(w, b);
    if (str_is_set(w->resource)) {
        dump_begin(b, s->item_type);
        buf_addc(b, ',');
    } else {
        buf_addc(b, '{');
    }
    if (s->kind == PART_LISTENER || s->kind == PART_SECRET) {
        json_add_pair(b, "name", p->name);
        buf_add(b, s->kind == PART_LISTENER ? STR(",\"active_state\":{") : STR(","));
    }
    buf_printf(b, "\"version_info\":\"%016llx\",\"%s\":", (unsigned long long)p->hash, s->field);
}

static bool is_named(const struct admin_walk *w, const struct part *p)
{
    return !w->names || regex_is_full(w->names, p->name);
}

/* A bit of the part that stands at w->at, which is passed once it is whole. */
static void part_step(struct admin_call *c, struct admin_walk *w, const struct section *s,
                      const struct part *p)
{
    if (!is_named(w, p)) {
        w->at++;
        return;
    }
    if (w->sub == 0 && w->leaf == 0)
        item_begin(w, &c->body, s, p);
    if (!s->dump(w, &c->body, p))
        return;
    buf_add(&c->body, s->kind == PART_LISTENER ? STR("}}") : STR("}"));
    w->at++;
    w->sub = w->leaf = 0;
}

static void section_open(struct admin_call *c, struct admin_walk *w, const struct section *s)
{
    w->opened = true;
    if (str_is_set(w->resource))
        return;
    if (w->section > 0)
        buf_add(&c->body, STR(",\n"));
    if (s->kind == PART_KINDS)
        return;
    dump_begin(&c->body, s->type);
    if (s->kind == PART_CLUSTER || s->kind == PART_LISTENER)
        buf_printf(&c->body, ",\"version_info\":\"%016llx\"",
                   (unsigned long long)root_hash(w->root));
    buf_printf(&c->body, ",\"%s\":[\n", s->resource);
}

static void section_close(struct admin_call *c, struct admin_walk *w, const struct section *s)
{
    if (!str_is_set(w->resource) && s->kind != PART_KINDS)
        buf_add(&c->body, STR("]}"));
    w->section++;
    w->at = 0;
    w->opened = w->after_first = false;
}

static bool dump_step(struct admin_call *c, struct admin_walk *w)
{
    const struct section *s = &sections[w->section];
    const struct part *p;

    if (w->section == LEN(sections)) {
        buf_add(&c->body, STR("]}\n"));
        return false;
    }
    if (!is_wanted(w, s)) {
        w->section++;
        return true;
    }
    if (!w->opened)
        section_open(c, w, s);
    if (s->kind == PART_KINDS) {
        bootstrap(c, w);
        section_close(c, w, s);
        return true;
    }
    p = admin_walk_part(w, (enum part_kind)s->kind);
    if (p)
        part_step(c, w, s, p);
    if (w->at >= root_slots(w->root, (enum part_kind)s->kind))
        section_close(c, w, s);
    return true;
}

/* ---- the page ---- */

static bool resource_is_known(struct str name)
{
    for (size_t i = 0; i < LEN(sections); i++) {
        if (str_eq(name, str_of(sections[i].resource)))
            return true;
    }
    return false;
}

static bool params_are_fine(struct admin_call *c)
{
    struct str resource = admin_param(c, STR("resource"));

    if (admin_has_param(c, STR("mask"))) {
        admin_say(c, 501, "/config_dump?mask=: not built yet");
        return false;
    }
    if (str_is_set(resource) && !resource_is_known(resource)) {
        admin_say(c, 404, "%.*s not found in config dump", STRF(resource));
        return false;
    }
    return true;
}

void admin_show_dump(struct admin_call *c)
{
    struct str names = admin_param(c, STR("name_regex"));
    struct regex *r = NULL;
    struct admin_walk *w;
    struct buf error;

    if (!params_are_fine(c))
        return;
    buf_init(&error, 1000);
    if (names.n && (r = regex_new(names, &error)) == NULL)
        admin_say(c, 400, "name_regex: %.*s", STRF(buf_str(&error)));
    w = names.n && !r ? NULL : admin_walk_begin(c, dump_step);
    buf_fini(&error);
    if (!w) {
        regex_free(r);
        return;
    }
    w->names = r;
    w->resource = admin_param(c, STR("resource"));
    w->with_hosts = admin_has_param(c, STR("include_eds"));
    c->type = "application/json";
    buf_add(&c->body, STR("{\"configs\":[\n"));
}
