/*
 * mesh/endpoints - where the endpoints of a service's port come from, first source first.
 *
 * Source: surface.md 2.1; Kubernetes' EndpointSlice and Endpoints; istio-api.md 1.6, 1.7, 3.2.
 */
#include "api/core.h"
#include "api/serviceentry.h"
#include "api/workload.h"
#include "mesh/compile.h"
#include "mesh/lookup.h"

struct found_endpoint *found_add(struct compile *c, struct found *f)
{
    struct found_endpoint *e;

    f->v = arena_grow(c->a, f->v, f->n, &f->cap, sizeof(*f->v));
    e = &f->v[f->n++];
    *e = (struct found_endpoint){ .weight = 1, .healthy = true };
    return e;
}

/* Everything that asks for endpoints of one port. */
struct ask {
    struct compile *c;
    const struct service *s;
    const struct service_port *port;
    const struct api_service *spec; /* NULL for a ServiceEntry */
    struct found *f;
};

static bool parse_ip(struct str text, uint16_t port, struct addr *ret)
{
    if (!addr_parse_ip(text, ret))
        return false;
    ret->port = port;
    return true;
}

/* ---- 1: EndpointSlice, Endpoints ---- */

static const struct str_map *ref_labels(const struct ask *k, const struct api_object_ref *ref,
                                        struct found_endpoint *e)
{
    const struct api_object *pod;

    if (!ref || !str_eq(ref->kind, STR("Pod")))
        return NULL;
    e->workload = ref->name;
    pod = lookup_object(k->c, OBJ_POD, k->s->namespace, ref->name);
    return pod ? &pod->meta->labels : NULL;
}

/* The number behind the port of this name; an unnamed port matches an unnamed one. */
static bool named_port(const struct api_endpoint_port *v, size_t n, struct str name, uint16_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].name, name) && v[i].port.v > 0 &&
            (!v[i].protocol.set || v[i].protocol.v == K8S_PROTO_TCP)) {
            *ret = (uint16_t)v[i].port.v;
            return true;
        }
    return false;
}

static void from_slice_endpoint(const struct ask *k, const struct api_object *o,
                                const struct api_slice_endpoint *se, uint16_t port)
{
    const struct api_slice_conditions *cond = se->conditions;
    bool ready = !cond || !cond->ready.set || cond->ready.v;

    if (cond && cond->terminating.v && !ready)
        return;
    for (size_t i = 0; i < se->addresses.n; i++) {
        struct addr addr;
        struct found_endpoint *e;

        if (!parse_ip(se->addresses.v[i], port, &addr)) {
            compile_unsupported(k->c, o, ITEM(se, "addresses", i),
                                "\"%.*s\" is no address; names are not resolved yet",
                                STRF(se->addresses.v[i]));
            continue;
        }
        e = found_add(k->c, k->f);
        e->addr = addr;
        e->healthy = ready || k->spec->publish_not_ready_addresses.v;
        e->labels = ref_labels(k, se->target_ref, e);
        e->labels = e->labels ? e->labels : &o->meta->labels;
        e->namespace = k->s->namespace;
        e->object = o;
        e->spot = SPOT(se);
    }
}

static void from_slices(const struct ask *k)
{
    struct str_entry of_service = { STR("kubernetes.io/service-name"), k->s->name };
    const struct str_map wanted = { &of_service, 1 };
    const struct object_list *slices = lookup_labelled(k->c, OBJ_ENDPOINT_SLICE, k->s->namespace,
                                                       &wanted);

    for (size_t i = 0; i < slices->n; i++) {
        const struct api_object *o = slices->v[i];
        const struct api_endpointslice *slice = o->body;
        uint16_t port;

        if (!named_port(slice->ports.v, slice->ports.n, k->port->name, &port))
            continue;
        for (size_t n = 0; n < slice->endpoints.n; n++)
            from_slice_endpoint(k, o, &slice->endpoints.v[n], port);
    }
    k->f->source = STR("EndpointSlice");
}

static void from_addresses(const struct ask *k, const struct api_object *o,
                           const struct api_endpoint_address *v, size_t n, uint16_t port,
                           bool ready)
{
    for (size_t i = 0; i < n; i++) {
        struct addr addr;
        struct found_endpoint *e;

        if (!parse_ip(v[i].ip, port, &addr))
            continue;
        e = found_add(k->c, k->f);
        e->addr = addr;
        e->healthy = ready || k->spec->publish_not_ready_addresses.v;
        e->labels = ref_labels(k, v[i].target_ref, e);
        e->labels = e->labels ? e->labels : &o->meta->labels;
        e->namespace = k->s->namespace;
        e->object = o;
        e->spot = SPOT(&v[i]);
    }
}

static void from_endpoints(const struct ask *k)
{
    const struct api_object *o = lookup_object(k->c, OBJ_ENDPOINTS, k->s->namespace, k->s->name);
    const struct api_endpoints *all = o ? o->body : NULL;

    for (size_t i = 0; all && i < all->subsets.n; i++) {
        const struct api_endpoint_subset *s = &all->subsets.v[i];
        uint16_t port;

        if (!named_port(s->ports.v, s->ports.n, k->port->name, &port))
            continue;
        from_addresses(k, o, s->addresses.v, s->addresses.n, port, true);
        from_addresses(k, o, s->not_ready_addresses.v, s->not_ready_addresses.n, port, false);
    }
    k->f->source = STR("Endpoints");
}

/* ---- 2: Pods ---- */

bool container_port(const void *pod_spec, struct str name, uint16_t *ret)
{
    const struct api_pod_spec *spec = pod_spec;

    for (size_t i = 0; spec && i < spec->containers.n; i++)
        for (size_t n = 0; n < spec->containers.v[i].ports.n; n++) {
            const struct api_container_port *p = &spec->containers.v[i].ports.v[n];

            if (str_eq(p->name, name)) {
                *ret = (uint16_t)p->container_port.v;
                return true;
            }
        }
    return false;
}

static bool pod_is_ready(const struct api_pod_status *st)
{
    for (size_t i = 0; i < st->conditions.n; i++)
        if (str_eq(st->conditions.v[i].type, STR("Ready")))
            return str_eq(st->conditions.v[i].status, STR("True"));
    return true; /* a file that says nothing */
}

/* The workload a pod belongs to: a ReplicaSet's name less its hash is the Deployment's. */
static struct str pod_workload(const struct api_object *o)
{
    for (size_t i = 0; i < o->meta->owner_references.n; i++) {
        const struct api_owner *own = &o->meta->owner_references.v[i];

        if (str_eq(own->kind, STR("ReplicaSet")))
            return str_sub(own->name, 0, str_rfind(own->name, '-'));
        return own->name;
    }
    return o->meta->name;
}

static void from_pods(const struct ask *k)
{
    const struct object_list *pods = lookup_labelled(k->c, OBJ_POD, k->s->namespace,
                                                     &k->spec->selector);

    for (size_t i = 0; i < pods->n; i++) {
        const struct api_object *o = pods->v[i];
        const struct api_pod *pod = o->body;
        uint16_t port = (uint16_t)(k->port->target.v ? k->port->target.v : k->port->number);
        struct addr addr;
        struct found_endpoint *e;

        if (!str_eq(o->meta->namespace, k->s->namespace) || !pod->status ||
            !labels_hold(&o->meta->labels, &k->spec->selector) ||
            str_eq(pod->status->phase, STR("Failed")) ||
            str_eq(pod->status->phase, STR("Succeeded")) ||
            !addr_parse_ip(pod->status->pod_ip, &addr))
            continue;
        if (str_is_set(k->port->target.text) &&
            !container_port(pod->spec, k->port->target.text, &port))
            continue;
        addr.port = port;
        e = found_add(k->c, k->f);
        e->addr = addr;
        e->healthy = pod_is_ready(pod->status) || k->spec->publish_not_ready_addresses.v;
        e->labels = &o->meta->labels;
        e->workload = pod_workload(o);
        e->namespace = o->meta->namespace;
        e->object = o;
        e->spot = SPOT(pod->status);
    }
    k->f->source = STR("Pod");
}

/* ---- 3: WorkloadEntries behind a Service ---- */

static int64_t entry_port(const struct api_workloadentry *w, struct str name)
{
    for (size_t i = 0; name.n && i < w->ports.n; i++)
        if (str_eq(w->ports.v[i].key, name))
            return w->ports.v[i].value;
    return 0;
}

/* The port that an entry gives for a port of a Service (surface.md 2.1); 0: none. */
static int64_t entry_port_for(const struct ask *k, const struct api_workloadentry *w)
{
    const struct service_port *p = k->port;
    int64_t named = entry_port(w, str_is_set(p->target.text) ? p->target.text : p->name);

    if (named || str_is_set(p->target.text))
        return named;
    return p->target.v ? p->target.v : p->number;
}

static void add_entry(const struct ask *k, const struct api_object *o,
                      const struct api_workloadentry *w, int64_t port, struct str workload)
{
    struct found_endpoint *e;
    struct addr addr;

    if (!parse_ip(w->address, (uint16_t)port, &addr)) {
        compile_unsupported(k->c, o, LEAF(w, "address"),
                            "\"%.*s\" is no IP address; names and sockets are not carried out yet",
                            STRF(w->address));
        return;
    }
    e = found_add(k->c, k->f);
    e->addr = addr;
    e->weight = w->weight.v > 0 ? (uint32_t)MIN(w->weight.v, (int64_t)UINT32_MAX) : 1;
    e->labels = &w->labels;
    e->workload = workload;
    e->namespace = o->meta->namespace;
    e->locality = w->locality;
    e->object = o;
    e->spot = SPOT(w);
}

static void from_entries(const struct ask *k)
{
    const struct object_list *entries = lookup_labelled(k->c, OBJ_WORKLOAD_ENTRY, k->s->namespace,
                                                        &k->spec->selector);

    for (size_t i = 0; i < entries->n; i++) {
        const struct api_object *o = entries->v[i];
        const struct api_workloadentry *w = o->body;
        int64_t port;

        if (!str_eq(o->meta->namespace, k->s->namespace) ||
            !labels_hold(&w->labels, &k->spec->selector))
            continue;
        port = entry_port_for(k, w);
        if (port)
            add_entry(k, o, w, port, o->meta->name);
        else
            api_note(o, k->c->notes, SEV_WARNING, "LAT0305", LEAF(w, "ports"),
                     "gives no port \"%.*s\", which Service %.*s/%.*s has as targetPort: it is no "
                     "endpoint of it",
                     STRF(k->port->target.text), STRF(k->s->namespace), STRF(k->s->name));
    }
    k->f->source = STR("WorkloadEntry");
}

/* ---- 4: ServiceEntry ---- */

static int64_t entry_target(const struct service_port *p, const struct api_workloadentry *w)
{
    int64_t named = entry_port(w, p->name);

    return named ? named : p->target.v ? p->target.v : p->number;
}

static void from_selected(const struct ask *k, const struct api_object *se,
                          const struct str_map *labels, const struct service_port *port)
{
    const struct object_list *entries = lookup_labelled(k->c, OBJ_WORKLOAD_ENTRY,
                                                        se->meta->namespace, labels);
    const struct object_list *pods = lookup_labelled(k->c, OBJ_POD, se->meta->namespace, labels);

    for (size_t i = 0; i < entries->n; i++) {
        const struct api_object *o = entries->v[i];
        const struct api_workloadentry *w = o->body;

        if (str_eq(o->meta->namespace, se->meta->namespace) && labels_hold(&w->labels, labels))
            add_entry(k, o, w, entry_target(port, w), o->meta->name);
    }
    for (size_t i = 0; i < pods->n; i++) {
        const struct api_object *o = pods->v[i];
        const struct api_pod *pod = o->body;
        struct found_endpoint *e;
        struct addr addr;

        if (!str_eq(o->meta->namespace, se->meta->namespace) || !pod->status ||
            !labels_hold(&o->meta->labels, labels) ||
            !parse_ip(pod->status->pod_ip,
                      (uint16_t)(port->target.v ? port->target.v : port->number), &addr))
            continue;
        e = found_add(k->c, k->f);
        e->addr = addr;
        e->healthy = pod_is_ready(pod->status);
        e->labels = &o->meta->labels;
        e->workload = pod_workload(o);
        e->namespace = o->meta->namespace;
        e->object = o;
        e->spot = SPOT(pod->status);
    }
}

static void from_service_entry(const struct ask *k, const struct api_object *o,
                               const struct service_port *port)
{
    const struct api_serviceentry *se = o->body;

    if (se->resolution.v == SE_RESOLUTION_NONE || se->resolution.v == SE_RESOLUTION_DYNAMIC_DNS) {
        compile_unsupported(k->c, o, LEAF(se, "resolution"),
                            "a gateway carries out STATIC, and DNS with addresses as endpoints");
        return;
    }
    for (size_t i = 0; i < se->endpoints.n; i++) {
        const struct api_workloadentry *w = &se->endpoints.v[i];

        add_entry(k, o, w, entry_target(port, w),
                  arena_printf(k->c->a, "%.*s-%zu", STRF(o->meta->name), i));
    }
    if (se->workload_selector)
        from_selected(k, o, &se->workload_selector->labels, port);
    else if (!se->endpoints.n && se->resolution.v != SE_RESOLUTION_STATIC)
        compile_unsupported(k->c, o, LEAF(se, "resolution"),
                            "the host is not resolved yet; list its addresses as endpoints");
}

/* A ServiceEntry of the Service's own host, in any namespace that exports it. */
static void from_entry_of_host(const struct ask *k)
{
    const struct object_list *entries = lookup_entries(k->c, k->s->host);

    k->f->source = STR("ServiceEntry");
    for (size_t i = 0; i < entries->n; i++) {
        const struct api_object *o = entries->v[i];
        const struct api_serviceentry *se = o->body;

        for (size_t p = 0; p < se->ports.n; p++) {
            struct service_port port = *k->port;

            if (se->ports.v[p].number.v != (int64_t)port.number)
                continue;
            port.name = se->ports.v[p].name;
            if (se->ports.v[p].target_port.v)
                port.target = (struct int_or_str){ .v = se->ports.v[p].target_port.v, .set = true };
            from_service_entry(k, o, &port);
        }
    }
}

/* ---- all of them ---- */

static void from_alias(const struct ask *k)
{
    struct str host = name_host(k->c->a, k->spec->external_name, k->s->namespace);
    struct service *to = service_find(k->c, host);
    const struct service_port *port = to ? service_port_find(to, k->port->number) : NULL;

    if (to && port && to != k->s) {
        const struct api_service *next = to->is_entry ? NULL : to->object->body;

        if (next && next->type.v == SVC_TYPE_EXTERNALNAME)
            return; /* aliases of aliases may go round in circles */
        endpoints_find(k->c, to, port, k->f);
        return;
    }
    compile_unsupported(k->c, k->s->object, LEAF(k->spec, "externalName"),
                        "\"%.*s\" is no Service or ServiceEntry here, and names are not resolved "
                        "yet",
                        STRF(k->spec->external_name));
}

void endpoints_find(struct compile *c, const struct service *s, const struct service_port *port,
                    struct found *f)
{
    struct ask k = { c, s, port, s->is_entry ? NULL : s->object->body, f };
    bool selects = k.spec && k.spec->selector.n > 0;

    if (s->is_entry) {
        f->source = STR("ServiceEntry");
        from_service_entry(&k, s->object, port);
        return;
    }
    if (k.spec->type.v == SVC_TYPE_EXTERNALNAME) {
        from_alias(&k);
        return;
    }
    from_slices(&k);
    if (!f->n)
        from_endpoints(&k);
    if (!f->n && selects)
        from_pods(&k);
    if (!f->n && selects)
        from_entries(&k);
    if (!f->n)
        from_entry_of_host(&k);
    if (!f->n && selects)
        stand_ins_find(c, s, port, f);
    if (!f->n)
        f->source = STR("none");
}

/* ---- into a part ---- */

static struct str first_label(const struct str_map *labels, const char *const *keys)
{
    for (; labels && *keys; keys++) {
        struct str v = api_map_get(labels, str_of(*keys));

        if (v.n)
            return v;
    }
    return STR("");
}

void endpoint_fill(struct part *p, struct endpoint *e, const struct found_endpoint *f,
                   origin_id origin)
{
    static const char *const app[] = { "app", NULL }, *const version[] = { "version", NULL };
    static const char *const names[] = { "service.istio.io/canonical-name",
                                         "app.kubernetes.io/name", "app", NULL };
    static const char *const revisions[] = { "service.istio.io/canonical-revision",
                                             "app.kubernetes.io/version", "version", NULL };
    struct str canonical = first_label(f->labels, names);
    struct str revision = first_label(f->labels, revisions);

    *e = (struct endpoint){
        .addr = f->addr,
        .weight = f->weight,
        .healthy = f->healthy,
        .workload = arena_dup(p->arena, f->workload),
        .namespace = arena_dup(p->arena, f->namespace),
        .app = arena_dup(p->arena, first_label(f->labels, app)),
        .version = arena_dup(p->arena, first_label(f->labels, version)),
        .canonical_service = arena_dup(p->arena, canonical.n ? canonical : f->workload),
        .canonical_revision = arena_dup(p->arena, revision.n ? revision : STR("latest")),
        .locality = arena_dup(p->arena, f->locality),
        .origin = origin,
    };
}
