#include "tls/library.h"

#include "tls/hmac.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>

#define NAME "lateen"
#define PROPERTIES "provider=" NAME

/* ---- parameters ---- */

static struct str param_octets(const OSSL_PARAM *p)
{
    return p && p->data ? str_make(p->data, p->data_size) : STR_NONE;
}

/* False: a hash that is not built here. Absent is fine: what was known stays. */
static bool param_hash(const OSSL_PARAM *p, const struct hmac_hash **hash)
{
    const char *name;

    if (!p)
        return true;
    *hash = OSSL_PARAM_get_utf8_string_ptr(p, &name) ? hmac_hash_of(name) : NULL;
    return *hash != NULL;
}

/* ---- TLS 1.3's key derivation ---- */

enum derive_part {
    PART_MODE,
    PART_DIGEST,
    PART_KEY,
    PART_SALT,
    PART_PREFIX,
    PART_LABEL,
    PART_DATA,
    PARTS
};

/* In the order in which libssl writes them: one comparison finds each. */
static const char *const part_names[PARTS] = {
    [PART_MODE] = OSSL_KDF_PARAM_MODE,     [PART_DIGEST] = OSSL_KDF_PARAM_DIGEST,
    [PART_KEY] = OSSL_KDF_PARAM_KEY,       [PART_SALT] = OSSL_KDF_PARAM_SALT,
    [PART_PREFIX] = OSSL_KDF_PARAM_PREFIX, [PART_LABEL] = OSSL_KDF_PARAM_LABEL,
    [PART_DATA] = OSSL_KDF_PARAM_DATA,
};

static void parts_find(const OSSL_PARAM *p, const OSSL_PARAM *parts[PARTS])
{
    size_t next = 0;

    for (; p && p->key; p++) {
        for (size_t i = 0; i < PARTS; i++) {
            size_t at = (next + i) % PARTS;

            if (strcmp(p->key, part_names[at]) == 0) {
                parts[at] = p;
                next = at + 1;
                break;
            }
        }
    }
}

/* All that a derivation needs comes with the call: nothing is kept between calls, and one
 * context serves for all. */
static void *kdf_new(void *provider)
{
    static char only;

    (void)provider;
    return &only;
}

static void kdf_free(void *kdf)
{
    (void)kdf;
}

static int kdf_derive(void *kdf, unsigned char *out, size_t n, const OSSL_PARAM params[])
{
    const OSSL_PARAM *parts[PARTS] = { NULL };
    const struct hmac_hash *hash = NULL;
    struct hmac_label l;
    int mode;

    (void)kdf;
    parts_find(params, parts);
    if (!param_hash(parts[PART_DIGEST], &hash) || !hash ||
        !OSSL_PARAM_get_int(parts[PART_MODE], &mode))
        return 0;
    l = (struct hmac_label){ .prefix = param_octets(parts[PART_PREFIX]),
                             .label = param_octets(parts[PART_LABEL]),
                             .data = param_octets(parts[PART_DATA]) };
    if (mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY && parts[PART_KEY])
        return hmac_expand(hash, param_octets(parts[PART_KEY]), &l, out, n);
    if (mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY && n == hmac_size(hash))
        return hmac_extract(hash, param_octets(parts[PART_SALT]), param_octets(parts[PART_KEY]), &l,
                            out);
    return 0;
}

static const OSSL_DISPATCH kdf_functions[] = {
    { OSSL_FUNC_KDF_NEWCTX, (void (*)(void))kdf_new },
    { OSSL_FUNC_KDF_FREECTX, (void (*)(void))kdf_free },
    { OSSL_FUNC_KDF_DERIVE, (void (*)(void))kdf_derive },
    { 0, NULL },
};

/* ---- HMAC ---- */

struct mac {
    const struct hmac_hash *hash;
    bool has_key;
    struct hmac h;
};

static void *mac_new(void *provider)
{
    (void)provider;
    return OPENSSL_zalloc(sizeof(struct mac));
}

static void mac_free(void *mac)
{
    OPENSSL_clear_free(mac, sizeof(struct mac));
}

static int mac_key(struct mac *m, struct str key)
{
    if (!m->hash)
        return 0;
    hmac_start(&m->h, m->hash, key);
    m->has_key = true;
    return 1;
}

static int mac_set(void *mac, const OSSL_PARAM params[])
{
    struct mac *m = mac;
    const OSSL_PARAM *key;

    if (!params)
        return 1;
    if (!param_hash(OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_DIGEST), &m->hash))
        return 0;
    key = OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_KEY);
    return !key || mac_key(m, param_octets(key));
}

static const OSSL_PARAM *mac_settable(void *mac, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)mac, (void)provider;
    return params;
}

static int mac_get(void *mac, OSSL_PARAM params[])
{
    const struct mac *m = mac;
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_SIZE);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_BLOCK_SIZE);

    return (!size || OSSL_PARAM_set_size_t(size, m->hash ? hmac_size(m->hash) : 0)) &&
           (!block || OSSL_PARAM_set_size_t(block, m->hash ? hmac_block(m->hash) : 0));
}

static const OSSL_PARAM *mac_gettable(void *mac, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, NULL),
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_BLOCK_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)mac, (void)provider;
    return params;
}

static int mac_init(void *mac, const unsigned char *key, size_t n, const OSSL_PARAM params[])
{
    struct mac *m = mac;

    if (!mac_set(m, params))
        return 0;
    return key ? mac_key(m, str_make((const char *)key, n)) : m->has_key;
}

static int mac_add(void *mac, const unsigned char *octets, size_t n)
{
    struct mac *m = mac;

    if (m->has_key)
        hmac_add(&m->h, str_make((const char *)octets, n));
    return m->has_key;
}

static int mac_end(void *mac, unsigned char *out, size_t *n, size_t size)
{
    struct mac *m = mac;

    if (!m->has_key || size < hmac_size(m->hash))
        return 0;
    hmac_end(&m->h, out);
    m->has_key = false;
    *n = hmac_size(m->hash);
    return 1;
}

static const OSSL_DISPATCH mac_functions[] = {
    { OSSL_FUNC_MAC_NEWCTX, (void (*)(void))mac_new },
    { OSSL_FUNC_MAC_FREECTX, (void (*)(void))mac_free },
    { OSSL_FUNC_MAC_INIT, (void (*)(void))mac_init },
    { OSSL_FUNC_MAC_UPDATE, (void (*)(void))mac_add },
    { OSSL_FUNC_MAC_FINAL, (void (*)(void))mac_end },
    { OSSL_FUNC_MAC_SET_CTX_PARAMS, (void (*)(void))mac_set },
    { OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, (void (*)(void))mac_settable },
    { OSSL_FUNC_MAC_GET_CTX_PARAMS, (void (*)(void))mac_get },
    { OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, (void (*)(void))mac_gettable },
    { 0, NULL },
};

/* ---- the provider ---- */

/* OpenSSL's default provider, in a library context that holds nothing else. Made once and kept;
 * its objects may be used by all threads. */
static OSSL_PROVIDER *standard;
static OSSL_ALGORITHM kdfs[3]; /* ours, TLS 1.2's, the end */
static const OSSL_ALGORITHM macs[] = { { "HMAC", PROPERTIES, mac_functions, NULL },
                                       { NULL, NULL, NULL, NULL } };

static void standard_load(void)
{
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    const OSSL_ALGORITHM *of_standard;
    int no_cache;

    MUST(ctx != NULL);
    standard = OSSL_PROVIDER_load(ctx, "default");
    MUST(standard != NULL);
    kdfs[0] = (OSSL_ALGORITHM){ OSSL_KDF_NAME_TLS1_3_KDF, PROPERTIES, kdf_functions, NULL };
    of_standard = OSSL_PROVIDER_query_operation(standard, OSSL_OP_KDF, &no_cache);
    for (; of_standard->algorithm_names; of_standard++) {
        if (strcmp(of_standard->algorithm_names, OSSL_KDF_NAME_TLS1_PRF) == 0)
            kdfs[1] = *of_standard;
    }
}

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
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
    bool others = false;

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
