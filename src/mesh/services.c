/*
 * mesh/services - the registry: which hosts there are, and their ports.
 *
 * Source: istio-api.md 3.2, 3.3 (Services), 1.6 (ServiceEntry: a Service of the same host
 * wins, among entries the oldest).
 */
#include "api/core.h"
#include "api/serviceentry.h"
#include "mesh/compile.h"
#include "mesh/lookup.h"
#include "mesh/mesh_int.h"

static struct str upper(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i];
    p[s.n] = 0;
    return str_make(p, s.n);
}

/* The protocol that appProtocol or the port's name says: "http-web" is HTTP; else empty. */
static struct str port_protocol(struct compile *c, struct str app_protocol, struct str name)
{
    static const struct str words[] = {
        STR_INIT("HTTP"),  STR_INIT("HTTP2"), STR_INIT("HTTPS"),    STR_INIT("GRPC"),
        STR_INIT("TCP"),   STR_INIT("TLS"),   STR_INIT("MONGO"),    STR_INIT("MYSQL"),
        STR_INIT("REDIS"), STR_INIT("UDP"),   STR_INIT("GRPC-WEB"),
    };
    struct str text = upper(c->a, str_is_set(app_protocol) && app_protocol.n ? app_protocol : name);

    if (str_eq(text, STR("KUBERNETES.IO/H2C")))
        return STR("HTTP2");
    if (str_eq(text, STR("KUBERNETES.IO/WS")))
        return STR("HTTP");
    for (size_t i = LEN(words); i-- > 0;)
        if (str_starts(text, words[i]) && (text.n == words[i].n || text.p[words[i].n] == '-'))
            return words[i];
    return STR("");
}

static struct service *service_new(struct compile *c, const struct api_object *o, struct str host,
                                   size_t ports)
{
    struct arena *a = arena_new(512);
    struct service *s = ARENA_NEW(a, struct service);

    reader_init(&s->reader, true);
    s->serial = ++c->m->made;
    s->arena = a;
    s->host = arena_dup(a, host);
    s->name = o->meta->name;
    s->namespace = o->meta->namespace;
    s->object = o;
    s->ports = ARENA_ARRAY(a, struct service_port, ports + 1);
    notes_init(&s->notes, a);
    list_init(&s->noted);
    list_init(&s->plays);
    return s;
}

void service_free(struct service *s, struct inputs *in)
{
    inputs_drop(in, &s->reader);
    list_remove(&s->noted);
    list_remove(&s->plays);
    arena_free(s->arena);
}

/* Annotation networking.istio.io/exportTo: names of namespaces, with commas. */
static bool service_is_exported(struct compile *c, const struct api_object *o)
{
    struct str rest = api_map_get(&o->meta->annotations, STR("networking.istio.io/exportTo"));
    struct str_list to = { ARENA_ARRAY(c->a, struct str, rest.n + 1), 0 };

    while (rest.n)
        to.v[to.n++] = str_trim(str_cut(&rest, ','));
    if (!to.n)
        to = c->config->default_service_export_to;
    return name_is_exported(&to, o->meta->namespace, compile_own_namespace(c, o->meta->namespace));
}

static struct service *of_service(struct compile *c, const struct api_object *o, struct str host)
{
    const struct api_service *k = o->body;
    struct service *s = service_new(c, o, host, k->ports.n);

    for (size_t i = 0; i < k->ports.n; i++) {
        const struct api_service_port *p = &k->ports.v[i];

        if (p->protocol.set && p->protocol.v != K8S_PROTO_TCP)
            continue;
        s->ports[s->port_count++] = (struct service_port){
            .number = (uint32_t)p->port.v,
            .name = p->name,
            .protocol = arena_dup(s->arena, port_protocol(c, p->app_protocol, p->name)),
            .target = p->target_port,
            .spot = SPOT(p),
        };
    }
    return s;
}

static struct service *of_entry(struct compile *c, const struct api_object *o, struct str host)
{
    const struct api_serviceentry *e = o->body;
    struct service *s = service_new(c, o, host, e->ports.n);

    s->name = s->host;
    s->is_entry = true;
    for (size_t i = 0; i < e->ports.n; i++) {
        const struct api_se_port *p = &e->ports.v[i];
        struct service_port *to = &s->ports[s->port_count++];

        *to = (struct service_port){ .number = (uint32_t)p->number.v,
                                     .name = p->name,
                                     .protocol = upper(s->arena, p->protocol),
                                     .spot = SPOT(p) };
        if (p->target_port.set && p->target_port.v)
            to->target = (struct int_or_str){ .v = p->target_port.v, .set = true };
    }
    return s;
}

static bool entry_is_exported(const struct compile *c, const struct api_object *o)
{
    const struct api_serviceentry *e = o->body;

    return name_is_exported(&e->export_to, o->meta->namespace,
                            compile_own_namespace(c, o->meta->namespace));
}

/* Another entry has the host already. */
static void note_conflicts(struct compile *c, struct service *s, const struct api_object *o)
{
    const struct api_serviceentry *e = o->body;
    bool own = s->object == o;

    for (size_t i = 0; i < e->hosts.n; i++) {
        if (!str_eq(name_host(c->a, e->hosts.v[i], o->meta->namespace), s->host))
            continue;
        if (!own) {
            api_note(o, &s->notes, SEV_WARNING, "LAT0304", ITEM(e, "hosts", i),
                     "%.*s already defines this host and is used",
                     STRF(compile_title(c, s->object)));
            api_note_other(&s->notes, s->object, SPOT(s->object->meta));
        }
        own = false; /* the same host twice in one list */
    }
}

static struct service *of_entries(struct compile *c, struct str host)
{
    const struct object_list *entries = lookup_entries(c, host);
    struct service *s = NULL;

    for (size_t i = 0; i < entries->n; i++) {
        if (!entry_is_exported(c, entries->v[i]))
            continue;
        if (!s)
            s = of_entry(c, entries->v[i], host);
        note_conflicts(c, s, entries->v[i]);
    }
    return s;
}

/* A Service comes before entries of its host, which give it endpoints and nothing else: not a
 * conflict. */
struct service *service_make(struct compile *c, struct str host)
{
    const struct object_list *services = lookup_services(c, host);

    for (size_t i = 0; i < services->n; i++)
        if (service_is_exported(c, services->v[i]))
            return of_service(c, services->v[i], host);
    return of_entries(c, host);
}

/* It is read as the objects that it may be made from: whoever needs more says so. */
struct service *service_find(struct compile *c, struct str host)
{
    (void)lookup_services(c, host);
    (void)lookup_entries(c, host);
    return map_get(&c->reg->services, host);
}

const struct service_port *service_port_find(const struct service *s, uint32_t number)
{
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i].number == number)
            return &s->ports[i];
    return NULL;
}
