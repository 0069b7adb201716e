#include "unit/codec/h2_rig.h"

#include "unit/check.h"

#include <stdlib.h>

static const char letters[] = "DHPRSUIGWC";

void h2_rig_init(struct h2_rig *r, enum h2_side side, uint32_t open)
{
    struct h2_options o = h2_options_default;

    memset(r, 0, sizeof(*r));
    h2_init(&r->h, side, &o);
    buf_reset(&r->h.control);
    r->h.control_frames = 0;
    arena_init(&r->arena, 4096);
    buf_init(&r->seen, 1 << 20);
    r->h.settings_seen = open > 100; /* theirs may allow more */
    for (; r->n < open; r->n++) {
        h2_stream_open(&r->h, &r->streams[r->n], 0);
        r->streams[r->n].sent_end = true;
    }
}

void h2_rig_fini(struct h2_rig *r)
{
    h2_fini(&r->h);
    arena_fini(&r->arena);
    buf_fini(&r->seen);
}

/* ---- frames ---- */

static struct str word(struct str *rest)
{
    *rest = str_trim(*rest);
    return str_cut(rest, ' ');
}

static uint32_t number(struct str s, unsigned base)
{
    char text[32] = { 0 };

    memcpy(text, s.p, MIN(s.n, sizeof(text) - 1));
    return (uint32_t)strtoul(text, NULL, (int)base);
}

static void payload_add(struct str rest, struct buf *out)
{
    while (str_trim(rest).n) {
        rest = str_trim(rest);
        if (rest.p[0] == '\'') {
            buf_add(out, str_from(rest, 1));
            return;
        }
        if (rest.p[0] == '%') {
            struct str w = word(&rest);

            for (uint32_t i = number(str_from(w, 1), 10); i > 0; i--)
                buf_addc(out, 0);
            continue;
        }
        buf_addc(out, (char)number(word(&rest), 16));
    }
}

static void frame_add(struct str one, struct buf *out)
{
    struct str rest = str_trim(one), w = word(&rest);
    uint32_t times = 1, step = 0;
    struct h2_head head = { 0 };
    struct buf payload;
    const char *at;

    if (w.p[0] == '*' || w.p[0] == '+') {
        step = w.p[0] == '+' ? 2 : 0;
        times = number(str_from(w, 1), 10);
        w = word(&rest);
    }
    at = strchr(letters, w.p[0]);
    head.type = at ? (uint8_t)(at - letters) : 0x16;
    head.stream = number(word(&rest), 10);
    head.flags = (uint8_t)number(word(&rest), 16);
    buf_init(&payload, 1 << 17);
    payload_add(rest, &payload);
    head.len = (uint32_t)payload.n;
    for (; times > 0; times--) {
        char octets[H2_HEAD_LEN];

        h2_head_write(&head, octets);
        buf_add(out, str_make(octets, sizeof(octets)));
        buf_add(out, buf_str(&payload));
        head.stream += step;
    }
    buf_fini(&payload);
}

void h2_rig_frames(const char *words, struct buf *out)
{
    struct str rest = str_of(words);

    while (str_is_set(rest)) {
        struct str one = str_cut(&rest, ';');

        if (str_trim(one).n)
            frame_add(one, out);
    }
}

/* ---- events ---- */

static void say(struct h2_rig *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct h2_rig *r, const char *fmt, ...)
{
    va_list args;

    r->data_of = 0;
    if (r->seen.n)
        buf_addc(&r->seen, ' ');
    va_start(args, fmt);
    buf_vprintf(&r->seen, fmt, args);
    va_end(args);
}

static void on_block(struct h2_rig *r, const struct h2_event *ev)
{
    struct hpack_limits limits = { 1000, 20 };
    struct headers fields = { 0 };
    struct h2_stream *s = ev->stream;
    uint64_t length;
    bool over;

    if (!h2_block_read(&r->h, &limits, &r->arena, &fields, &over))
        return;
    r->over |= over;
    say(r, "B%u%s%s%s", ev->id, ev->end ? "." : "", ev->error ? "=" : "",
        ev->error ? ev->error->name : "");
    if (ev->error || (!s && !ev->opens))
        return;
    if (!s && r->n < RIG_STREAMS) {
        s = &r->streams[r->n++];
        h2_stream_open(&r->h, s, ev->id);
        s->got_end = ev->end;
    }
    if (!s)
        return;
    s->got_head = true;
    if (str_u64(headers_get(&fields, HDR_CONTENT_LENGTH), &length))
        h2_stream_expect(s, (int64_t)length);
}

static void on_data(struct h2_rig *r, const struct h2_event *ev)
{
    if (r->data_of != ev->id) {
        say(r, "D%u:", ev->id);
        r->data_of = ev->id;
    }
    buf_add(&r->seen, ev->data);
    if (ev->end)
        buf_addc(&r->seen, '.');
    h2_stream_consumed(&r->h, ev->stream, ev->data.n);
    h2_connection_consumed(&r->h, ev->data.n);
}

static void settle(struct h2_rig *r, const struct h2_event *ev)
{
    if (ev->stream)
        h2_stream_settle(&r->h, ev->stream);
}

static void on_event(struct h2_rig *r, const struct h2_event *ev)
{
    switch (ev->kind) {
    case H2_EV_MORE:
        break;
    case H2_EV_BLOCK:
        on_block(r, ev);
        settle(r, ev);
        break;
    case H2_EV_DATA:
        on_data(r, ev);
        settle(r, ev);
        break;
    case H2_EV_RESET:
        say(r, "R%u=%u", ev->id, ev->code);
        break;
    case H2_EV_STREAM_BAD:
        say(r, "X%u=%s", ev->id, ev->error->name);
        break;
    case H2_EV_WINDOW:
        say(r, "W%u", ev->id);
        break;
    case H2_EV_SETTINGS:
        say(r, "S");
        break;
    case H2_EV_GOAWAY:
        say(r, "G%u=%u", ev->id, ev->code);
        break;
    case H2_EV_PONG:
        say(r, "P");
        break;
    case H2_EV_BAD:
        say(r, "!%s", ev->error->name);
        break;
    }
}

void h2_rig_feed(struct h2_rig *r, struct str octets, size_t piece, size_t cut)
{
    struct h2_event ev = { .kind = H2_EV_MORE };
    size_t from = 0, to = 0;

    do {
        to = piece ? MIN(to + piece, octets.n) : to < cut ? MIN(cut, octets.n) : octets.n;
        do {
            char *copy = must_alloc(to - from + 1); /* so that a sanitizer sees its end */
            size_t used;

            memcpy(copy, octets.p + from, to - from);
            h2_next(&r->h, str_make(copy, to - from), &used, &ev);
            MUST(used <= to - from);
            from += used;
            on_event(r, &ev);
            free(copy);
        } while (ev.kind != H2_EV_MORE && ev.kind != H2_EV_BAD);
    } while (to < octets.n && ev.kind != H2_EV_BAD);
}

/* ---- what is to be sent ---- */

static void say_frame(struct h2_rig *r, const struct h2_head *f, const char *p)
{
    bool ack = f->flags & H2_ACK;

    if (f->type == H2_SETTINGS)
        say(r, ack ? "a" : "s");
    else if (f->type == H2_PING)
        say(r, ack ? "p" : "i");
    else if (f->type == H2_RST_STREAM)
        say(r, "r%u=%u", f->stream, h2_get32(p));
    else if (f->type == H2_GOAWAY)
        say(r, "g%u=%u", h2_get32(p), h2_get32(p + 4));
    else if (f->type == H2_WINDOW_UPDATE)
        say(r, "w%u+%u", f->stream, h2_get32(p));
    else
        say(r, "?%u", f->type);
}

struct str h2_rig_text(struct h2_rig *r)
{
    struct str rest = buf_str(&r->h.control);
    struct h2_head f;

    say(r, "|");
    while (h2_head_read(rest, &f)) {
        say_frame(r, &f, rest.p + H2_HEAD_LEN);
        rest = str_from(rest, H2_HEAD_LEN + f.len);
    }
    CHECK_EQ(rest.n, 0);
    buf_reset(&r->h.control);
    r->h.control_frames = 0;
    return buf_str(&r->seen);
}
