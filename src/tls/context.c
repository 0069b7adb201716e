#include "tls/context.h"

#include "base/buf.h"
#include "tls/context_int.h"
#include "tls/engine_int.h"
#include "tls/resume_int.h"
#include "tls/verify_int.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>

#define CONTEXTS_MAX 256
#define TICKET_LIFETIME_S 7200 /* Envoy's default */
#define PROFILE_OCTETS_MAX 65536

/* Envoy's list for servers, in its order; all with forward secrecy. */
static const char default_ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                                      "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
                                      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
static const char tls13_suites[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* ---- the profile as octets ---- */

static void list_add(struct buf *b, const struct str *v, size_t n)
{
    buf_printf(b, "%zu", n);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, ":%zu:", v[i].n);
        buf_add(b, v[i]);
    }
    buf_addc(b, ';');
}

static bool profile_key(struct buf *b, const struct tls_setup *s)
{
    buf_printf(b, "%c%x-%x;", s->is_client ? 'c' : 's', s->min_version, s->max_version);
    list_add(b, s->ciphers, s->cipher_count);
    list_add(b, s->alpn, s->alpn_count);
    return !b->full;
}

/* ---- callbacks of a handshake ---- */

static int attach_certificates(SSL *ssl, void *arg)
{
    (void)arg;
    return engine_attach_keypairs(SSL_get_app_data(ssl)) ? 1 : 0;
}

/* The server's order counts, as in Envoy. Without a common protocol the connection goes on
 * without one. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                       const unsigned char *in, unsigned in_n, void *arg)
{
    const struct tls_context *c = arg;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_n, c->alpn, c->alpn_n, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool ticket_key_use(struct tls_contexts *all, const struct ticket_key *k, unsigned char *iv,
                           EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool encrypt)
{
    char digest[] = "SHA256";
    unsigned char key[sizeof(k->mac)];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool fine;

    memcpy(key, k->mac, sizeof(key));
    fine = EVP_CipherInit_ex(cipher, all->ticket_cipher, NULL, k->cipher, iv, encrypt) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
    OPENSSL_cleanse(key, sizeof(key));
    return fine;
}

/* 1: use the key; 2: use it and give a new ticket; 0: no such key, full handshake. A TLS 1.3
 * client uses a ticket once (RFC 8446, C.4): without a new one it could resume every other time. */
static int ticket_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                           EVP_MAC_CTX *mac, int encrypt)
{
    struct tls_contexts *all = engine_contexts(SSL_get_app_data(ssl));
    const struct ticket_key *k;

    tickets_refresh(&all->tickets);
    k = all->tickets.keys;
    if (encrypt) {
        memcpy(name, k->name, TICKET_NAME_LEN);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(all->ticket_cipher)) != 1)
            return -1;
        return ticket_key_use(all, k, iv, cipher, mac, true) ? 1 : -1;
    }
    for (size_t i = 0; i < all->tickets.n; i++, k++) {
        if (memcmp(name, k->name, TICKET_NAME_LEN) != 0)
            continue;
        if (!ticket_key_use(all, k, iv, cipher, mac, false))
            return -1;
        return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
    return 0;
}

/* ---- making a context ---- */

static bool set_versions(SSL_CTX *ctx, const struct tls_setup *s)
{
    int min = s->min_version ? s->min_version : TLS1_2_VERSION;
    int max = s->max_version ? s->max_version : TLS1_3_VERSION;

    if (min < TLS1_2_VERSION)
        SSL_CTX_set_security_level(ctx, 0); /* SHA-1 signatures: asked for by name */
    return min <= max && SSL_CTX_set_min_proto_version(ctx, min) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, max) == 1;
}

/* A cipher's name and not one of OpenSSL's commands: "ALL", "!x", "@SECLEVEL=0". */
static bool cipher_is_name(struct str name)
{
    if (str_find(name, '-') == name.n)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !(c == '-' && i > 0))
            return false;
    }
    return true;
}

static bool set_ciphers(SSL_CTX *ctx, const struct tls_setup *s)
{
    struct buf list;
    bool fine;

    if (SSL_CTX_set_ciphersuites(ctx, tls13_suites) != 1)
        return false;
    if (s->cipher_count == 0)
        return SSL_CTX_set_cipher_list(ctx, default_ciphers) == 1;
    buf_init(&list, PROFILE_OCTETS_MAX);
    for (size_t i = 0; i < s->cipher_count; i++) {
        if (cipher_is_name(s->ciphers[i]))
            buf_printf(&list, "%s%.*s", list.n ? ":" : "", STRF(s->ciphers[i]));
    }
    buf_addc(&list, '\0');
    fine = list.n > 1 && !list.full && SSL_CTX_set_cipher_list(ctx, list.p) == 1;
    buf_fini(&list);
    return fine;
}

static bool set_alpn(struct tls_context *c, const struct tls_setup *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->alpn_count; i++) {
        if (s->alpn[i].n == 0 || s->alpn[i].n > 255)
            return false;
        n += s->alpn[i].n + 1;
    }
    if (n == 0)
        return true;
    c->alpn = must_alloc(n);
    for (size_t i = 0; i < s->alpn_count; i++) {
        c->alpn[c->alpn_n++] = (unsigned char)s->alpn[i].n;
        memcpy(c->alpn + c->alpn_n, s->alpn[i].p, s->alpn[i].n);
        c->alpn_n += (unsigned)s->alpn[i].n;
    }
    if (s->is_client)
        return SSL_CTX_set_alpn_protos(c->ctx, c->alpn, c->alpn_n) == 0;
    SSL_CTX_set_alpn_select_cb(c->ctx, choose_alpn, c);
    return true;
}

static void set_client(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, resume_keep);
}

static void set_server(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* nothing is kept here: sessions live in the clients' tickets */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, TICKET_LIFETIME_S);
    SSL_CTX_set_num_tickets(ctx, 1); /* each costs 20 us (performance.md 4) */
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_callback);
    SSL_CTX_set_cert_cb(ctx, attach_certificates, NULL);
}

static void set_the_rest(SSL_CTX *ctx, const struct tls_setup *s)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_cert_verify_callback(ctx, verify_callback, NULL);
    SSL_CTX_set_info_callback(ctx, engine_note);
    if (s->is_client)
        set_client(ctx);
    else
        set_server(ctx);
}

static void context_free(struct tls_context *c)
{
    SSL_CTX_free(c->ctx);
    free(c->alpn);
    free((void *)(uintptr_t)c->key.p);
    free(c);
}

static struct tls_context *context_new(struct tls_contexts *all, const struct tls_setup *s,
                                       struct str *reterr)
{
    struct tls_context *c = must_alloc(sizeof(*c));

    c->all = all;
    c->ctx = SSL_CTX_new_ex(all->library.ctx, NULL,
                            s->is_client ? TLS_client_method() : TLS_server_method());
    MUST(c->ctx != NULL);
    if (!set_versions(c->ctx, s))
        *reterr = STR("no TLS version is between the lowest and the highest allowed");
    else if (!set_ciphers(c->ctx, s))
        *reterr = STR("none of the cipher suites is known");
    else if (!set_alpn(c, s))
        *reterr = STR("a protocol's name is empty or too long");
    else if (SSL_CTX_set1_groups_list(c->ctx, "X25519:P-256") != 1)
        *reterr = STR("the key exchange groups are unknown");
    else {
        set_the_rest(c->ctx, s);
        return c;
    }
    ERR_clear_error();
    context_free(c);
    return NULL;
}

/* ---- the worker's contexts ---- */

struct tls_contexts *tls_contexts_new(void)
{
    struct tls_contexts *all = must_alloc(sizeof(*all));

    map_init(&all->by_key);
    library_open(&all->library);
    all->ticket_cipher = EVP_CIPHER_fetch(all->library.ctx, "AES-256-CBC", NULL);
    MUST(all->ticket_cipher != NULL);
    return all;
}

void tls_contexts_free(struct tls_contexts *all)
{
    const struct map_entry *e;
    size_t at = 0;

    if (!all)
        return;
    while ((e = map_next(&all->by_key, &at)) != NULL) {
        struct tls_context *c = e->value;

        MUST(c->users == 0);
        context_free(c);
    }
    map_fini(&all->by_key);
    EVP_CIPHER_free(all->ticket_cipher);
    library_close(&all->library);
    tickets_wipe(&all->tickets);
    free(all);
}

/* Makes room by forgetting a profile that no handshake uses. False: all are in use. */
static bool forget_one(struct tls_contexts *all)
{
    const struct map_entry *e;
    size_t at = 0;

    while ((e = map_next(&all->by_key, &at)) != NULL) {
        struct tls_context *c = e->value;

        if (c->users == 0) {
            map_del(&all->by_key, c->key);
            context_free(c);
            return true;
        }
    }
    return false;
}

static struct tls_context *context_add(struct tls_contexts *all, struct str key,
                                       const struct tls_setup *s, struct str *reterr)
{
    struct tls_context *c;
    char *copy;

    if (all->by_key.n >= CONTEXTS_MAX && !forget_one(all)) {
        *reterr = STR("too many TLS profiles are in use");
        return NULL;
    }
    c = context_new(all, s, reterr);
    if (!c)
        return NULL;
    copy = must_alloc(key.n);
    memcpy(copy, key.p, key.n);
    c->key = str_make(copy, key.n);
    map_put(&all->by_key, c->key, c);
    return c;
}

struct tls_context *tls_context_get(struct tls_contexts *all, const struct tls_setup *s,
                                    struct str *reterr)
{
    struct tls_context *c = NULL;
    struct buf key;

    buf_init(&key, PROFILE_OCTETS_MAX);
    if (profile_key(&key, s)) {
        c = map_get(&all->by_key, buf_str(&key));
        if (!c)
            c = context_add(all, buf_str(&key), s, reterr);
    } else {
        *reterr = STR("the TLS profile is too long");
    }
    buf_fini(&key);
    if (c)
        c->users++;
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c)
        return;
    MUST(c->users > 0);
    c->users--;
}

size_t tls_contexts_count(const struct tls_contexts *all)
{
    return all->by_key.n;
}
