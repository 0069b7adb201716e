/*
 * proxy/admin_show - the snapshot for people: listeners, clusters, certificates, in the
 * forms of Envoy's pages of these names; and all of it, in Lateen's own.
 */
#include "proxy/admin_int.h"

#include "base/jsontext.h"
#include "base/when.h"
#include "live/host.h"
#include "model/dump.h"
#include "tls/keypair.h"

/* ---- listeners ---- */

/* Family 0 listens on every address; Envoy would say 0.0.0.0 or [::]. */
static struct str bind_text(const struct listener *l, char out[static ADDR_TEXT_MAX])
{
    struct addr a = l->bind;

    if (!addr_is_set(&a))
        a.family = 6;
    a.port = l->port;
    return addr_format(&a, out);
}

static void listener_text(struct buf *b, const struct listener *l)
{
    char text[ADDR_TEXT_MAX];

    buf_printf(b, "%.*s::%.*s\n", STRF(l->part.name), STRF(bind_text(l, text)));
}

static void listener_json(struct buf *b, const struct listener *l)
{
    char text[ADDR_TEXT_MAX];
    struct addr a = l->bind;

    if (!addr_is_set(&a))
        a.family = 6;
    buf_add(b, STR("{\"name\":"));
    json_add_string(b, l->part.name);
    buf_add(b, STR(",\"local_address\":{\"socket_address\":{\"address\":"));
    json_add_string(b, addr_format_ip(&a, text));
    buf_printf(b, ",\"port_value\":%u}}}", l->port);
}

void admin_show_listeners(struct admin_call *c)
{
    const struct root *root = admin_root(c);
    bool json = admin_wants_json(c), first = true;

    if (!root)
        return;
    if (json) {
        c->type = "application/json";
        buf_add(&c->body, STR("{\"listener_statuses\":["));
    }
    for (slot_id i = 0; i < root_slots(root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(root, i);

        if (!l)
            continue;
        if (json && !first)
            buf_addc(&c->body, ',');
        first = false;
        if (json)
            listener_json(&c->body, l);
        else
            listener_text(&c->body, l);
    }
    if (json)
        buf_add(&c->body, STR("]}\n"));
}

/* ---- clusters ---- */

static void endpoint_text(struct buf *b, struct str cluster, const struct endpoint *e)
{
    char room[ADDR_TEXT_MAX];
    struct str addr = addr_format(&e->addr, room);
    int64_t active = e->live ? live_host_active(e->live) : 0;

#define LINE(fmt, ...)                                                                             \
    buf_printf(b, "%.*s::%.*s::" fmt "\n", STRF(cluster), STRF(addr), __VA_ARGS__)
    LINE("rq_active::%lld", (long long)active);
    LINE("health_flags::%s", e->healthy ? "healthy" : "/failed_active_hc");
    LINE("weight::%u", e->weight);
    if (e->locality.n)
        LINE("locality::%.*s", STRF(e->locality));
    if (e->workload.n)
        LINE("workload::%.*s/%.*s", STRF(e->namespace), STRF(e->workload));
    if (e->version.n)
        LINE("version::%.*s", STRF(e->version));
#undef LINE
}

static void cluster_text(struct buf *b, const struct root *root, const struct cluster *cl)
{
    static const char *const policies[] = {
        [LB_LEAST_REQUEST] = "LEAST_REQUEST",
        [LB_ROUND_ROBIN] = "ROUND_ROBIN",
        [LB_RANDOM] = "RANDOM",
    };
    const struct hosts *h = root_hosts(root, cl->hosts);
    struct str name = cl->part.name;

    if (cl->lb < LEN(policies))
        buf_printf(b, "%.*s::lb_policy::%s\n", STRF(name), policies[cl->lb]);
    buf_printf(b, "%.*s::connect_timeout_ms::%u\n", STRF(name), cl->connect_ms);
    buf_printf(b, "%.*s::endpoints_from::%.*s\n", STRF(name),
               STRF(h && h->source.n ? h->source : STR("nothing")));
    for (uint32_t i = 0; h && i < h->endpoints.n; i++)
        endpoint_text(b, name, &h->endpoints.v[i]);
}

void admin_show_clusters(struct admin_call *c)
{
    const struct root *root = admin_root(c);

    if (!root)
        return;
    if (admin_wants_json(c)) {
        admin_say(c, 501, "/clusters?format=json: not built yet");
        return;
    }
    for (slot_id i = 0; i < root_slots(root, PART_CLUSTER); i++) {
        const struct cluster *cl = root_cluster(root, i);

        if (cl)
            cluster_text(&c->body, root, cl);
    }
}

/* ---- certificates ---- */

#define DAY_MS INT64_C(86400000)

static void add_time(struct buf *b, const char *name, int64_t ms)
{
    char when[WHEN_LEN + 1];

    when_format(ms, when);
    buf_printf(b, ",\"%s\":\"%s\"", name, when);
}

static void secret_json(struct buf *b, const struct secret *s, int64_t now_ms)
{
    const struct tls_cert_info *cert = tls_keypair_info(s->keypair);
    int64_t left = MAX(cert->not_after_ms - now_ms, 0) / DAY_MS;

    buf_add(b, STR("{\"name\":"));
    json_add_string(b, s->part.name);
    buf_add(b, STR(",\"serial_number\":"));
    json_add_string(b, cert->serial);
    buf_add(b, STR(",\"issuer\":"));
    json_add_string(b, cert->issuer);
    buf_add(b, STR(",\"subject_alt_names\":["));
    for (size_t i = 0; i < cert->dns_name_count; i++) {
        buf_add(b, i ? STR(",{\"dns\":") : STR("{\"dns\":"));
        json_add_string(b, cert->dns_names[i]);
        buf_addc(b, '}');
    }
    buf_printf(b, "],\"days_until_expiration\":\"%lld\"", (long long)left);
    add_time(b, "valid_from", cert->not_before_ms);
    add_time(b, "expiration_time", cert->not_after_ms);
    buf_addc(b, '}');
}

void admin_show_certs(struct admin_call *c)
{
    const struct root *root = admin_root(c);
    bool first = true;

    if (!root)
        return;
    c->type = "application/json";
    buf_add(&c->body, STR("{\"certificates\":["));
    for (slot_id i = 0; i < root_slots(root, PART_SECRET); i++) {
        const struct secret *s = root_secret(root, i);

        if (!s || !s->keypair)
            continue;
        buf_add(&c->body, first ? STR("\n") : STR(",\n"));
        first = false;
        secret_json(&c->body, s, loop_wall_ms(c->admin->loop));
    }
    buf_add(&c->body, STR("\n]}\n"));
}

/* ---- all of it ---- */

void admin_show_dump(struct admin_call *c)
{
    const struct root *root = admin_root(c);

    if (!root)
        return;
    if (c->query.n) {
        admin_say(c, 501, "/config_dump?%.*s: not built yet", STRF(c->query));
        return;
    }
    c->type = "application/json";
    buf_add(&c->body, STR("{\"form\":\"Lateen's own; Envoy's form of /config_dump is not built "
                          "yet\",\n\"snapshot\":"));
    root_dump(root, PART_KINDS, &c->body);
    buf_add(&c->body, STR("}\n"));
}
