/*
 * proxy/admin_show - the snapshot for people: listeners, clusters, certificates, in the
 * forms of Envoy's pages of these names.
 */
#include "proxy/admin_walk.h"

#include "base/jsontext.h"
#include "base/when.h"
#include "live/host.h"
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
    buf_addc(b, '{');
    json_add_pair(b, "name", l->part.name);
    json_add_address(b, ",\"local_address\"", &l->bind, l->port);
    buf_addc(b, '}');
}

static bool listeners_text_step(struct admin_call *c, struct admin_walk *w)
{
    const struct part *p = admin_walk_part(w, PART_LISTENER);

    if (p)
        listener_text(&c->body, (const void *)p);
    w->at += p != NULL;
    return w->at < root_slots(w->root, PART_LISTENER);
}

static bool listeners_json_step(struct admin_call *c, struct admin_walk *w)
{
    const struct part *p = admin_walk_part(w, PART_LISTENER);

    if (!w->opened)
        buf_add(&c->body, STR("{\"listener_statuses\":["));
    w->opened = true;
    if (p) {
        admin_walk_comma(w, &c->body);
        listener_json(&c->body, (const void *)p);
        w->at++;
    }
    if (w->at < root_slots(w->root, PART_LISTENER))
        return true;
    buf_add(&c->body, STR("]}\n"));
    return false;
}

void admin_show_listeners(struct admin_call *c)
{
    bool json = admin_wants_json(c);

    if (admin_walk_begin(c, json ? listeners_json_step : listeners_text_step) && json)
        c->type = "application/json";
}

/* ---- clusters ---- */

#define ENDPOINTS_AT_ONCE 100

static int64_t active_of(const struct endpoint *e)
{
    return e->live ? live_host_active(e->live) : 0;
}

/* region/zone/subzone; what is missing is empty. */
struct place {
    struct str region, zone, sub_zone;
};

static struct place place_of(const struct endpoint *e)
{
    struct str rest = e->locality;
    struct place at = { STR(""), STR(""), STR("") };

    if (rest.n)
        at.region = str_cut(&rest, '/');
    if (rest.n)
        at.zone = str_cut(&rest, '/');
    if (rest.n)
        at.sub_zone = rest;
    return at;
}

static void endpoint_text(struct buf *b, struct str cluster, const struct endpoint *e)
{
    char room[ADDR_TEXT_MAX];
    struct str addr = addr_format(&e->addr, room);
    struct place at = place_of(e);

#define LINE(fmt, ...)                                                                             \
    buf_printf(b, "%.*s::%.*s::" fmt "\n", STRF(cluster), STRF(addr), __VA_ARGS__)
    LINE("rq_active::%lld", (long long)active_of(e));
    LINE("health_flags::%s", e->healthy ? "healthy" : "/failed_active_hc");
    LINE("weight::%u", e->weight);
    LINE("region::%.*s", STRF(at.region));
    LINE("zone::%.*s", STRF(at.zone));
    LINE("sub_zone::%.*s", STRF(at.sub_zone));
    if (e->workload.n)
        LINE("workload::%.*s/%.*s", STRF(e->namespace), STRF(e->workload));
    if (e->version.n)
        LINE("version::%.*s", STRF(e->version));
#undef LINE
}

static void endpoint_json(struct buf *b, const struct endpoint *e)
{
    struct place at = place_of(e);

    buf_addc(b, '{');
    json_add_address(b, "\"address\"", &e->addr, e->addr.port);
    buf_add(b, STR(",\"stats\":[{\"name\":\"rq_active\",\"type\":\"GAUGE\""));
    if (active_of(e))
        buf_printf(b, ",\"value\":\"%lld\"", (long long)active_of(e));
    buf_printf(b, "}],\"health_status\":{%s},\"weight\":%u,\"locality\":{",
               e->healthy
                   ? "\"eds_health_status\":\"HEALTHY\""
                   : "\"eds_health_status\":\"UNHEALTHY\",\"failed_active_health_check\":true",
               e->weight);
    json_add_pair(b, "region", at.region);
    json_add_more(b, "zone", at.zone);
    json_add_more(b, "sub_zone", at.sub_zone);
    buf_add(b, STR("}}"));
}

static void cluster_text(struct buf *b, const struct cluster *cl, const struct hosts *h)
{
    struct str name = cl->part.name;

#define LINE(fmt, ...) buf_printf(b, "%.*s::" fmt "\n", STRF(name), __VA_ARGS__)
    LINE("observability_name::%.*s", STRF(name));
    LINE("default_priority::max_connections::%u", admin_limit(cl->limits.max_connections));
    LINE("default_priority::max_pending_requests::%u", admin_limit(cl->limits.max_pending));
    LINE("default_priority::max_requests::%u", admin_limit(cl->limits.max_requests));
    LINE("default_priority::max_retries::%u", admin_limit(cl->limits.max_retries));
    LINE("added_via_api::%s", "true");
    LINE("lb_policy::%.*s", STRF(admin_lb_name(cl)));
    LINE("connect_timeout_ms::%u", cl->connect_ms);
    LINE("endpoints_from::%.*s", STRF(h && h->source.n ? h->source : STR("nothing")));
#undef LINE
}

static void cluster_json(struct buf *b, const struct cluster *cl)
{
    buf_addc(b, '{');
    json_add_pair(b, "name", cl->part.name);
    json_add_more(b, "observability_name", cl->part.name);
    buf_add(b, STR(",\"added_via_api\":true,"));
    json_add_limits(b, &cl->limits);
    buf_add(b, STR(",\"host_statuses\":["));
}

/* A cluster's next endpoints; false: it has no more. */
static bool endpoints_add(struct admin_call *c, struct admin_walk *w, const struct cluster *cl,
                          const struct hosts *h, bool json)
{
    uint32_t n = h ? h->endpoints.n : 0, end = MIN(n, w->sub + ENDPOINTS_AT_ONCE);

    for (; w->sub < end; w->sub++) {
        if (!json)
            endpoint_text(&c->body, cl->part.name, &h->endpoints.v[w->sub]);
        if (json && w->sub > 0)
            buf_addc(&c->body, ',');
        if (json)
            endpoint_json(&c->body, &h->endpoints.v[w->sub]);
    }
    return w->sub < n;
}

/* A cluster, or more of its endpoints. */
static void cluster_step(struct admin_call *c, struct admin_walk *w, bool json)
{
    const struct cluster *cl = (const void *)admin_walk_part(w, PART_CLUSTER);
    const struct hosts *h = cl ? root_hosts(w->root, cl->hosts) : NULL;

    if (!cl)
        return;
    if (w->sub == 0 && json) {
        admin_walk_comma(w, &c->body);
        cluster_json(&c->body, cl);
    } else if (w->sub == 0) {
        cluster_text(&c->body, cl, h);
    }
    if (endpoints_add(c, w, cl, h, json))
        return;
    if (json)
        buf_add(&c->body, STR("]}"));
    w->at++;
    w->sub = 0;
}

static bool clusters_text_step(struct admin_call *c, struct admin_walk *w)
{
    cluster_step(c, w, false);
    return w->at < root_slots(w->root, PART_CLUSTER);
}

static bool clusters_json_step(struct admin_call *c, struct admin_walk *w)
{
    if (!w->opened)
        buf_add(&c->body, STR("{\"cluster_statuses\":["));
    w->opened = true;
    cluster_step(c, w, true);
    if (w->at < root_slots(w->root, PART_CLUSTER))
        return true;
    buf_add(&c->body, STR("]}\n"));
    return false;
}

void admin_show_clusters(struct admin_call *c)
{
    bool json = admin_wants_json(c);

    if (admin_walk_begin(c, json ? clusters_json_step : clusters_text_step) && json)
        c->type = "application/json";
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

    buf_add(b, STR("{\"ca_cert\":[],\"cert_chain\":[{"));
    json_add_pair(b, "path", STR("<inline>"));
    json_add_more(b, "name", s->part.name);
    json_add_more(b, "serial_number", cert->serial);
    json_add_more(b, "subject", cert->subject);
    json_add_more(b, "issuer", cert->issuer);
    buf_add(b, STR(",\"subject_alt_names\":["));
    for (size_t i = 0; i < cert->dns_name_count; i++) {
        buf_add(b, i ? STR(",{") : STR("{"));
        json_add_pair(b, "dns", cert->dns_names[i]);
        buf_addc(b, '}');
    }
    for (size_t i = 0; i < cert->ip_name_count; i++) {
        buf_add(b, i || cert->dns_name_count ? STR(",{") : STR("{"));
        json_add_pair(b, "ip_address", cert->ip_names[i]);
        buf_addc(b, '}');
    }
    buf_printf(b, "],\"days_until_expiration\":\"%lld\"", (long long)left);
    add_time(b, "valid_from", cert->not_before_ms);
    add_time(b, "expiration_time", cert->not_after_ms);
    buf_add(b, STR("}]}"));
}

static bool certs_step(struct admin_call *c, struct admin_walk *w)
{
    const struct secret *s = (const void *)admin_walk_part(w, PART_SECRET);

    if (!w->opened)
        buf_add(&c->body, STR("{\"certificates\":[\n"));
    w->opened = true;
    if (s && s->keypair) {
        admin_walk_comma(w, &c->body);
        secret_json(&c->body, s, loop_wall_ms(c->admin->loop));
    }
    w->at += s != NULL;
    if (w->at < root_slots(w->root, PART_SECRET))
        return true;
    buf_add(&c->body, STR("\n]}\n"));
    return false;
}

void admin_show_certs(struct admin_call *c)
{
    if (admin_walk_begin(c, certs_step))
        c->type = "application/json";
}
