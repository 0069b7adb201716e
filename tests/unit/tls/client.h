/*
 * tests/unit/tls/client - OpenSSL's client over memory, to be carried by a test.
 */
#pragma once

#include "base/str.h"
#include "unit/check.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct client_session {
    SSL_SESSION *s;
};

struct client_setup {
    const char *sni;     /* NULL: none */
    int version;         /* 0: any */
    const char *alpn;    /* wire format; NULL: none */
    const char *sigalgs; /* NULL: default */
    const char *groups;  /* NULL: default */
    const struct client_session *session;
};

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    char name[256];
    unsigned long error;
};

enum client_state { CLIENT_GOING, CLIENT_OPEN, CLIENT_FAILED };

static inline void client_init(struct client *c, const struct client_setup *s)
{
    *c = (struct client){ .ctx = SSL_CTX_new(TLS_client_method()) };
    CHECK(c->ctx != NULL);
    if (s->version) {
        SSL_CTX_set_security_level(c->ctx, 0);
        SSL_CTX_set_min_proto_version(c->ctx, s->version);
        SSL_CTX_set_max_proto_version(c->ctx, s->version);
    }
    if (s->sigalgs)
        CHECK(SSL_CTX_set1_sigalgs_list(c->ctx, s->sigalgs) == 1);
    if (s->groups)
        CHECK(SSL_CTX_set1_groups_list(c->ctx, s->groups) == 1);
    c->ssl = SSL_new(c->ctx);
    c->in = BIO_new(BIO_s_mem());
    c->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(c->in, -1);
    SSL_set_bio(c->ssl, c->in, c->out);
    if (s->sni)
        SSL_set_tlsext_host_name(c->ssl, s->sni);
    if (s->alpn)
        SSL_set_alpn_protos(c->ssl, (const unsigned char *)s->alpn, (unsigned)strlen(s->alpn));
    if (s->session && s->session->s)
        SSL_set_session(c->ssl, s->session->s);
    SSL_set_connect_state(c->ssl);
}

static inline void client_fini(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    ERR_clear_error();
}

static inline enum client_state client_handshake(struct client *c)
{
    int n;

    ERR_clear_error();
    n = SSL_do_handshake(c->ssl);
    if (n == 1)
        return CLIENT_OPEN;
    if (SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
        return CLIENT_GOING;
    c->error = ERR_peek_error();
    return CLIENT_FAILED;
}

/* What it wants to send, up to `max` octets. */
static inline struct str client_output(struct client *c, size_t max)
{
    char *p;
    long n = BIO_get_mem_data(c->out, &p);

    return str_make(p, MIN((size_t)n, max));
}

static inline void client_output_done(struct client *c, size_t n)
{
    char waste[4096];

    while (n) {
        int got = BIO_read(c->out, waste, (int)MIN(n, sizeof(waste)));

        CHECK(got > 0);
        n -= (size_t)got;
    }
}

static inline void client_input(struct client *c, struct str octets)
{
    CHECK(BIO_write(c->in, octets.p, (int)octets.n) == (int)octets.n);
}

static inline bool client_write(struct client *c, struct str s)
{
    return SSL_write(c->ssl, s.p, (int)s.n) == (int)s.n;
}

/* Octets, or -1: none now, or the end. */
static inline ssize_t client_read(struct client *c, char *into, size_t n)
{
    int got;

    ERR_clear_error();
    got = SSL_read(c->ssl, into, (int)n);
    if (got > 0)
        return got;
    if (SSL_get_error(c->ssl, got) == SSL_ERROR_SSL)
        c->error = ERR_peek_error();
    return -1;
}

static inline void client_update_keys(struct client *c)
{
    CHECK(SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
}

static inline void client_shutdown(struct client *c)
{
    SSL_shutdown(c->ssl);
}

static inline bool client_was_notified(const struct client *c)
{
    return SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN;
}

/* Alerts' reasons are 1000 and their number. */
static inline bool client_failed_by_alert(const struct client *c)
{
    return ERR_GET_REASON(c->error) >= 1000;
}

static inline struct str client_peer_name(struct client *c)
{
    X509 *x = SSL_get0_peer_certificate(c->ssl);
    int n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, c->name,
                                      sizeof(c->name));

    return str_make(c->name, n > 0 ? (size_t)n : 0);
}

static inline bool client_peer_is_rsa(struct client *c)
{
    return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(c->ssl))) ==
           EVP_PKEY_RSA;
}

static inline void client_session_free(struct client_session *s)
{
    SSL_SESSION_free(s->s);
    s->s = NULL;
}

static inline void client_keep_session(struct client *c, struct client_session *into)
{
    client_session_free(into);
    into->s = SSL_get1_session(c->ssl);
    SSL_shutdown(c->ssl); /* or freeing it would spoil the session */
}

static inline struct str client_session_ticket(const struct client_session *s)
{
    const unsigned char *octets = NULL;
    size_t n = 0;

    SSL_SESSION_get0_ticket(s->s, &octets, &n);
    return str_make((const char *)octets, n);
}

static inline void client_session_copy(struct client_session *to, const struct client_session *from)
{
    client_session_free(to);
    to->s = SSL_SESSION_dup(from->s);
}
