#include "live/ear.h"

#include "live/host.h"

#include <pthread.h>

static struct live_ear *ears[LIVE_WORKERS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* nobody is called while he leaves */

void live_ear_open(uint32_t worker, struct live_ear *ear, struct loop *loop,
                   void (*deliver)(struct mail *m, struct loop *to))
{
    MUST(worker < LIVE_WORKERS_MAX);
    ear->mail.deliver = deliver;
    ear->loop = loop;
    pthread_mutex_lock(&lock);
    ears[worker] = ear;
    pthread_mutex_unlock(&lock);
}

void live_ear_close(uint32_t worker)
{
    pthread_mutex_lock(&lock);
    ears[worker] = NULL;
    pthread_mutex_unlock(&lock);
}

void live_ear_heard(struct live_ear *ear)
{
    atomic_store(&ear->called, false);
}

static void call(uint32_t worker)
{
    struct live_ear *ear = ears[worker];

    if (ear && !atomic_exchange(&ear->called, true))
        mail_post(ear->loop, &ear->mail);
}

void live_call(uint32_t worker)
{
    pthread_mutex_lock(&lock);
    call(worker);
    pthread_mutex_unlock(&lock);
}

void live_call_all_but(uint32_t worker)
{
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < LIVE_WORKERS_MAX; i++) {
        if (i != worker)
            call(i);
    }
    pthread_mutex_unlock(&lock);
}
