#include "tls/tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ticket_set current; /* under the lock */
static _Atomic uint64_t generation;

static void key_make(struct ticket_key *k)
{
    MUST(RAND_bytes(k->name, sizeof(k->name)) == 1);
    MUST(RAND_priv_bytes(k->cipher, sizeof(k->cipher)) == 1);
    MUST(RAND_priv_bytes(k->mac, sizeof(k->mac)) == 1);
}

static void rotate_locked(void)
{
    struct ticket_key fresh;

    key_make(&fresh);
    memmove(current.keys + 1, current.keys, sizeof(fresh) * (TICKET_KEYS - 1));
    current.keys[0] = fresh;
    current.n = MIN(current.n + 1, TICKET_KEYS);
    current.generation++;
    atomic_store_explicit(&generation, current.generation, memory_order_release);
    OPENSSL_cleanse(&fresh, sizeof(fresh));
}

void tickets_rotate(void)
{
    pthread_mutex_lock(&lock);
    rotate_locked();
    pthread_mutex_unlock(&lock);
}

void tickets_refresh(struct ticket_set *copy)
{
    uint64_t now = atomic_load_explicit(&generation, memory_order_acquire);

    if (LIKELY(now != 0 && now == copy->generation))
        return;
    pthread_mutex_lock(&lock);
    if (current.n == 0)
        rotate_locked();
    *copy = current;
    pthread_mutex_unlock(&lock);
}

void tickets_wipe(struct ticket_set *copy)
{
    OPENSSL_cleanse(copy, sizeof(*copy));
}
