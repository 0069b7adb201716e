#include "cli/expiry.h"

#include "base/log.h"
#include "base/when.h"
#include "telemetry/telemetry.h"
#include "tls/keypair.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define LATE_AT_MOST_MS (7 * DAY_MS)
#define AGAIN_MS 3600000
#define SETTLE_MS 1000

struct expiry {
    struct loop *loop;
    const struct root *(*root)(void *arg);
    void *arg;
    struct timer timer;
    bool soon;       /* the timer stands for a change */
    int64_t said_ms; /* wall clock; 0: nothing yet */
    int64_t said_of; /* the end of what was said */
    uint32_t said_n;
};

struct found {
    const struct secret *first;
    int64_t first_ms;
    uint32_t late_n;
};

static bool is_late(const struct tls_cert_info *cert, int64_t now_ms)
{
    int64_t life = cert->not_after_ms - cert->not_before_ms;

    return cert->not_after_ms - now_ms < MIN(life / 10, LATE_AT_MOST_MS);
}

static struct found look(const struct root *root, int64_t now_ms)
{
    struct found f = { .first_ms = INT64_MAX };

    for (slot_id i = 0; root && i < root_slots(root, PART_SECRET); i++) {
        const struct secret *s = root_secret(root, i);
        const struct tls_cert_info *cert = s && s->keypair ? tls_keypair_info(s->keypair) : NULL;

        if (!cert)
            continue;
        f.late_n += is_late(cert, now_ms);
        if (cert->not_after_ms < f.first_ms) {
            f.first = s;
            f.first_ms = cert->not_after_ms;
        }
    }
    return f;
}

static void say(const struct found *f, int64_t now_ms)
{
    char when[WHEN_LEN + 1];

    when_format(f->first_ms, when);
    log_warn("certificates",
             f->first_ms <= now_ms ? "a certificate has expired and is served on: clients refuse it"
                                   : "a certificate expires soon and was not renewed",
             KV("name", f->first->part.name), KVZ("expires", when), KVN("late", f->late_n));
}

static void look_due(struct timer *t)
{
    struct expiry *e = CONTAINER_OF(t, struct expiry, timer);
    int64_t now_ms = loop_wall_ms(e->loop);
    struct found f = look(e->root(e->arg), now_ms);

    metrics_set_first_expiry(f.first ? f.first_ms : 0);
    if (f.late_n == 0) {
        e->said_ms = 0;
    } else if (e->said_ms == 0 || now_ms - e->said_ms >= DAY_MS || f.first_ms != e->said_of ||
               f.late_n > e->said_n) {
        say(&f, now_ms);
        e->said_ms = now_ms;
    }
    e->said_of = f.first_ms;
    e->said_n = f.late_n;
    e->soon = false;
    timer_set(t, AGAIN_MS);
}

void expiry_changed(struct expiry *e)
{
    if (e->soon)
        return;
    e->soon = true;
    timer_set(&e->timer, SETTLE_MS);
}

struct expiry *expiry_new(struct loop *loop, const struct root *(*root)(void *arg), void *arg)
{
    struct expiry *e = must_alloc(sizeof(*e));

    e->loop = loop;
    e->root = root;
    e->arg = arg;
    timer_init(&e->timer, loop, look_due);
    return e;
}

void expiry_free(struct expiry *e)
{
    if (!e)
        return;
    timer_fini(&e->timer);
    free(e);
}
