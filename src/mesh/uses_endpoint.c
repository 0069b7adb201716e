/*
 * mesh/uses_endpoint - what made an endpoint what it is, by the kind of object it comes from.
 */
#include "api/core.h"
#include "api/serviceentry.h"
#include "api/workload.h"
#include "mesh/uses.h"

/* One endpoint of a port. */
struct seen {
    struct compile *c;
    const struct service *s; /* of an alias: the service it stands for */
    const struct service_port *port;
    const struct found_endpoint *e;
    const struct api_service *spec; /* NULL: a ServiceEntry's */
};

static void use(const struct seen *n, struct api_spot spot)
{
    trace_use(n->c->trace, n->e->object, spot);
}

static void use_of_service(const struct seen *n, struct api_spot spot)
{
    trace_use(n->c->trace, n->s->object, spot);
}

static void use_port_field(const struct seen *n, const char *field)
{
    struct api_spot spot = n->port->spot;

    spot.field = field;
    use_of_service(n, spot);
}

/* ---- EndpointSlice, Endpoints ---- */

static void use_numbered(const struct seen *n, const struct api_endpoint_port *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(v[i].name, n->port->name) && v[i].port.v == n->e->addr.port) {
            use(n, LEAF(&v[i], "name"));
            use(n, LEAF(&v[i], "port"));
            use(n, LEAF(&v[i], "protocol"));
            use_port_field(n, "name");
            return;
        }
}

static void use_ref(const struct seen *n, const struct api_object_ref *ref)
{
    const struct api_object *pod;

    if (!ref || !ref->name.n)
        return;
    use(n, LEAF(ref, "kind"));
    if (!str_eq(ref->kind, STR("Pod")))
        return;
    use(n, LEAF(ref, "name"));
    pod = store_find(n->c->store, OBJ_POD, n->s->namespace, ref->name);
    if (pod)
        trace_use(n->c->trace, pod, LEAF(pod->meta, "labels"));
}

/* Whether it is ready says nothing where the Service takes all. */
static void use_readiness(const struct seen *n, bool is_ready)
{
    if (n->spec && !is_ready)
        use_of_service(n, LEAF(n->spec, "publishNotReadyAddresses"));
}

static void use_slice(const struct seen *n)
{
    const struct api_endpointslice *slice = n->e->object->body;
    const struct api_slice_endpoint *se = (const void *)n->e->spot.at;
    const struct api_slice_conditions *cond = se->conditions;
    bool is_ready = !cond || !cond->ready.set || cond->ready.v;

    use(n, LEAF(n->e->object->meta, "labels"));
    use(n, LEAF(se, "addresses"));
    use_ref(n, se->target_ref);
    use_numbered(n, slice->ports.v, slice->ports.n);
    if (cond && !n->spec->publish_not_ready_addresses.v)
        use(n, LEAF(cond, "ready"));
    if (cond && !is_ready)
        use(n, LEAF(cond, "terminating"));
    use_readiness(n, is_ready);
}

static bool is_among(const struct api_endpoint_address *a, const struct api_endpoint_address *v,
                     size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (&v[i] == a)
            return true;
    return false;
}

static void use_address(const struct seen *n)
{
    const struct api_endpoints *all = n->e->object->body;
    const struct api_endpoint_address *a = (const void *)n->e->spot.at;

    use(n, LEAF(a, "ip"));
    use_ref(n, a->target_ref);
    if (!a->target_ref || !str_eq(a->target_ref->kind, STR("Pod")))
        use(n, LEAF(n->e->object->meta, "labels"));
    for (size_t i = 0; i < all->subsets.n; i++) {
        const struct api_endpoint_subset *s = &all->subsets.v[i];
        bool is_ready = is_among(a, s->addresses.v, s->addresses.n);

        if (!is_ready && !is_among(a, s->not_ready_addresses.v, s->not_ready_addresses.n))
            continue;
        use_numbered(n, s->ports.v, s->ports.n);
        use_readiness(n, is_ready);
    }
}

/* ---- what a selector finds ---- */

/* How the number of the port was found. */
static void use_target(const struct seen *n, const struct api_pod_spec *spec)
{
    struct str name = n->port->target.text;

    use_port_field(n, "targetPort");
    for (size_t i = 0; str_is_set(name) && spec && i < spec->containers.n; i++)
        for (size_t k = 0; k < spec->containers.v[i].ports.n; k++) {
            const struct api_container_port *p = &spec->containers.v[i].ports.v[k];

            if (!str_eq(p->name, name))
                continue;
            use(n, LEAF(p, "name"));
            use(n, LEAF(p, "containerPort"));
            return;
        }
}

static void use_selector(const struct seen *n)
{
    const struct api_serviceentry *se = n->s->object->body;

    if (n->spec)
        use_of_service(n, LEAF(n->spec, "selector"));
    else if (se->workload_selector)
        use_of_service(n, LEAF(se->workload_selector, "labels"));
}

static void use_pod(const struct seen *n)
{
    const struct api_pod *pod = n->e->object->body;
    bool is_ready = true;

    use_selector(n);
    use(n, LEAF(n->e->object->meta, "labels"));
    use(n, LEAF(pod->status, "podIP"));
    use_target(n, n->spec ? pod->spec : NULL);
    if (n->spec)
        use(n, LEAF(pod->status, "phase"));
    for (size_t i = 0; i < pod->status->conditions.n; i++) {
        const struct api_pod_condition *cond = &pod->status->conditions.v[i];

        if (!str_eq(cond->type, STR("Ready")))
            continue;
        is_ready = str_eq(cond->status, STR("True"));
        if (!n->spec || !n->spec->publish_not_ready_addresses.v)
            use(n, LEAF(cond, "status"));
        if (!is_ready && (!n->spec || !n->spec->publish_not_ready_addresses.v))
            use(n, LEAF(cond, "type"));
        break;
    }
    use_readiness(n, is_ready);
}

static void use_entry(const struct seen *n)
{
    static const char *const fields[] = { "address", "labels", "locality", "weight" };
    const struct api_workloadentry *w = (const void *)n->e->spot.at;
    struct str by = str_is_set(n->port->target.text) ? n->port->target.text : n->port->name;
    bool is_named = false;

    for (size_t i = 0; i < LEN(fields); i++)
        use(n, LEAF(w, fields[i]));
    for (size_t i = 0; by.n && i < w->ports.n; i++)
        is_named |= str_eq(w->ports.v[i].key, by);
    if (is_named)
        use(n, LEAF(w, "ports"));
    if (is_named && !str_is_set(n->port->target.text) && n->e->object != n->s->object)
        use_port_field(n, "name");
    if (!is_named || str_is_set(n->port->target.text))
        use_port_field(n, "targetPort");
    if (n->e->object != n->s->object)
        use_selector(n);
}

/* The ServiceEntry itself, or one beside a Service of its host. */
static void use_inline_entry(const struct seen *n)
{
    const struct api_serviceentry *se = n->e->object->body;

    use_entry(n);
    if (!n->spec)
        return;
    use(n, LEAF(se, "hosts"));
    for (size_t i = 0; i < se->ports.n; i++)
        if (se->ports.v[i].number.v == (int64_t)n->port->number) {
            use(n, LEAF(&se->ports.v[i], "number"));
            if (n->e->addr.port == se->ports.v[i].target_port.v)
                use(n, LEAF(&se->ports.v[i], "targetPort"));
        }
}

/* --dev plays it. */
static void use_workload(const struct seen *n)
{
    const struct api_pod_template *t = (const void *)n->e->spot.at;

    use_selector(n);
    use_target(n, t->spec);
    use(n, LEAF(t->metadata, "labels"));
    if (!str_eq(n->e->object->kind->kind, STR("DaemonSet"))) {
        const struct api_deployment *d = n->e->object->body;

        use(n, LEAF(d, "replicas")); /* a StatefulSet's body begins as a Deployment's */
    }
}

static const struct {
    struct str kind;
    void (*use)(const struct seen *n);
} kinds[] = {
    { STR_INIT("EndpointSlice"), use_slice },
    { STR_INIT("Endpoints"), use_address },
    { STR_INIT("Pod"), use_pod },
    { STR_INIT("WorkloadEntry"), use_entry },
    { STR_INIT("ServiceEntry"), use_inline_entry },
    { STR_INIT("Deployment"), use_workload },
    { STR_INIT("StatefulSet"), use_workload },
    { STR_INIT("DaemonSet"), use_workload },
};

/* An alias is played by the service whose name it gives. */
static const struct service *alias_of(const struct seen *n, const struct api_service *spec)
{
    use_of_service(n, LEAF(spec, "type"));
    use_of_service(n, LEAF(spec, "externalName"));
    return service_find(n->c, name_host(n->c->a, spec->external_name, n->s->namespace));
}

void uses_endpoint(struct compile *c, const struct service *s, const struct service_port *port,
                   const struct found_endpoint *e)
{
    struct seen n = { c, s, port, e, s->is_entry ? NULL : s->object->body };

    if (!c->trace)
        return;
    if (n.spec && n.spec->type.v == SVC_TYPE_EXTERNALNAME) {
        n.s = alias_of(&n, n.spec);
        n.port = n.s ? service_port_find(n.s, port->number) : NULL;
        if (!n.port)
            return;
        n.spec = n.s->is_entry ? NULL : n.s->object->body;
    }
    for (size_t i = 0; i < LEN(kinds); i++)
        if (str_eq(e->object->kind->kind, kinds[i].kind))
            kinds[i].use(&n);
    if (s->is_entry && e->object != s->object)
        use_of_service(&n, LEAF((const struct api_serviceentry *)s->object->body, "resolution"));
}
