#include "tls/keypair.h"

#include "tls/fault.h"
#include "tls/keypair_int.h"
#include "tls/x509text.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#define CHAIN_MAX 16
#define RSA_BITS_MIN 2048

/* ---- messages ---- */

static struct str say(const char *fmt, ...) PRINTF_LIKE(1, 2);

static struct str say(const char *fmt, ...)
{
    static _Thread_local char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return str_of(text);
}

/* ---- PEM ---- */

static BIO *bio_over(struct str s)
{
    BIO *b = s.n <= INT32_MAX ? BIO_new_mem_buf(s.n ? s.p : "", (int)s.n) : NULL;

    MUST(b != NULL);
    return b;
}

/* No terminal, no passphrase. */
static int no_passphrase(char *into, int size, int writing, void *arg)
{
    (void)into, (void)size, (void)writing;
    *(bool *)arg = true;
    return -1;
}

/* The end of a PEM text is an error to OpenSSL, too. */
static bool pem_has_ended(void)
{
    unsigned long e = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

    if (ended)
        ERR_clear_error();
    return ended;
}

static void chain_add(struct tls_keypair *kp, X509 *take_cert)
{
    if (kp->info.chain_count++ == 0)
        kp->leaf = take_cert;
    else
        MUST(sk_X509_push(kp->chain, take_cert) > 0);
}

static bool chain_read(struct tls_keypair *kp, struct str pem, struct str *reterr)
{
    BIO *in = bio_over(pem);
    char reason[128];
    X509 *cert;
    size_t n;
    bool ended;

    ERR_clear_error();
    while (kp->info.chain_count <= CHAIN_MAX &&
           (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        chain_add(kp, cert);
    BIO_free(in);
    ended = pem_has_ended();
    n = kp->info.chain_count;
    if (n > CHAIN_MAX)
        *reterr = say("the chain has more than %d certificates", CHAIN_MAX);
    else if (!ended)
        *reterr = say("certificate %zu of the chain cannot be read: %.*s", n + 1,
                      STRF(fault_reason(reason, sizeof(reason), "damaged")));
    else if (n == 0)
        *reterr = say("the certificate has no \"-----BEGIN CERTIFICATE-----\" block");
    return ended && n > 0 && n <= CHAIN_MAX;
}

static bool key_read(struct tls_keypair *kp, struct str pem, struct str *reterr)
{
    BIO *in = bio_over(pem);
    bool encrypted = false;
    char reason[128];

    ERR_clear_error();
    kp->key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &encrypted);
    BIO_free(in);
    if (kp->key)
        return true;
    if (encrypted)
        *reterr = say("the private key is encrypted: store it without a passphrase");
    else if (str_find_str(pem, STR("PRIVATE KEY-----")) == pem.n)
        *reterr = say("the private key has no \"-----BEGIN PRIVATE KEY-----\" block");
    else
        *reterr = say("the private key cannot be read: %.*s",
                      STRF(fault_reason(reason, sizeof(reason), "damaged")));
    ERR_clear_error();
    return false;
}

/* ---- checks ---- */

static bool key_is_strong(const struct tls_keypair *kp, struct str *reterr)
{
    if (EVP_PKEY_get_base_id(kp->key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(kp->key) >= RSA_BITS_MIN)
        return true;
    *reterr = say("the RSA key has %d bits: clients want %d or more", EVP_PKEY_get_bits(kp->key),
                  RSA_BITS_MIN);
    return false;
}

static bool key_fits(const struct tls_keypair *kp, struct str *reterr)
{
    bool fits = X509_check_private_key(kp->leaf, kp->key) == 1;
    int other = 0;

    for (int i = 0; !fits && i < sk_X509_num(kp->chain); i++) {
        if (X509_check_private_key(sk_X509_value(kp->chain, i), kp->key) == 1)
            other = i + 2;
    }
    ERR_clear_error();
    if (other)
        *reterr = say("the private key belongs to certificate %d of the chain: the server's own "
                      "certificate must come first",
                      other);
    else if (!fits)
        *reterr = say("the private key does not belong to the certificate \"%.*s\"",
                      STRF(kp->info.subject));
    return fits;
}

/* Clients repair a chain in disorder more or less well, so it is a note and no error. */
static void chain_note(struct tls_keypair *kp)
{
    const X509 *below = kp->leaf;

    for (int i = 0; i < sk_X509_num(kp->chain); i++) {
        X509 *above = sk_X509_value(kp->chain, i);

        if (X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(above)) != 0) {
            kp->info.note = arena_printf(kp->arena,
                                         "certificate %d of the chain did not issue the one before "
                                         "it: some clients will not trust it",
                                         i + 2);
            return;
        }
        below = above;
    }
}

/* ---- the object ---- */

static void keypair_free(struct tls_keypair *kp)
{
    X509_free(kp->leaf);
    sk_X509_pop_free(kp->chain, X509_free);
    EVP_PKEY_free(kp->key);
    arena_free(kp->arena);
    free(kp);
}

static struct tls_keypair *keypair_new(void)
{
    struct tls_keypair *kp = must_alloc(sizeof(*kp));

    atomic_init(&kp->refs, 1);
    kp->arena = arena_new(2048);
    kp->chain = sk_X509_new_null();
    MUST(kp->chain != NULL);
    return kp;
}

struct tls_keypair *tls_keypair_parse(struct str chain_pem, struct str key_pem, struct str *reterr)
{
    struct tls_keypair *kp = keypair_new();

    if (chain_read(kp, chain_pem, reterr) && key_read(kp, key_pem, reterr)) {
        x509text_describe(kp->leaf, kp->arena, &kp->info);
        chain_note(kp);
        if (key_is_strong(kp, reterr) && key_fits(kp, reterr))
            return kp;
    }
    keypair_free(kp);
    return NULL;
}

struct tls_keypair *tls_keypair_ref(struct tls_keypair *kp)
{
    atomic_fetch_add_explicit(&kp->refs, 1, memory_order_relaxed);
    return kp;
}

void tls_keypair_unref(struct tls_keypair *kp)
{
    if (kp && atomic_fetch_sub_explicit(&kp->refs, 1, memory_order_acq_rel) == 1)
        keypair_free(kp);
}

const struct tls_cert_info *tls_keypair_info(const struct tls_keypair *kp)
{
    return &kp->info;
}

void tls_keypair_show(const struct tls_keypair *kp, struct buf *to)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    long n;

    MUST(out != NULL && PEM_write_bio_X509(out, kp->leaf) == 1);
    for (int i = 0; i < sk_X509_num(kp->chain); i++)
        MUST(PEM_write_bio_X509(out, sk_X509_value(kp->chain, i)) == 1);
    n = BIO_get_mem_data(out, &text);
    (void)buf_add(to, str_make(text, (size_t)n));
    BIO_free(out);
}

/* RFC 6125 6.4.3: "*." for the whole first label, and not for a public-suffix-like "*.com",
 * which no authority issues. */
bool keypair_name_covers(struct str name, struct str host)
{
    if (!str_starts(name, STR("*.")))
        return str_eq_nocase(name, host);
    return str_eq_nocase(str_from(name, 1), str_from(host, str_find(host, '.'))) &&
           str_find(host, '.') > 0;
}

bool tls_keypair_covers(const struct tls_keypair *kp, struct str host)
{
    for (size_t i = 0; i < kp->info.dns_name_count; i++) {
        if (keypair_name_covers(kp->info.dns_names[i], host))
            return true;
    }
    for (size_t i = 0; i < kp->info.ip_name_count; i++) {
        if (str_eq(kp->info.ip_names[i], host))
            return true;
    }
    return false;
}
