#include "api/check.h"
#include "api/core.h"
#include "api/workload.h"

#include "base/addr.h"

#include <ctype.h>

#define SHOW(s) STRF(str_sub(s, 0, 80))

/* IANA service name: a letter is needed, so '8080' is refused (istio-api.md 8.1). */
static bool is_port_name(struct str s)
{
    bool letter = false;

    for (size_t i = 0; i < s.n; i++) {
        letter |= islower((unsigned char)s.p[i]) != 0;
        if (!islower((unsigned char)s.p[i]) && !isdigit((unsigned char)s.p[i]) && s.p[i] != '-')
            return false;
    }
    return letter && s.n <= 15 && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

static void check_target_port(struct api_checker *c, const struct api_service_port *p)
{
    const struct int_or_str *t = &p->target_port;
    int64_t number;

    if (!t->set)
        return;
    if (!str_is_set(t->text)) {
        if (t->v < 1 || t->v > 65535)
            api_error(c, LEAF(p, "targetPort"), "%lld is no port: write 1 to 65535",
                      (long long)t->v);
        return;
    }
    if (is_port_name(t->text))
        return;
    number = 0;
    for (size_t i = 0; i < t->text.n; i++)
        number += !isdigit((unsigned char)t->text.p[i]);
    if (number == 0 && t->text.n)
        api_error(c, LEAF(p, "targetPort"),
                  "\"%.*s\" is a string of digits: remove the quotes, %.*s", SHOW(t->text),
                  SHOW(t->text));
    else
        api_error(c, LEAF(p, "targetPort"),
                  "\"%.*s\" is no port name: use at most 15 lower-case letters, digits and -",
                  SHOW(t->text));
}

static void check_service_port(struct api_checker *c, const struct api_service *s, size_t i)
{
    const struct api_service_port *p = &s->ports.v[i];

    check_target_port(c, p);
    if (s->ports.n > 1 && p->name.n == 0)
        api_error(c, SPOT(p), "needs a name, as the Service has several ports");
    for (size_t k = 0; k < i; k++) {
        const struct api_service_port *other = &s->ports.v[k];

        if (p->name.n && str_eq(p->name, other->name))
            api_error(c, LEAF(p, "name"), "\"%.*s\" is the name of ports[%zu] too: rename one",
                      SHOW(p->name), k);
        if (p->port.set && p->port.v == other->port.v && p->protocol.v == other->protocol.v)
            api_error(c, LEAF(p, "port"), "%lld is the port of ports[%zu] too: remove one",
                      (long long)p->port.v, k);
    }
}

void api_check_service(struct api_checker *c, const void *body)
{
    const struct api_service *s = body;
    bool headless = str_eq(s->cluster_ip, STR("None"));
    struct addr addr;
    struct buf why;

    for (size_t i = 0; i < s->ports.n; i++)
        check_service_port(c, s, i);
    if (!s->ports.n && !headless && s->type.v != SVC_TYPE_EXTERNALNAME)
        api_error(c, LEAF(s, "ports"), "is required: name a port");
    if (s->cluster_ip.n && !headless && !addr_parse_ip(s->cluster_ip, &addr))
        api_error(c, LEAF(s, "clusterIP"), "\"%.*s\" is neither an IP address nor None",
                  SHOW(s->cluster_ip));
    if (s->type.v != SVC_TYPE_EXTERNALNAME)
        return;
    buf_init(&why, 512);
    if (s->external_name.n == 0)
        api_error(c, LEAF(s, "externalName"), "is required for type ExternalName");
    else if (!api_check_fqdn(s->external_name, &why))
        api_error(c, LEAF(s, "externalName"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
}

void api_check_endpointslice(struct api_checker *c, const void *body)
{
    const struct api_endpointslice *s = body;

    for (size_t i = 0; i < s->endpoints.n; i++) {
        const struct api_slice_endpoint *e = &s->endpoints.v[i];

        for (size_t k = 0; k < e->addresses.n; k++) {
            struct addr addr = { 0 };
            int want = s->address_type.v == SLICE_TYPE_IPV4 ? 4 : 6;

            if (s->address_type.v != SLICE_TYPE_FQDN &&
                (!addr_parse_ip(e->addresses.v[k], &addr) || addr.family != want))
                api_error(c, ITEM(e, "addresses", k), "\"%.*s\" is no IPv%d address",
                          SHOW(e->addresses.v[k]), want);
        }
    }
    if (!str_is_set(api_map_get(&c->o->meta->labels, STR("kubernetes.io/service-name"))))
        api_warn(c, SPOT(c->o->meta),
                 "belongs to no Service: set the label kubernetes.io/service-name");
}

void api_check_pod(struct api_checker *c, const void *body)
{
    const struct api_pod *p = body;
    struct addr addr;

    if (p->status && p->status->pod_ip.n && !addr_parse_ip(p->status->pod_ip, &addr))
        api_error(c, LEAF(p->status, "podIP"), "\"%.*s\" is no IP address",
                  SHOW(p->status->pod_ip));
}

/* The API server refuses a workload that does not select its own pods. */
static void check_workload(struct api_checker *c, const struct api_at *at,
                           const struct api_label_selector *s, const struct api_pod_template *t)
{
    struct api_spot spot = { at, "selector", -1, STR_NONE, false };

    if (!s || (!s->match_labels.n && !s->match_expressions)) {
        api_error(c, spot, "is required: repeat the labels of the template");
        return;
    }
    for (size_t i = 0; t && i < s->match_labels.n; i++) {
        const struct str_entry *want = &s->match_labels.v[i];
        struct str got = t->metadata ? api_map_get(&t->metadata->labels, want->key) : STR_NONE;

        if (!str_is_set(got))
            api_error(c, KEYED(s, "matchLabels", want->key),
                      "the pods would not be selected: template.metadata.labels has no such label");
        else if (!str_eq(got, want->value))
            api_error(c, KEYED(s, "matchLabels", want->key),
                      "the pods would not be selected: template.metadata.labels says \"%.*s\"",
                      SHOW(got));
    }
}

void api_check_deployment(struct api_checker *c, const void *body)
{
    const struct api_deployment *d = body;

    check_workload(c, &d->at, d->selector, d->template);
}

void api_check_statefulset(struct api_checker *c, const void *body)
{
    const struct api_statefulset *s = body;

    check_workload(c, &s->at, s->selector, s->template);
}

void api_check_daemonset(struct api_checker *c, const void *body)
{
    const struct api_daemonset *d = body;

    check_workload(c, &d->at, d->selector, d->template);
}
