#include "tls/derive_int.h"
#include "tls/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

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

const OSSL_DISPATCH derive_kdf[] = {
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

const OSSL_DISPATCH derive_hmac[] = {
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
