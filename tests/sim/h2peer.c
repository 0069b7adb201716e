#include "sim/h2peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PULLED_MAX 16384 /* octets that wait for the network */

/* ---- memory of the schedule's arena ---- */

static void *mem_new(size_t n, void *user)
{
    size_t *p = arena_raw(sim.arena, n + 16);

    (void)user;
    *p = n;
    return (char *)p + 16;
}

static void *mem_zeroed(size_t n, size_t size, void *user)
{
    return memset(mem_new(n * size, user), 0, n * size);
}

static void *mem_grown(void *old, size_t n, void *user)
{
    size_t had = old ? *(size_t *)(void *)((char *)old - 16) : 0;
    void *p = mem_new(n, user);

    if (had)
        memcpy(p, old, MIN(n, had));
    return p;
}

static void mem_free(void *p, void *user)
{
    (void)p, (void)user;
}

static nghttp2_mem memory = { NULL, mem_new, mem_free, mem_zeroed, mem_grown };

/* ---- streams ---- */

static struct h2stream *stream_of(struct h2peer *h, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h->session, id);
}

struct h2stream *h2stream_new(struct h2peer *h, struct rq *r)
{
    struct h2stream *s = ARENA_NEW(sim.arena, struct h2stream);

    s->of = h;
    s->rq = r;
    s->sum = -1;
    s->next = h->streams;
    h->streams = s;
    h->open++;
    return s;
}

static void stream_gone(struct h2stream *s)
{
    if (s->gone)
        return;
    s->gone = true;
    event_off(&s->later);
}

void h2stream_reset(struct h2stream *s, uint32_t code)
{
    stream_gone(s);
    SAY("c%u stream %d is reset from here, %u", s->of->peer->end->id, s->id, code);
    MUST(nghttp2_submit_rst_stream(s->of->session, 0, s->id, code) == 0);
}

void h2stream_go_on(struct h2stream *s)
{
    if (s->waits)
        event_off(&s->later);
    s->waits = false;
    if (s->deferred && !s->gone)
        (void)nghttp2_session_resume_data(s->of->session, s->id);
    s->deferred = false;
}

/* ---- what leaves ---- */

static void trailers_send(struct h2stream *s)
{
    char sum[16];
    nghttp2_nv nv[2] = {
        { (uint8_t *)"x-sum", (uint8_t *)sum, 5, 0, 0 },
        { (uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0 },
    };

    nv[0].valuelen = (size_t)snprintf(sum, sizeof(sum), "%u", s->rq->id);
    MUST(nghttp2_submit_trailer(s->of->session, s->id, nv, s->rq->grpc ? 2 : 1) == 0);
}

static ssize_t content_read(nghttp2_session *session, int32_t id, uint8_t *into, size_t n,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct h2stream *s = source->ptr;
    struct h2peer *h = s->of;
    size_t left = s->n - s->at, piece;

    (void)session, (void)id, (void)user;
    if (s->waits || (left && chance(h->manner.stutter)) || (left == 0 && s->cuts)) {
        s->deferred = true;
        if (left == 0 && s->cuts)
            h->ops->cut(s);
        else if (!s->waits && !heap_has(&h->resume.node))
            event_in(&h->resume, between(1, 50) * MS);
        return NGHTTP2_ERR_DEFERRED;
    }
    piece = between_most(1, n, left);
    body_fill(s->rq, !h->ops->way_in, s->at, (char *)into, piece);
    s->at += piece;
    if (s->at < s->n || s->cuts)
        return (ssize_t)piece;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (s->trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        trailers_send(s);
    }
    return (ssize_t)piece;
}

nghttp2_data_provider h2stream_content(struct h2stream *s, size_t n, bool trailers)
{
    s->n = n;
    s->trailers = trailers;
    return (nghttp2_data_provider){ { .ptr = s }, content_read };
}

static void resume_due(struct event *e)
{
    struct h2peer *h = CONTAINER_OF(e, struct h2peer, resume);

    for (struct h2stream *s = h->streams; s; s = s->next) {
        if (s->deferred && !s->waits && !s->gone && s->at < s->n)
            h2stream_go_on(s);
    }
    h2peer_pull(h);
}

void h2peer_raw(struct h2peer *h, struct str octets)
{
    size_t n = MIN(octets.n, h->cut_left);

    if (h->cut_left != SIZE_MAX)
        h->cut_left -= n;
    if (!h->peer->finishing)
        peer_write(h->peer, str_sub(octets, 0, n));
}

static bool all_asked(const struct h2peer *h)
{
    for (const struct h2stream *s = h->streams; s; s = s->next) {
        if (!s->gone && !s->sent_end)
            return false;
    }
    return true;
}

void h2peer_pull(struct h2peer *h)
{
    const uint8_t *octets;
    ssize_t n = 1;

    while (!h->peer->dead && n > 0 && peer_waiting(h->peer) < PULLED_MAX) {
        n = nghttp2_session_mem_send(h->session, &octets);
        HOLDS(n >= 0 || h->spoilt, "c%u nghttp2: %s", h->peer->end->id, nghttp2_strerror((int)n));
        if (n > 0)
            h2peer_raw(h, str_make((const char *)octets, (size_t)n));
        h2peer_raw(h, str_make(h->behind.p, h->behind.n));
        h->behind.n = 0;
    }
    if (n <= 0 && h->finishes && all_asked(h))
        peer_finish(h->peer);
}

/* ---- what arrives ---- */

static int on_begin(nghttp2_session *session, const nghttp2_frame *f, void *user)
{
    struct h2peer *h = user;

    h->block = (struct h2block){ .id = -1, .sum = -1 };
    if (f->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct h2stream *s = h2stream_new(h, NULL);

        s->id = f->hd.stream_id;
        nghttp2_session_set_stream_user_data(session, s->id, s);
    }
    return 0;
}

static void text_keep(char *into, size_t size, struct str value)
{
    size_t n = MIN(value.n, size - 1);

    memcpy(into, value.p, n);
    into[n] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *f, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    struct h2block *b = &((struct h2peer *)user)->block;
    struct str n = str_make((const char *)name, name_n), v = str_make((const char *)value, value_n);
    int64_t number = strtoll(v.n ? v.p : "", NULL, 10); /* nghttp2 puts a NUL behind it */

    (void)session, (void)f, (void)flags;
    if (str_eq(n, STR(":status")))
        b->status = (uint16_t)number;
    else if (str_eq(n, STR(":method")))
        text_keep(b->method, sizeof(b->method), v);
    else if (str_eq(n, STR(":path")))
        text_keep(b->path, sizeof(b->path), v);
    else if (str_eq(n, STR(":authority")))
        text_keep(b->host, sizeof(b->host), v);
    else if (str_eq(n, STR("x-id")))
        b->id = number;
    else if (str_eq(n, STR("x-sum")))
        b->sum = number;
    else if (str_eq(n, STR("grpc-status")))
        b->grpc = true;
    else if (str_eq(n, STR("x-never")))
        b->never = true;
    else if (str_eq(n, STR("x-wrong")))
        b->poison = true;
    return 0;
}

static void block_arrived(struct h2stream *s, const struct h2block *b)
{
    HOLDS(!b->never, "stream %d gets what was sent behind another's end", s->id);
    if (b->status || b->method[0])
        s->of->ops->head(s, b);
    else
        s->sum = b->sum;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *f, void *user)
{
    struct h2peer *h = user;
    struct h2stream *s = stream_of(h, f->hd.stream_id);

    (void)session;
    if (f->hd.type == NGHTTP2_GOAWAY)
        h->goaway = true;
    if (f->hd.type == NGHTTP2_PING && f->hd.flags & NGHTTP2_FLAG_ACK)
        h->ponged |= f->ping.opaque_data[0] == 'o';
    if (!s || s->gone || h->peer->dead)
        return 0;
    if (f->hd.type == NGHTTP2_HEADERS)
        block_arrived(s, &h->block);
    if ((f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && !s->gone &&
        f->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        s->ended = true;
        h->ops->whole(s);
    }
    return 0;
}

static int on_octets(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *octets,
                     size_t n, void *user)
{
    struct h2peer *h = user;
    struct h2stream *s = stream_of(h, id);

    (void)flags;
    if (!s || s->gone || h->peer->dead) {
        (void)nghttp2_session_consume(session, id, n);
        return 0;
    }
    if (h->ops->way_in == BODY_UP || (!s->rq->is_local && !s->rq->poisoned))
        body_check(s->rq, h->ops->way_in, s->got, (const char *)octets, n);
    s->got += n;
    if (h->manner.drinks_ns == 0) {
        (void)nghttp2_session_consume(session, id, n);
        return 0;
    }
    s->unread += n;
    if (!heap_has(&h->drink.node))
        event_in(&h->drink, between(1, h->manner.drinks_ns));
    return 0;
}

static void drink_due(struct event *e)
{
    struct h2peer *h = CONTAINER_OF(e, struct h2peer, drink);
    bool more = false;

    for (struct h2stream *s = h->streams; s; s = s->next) {
        if (s->unread && chance(700)) {
            (void)nghttp2_session_consume(h->session, s->id, s->unread);
            s->unread = 0;
        }
        more |= s->unread > 0;
    }
    if (more)
        event_in(e, between(1, h->manner.drinks_ns));
    h2peer_pull(h);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2peer *h = user;
    struct h2stream *s = stream_of(h, id), **at = &h->streams;

    if (!s)
        return 0;
    SAY("c%u stream %d is closed, %u", h->peer->end->id, id, code);
    if (s->unread)
        (void)nghttp2_session_consume_connection(session, s->unread);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    h->open--;
    event_off(&s->later);
    if (!s->gone && !h->peer->dead) {
        s->gone = true;
        h->ops->closed(s, code);
    }
    return 0;
}

/* ---- rules ---- */

static int on_sent(nghttp2_session *session, const nghttp2_frame *f, void *user)
{
    struct h2peer *h = user;
    struct h2stream *s = stream_of(h, f->hd.stream_id);

    (void)session;
    if (s && (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) &&
        f->hd.flags & NGHTTP2_FLAG_END_STREAM)
        s->sent_end = true;
    HOLDS(f->hd.type != NGHTTP2_GOAWAY || f->goaway.error_code == 0 || h->spoilt,
          "c%u a worker breaks a rule of HTTP/2: %s, %.*s", h->peer->end->id,
          nghttp2_http2_strerror(f->goaway.error_code), (int)f->goaway.opaque_data_len,
          (const char *)f->goaway.opaque_data);
    HOLDS(f->hd.type != NGHTTP2_RST_STREAM || !s || s->gone || h->spoilt,
          "c%u a worker breaks a rule on stream %d: %s", h->peer->end->id, f->hd.stream_id,
          nghttp2_http2_strerror(f->rst_stream.error_code));
    return 0;
}

/* Streams beyond a limit that the worker could not know are refused (RFC 9113, 5.1.2). */
static int on_invalid(nghttp2_session *session, const nghttp2_frame *f, int error, void *user)
{
    struct h2peer *h = user;

    (void)session;
    HOLDS(h->spoilt || error == NGHTTP2_ERR_REFUSED_STREAM,
          "c%u a frame of type %u on stream %d is wrong: %s", h->peer->end->id, f->hd.type,
          f->hd.stream_id, nghttp2_strerror(error));
    return 0;
}

static ssize_t on_padding(nghttp2_session *session, const nghttp2_frame *f, size_t most, void *user)
{
    struct h2peer *h = user;

    (void)session;
    return (ssize_t)(chance(h->manner.pads) ? between_most(0, 255, most - f->hd.length) : 0) +
           (ssize_t)f->hd.length;
}

void h2peer_input(struct h2peer *h, struct str octets)
{
    ssize_t n;

    if (!h->heard && octets.n && octets.p[0] == 'H') /* 408, to half a preface */
        h->spoilt = true;
    h->heard = true;
    n = nghttp2_session_mem_recv(h->session, (const uint8_t *)octets.p, octets.n);

    HOLDS(n >= 0 || h->spoilt, "c%u is no HTTP/2: %s", h->peer->end->id, nghttp2_strerror((int)n));
    h2peer_pull(h);
}

/* ---- frames that nobody may send ---- */

struct raw {
    uint8_t type, flags;
    int32_t stream; /* -1: the last one */
    struct str payload;
};

static const struct raw raws[] = {
    { NGHTTP2_DATA, 0, 0, STR_INIT("no stream") },
    { NGHTTP2_DATA, 0, 2001, STR_INIT("an idle stream") },
    { NGHTTP2_DATA, 8, -1, STR_INIT("\xff padding") },
    { NGHTTP2_HEADERS, 4, 0, STR_INIT("\x82") },
    { NGHTTP2_HEADERS, 4, -1, STR_INIT("\xff\xff\xff\xff\xff\xff") },
    { NGHTTP2_HEADERS, 4, -1, STR_INIT("\x82") },
    { NGHTTP2_HEADERS, 0, -1, STR_INIT("") }, /* and no CONTINUATION */
    { NGHTTP2_HEADERS, 5, 2000, STR_INIT("\x82") },
    { NGHTTP2_PRIORITY, 0, -1, STR_INIT("1234") },
    { NGHTTP2_RST_STREAM, 0, 2003, STR_INIT("\0\0\0\0") },
    { NGHTTP2_RST_STREAM, 0, -1, STR_INIT("\0\0\0") },
    { NGHTTP2_SETTINGS, 1, 0, STR_INIT("\0\3\0\0\0\1") },
    { NGHTTP2_SETTINGS, 0, 0, STR_INIT("\0\4\xff\xff\xff\xff") },
    { NGHTTP2_SETTINGS, 0, 0, STR_INIT("\0\5\0\0\0\1") },
    { NGHTTP2_SETTINGS, 0, 0, STR_INIT("\0\3\0") },
    { NGHTTP2_PUSH_PROMISE, 4, -1, STR_INIT("\0\0\0\2\x82") },
    { NGHTTP2_PING, 0, 0, STR_INIT("1234567") },
    { NGHTTP2_PING, 0, -1, STR_INIT("12345678") },
    { NGHTTP2_GOAWAY, 0, 0, STR_INIT("1234") },
    { NGHTTP2_GOAWAY, 0, -1, STR_INIT("\0\0\0\0\0\0\0\0") },
    { NGHTTP2_WINDOW_UPDATE, 0, 0, STR_INIT("\0\0\0\0") },
    { NGHTTP2_WINDOW_UPDATE, 0, -1, STR_INIT("\0\0\0\0") },
    { NGHTTP2_WINDOW_UPDATE, 0, 0, STR_INIT("\x7f\xff\xff\xff") },
    { NGHTTP2_WINDOW_UPDATE, 0, -1, STR_INIT("\x7f\xff\xff\xff") },
    { NGHTTP2_CONTINUATION, 4, -1, STR_INIT("\x82") },
    { 99, 0xff, -1, STR_INIT("a type that is to be ignored") },
};

void h2peer_spoil(struct h2peer *h)
{
    const struct raw *r = &raws[below(LEN(raws))];
    int32_t id = r->stream >= 0 ? r->stream : h->streams ? h->streams->id : 1;
    uint8_t head[9] = { 0, 0, (uint8_t)r->payload.n, r->type,    r->flags,
                        0, 0, (uint8_t)(id >> 8),    (uint8_t)id };

    SAY("c%u sends a wrong frame: type %u, stream %d", h->peer->end->id, r->type, id);
    h->spoilt = true;
    h2peer_raw(h, str_make((const char *)head, sizeof(head)));
    h2peer_raw(h, r->payload);
}

/* ---- sessions ---- */

static nghttp2_session_callbacks *callbacks(void)
{
    static nghttp2_session_callbacks *c;

    if (c)
        return c;
    MUST(nghttp2_session_callbacks_new(&c) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_octets);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid);
    nghttp2_session_callbacks_set_select_padding_callback(c, on_padding);
    return c;
}

static void session_begin(struct h2peer *h)
{
    nghttp2_option *o;
    int result;

    MUST(nghttp2_option_new(&o) == 0);
    nghttp2_option_set_no_auto_window_update(o, 1);
    if (h->manner.hasty)
        nghttp2_option_set_peer_max_concurrent_streams(o, h->manner.hasty);
    result = h->ops->way_in == BODY_UP
                 ? nghttp2_session_server_new3(&h->session, callbacks(), h, o, &memory)
                 : nghttp2_session_client_new3(&h->session, callbacks(), h, o, &memory);
    MUST(result == 0);
    nghttp2_option_del(o);
}

void h2peer_ping(struct h2peer *h)
{
    h->ponged = false;
    MUST(nghttp2_submit_ping(h->session, 0, (const uint8_t *)"our ping") == 0);
}

void h2peer_settings(struct h2peer *h, uint32_t id, uint32_t value)
{
    nghttp2_settings_entry e = { (int32_t)id, value };

    SAY("c%u SETTINGS %u = %u", h->peer->end->id, id, value);
    MUST(nghttp2_submit_settings(h->session, 0, &e, 1) == 0);
}

void h2peer_begin(struct h2peer *h, struct peer *p, const struct h2peer_ops *ops,
                  const struct h2manner *m)
{
    nghttp2_settings_entry e[] = {
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, m->window },
        { NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, m->table },
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, m->max_streams },
    };

    *h = (struct h2peer){ .peer = p, .ops = ops, .manner = *m, .cut_left = SIZE_MAX };
    h->drink.fire = drink_due;
    h->resume.fire = resume_due;
    session_begin(h);
    MUST(nghttp2_submit_settings(h->session, 0, e, LEN(e)) == 0);
    h2peer_pull(h);
}

void h2peer_end(struct h2peer *h)
{
    if (!h)
        return;
    event_off(&h->drink);
    event_off(&h->resume);
    for (struct h2stream *s = h->streams; s; s = s->next)
        stream_gone(s);
}
