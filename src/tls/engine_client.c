/*
 * tls/engine_client - the sides' demands on each other: a client's engine, and a server that asks
 * for certificates.
 */
#include "tls/context_int.h"
#include "tls/engine_int.h"
#include "tls/keypair_int.h"
#include "tls/resume_int.h"
#include "tls/trust_int.h"

#include <stdlib.h>

#define SNI_MAX 255 /* TLSEXT_MAXLEN_host_name */

static void trust_attach(struct engine *e, const struct tls_demand *d, int mode)
{
    engine_check_new(e, d);
    SSL_set_verify(e->ssl, mode, NULL);
    if (d->trust)
        MUST(SSL_set1_verify_cert_store(e->ssl, d->trust->store) == 1);
}

void engine_demand(struct engine *e, const struct tls_demand *d)
{
    trust_attach(e, d, SSL_VERIFY_PEER | (d->required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0));
    if (d->trust && d->trust->names)
        SSL_set0_CA_list(e->ssl, SSL_dup_CA_list(d->trust->names));
}

bool engine_has_expired(const struct engine *e)
{
    X509 *cert = SSL_session_reused(e->ssl) ? SSL_get0_peer_certificate(e->ssl) : NULL;

    return cert && SSL_is_server(e->ssl) && X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}

static void name_set(struct engine *e, struct str sni)
{
    char name[SNI_MAX + 1];

    MUST(sni.n <= SNI_MAX);
    if (sni.n)
        MUST(SSL_set_tlsext_host_name(e->ssl, str_copy(sni, name, sizeof(name))) == 1);
}

bool engine_start_client(struct engine *e, const struct engine_carrier *carrier,
                         struct tls_context *take_context, const struct engine_client *client)
{
    struct tls_keypair *kp = client->keypair;

    if (!engine_begin(e, carrier, take_context))
        return false;
    SSL_set_connect_state(e->ssl);
    trust_attach(e, &client->demand, client->demand.skip ? SSL_VERIFY_NONE : SSL_VERIFY_PEER);
    name_set(e, client->sni);
    if (kp)
        MUST(SSL_use_cert_and_key(e->ssl, kp->leaf, kp->key, kp->chain, 1) == 1);
    e->resume = client->resume;
    e->resume_key = client->resume_key;
    resume_offer(e->resume, e->resume_key, e->ssl);
    return true;
}
