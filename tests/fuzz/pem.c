/*
 * tests/fuzz/pem - any octets as a certificate (DER), and as the PEM of a chain and of its key:
 * a pair or a sentence, and of PEM that is shown nothing but certificates.
 *
 * A NUL parts chain and key; without one the text is both.
 */
#include "fuzz.h"

#include "tls/keypair.h"
#include "tls/x509text.h"

#include <openssl/err.h>

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

/* No line of it would begin a key to OpenSSL. */
static void check_shown(struct str pem)
{
    struct arena a;
    struct str shown;

    arena_init(&a, 4096);
    shown = tls_pem_certificates(pem, &a);
    MUST(shown.n <= pem.n);
    while (str_is_set(shown)) {
        struct str line = str_cut(&shown, '\n');

        MUST(!str_starts(line, STR("-----BEGIN ")) || !str_ends(line, STR(" PRIVATE KEY-----")));
    }
    arena_fini(&a);
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
    (void)tls_keypair_covers(kp, str_sub(chain, 0, 32));
    tls_keypair_unref(kp);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n), key = in, chain = in;

    check_der(octets, n);
    check_shown(in);
    if (str_find(in, '\0') < n)
        chain = str_cut(&key, '\0');
    check_pair(chain, key);
    return 0;
}
