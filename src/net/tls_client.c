/*
 * net/tls_client - dials an endpoint and opens TLS to it, as its cluster demands.
 *
 * Source: istio-api.md 1.5.4; Envoy's auto_sni and auto_san_validation. A name that is checked is
 * the one asked for where the cluster lists none: Istio checks none beside a configured `sni`.
 */
#include "net/sockaddr.h"
#include "net/tls_int.h"

#include <unistd.h>

static struct tls_setup setup_of(const struct client_tls *c)
{
    return (struct tls_setup){ .alpn = c->alpn.v, .alpn_count = c->alpn.n, .is_client = true };
}

/* What is known by an address is not asked for by name (RFC 6066 3). */
static struct str sni_of(struct str name)
{
    struct addr a;

    return addr_parse_ip(name, &a) ? STR("") : name;
}

static bool secret_of(const struct root *root, slot_id slot, const struct secret **ret)
{
    *ret = slot == SLOT_NONE ? NULL : root_secret(root, slot);
    return slot == SLOT_NONE || *ret;
}

/* False: something that the cluster names is missing. */
static bool client_of(struct tls *x, const struct tls_dial *how, struct str *name,
                      struct engine_client *ret)
{
    const struct client_tls *c = how->cluster->tls;
    const struct secret *ca, *certificate;

    if (!secret_of(how->root, c->ca, &ca) || !secret_of(how->root, c->certificate, &certificate))
        return false;
    if ((certificate && !certificate->keypair) || (!c->skip_verify && !(ca && ca->trust)))
        return false;
    *ret = (struct engine_client){
        .sni = sni_of(*name),
        .demand = { .trust = ca ? ca->trust : NULL,
                    .skip = c->skip_verify,
                    .names = c->names.n ? c->names.v : name,
                    .name_count = c->names.n ? c->names.n : !c->skip_verify },
        .keypair = certificate ? certificate->keypair : NULL,
        .resume = how->resume,
        .resume_key = how->resume_key,
    };
    x->held = part_ref((struct part *)(uintptr_t)&how->cluster->part);
    return true;
}

static void engine_make(struct tls *x, const struct tls_dial *how)
{
    struct tls_setup setup = setup_of(how->cluster->tls);
    struct engine_client client;
    struct tls_context *context;
    struct str why;

    x->hello.has_name = how->name.n > 0;
    x->hello.name_n = (uint8_t)how->name.n;
    memcpy(x->hello.name, how->name.p, how->name.n);
    x->t.info.sni = hello_name(&x->hello);
    if (!client_of(x, how, &x->t.info.sni, &client))
        return;
    context = tls_context_get(tls_side_of(x)->contexts, &setup, &why);
    if (context)
        (void)!engine_start_client(&x->engine, &tls_carrier, context, &client); /* seen by `ssl` */
}

enum transport_state tls_client_advance(struct tls *x)
{
    enum err e = x->wire.connecting ? wire_connected(&x->wire) : ERR_OK;

    if (e == ERR_AGAIN)
        return TRANSPORT_OPENING;
    if (e != ERR_OK)
        return tls_fail(x, e, socket_failure(e));
    if (!addr_is_set(&x->t.info.local))
        x->t.info.local = sockaddr_local(x->wire.watch.fd);
    if (!x->engine.ssl)
        return tls_fail(x, ERR_NOT_FOUND, STR("TLS error: Secret is not supplied by SDS"));
    return tls_handshake(x);
}

struct transport *net_dial_tls(struct net *n, const struct addr *to, struct task *task,
                               const struct tls_dial *how, enum err *reterr)
{
    struct tls *x;
    int fd;

    MUST(how->name.n <= HELLO_NAME_MAX);
    fd = socket_dial(n, to, reterr);
    if (fd < 0)
        return NULL;
    *reterr = ERR_LIMIT;
    if (!net_enter(n)) {
        close(fd);
        return NULL;
    }
    x = tls_conn_new(n, fd, true, to, task);
    if (!x)
        return NULL;
    x->is_client = true;
    engine_make(x, how);
    return &x->t;
}
