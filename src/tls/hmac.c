#define OPENSSL_SUPPRESS_DEPRECATED /* SHA-2 itself: EVP costs ten times what it does here */
#include "tls/hmac.h"

#include <openssl/crypto.h>

#define BLOCK_MAX SHA512_CBLOCK
#define LABEL_MAX 255                      /* a length octet's */
#define INFO_MAX (2 + 2 * (1 + LABEL_MAX)) /* HkdfLabel */
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* ---- the hashes ---- */

struct hmac_hash {
    const char *names[2];
    size_t size, block;
    void (*start)(union hmac_state *s);
    void (*add)(union hmac_state *s, const void *octets, size_t n);
    void (*end)(union hmac_state *s, uint8_t *out);
};

static void sha256_start(union hmac_state *s)
{
    SHA256_Init(&s->sha256);
}

static void sha256_add(union hmac_state *s, const void *octets, size_t n)
{
    SHA256_Update(&s->sha256, octets, n);
}

static void sha256_end(union hmac_state *s, uint8_t *out)
{
    SHA256_Final(out, &s->sha256);
}

static void sha384_start(union hmac_state *s)
{
    SHA384_Init(&s->sha384);
}

static void sha384_add(union hmac_state *s, const void *octets, size_t n)
{
    SHA384_Update(&s->sha384, octets, n);
}

static void sha384_end(union hmac_state *s, uint8_t *out)
{
    SHA384_Final(out, &s->sha384);
}

static const struct hmac_hash hashes[] = {
    { { "SHA2-256", "SHA256" },
      SHA256_DIGEST_LENGTH,
      SHA256_CBLOCK,
      sha256_start,
      sha256_add,
      sha256_end },
    { { "SHA2-384", "SHA384" },
      SHA384_DIGEST_LENGTH,
      SHA512_CBLOCK,
      sha384_start,
      sha384_add,
      sha384_end },
};

const struct hmac_hash *hmac_hash_of(const char *name)
{
    for (size_t i = 0; i < LEN(hashes); i++) {
        for (size_t k = 0; k < LEN(hashes[i].names); k++) {
            if (str_eq_nocase(str_of(name), str_of(hashes[i].names[k])))
                return &hashes[i];
        }
    }
    return NULL;
}

size_t hmac_size(const struct hmac_hash *hash)
{
    return hash->size;
}

size_t hmac_block(const struct hmac_hash *hash)
{
    return hash->block;
}

/* ---- HMAC ---- */

static void start_padded(const struct hmac_hash *hash, union hmac_state *s,
                         const uint8_t key[BLOCK_MAX], uint8_t pad)
{
    uint8_t padded[BLOCK_MAX];

    for (size_t i = 0; i < BLOCK_MAX; i++) /* a constant number: by vectors */
        padded[i] = key[i] ^ pad;
    hash->start(s);
    hash->add(s, padded, hash->block);
    OPENSSL_cleanse(padded, hash->block);
}

void hmac_start(struct hmac *h, const struct hmac_hash *hash, struct str key)
{
    uint8_t block[BLOCK_MAX] = { 0 };

    h->hash = hash;
    if (key.n > hash->block) {
        hash->start(&h->inner);
        hash->add(&h->inner, key.p, key.n);
        hash->end(&h->inner, block);
    } else if (key.n) {
        memcpy(block, key.p, key.n);
    }
    start_padded(hash, &h->inner, block, INNER_PAD);
    start_padded(hash, &h->outer, block, OUTER_PAD);
    OPENSSL_cleanse(block, hash->block);
}

void hmac_add(struct hmac *h, struct str octets)
{
    if (octets.n)
        h->hash->add(&h->inner, octets.p, octets.n);
}

void hmac_end(struct hmac *h, uint8_t *out)
{
    const struct hmac_hash *hash = h->hash;
    uint8_t inner[HMAC_SIZE_MAX];

    hash->end(&h->inner, inner);
    hash->add(&h->outer, inner, hash->size);
    hash->end(&h->outer, out);
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(h, sizeof(*h));
}

/* ---- HKDF ---- */

static uint8_t *put(uint8_t *at, struct str octets)
{
    if (octets.n)
        memcpy(at, octets.p, octets.n);
    return at + octets.n;
}

/* HkdfLabel: length, label, context. 0: does not fit. */
static size_t info_write(const struct hmac_label *l, size_t n, uint8_t info[INFO_MAX])
{
    uint8_t *at = info;

    if (n > UINT16_MAX || l->prefix.n + l->label.n > LABEL_MAX || l->data.n > LABEL_MAX)
        return 0;
    *at++ = (uint8_t)(n >> 8);
    *at++ = (uint8_t)n;
    *at++ = (uint8_t)(l->prefix.n + l->label.n);
    at = put(put(at, l->prefix), l->label);
    *at++ = (uint8_t)l->data.n;
    at = put(at, l->data);
    return (size_t)(at - info);
}

bool hmac_expand(const struct hmac_hash *hash, struct str secret, const struct hmac_label *l,
                 uint8_t *out, size_t n)
{
    uint8_t info[INFO_MAX], block[HMAC_SIZE_MAX], number = 0;
    size_t info_n = info_write(l, n, info);
    struct hmac h;

    if (info_n == 0 || n > UINT8_MAX * hash->size)
        return false;
    for (size_t done = 0; done < n; done += hash->size) {
        number++;
        hmac_start(&h, hash, secret);
        if (done)
            hmac_add(&h, str_make((char *)block, hash->size));
        hmac_add(&h, str_make((char *)info, info_n));
        hmac_add(&h, str_make((char *)&number, 1));
        hmac_end(&h, block);
        memcpy(out + done, block, MIN(hash->size, n - done));
    }
    OPENSSL_cleanse(block, sizeof(block));
    return true;
}

bool hmac_extract(const struct hmac_hash *hash, struct str before, struct str fresh,
                  const struct hmac_label *l, uint8_t *out)
{
    static const char zeros[HMAC_SIZE_MAX];
    uint8_t nothing[HMAC_SIZE_MAX], salt[HMAC_SIZE_MAX];
    struct hmac_label derived = *l;
    union hmac_state s;
    struct hmac h;

    if (str_is_set(before)) {
        hash->start(&s);
        hash->end(&s, nothing);
        derived.data = str_make((char *)nothing, hash->size);
        if (!hmac_expand(hash, before, &derived, salt, hash->size))
            return false;
    }
    hmac_start(&h, hash, str_make((char *)salt, str_is_set(before) ? hash->size : 0));
    hmac_add(&h, str_is_set(fresh) ? fresh : str_make(zeros, hash->size));
    hmac_end(&h, out);
    OPENSSL_cleanse(salt, sizeof(salt));
    return true;
}
