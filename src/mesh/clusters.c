/*
 * mesh/clusters - a cluster for each service, port and subset, with its endpoints.
 *
 * Source: Istio's names "outbound|port|subset|host"; istio-api.md 1.4.1 (destination), 1.5;
 * observed.md, Resilience (no such host, subset or port: 503).
 */
#include "api/virtualservice.h"
#include "api/destinationrule.h"
#include "api/core.h"
#include "base/hash.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/uses.h"

#define BLACK_HOLE "BlackHoleCluster"

static struct str cluster_name(struct compile *c, uint32_t port, struct str subset, struct str host)
{
    return arena_printf(c->a, "outbound|%u|%.*s|%.*s", port, STRF(subset), STRF(host));
}

/* ---- compiling all of them ---- */

/* One service and port, with what is the same for its subsets. */
struct job {
    struct compile *c;
    struct service *s;
    const struct service_port *port;
    struct rule rule;
    const struct api_object *forbidden_by; /* NULL: nothing forbids */
    struct found found;
};

static struct cluster_ref *ref_new(struct service *s, uint32_t port, struct str subset)
{
    struct cluster_ref *ref;

    s->clusters = arena_grow(s->arena, s->clusters, s->cluster_count, &s->cluster_cap,
                             sizeof(*s->clusters));
    ref = &s->clusters[s->cluster_count++];
    *ref = (struct cluster_ref){ .port = port,
                                 .subset_name = arena_dup(s->arena, subset),
                                 .slot = SLOT_NONE,
                                 .hosts = SLOT_NONE };
    return ref;
}

static const struct cluster_ref *ref_find(const struct service *s, uint32_t port, struct str subset)
{
    for (size_t i = 0; s && i < s->cluster_count; i++)
        if (s->clusters[i].port == port && str_eq(s->clusters[i].subset_name, subset))
            return &s->clusters[i];
    return NULL;
}

/* What is spoken to the endpoints: HTTP/2 where the port says so (istio-api.md 3.3). */
static bool is_http2(struct str protocol)
{
    static const struct str words[] = { STR_INIT("HTTP2"), STR_INIT("GRPC"), STR_INIT("H2C"),
                                        STR_INIT("KUBERNETES.IO/H2C"), STR_INIT("GRPC-WEB") };

    for (size_t i = 0; i < LEN(words); i++) {
        if (str_eq(protocol, words[i]))
            return true;
    }
    return false;
}

static struct hosts *hosts_new(struct job *j, struct str name, const struct api_subset *subset)
{
    struct hosts *h = compile_part(j->c, PART_HOSTS, name);
    struct part *p = &h->part;
    uint32_t n = 0;

    part_origin(p, compile_origin(j->c, j->s->object, j->port->spot));
    h->cluster_name = arena_dup(p->arena, name);
    h->source = arena_dup(p->arena, j->found.source);
    ARRAY_COPY(p, h->endpoints, j->found.n);
    for (size_t i = 0; i < j->found.n; i++) {
        const struct found_endpoint *f = &j->found.v[i];

        if (subset && !labels_hold(f->labels, &subset->labels))
            continue;
        uses_endpoint(j->c, j->s, j->port, f);
        endpoint_fill(p, &h->endpoints.v[n++], f,
                      part_origin(p, compile_origin(j->c, f->object, f->spot)));
    }
    h->endpoints.n = n;
    /* Who has no endpoint of this subset still keeps other sources from being asked. */
    for (size_t i = 0; i < j->found.n && !n; i++)
        if (i == 0 || j->found.v[i].object != j->found.v[i - 1].object)
            part_origin(p, compile_origin(j->c, j->found.v[i].object, j->found.v[i].spot));
    return h;
}

/* What a route may see of a cluster: how it is, and whether somebody answers. */
static void digest_cluster(struct service *s, struct str name, slot_id slot, uint64_t how)
{
    s->digest = hash_mix(hash_mix(s->digest, hash_stable(name)), ((uint64_t)slot << 2) | how);
}

/* The rule in effect: without it another one might be. */
static void origin_rule(struct job *j, struct part *p, const struct rule_subset *rs)
{
    const struct api_object *o = j->rule.object;

    if (o && (!rs || rs->object != o))
        part_origin(p, compile_origin(j->c, o, SPOT(o->meta)));
}

static void cluster_make(struct job *j, const struct rule_subset *rs)
{
    struct compile *c = j->c;
    const struct api_subset *subset = rs ? rs->subset : NULL;
    struct str name = cluster_name(c, j->port->number, subset ? subset->name : STR(""), j->s->host);
    struct policy policy;
    struct cluster_ref *ref;
    struct cluster *k;
    struct hosts *h;

    policy_find(c, &j->rule, rs, j->port->number, &policy);
    uses_policy(c, &policy, j->port);
    ref = ref_new(j->s, j->port->number, subset ? subset->name : STR(""));
    if (j->forbidden_by) {
        ref->is_forbidden = true;
        ref->why = arena_printf(j->s->arena, "%.*s is broken, and it may ask for TLS",
                                STRF(compile_title(c, j->forbidden_by)))
                       .p;
        return;
    }
    if (policy.needs_tls) {
        digest_cluster(j->s, name, SLOT_NONE, 1);
        ref->why = "its DestinationRule asks for ISTIO_MUTUAL, which is not carried out yet";
        return;
    }
    uses_cluster(c, j->s, j->port, &j->found, rs);
    h = hosts_new(j, name, subset);
    ref->slot = slots_of(c->slots, PART_CLUSTER, name);
    ref->hosts = h->part.slot;
    ref->endpoints = h->endpoints.n;
    digest_cluster(j->s, name, ref->slot, ref->endpoints ? 2 : 3);
    k = compile_part(c, PART_CLUSTER, name);
    if (subset)
        part_origin(&k->part, compile_origin(c, rs->object, SPOT(subset)));
    else
        part_origin(&k->part, compile_origin(c, j->s->object, j->port->spot));
    origin_rule(j, &k->part, rs);
    k->hosts = h->part.slot;
    k->lb = policy.lb;
    k->http2 = is_http2(j->port->protocol) ||
               (policy.h2_upgrade && str_eq(j->port->protocol, STR("HTTP")));
    k->connect_ms = policy.connect_ms;
    k->idle_ms = policy.idle_ms;
    k->max_requests_per_connection = policy.max_requests;
    k->limits = policy.limits;
    k->service = (struct service_labels){ arena_dup(k->part.arena, j->s->host),
                                          arena_dup(k->part.arena, j->s->name),
                                          arena_dup(k->part.arena, j->s->namespace) };
    if (policy.tls && policy.tls->mode.v != CLIENT_TLS_DISABLE)
        client_tls_fill(c, j->s, &policy, k);
    j->s->usable++;
    j->s->endpoints += subset ? 0 : h->endpoints.n;
    compile_put_sure(c, &h->part);
    compile_put_sure(c, &k->part);
}

void clusters_compile(struct compile *c, struct service *s)
{
    struct job j = { .c = c, .s = s };

    rule_find(c, s, &j.rule);
    j.forbidden_by = forbidden_by(c, s, &j.rule);
    s->digest = hash_mix(memo_object(s->object), j.rule.object != NULL);
    if (j.forbidden_by)
        s->digest = hash_mix(s->digest, memo_object(j.forbidden_by));
    for (size_t i = 0; i < s->port_count; i++) {
        j.port = &s->ports[i];
        j.found = (struct found){ 0 };
        endpoints_find(c, s, j.port, &j.found);
        cluster_make(&j, NULL);
        for (size_t k = 0; k < j.rule.subset_count; k++)
            cluster_make(&j, &j.rule.subsets[k]);
    }
}

/* Where nothing goes; Istio has it in every dump. */
void clusters_black_hole(struct compile *c)
{
    struct cluster *k = compile_part(c, PART_CLUSTER, STR(BLACK_HOLE));

    part_origin(&k->part, (struct origin){ .kind = ORIGIN_DEFAULT });
    k->connect_ms = duration_ms(&c->config->connect_timeout, 10000);
    k->idle_ms = 3600000;
    compile_put_sure(c, &k->part);
}

/* ---- what a route means ---- */

static uint32_t destination_port(const struct service *s, const struct api_destination *d,
                                 uint16_t listener_port)
{
    if (d->port && d->port->number.set)
        return (uint32_t)d->port->number.v;
    return s && s->port_count == 1 ? s->ports[0].number : listener_port;
}

static void note_missing(struct compile *c, const struct api_object *vs,
                         const struct api_destination *d, const struct service *s, uint32_t port)
{
    struct rule rule;
    struct notes *notes = c->notes, unsaid; /* what finding the rule says was said before */

    notes_init(&unsaid, c->a);
    if (!s) {
        api_note(vs, c->notes, SEV_WARNING, "LAT0305", LEAF(d, "host"),
                 "there is no Service or ServiceEntry \"%.*s\": its requests are answered 503 NC",
                 STRF(name_host(c->a, d->host, vs->meta->namespace)));
        return;
    }
    if (!service_port_find(s, port)) {
        api_note(vs, c->notes, SEV_WARNING, "LAT0305", d->port ? LEAF(d, "port") : LEAF(d, "host"),
                 "%.*s has no port %u%s: its requests are answered 503 NC",
                 STRF(compile_title(c, s->object)), port, d->port ? "" : "; name one of its ports");
        return;
    }
    c->notes = &unsaid;
    rule_find(c, s, &rule);
    c->notes = notes;
    api_note(vs, c->notes, SEV_WARNING, "LAT0305", LEAF(d, "subset"),
             "no DestinationRule %s subset \"%.*s\" of %.*s: its requests are answered 503 NC",
             rule.object ? "in effect defines" : "defines", STRF(d->subset), STRF(s->host));
}

/* A destination that exists, yet has nobody to answer: said once a place. */
static void note_empty(struct compile *c, const struct service *s, const struct cluster_ref *ref)
{
    if (ref->endpoints)
        return;
    if (ref->subset_name.n)
        api_note(s->object, c->notes, SEV_WARNING, "LAT0305", SPOT(s->object->meta),
                 "no endpoint has the labels of subset \"%.*s\": its requests are answered 503 UH",
                 STRF(ref->subset_name));
    else
        api_note(s->object, c->notes, SEV_WARNING, "LAT0305", SPOT(s->object->meta),
                 "there are no endpoints: its requests are answered 503 UH");
}

/* For a route: all that it can see of it is one input. */
static const struct service *service_seen(struct compile *c, struct str host)
{
    if (c->reading)
        inputs_add(&c->m->inputs, c->reading, INPUT_HOST,
                   input_of(INPUT_HOST, 0, host, STR_NONE, STR_NONE));
    return map_get(&c->reg->services, host);
}

slot_id cluster_for(struct compile *c, const struct api_object *vs, const struct api_destination *d,
                    uint16_t listener_port, struct str *ret_name)
{
    struct str host = name_host(c->a, d->host, vs->meta->namespace);
    const struct service *s = service_seen(c, host);
    uint32_t port = destination_port(s, d, listener_port);
    const struct cluster_ref *ref = ref_find(s, port, d->subset);

    *ret_name = cluster_name(c, port, d->subset, host);
    if (!ref) {
        note_missing(c, vs, d, s, port);
        return SLOT_NONE;
    }
    if (ref->is_forbidden) {
        api_note(vs, c->notes, SEV_WARNING, "LAT0308", LEAF(d, "host"),
                 "%s: its requests are answered 503 NC until it is mended", ref->why);
        return SLOT_NONE;
    }
    if (ref->why) {
        compile_unsupported(c, vs, LEAF(d, "host"), "%s: its requests are answered 503 NC",
                            ref->why);
        return SLOT_NONE;
    }
    note_empty(c, s, ref);
    return ref->slot;
}
