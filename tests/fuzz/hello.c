/*
 * tests/fuzz/hello - our reading of a ClientHello against OpenSSL's: the name by which a
 * filter chain is chosen must be the name that the handshake goes on with.
 */
#include "fuzz.h"

#include "tls/hello.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    bool called, has_name;
    char name[512];
};

static int remember_name(SSL *ssl, int *alert, void *arg)
{
    struct seen *seen = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert, (void)arg;
    seen->called = true;
    seen->has_name = name != NULL;
    if (name)
        str_copy(str_of(name), seen->name, sizeof(seen->name));
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* that was all */
}

static struct seen openssl_reads(const uint8_t *octets, size_t n)
{
    static SSL_CTX *ctx;
    struct seen seen = { .called = false };
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL *ssl;

    if (!ctx) {
        ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_tlsext_servername_callback(ctx, remember_name);
    }
    ssl = SSL_new(ctx);
    BIO_write(in, octets, (int)n);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_app_data(ssl, &seen);
    SSL_set_accept_state(ssl);
    (void)SSL_do_handshake(ssl);
    SSL_free(ssl);
    ERR_clear_error();
    return seen;
}

static void check_same_name(const struct hello *h, const struct seen *seen)
{
    MUST(h->has_name == seen->has_name);
    MUST(!h->has_name || str_eq_nocase(hello_name(h), str_of(seen->name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct hello h, again;
    enum hello_state s = hello_read(str_make((const char *)octets, n), &h);
    struct seen seen;

    /* what was understood once is not understood otherwise when more arrives */
    for (size_t k = n > 40 ? n - 40 : 0; k < n; k++) {
        enum hello_state part = hello_read(str_make((const char *)octets, k), &again);

        MUST(part == HELLO_MORE || part == s);
        if (part == HELLO_DONE)
            MUST(str_eq(hello_name(&again), hello_name(&h)));
    }
    if (s != HELLO_DONE || n > 65536)
        return 0;
    seen = openssl_reads(octets, n);
    if (seen.called)
        check_same_name(&h, &seen);
    return 0;
}
