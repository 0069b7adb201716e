/*
 * echo/serve - echo servers on one loop: listeners in, answers of echo/answer out.
 *
 * One thread. HTTP/1 and HTTP/2 on clear text (prior knowledge) and TLS (ALPN), and TCP that
 * sends octets back; gRPC where the identity says so. The sockets are opened by the caller.
 */
#pragma once

#include "base/err.h"
#include "echo/answer.h"
#include "http/conn.h"
#include "net/listen.h"
#include "net/net.h"

enum echo_kind { ECHO_HTTP, ECHO_TLS, ECHO_TCP };

struct echo_server; /* of one loop */
struct echo_listener;

/* `max_connections` of all listeners together. */
struct echo_server *echo_server_new(struct loop *loop, size_t max_connections);
/* Stops all listeners and ends all connections at once; runs the loop for that. */
void echo_server_free(struct echo_server *s);

/* Serves a listening socket, which it takes over. `who` is copied. `tls` for ECHO_TLS: is
 * borrowed until the server is freed. NULL: the kernel refused; the socket is closed. */
struct echo_listener *echo_listen(struct echo_server *s, int take_fd, enum echo_kind kind,
                                  const struct echo_identity *who, const struct tls_chooser *tls);
/* Stops accepting; connections go on until they are idle. Frees `l` when the last is gone. */
void echo_unlisten(struct echo_listener *l);
