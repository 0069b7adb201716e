#include "api/check.h"
#include "api/check_route.h"
#include "api/virtualservice.h"

#include "base/addr.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))

static bool is_mesh_bound(const struct str_list *gateways)
{
    for (size_t i = 0; i < gateways->n; i++)
        if (str_eq(gateways->v[i], STR("mesh")))
            return true;
    return gateways->n == 0;
}

/* Does the wildcard or name `a` cover `b`? */
static bool host_covers(struct str a, struct str b)
{
    if (str_eq(a, b) || str_eq(a, STR("*")))
        return true;
    return str_starts(a, STR("*.")) && str_ends(b, str_from(a, 1)) && b.n > a.n - 1;
}

static void check_host(struct api_checker *c, const struct api_virtualservice *vs, size_t i)
{
    struct str host = vs->hosts.v[i];
    struct addr addr;
    struct buf why;

    if (str_eq(host, STR("*")) && is_mesh_bound(&vs->gateways)) {
        api_error(c, ITEM(vs, "hosts", i),
                  "\"*\" cannot be bound to the mesh: name a gateway in gateways, or a host");
        return;
    }
    if (addr_parse_ip(host, &addr) ||
        (!is_mesh_bound(&vs->gateways) && str_starts(host, STR("outbound_."))))
        return;
    buf_init(&why, 512);
    if (!api_check_wildcard_fqdn(host, &why))
        api_error(c, ITEM(vs, "hosts", i), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    for (size_t k = 0; k < i; k++) {
        if (!host_covers(vs->hosts.v[k], host) && !host_covers(host, vs->hosts.v[k]))
            continue;
        api_error(c, ITEM(vs, "hosts", i), "\"%.*s\" %s \"%.*s\" (hosts[%zu]): remove one",
                  SHOW(host), str_eq(host, vs->hosts.v[k]) ? "is the same as" : "overlaps with",
                  SHOW(vs->hosts.v[k]), k);
        return;
    }
}

/* mesh, name, namespace/name, or name.namespace.svc.cluster.local. */
static void check_gateways(struct api_checker *c, const struct api_at *at,
                           const struct str_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct str name = list->v[i];
        size_t slash = str_find(name, '/');
        struct api_spot spot = { at, "gateways", (int64_t)i, STR_NONE, false };
        struct str ns = str_sub(name, 0, slash);
        struct buf why;

        buf_init(&why, 512);
        if (slash == name.n) {
            if (!api_check_fqdn(name, &why))
                api_error(c, spot, "\"%.*s\" is no gateway: write name or namespace/name",
                          SHOW(name));
        } else if (ns.n == 0 || !api_check_dns_label(ns, &why)) {
            api_error(c, spot, "\"%.*s\" is no namespace%s", SHOW(ns),
                      str_eq(ns, STR(".")) ? ": for the own one write just the name"
                                           : ": write namespace/name");
        } else if (slash + 1 == name.n || !api_check_dns_label(str_from(name, slash + 1), &why)) {
            api_error(c, spot, "\"%.*s\" is no gateway name: write namespace/name", SHOW(name));
        }
        buf_fini(&why);
    }
}

static void check_delegate(struct api_checker *c, const struct api_virtualservice *vs)
{
    const struct {
        const char *name;
        size_t n;
    } fields[] = { { "gateways", vs->gateways.n }, { "tls", vs->tls.n }, { "tcp", vs->tcp.n } };

    for (size_t i = 0; i < LEN(fields); i++)
        if (fields[i].n)
            api_error(c, LEAF(vs, fields[i].name),
                      "a VirtualService without hosts is a delegate and has no %s: add hosts, or "
                      "remove this",
                      fields[i].name);
}

void api_check_destination(struct api_checker *c, const struct api_destination *d)
{
    struct buf why;

    if (!d || d->host.n == 0)
        return;
    buf_init(&why, 512);
    if (str_eq(d->host, STR("*")))
        api_error(c, LEAF(d, "host"), "\"*\" names no service: write its name");
    else if (!api_check_wildcard_fqdn(d->host, &why))
        api_error(c, LEAF(d, "host"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    if (d->port && d->port->number.v == 0)
        api_error(c, LEAF(d->port, "number"), "a destination's port is 1 to 65535: write it");
}

/* Shares of destinations: none below 0, and not all 0 where there are several. */
void api_check_weights(struct api_checker *c, const struct api_at *rule, size_t n, int64_t total)
{
    if (n > 1 && total == 0)
        api_error(c, (struct api_spot){ rule, "route", -1, STR_NONE, false },
                  "the weights of %zu destinations sum to 0, so none would get a request: give "
                  "each a weight",
                  n);
}

static void check_l4_route(struct api_checker *c, const struct api_at *rule,
                           const struct api_route_destination *v, size_t n)
{
    int64_t total = 0;

    for (size_t i = 0; i < n; i++) {
        api_check_destination(c, v[i].destination);
        if (v[i].weight.v < 0)
            api_error(c, LEAF(&v[i], "weight"), "must not be negative");
        total += v[i].weight.v;
    }
    api_check_weights(c, rule, n, total);
}

static void check_sni(struct api_checker *c, const struct api_virtualservice *vs,
                      const struct api_tls_match *m, size_t i)
{
    struct str sni = m->sni_hosts.v[i];
    struct addr addr;
    struct buf why;
    bool covered = false;

    if (addr_parse_ip(sni, &addr)) {
        api_warn(c, ITEM(m, "sniHosts", i), "clients do not send an IP address as server name");
        return;
    }
    buf_init(&why, 512);
    if (!api_check_wildcard_fqdn(sni, &why))
        api_error(c, ITEM(m, "sniHosts", i), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    for (size_t k = 0; k < vs->hosts.n; k++)
        covered |= host_covers(vs->hosts.v[k], sni);
    if (!covered && vs->hosts.n)
        api_error(c, ITEM(m, "sniHosts", i),
                  "\"%.*s\" is not covered by any of spec.hosts: add it there", SHOW(sni));
}

static void check_tls_route(struct api_checker *c, const struct api_virtualservice *vs,
                            const struct api_tls_route *r)
{
    for (size_t i = 0; i < r->match.n; i++) {
        check_gateways(c, &r->match.v[i].at, &r->match.v[i].gateways);
        for (size_t k = 0; k < r->match.v[i].sni_hosts.n; k++)
            check_sni(c, vs, &r->match.v[i], k);
    }
    check_l4_route(c, &r->at, r->route.v, r->route.n);
}

static void check_tcp_route(struct api_checker *c, const struct api_tcp_route *r)
{
    if (r->route.n == 0)
        api_error(c, LEAF(r, "route"), "is required: name a destination");
    for (size_t i = 0; i < r->match.n; i++)
        check_gateways(c, &r->match.v[i].at, &r->match.v[i].gateways);
    check_l4_route(c, &r->at, r->route.v, r->route.n);
}

void api_check_virtualservice(struct api_checker *c, const void *body)
{
    const struct api_virtualservice *vs = body;

    for (size_t i = 0; i < vs->hosts.n; i++)
        check_host(c, vs, i);
    if (vs->hosts.n == 0)
        check_delegate(c, vs);
    if (!vs->http.n && !vs->tls.n && !vs->tcp.n)
        api_error(c, SPOT(vs), "no rules: set http, tls or tcp");
    check_gateways(c, &vs->at, &vs->gateways);
    api_check_http_routes(c, vs);
    for (size_t i = 0; i < vs->http.n; i++)
        for (size_t k = 0; k < vs->http.v[i].match.n; k++)
            check_gateways(c, &vs->http.v[i].match.v[k].at, &vs->http.v[i].match.v[k].gateways);
    for (size_t i = 0; i < vs->tls.n; i++)
        check_tls_route(c, vs, &vs->tls.v[i]);
    for (size_t i = 0; i < vs->tcp.n; i++)
        check_tcp_route(c, &vs->tcp.v[i]);
    api_check_export_to(c, &vs->at, &vs->export_to, false);
}
