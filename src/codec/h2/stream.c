#include "codec/h2/h2_int.h"

#define STREAMS_UNTOLD 100

static struct h2_stream **bucket(const struct h2 *h, uint32_t id)
{
    return (struct h2_stream **)(uintptr_t)&h->table[(id >> 1) % H2_TABLE];
}

struct h2_stream *h2_stream_of(const struct h2 *h, uint32_t id)
{
    struct h2_stream *s = h->table ? *bucket(h, id) : NULL;

    while (s && s->id != id)
        s = s->next;
    return s;
}

bool h2_is_theirs(const struct h2 *h, uint32_t id)
{
    return h2_is_client_stream(id) == (h->side == H2_SERVER);
}

bool h2_is_idle(const struct h2 *h, uint32_t id)
{
    return id > (h2_is_theirs(h, id) ? h->last_theirs : h->last_ours);
}

bool h2_is_reset(const struct h2 *h, uint32_t id)
{
    for (size_t i = 0; h->recent && i < H2_RECENT; i++) {
        if (h->recent[i] == id)
            return true;
    }
    return false;
}

void h2_stream_open(struct h2 *h, struct h2_stream *s, uint32_t id)
{
    struct h2_stream **b;

    if (id == 0) {
        MUST(h2_open_room(h) > 0);
        id = h->last_ours ? h->last_ours + 2 : (h->side == H2_CLIENT ? 1 : 2);
        h->last_ours = id;
        h->open_ours++;
        h->streams_seen++;
    } else {
        h->open_theirs++;
    }
    *s = (struct h2_stream){
        .id = id,
        .is_open = true,
        .send_window = h->theirs.v[H2_SETTINGS_INITIAL_WINDOW_SIZE],
        .recv_window = h->options.stream_window,
        .length_left = -1,
    };
    if (!h->table)
        h->table = must_alloc(H2_TABLE * sizeof(struct h2_stream *));
    b = bucket(h, id);
    s->next = *b;
    *b = s;
}

bool h2_is_shut(const struct h2 *h)
{
    return h->dead || h->goaway_id != UINT32_MAX || h->last_ours >= H2_MAX_WINDOW - 2;
}

uint32_t h2_open_room(const struct h2 *h)
{
    uint32_t limit = h->theirs.v[H2_SETTINGS_MAX_CONCURRENT_STREAMS];

    if (!h->settings_seen)
        limit = MIN(limit, STREAMS_UNTOLD);
    if (h2_is_shut(h) || h->open_ours >= limit)
        return 0;
    return limit - h->open_ours;
}

void h2_stream_expect(struct h2_stream *s, int64_t content_length)
{
    s->length_left = content_length;
}

void h2_unlink(struct h2 *h, struct h2_stream *s)
{
    struct h2_stream **at;

    if (!s->is_open)
        return;
    at = bucket(h, s->id);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->is_open = false;
    if (h2_is_theirs(h, s->id))
        h->open_theirs--;
    else
        h->open_ours--;
}

void h2_stream_settle(struct h2 *h, struct h2_stream *s)
{
    if (s->got_end && s->sent_end && h2_is_theirs(h, s->id))
        h2_unlink(h, s);
}

/* From now on what arrives on it is not an error. */
static void ignore(struct h2 *h, uint32_t id)
{
    if (!h->recent)
        h->recent = must_alloc(H2_RECENT * sizeof(*h->recent));
    h->recent[h->recent_at++ % H2_RECENT] = id;
}

void h2_reset(struct h2 *h, uint32_t id, uint32_t code)
{
    struct h2_head head = { .len = 4, .type = H2_RST_STREAM, .stream = id };
    char payload[4];

    h2_put32(payload, code);
    h2_control(h, &head, payload);
    h2_count(h, H2_COUNT_TX_RESET);
    ignore(h, id);
}

void h2_stream_close(struct h2 *h, struct h2_stream *s, uint32_t code)
{
    if (!s->is_open)
        return;
    h2_unlink(h, s);
    if (!s->got_end || !s->sent_end)
        h2_reset(h, s->id, code);
}

void h2_refuse(struct h2 *h, uint32_t id, const struct h2_error *error, bool blamed)
{
    if (blamed)
        h->resets_ours++;
    h2_count(h, (enum h2_count)error->count);
    h2_reset(h, id, error->code);
}

void h2_stream_fail(struct h2 *h, struct h2_stream *s, const struct h2_error *error)
{
    if (!s->is_open)
        return;
    h2_unlink(h, s);
    h2_refuse(h, s->id, error, true);
}

void h2_stream_forget(struct h2 *h, struct h2_stream *s)
{
    if (!s->is_open)
        return;
    h2_unlink(h, s);
    ignore(h, s->id);
}

void h2_stream_bad(struct h2 *h, struct h2_stream *s, const struct h2_error *error,
                   struct h2_event *ret)
{
    h2_stream_fail(h, s, error);
    *ret = (struct h2_event){ H2_EV_STREAM_BAD, .id = s->id, .stream = s, .error = error };
}

const struct h2_error *h2_id_bad(struct h2 *h, uint32_t id, const struct h2_error *error,
                                 struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, id);

    if (s)
        h2_stream_bad(h, s, error, ret);
    else if (h2_is_idle(h, id))
        return error;
    else
        h2_refuse(h, id, error, true);
    return NULL;
}

/* ---- counts ---- */

void h2_count(struct h2 *h, enum h2_count what)
{
    if (what == H2_COUNT_NONE)
        return;
    h->counts[what]++;
    h->counted = true;
}

void h2_counts_take(struct h2 *h, uint32_t ret[static H2_COUNTS])
{
    memcpy(ret, h->counts, sizeof(h->counts));
    memset(h->counts, 0, sizeof(h->counts));
    h->counted = false;
}
