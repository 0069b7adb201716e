/*
 * net/tls_transport - TLS over a socket.
 *
 * Opening a server's: the ClientHello is read first, the chain chosen by its name, then one engine
 * is made from the chain's profile and certificates. Open: one recv feeds many records through a
 * buffer that all connections of the worker share; what many writes made is sent at once by flush.
 */
#include "base/hash.h"
#include "model/root.h"
#include "net/sockaddr.h"
#include "net/tls_int.h"
#include "tls/memory.h"
#include "tls/peer.h"
#include "tls/tickets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Records waiting to be sent: beyond the first, writing waits for flush; beyond the second
 * (what a peer makes us answer without reading) the connection ends. */
#define OUT_HIGH (4 * CHUNK_OCTETS)
#define OUT_MAX (16 * CHUNK_OCTETS)
#define TICKET_MAX 512 /* octets of records that may wait for an answer */
#define CHUNK_MEMORY ((size_t)64 << 20)
#define IOV_USED 8

static struct tls *tls_of(struct transport *t)
{
    return CONTAINER_OF(t, struct tls, t);
}

/* ---- received octets ---- */

static size_t shared_left(struct tls *x)
{
    return tls_side_of(x)->owner == x ? tls_side_of(x)->n - tls_side_of(x)->at : 0;
}

/* Moves what the owner of the shared buffer has not used yet to a queue of its own. */
static void shared_release(struct tls_side *side)
{
    struct tls *owner = side->owner;
    struct str left = str_make(side->in + side->at, side->n - side->at);

    side->owner = NULL;
    side->at = side->n = 0;
    if (owner && left.n && !bufq_copy(&owner->in, &side->chunks, left))
        owner->in_lost = ERR_LIMIT;
}

/* Receives into the shared buffer. False: nothing came. */
static bool shared_fill(struct tls *x)
{
    struct tls_side *side = tls_side_of(x);
    ssize_t got;

    if (wire_is_drained(&x->wire))
        return false;
    if (side->owner != x)
        shared_release(side);
    got = wire_read(&x->wire, side->in, sizeof(side->in));
    if (got <= 0)
        return false;
    side->owner = x;
    side->at = 0;
    side->n = (size_t)got;
    return true;
}

static size_t tls_pull(struct engine *e, char *into, size_t n)
{
    struct tls *x = CONTAINER_OF(e, struct tls, engine);
    struct tls_side *side = tls_side_of(x);
    struct str front;

    if (x->in_lost)
        return 0;
    if (!bufq_is_empty(&x->in)) {
        front = str_sub(bufq_front(&x->in), 0, n);
        memcpy(into, front.p, front.n);
        bufq_drop(&x->in, front.n);
        return front.n;
    }
    if (shared_left(x) == 0 && !shared_fill(x))
        return 0;
    n = MIN(n, side->n - side->at);
    memcpy(into, side->in + side->at, n);
    side->at += n;
    return n;
}

static bool tls_more(struct engine *e)
{
    struct tls *x = CONTAINER_OF(e, struct tls, engine);

    return !bufq_is_empty(&x->in) || shared_left(x) || !wire_is_drained(&x->wire);
}

/* ---- octets to send ---- */

static bool tls_push(struct engine *e, struct str octets)
{
    struct tls *x = CONTAINER_OF(e, struct tls, engine);

    return x->out.n + octets.n <= OUT_MAX && bufq_copy(&x->out, &tls_side_of(x)->chunks, octets);
}

const struct engine_carrier tls_carrier = { .pull = tls_pull, .more = tls_more, .push = tls_push };

static enum err tls_send(struct tls *x)
{
    struct iovec iov[IOV_USED];

    while (!bufq_is_empty(&x->out)) {
        ssize_t sent = wire_writev(&x->wire, iov, bufq_iov(&x->out, iov, LEN(iov)));

        if (sent <= 0)
            return (enum err)(-sent);
        bufq_drop(&x->out, (size_t)sent);
    }
    x->has_written = false;
    if (x->finishing)
        wire_finish(&x->wire);
    return ERR_OK;
}

/* A ticket behind which a request has come waits for the answer: one segment less. */
static enum err tls_flush(struct transport *t)
{
    struct tls *x = tls_of(t);

    return x->answer_due && !x->has_written && x->out.n <= TICKET_MAX ? ERR_OK : tls_send(x);
}

/* ---- opening ---- */

enum transport_state tls_fail(struct tls *x, enum err e, struct str text)
{
    (void)tls_send(x); /* the alert, if there is one */
    if (text.p != x->failure_text)
        str_copy(text, x->failure_text, sizeof(x->failure_text));
    x->t.state = TRANSPORT_FAILED;
    x->t.info.failure = e;
    x->t.info.failure_text = str_of(x->failure_text);
    return x->t.state;
}

static struct tls_setup setup_of(const struct tls_profile *p)
{
    return (struct tls_setup){ .min_version = p->min_version,
                               .max_version = p->max_version,
                               .ciphers = p->ciphers.v,
                               .cipher_count = p->ciphers.n,
                               .alpn = p->alpn.v,
                               .alpn_count = p->alpn.n };
}

static size_t keypairs_of(const struct chain *c, const struct root *root,
                          struct tls_keypair **keypairs)
{
    size_t n = 0;

    for (uint32_t i = 0; i < c->secrets.n && n < ENGINE_KEYPAIRS_MAX; i++) {
        const struct secret *s = root_secret(root, c->secrets.v[i]);

        if (s && s->keypair)
            keypairs[n++] = s->keypair;
    }
    return n;
}

/* A ticket resumes only the same server name of the same filter chain: what another chain
 * demands of its clients cannot be got around (reliability.md, "TLS identity"). */
static void ticket_binding(const struct chain *c, const struct secret *ca, const struct tls *x,
                           uint64_t binding[4])
{
    binding[0] = hash_str(c->part.name);
    binding[1] = hash_str(hello_name(&x->hello));
    binding[2] = c->tls.mode;
    binding[3] = 0;
    if (c->tls.mode != TLS_MODE_SIMPLE) /* and nobody whose authority was taken away since */
        binding[3] = hash_mix(c->part.hash, ca ? ca->part.hash : 0);
}

/* What MUTUAL and OPTIONAL_MUTUAL demand, of a CA that may be missing: then nobody gets in. */
static void client_demand(struct tls *x, const struct chain *c, const struct secret *ca)
{
    struct tls_demand d = { .trust = ca ? ca->trust : NULL,
                            .required = c->tls.mode == TLS_MODE_MUTUAL,
                            .skip = c->tls.skip_verify,
                            .names = c->tls.names.v,
                            .name_count = c->tls.names.n,
                            .hashes = c->tls.hashes.v,
                            .hash_count = c->tls.hashes.n,
                            .spkis = c->tls.spkis.v,
                            .spki_count = c->tls.spkis.n };

    x->held = part_ref((struct part *)(uintptr_t)&c->part);
    engine_demand(&x->engine, &d);
}

static enum transport_state engine_make(struct tls *x, const struct chain *c,
                                        const struct root *root)
{
    struct tls_keypair *keypairs[ENGINE_KEYPAIRS_MAX];
    size_t n = keypairs_of(c, root, keypairs);
    struct tls_setup setup = setup_of(&c->tls);
    const struct secret *ca = c->tls.client_ca == SLOT_NONE ? NULL
                                                            : root_secret(root, c->tls.client_ca);
    bool asks = c->tls.mode != TLS_MODE_SIMPLE;
    struct tls_context *context;
    struct str why;
    uint64_t binding[4];

    x->t.info.chain = c->part.slot;
    if (c->tls.mode == TLS_MODE_NONE) /* never weaker than asked for */
        return tls_fail(x, ERR_UNSUPPORTED, STR("TLS error: this mode is not built"));
    if (n == 0 || (asks && !c->tls.skip_verify && !(ca && ca->trust)))
        return tls_fail(x, ERR_NOT_FOUND, STR("TLS error: Secret is not supplied by SDS"));
    context = tls_context_get(tls_side_of(x)->contexts, &setup, &why);
    if (!context)
        return tls_fail(x, ERR_TLS, why);
    ticket_binding(c, ca, x, binding);
    if (!engine_start(&x->engine, &tls_carrier, context, keypairs, n,
                      str_make((char *)binding, sizeof(binding))))
        return tls_fail(x, ERR_LIMIT, STR("TLS error: no memory"));
    if (asks)
        client_demand(x, c, ca);
    return TRANSPORT_OPENING;
}

/* The whole of what was received, in one piece: as a ClientHello is read again from its
 * beginning, it must lie together. */
static struct str received(struct tls *x, char *joined, size_t size)
{
    struct tls_side *side = tls_side_of(x);
    struct iovec iov[HELLO_OCTETS_MAX / CHUNK_OCTETS + 2];
    size_t n = 0, pieces;

    if (bufq_is_empty(&x->in))
        return str_make(side->in + side->at, MIN(shared_left(x), size));
    pieces = bufq_iov(&x->in, iov, LEN(iov));
    for (size_t i = 0; i < pieces; i++) {
        size_t more = MIN(iov[i].iov_len, size - n);

        memcpy(joined + n, iov[i].iov_base, more);
        n += more;
    }
    return str_make(joined, n);
}

/* No more came: why? ERR_AGAIN: it may still come. */
static enum err wire_ended(const struct tls *x)
{
    if (x->in_lost)
        return x->in_lost;
    return x->wire.eof ? ERR_EOF : x->wire.failed ? x->wire.failed : ERR_AGAIN;
}

static enum transport_state ended_early(struct tls *x)
{
    enum err e = wire_ended(x);

    if (e == ERR_AGAIN)
        return TRANSPORT_OPENING;
    return tls_fail(x, e, STR("TLS error: connection closed during the handshake"));
}

static enum transport_state hello_judge(struct tls *x, enum hello_state s)
{
    const struct root *root = NULL;
    const struct chain *c;

    if (s == HELLO_NO_TLS)
        return tls_fail(x, ERR_TLS,
                        STR("TLS_error:|268435703:SSL_routines:OPENSSL_internal:"
                            "WRONG_VERSION_NUMBER:TLS_error_end"));
    if (s == HELLO_BROKEN)
        return tls_fail(x, ERR_TLS,
                        STR("TLS_error:|268435646:SSL_routines:OPENSSL_internal:"
                            "CLIENTHELLO_PARSE_FAILED:TLS_error_end"));
    x->t.info.sni = hello_name(&x->hello);
    c = x->chooser->choose(x->chooser, x->t.info.sni, &root);
    if (!c)
        return tls_fail(x, ERR_NOT_FOUND, STR("filter_chain_not_found"));
    return engine_make(x, c, root);
}

/* Receives until the ClientHello is whole; its octets stay for the engine. */
static enum transport_state hello_step(struct tls *x)
{
    char joined[HELLO_OCTETS_MAX + 1024];
    enum hello_state s;

    do {
        if (!shared_fill(x))
            return ended_early(x);
        if (!bufq_is_empty(&x->in))
            shared_release(tls_side_of(x)); /* behind what came earlier */
        s = hello_read(received(x, joined, sizeof(joined)), &x->hello);
        if (s == HELLO_MORE)
            shared_release(tls_side_of(x));
        if (s == HELLO_MORE && x->in.n >= sizeof(joined)) /* in very small records */
            s = HELLO_BROKEN;
    } while (s == HELLO_MORE && !x->in_lost);
    return x->in_lost ? ended_early(x) : hello_judge(x, s);
}

static void tls_opened(struct tls *x)
{
    struct engine_names names = engine_describe(&x->engine);

    x->t.info.alpn = names.alpn;
    x->t.info.tls_version = names.version;
    x->t.info.tls_cipher = names.cipher;
    x->t.info.tls_resumed = names.resumed;
    x->chooser = NULL;
    if (x->held && !x->is_client)
        x->t.info.peer = tls_peer_of(&x->engine);
    part_unref(x->held);
    x->held = NULL;
    x->t.state = TRANSPORT_OPEN;
    x->t.read_drained = false; /* a request may stand behind the client's last message */
}

enum transport_state tls_handshake(struct tls *x)
{
    enum err e = engine_accept(&x->engine, x->failure_text, sizeof(x->failure_text));

    if (e == ERR_TLS)
        return tls_fail(x, ERR_TLS, str_of(x->failure_text));
    if (e == ERR_OK) {
        tls_opened(x);
        /* Of a server's TLS 1.3 only a ticket waits: the first answer takes it along. */
        if (x->is_client || !str_eq(x->t.info.tls_version, STR("TLSv1.3")))
            (void)tls_send(x);
    } else if (tls_send(x) != ERR_OK && x->wire.unsendable) {
        return tls_fail(x, x->wire.unsendable, STR("TLS error: reset during the handshake"));
    }
    return e == ERR_OK ? TRANSPORT_OPEN : ended_early(x);
}

static enum transport_state tls_advance(struct transport *t)
{
    struct tls *x = tls_of(t);
    uint64_t from_ns;

    if (t->state != TRANSPORT_OPENING)
        return t->state;
    from_ns = loop_clock_ns(x->net->loop);
    if (x->is_client)
        (void)tls_client_advance(x);
    else if (!x->engine.ssl)
        (void)hello_step(x);
    if (!x->is_client && x->engine.ssl)
        (void)tls_handshake(x);
    loop_note(x->net->loop, "TLS handshakes", from_ns);
    return t->state;
}

/* ---- open ---- */

static bool nothing_to_read(struct tls *x)
{
    return wire_is_drained(&x->wire) && !x->wire.eof && !x->wire.failed && !x->in_lost &&
           bufq_is_empty(&x->in) && shared_left(x) == 0 && !engine_has_more(&x->engine);
}

/* The socket ended without close_notify. Inside a record it is a cut like a reset. Between
 * records many clients just leave, and HTTP/1 with a length or chunks notices a cut by
 * itself: so that is an end, and info.truncated tells those whose message ends with the
 * connection. */
static ssize_t end_without_notice(struct tls *x)
{
    enum err e = wire_ended(x);

    if (e != ERR_EOF)
        return -(ssize_t)e;
    x->t.info.truncated = true;
    return engine_is_inside_record(&x->engine) ? -ERR_RESET : -ERR_EOF;
}

static ssize_t tls_read(struct transport *t, char *into, size_t n)
{
    struct tls *x = tls_of(t);
    ssize_t got;

    if (t->state != TRANSPORT_OPEN)
        return -ERR_AGAIN;
    got = engine_read(&x->engine, into, n);
    if (got == -ERR_AGAIN)
        got = end_without_notice(x);
    if (got == -ERR_TLS)
        t->info.failure_text = engine_fault(&x->engine, x->failure_text, sizeof(x->failure_text));
    if (got > 0)
        x->answer_due = true;
    else if (got == -ERR_AGAIN)
        (void)tls_flush(t); /* tickets, key updates */
    else if (got == -ERR_TLS)
        (void)tls_send(x); /* an alert */
    t->read_drained = got < 0 || ((size_t)got < n && nothing_to_read(x));
    return got;
}

/* One record's worth from the front of the pieces; short ones are joined. */
static struct str record_gather(struct tls_side *side, const struct iovec *iov, size_t n,
                                size_t skip)
{
    size_t all = 0;

    if (iov->iov_len - skip >= ENGINE_RECORD_MAX || n == 1)
        return str_make((char *)iov->iov_base + skip, MIN(iov->iov_len - skip, ENGINE_RECORD_MAX));
    for (size_t i = 0; i < n && all < ENGINE_RECORD_MAX; i++, skip = 0) {
        size_t piece = MIN(iov[i].iov_len - skip, ENGINE_RECORD_MAX - all);

        if (piece)
            memcpy(side->record + all, (char *)iov[i].iov_base + skip, piece);
        all += piece;
    }
    return str_make(side->record, all);
}

/* Steps `octets` forward over the pieces. */
static void pieces_skip(const struct iovec **iov, size_t *n, size_t *skip, size_t octets)
{
    *skip += octets;
    while (*n && *skip >= (*iov)->iov_len) {
        *skip -= (*iov)->iov_len;
        (*iov)++;
        (*n)--;
    }
}

static ssize_t tls_writev(struct transport *t, const struct iovec *iov, size_t n)
{
    struct tls *x = tls_of(t);
    size_t taken = 0, skip = 0;
    enum err e;

    if (t->state != TRANSPORT_OPEN)
        return -ERR_AGAIN;
    if (x->out.n >= OUT_HIGH) {
        e = tls_send(x);
        if (x->out.n >= OUT_HIGH || (e != ERR_OK && e != ERR_AGAIN))
            return -(ssize_t)e;
    }
    x->answer_due = false;
    x->has_written = true;
    pieces_skip(&iov, &n, &skip, 0);
    while (n && x->out.n < OUT_HIGH) {
        struct str record = record_gather(tls_side_of(x), iov, n, skip);

        if (!engine_write(&x->engine, record))
            return -(ssize_t)(x->wire.unsendable ? x->wire.unsendable : ERR_TLS);
        taken += record.n;
        pieces_skip(&iov, &n, &skip, record.n);
    }
    return (ssize_t)taken;
}

static void tls_finish(struct transport *t)
{
    struct tls *x = tls_of(t);

    engine_finish(&x->engine);
    x->finishing = x->has_written = true;
    x->answer_due = false;
    (void)tls_send(x);
}

static void tls_close(struct transport *t, bool reset)
{
    struct tls *x = tls_of(t);
    struct net *n = x->net;

    if (!reset) {
        engine_finish(&x->engine);
        (void)tls_send(x);
    }
    if (n->tls->owner == x)
        n->tls->owner = NULL;
    engine_fini(&x->engine);
    tls_peer_unref(x->t.info.peer);
    part_unref(x->held);
    bufq_reset(&x->in);
    bufq_reset(&x->out);
    wire_close(&x->wire, reset);
    slab_put(&n->tls->conns, x);
    net_leave(n);
}

static uint32_t tls_waited_ms(const struct transport *t)
{
    return net_waited_ms(CONTAINER_OF(t, const struct tls, t)->wire.watch.fd);
}

static const struct transport_ops tls_ops = {
    .name = "tls",
    .advance = tls_advance,
    .read = tls_read,
    .writev = tls_writev,
    .flush = tls_flush,
    .finish = tls_finish,
    .close = tls_close,
    .waited_ms = tls_waited_ms,
};

/* ---- beginning ---- */

static void side_trim(struct tls_side *side)
{
    slab_trim(&side->conns);
    chunk_pool_trim(&side->chunks);
    tls_memory_trim();
}

static void side_free(struct tls_side *side)
{
    tls_contexts_free(side->contexts);
    slab_fini(&side->conns);
    chunk_pool_fini(&side->chunks);
    tls_memory_trim();
    free(side);
}

static struct tls_side *side_new(struct net *n)
{
    struct tls_side *side = must_alloc(sizeof(*side));

    side->contexts = tls_contexts_new();
    slab_init(&side->conns, sizeof(struct tls), n->max);
    chunk_pool_init(&side->chunks, CHUNK_MEMORY);
    n->tls_free = side_free;
    n->tls_trim = side_trim;
    return side;
}

static void tls_notify(struct wire *w)
{
    struct tls *x = CONTAINER_OF(w, struct tls, wire);

    /* an owner that waits for the other's end only reads: so it carries ours out, too */
    if (!wire_is_drained(w) || x->finishing)
        x->t.read_drained = false;
    if (x->t.task)
        task_wake(x->t.task);
}

struct tls *tls_conn_new(struct net *n, int take_fd, bool connecting, const struct addr *peer,
                         struct task *task)
{
    struct tls *x;

    if (!n->tls)
        n->tls = side_new(n);
    x = slab_get(&n->tls->conns);
    MUST(x != NULL); /* as many as may be open */
    x->net = n;
    bufq_init(&x->in);
    bufq_init(&x->out);
    x->t = (struct transport){ .ops = &tls_ops,
                               .state = TRANSPORT_OPENING,
                               .task = task,
                               .info = { .remote = *peer, .chain = SLOT_NONE },
                               .read_drained = true };
    if (wire_start(&x->wire, n->loop, take_fd, connecting, tls_notify))
        return x;
    slab_put(&n->tls->conns, x);
    net_leave(n);
    return NULL;
}

struct transport *net_accept_tls(struct net *n, int take_fd, const struct addr *peer,
                                 struct task *task, const struct tls_chooser *chooser)
{
    struct tls *x;

    if (!net_enter(n)) {
        close(take_fd);
        return NULL;
    }
    x = tls_conn_new(n, take_fd, false, peer, task);
    if (!x)
        return NULL;
    x->chooser = chooser;
    x->t.info.local = sockaddr_local(take_fd);
    return &x->t;
}

void net_tickets_rotate(void)
{
    tickets_rotate();
}
