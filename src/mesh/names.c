#include "mesh/names.h"

#include "base/addr.h"

struct str name_lower(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    p[s.n] = 0;
    return str_make(p, s.n);
}

struct str name_host(struct arena *a, struct str host, struct str namespace)
{
    struct addr ip;

    if (!host.n || host.p[0] == '*' || str_find(host, '.') < host.n || addr_parse_ip(host, &ip))
        return name_lower(a, host);
    return name_lower(
        a, arena_printf(a, "%.*s.%.*s.svc." CLUSTER_DOMAIN, STRF(host), STRF(namespace)));
}

static bool is_wildcard(struct str host)
{
    return host.n && host.p[0] == '*';
}

bool name_is_subset(struct str a, struct str b)
{
    struct str tail;

    if (!is_wildcard(b))
        return str_eq(a, b);
    tail = str_from(b, 1);
    if (!is_wildcard(a)) /* "*.x" does not cover ".x" itself */
        return str_ends(a, tail) && a.n > tail.n;
    return str_ends(str_from(a, 1), tail);
}

bool name_intersect(struct str a, struct str b, struct str *ret)
{
    if (name_is_subset(a, b))
        *ret = a;
    else if (name_is_subset(b, a))
        *ret = b;
    else
        return false;
    return true;
}

bool name_wider(struct arena *a, struct str host, size_t *at, struct str *ret)
{
    struct str rest = str_from(host, *at ? *at : is_wildcard(host) ? 2 : 0);
    size_t dot = str_find(rest, '.');

    if (*at > host.n || str_eq(host, STR("*")))
        return false;
    rest = str_from(rest, dot);
    *at = rest.n ? host.n - rest.n + 1 : host.n + 1;
    *ret = rest.n ? arena_printf(a, "*%.*s", STRF(rest)) : STR("*");
    return true;
}

void name_server_host(struct str written, struct str own_namespace, struct str *ret_ns,
                      struct str *ret_host)
{
    size_t slash = str_find(written, '/');
    struct str ns = str_sub(written, 0, slash);

    if (slash == written.n) {
        *ret_ns = STR_NONE;
        *ret_host = written;
        return;
    }
    *ret_host = str_from(written, slash + 1);
    *ret_ns = str_eq(ns, STR("*")) ? STR_NONE : str_eq(ns, STR(".")) ? own_namespace : ns;
}

struct str name_gateway(struct arena *a, struct str written, struct str own_namespace)
{
    struct str rest = written, name, ns;

    if (str_eq(written, STR("mesh")) || str_find(written, '/') < written.n)
        return written;
    if (str_find(written, '.') == written.n)
        return arena_printf(a, "%.*s/%.*s", STRF(own_namespace), STRF(written));
    name = str_cut(&rest, '.'); /* the old form name.ns.svc.cluster.local */
    ns = str_cut(&rest, '.');
    return arena_printf(a, "%.*s/%.*s", STRF(ns), STRF(name));
}

bool labels_hold(const struct str_map *labels, const struct str_map *wanted)
{
    for (size_t i = 0; i < wanted->n; i++) {
        struct str has = labels ? api_map_get(labels, wanted->v[i].key) : STR_NONE;

        if (!str_is_set(has) || !str_eq(has, wanted->v[i].value))
            return false;
    }
    return true;
}

bool name_is_exported(const struct str_list *export_to, struct str own_namespace, struct str from)
{
    for (size_t i = 0; i < export_to->n; i++) {
        struct str to = export_to->v[i];

        if (str_eq(to, STR("*")) || str_eq(to, from) ||
            (str_eq(to, STR(".")) && str_eq(own_namespace, from)))
            return true;
    }
    return export_to->n == 0;
}
