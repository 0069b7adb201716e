#include "tls/library.h"
#include "unit/check.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

TEST(a_worker_derives_keys_itself_and_takes_all_else_from_openssl)
{
    struct library l;
    EVP_KDF *kdf, *old, *other;
    EVP_MAC *mac;
    EVP_CIPHER *cipher;
    EVP_MD *md;

    library_open(&l);
    kdf = EVP_KDF_fetch(l.ctx, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    old = EVP_KDF_fetch(l.ctx, OSSL_KDF_NAME_TLS1_PRF, NULL);
    other = EVP_KDF_fetch(l.ctx, "HKDF", NULL); /* nobody in TLS asks for it */
    mac = EVP_MAC_fetch(l.ctx, "HMAC", NULL);
    cipher = EVP_CIPHER_fetch(l.ctx, "AES-128-GCM", NULL);
    md = EVP_MD_fetch(l.ctx, "SHA256", NULL);
    CHECK(kdf && old && !other && mac && cipher && md);
    CHECK_STRZ(str_of(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf))), "lateen");
    EVP_KDF_free(kdf);
    EVP_KDF_free(old);
    EVP_MAC_free(mac);
    EVP_CIPHER_free(cipher);
    EVP_MD_free(md);
    library_close(&l);
    library_close(&l);
    ERR_clear_error();
}

TEST(a_code_of_the_worker_is_openssls)
{
    static const unsigned char text[] = "what do ya want for nothing?";
    unsigned char got[EVP_MAX_MD_SIZE], want[EVP_MAX_MD_SIZE];
    struct library l;
    size_t n = 0, m = 0;

    library_open(&l);
    CHECK(EVP_Q_mac(l.ctx, "HMAC", NULL, "SHA384", NULL, "Jefe", 4, text, sizeof(text), got,
                    sizeof(got), &n));
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA384", NULL, "Jefe", 4, text, sizeof(text), want,
                    sizeof(want), &m));
    CHECK(n == 48 && m == 48 && memcmp(got, want, n) == 0);
    CHECK(!EVP_Q_mac(l.ctx, "HMAC", NULL, "SHA1", NULL, "Jefe", 4, text, sizeof(text), got,
                     sizeof(got), &n));
    CHECK(!EVP_Q_mac(l.ctx, "HMAC", NULL, "SHA384", NULL, "Jefe", 4, text, sizeof(text), got, 47,
                     &n));
    library_close(&l);
    ERR_clear_error();
}

TEST(a_code_wants_a_hash_and_a_key_first)
{
    OSSL_PARAM key[] = { OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, "key", 3), OSSL_PARAM_END };
    OSSL_PARAM hash[] = { OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 6),
                          OSSL_PARAM_END };
    unsigned char out[32];
    struct library l;
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;
    size_t n;

    library_open(&l);
    mac = EVP_MAC_fetch(l.ctx, "HMAC", NULL);
    ctx = EVP_MAC_CTX_new(mac);
    CHECK(!EVP_MAC_CTX_set_params(ctx, key));
    CHECK(!EVP_MAC_init(ctx, NULL, 0, hash));
    CHECK(!EVP_MAC_update(ctx, out, 1));
    CHECK(EVP_MAC_CTX_set_params(ctx, key));
    CHECK(EVP_MAC_update(ctx, (const unsigned char *)"x", 1));
    CHECK(EVP_MAC_final(ctx, out, &n, sizeof(out)) && n == 32);
    CHECK(!EVP_MAC_final(ctx, out, &n, sizeof(out))); /* wiped: it needs the key again */
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    library_close(&l);
    ERR_clear_error();
}

TEST(a_derivation_without_its_parts_is_none)
{
    int expand = EVP_KDF_HKDF_MODE_EXPAND_ONLY, extract = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    const OSSL_PARAM digest = OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 6);
    const OSSL_PARAM end = OSSL_PARAM_END;
    OSSL_PARAM no_mode[] = { digest, end };
    OSSL_PARAM no_key[] = { OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &expand), digest, end };
    OSSL_PARAM no_digest[] = { no_key[0], end };
    OSSL_PARAM from_zeros[] = { OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &extract), digest,
                                end };
    unsigned char out[33];
    struct library l;
    EVP_KDF *kdf;
    EVP_KDF_CTX *ctx;

    library_open(&l);
    kdf = EVP_KDF_fetch(l.ctx, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    ctx = EVP_KDF_CTX_new(kdf);
    CHECK_EQ(EVP_KDF_derive(ctx, out, 32, NULL), 0);
    CHECK_EQ(EVP_KDF_derive(ctx, out, 32, no_mode), 0);
    CHECK_EQ(EVP_KDF_derive(ctx, out, 32, no_key), 0);
    CHECK_EQ(EVP_KDF_derive(ctx, out, 32, no_digest), 0);
    CHECK_EQ(EVP_KDF_derive(ctx, out, 33, from_zeros), 0); /* a secret is as long as its hash */
    CHECK_EQ(EVP_KDF_derive(ctx, out, 32, from_zeros), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    library_close(&l);
    ERR_clear_error();
}

TEST(a_nonce_of_tls_has_twelve_octets)
{
    static const char *const names[] = { "AES-128-GCM", "AES-256-GCM" };
    static const unsigned char key[32], nonce[12], text[] = "text";
    size_t other = 16;
    OSSL_PARAM longer[] = { OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, &other), OSSL_PARAM_END };
    unsigned char out[2][16], tags[2][16];
    struct library l;
    int n;

    library_open(&l);
    for (size_t i = 0; i < LEN(names); i++) {
        for (size_t k = 0; k < 2; k++) { /* ours, OpenSSL's */
            EVP_CIPHER *cipher = EVP_CIPHER_fetch(k ? NULL : l.ctx, names[i], NULL);
            EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

            CASE(i);
            CHECK_EQ(EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL), 1);
            CHECK_EQ(EVP_CIPHER_CTX_get_iv_length(ctx), 12);
            CHECK_EQ(EVP_CIPHER_CTX_get_key_length(ctx), i ? 32 : 16);
            CHECK_EQ(EVP_EncryptUpdate(ctx, out[k], &n, text, sizeof(text)), 1);
            CHECK_EQ(EVP_EncryptFinal_ex(ctx, out[k] + n, &n), 1);
            CHECK_EQ(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tags[k]), 1);
            CHECK_EQ(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL), 1);
            if (k == 0)
                CHECK_EQ(EVP_CIPHER_CTX_set_params(ctx, longer), 0);
            EVP_CIPHER_CTX_free(ctx);
            EVP_CIPHER_free(cipher);
        }
        CHECK(memcmp(out[0], out[1], sizeof(text)) == 0);
        CHECK(memcmp(tags[0], tags[1], sizeof(tags[0])) == 0);
    }
    library_close(&l);
    ERR_clear_error();
}

TEST(providers_that_an_operator_loads_are_not_stood_before)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *other = OSSL_PROVIDER_load(NULL, "null");
    struct library l;

    library_open(&l);
    CHECK(l.ctx == NULL);
    library_close(&l);
    OSSL_PROVIDER_unload(other);
    library_open(&l);
    CHECK(l.ctx != NULL);
    library_close(&l);
    OSSL_PROVIDER_unload(standard);
}
