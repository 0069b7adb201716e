/*
 * codec/h2/frames - what each frame does, once its payload is whole. RFC 9113, 6.
 */
#include "codec/h2/h2_int.h"

/* Control frames that need an answer, and other oddities, before they count as a flood:
 * some at once, and some for each stream. */
#define GLITCHES_FREE 200
#define GLITCHES_PER_S 20
#define RESETS_FREE 100
#define RESETS_PER_S 5
#define CONTINUATIONS_MAX 64
#define EMPTY_MAX 5

const struct h2_error *h2_spend(uint64_t *counter, uint64_t most, const struct h2_error *flood)
{
    return ++*counter > most ? flood : NULL;
}

const struct h2_error *h2_spend_glitch(struct h2 *h)
{
    return h2_spend(&h->glitches, GLITCHES_FREE + 4 * h->streams_seen + h->data_sent,
                    &h2_error_inbound_control_frames_flood);
}

/* A client chose itself what it sent: a server that resets it costs nothing more. */
const struct h2_error *h2_spend_reset(const struct h2 *h, uint64_t count)
{
    return h->side == H2_SERVER && count > RESETS_FREE + h->streams_seen / 2
               ? &h2_error_too_many_premature_resets
               : NULL;
}

static void give_back(uint64_t *counter, uint64_t n)
{
    *counter -= MIN(*counter, n);
}

void h2_relax(struct h2 *h, uint64_t now_ms)
{
    uint64_t seconds;

    if (h->relaxed_ms == 0)
        h->relaxed_ms = now_ms;
    seconds = (now_ms - h->relaxed_ms) / 1000;
    h->relaxed_ms += seconds * 1000;
    give_back(&h->glitches, seconds * GLITCHES_PER_S);
    give_back(&h->window_updates, seconds * GLITCHES_PER_S);
    give_back(&h->priorities, seconds * GLITCHES_PER_S);
    give_back(&h->resets_theirs, seconds * RESETS_PER_S);
    give_back(&h->resets_ours, seconds * RESETS_PER_S);
}

/* ---- header blocks ---- */

static const struct h2_error *cut_padding(struct h2 *h, struct str *payload)
{
    size_t n;

    if (!(h->head.flags & H2_PADDED))
        return NULL;
    if (payload->n == 0)
        return &h2_error_frame_size;
    n = (unsigned char)payload->p[0];
    *payload = str_from(*payload, 1);
    if (n > payload->n)
        return &h2_error_padding;
    payload->n -= n;
    return NULL;
}

static const struct h2_error *block_add(struct h2 *h, struct str fragment)
{
    if (!buf_add(&h->block, fragment))
        return &h2_error_header_overflow;
    if (h->head.flags & H2_END_HEADERS)
        h->block_due = true;
    return NULL;
}

/* A new stream of theirs; those it skipped are closed with it (5.1.1). */
static void opened(struct h2 *h, uint32_t id)
{
    uint32_t step = (id - h->last_theirs) / 2;

    h->opened_theirs = step < 64 && h->last_theirs ? h->opened_theirs << step : 0;
    h->opened_theirs |= 1;
    h->last_theirs = id;
    h->streams_seen++;
}

static bool was_skipped(const struct h2 *h, uint32_t id)
{
    uint32_t back = (h->last_theirs - id) / 2;

    return back < 64 && !(h->opened_theirs >> back & 1);
}

/* Who may open or continue the stream: 5.1, 5.1.1. */
static const struct h2_error *check_opening(struct h2 *h, uint32_t id)
{
    if (h2_stream_of(h, id))
        return NULL;
    if (h->side == H2_CLIENT || !h2_is_theirs(h, id)) {
        if (h2_is_idle(h, id))
            return h->side == H2_CLIENT ? &h2_error_idle_stream : &h2_error_stream_id;
        return h2_is_reset(h, id) ? NULL : &h2_error_closed_stream;
    }
    if (h2_is_idle(h, id)) {
        opened(h, id);
        h->block_opens = true;
        return NULL;
    }
    if (h2_is_reset(h, id))
        return NULL;
    return was_skipped(h, id) ? &h2_error_stream_id : &h2_error_closed_stream;
}

/* RFC 7540, 5.3.1 */
static const struct h2_error *cut_priority(struct h2 *h, struct str *payload)
{
    if (!(h->head.flags & H2_HAS_PRIORITY))
        return NULL;
    if (payload->n < 5)
        return &h2_error_frame_size;
    if ((h2_get32(payload->p) & H2_MAX_WINDOW) == h->head.stream)
        h->block_error = &h2_error_self_dependency;
    *payload = str_from(*payload, 5);
    return NULL;
}

static const struct h2_error *on_headers(struct h2 *h, struct str payload, struct h2_event *ret)
{
    const struct h2_error *error = cut_padding(h, &payload);
    const struct h2_stream *s;

    (void)ret;
    h->block_opens = false;
    if (!error)
        error = check_opening(h, h->head.stream);
    if (error)
        return error;
    s = h2_stream_of(h, h->head.stream);
    h->block_error = s && s->got_end ? &h2_error_half_closed : NULL;
    error = cut_priority(h, &payload);
    if (error)
        return error;
    buf_reset(&h->block);
    h->block_stream = h->head.stream;
    h->block_end = h->head.flags & H2_END_STREAM;
    h->block_frames = 0;
    return block_add(h, payload);
}

static const struct h2_error *on_continuation(struct h2 *h, struct str payload,
                                              struct h2_event *ret)
{
    (void)ret;
    if (h->block_stream == 0)
        return &h2_error_continuation;
    if (++h->block_frames > CONTINUATIONS_MAX)
        return &h2_error_inbound_continuation_frames_flood;
    if (payload.n == 0 && h->block_frames > EMPTY_MAX)
        return &h2_error_inbound_continuation_frames_flood;
    return block_add(h, payload);
}

/* ---- the others ---- */

static const struct h2_error *on_priority(struct h2 *h, struct str payload, struct h2_event *ret)
{
    uint32_t parent = h2_get32(payload.p) & H2_MAX_WINDOW;
    const struct h2_error *error = NULL;

    if (parent == h->head.stream) /* RFC 7540, 5.3.1 */
        error = h2_id_bad(h, h->head.stream, &h2_error_self_dependency, ret);
    if (error)
        return error;
    return h2_spend(&h->priorities, 100 * (1 + h->streams_seen),
                    &h2_error_inbound_priority_frames_flood);
}

static const struct h2_error *on_reset(struct h2 *h, struct str payload, struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, h->head.stream);

    if (h2_is_idle(h, h->head.stream))
        return &h2_error_idle_stream;
    if (!s)
        return h2_spend_glitch(h);
    h2_unlink(h, s);
    ret->kind = H2_EV_RESET;
    ret->stream = s;
    ret->id = s->id;
    ret->code = h2_get32(payload.p);
    h2_count(h, H2_COUNT_RX_RESET);
    if (s->sent_end)
        return NULL; /* answered in full: nothing was wasted */
    return h2_spend_reset(h, ++h->resets_theirs);
}

static const struct h2_error *move_window(struct h2_stream *s, int64_t by)
{
    s->send_window += by;
    return s->send_window > H2_MAX_WINDOW ? &h2_error_window_overflow : NULL;
}

/* 6.9.2: a change of the initial window moves the windows of all open streams. */
static const struct h2_error *move_windows(struct h2 *h, int64_t by)
{
    for (size_t i = 0; by && h->table && i < H2_TABLE; i++) {
        for (struct h2_stream *s = h->table[i]; s; s = s->next) {
            const struct h2_error *error = move_window(s, by);

            if (error)
                return error;
        }
    }
    return NULL;
}

static const struct h2_error *set(struct h2 *h, uint16_t id, uint32_t value)
{
    bool told = id == H2_SETTINGS_ENABLE_CONNECT_PROTOCOL && h->theirs.v[id];
    const struct h2_error *error = h2_settings_set(&h->theirs, id, value);

    if (told && !value) /* RFC 8441, 3 */
        return &h2_error_setting_taken_back;
    if (!error && id == H2_SETTINGS_HEADER_TABLE_SIZE)
        hpack_encoder_resize(&h->encoder, value);
    if (!error && id == H2_SETTINGS_ENABLE_PUSH && value && h->side == H2_CLIENT)
        error = &h2_error_setting; /* 6.5.2: a server must not */
    return error;
}

static const struct h2_error *on_settings(struct h2 *h, struct str payload, struct h2_event *ret)
{
    static const struct h2_head ack = { .type = H2_SETTINGS, .flags = H2_ACK };
    uint32_t old_window = h->theirs.v[H2_SETTINGS_INITIAL_WINDOW_SIZE];
    const struct h2_error *error = NULL;

    if (h->head.flags & H2_ACK) {
        h->settings_agreed = true;
        return h2_spend_glitch(h);
    }
    for (; payload.n && !error; payload = str_from(payload, 6)) {
        const unsigned char *u = (const unsigned char *)payload.p;

        error = set(h, (uint16_t)(u[0] << 8 | u[1]), h2_get32(payload.p + 2));
    }
    if (!error) /* once a frame: it may name the setting 2,730 times */
        error = move_windows(h, (int64_t)h->theirs.v[H2_SETTINGS_INITIAL_WINDOW_SIZE] - old_window);
    if (error)
        return error;
    h->settings_seen = true;
    h2_control(h, &ack, NULL);
    ret->kind = H2_EV_SETTINGS;
    return h2_spend_glitch(h);
}

static const struct h2_error *on_push(struct h2 *h, struct str payload, struct h2_event *ret)
{
    (void)h;
    (void)payload;
    (void)ret;
    return &h2_error_push;
}

static const struct h2_error *on_ping(struct h2 *h, struct str payload, struct h2_event *ret)
{
    static const struct h2_head ack = { .len = 8, .type = H2_PING, .flags = H2_ACK };

    if (h->head.flags & H2_ACK)
        ret->kind = H2_EV_PONG;
    else
        h2_control(h, &ack, payload.p);
    return h2_spend_glitch(h);
}

static const struct h2_error *on_goaway(struct h2 *h, struct str payload, struct h2_event *ret)
{
    uint32_t last = h2_get32(payload.p) & H2_MAX_WINDOW;

    h->goaway_id = MIN(h->goaway_id, last);
    ret->kind = H2_EV_GOAWAY;
    ret->id = h->goaway_id;
    ret->code = h2_get32(payload.p + 4);
    return h2_spend_glitch(h);
}

static const struct h2_error *connection_window(struct h2 *h, uint32_t n, struct h2_event *ret)
{
    if (n == 0)
        return &h2_error_zero_increment;
    h->send_window += n;
    ret->kind = H2_EV_WINDOW;
    return h->send_window > H2_MAX_WINDOW ? &h2_error_window_overflow : NULL;
}

static const struct h2_error *on_window(struct h2 *h, struct str payload, struct h2_event *ret)
{
    uint32_t n = h2_get32(payload.p) & H2_MAX_WINDOW;
    struct h2_stream *s = h2_stream_of(h, h->head.stream);
    const struct h2_error *error;

    error = h2_spend(&h->window_updates, 100 + 2 * (h->streams_seen + 10 * h->data_sent),
                     &h2_error_inbound_window_update_frames_flood);
    if (error)
        return error;
    if (h->head.stream == 0)
        return connection_window(h, n, ret);
    if (h2_is_idle(h, h->head.stream))
        return &h2_error_idle_stream;
    if (!s)
        return NULL;
    if (n == 0 || move_window(s, n)) {
        h2_stream_bad(h, s, n ? &h2_error_stream_window_overflow : &h2_error_stream_zero_increment,
                      ret);
        return NULL;
    }
    ret->kind = H2_EV_WINDOW;
    ret->stream = s;
    ret->id = s->id;
    return NULL;
}

static const struct h2_error *(*const handlers[])(struct h2 *h, struct str payload,
                                                  struct h2_event *ret) = {
    [H2_HEADERS] = on_headers,
    [H2_PRIORITY] = on_priority,
    [H2_RST_STREAM] = on_reset,
    [H2_SETTINGS] = on_settings,
    [H2_PUSH_PROMISE] = on_push,
    [H2_PING] = on_ping,
    [H2_GOAWAY] = on_goaway,
    [H2_WINDOW_UPDATE] = on_window,
    [H2_CONTINUATION] = on_continuation,
};

const struct h2_error *h2_frame(struct h2 *h, struct str payload, struct h2_event *ret)
{
    return handlers[h->head.type](h, payload, ret);
}
