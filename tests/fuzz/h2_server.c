/*
 * tests/fuzz/h2_server - any octets behind a client's preface; and nghttp2's session for
 * comparison: what it takes without an error of the connection, ours takes, and the other way,
 * but for what only one of the two limits or checks.
 */
#include "fuzz.h"
#include "h2_feed.h"

#include <nghttp2/nghttp2.h>

/* ---- nghttp2 ---- */

static ssize_t drop(nghttp2_session *s, const uint8_t *data, size_t n, int flags, void *arg)
{
    (void)s;
    (void)data;
    (void)flags;
    (void)arg;
    return (ssize_t)n;
}

/* The code of the GOAWAY that it sent; 0: none. */
static int frame_sent(nghttp2_session *s, const nghttp2_frame *f, void *arg)
{
    (void)s;
    if (f->hd.type == NGHTTP2_GOAWAY && f->goaway.error_code)
        *(uint32_t *)arg = f->goaway.error_code;
    return 0;
}

static uint32_t oracle(struct str in)
{
    nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100 };
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    uint32_t code = 0;
    ssize_t used;

    MUST(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, drop);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
    MUST(nghttp2_session_server_new(&session, callbacks, &code) == 0);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &entry, 1);
    MUST(nghttp2_session_send(session) == 0);
    used = nghttp2_session_mem_recv(session, (const uint8_t *)in.p, in.n);
    if (used < 0)
        code = H2_PROTOCOL_ERROR;
    (void)nghttp2_session_send(session);
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
    return code;
}

/* Errors of ours that nghttp2 has no match for: floods, and what RFC 9113 leaves open. */
static bool is_our_own(const struct h2_error *e)
{
    return e->code == H2_ENHANCE_YOUR_CALM || e == &h2_error_closed_stream ||
           e == &h2_error_self_dependency || e == &h2_error_stream_frame_size ||
           e == &h2_error_setting_taken_back || e == &h2_error_window_exceeded ||
           e == &h2_error_stream_id ||
           e == &h2_error_window_overflow; /* by SETTINGS: 6.9.2 says so, nghttp2 resets */
}

/* Ours judges a frame's head before its payload is there, nghttp2 behind it. */
static size_t whole_frames(struct str in)
{
    size_t at = H2_PREFACE.n;
    struct h2_head f;

    while (h2_head_read(str_from(in, at), &f) && at + H2_HEAD_LEN + f.len <= in.n)
        at += H2_HEAD_LEN + f.len;
    return at;
}

/* Does a SETTINGS name one of RFC 9113's twice? nghttp2 looks at the last alone, 6.5.3 at each. */
static bool sets_twice(struct str in)
{
    struct h2_head f;

    for (in = str_from(in, H2_PREFACE.n); h2_head_read(in, &f); in = str_from(in, f.len)) {
        uint32_t seen = 0;

        in = str_from(in, H2_HEAD_LEN);
        for (size_t at = 0; f.type == H2_SETTINGS && at + 6 <= f.len; at += 6) {
            uint32_t bit = in.p[at] || (unsigned char)in.p[at + 1] > 8 ? 0 : 1u << in.p[at + 1];

            if (seen & bit)
                return true;
            seen |= bit;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct h2_feed_limits limits = { .max_octets = 60000, .open = 0 };
    struct h2_seen seen;
    struct str whole;
    struct buf in;

    buf_init(&in, 1 << 24);
    MUST(buf_add(&in, H2_PREFACE) && buf_add(&in, str_make((const char *)octets, n)));
    h2_feed_check(buf_str(&in), H2_SERVER);
    whole = str_sub(buf_str(&in), 0, whole_frames(buf_str(&in)));
    seen = h2_feed_run(whole, H2_SERVER, in.n, &limits);
    if (seen.error && !is_our_own(seen.error) && !sets_twice(whole))
        MUST(oracle(whole) != 0);
    buf_fini(&in);
    return 0;
}
