#include "proxy/survey.h"

#include "base/jsontext.h"
#include "proxy/downstream.h"
#include "proxy/upstream_int.h"

#define TEXT_MAX (4u << 20)

static void pair(struct buf *b, const char *key, struct str value)
{
    buf_printf(b, ",\"%s\":", key);
    json_add_string(b, value);
}

static void address(struct buf *b, const char *key, const struct addr *a)
{
    char room[ADDR_TEXT_MAX];

    if (addr_is_set(a))
        pair(b, key, addr_format(a, room));
}

static void connection_add(struct survey *s, const struct http_conn *conn, const char *side,
                           struct str owner)
{
    const struct transport_info *info = http_conn_info(conn);
    struct addr remote, local;
    struct buf *b = &s->text;

    buf_printf(b, ",\n{\"worker\":%u,\"id\":%llu,\"side\":\"%s\"", worker_id(s->worker),
               (unsigned long long)http_conn_id(conn), side);
    pair(b, *side == 'd' ? "listener" : "cluster", owner);
    if (http_conn_addresses(conn, &remote, &local)) {
        address(b, "remote", &remote);
        address(b, "local", &local);
        if (!info)
            buf_add(b, STR(",\"napping\":true"));
    }
    if (info) {
        if (info->tls_version.n)
            pair(b, "tls", info->tls_version);
        if (info->sni.n)
            pair(b, "sni", info->sni);
        if (info->alpn.n)
            pair(b, "alpn", info->alpn);
    }
    buf_printf(b, ",\"requests\":%u}", http_conn_exchanges(conn));
}

static void downstreams_add(struct survey *s)
{
    size_t n = 0;

    LIST_EACH (it, &s->worker->downstreams, after) {
        const struct downstream *d = LIST_ITEM(it, struct downstream, node);

        if (n++ < SURVEY_CONNECTIONS_MAX)
            connection_add(s, d->conn, "downstream", d->part ? d->part->part.name : STR(""));
        else
            s->left_out++;
    }
}

static void list_add(struct survey *s, const struct upstream_pool *p, const struct list *of,
                     size_t *n)
{
    LIST_EACH (it, of, after) {
        const struct upstream *u = LIST_ITEM(it, struct upstream, node);

        if ((*n)++ < SURVEY_CONNECTIONS_MAX)
            connection_add(s, u->conn, "upstream", p->cluster->part.name);
        else
            s->left_out++;
    }
}

static void upstreams_add(struct survey *s)
{
    const struct worker *w = s->worker;
    size_t n = 0;

    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        const struct upstream_pool *p = w->upstream_pools[i];

        if (!p)
            continue;
        list_add(s, p, &p->idle, &n);
        list_add(s, p, &p->busy, &n);
    }
}

static void survey_back(struct mail *m, struct loop *loop)
{
    struct survey *s = CONTAINER_OF(m, struct survey, mail);

    (void)loop;
    s->done(s);
}

static void survey_take(struct mail *m, struct loop *loop)
{
    struct survey *s = CONTAINER_OF(m, struct survey, mail);

    (void)loop;
    downstreams_add(s);
    upstreams_add(s);
    s->mail.deliver = survey_back;
    mail_post(s->back, &s->mail);
}

void survey_start(struct survey *s, struct worker *w, struct loop *back,
                  void (*done)(struct survey *s), void *owner)
{
    *s = (struct survey){ .worker = w, .back = back, .done = done, .owner = owner };
    buf_init(&s->text, TEXT_MAX);
    s->mail.deliver = survey_take;
    mail_post(w->loop, &s->mail);
}
