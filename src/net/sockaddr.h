/*
 * net/sockaddr - addresses as the kernel writes them.
 */
#pragma once

#include "base/addr.h"

#include <sys/socket.h>

/* Fills `out`; returns its length. The address must be set. */
socklen_t sockaddr_of_addr(const struct addr *a, struct sockaddr_storage *out);
/* IPv4 mapped into IPv6 (a dual-stack listener's peers) comes out as IPv4; other families
 * as "none". */
struct addr sockaddr_to_addr(const struct sockaddr_storage *s);
/* The local address of a socket; none when the kernel does not say. */
struct addr sockaddr_local(int fd);
