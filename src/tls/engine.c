#include "tls/engine.h"

#include "tls/context_int.h"
#include "tls/engine_int.h"
#include "tls/fault.h"
#include "tls/keypair_int.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

/* What others left in the thread's error queue would be taken for ours. Clearing an empty
 * queue costs as much as a short record's cipher: so look first. */
static void errors_forget(void)
{
    if (UNLIKELY(ERR_peek_error() != 0))
        ERR_clear_error();
}

/* ---- the carrier as a BIO ---- */

static int carrier_read(BIO *b, char *into, int n)
{
    struct engine *e = BIO_get_data(b);
    size_t got = e->carrier->pull(e, into, (size_t)n);

    BIO_clear_retry_flags(b);
    if (got > 0)
        return (int)got;
    BIO_set_retry_read(b);
    return -1;
}

static int carrier_write(BIO *b, const char *p, int n)
{
    struct engine *e = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    return e->carrier->push(e, str_make(p, (size_t)n)) ? n : -1;
}

/* Nothing is buffered in here: what was pushed is the carrier's to send. */
static long carrier_control(BIO *b, int what, long number, void *arg)
{
    (void)b, (void)number, (void)arg;
    return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *carrier_method;

static void carrier_method_free(void)
{
    BIO_meth_free(carrier_method);
    carrier_method = NULL;
}

static void carrier_method_make(void)
{
    carrier_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carrier");
    MUST(carrier_method != NULL);
    BIO_meth_set_read(carrier_method, carrier_read);
    BIO_meth_set_write(carrier_method, carrier_write);
    BIO_meth_set_ctrl(carrier_method, carrier_control);
    OPENSSL_atexit(carrier_method_free);
}

static BIO *carrier_bio(struct engine *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *b;

    pthread_once(&once, carrier_method_make);
    b = BIO_new(carrier_method);
    if (!b)
        return NULL;
    BIO_set_data(b, e);
    BIO_set_init(b, 1);
    return b;
}

/* ---- beginning and end ---- */

bool engine_begin(struct engine *e, const struct engine_carrier *carrier,
                  struct tls_context *take_context)
{
    BIO *b;

    *e = (struct engine){ .carrier = carrier, .context = take_context };
    b = carrier_bio(e);
    e->ssl = b ? SSL_new(take_context->ctx) : NULL;
    if (e->ssl && SSL_set_app_data(e->ssl, e) == 1) {
        SSL_set_bio(e->ssl, b, b);
        return true;
    }
    BIO_free(b);
    engine_fini(e);
    errors_forget();
    return false;
}

bool engine_start(struct engine *e, const struct engine_carrier *carrier,
                  struct tls_context *take_context, struct tls_keypair *const *keypairs, size_t n,
                  struct str binding)
{
    MUST(n <= ENGINE_KEYPAIRS_MAX && binding.n <= SSL_MAX_SID_CTX_LENGTH);
    if (!engine_begin(e, carrier, take_context))
        return false;
    for (size_t i = 0; i < n; i++)
        e->keypairs[i] = tls_keypair_ref(keypairs[i]);
    MUST(SSL_set_session_id_context(e->ssl, (const unsigned char *)binding.p,
                                    (unsigned)binding.n) == 1); /* copies it into `ssl` */
    SSL_set_accept_state(e->ssl);
    return true;
}

static void keypairs_drop(struct engine *e)
{
    for (size_t i = 0; i < ENGINE_KEYPAIRS_MAX; i++) {
        tls_keypair_unref(e->keypairs[i]);
        e->keypairs[i] = NULL;
    }
}

void engine_check_new(struct engine *e, const struct tls_demand *d)
{
    e->check = must_alloc(sizeof(*e->check));
    e->check->demand = *d;
    if (d->trust)
        tls_trust_ref(d->trust);
}

static void check_drop(struct engine *e)
{
    if (LIKELY(!e->check))
        return;
    tls_trust_unref(e->check->demand.trust);
    free(e->check);
    e->check = NULL;
}

void engine_fini(struct engine *e)
{
    SSL_free(e->ssl);
    e->ssl = NULL;
    keypairs_drop(e);
    check_drop(e);
    tls_context_unref(e->context);
    e->context = NULL;
}

/* ---- the handshake ---- */

bool engine_attach_keypairs(struct engine *e)
{
    for (size_t i = 0; i < ENGINE_KEYPAIRS_MAX && e->keypairs[i]; i++) {
        struct tls_keypair *kp = e->keypairs[i];

        if (SSL_use_cert_and_key(e->ssl, kp->leaf, kp->key, kp->chain, 1) != 1)
            return false;
    }
    return true;
}

struct tls_contexts *engine_contexts(struct engine *e)
{
    return e->context->all;
}

enum err engine_accept(struct engine *e, char *text, size_t size)
{
    int result;

    errors_forget();
    result = SSL_do_handshake(e->ssl);
    if (result == 1 && e->check && engine_has_expired(e)) {
        fault_envoy(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED),
                    "certificate has expired", text, size, "");
        e->failed = true;
        return ERR_TLS;
    }
    if (result == 1) {
        e->open = true;
        keypairs_drop(e);
        check_drop(e);
        return ERR_OK;
    }
    if (SSL_get_error(e->ssl, result) == SSL_ERROR_WANT_READ)
        return ERR_AGAIN;
    fault_envoy(ERR_peek_error(), e->check ? e->check->unverified : "", text, size,
                "TLS handshake failed");
    errors_forget();
    return ERR_TLS;
}

struct engine_names engine_describe(const struct engine *e)
{
    struct engine_names names = { .version = str_of(SSL_get_version(e->ssl)),
                                  .cipher = str_of(SSL_get_cipher_name(e->ssl)),
                                  .resumed = SSL_session_reused(e->ssl) == 1 };
    const unsigned char *alpn;
    unsigned n;

    SSL_get0_alpn_selected(e->ssl, &alpn, &n);
    if (n)
        names.alpn = str_make((const char *)alpn, n);
    return names;
}

/* ---- octets ---- */

static enum err read_error(struct engine *e, int result)
{
    int why = SSL_get_error(e->ssl, result);

    if (why == SSL_ERROR_WANT_READ)
        return ERR_AGAIN;
    if (why == SSL_ERROR_ZERO_RETURN)
        return ERR_EOF;
    e->fault = ERR_peek_error();
    errors_forget();
    e->failed = true;
    return ERR_TLS;
}

struct str engine_fault(const struct engine *e, char *out, size_t size)
{
    return fault_envoy(e->fault, "", out, size, "TLS connection failed");
}

void engine_note(const struct ssl_st *ssl, int where, int value)
{
    struct engine *e = SSL_get_app_data(ssl);

    (void)value;
    if (e->open && (where == SSL_CB_ACCEPT_LOOP || where == SSL_CB_CONNECT_LOOP))
        e->messages++;
}

static bool is_flooded(struct engine *e)
{
    if (LIKELY(e->messages <= ENGINE_MESSAGES_MAX + e->octets / 1024))
        return false;
    e->fault = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TOO_MANY_KEY_UPDATES);
    e->failed = true;
    return true;
}

ssize_t engine_read(struct engine *e, char *into, size_t n)
{
    size_t all = 0, got;
    enum err why = e->failed ? ERR_TLS : ERR_OK;

    errors_forget();
    while (all < n && why == ERR_OK) {
        int result = SSL_read_ex(e->ssl, into + all, n - all, &got);

        if (result != 1)
            why = read_error(e, result);
        else if ((all += got) < n && !SSL_has_pending(e->ssl) && !e->carrier->more(e))
            break;
    }
    e->octets += all;
    if (is_flooded(e) && !all)
        why = ERR_TLS;
    return all ? (ssize_t)all : -(ssize_t)why;
}

bool engine_write(struct engine *e, struct str octets)
{
    size_t taken = 0;

    MUST(octets.n > 0 && octets.n <= ENGINE_RECORD_MAX);
    errors_forget();
    if (!e->shut && !e->failed && SSL_write_ex(e->ssl, octets.p, octets.n, &taken) == 1)
        return true;
    errors_forget();
    e->failed = true;
    return false;
}

void engine_finish(struct engine *e)
{
    if (!e->ssl || !e->open || e->shut || e->failed)
        return;
    e->shut = true;
    errors_forget();
    (void)SSL_shutdown(e->ssl);
    errors_forget();
}

bool engine_has_more(const struct engine *e)
{
    return SSL_pending(e->ssl) > 0 || e->failed ||
           (SSL_get_shutdown(e->ssl) & SSL_RECEIVED_SHUTDOWN);
}

bool engine_is_inside_record(const struct engine *e)
{
    return SSL_has_pending(e->ssl) == 1;
}
