#include "h2_feed.h"

#include "base/hash.h"

/* ---- the owner ---- */

struct owner {
    struct h2 h;
    struct h2_stream streams[H2_FEED_STREAMS];
    struct h2_feed_limits limits;
    struct arena arena;
    struct h2_seen *seen;
};

static void note(struct owner *o, uint64_t what, uint64_t id)
{
    o->seen->hash = (o->seen->hash ^ (what << 32 | id)) * 0x9e3779b97f4a7c15u;
    o->seen->events++;
}

static struct h2_stream *slot(struct owner *o)
{
    for (size_t i = 0; i < H2_FEED_STREAMS; i++) {
        if (!o->streams[i].is_open)
            return &o->streams[i];
    }
    return NULL;
}

static const struct h2_error *judge(struct owner *o, const struct h2_event *ev,
                                    const struct headers *fields, struct h2_message *ret)
{
    struct headers trailers = { 0 };

    if (ev->stream && ev->stream->got_head)
        return ev->end ? h2_trailers_read(fields, &o->arena, &trailers) : &h2_error_no_trailer_end;
    return o->h.side == H2_SERVER ? h2_request_read(fields, &o->arena, ret)
                                  : h2_response_read(fields, &o->arena, ret);
}

static void on_block(struct owner *o, const struct h2_event *ev)
{
    struct hpack_limits limits = { o->limits.max_octets, 100 };
    struct h2_message m = { .content_length = -1 };
    struct h2_stream *s = ev->stream;
    struct headers fields = { 0 };
    const struct h2_error *error;
    bool over, opens = ev->opens;

    if (!h2_block_read(&o->h, &limits, &o->arena, &fields, &over)) {
        note(o, 1, ev->id);
        return;
    }
    note(o, 2 + ev->end, ev->id);
    MUST(fields.octets <= limits.max_octets && fields.n <= limits.max_headers);
    if (ev->error || (!s && !opens))
        return;
    error = over ? &h2_error_malformed : judge(o, ev, &fields, &m);
    note(o, error ? 4 : 5, ev->id);
    if (opens && !error)
        s = slot(o);
    if (opens && (error || !s)) {
        h2_refuse(&o->h, ev->id, error ? error : &h2_error_refused, true);
        return;
    }
    if (opens)
        h2_stream_open(&o->h, s, ev->id);
    if (error) {
        h2_stream_fail(&o->h, s, error);
        return;
    }
    s->got_end |= ev->end;
    if (o->h.side == H2_CLIENT && m.status < 200 && !s->got_head)
        return;
    if (!s->got_head)
        h2_stream_expect(s, m.content_length);
    s->got_head = true;
}

static void check_windows(const struct owner *o)
{
    if (o->h.dead)
        return;
    MUST(o->h.send_window <= H2_MAX_WINDOW && o->h.recv_window <= H2_MAX_WINDOW);
    for (size_t i = 0; i < H2_FEED_STREAMS; i++) {
        const struct h2_stream *s = &o->streams[i];

        if (!s->is_open)
            continue;
        MUST(s->send_window <= H2_MAX_WINDOW && s->recv_window <= H2_MAX_WINDOW);
        MUST(h2_may_send(&o->h, s) <= H2_MAX_FRAME);
    }
}

static void on_event(struct owner *o, const struct h2_event *ev)
{
    switch (ev->kind) {
    case H2_EV_MORE:
        return;
    case H2_EV_BLOCK:
        on_block(o, ev);
        break;
    case H2_EV_DATA: /* in as many parts as it came */
        MUST(ev->stream && ev->stream->is_open && ev->stream->id == ev->id);
        o->seen->octets += ev->data.n;
        if (ev->end)
            note(o, 6, ev->id);
        h2_stream_consumed(&o->h, ev->stream, ev->data.n);
        h2_connection_consumed(&o->h, ev->data.n);
        break;
    case H2_EV_RESET:
        MUST(!ev->stream->is_open);
        note(o, 7, ev->id);
        break;
    case H2_EV_STREAM_BAD:
        MUST(!ev->stream->is_open && ev->error);
        o->seen->broken++;
        note(o, 8, ev->id);
        break;
    case H2_EV_BAD:
        MUST(ev->error && o->h.dead == ev->error);
        o->seen->error = ev->error;
        note(o, 9, 0);
        break;
    default:
        note(o, 10 + (uint64_t)ev->kind, ev->id);
    }
    check_windows(o);
}

static void feed(struct owner *o, struct str in, size_t piece)
{
    struct h2_event ev = { .kind = H2_EV_MORE };
    size_t from = 0, to = 0;

    while (to < in.n && ev.kind != H2_EV_BAD) {
        to = MIN(to + piece, in.n);
        do {
            size_t used;

            h2_next(&o->h, str_sub(in, from, to - from), &used, &ev);
            MUST(used <= to - from);
            from += used;
            on_event(o, &ev);
        } while (ev.kind != H2_EV_MORE && ev.kind != H2_EV_BAD);
        MUST(o->h.control_frames <= 2000); /* the door of 1,000, and GOAWAY */
        MUST(o->h.block.n <= o->h.options.max_block);
    }
}

struct h2_seen h2_feed_run(struct str in, enum h2_side side, size_t piece,
                           const struct h2_feed_limits *limits)
{
    struct h2_seen seen = { 0 };
    struct owner o = { .seen = &seen, .limits = *limits };

    h2_init(&o.h, side, &h2_options_default);
    buf_reset(&o.h.control);
    arena_init(&o.arena, 4096);
    for (size_t i = 0; side == H2_CLIENT && i < limits->open; i++) {
        h2_stream_open(&o.h, &o.streams[i], 0);
        o.streams[i].sent_end = true;
    }
    feed(&o, in, piece);
    MUST(o.arena.total <= 4096 + 64 * (in.n + 1000) + limits->max_octets * (seen.events + 2));
    arena_fini(&o.arena);
    h2_fini(&o.h);
    return seen;
}

static void check_same(const struct h2_seen *a, const struct h2_seen *b)
{
    MUST(a->error == b->error);
    if (a->error)
        return;
    MUST(a->hash == b->hash);
    /* DATA that turns out too long is told up to where it was cut. */
    MUST(a->broken || a->octets == b->octets);
}

void h2_feed_check(struct str in, enum h2_side side)
{
    struct h2_feed_limits limits = { .max_octets = 4096, .open = 8 };
    struct h2_seen whole = h2_feed_run(in, side, in.n + 1, &limits);
    struct h2_seen parts = h2_feed_run(in, side, 1 + hash_stable(in) % (in.n + 1), &limits);

    check_same(&whole, &parts);
    if (in.n > 4096)
        return;
    parts = h2_feed_run(in, side, 1, &limits);
    check_same(&whole, &parts);
}
