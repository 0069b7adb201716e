/*
 * mesh/workloads - `--dev`: Deployments, StatefulSets and DaemonSets played by stand-ins.
 *
 * Source: surface.md 2.2. A workload whose Service has no other endpoints gets one endpoint a
 * replica; the program starts what is asked for and says where it is.
 */
#include "api/workload.h"
#include "mesh/compile.h"
#include "mesh/lookup.h"

/* What the three kinds have in common. */
struct workload {
    const struct api_object *object;
    const struct api_pod_template *template;
    uint32_t replicas;
};

static bool workload_of(const struct api_object *o, enum object_kind kind, struct workload *ret)
{
    const struct api_deployment *d = o->body;
    const struct api_statefulset *s = o->body;
    const struct api_daemonset *ds = o->body;
    const struct opt_int *replicas = kind == OBJ_DEPLOYMENT     ? &d->replicas
                                     : kind == OBJ_STATEFUL_SET ? &s->replicas
                                                                : NULL;

    ret->object = o;
    ret->template = kind == OBJ_DEPLOYMENT     ? d->template
                    : kind == OBJ_STATEFUL_SET ? s->template
                                               : ds->template;
    ret->replicas = replicas && replicas->set ? (uint32_t)MAX(replicas->v, 0) : 1;
    return ret->template && ret->template->metadata;
}

static struct str version_of(const struct str_map *labels)
{
    struct str v = api_map_get(labels, STR("version"));

    return v.n ? v : api_map_get(labels, STR("app.kubernetes.io/version"));
}

static void remember(struct compile *c, const struct mesh_workload *w)
{
    struct str key = arena_printf(c->whole, "%.*s/%.*s/%.*s", STRF(w->kind), STRF(w->namespace),
                                  STRF(w->name));
    struct mesh_summary *sum = c->sum;

    if (map_put(&c->stand_ins, key, c))
        return;
    sum->stand_ins = arena_grow(c->whole, sum->stand_ins, sum->stand_in_count, &c->stand_in_cap,
                                sizeof(*sum->stand_ins));
    sum->stand_ins[sum->stand_in_count++] = (struct mesh_stand_in){ w->kind, w->namespace, w->name,
                                                                    w->version, w->replicas };
}

static void play(struct compile *c, const struct workload *w, const struct service_port *port,
                 struct found *f)
{
    const struct mesh_hooks *h = &c->o->hooks;
    struct mesh_workload mw = { .kind = w->object->kind->kind,
                                .namespace = w->object->meta->namespace,
                                .name = w->object->meta->name,
                                .version = version_of(&w->template->metadata->labels),
                                .labels = &w->template->metadata->labels,
                                .replicas = w->replicas };
    uint16_t number = (uint16_t)(port->target.v ? port->target.v : port->number);

    if (str_is_set(port->target.text) &&
        !container_port(w->template->spec, port->target.text, &number)) {
        api_note(w->object, c->notes, SEV_WARNING, "LAT0305", SPOT(w->template),
                 "no container port is named \"%.*s\", which the Service has as targetPort: it is "
                 "no endpoint of it",
                 STRF(port->target.text));
        return;
    }
    remember(c, &mw);
    for (uint32_t i = 0; i < w->replicas; i++) {
        struct found_endpoint *e;
        struct addr addr;

        if (!h->stand_in(h->arg, &mw, i, number, &addr))
            continue;
        e = found_add(c, f);
        e->addr = addr;
        e->labels = mw.labels;
        e->workload = mw.name;
        e->namespace = mw.namespace;
        e->object = w->object;
        e->spot = SPOT(w->template);
    }
}

void stand_ins_find(struct compile *c, const struct service *s, const struct service_port *port,
                    struct found *f)
{
    static const enum object_kind kinds[] = { OBJ_DEPLOYMENT, OBJ_STATEFUL_SET, OBJ_DAEMON_SET };
    const struct api_service *spec = s->object->body;

    if (!c->o->dev || !c->o->hooks.stand_in)
        return;
    if (c->reading && c->reading->is_service) { /* the program counts who still wants them */
        struct service *asking = CONTAINER_OF(c->reading, struct service, reader);

        list_remove(&asking->plays);
        list_push_back(&c->reg->playing, &asking->plays);
    }
    f->source = STR("stand-in");
    for (size_t k = 0; k < LEN(kinds); k++) {
        const struct object_list *list = lookup_labelled(c, kinds[k], s->namespace,
                                                         &spec->selector);

        for (size_t i = 0; i < list->n; i++) {
            struct workload w;

            if (str_eq(list->v[i]->meta->namespace, s->namespace) &&
                workload_of(list->v[i], kinds[k], &w) &&
                labels_hold(&w.template->metadata->labels, &spec->selector))
                play(c, &w, port, f);
        }
    }
}
