#include "tls/resume.h"

#include "tls/engine.h"
#include "tls/resume_int.h"

void tls_resume_drop(struct tls_resume *r)
{
    SSL_SESSION_free(r->session);
    r->session = NULL;
}

int resume_keep(SSL *ssl, SSL_SESSION *session)
{
    const struct engine *e = SSL_get_app_data(ssl);

    if (!e->resume)
        return 0; /* OpenSSL's to free */
    tls_resume_drop(e->resume);
    e->resume->session = session;
    e->resume->key = e->resume_key;
    return 1;
}

void resume_offer(struct tls_resume *r, uint64_t key, SSL *ssl)
{
    if (!r || !r->session)
        return;
    if (r->key == key)
        (void)SSL_set_session(ssl, r->session);
    if (r->key != key || SSL_SESSION_get_protocol_version(r->session) >= TLS1_3_VERSION)
        tls_resume_drop(r);
}
