/*
 * http/h1_nap - a server's HTTP/1 connection between requests, without driver and transport.
 *
 * An idle connection is given this little when nothing has come for a while: the HTTP/1 driver
 * goes, and a socket's transport leaves its descriptor (others stay whole). What arrives makes the
 * driver again. It stands in the place of the connection as one that became HTTP/2 does:
 * `server->replaced` tells the owner.
 */
#pragma once

#include "http/conn_int.h"

size_t h1_nap_size(void);

/* Takes the transport of `c`, idle since `idle_ms`, and all that is known about it. NULL: no
 * memory for it, and nothing was taken. */
struct http_conn *h1_nap_new(struct http_conn *c, uint64_t idle_ms);
