/*
 * tests/fuzz/pem - any octets as a certificate (DER), and as the PEM of a chain and of its key:
 * a pair or a sentence, and what is shown of a pair is its certificates and nothing of its key.
 *
 * A NUL parts chain and key; without one the text is both.
 */
#include "fuzz.h"

#include "tls/keypair_int.h"
#include "tls/x509text.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
#define SHOWN_MAX (4u << 20)
#define RUN_MIN 16 /* fewer octets may stand in a certificate by chance */

static void check_info(const struct tls_cert_info *info)
{
    for (size_t i = 0; i < info->dns_name_count; i++)
        MUST(str_is_set(info->dns_names[i]));
    for (size_t i = 0; i < info->ip_name_count; i++)
        MUST(info->ip_names[i].n > 0);
    MUST(info->fingerprint.n == 64 && info->key_type.n > 0);
}

static void check_der(const uint8_t *octets, size_t n)
{
    X509 *cert = d2i_X509(NULL, &octets, (long)n);
    struct tls_cert_info info = { 0 };
    struct arena a;

    ERR_clear_error();
    if (!cert)
        return;
    arena_init(&a, 4096);
    x509text_describe(cert, &a, &info);
    check_info(&info);
    arena_fini(&a);
    X509_free(cert);
}

/* The number that makes the key private, as octets; 0: it has none that is long enough to tell. */
static size_t private_octets(EVP_PKEY *key, uint8_t *octets, size_t size)
{
    static const char *const names[] = { OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_FACTOR1 };
    BIGNUM *number = NULL;
    size_t n = size;

    if (EVP_PKEY_get_raw_private_key(key, octets, &n) == 1)
        return n;
    for (size_t i = 0; i < LEN(names) && !number; i++)
        (void)EVP_PKEY_get_bn_param(key, names[i], &number);
    n = number ? (size_t)BN_num_bytes(number) : 0;
    n = n <= size && n > 0 ? (size_t)BN_bn2bin(number, octets) : 0;
    BN_clear_free(number);
    ERR_clear_error();
    return n >= RUN_MIN ? n : 0;
}

static size_t base64_decode(struct str text, uint8_t *octets)
{
    EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
    int n = 0, rest = 0;

    MUST(c != NULL);
    EVP_DecodeInit(c);
    MUST(EVP_DecodeUpdate(c, octets, &n, (const uint8_t *)text.p, (int)text.n) >= 0);
    MUST(EVP_DecodeFinal(c, octets + n, &rest) == 1);
    EVP_ENCODE_CTX_free(c);
    return (size_t)(n + rest);
}

/* The next block of what is shown, decoded: it is one certificate, and is written as OpenSSL writes
 * it, so that nothing but its octets can stand in it. */
static struct str shown_next(struct str *shown, uint8_t *der, size_t size)
{
    struct str body;

    MUST(str_starts(*shown, STR(BEGIN)));
    *shown = str_from(*shown, strlen(BEGIN));
    body = str_sub(*shown, 0, str_find(*shown, '-'));
    *shown = str_from(*shown, body.n);
    MUST(str_starts(*shown, STR(END)));
    *shown = str_from(*shown, strlen(END));
    for (size_t i = 0; i < body.n; i++)
        MUST((body.p[i] == '\n') == (i % 65 == 64 || i == body.n - 1));
    MUST(body.n > 0 && body.n <= size);
    return str_make((const char *)der, base64_decode(body, der));
}

static void check_shown(const struct tls_keypair *kp)
{
    static uint8_t der[SHOWN_MAX], number[4096];
    struct str secret = str_make((const char *)number,
                                 private_octets(kp->key, number, sizeof(number)));
    size_t certificates = 0;
    struct str left;
    struct buf shown;

    buf_init(&shown, SHOWN_MAX);
    tls_keypair_show(kp, &shown);
    left = buf_str(&shown);
    while (left.n) {
        struct str cert = shown_next(&left, der, sizeof(der));
        const uint8_t *at = der;
        X509 *read = d2i_X509(NULL, &at, (long)cert.n);

        MUST(read && at == der + cert.n);
        MUST(!secret.n || str_find_str(cert, secret) == cert.n);
        X509_free(read);
        certificates++;
    }
    MUST(certificates == kp->info.chain_count);
    buf_fini(&shown);
}

static void check_pair(struct str chain, struct str key)
{
    struct str err = STR_NONE;
    struct tls_keypair *kp = tls_keypair_parse(chain, key, &err);

    if (!kp) {
        MUST(err.n > 0);
        return;
    }
    check_info(tls_keypair_info(kp));
    MUST(tls_keypair_info(kp)->chain_count > 0);
    check_shown(kp);
    (void)tls_keypair_covers(kp, str_sub(chain, 0, 32));
    tls_keypair_unref(kp);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n), key = in, chain = in;

    check_der(octets, n);
    if (str_find(in, '\0') < n)
        chain = str_cut(&key, '\0');
    check_pair(chain, key);
    return 0;
}
