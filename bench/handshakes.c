/*
 * bench/handshakes - a client that does nothing but TLS handshakes, each with one GET behind it.
 *
 *     bench-handshakes PORT SNI COUNT full|resumed
 *
 * Blocking, one connection after the other, TLS 1.3. `resumed`: each connection offers the ticket
 * of the one before; it prints how many were accepted. Certificates are not checked.
 */
#include "bench/far.h"

#include <openssl/ssl.h>

static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static int dial(int port)
{
    struct sockaddr_in address = far_address(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        far_die("connect");
    far_nodelay(fd);
    return fd;
}

/* True: the session was resumed. */
static bool one(SSL_CTX *ctx, int port, const char *sni, bool resume)
{
    char request[512], octets[4096];
    int fd = dial(port);
    SSL *ssl = SSL_new(ctx);
    bool reused;
    int n = snprintf(request, sizeof(request),
                     "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", sni);

    SSL_set_tlsext_host_name(ssl, sni);
    if (resume && ticket)
        SSL_set_session(ssl, ticket);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, n) != n ||
        SSL_read(ssl, octets, 4096) <= 0)
        far_die("handshake");
    while (SSL_read(ssl, octets, sizeof(octets)) > 0)
        ;
    reused = SSL_session_reused(ssl);
    SSL_shutdown(ssl); /* or the session is taken for a broken one */
    SSL_free(ssl);
    close(fd);
    return reused;
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int count = argc == 5 ? atoi(argv[3]) : 0, reused = 0;
    bool resume = argc == 5 && strcmp(argv[4], "resumed") == 0;

    if (count < 1) {
        fprintf(stderr, "usage: bench-handshakes PORT SNI COUNT full|resumed\n");
        return 64;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(ctx, keep_ticket);
    for (int i = 0; i < count; i++)
        reused += one(ctx, atoi(argv[1]), argv[2], resume);
    printf("%d handshakes, %d resumed\n", count, reused);
    SSL_SESSION_free(ticket);
    SSL_CTX_free(ctx);
    return 0;
}
