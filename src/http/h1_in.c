/*
 * http/h1_in - what arrives on an HTTP/1 connection: octets to bodies and trailers, and by
 * http/h1_head to heads.
 *
 * Octets are received where they can stay: body octets into a chunk that the leg's queue
 * then shares; anything else into the worker's scratch, of which only what cannot be
 * understood yet is kept in `in`. So an idle connection holds no buffer.
 */
#include "http/h1_conn.h"

#define READ_OCTETS CHUNK_OCTETS
/* Pipelined octets kept while an exchange is under way. */
#define AHEAD_OCTETS 16384
/* Reads before what they brought is carried on. */
#define READS_PER_STEP 16

void h1_input_next(struct h1_conn *h)
{
    h->in_state = H1_IN_HEAD;
    h1_scan_init(&h->scan, h1_is_server(h) ? H1_REQUEST : H1_RESPONSE, &h->limits);
    chunk_unref(h->fill);
    h->fill = NULL;
    if (h->in.n == 0 && h->in.p)
        buf_fini(&h->in);
}

/* ---- bodies ---- */

/* Crumbs behind the first are copied together: where nobody takes them, a slice for each would
 * be many times what they are (CVE-2020-12605). */
#define CRUMB_OCTETS 128

static bool body_add(struct h1_conn *h, struct chunk *chunk, struct str data)
{
    bool crumb = data.n < CRUMB_OCTETS && !bufq_is_empty(&h->leg.in);

    h->leg.in_octets += data.n;
    if (!h->leg_open)
        return true; /* nobody wants it any more */
    if (chunk && !crumb)
        return bufq_add(&h->leg.in, chunk, (size_t)(data.p - chunk->data), data.n);
    return bufq_copy(&h->leg.in, &h->c.pools->chunks, data);
}

/* A request whose body cannot be read is answered like one whose head cannot, unless an
 * answer is under way already. */
static void bad_body(struct h1_conn *h, const struct h1_error *error)
{
    if (!h1_is_server(h) || !h->leg_open || h->leg.out_head) {
        h1_die(h, h1_is_server(h) ? LEG_GONE : LEG_PROTOCOL, error->details.p, true);
        return;
    }
    h->keep_alive = false;
    h->in_state = H1_IN_DONE; /* but not leg.in_end: the request never becomes whole */
    h->leg.fail = LEG_BAD;
    h->leg.fail_status = error->status;
    h->leg.fail_details = error->details.p;
    leg_notify(&h->leg);
}

static void body_ended(struct h1_conn *h, struct str section)
{
    const struct h1_error *error = NULL;

    h->in_state = H1_IN_DONE;
    if (!h->leg_open)
        return;
    if (section.n) {
        struct headers *trailers = ARENA_NEW(h->leg.arena, struct headers);
        uint32_t before = h->leg.in_head ? h->leg.in_head->headers.n : 0;

        error = h1_trailers_parse(arena_dup(h->leg.arena, section), before, h->leg.arena,
                                  &h->limits, trailers);
        if (trailers->n)
            h->leg.in_trailers = trailers;
    }
    if (error) {
        bad_body(h, error);
        return;
    }
    h->leg.in_end = true;
    leg_notify(&h->leg);
}

static size_t decode_body(struct h1_conn *h, struct str rest, struct chunk *chunk)
{
    struct h1_chunk got;

    switch (h1_body_next(&h->body, rest, &got)) {
    case H1_BODY_DATA:
        if (!body_add(h, chunk, got.data))
            h1_die(h, LEG_NO_MEMORY, "overload", true);
        else if (h1_body_is_done(&h->body))
            body_ended(h, STR_NONE);
        else if (h->leg_open)
            leg_notify(&h->leg);
        break;
    case H1_BODY_END:
        body_ended(h, got.trailers);
        break;
    case H1_BODY_BAD:
        bad_body(h, h->body.error);
        return rest.n;
    case H1_BODY_MORE:
        break;
    }
    return got.used;
}

/* Understands what it can of `data`; returns the octets used. `chunk` holds them, or NULL. */
static size_t decode(struct h1_conn *h, struct str data, struct chunk *chunk)
{
    size_t used = 0;

    while (h->state != H1_DEAD) {
        struct str rest = str_from(data, used);
        uint8_t before = h->in_state;
        size_t n;

        if (h->in_state == H1_IN_DONE)
            break;
        /* one exchange after the other; and octets that answer nothing are not read */
        if (h->in_state == H1_IN_HEAD && (rest.n == 0 || h1_is_server(h) == h->leg_open))
            break;
        n = h->in_state == H1_IN_HEAD ? h1_decode_head(h, rest) : decode_body(h, rest, chunk);
        used += n;
        if (n == 0 && h->in_state == before)
            break;
    }
    return h->state == H1_DEAD ? data.n : used;
}

/* ---- reading ---- */

static void input_ended(struct h1_conn *h, enum err why)
{
    /* behind a cut TLS connection a body that ends with it may be cut as well */
    bool whole = h->in_state == H1_IN_DONE ||
                 (h->in_state == H1_IN_BODY && h1_body_may_close(&h->body) &&
                  !h->c.transport->info.truncated);

    h->eof = true;
    if (why == ERR_EOF && h->in_state == H1_IN_BODY && whole)
        body_ended(h, STR_NONE);
    if (h->state == H1_DEAD)
        return;
    if (why == ERR_EOF && whole && h->state == H1_EXCHANGE) {
        h->keep_alive = h->keep_alive && h1_has_pipelined(h);
        h->leg.in_half_closed = true;
        return;
    }
    h1_die(h, LEG_GONE, NULL, false);
}

/* May more be read now? Otherwise it waits in the kernel: back-pressure. */
static bool wants_input(const struct h1_conn *h)
{
    if (h->eof || h->c.transport->read_drained)
        return false;
    if (h->in_state == H1_IN_BODY)
        return !h->leg_open || h->leg.in.n < MIN(h->leg.in_limit, http_pools_room(h->c.pools));
    return h->in.n < AHEAD_OCTETS || h->in_state == H1_IN_HEAD;
}

static bool ensure_fill(struct h1_conn *h)
{
    if (h->fill && h->fill->n < CHUNK_OCTETS)
        return true;
    chunk_unref(h->fill);
    h->fill = chunk_new(&h->c.pools->chunks);
    return h->fill != NULL;
}

/* Keeps what was not understood. */
static void keep(struct h1_conn *h, struct str rest)
{
    if (h->state != H1_DEAD && rest.n && !buf_add(&h->in, rest))
        h1_die(h, LEG_GONE, NULL, true);
}

/* Body octets, received where they stay. */
static ssize_t read_chunk(struct h1_conn *h)
{
    struct transport *t = h->c.transport;
    struct chunk *c;
    struct str data;
    size_t used;
    ssize_t n;

    if (!ensure_fill(h)) {
        h1_die(h, LEG_NO_MEMORY, "overload", true);
        return 0;
    }
    c = chunk_ref(h->fill);
    n = t->ops->read(t, c->data + c->n, CHUNK_OCTETS - c->n);
    if (n > 0) {
        data = str_make(c->data + c->n, (size_t)n);
        c->n += (uint32_t)n;
        used = decode(h, data, c);
        keep(h, str_from(data, used));
    }
    chunk_unref(c);
    return n;
}

static ssize_t read_scratch(struct h1_conn *h)
{
    struct transport *t = h->c.transport;
    char *scratch = h->c.pools->scratch;
    ssize_t n = t->ops->read(t, scratch, READ_OCTETS);

    if (n > 0) {
        struct str data = str_make(scratch, (size_t)n);

        keep(h, str_from(data, decode(h, data, NULL)));
    }
    return n;
}

/* By the scratch, too: room to read into, for each head that trickles in, would be many times what
 * these have sent. */
static ssize_t read_behind(struct h1_conn *h)
{
    struct transport *t = h->c.transport;
    char *scratch = h->c.pools->scratch;
    ssize_t n = t->ops->read(t, scratch, READ_OCTETS);
    size_t used;

    if (n <= 0)
        return n;
    if (!buf_add(&h->in, str_make(scratch, (size_t)n))) { /* larger than any head may be */
        h1_die(h, LEG_GONE, NULL, true);
        return 0;
    }
    used = decode(h, buf_str(&h->in), NULL);
    buf_drop(&h->in, MIN(used, h->in.n)); /* a bad request has emptied it */
    return n;
}

static ssize_t read_once(struct h1_conn *h)
{
    if (h->in.n)
        return read_behind(h);
    if (h->in_state == H1_IN_BODY)
        return read_chunk(h);
    return read_scratch(h);
}

/* A client connection at rest has nothing to receive: octets mean it is out of step. */
static bool is_out_of_step(const struct h1_conn *h)
{
    return !h1_is_server(h) && h->in.n > 0 &&
           (h->in_state == H1_IN_DONE || (h->state == H1_IDLE && !h->leg_open));
}

bool h1_input(struct h1_conn *h)
{
    int reads = 0;

    if (h->in.n) { /* pipelined, or held back before */
        size_t used = decode(h, buf_str(&h->in), NULL);

        if (h->state == H1_DEAD)
            return false;
        buf_drop(&h->in, MIN(used, h->in.n));
        if (h->eof) { /* what a client sent before its FIN is still answered */
            input_ended(h, ERR_EOF);
            return false;
        }
    }
    for (; reads < READS_PER_STEP && h->state != H1_DEAD && !h->is_h2 && wants_input(h); reads++) {
        ssize_t n = read_once(h);

        if (h->state == H1_DEAD)
            return false;
        if (n == -ERR_AGAIN)
            break;
        if (n <= 0) {
            input_ended(h, (enum err)(-n));
            return false;
        }
        h->leg.in_started = h->leg_open;
    }
    if (h->state != H1_DEAD && is_out_of_step(h))
        h1_die(h, LEG_PROTOCOL, "http1.codec_error", true);
    return reads == READS_PER_STEP;
}
