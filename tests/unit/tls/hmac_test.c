#include "tls/hmac.h"
#include "unit/check.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

static const char *const names[] = { "SHA2-256", "SHA2-384" };

/* `n` octets that differ from each other and from seed to seed. */
static struct str octets(char *into, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        into[i] = (char)(seed + i * 7);
    return str_make(into, n);
}

TEST(hmac_is_what_openssl_says)
{
    static const size_t keys[] = { 1, 31, 32, 48, 63, 64, 65, 127, 128, 129, 300 };
    static const size_t texts[] = { 0, 1, 55, 56, 64, 111, 112, 128, 129, 400 };
    char key_octets[300], text_octets[400];
    uint8_t got[HMAC_SIZE_MAX], want[EVP_MAX_MD_SIZE];

    for (size_t i = 0; i < LEN(names) * LEN(keys) * LEN(texts); i++) {
        const char *name = names[i % LEN(names)];
        const struct hmac_hash *hash = hmac_hash_of(name);
        struct str key = octets(key_octets, keys[i / LEN(names) % LEN(keys)], 3);
        struct str text = octets(text_octets, texts[i / LEN(names) / LEN(keys)], 5);
        struct hmac h;

        CASE(i);
        HMAC(EVP_get_digestbyname(i % LEN(names) ? "SHA384" : "SHA256"), key.p, (int)key.n,
             (const uint8_t *)text.p, text.n, want, NULL);
        hmac_start(&h, hash, key);
        hmac_add(&h, str_sub(text, 0, 100));
        hmac_add(&h, str_from(text, 100));
        hmac_end(&h, got);
        CHECK(memcmp(got, want, hmac_size(hash)) == 0);
    }
}

/* RFC 8448, 3: the same in each handshake without a pre-shared key. */
TEST(the_key_schedule_begins_with_rfc_8448s_secrets)
{
    static const uint8_t early[] = { 0x33, 0xad, 0x0a, 0x1c, 0x60, 0x7e, 0xc0, 0x3b,
                                     0x09, 0xe6, 0xcd, 0x98, 0x93, 0x68, 0x0c, 0xe2,
                                     0x10, 0xad, 0xf3, 0x00, 0xaa, 0x1f, 0x26, 0x60,
                                     0xe1, 0xb2, 0x2e, 0x10, 0xf1, 0x70, 0xf9, 0x2a };
    static const uint8_t derived[] = { 0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5,
                                       0x67, 0x8f, 0x54, 0xfc, 0x9d, 0xba, 0xb6, 0x97,
                                       0x16, 0xc0, 0x76, 0x18, 0x9c, 0x48, 0x25, 0x0c,
                                       0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba };
    const struct hmac_hash *hash = hmac_hash_of("SHA256");
    struct hmac_label l = { STR("tls13 "), STR("derived"), STR_NONE };
    uint8_t got[HMAC_SIZE_MAX], nothing[SHA256_DIGEST_LENGTH];

    CHECK(hmac_extract(hash, STR_NONE, STR_NONE, &l, got));
    CHECK(memcmp(got, early, sizeof(early)) == 0);
    EVP_Digest("", 0, nothing, NULL, EVP_sha256(), NULL);
    l.data = str_make((char *)nothing, sizeof(nothing));
    CHECK(hmac_expand(hash, str_make((char *)early, sizeof(early)), &l, got, sizeof(derived)));
    CHECK(memcmp(got, derived, sizeof(derived)) == 0);
}

static void openssl_derive(const char *name, int mode, struct str salt, struct str key,
                           const struct hmac_label *l, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[8], *p = params;

    *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)name, 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (void *)(uintptr_t)l->prefix.p,
                                             l->prefix.n);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (void *)(uintptr_t)l->label.p,
                                             l->label.n);
    if (key.n)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p,
                                                 key.n);
    if (salt.n)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p,
                                                 salt.n);
    if (l->data.n)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA, (void *)(uintptr_t)l->data.p,
                                                 l->data.n);
    *p = OSSL_PARAM_construct_end();
    CHECK_EQ(EVP_KDF_derive(ctx, out, n, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

TEST(secrets_are_derived_as_openssl_does)
{
    static const struct {
        size_t secret, label, data, n;
    } rows[] = { { 32, 3, 0, 16 },   { 32, 2, 0, 12 },    { 32, 8, 0, 32 },     { 48, 12, 48, 48 },
                 { 48, 3, 0, 32 },   { 32, 249, 48, 1 },  { 32, 12, 32, 33 },   { 48, 1, 0, 97 },
                 { 32, 5, 32, 500 }, { 32, 5, 32, 8160 }, { 48, 5, 48, 12240 }, { 32, 1, 1, 0 } };
    static uint8_t got[12240], want[12240];
    char a[64], b[256], c[64];

    for (size_t i = 0; i < LEN(rows) * LEN(names); i++) {
        size_t row = i / LEN(names);
        const char *name = names[i % LEN(names)];
        const struct hmac_hash *hash = hmac_hash_of(name);
        struct str secret = octets(a, rows[row].secret, 1);
        struct hmac_label l = { STR("tls13 "), octets(b, rows[row].label, 2),
                                octets(c, rows[row].data, 3) };

        CASE(i);
        if (rows[row].n && rows[row].n <= 255 * hmac_size(hash)) {
            CHECK(hmac_expand(hash, secret, &l, got, rows[row].n));
            openssl_derive(name, EVP_KDF_HKDF_MODE_EXPAND_ONLY, STR_NONE, secret, &l, want,
                           rows[row].n);
            CHECK(memcmp(got, want, rows[row].n) == 0);
        }
        l.data = STR_NONE;
        CHECK(hmac_extract(hash, secret, l.label, &l, got));
        openssl_derive(name, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, l.label, &l, want,
                       hmac_size(hash));
        CHECK(memcmp(got, want, hmac_size(hash)) == 0);
    }
}

TEST(what_a_length_octet_cannot_say_is_refused)
{
    static char many[300];
    static uint8_t out[255 * 32 + 1];
    const struct hmac_hash *hash = hmac_hash_of("SHA256");
    struct str secret = STR("secret");
    struct hmac_label label = { STR("tls13 "), str_make(many, 250), STR_NONE };
    struct hmac_label data = { STR("tls13 "), STR("x"), str_make(many, 256) };
    struct hmac_label fine = { STR("tls13 "), STR("x"), STR_NONE };

    CHECK(!hmac_expand(hash, secret, &label, out, 32));
    CHECK(!hmac_expand(hash, secret, &data, out, 32));
    CHECK(!hmac_expand(hash, secret, &fine, out, sizeof(out)));
    CHECK(hmac_expand(hash, secret, &fine, out, sizeof(out) - 1));
    CHECK(hmac_hash_of("SHA1") == NULL);
}
