#include "tls/trust.h"

#include "tls/fault.h"
#include "tls/trust_int.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#define TOLD_MAX 64 /* names in a CertificateRequest: it goes out in every handshake */

const char *const tls_system_roots[] = { "/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", NULL };

static _Thread_local char said[256];

static bool fails(struct str *reterr, const char *what)
{
    char reason[128];

    fault_reason(reason, sizeof(reason), "damaged");
    snprintf(said, sizeof(said), "%s: %s", what, reason);
    *reterr = str_of(said);
    return false;
}

static bool add(struct tls_trust *t, const X509_INFO *item)
{
    if (item->x509) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(item->x509));

        MUST(name && sk_X509_NAME_push(t->names, name) > 0);
        t->count++;
        return X509_STORE_add_cert(t->store, item->x509) == 1;
    }
    return !item->crl || X509_STORE_add_crl(t->store, item->crl) == 1;
}

/* Everything of `pem`; a private key beside it is not looked at. */
static bool take_all(struct tls_trust *t, struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.n ? pem.p : "", (int)MIN(pem.n, (size_t)INT32_MAX));
    STACK_OF(X509_INFO) * all;
    bool fine;

    MUST(in != NULL);
    all = PEM_X509_INFO_read_bio(in, NULL, NULL, NULL);
    fine = all != NULL;
    for (int i = 0; fine && i < sk_X509_INFO_num(all); i++)
        fine = add(t, sk_X509_INFO_value(all, i));
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(in);
    return fine;
}

static int crls_of(const struct tls_trust *t)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(t->store);
    int n = 0;

    for (int i = 0; i < sk_X509_OBJECT_num(all); i++)
        n += X509_OBJECT_get_type(sk_X509_OBJECT_value(all, i)) == X509_LU_CRL;
    return n;
}

static bool fill(struct tls_trust *t, struct str ca_pem, struct str crl_pem, struct str *reterr)
{
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN; /* an intermediate authority may be trusted */

    if (!take_all(t, ca_pem))
        return fails(reterr, "the CA certificates cannot be read");
    if (t->count == 0)
        return fails(reterr, "the CA has no \"-----BEGIN CERTIFICATE-----\" block");
    if (crl_pem.n && !take_all(t, crl_pem))
        return fails(reterr, "the revocation list cannot be read");
    if (crl_pem.n && crls_of(t) == 0)
        return fails(reterr, "the revocation list has no \"-----BEGIN X509 CRL-----\" block");
    if (crl_pem.n)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    return X509_STORE_set_flags(t->store, flags) == 1;
}

static void trust_free(struct tls_trust *t)
{
    X509_STORE_free(t->store);
    sk_X509_NAME_pop_free(t->names, X509_NAME_free);
    free(t);
}

struct tls_trust *tls_trust_parse(struct str ca_pem, struct str crl_pem, struct str *reterr)
{
    struct tls_trust *t = must_alloc(sizeof(*t));

    atomic_init(&t->refs, 1);
    t->store = X509_STORE_new();
    t->names = sk_X509_NAME_new_null();
    MUST(t->store && t->names);
    ERR_clear_error();
    if (!fill(t, ca_pem, crl_pem, reterr)) {
        ERR_clear_error();
        trust_free(t);
        return NULL;
    }
    if (t->count > TOLD_MAX) {
        sk_X509_NAME_pop_free(t->names, X509_NAME_free);
        t->names = NULL;
    }
    return t;
}

struct tls_trust *tls_trust_ref(struct tls_trust *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tls_trust_unref(struct tls_trust *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        trust_free(t);
}

size_t tls_trust_count(const struct tls_trust *t)
{
    return t->count;
}
