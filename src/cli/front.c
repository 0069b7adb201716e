#include "cli/front.h"

#include "base/log.h"
#include "proxy/worker.h"

#include "live/host.h"

#include <stdlib.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 256 /* for files, logs, the admin port */
#define CONNECTIONS_MAX 100000
#define BODY_OCTETS_MAX (256u << 20)

/* A listener that workers accept for. */
struct served {
    slot_id slot;
    struct addr addr;
};

/* A worker says that it serves what was published; posted at most once at a time. */
struct serves_mail {
    struct mail mail;
    struct front *front;
    _Atomic bool is_posted;
};

struct front {
    struct feed feed;
    struct front_options o;
    struct worker *workers[LIVE_WORKERS_MAX];
    bool started;
    struct root *root; /* the last one; a reference */
    struct served *served;
    size_t served_n;
    struct serves_mail serves[LIVE_WORKERS_MAX];
    bool waits_live; /* not all workers serve `root` yet */
    uint64_t round;  /* the root's, or of one behind it that changed nothing */
    bool is_draining;
    uint32_t drained;
};

struct front_mail {
    struct mail mail;
    struct front *front;
    struct root *root;
    uint64_t round;
};

/* ---- publishing ---- */

static struct addr address_of(const struct listener *l)
{
    struct addr a = l->bind;

    a.port = l->port;
    return a;
}

static const struct served *served_find(const struct served *v, size_t n, slot_id slot)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].slot == slot)
            return &v[i];
    }
    return NULL;
}

/* All listeners of a root; the caller frees. */
static struct served *served_of(const struct root *root, size_t *ret_n)
{
    uint32_t slots = root_slots(root, PART_LISTENER);
    struct served *v = must_alloc((slots + 1) * sizeof(*v));
    size_t n = 0;

    for (slot_id s = 0; s < slots; s++) {
        const struct listener *l = root_listener(root, s);

        if (l)
            v[n++] = (struct served){ s, address_of(l) };
    }
    *ret_n = n;
    return v;
}

/* The keeper's own sockets go before the workers', who then accept what still waits. */
static void sweep(struct front *f, const struct served *v, size_t n)
{
    struct addr *used = must_alloc((n + 1) * sizeof(*used));

    for (size_t i = 0; i < n; i++)
        used[i] = v[i].addr;
    keeper_sweep(f->o.keeper, used, n, f->round);
    free(used);
}

void front_round(struct front *f, uint64_t round)
{
    f->round = round;
    sweep(f, f->served, f->served_n);
}

/* Sockets for a listener that has none yet, or not at this address: one for each worker,
 * grants[worker * per_worker + at]. */
static bool grant(struct front *f, const struct served *s, struct listen_grant *grants,
                  size_t per_worker, size_t at)
{
    int fds[LIVE_WORKERS_MAX];
    char text[ADDR_TEXT_MAX];
    enum err e = keeper_take(f->o.keeper, &s->addr, fds);

    if (e == ERR_NOT_FOUND) { /* swept in between, or no compiler asked for it */
        struct addr again = s->addr;

        e = keeper_hold(f->o.keeper, &again, 0, 0);
        if (e == ERR_OK)
            e = keeper_take(f->o.keeper, &again, fds);
    }
    if (e != ERR_OK) {
        log_error("keeper", "cannot listen", KV("address", addr_format(&s->addr, text)),
                  KVZ("reason", err_text(e)));
        return false;
    }
    for (uint32_t w = 0; w < f->o.workers; w++)
        grants[w * per_worker + at] = (struct listen_grant){ s->slot, fds[w] };
    return true;
}

static void hand_out(struct front *f, struct root *root, const struct served *v, size_t n)
{
    size_t per_worker = n, fresh = 0;
    struct listen_grant *grants = must_alloc((per_worker * f->o.workers + 1) *
                                             sizeof(struct listen_grant));

    for (size_t i = 0; i < n; i++) {
        const struct served *old = served_find(f->served, f->served_n, v[i].slot);

        if (f->is_draining || (old && addr_eq(&old->addr, &v[i].addr)))
            continue;
        fresh += grant(f, &v[i], grants, per_worker, fresh);
    }
    for (uint32_t w = 0; w < f->o.workers; w++)
        worker_publish(f->workers[w], root_ref(root), grants + w * per_worker, fresh);
    free(grants);
}

static void live_look(struct front *f)
{
    if (!f->waits_live)
        return;
    for (uint32_t w = 0; w < f->o.workers; w++) {
        if (worker_generation(f->workers[w]) < root_generation(f->root))
            return;
    }
    f->waits_live = false;
    f->o.live(f->o.arg, f->round);
}

static void serves_deliver(struct mail *m, struct loop *to)
{
    struct serves_mail *s = CONTAINER_OF(m, struct serves_mail, mail);

    (void)to;
    atomic_store(&s->is_posted, false); /* before looking: what comes now is seen, or posts */
    if (s->front->started)
        live_look(s->front);
}

static void worker_serves(struct worker *w, void *arg)
{
    struct front *f = arg;
    struct serves_mail *s = &f->serves[worker_id(w)];

    if (!atomic_exchange(&s->is_posted, true))
        mail_post(f->o.main, &s->mail);
}

static void front_take(struct front *f, struct root *take_root, uint64_t round)
{
    size_t n;
    struct served *v = served_of(take_root, &n);

    f->round = round;
    sweep(f, v, n);
    hand_out(f, take_root, v, n);
    free(f->served);
    f->served = v;
    f->served_n = n;
    root_unref(f->root);
    f->root = take_root;
    f->waits_live = true;
    live_look(f); /* by now, the workers may be through */
}

/* ---- the feed ---- */

static void publish_deliver(struct mail *m, struct loop *to)
{
    struct front_mail *p = CONTAINER_OF(m, struct front_mail, mail);
    struct front *f = p->front;
    uint64_t from_ns = loop_clock_ns(to);

    if (f->started)
        front_take(f, p->root, p->round);
    else /* on the way out */
        root_unref(p->root);
    free(p);
    loop_note(to, "snapshot", from_ns);
}

static void front_publish(struct feed *feed, struct root *take_root, uint64_t round)
{
    struct front *f = CONTAINER_OF(feed, struct front, feed);
    struct front_mail *p = must_alloc(sizeof(*p));

    p->mail.deliver = publish_deliver;
    p->front = f;
    p->root = take_root;
    p->round = round;
    mail_post(f->o.main, &p->mail);
}

struct feed *front_feed(struct front *f)
{
    return &f->feed;
}

/* ---- workers ---- */

static void drained_deliver(struct mail *m, struct loop *to)
{
    struct front_mail *d = CONTAINER_OF(m, struct front_mail, mail);
    struct front *f = d->front;

    (void)to;
    free(d);
    if (++f->drained == f->o.workers)
        f->o.drained(f->o.arg);
}

static void worker_drained(struct worker *w, void *arg)
{
    struct front *f = arg;
    struct front_mail *d = must_alloc(sizeof(*d));

    (void)w;
    d->mail.deliver = drained_deliver;
    d->front = f;
    mail_post(f->o.main, &d->mail);
}

/* Of each worker. Half of a memory limit is for bodies. */
static size_t body_octets(const struct front *f)
{
    uint64_t share = f->o.memory_limit / 2 / f->o.workers;

    return (size_t)(f->o.memory_limit ? MIN(share, BODY_OCTETS_MAX) : BODY_OCTETS_MAX);
}

void front_start(struct front *f, struct access_log *log)
{
    uint64_t spare = f->o.max_descriptors > DESCRIPTORS_KEPT
                         ? f->o.max_descriptors - DESCRIPTORS_KEPT
                         : f->o.max_descriptors / 2;
    struct worker_options options = {
        /* a connection may cost two descriptors: downstream and upstream */
        .max_connections = (size_t)MIN(MAX(spare / 2 / f->o.workers, 16), CONNECTIONS_MAX),
        .max_body_octets = body_octets(f),
        .access_log = log,
        .serves = worker_serves,
        .drained = worker_drained,
        .arg = f,
    };

    for (uint32_t w = 0; w < f->o.workers; w++) {
        options.id = w;
        f->workers[w] = worker_start(&options);
    }
    f->started = true;
}

bool front_is_started(const struct front *f)
{
    return f->started;
}

void front_tell_to_go(struct front *f)
{
    for (uint32_t w = 0; w < f->o.workers; w++)
        worker_tell_to_go(f->workers[w]);
}

void front_squeeze(struct front *f)
{
    for (uint32_t w = 0; w < f->o.workers && f->started; w++)
        worker_squeeze(f->workers[w]);
}

void front_drain(struct front *f, uint32_t min_ms, uint32_t max_ms)
{
    f->is_draining = true;
    keeper_sweep(f->o.keeper, NULL, 0, UINT64_MAX); /* the workers' own sockets stay for min_ms */
    for (uint32_t w = 0; w < f->o.workers; w++)
        worker_drain(f->workers[w], min_ms, max_ms);
}

void front_stop(struct front *f)
{
    for (uint32_t w = 0; w < f->o.workers && f->started; w++)
        worker_stop(f->workers[w]);
    f->started = false;
}

struct front *front_new(const struct front_options *o)
{
    struct front *f = must_alloc(sizeof(*f));

    MUST(o->workers > 0 && o->workers <= LIVE_WORKERS_MAX);
    f->o = *o;
    f->feed.publish = front_publish;
    for (uint32_t w = 0; w < o->workers; w++) {
        f->serves[w].mail.deliver = serves_deliver;
        f->serves[w].front = f;
    }
    return f;
}

void front_free(struct front *f)
{
    if (!f)
        return;
    root_unref(f->root);
    free(f->served);
    free(f);
}

const struct root *front_root(const struct front *f)
{
    return f->root;
}

struct worker *front_worker(const struct front *f, size_t i)
{
    return f->started && i < f->o.workers ? f->workers[i] : NULL;
}
