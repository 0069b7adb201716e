#include "api/check.h"
#include "api/serviceentry.h"

#include "base/addr.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))
#define LIST_MAX 256
#define ENDPOINTS_MAX 4096

static bool is_unix(struct str address)
{
    return str_starts(address, STR("unix://"));
}

static bool is_ip(struct str s)
{
    struct addr addr;

    return addr_parse_ip(s, &addr);
}

static void check_locality_text(struct api_checker *c, const struct api_workloadentry *w)
{
    struct str rest = w->locality;
    size_t parts = 0;

    while (rest.n && str_is_set(rest)) {
        parts++;
        if (str_cut(&rest, '/').n == 0)
            parts = 4;
    }
    if (parts > 3)
        api_error(c, LEAF(w, "locality"), "\"%.*s\" is no locality: write region/zone/subzone",
                  SHOW(w->locality));
}

static void check_address(struct api_checker *c, const struct api_workloadentry *w)
{
    struct buf why;

    if (w->address.n == 0) {
        if (w->network.n)
            api_warn(c, SPOT(w), "no address: reachable through the gateway of its network only");
        else
            api_error(c, SPOT(w), "no address: set address, or network");
        return;
    }
    buf_init(&why, 512);
    if (is_unix(w->address)) {
        if (w->ports.n)
            api_error(c, LEAF(w, "ports"), "a Unix socket has no ports: remove them");
        if (!str_starts(w->address, STR("unix:///")) && !str_starts(w->address, STR("unix://@")))
            api_error(c, LEAF(w, "address"), "a socket's path is absolute: unix:///path");
    } else if (!is_ip(w->address) && !api_check_fqdn(w->address, &why)) {
        api_error(c, LEAF(w, "address"),
                  "\"%.*s\" is neither an IP address, nor a name, nor unix:///path (a port stands "
                  "under ports)",
                  SHOW(w->address));
    }
    buf_fini(&why);
}

static void check_entry(struct api_checker *c, const struct api_workloadentry *w)
{
    struct buf why;

    check_address(c, w);
    check_locality_text(c, w);
    for (size_t i = 0; i < w->ports.n; i++) {
        buf_init(&why, 512);
        if (w->ports.v[i].key.n == 0 || !api_check_dns_label(w->ports.v[i].key, &why))
            api_error(c, KEYED(w, "ports", w->ports.v[i].key), "no port name: use a DNS label");
        buf_fini(&why);
    }
}

void api_check_workloadentry(struct api_checker *c, const void *body)
{
    check_entry(c, body);
}

static bool is_http_or_tls(struct str protocol)
{
    static const char *const names[] = { "HTTP",       "HTTP2", "GRPC", "GRPC-WEB",
                                         "HTTP_PROXY", "HTTPS", "TLS" };

    for (size_t i = 0; i < LEN(names); i++)
        if (str_eq_nocase(protocol, str_of(names[i])))
            return true;
    return false;
}

static void check_hosts(struct api_checker *c, const struct api_serviceentry *s)
{
    for (size_t i = 0; i < s->hosts.n; i++) {
        struct str host = s->hosts.v[i];
        struct buf why;

        buf_init(&why, 512);
        if (str_eq(host, STR("*")))
            api_error(c, ITEM(s, "hosts", i),
                      "\"*\" alone names no service: write a name or *.name");
        else if (!api_check_wildcard_fqdn(host, &why))
            api_error(c, ITEM(s, "hosts", i), "%.*s", STRF(buf_str(&why)));
        buf_fini(&why);
    }
}

static void check_addresses(struct api_checker *c, const struct api_serviceentry *s)
{
    bool by_name = s->resolution.v == SE_RESOLUTION_DNS ||
                   s->resolution.v == SE_RESOLUTION_DNS_ROUND_ROBIN;

    for (size_t i = 0; i < s->addresses.n; i++) {
        struct buf why;

        buf_init(&why, 512);
        if (!api_check_cidr(s->addresses.v[i], &why))
            api_error(c, ITEM(s, "addresses", i), "%.*s", STRF(buf_str(&why)));
        else if (by_name && str_find(s->addresses.v[i], '/') < s->addresses.v[i].n)
            api_error(c, ITEM(s, "addresses", i),
                      "a CIDR cannot stand with resolution DNS: write one address");
        buf_fini(&why);
    }
}

static void check_ports(struct api_checker *c, const struct api_serviceentry *s)
{
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct api_se_port *p = &s->ports.v[i];
        struct buf why;

        buf_init(&why, 512);
        if (!api_check_dns_label(p->name, &why))
            api_error(c, LEAF(p, "name"), "%.*s", STRF(buf_str(&why)));
        buf_fini(&why);
        for (size_t k = 0; k < i; k++) {
            if (p->name.n && str_eq(p->name, s->ports.v[k].name))
                api_error(c, LEAF(p, "name"), "\"%.*s\" is the name of ports[%zu] too: rename one",
                          SHOW(p->name), k);
            if (p->number.set && p->number.v == s->ports.v[k].number.v)
                api_error(c, LEAF(p, "number"), "%lld is the number of ports[%zu] too: remove one",
                          (long long)p->number.v, k);
        }
    }
}

static bool has_port_name(const struct api_serviceentry *s, struct str name)
{
    for (size_t i = 0; i < s->ports.n; i++)
        if (str_eq(s->ports.v[i].name, name))
            return true;
    return false;
}

static void check_endpoint(struct api_checker *c, const struct api_serviceentry *s,
                           const struct api_workloadentry *w)
{
    bool is_static = s->resolution.v == SE_RESOLUTION_STATIC;

    check_entry(c, w);
    if (is_static && w->address.n && !is_ip(w->address) && !is_unix(w->address))
        api_error(c, LEAF(w, "address"),
                  "with resolution STATIC \"%.*s\" must be an IP address or unix:///path",
                  SHOW(w->address));
    if (!is_static && is_unix(w->address))
        api_error(c, LEAF(w, "address"), "a Unix socket needs resolution STATIC");
    if (is_unix(w->address) && s->ports.n != 1)
        api_error(c, LEAF(w, "address"),
                  "a Unix socket needs exactly one port in the ServiceEntry");
    for (size_t i = 0; i < w->ports.n; i++)
        if (!has_port_name(s, w->ports.v[i].key))
            api_error(c, KEYED(w, "ports", w->ports.v[i].key),
                      "no port of the ServiceEntry has this name: use one of spec.ports[].name");
}

static void check_none(struct api_checker *c, const struct api_serviceentry *s)
{
    if (s->endpoints.n)
        api_error(c, LEAF(s, "endpoints"),
                  "resolution NONE takes no endpoints: set resolution, or remove them");
    if (s->workload_selector)
        api_warn(c, LEAF(s, "workloadSelector"), "is not used with resolution NONE");
}

static void check_dns(struct api_checker *c, const struct api_serviceentry *s)
{
    for (size_t i = 0; i < s->hosts.n && !s->endpoints.n && !s->workload_selector; i++)
        if (str_starts(s->hosts.v[i], STR("*")))
            api_error(c, ITEM(s, "hosts", i),
                      "a wildcard cannot be resolved: name endpoints, or use resolution NONE");
    if (s->resolution.v == SE_RESOLUTION_DNS_ROUND_ROBIN && s->endpoints.n > 1)
        api_error(c, LEAF(s, "endpoints"), "DNS_ROUND_ROBIN takes one endpoint: remove the others");
}

static void check_dynamic(struct api_checker *c, const struct api_serviceentry *s)
{
    static const char *const protocols[] = { "HTTP", "HTTP2", "GRPC", "TLS" };

    for (size_t i = 0; i < s->hosts.n; i++)
        if (!str_starts(s->hosts.v[i], STR("*")))
            api_error(c, ITEM(s, "hosts", i),
                      "resolution DYNAMIC_DNS is for wildcards: write *.name");
    if (s->addresses.n)
        api_error(c, LEAF(s, "addresses"), "cannot stand with resolution DYNAMIC_DNS: remove them");
    if (s->endpoints.n)
        api_error(c, LEAF(s, "endpoints"), "cannot stand with resolution DYNAMIC_DNS: remove them");
    for (size_t i = 0; i < s->ports.n; i++) {
        bool known = false;

        for (size_t k = 0; k < LEN(protocols); k++)
            known |= str_eq_nocase(s->ports.v[i].protocol, str_of(protocols[k]));
        if (!known)
            api_error(c, LEAF(&s->ports.v[i], "protocol"),
                      "resolution DYNAMIC_DNS takes HTTP, HTTP2, GRPC and TLS only");
    }
}

static bool is_opaque(struct str protocol)
{
    return protocol.n == 0 || str_eq_nocase(protocol, STR("TCP"));
}

/* Connections of a port without a host name in them are told apart by address only. */
static void check_tellable(struct api_checker *c, const struct api_serviceentry *s)
{
    bool none = s->resolution.v == SE_RESOLUTION_NONE;
    struct str off = api_map_get(&c->o->meta->labels,
                                 STR("networking.istio.io/enable-autoallocate-ip"));
    bool allocated = !none && !str_eq(off, STR("false"));

    for (size_t i = 0; i < s->ports.n; i++) {
        const struct api_se_port *p = &s->ports.v[i];

        if (s->hosts.n > 1 && !none && !is_http_or_tls(p->protocol))
            api_error(c, p->protocol.n ? LEAF(p, "protocol") : SPOT(p),
                      "with several hosts the protocol must be HTTP, HTTP2, GRPC, HTTPS or TLS: "
                      "make one ServiceEntry of each host");
        else if (is_opaque(p->protocol) && !s->addresses.n && !allocated)
            api_warn(c, SPOT(p), "without addresses this port takes all traffic to port %lld",
                     (long long)p->number.v);
    }
}

static void check_counts(struct api_checker *c, const struct api_serviceentry *s)
{
    const struct {
        const char *name;
        size_t n, max;
    } lists[] = { { "hosts", s->hosts.n, LIST_MAX },
                  { "addresses", s->addresses.n, LIST_MAX },
                  { "ports", s->ports.n, LIST_MAX },
                  { "endpoints", s->endpoints.n, ENDPOINTS_MAX } };

    for (size_t i = 0; i < LEN(lists); i++)
        if (lists[i].n > lists[i].max)
            api_error(c, LEAF(s, lists[i].name), "has %zu items, at most %zu are allowed",
                      lists[i].n, lists[i].max);
}

void api_check_serviceentry(struct api_checker *c, const void *body)
{
    const struct api_serviceentry *s = body;

    check_counts(c, s);
    check_hosts(c, s);
    check_addresses(c, s);
    check_ports(c, s);
    if (s->workload_selector && s->endpoints.n)
        api_error(c, LEAF(s, "workloadSelector"), "cannot stand with endpoints: remove one");
    if (s->workload_selector && !s->workload_selector->labels.n)
        api_warn(c, LEAF(s, "workloadSelector"), "selects every workload: name labels");
    for (size_t i = 0; i < s->endpoints.n; i++)
        check_endpoint(c, s, &s->endpoints.v[i]);
    if (s->resolution.v == SE_RESOLUTION_NONE)
        check_none(c, s);
    if (s->resolution.v == SE_RESOLUTION_DNS || s->resolution.v == SE_RESOLUTION_DNS_ROUND_ROBIN)
        check_dns(c, s);
    if (s->resolution.v == SE_RESOLUTION_DYNAMIC_DNS)
        check_dynamic(c, s);
    check_tellable(c, s);
    api_check_export_to(c, &s->at, &s->export_to, true);
}
