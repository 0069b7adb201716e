/*
 * tls/tickets - the keys of session tickets, shared by all workers of the process.
 *
 * Any thread may rotate. A worker looks at a counter in each handshake and copies the set
 * only when it moved, so that handshakes take no lock. Keys never leave the process and are
 * wiped when they retire.
 */
#pragma once

#include "base/str.h"

#include <stdatomic.h>

#define TICKET_KEYS 3 /* the newest encrypts; all decrypt: two rotations back */
#define TICKET_NAME_LEN 16

struct ticket_key {
    unsigned char name[TICKET_NAME_LEN];
    unsigned char cipher[32]; /* AES-256-CBC */
    unsigned char mac[32];    /* HMAC-SHA-256 */
};

/* A worker's copy. Zeroed at first. */
struct ticket_set {
    uint64_t generation;
    size_t n; /* newest first */
    struct ticket_key keys[TICKET_KEYS];
};

/* Makes a new key the first; the oldest beyond TICKET_KEYS is forgotten. Aborts when the
 * system gives no randomness. */
void tickets_rotate(void);
/* Brings a copy up to date. Makes the first key when there is none yet. */
void tickets_refresh(struct ticket_set *copy);
/* Wipes a copy. */
void tickets_wipe(struct ticket_set *copy);
