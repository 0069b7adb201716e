#include "unit/mesh/bench.h"

#include "base/hash.h"
#include "route/route.h"
#include "tls/issue.h"
#include "unit/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* ---- the hooks of --dev ---- */

static uint16_t map_port(void *arg, const struct addr *bind, uint16_t port)
{
    (void)arg;
    (void)bind;
    return port == 443 ? 8443 : port < 1024 ? (uint16_t)(port + 8000) : port;
}

static bool stand_in(void *arg, const struct mesh_workload *w, uint32_t replica,
                     uint16_t container_port, struct addr *ret)
{
    (void)arg;
    CHECK(w->labels != NULL && replica < w->replicas);
    CHECK(addr_parse_ip(STR("127.0.0.1"), ret));
    ret->port = (uint16_t)(9000 + replica + (hash_stable(w->name) % 50) * 10 + container_port % 3);
    return true;
}

static struct str read_all(struct arena *a, const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    char *p;

    if (!f || stat(path, &st))
        return STR_NONE;
    p = arena_raw(a, (size_t)st.st_size + 1);
    CHECK_EQ(fread(p, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return str_make(p, (size_t)st.st_size);
}

/* Real key pairs, which part_finish checks; each call gives another. */
static bool issue(void *arg, const struct mesh_certificate *c, struct arena *a,
                  struct str *ret_chain, struct str *ret_key, struct str *ret_error)
{
    int64_t now = (int64_t)time(NULL) * 1000;
    struct issue_request rq = { .dns_names = c->dns_names,
                                .dns_name_count = c->dns_name_count,
                                .not_before_ms = now - 1000,
                                .not_after_ms = now + INT64_C(30) * 86400000 };
    struct bench *b = arg;
    struct buf cert, key;

    b->issues++;
    if (c->dns_name_count && str_eq(c->dns_names[0], STR("refused.test"))) {
        *ret_error = STR("the CA says no");
        return false;
    }
    buf_init(&cert, 1 << 16);
    buf_init(&key, 1 << 16);
    CHECK(issue_certificate(&rq, &cert, &key, ret_error));
    *ret_chain = arena_dup(a, buf_str(&cert));
    *ret_key = arena_dup(a, buf_str(&key));
    buf_fini(&cert);
    buf_fini(&key);
    return true;
}

/* ---- files ---- */

void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    arena_init(&b->arena, 4096);
    buf_init(&b->text, 1 << 20);
}

void bench_dev(struct bench *b)
{
    b->options.dev = true;
    b->options.hooks = (struct mesh_hooks){
        .arg = b, .port_map = map_port, .stand_in = stand_in, .issue = issue
    };
}

void bench_fini(struct bench *b)
{
    root_unref(b->root);
    mesh_free(b->mesh);
    for (size_t i = 0; i < b->n; i++)
        free((char *)(uintptr_t)b->files[i].octets.p);
    arena_fini(&b->arena);
    buf_fini(&b->text);
}

static struct source_file *file_of(const struct bench *b, const char *path)
{
    for (size_t i = 0; i < b->n; i++)
        if (str_eq(b->files[i].path, str_of(path)))
            return (struct source_file *)(uintptr_t)&b->files[i];
    return NULL;
}

static struct source_file *file_make(struct bench *b, const char *path)
{
    struct source_file *f = file_of(b, path);

    if (f)
        return f;
    CHECK(b->n < BENCH_FILES);
    f = &b->files[b->n++];
    *f = (struct source_file){ .path = str_of(path) };
    return f;
}

static void set_file(struct bench *b, const char *path, struct str octets)
{
    struct source_file *f = file_make(b, path);
    char *copy = malloc(octets.n + 1);

    memcpy(copy, octets.p, octets.n);
    free((char *)(uintptr_t)f->octets.p);
    *f = (struct source_file){ .path = f->path,
                               .octets = str_make(copy, octets.n),
                               .hash = hash_stable(octets),
                               .changed = true };
}

bool bench_has(const struct bench *b, const char *path)
{
    return file_of(b, path) != NULL;
}

void bench_lock(struct bench *b, const char *path)
{
    file_make(b, path)->error = STR("Permission denied");
}

void bench_start_over(struct bench *b, const struct bench *from)
{
    b->error = from->error;
    b->has_error = from->has_error;
    for (size_t i = 0; i < from->n; i++) {
        const struct source_file *f = &from->files[i];

        if (from->has_error && str_starts(f->path, from->error.path))
            continue;
        if (f->error.n)
            bench_lock(b, f->path.p);
        else
            set_file(b, f->path.p, f->octets);
    }
}

void bench_file(struct bench *b, const char *path, const char *octets)
{
    set_file(b, path, str_of(octets));
}

void bench_remove(struct bench *b, const char *path)
{
    struct source_file *f = file_of(b, path);

    CHECK(f != NULL);
    free((char *)(uintptr_t)f->octets.p);
    b->n--;
    memmove(f, f + 1, (size_t)(&b->files[b->n] - f) * sizeof(*f));
}

void bench_read(struct bench *b, const char *path)
{
    struct str octets = read_all(&b->arena, path);

    if (!str_is_set(octets)) {
        print_error("cannot read %s\n", path);
        CHECK(false);
    }
    set_file(b, path, octets);
}

void bench_update(struct bench *b)
{
    struct source_scan scan = { .files = b->files,
                                .n = b->n,
                                .errors = &b->error,
                                .error_count = b->has_error,
                                .changed = true };
    struct root *root = NULL;

    if (!b->mesh)
        b->mesh = mesh_new(&b->options);
    notes_init(&b->notes, &b->arena);
    b->verdict = mesh_update(b->mesh, &scan, &b->notes, &root);
    CHECK_EQ(b->verdict == MESH_NEW, root != NULL);
    if (!root)
        return;
    root_unref(b->root);
    b->root = root;
}

void bench_load(struct bench *b, const char *octets)
{
    bench_file(b, "m.yaml", octets);
    bench_update(b);
}

/* ---- text ---- */

const char *bench_notes(struct bench *b, const char *needle)
{
    buf_reset(&b->text);
    for (size_t i = 0; i < b->notes.n; i++) {
        size_t before = b->text.n;

        note_print(&b->text, &b->notes.v[i]);
        if (str_find_str(str_from(buf_str(&b->text), before), str_of(needle)) == b->text.n - before)
            b->text.n = before;
    }
    buf_addc(&b->text, 0);
    return b->text.p;
}

static struct str name_of(enum part_kind kind, slot_id slot)
{
    return slot == SLOT_NONE ? STR("none") : slot_name(kind, slot);
}

static void text_listener(struct bench *b, const struct listener *l)
{
    char at[ADDR_TEXT_MAX];

    buf_printf(&b->text, "%.*s %u(%u)%s%s%.*s:", STRF(l->part.name), l->port, l->manifest_port,
               l->is_tls ? " tls" : "", l->bind.family ? " " : "",
               STRF(l->bind.family ? addr_format_ip(&l->bind, at) : STR("")));
    for (uint32_t i = 0; i < l->chains.n; i++)
        buf_printf(&b->text, " %.*s", STRF(name_of(PART_CHAIN, l->chains.v[i])));
}

static void text_chain(struct bench *b, const struct chain *c)
{
    buf_printf(&b->text, "%.*s routes=%.*s", STRF(c->part.name),
               STRF(name_of(PART_ROUTES, c->http.routes)));
    for (uint32_t i = 0; i < c->server_names.n; i++)
        buf_printf(&b->text, " sni=%.*s", STRF(c->server_names.v[i]));
    if (c->tls.mode)
        buf_printf(&b->text, " tls");
    for (uint32_t i = 0; i < c->secrets.n; i++)
        buf_printf(&b->text, " %.*s%s", STRF(name_of(PART_SECRET, c->secrets.v[i])),
                   root_secret(b->root, c->secrets.v[i]) ? "" : "(missing)");
}

static void text_routes(struct bench *b, const struct routes *r)
{
    struct domain_cursor at = { 0 };
    const struct domain *d;

    buf_printf(&b->text, "%.*s:", STRF(r->part.name));
    for (; (d = route_domain(b->root, r, &at)); at.at++)
        buf_printf(&b->text, " %.*s", STRF(d->name));
}

static void text_secret(struct bench *b, const char *word, slot_id slot)
{
    if (slot != SLOT_NONE)
        buf_printf(&b->text, " %s=%.*s%s", word, STRF(name_of(PART_SECRET, slot)),
                   root_secret(b->root, slot) ? "" : "(missing)");
}

static void text_client_tls(struct bench *b, const struct client_tls *tls)
{
    buf_printf(&b->text, " tls=%.*s%s", STRF(tls->sni), tls->skip_verify ? " skip" : "");
    for (uint32_t i = 0; i < tls->names.n; i++)
        buf_printf(&b->text, " san=%.*s", STRF(tls->names.v[i]));
    for (uint32_t i = 0; i < tls->alpn.n; i++)
        buf_printf(&b->text, " alpn=%.*s", STRF(tls->alpn.v[i]));
    text_secret(b, "ca", tls->ca);
    text_secret(b, "cert", tls->certificate);
}

static void text_cluster(struct bench *b, const struct cluster *c)
{
    const struct hosts *h = root_hosts(b->root, c->hosts);
    static const char *const lbs[] = { "least", "rr", "random" };

    buf_printf(&b->text, "%.*s %s", STRF(c->part.name), lbs[c->lb]);
    if (c->http2)
        buf_printf(&b->text, " h2");
    if (c->connect_ms != 10000)
        buf_printf(&b->text, " connect=%u", c->connect_ms);
    if (c->idle_ms != 3600000)
        buf_printf(&b->text, " idle=%u", c->idle_ms);
    if (c->max_requests_per_connection)
        buf_printf(&b->text, " max=%u", c->max_requests_per_connection);
    if (c->limits.max_connections || c->limits.max_pending)
        buf_printf(&b->text, " limits=%u,%u,%u,%u", c->limits.max_connections,
                   c->limits.max_pending, c->limits.max_requests, c->limits.max_retries);
    if (c->tls)
        text_client_tls(b, c->tls);
    for (uint32_t i = 0; h && i < h->endpoints.n; i++) {
        const struct endpoint *e = &h->endpoints.v[i];
        char at[ADDR_TEXT_MAX];

        buf_printf(&b->text, " %.*s%s", STRF(addr_format(&e->addr, at)),
                   e->healthy ? "" : "(unhealthy)");
        if (e->weight != 1)
            buf_printf(&b->text, "*%u", e->weight);
    }
}

static void text_hosts(struct bench *b, const struct hosts *h)
{
    buf_printf(&b->text, "%.*s from %.*s:", STRF(h->part.name), STRF(h->source));
    for (uint32_t i = 0; i < h->endpoints.n; i++) {
        const struct endpoint *e = &h->endpoints.v[i];

        buf_printf(&b->text, " %.*s/%.*s/%.*s/%.*s", STRF(e->workload), STRF(e->namespace),
                   STRF(e->canonical_service), STRF(e->canonical_revision));
    }
}

static void text_part(struct bench *b, enum part_kind kind, const struct part *p)
{
    const void *any = p;

    if (kind == PART_LISTENER)
        text_listener(b, any);
    else if (kind == PART_CHAIN)
        text_chain(b, any);
    else if (kind == PART_ROUTES)
        text_routes(b, any);
    else if (kind == PART_CLUSTER)
        text_cluster(b, any);
    else if (kind == PART_HOSTS)
        text_hosts(b, any);
    else if (kind == PART_VHOST)
        buf_printf(&b->text, "%.*s = %.*s", STRF(p->name),
                   STRF(((const struct vhost *)any)->label));
    else
        buf_printf(&b->text, "%.*s", STRF(p->name));
    buf_addc(&b->text, '\n');
}

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(const struct part *const *)a)->name, (*(const struct part *const *)b)->name);
}

const char *bench_text(struct bench *b, enum part_kind kind)
{
    const struct part *all[256];
    size_t n = 0;

    buf_reset(&b->text);
    for (slot_id i = 0; b->root && i < root_slots(b->root, kind); i++) {
        const struct part *p = root_part(b->root, kind, i);

        if (p)
            all[n++] = p;
    }
    qsort(all, n, sizeof(all[0]), by_name);
    for (size_t i = 0; i < n; i++)
        text_part(b, kind, all[i]);
    buf_addc(&b->text, 0);
    return b->text.p;
}

/* ---- routes ---- */

static void text_matcher(struct bench *b, const char *what, const struct text_matcher *m)
{
    static const char *const how[] = { "", "=", "^", "~", "?" };

    if (m && m->how != TEXT_ANY)
        buf_printf(&b->text, "%s%s%.*s%s ", what, how[m->how], STRF(m->value),
                   m->nocase ? "(nocase)" : "");
}

static void text_match(struct bench *b, const struct route_match *m)
{
    text_matcher(b, "path", &m->path);
    text_matcher(b, "method", m->method);
    text_matcher(b, "authority", m->authority);
    text_matcher(b, "scheme", m->scheme);
    for (uint32_t i = 0; i < m->headers.n; i++) {
        buf_printf(&b->text, "%s%.*s", m->headers.v[i].invert ? "!" : "",
                   STRF(m->headers.v[i].name));
        text_matcher(b, "", &m->headers.v[i].match);
    }
    for (uint32_t i = 0; i < m->query.n; i++) {
        buf_printf(&b->text, "?%.*s", STRF(m->query.v[i].name));
        text_matcher(b, "", &m->query.v[i].match);
    }
}

static void text_overrides(struct bench *b, const struct filter_config *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (struct str rest = v[i].config; rest.n;) {
            struct str line = str_cut(&rest, '\n');

            buf_printf(&b->text, " [%.*s]", STRF(line));
        }
}

static void text_action(struct bench *b, const struct route *r)
{
    switch ((enum route_action)r->action) {
    case ACTION_FORWARD:
        for (uint32_t i = 0; i < r->destinations.n; i++) {
            const struct destination *d = &r->destinations.v[i];

            buf_printf(&b->text, " %.*s%s*%u", STRF(d->cluster_name),
                       d->cluster == SLOT_NONE ? "(NC)" : "", d->weight);
            text_overrides(b, d->overrides.v, d->overrides.n);
        }
        if (r->timeout_ms)
            buf_printf(&b->text, " timeout=%u", r->timeout_ms);
        if (r->extras && r->extras->rewrite)
            buf_printf(&b->text, " rewrite %.*s>%.*s", STRF(r->extras->rewrite->pattern.value),
                       STRF(r->extras->rewrite->text));
        for (uint32_t i = 0; r->extras && i < r->extras->mirrors.n; i++)
            buf_printf(&b->text, " mirror %.*s*%u", STRF(r->extras->mirrors.v[i].cluster_name),
                       r->extras->mirrors.v[i].ppm);
        if (r->extras && r->extras->retry)
            buf_printf(&b->text, " retry=%u/%u/%d", r->extras->retry->attempts,
                       r->extras->retry->on, r->extras->retry->idle_race);
        break;
    case ACTION_REDIRECT:
        buf_printf(&b->text, " redirect %u %.*s://%.*s:%u%.*s%s", r->redirect->status,
                   STRF(r->redirect->scheme), STRF(r->redirect->authority), r->redirect->port,
                   STRF(r->redirect->path), r->redirect->https_redirect ? " https" : "");
        break;
    case ACTION_DIRECT_RESPONSE:
        buf_printf(&b->text, " direct %u %.*s", r->direct->status, STRF(r->direct->body));
        break;
    case ACTION_NONE:
        buf_printf(&b->text, " nothing");
        break;
    }
    text_overrides(b, r->overrides.v, r->overrides.n);
}

const char *bench_routes(struct bench *b, const char *vhost)
{
    buf_reset(&b->text);
    for (slot_id i = 0; b->root && i < root_slots(b->root, PART_VHOST); i++) {
        const struct vhost *v = root_vhost(b->root, i);

        if (!v || !str_eq(v->part.name, str_of(vhost)))
            continue;
        for (uint32_t k = 0; k < v->routes.n; k++) {
            const struct route *r = &v->routes.v[k];

            CHECK_EQ(r->id, k);
            buf_printf(&b->text, "%.*s%s", STRF(r->name), r->name.n ? " " : "");
            text_match(b, &r->match);
            buf_printf(&b->text, "->");
            text_action(b, r);
            buf_addc(&b->text, '\n');
        }
        buf_addc(&b->text, 0);
        return b->text.p;
    }
    return "(no such virtual host)";
}

void bench_check_same(const struct root *a, const struct root *b)
{
    CHECK_EQ(root_hash(a), root_hash(b));
    for (int kind = 0; kind < PART_KINDS; kind++) {
        slot_id n = MAX(root_slots(a, (enum part_kind)kind), root_slots(b, (enum part_kind)kind));

        for (slot_id i = 0; i < n; i++) { /* a name has one slot in the process */
            const struct part *x = root_part(a, (enum part_kind)kind, i);
            const struct part *y = root_part(b, (enum part_kind)kind, i);

            CHECK((x == NULL) == (y == NULL));
            if (x)
                CHECK(x->hash == y->hash && x->origin_hash == y->origin_hash);
        }
    }
}
