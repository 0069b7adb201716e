/*
 * tests/sim/tls - TLS of virtual clients: OpenSSL over memory, its randomness from the seed.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sim/peer.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define PER_SCHEDULE 64

struct peer_tls {
    SSL *ssl;
    struct text early; /* written before the handshake was over */
    bool open, finishes;
};

static SSL_CTX *contexts[2];
static char chain_pem[4096], key_pem[1024];
static struct peer_tls *all[PER_SCHEDULE];
static size_t count;

static int random_bytes(unsigned char *into, int n)
{
    for (int i = 0; i < n; i++)
        into[i] = sim.arena ? (unsigned char)below(256) : (unsigned char)(i * 37 + 11);
    return 1;
}

static int random_status(void)
{
    return 1;
}

static const RAND_METHOD seeded = { .bytes = random_bytes,
                                    .pseudorand = random_bytes,
                                    .status = random_status };

static void pem_take(BIO *b, char *into, size_t size)
{
    int n = BIO_read(b, into, (int)size - 1);

    MUST(n > 0);
    into[n] = '\0';
    BIO_free(b);
}

static void certificate_make(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 10L * 365 * 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a.test", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    MUST(X509_sign(x, key, EVP_sha256()) > 0);
    MUST(PEM_write_bio_X509(chain, x) == 1);
    MUST(PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1);
    pem_take(chain, chain_pem, sizeof(chain_pem));
    pem_take(secret, key_pem, sizeof(key_pem));
    X509_free(x);
    EVP_PKEY_free(key);
}

void tls_begin(void)
{
    static const unsigned char alpn[2][9] = { "\x8http/1.1", "\x2h2" };
    static const unsigned lens[2] = { 9, 3 };

    certificate_make();
    MUST(RAND_set_rand_method(&seeded) == 1);
    for (size_t i = 0; i < LEN(contexts); i++) {
        contexts[i] = SSL_CTX_new(TLS_client_method());
        MUST(contexts[i] && SSL_CTX_set_alpn_protos(contexts[i], alpn[i], lens[i]) == 0);
    }
}

struct str tls_chain_pem(void)
{
    return str_of(chain_pem);
}

struct str tls_key_pem(void)
{
    return str_of(key_pem);
}

struct peer_tls *tls_new(bool http2)
{
    struct peer_tls *t = ARENA_NEW(sim.arena, struct peer_tls);

    MUST(count < PER_SCHEDULE);
    all[count++] = t;
    t->ssl = SSL_new(contexts[http2]);
    MUST(t->ssl);
    if (chance(300))
        MUST(SSL_set_max_proto_version(t->ssl, TLS1_2_VERSION) == 1);
    SSL_set_bio(t->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(t->ssl);
    MUST(SSL_set_tlsext_host_name(t->ssl, "a.test") == 1);
    return t;
}

void tls_free_all(void)
{
    while (count)
        SSL_free(all[--count]->ssl);
}

/* What OpenSSL wants to send. */
static void records_send(struct peer *p)
{
    char octets[4096];
    int n;

    while ((n = BIO_read(SSL_get_wbio(p->tls->ssl), octets, sizeof(octets))) > 0)
        text_add(&p->out, octets, (size_t)n);
    peer_nudge(p);
}

static bool handshake(struct peer *p)
{
    struct peer_tls *t = p->tls;
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(t->ssl);
    records_send(p);
    if (result != 1)
        return SSL_get_error(t->ssl, result) == SSL_ERROR_WANT_READ;
    t->open = true;
    if (t->early.n)
        peer_write(p, str_make(t->early.p, t->early.n));
    if (t->finishes)
        peer_finish(p);
    return true;
}

void tls_write(struct peer *p, struct str octets)
{
    struct peer_tls *t = p->tls;
    size_t taken;

    if (!t->open) {
        text_add(&t->early, octets.p, octets.n);
        (void)handshake(p);
        return;
    }
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, octets.p, octets.n, &taken) == 1)
        records_send(p);
}

bool tls_received(struct peer *p, struct str octets)
{
    struct peer_tls *t = p->tls;
    char plain[8192];
    size_t n;
    int why;

    MUST(BIO_write(SSL_get_rbio(t->ssl), octets.p, (int)octets.n) == (int)octets.n);
    if (!t->open && !handshake(p))
        return false;
    ERR_clear_error();
    while (t->open && !p->dead && SSL_read_ex(t->ssl, plain, sizeof(plain), &n) == 1)
        p->input(p, str_make(plain, n));
    if (!t->open || p->dead)
        return true;
    records_send(p);
    why = SSL_get_error(t->ssl, 0);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN;
}

bool tls_finish(struct peer *p)
{
    p->tls->finishes = true;
    if (!p->tls->open)
        return false;
    ERR_clear_error();
    (void)SSL_shutdown(p->tls->ssl);
    records_send(p);
    return true;
}
