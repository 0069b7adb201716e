/*
 * tls/engine - one TLS connection, either side, over octets that somebody else carries.
 *
 * No socket: the owner pulls received octets in and pushes what is to be sent. One pull may
 * feed many records, and what many writes produce is pushed before it is sent once. Not
 * thread-safe; frees all memory in engine_fini.
 */
#pragma once

#include "base/err.h"
#include "tls/context.h"
#include "tls/keypair.h"
#include "tls/resume.h"
#include "tls/verify.h"

#include <sys/types.h>

#define ENGINE_RECORD_MAX 16384 /* plain octets of a record */
/* Steps of handshake messages on an open connection: this many, and one more each KiB that is read.
 * A KeyUpdate is four or five; each costs more than it takes to send. */
#define ENGINE_MESSAGES_MAX 1000
#define ENGINE_KEYPAIRS_MAX 2 /* one RSA, one ECDSA (Gateway credentialNames) */

struct engine;

struct engine_carrier {
    /* Hands over up to `n` received octets; 0: none for now. */
    size_t (*pull)(struct engine *e, char *into, size_t n);
    /* Might pull find something? False saves a round through the library. */
    bool (*more)(struct engine *e);
    /* Takes all octets; false: no room, and the connection fails. */
    bool (*push)(struct engine *e, struct str octets);
};

struct ssl_st;
struct engine_check; /* engine_int.h */

struct engine {
    struct ssl_st *ssl; /* NULL until engine_start */
    struct tls_context *context;
    const struct engine_carrier *carrier;
    struct tls_keypair *keypairs[ENGINE_KEYPAIRS_MAX]; /* until the handshake is over */
    struct engine_check *check; /* of the other side's certificate; until the handshake is over */
    struct tls_resume *resume;  /* client: where sessions are kept; NULL: nowhere */
    uint64_t resume_key;
    bool open; /* the handshake is over */
    bool shut; /* close_notify was sent */
    bool failed;
    unsigned long fault; /* why: OpenSSL's code; 0 when it had none */
    uint64_t octets;     /* plain ones read so far */
    uint64_t messages;   /* steps of handshake messages (KeyUpdate) since it is open */
};

struct engine_names {
    struct str alpn; /* STR_NONE without; borrowed from the engine */
    struct str version, cipher;
    bool resumed;
};

/* Takes the reference to `context` over and references of its own to the keypairs. `binding`
 * (up to 32 octets) says what a ticket is good for: only where it is the same again. False: no
 * memory, and the engine is as if it had not been started. */
MUST_USE bool engine_start(struct engine *e, const struct engine_carrier *carrier,
                           struct tls_context *take_context, struct tls_keypair *const *keypairs,
                           size_t n, struct str binding);
/* Server, before the first engine_accept: asks the client for a certificate, too. */
void engine_demand(struct engine *e, const struct tls_demand *d);

/* What a client's handshake needs besides its context; borrowed while it lasts, `resume` as long
 * as the engine. */
struct engine_client {
    struct str sni;              /* up to 255 octets; empty: none is sent */
    struct tls_demand demand;    /* of the server */
    struct tls_keypair *keypair; /* shown when it asks; NULL: none */
    struct tls_resume *resume;   /* NULL: sessions are not resumed */
    uint64_t resume_key;
};
MUST_USE bool engine_start_client(struct engine *e, const struct engine_carrier *carrier,
                                  struct tls_context *take_context,
                                  const struct engine_client *client);
void engine_fini(struct engine *e); /* harmless before engine_start and twice */

/* Carries the handshake on: ERR_OK once it is over, ERR_AGAIN, or ERR_TLS with Envoy's text
 * in `text`. */
enum err engine_accept(struct engine *e, char *text, size_t size);
struct engine_names engine_describe(const struct engine *e);

/* As the transport's read: octets, -ERR_AGAIN, -ERR_EOF (close_notify), -ERR_TLS. */
ssize_t engine_read(struct engine *e, char *into, size_t n);
/* Makes one record of 1 to ENGINE_RECORD_MAX octets. False: the connection failed. */
MUST_USE bool engine_write(struct engine *e, struct str octets);
/* close_notify, once. Reading goes on. */
void engine_finish(struct engine *e);

/* Envoy's text for what failed an open connection. */
struct str engine_fault(const struct engine *e, char *out, size_t size);

/* A read would yield octets or the end without a pull. */
bool engine_has_more(const struct engine *e);
/* A record has arrived in part. */
bool engine_is_inside_record(const struct engine *e);
