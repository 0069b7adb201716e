#include "cli/startup.h"

#include "route/route.h"
#include "tls/keypair.h"

#include <stdio.h>

#define BLOCK_MAX (1u << 20)
#define HOSTS_SHOWN 6
#define DAY_MS 86400000

/* ---- notes ---- */

void note_lines_init(struct note_lines *l)
{
    *l = (struct note_lines){ 0 };
    for (size_t i = 0; i < LEN(l->text); i++)
        buf_init(&l->text[i], BLOCK_MAX);
}

void note_lines_fini(struct note_lines *l)
{
    for (size_t i = 0; i < LEN(l->text); i++)
        buf_fini(&l->text[i]);
}

void note_lines_add(struct note_lines *l, enum severity severity, struct str line)
{
    l->n[severity]++;
    if (l->shown[severity] == NOTE_LINES_SHOWN)
        return;
    l->shown[severity]++;
    buf_add(&l->text[severity], line);
}

static struct str first_lines(struct str text, size_t n)
{
    size_t at = 0;

    for (; n > 0 && at < text.n; n--)
        at += str_find(str_from(text, at), '\n') + 1;
    return str_sub(text, 0, at);
}

struct str note_lines_text(const struct note_lines *l, struct arena *a)
{
    size_t left = NOTE_LINES_SHOWN, more = 0;
    struct str text;
    struct buf b;

    buf_init(&b, BLOCK_MAX);
    for (size_t i = 0; i < LEN(l->text); i++) {
        size_t n = MIN(left, l->shown[i]);

        if (i == SEV_INFO && left < NOTE_LINES_SHOWN)
            break;
        buf_add(&b, first_lines(buf_str(&l->text[i]), n));
        left -= n;
        more += l->n[i] - n;
    }
    if (more)
        buf_printf(&b, "... and %zu more\n", more);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

struct str note_line(const struct note *note, struct arena *a)
{
    struct str line;
    struct buf b;

    buf_init(&b, BLOCK_MAX);
    note_print(&b, note);
    line = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return line;
}

/* ---- listeners ---- */

static void add_hosts(struct buf *b, const struct str *hosts, size_t n)
{
    for (size_t i = 0; i < n && i < HOSTS_SHOWN; i++)
        buf_printf(b, "%s%.*s", i ? ", " : "", STRF(hosts[i]));
    if (n > HOSTS_SHOWN)
        buf_printf(b, " and %zu more", n - HOSTS_SHOWN);
}

static struct str listener_address(const struct mesh_listener *l, char out[static ADDR_TEXT_MAX])
{
    struct addr at = l->bind;

    if (!addr_is_set(&at))
        return str_make(out, (size_t)snprintf(out, ADDR_TEXT_MAX, "*:%u", l->port));
    at.port = l->port;
    return addr_format(&at, out);
}

static void add_listener(struct buf *b, const struct mesh_listener *l)
{
    char address[ADDR_TEXT_MAX];
    struct str at = listener_address(l, address);

    buf_printf(b, "  %-5s %-*.*s ", l->is_tls ? "https" : "http", (int)MAX(at.n, 15), STRF(at));
    if (l->port != l->manifest_port)
        buf_printf(b, " for port %-4u", l->manifest_port);
    buf_add(b, STR(" "));
    add_hosts(b, l->hosts, l->host_count);
    if (l->is_redirect)
        buf_add(b, STR("  (redirects to https)"));
    buf_addc(b, '\n');
}

/* ---- certificates ---- */

static const struct secret *secret_by_name(const struct root *root, struct str name)
{
    for (slot_id s = 0; s < root_slots(root, PART_SECRET); s++) {
        const struct secret *secret = root_secret(root, s);

        if (secret && str_eq(secret->part.name, name))
            return secret;
    }
    return NULL;
}

/* "CN=x" of a subject in RFC 2253 form, else all of it. */
static struct str common_name(struct str subject)
{
    struct str rest = subject;

    while (str_is_set(rest)) {
        struct str part = str_cut(&rest, ',');

        if (str_starts(part, STR("CN=")))
            return str_from(part, 3);
    }
    return subject;
}

static void add_days(struct buf *b, int64_t not_after_ms, int64_t now_ms)
{
    int64_t left = not_after_ms - now_ms;

    if (left < 0)
        buf_printf(b, ", EXPIRED %lld day%s ago", (long long)(-left / DAY_MS),
                   -left / DAY_MS == 1 ? "" : "s");
    else
        buf_printf(b, ", %lld day%s left", (long long)(left / DAY_MS),
                   left / DAY_MS == 1 ? "" : "s");
}

static void add_credential(struct buf *b, const struct startup_input *in,
                           const struct mesh_credential *c)
{
    const struct secret *secret = secret_by_name(in->root, c->secret);

    buf_printf(b, "  cert  %-15.*s  ", STRF(c->name));
    if (!secret || !secret->keypair) {
        buf_add(b, STR("MISSING: closed for "));
        add_hosts(b, c->hosts, c->host_count);
        buf_addc(b, '\n');
        return;
    }
    add_hosts(b, c->dns_names, c->dns_name_count);
    buf_printf(b, ": %.*s, issued by %.*s", STRF(c->origin),
               STRF(common_name(tls_keypair_info(secret->keypair)->issuer)));
    add_days(b, c->not_after_ms, in->now_ms);
    buf_addc(b, '\n');
}

static void add_stand_ins(struct buf *b, const struct mesh_summary *s)
{
    if (!s->stand_in_count)
        return;
    buf_add(b, STR("  plays "));
    for (size_t i = 0; i < s->stand_in_count && i < HOSTS_SHOWN; i++) {
        const struct mesh_stand_in *one = &s->stand_ins[i];

        buf_printf(b, "%s%.*s %.*s/%.*s", i ? ", " : "", STRF(one->kind), STRF(one->namespace),
                   STRF(one->name));
        if (one->version.n)
            buf_printf(b, " (%.*s)", STRF(one->version));
    }
    if (s->stand_in_count > HOSTS_SHOWN)
        buf_printf(b, " and %zu more", s->stand_in_count - HOSTS_SHOWN);
    buf_addc(b, '\n');
}

/* ---- curl lines ---- */

/* A host that a client can ask for: exact names first; "*.x" is asked as "www.x". */
static struct str askable_host(const struct mesh_listener *l, struct arena *a)
{
    for (size_t i = 0; i < l->host_count; i++) {
        if (!str_starts(l->hosts[i], STR("*")))
            return l->hosts[i];
    }
    for (size_t i = 0; i < l->host_count; i++) {
        if (str_starts(l->hosts[i], STR("*.")))
            return arena_printf(a, "www%.*s", STRF(str_from(l->hosts[i], 1)));
    }
    return STR("localhost");
}

/* The path of the first route that forwards, for a host on a listener; "/" where nothing
 * says better. */
static struct str askable_path_in(const struct root *root, const struct routes *routes,
                                  struct str host)
{
    struct domain_cursor at = { 0 };
    const struct domain *d;

    for (; (d = route_domain(root, routes, &at)); at.at++) {
        const struct vhost *v = root_vhost(root, d->vhost);

        if (!v || !str_eq(d->name, host))
            continue;
        for (uint32_t k = 0; k < v->routes.n; k++) {
            const struct text_matcher *path = &v->routes.v[k].match.path;

            if (v->routes.v[k].action != ACTION_FORWARD)
                continue;
            if (path->how == TEXT_EXACT || path->how == TEXT_PREFIX)
                return path->value;
            return STR("/");
        }
    }
    return STR("/");
}

static const struct listener *listener_by_name(const struct root *root, struct str name)
{
    for (slot_id s = 0; s < root_slots(root, PART_LISTENER); s++) {
        const struct listener *l = root_listener(root, s);

        if (l && str_eq(l->part.name, name))
            return l;
    }
    return NULL;
}

static struct str askable_path(const struct root *root, struct str listener, struct str host)
{
    const struct listener *l = listener_by_name(root, listener);

    for (uint32_t i = 0; l && i < l->chains.n; i++) {
        const struct chain *c = root_chain(root, l->chains.v[i]);
        const struct routes *r = c ? root_routes(root, c->http.routes) : NULL;
        struct str path = r ? askable_path_in(root, r, host) : STR("/");

        if (!str_eq(path, STR("/")))
            return path;
    }
    return STR("/");
}

static void add_curl(struct buf *b, const struct startup_input *in, const struct mesh_listener *l,
                     struct arena *a)
{
    struct str host = askable_host(l, a);
    struct str path = askable_path(in->root, l->name, host);
    const char *scheme = l->is_tls ? "https" : "http";
    struct addr to = l->bind;
    char text[ADDR_TEXT_MAX];

    if (!addr_is_set(&to))
        to = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
    buf_add(b, STR("  curl"));
    if (l->is_tls && str_is_set(in->ca_path))
        buf_printf(b, " --cacert %.*s", STRF(in->ca_path));
    if (!str_eq(host, STR("localhost")))
        buf_printf(b, to.family == 6 ? " --resolve %.*s:%u:[%.*s]" : " --resolve %.*s:%u:%.*s",
                   STRF(host), l->port, STRF(addr_format_ip(&to, text)));
    buf_printf(b, " %s://%.*s", scheme, STRF(host));
    buf_printf(b, ":%u%.*s\n", l->port, STRF(path.n ? path : STR("/")));
}

struct str startup_text(const struct startup_input *in, struct arena *a)
{
    const struct mesh_summary *s = in->summary;
    struct str text;
    struct buf b;

    buf_init(&b, BLOCK_MAX);
    for (size_t i = 0; i < s->listener_count; i++)
        add_listener(&b, &s->listeners[i]);
    for (size_t i = 0; i < s->credential_count; i++)
        add_credential(&b, in, &s->credentials[i]);
    add_stand_ins(&b, s);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

struct str startup_cold_text(const struct root *root, struct str written, struct arena *a,
                             size_t *ret_listeners)
{
    struct str text;
    struct buf b;

    buf_init(&b, BLOCK_MAX);
    *ret_listeners = 0;
    buf_printf(&b,
               "  no manifest can be read: this is the last good configuration, written at "
               "%.*s;\n  the manifests are taken up as soon as they can be read\n",
               STRF(written));
    for (slot_id s = 0; s < root_slots(root, PART_LISTENER); s++) {
        const struct listener *l = root_listener(root, s);
        struct mesh_listener shown;

        if (!l)
            continue;
        shown = (struct mesh_listener){
            .bind = l->bind, .port = l->port, .manifest_port = l->manifest_port, .is_tls = l->is_tls
        };
        add_listener(&b, &shown);
        ++*ret_listeners;
    }
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

struct str startup_curls(const struct startup_input *in, struct arena *a)
{
    const struct mesh_summary *s = in->summary;
    struct str text;
    struct buf b;

    buf_init(&b, BLOCK_MAX);
    for (size_t i = 0; i < s->listener_count && in->run->dev; i++)
        add_curl(&b, in, &s->listeners[i], a);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}
