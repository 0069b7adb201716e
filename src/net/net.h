/*
 * net/net - a worker's way to the network: accepting, dialling, TLS contexts, memory.
 *
 * One struct net per loop. Everything that opens a connection goes through here, so that a
 * simulation can replace it (design 5.9).
 */
#pragma once

#include "model/parts.h"
#include "model/root.h"
#include "net/transport.h"

struct net;

/* `max_connections` is the door: beyond it accepting waits and dialling says ERR_LIMIT. */
struct net *net_new(struct loop *loop, size_t max_connections);
void net_free(struct net *n);
size_t net_open_count(const struct net *n);
/* Gives memory back to the system that no connection uses: after a burst of TLS connections
 * most of what they took. Takes milliseconds: for an idle turn, not more than once a second. */
void net_trim(struct net *n);

/* Chooses the filter chain when a ClientHello has arrived. Borrowed by the transport until
 * it is open; `sni` is lower case, STR_NONE without. NULL: the handshake is closed. The
 * chain's profile picks the worker's SSL_CTX, its secrets give the certificates (both
 * looked up in `root`, held by the caller for the call only). */
struct tls_chooser {
    const struct chain *(*choose)(const struct tls_chooser *self, struct str sni,
                                  const struct root **ret_root);
};

/* Wraps an accepted, non-blocking descriptor; takes the descriptor over. NULL at the limit
 * (the descriptor is closed). */
struct transport *net_accept(struct net *n, int take_fd, const struct addr *peer,
                             struct task *task);
struct transport *net_accept_tls(struct net *n, int take_fd, const struct addr *peer,
                                 struct task *task, const struct tls_chooser *chooser);

/* How long ago the last octets of the other side arrived at a connected socket, or it was
 * connected; UINT32_MAX: the other side has said that it sends no more. A system call. */
uint32_t net_waited_ms(int fd);

/* The transport of a parked connection, about which there is something to read. NULL: the kernel
 * does not watch it; the descriptor is closed. */
struct transport *net_unpark(struct parked *take, struct task *task);
void net_parked_close(struct parked *take);
struct addr net_parked_local(const struct parked *p);

/* Starts to connect; state OPENING until woken. NULL with a reason when it cannot start. */
struct transport *net_dial(struct net *n, const struct addr *to, struct task *task,
                           enum err *reterr);

/* The same in TLS, as the cluster's `tls` demands. Borrowed for the call, `resume` as long as the
 * transport lives. */
struct tls_resume;
struct tls_dial {
    const struct cluster *cluster;
    const struct root *root; /* where its secrets are */
    struct str name;         /* of the server, or its address: what is asked for and checked; up to
                                255 octets */
    struct tls_resume *resume;
    uint64_t resume_key; /* differs with all that the handshake depends on */
};
struct transport *net_dial_tls(struct net *n, const struct addr *to, struct task *task,
                               const struct tls_dial *how, enum err *reterr);

/* From now on net_dial asks `dial` instead of the kernel: for simulations. */
void net_set_dialler(struct net *n,
                     struct transport *(*dial)(void *arg, const struct addr *to, struct task *task,
                                               enum err *reterr),
                     void *arg);

/* Ticket keys shared by all workers of the process; called by main at start and to rotate.
 * Keys older than two rotations stop resuming. */
void net_tickets_rotate(void);
