#include "live/seats.h"

#include "live/host.h"

#include <pthread.h>

/* A worker keeps what it accepts until it has more than the fewest by this and an eighth of
 * them: two workers with eight connections have five and three at most, and with hundreds the
 * kernel's own choice is even enough. */
#define MORE_THAN_FEWEST 1
#define SHARE_OF_FEWEST 8

struct seat {
    _Alignas(64) _Atomic int32_t taken;
    _Atomic bool is_open;
    _Atomic uint64_t generation;
    struct loop *loop; /* this and the owner: under the lock */
    void *owner;
};

static struct seat seats[LIVE_WORKERS_MAX];
static _Atomic uint32_t limit;                           /* one above the largest number opened */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* nothing is sent to whoever leaves */

void seats_open(uint32_t worker, struct loop *loop, void *owner)
{
    MUST(worker < LIVE_WORKERS_MAX);
    pthread_mutex_lock(&lock);
    seats[worker].loop = loop;
    seats[worker].owner = owner;
    atomic_store(&seats[worker].taken, 0);
    atomic_store(&seats[worker].is_open, true);
    if (worker >= atomic_load(&limit))
        atomic_store(&limit, worker + 1);
    pthread_mutex_unlock(&lock);
}

void seats_close(uint32_t worker)
{
    pthread_mutex_lock(&lock);
    seats[worker].loop = NULL;
    atomic_store(&seats[worker].is_open, false);
    pthread_mutex_unlock(&lock);
}

void seats_serve(uint32_t worker, uint64_t generation)
{
    atomic_store_explicit(&seats[worker].generation, generation, memory_order_relaxed);
}

void seats_add(uint32_t worker, int32_t by)
{
    atomic_fetch_add_explicit(&seats[worker].taken, by, memory_order_relaxed);
}

uint32_t seats_taken(uint32_t worker)
{
    return (uint32_t)MAX(atomic_load_explicit(&seats[worker].taken, memory_order_relaxed), 0);
}

static bool may_get(const struct seat *s, uint64_t generation)
{
    return atomic_load_explicit(&s->is_open, memory_order_relaxed) &&
           atomic_load_explicit(&s->generation, memory_order_relaxed) == generation;
}

uint32_t seats_pick(uint32_t worker)
{
    uint64_t generation = atomic_load_explicit(&seats[worker].generation, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&limit, memory_order_relaxed);
    uint32_t mine = seats_taken(worker), fewest = mine, best = worker;

    for (uint32_t i = 0; i < n; i++) {
        if (seats_taken(i) < fewest && may_get(&seats[i], generation)) {
            fewest = seats_taken(i);
            best = i;
        }
    }
    return mine > fewest + MORE_THAN_FEWEST + fewest / SHARE_OF_FEWEST ? best : worker;
}

bool seats_send(uint32_t worker, struct seat_mail *take_mail)
{
    struct loop *loop;

    pthread_mutex_lock(&lock);
    loop = seats[worker].loop;
    if (loop) {
        seats_add(worker, 1);
        take_mail->owner = seats[worker].owner;
        mail_post(loop, &take_mail->mail);
    }
    pthread_mutex_unlock(&lock);
    return loop != NULL;
}
