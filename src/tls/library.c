#include "tls/library.h"

#include "base/str.h"
#include "tls/derive_int.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>

#define NAME "lateen"
#define PROPERTIES "provider=" NAME

/* ---- AES-GCM ---- */

#define GCM_IV 12 /* octets, in all of TLS (RFC 8446, 5.3; RFC 5288) */

/* OpenSSL's own, but libssl asks for the nonce's length twice a record, and each question is
 * compared with all that a cipher knows. So the length is fixed, and the question answered here. */
static OSSL_FUNC_cipher_get_ctx_params_fn *gcm_get_standard;
static OSSL_FUNC_cipher_set_ctx_params_fn *gcm_set_standard;

static int gcm_get(void *gcm, OSSL_PARAM params[])
{
    if (params[0].key && !params[1].key && strcmp(params[0].key, OSSL_CIPHER_PARAM_IVLEN) == 0)
        return OSSL_PARAM_set_size_t(&params[0], GCM_IV);
    return gcm_get_standard(gcm, params);
}

static int gcm_set(void *gcm, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_IVLEN);
    size_t n = GCM_IV;

    if (p && (!OSSL_PARAM_get_size_t(p, &n) || n != GCM_IV))
        return 0;
    return gcm_set_standard(gcm, params);
}

/* A copy of `from` that asks ours first. All lengths of key have the same two functions. */
static const OSSL_DISPATCH *gcm_functions(const OSSL_DISPATCH *from)
{
    OSSL_DISPATCH *copy;
    size_t n = 1; /* the end's */

    for (const OSSL_DISPATCH *f = from; f->function_id; f++)
        n++;
    copy = must_alloc(n * sizeof(*copy));
    memcpy(copy, from, n * sizeof(*copy));
    for (OSSL_DISPATCH *f = copy; f->function_id; f++) {
        if (f->function_id == OSSL_FUNC_CIPHER_GET_CTX_PARAMS) {
            gcm_get_standard = OSSL_FUNC_cipher_get_ctx_params(f);
            f->function = (void (*)(void))gcm_get;
        } else if (f->function_id == OSSL_FUNC_CIPHER_SET_CTX_PARAMS) {
            gcm_set_standard = OSSL_FUNC_cipher_set_ctx_params(f);
            f->function = (void (*)(void))gcm_set;
        }
    }
    return copy;
}

/* ---- the provider ---- */

/* OpenSSL's default provider, in a library context that holds nothing else. Made once and kept;
 * its objects may be used by all threads. */
static OSSL_PROVIDER *standard;
static OSSL_ALGORITHM *ciphers; /* all, AES-GCM by way of ours */
static OSSL_ALGORITHM kdfs[3];  /* ours, TLS 1.2's, the end */
static const OSSL_ALGORITHM macs[] = { { "HMAC", PROPERTIES, derive_hmac, NULL },
                                       { NULL, NULL, NULL, NULL } };

static const OSSL_ALGORITHM *of_standard(int operation)
{
    int no_cache;

    return OSSL_PROVIDER_query_operation(standard, operation, &no_cache);
}

static void ciphers_make(const OSSL_ALGORITHM *from)
{
    size_t n = 1; /* the end's */

    for (const OSSL_ALGORITHM *a = from; a->algorithm_names; a++)
        n++;
    ciphers = must_alloc(n * sizeof(*ciphers));
    memcpy(ciphers, from, n * sizeof(*ciphers));
    for (OSSL_ALGORITHM *a = ciphers; a->algorithm_names; a++) {
        struct str names = str_of(a->algorithm_names);

        if (str_starts(names, STR("AES-128-GCM:")) || str_starts(names, STR("AES-256-GCM:")))
            a->implementation = gcm_functions(a->implementation);
    }
}

static void standard_load(void)
{
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();

    MUST(ctx != NULL);
    standard = OSSL_PROVIDER_load(ctx, "default");
    MUST(standard != NULL);
    ciphers_make(of_standard(OSSL_OP_CIPHER));
    kdfs[0] = (OSSL_ALGORITHM){ OSSL_KDF_NAME_TLS1_3_KDF, PROPERTIES, derive_kdf, NULL };
    for (const OSSL_ALGORITHM *a = of_standard(OSSL_OP_KDF); a->algorithm_names; a++) {
        if (strcmp(a->algorithm_names, OSSL_KDF_NAME_TLS1_PRF) == 0)
            kdfs[1] = *a;
    }
}

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    if (operation == OSSL_OP_CIPHER)
        return ciphers;
    if (operation == OSSL_OP_KDF)
        return kdfs;
    if (operation == OSSL_OP_MAC)
        return macs;
    return OSSL_PROVIDER_query_operation(standard, operation, no_cache);
}

static const OSSL_PARAM *gettable(void *provider)
{
    (void)provider;
    return OSSL_PROVIDER_gettable_params(standard);
}

static int get(void *provider, OSSL_PARAM params[])
{
    (void)provider;
    return OSSL_PROVIDER_get_params(standard, params);
}

static int get_capabilities(void *provider, const char *what, OSSL_CALLBACK *take, void *arg)
{
    (void)provider;
    return OSSL_PROVIDER_get_capabilities(standard, what, take, arg);
}

static const OSSL_DISPATCH provider_functions[] = {
    { OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable },
    { OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get },
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
    { OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities },
    { 0, NULL },
};

/* What the default provider made is handed to its own functions again: so its context is ours. */
static int provider_start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                          const OSSL_DISPATCH **out, void **context)
{
    (void)handle, (void)in;
    *out = provider_functions;
    *context = OSSL_PROVIDER_get0_provider_ctx(standard);
    return 1;
}

/* ---- a library context ---- */

static int is_other(OSSL_PROVIDER *provider, void *found)
{
    if (strcmp(OSSL_PROVIDER_get0_name(provider), "default") != 0)
        *(bool *)found = true;
    return 1;
}

void library_open(struct library *l)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool others = OPENSSL_version_major() != 3 || OPENSSL_version_minor() != 0;

    *l = (struct library){ NULL, NULL };
    OSSL_PROVIDER_do_all(NULL, is_other, &others);
    if (others)
        return;
    pthread_once(&once, standard_load);
    l->ctx = OSSL_LIB_CTX_new();
    MUST(l->ctx && OSSL_PROVIDER_add_builtin(l->ctx, NAME, provider_start) == 1);
    l->provider = OSSL_PROVIDER_load(l->ctx, NAME);
    MUST(l->provider != NULL);
}

void library_close(struct library *l)
{
    if (l->provider)
        OSSL_PROVIDER_unload(l->provider);
    OSSL_LIB_CTX_free(l->ctx);
    *l = (struct library){ NULL, NULL };
}
