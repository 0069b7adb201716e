#include "unit/codec/h2_rig.h"

#include "unit/check.h"

#define SETS "S 0 0;"
#define GET "82 84 86 41 01 78"     /* GET / http x */
#define OPEN SETS "H 1 4 " GET ";"  /* stream 1, open */
#define ASKED SETS "H 1 5 " GET ";" /* stream 1, half-closed */

/* ---- heads ---- */

TEST(a_frame_head_is_judged_by_type_stream_and_length)
{
    static const struct {
        struct h2_head head;
        const struct h2_error *error;
        const char *section;
    } rows[] = {
        { { 0, 1, H2_DATA, 0 }, NULL, "6.1" },
        { { 16384, 1, H2_DATA, 0 }, NULL, "4.2" },
        { { 16385, 1, H2_DATA, 0 }, &h2_error_frame_size, "4.2" },
        { { 0xffffff, 1, 0x99, 0 }, &h2_error_frame_size, "4.2" },
        { { 5, 0, H2_DATA, 0 }, &h2_error_frame_stream, "6.1" },
        { { 5, 0, H2_HEADERS, 0 }, &h2_error_frame_stream, "6.2" },
        { { 5, 1, H2_PRIORITY, 0 }, NULL, "6.3" },
        { { 4, 1, H2_PRIORITY, 0 }, &h2_error_stream_frame_size, "6.3" },
        { { 6, 1, H2_PRIORITY, 0 }, &h2_error_stream_frame_size, "6.3" },
        { { 5, 0, H2_PRIORITY, 0 }, &h2_error_frame_stream, "6.3" },
        { { 4, 1, H2_RST_STREAM, 0 }, NULL, "6.4" },
        { { 3, 1, H2_RST_STREAM, 0 }, &h2_error_frame_size, "6.4" },
        { { 5, 1, H2_RST_STREAM, 0 }, &h2_error_frame_size, "6.4" },
        { { 4, 0, H2_RST_STREAM, 0 }, &h2_error_frame_stream, "6.4" },
        { { 12, 0, H2_SETTINGS, 0 }, NULL, "6.5" },
        { { 0, 0, H2_SETTINGS, H2_ACK }, NULL, "6.5" },
        { { 6, 0, H2_SETTINGS, H2_ACK }, &h2_error_settings_ack, "6.5" },
        { { 7, 0, H2_SETTINGS, 0 }, &h2_error_frame_size, "6.5" },
        { { 6, 1, H2_SETTINGS, 0 }, &h2_error_frame_stream, "6.5" },
        { { 3, 1, H2_PUSH_PROMISE, 0 }, &h2_error_frame_size, "6.6" },
        { { 4, 0, H2_PUSH_PROMISE, 0 }, &h2_error_frame_stream, "6.6" },
        { { 8, 0, H2_PING, 0 }, NULL, "6.7" },
        { { 7, 0, H2_PING, 0 }, &h2_error_frame_size, "6.7" },
        { { 8, 1, H2_PING, 0 }, &h2_error_frame_stream, "6.7" },
        { { 8, 0, H2_GOAWAY, 0 }, NULL, "6.8" },
        { { 7, 0, H2_GOAWAY, 0 }, &h2_error_frame_size, "6.8" },
        { { 8, 1, H2_GOAWAY, 0 }, &h2_error_frame_stream, "6.8" },
        { { 4, 0, H2_WINDOW_UPDATE, 0 }, NULL, "6.9" },
        { { 4, 1, H2_WINDOW_UPDATE, 0 }, NULL, "6.9" },
        { { 5, 1, H2_WINDOW_UPDATE, 0 }, &h2_error_frame_size, "6.9" },
        { { 0, 0, H2_CONTINUATION, 0 }, &h2_error_frame_stream, "6.10" },
        { { 100, 0, 0x10, 0xff }, NULL, "5.5" },
        { { 100, 7, 0xff, 0xff }, NULL, "5.5" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        char octets[H2_HEAD_LEN];
        struct h2_head again = { 0 };

        CASE(i);
        CHECK(h2_head_check(&rows[i].head, H2_MAX_FRAME) == rows[i].error);
        h2_head_write(&rows[i].head, octets);
        CHECK_EQ(h2_head_read(str_make(octets, H2_HEAD_LEN - 1), &again), 0);
        octets[5] |= (char)0x80; /* reserved: ignored (4.1) */
        CHECK_EQ(h2_head_read(str_make(octets, H2_HEAD_LEN), &again), H2_HEAD_LEN);
        CHECK(again.len == rows[i].head.len && again.stream == rows[i].head.stream);
        CHECK(again.type == rows[i].head.type && again.flags == rows[i].head.flags);
    }
}

TEST(settings_have_limits_and_unknown_ones_are_ignored)
{
    static const struct {
        uint16_t id;
        uint32_t value;
        const struct h2_error *error;
    } rows[] = {
        { 1, 0, NULL },
        { 1, UINT32_MAX, NULL },
        { 2, 0, NULL },
        { 2, 1, NULL },
        { 2, 2, &h2_error_setting },
        { 3, UINT32_MAX, NULL },
        { 4, 0x7fffffff, NULL },
        { 4, 0x80000000, &h2_error_setting_window },
        { 5, 16384, NULL },
        { 5, 0xffffff, NULL },
        { 5, 16383, &h2_error_setting },
        { 5, 0x1000000, &h2_error_setting },
        { 6, 0, NULL },
        { 8, 1, NULL },
        { 8, 2, &h2_error_setting },
        { 7, 77, NULL },
        { 0, 77, NULL },
        { 0xffff, 77, NULL },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct h2_settings s;

        CASE(i);
        h2_settings_init(&s);
        CHECK(h2_settings_set(&s, rows[i].id, rows[i].value) == rows[i].error);
    }
}

/* ---- trains of frames ---- */

struct train {
    const char *name; /* RFC 9113's section, or 7540's where it says so */
    enum h2_side side;
    const char *frames, *want;
};

#define S H2_SERVER
#define C H2_CLIENT /* with streams 1, 3 and 5 open */

static const struct train trains[] = {
    { "3.4 SETTINGS first", S, SETS, "S | a" },
    { "3.4 another frame first", S, "I 0 0 %8", "!first_frame | g0=1" },
    { "3.4 an acknowledgement first", S, "S 0 1", "!first_frame | g0=1" },
    { "a request", S, ASKED, "S B1. | a" },
    { "a request with content", S, OPEN "D 1 0 'hello ;D 1 1 'you", "S B1 D1:helloyou. | a" },
    { "content ends with an empty frame", S, OPEN "D 1 0 'x;D 1 1", "S B1 D1:x. | a" },
    { "trailers", S, OPEN "D 1 0 'x;H 1 5 40 01 61 01 62", "S B1 D1:x B1. | a" },
    { "4.3 a block in pieces", S, SETS "H 1 1 82 84;C 1 0 86;C 1 4 41 01 78", "S B1. | a" },
    { "4.3 an interrupted block", S, SETS "H 1 1 82;I 0 0 %8", "S !continuation | a g1=1" },
    { "4.3 a PRIORITY of wrong length inside a block", S, SETS "H 1 1 82;P 1 0 %4",
      "S !continuation | a g1=1" },
    { "4.3 another stream's CONTINUATION", S, SETS "H 1 1 82;C 3 4 84",
      "S !continuation | a g1=1" },
    { "4.3 an undecodable block", S, SETS "H 1 5 ff ff ff ff ff ff", "S !compression | a g1=9" },
    { "5.5 unknown frames", S, SETS "X 0 ff 'anything;X 9 0;H 1 5 " GET, "S B1. | a" },
    { "5.1 idle DATA", S, SETS "D 1 0 'x", "S !idle_stream | a g0=1" },
    { "5.1 idle DATA on a stream of ours", S, SETS "D 2 0 'x", "S !idle_stream | a g0=1" },
    { "5.1 idle RST_STREAM", S, SETS "R 1 0 %4", "S !idle_stream | a g0=1" },
    { "5.1 idle WINDOW_UPDATE", S, SETS "W 1 0 0 0 0 1", "S !idle_stream | a g0=1" },
    { "5.1 idle PRIORITY", S, SETS "P 1 0 %5", "S | a" },
    { "5.1 half-closed DATA", S, ASKED "D 1 0 'x;I 0 0 %8", "S B1. X1=half_closed | a r1=5 p" },
    { "5.1 half-closed HEADERS, which are decoded", S,
      ASKED "H 1 5 40 01 61 01 62;H 3 5 " GET " be", "S B1. B1.=half_closed B3. | a r1=5" },
    { "5.1 closed by them, DATA", S, OPEN "R 1 0 0 0 0 8;D 1 0 'x",
      "S B1 R1=8 !closed_stream | a g1=5" },
    { "5.1 closed by them, HEADERS", S, OPEN "R 1 0 0 0 0 8;H 1 5 " GET,
      "S B1 R1=8 !closed_stream | a g1=5" },
    { "5.1 closed by us, anything", S,
      OPEN "W 1 0 %4;D 1 0 'x;W 1 0 0 0 0 1;R 1 0 %4;P 1 0 %5;H 1 5 40 01 61 01 62;H 3 5 " GET
           " be",
      "S B1 X1=stream_zero_increment B1. B3. | a r1=1" },
    { "5.1.1 an even stream", S, SETS "H 2 5 " GET, "S !stream_id | a g0=1" },
    { "5.1.1 a skipped stream", S, SETS "H 5 4 " GET ";H 3 4 " GET, "S B5 !stream_id | a g5=1" },
    { "6.1 padding", S, OPEN "D 1 9 03 'abXYZ", "S B1 D1:ab. | a" },
    { "6.1 padding alone", S, OPEN "D 1 9 03 %3", "S B1 D1:. | a" },
    { "6.1 as much padding as payload", S, OPEN "D 1 8 03 'abc", "S B1 | a" },
    { "6.1 more padding than payload", S, OPEN "D 1 8 04 'abc", "S B1 !padding | a g1=1" },
    { "6.1 no pad length", S, OPEN "D 1 8", "S B1 !frame_size | a g1=6" },
    { "6.2 padding", S, SETS "H 1 d 02 " GET " 0 0", "S B1. | a" },
    { "6.2 more padding than payload", S, SETS "H 1 d 07 " GET, "S !padding | a g0=1" },
    { "6.2 priority", S, SETS "H 1 25 %5 " GET, "S B1. | a" },
    { "6.2 no room for priority", S, SETS "H 1 25 %4", "S !frame_size | a g1=6" },
    { "7540 5.3.1 HEADERS", S, SETS "H 1 25 0 0 0 1 0 " GET ";H 3 5 " GET " be",
      "S B1.=self_dependency B3. | a r1=1" },
    { "7540 5.3.1 trailers", S, OPEN "H 1 25 0 0 0 1 0 40 01 61 01 62;H 3 5 " GET " be",
      "S B1 B1.=self_dependency B3. | a r1=1" },
    { "7540 5.3.1 PRIORITY", S, OPEN "P 1 0 0 0 0 1 0", "S B1 X1=self_dependency | a r1=1" },
    { "7540 5.3.1 PRIORITY of an idle stream", S, SETS "P 1 0 80 0 0 1 0",
      "S !self_dependency | a g0=1" },
    { "6.3 another length", S, OPEN "P 1 0 %6;I 0 0 %8", "S B1 X1=stream_frame_size | a r1=6 p" },
    { "6.3 another length, idle", S, SETS "P 1 0 %6", "S !stream_frame_size | a g0=6" },
    { "6.4 a reset", S, OPEN "R 1 0 0 0 0 8;H 3 5 " GET, "S B1 R1=8 B3. | a" },
    { "6.5.2 ENABLE_PUSH", S, "S 0 0 0 2 0 0 0 2", "!setting | g0=1" },
    { "6.5.2 a window too large", S, "S 0 0 0 4 80 0 0 0", "!setting_window | g0=3" },
    { "6.6 PUSH_PROMISE", S, OPEN "U 1 4 0 0 0 2", "S B1 !push | a g1=1" },
    { "6.7 PING", S, SETS "I 0 0 'abcdefgh;I 0 1 'abcdefgh", "S P | a p" },
    { "6.8 GOAWAY", S, SETS "G 0 0 0 0 0 5 0 0 0 2 'why", "S G5=2 | a" },
    { "6.8 GOAWAY never rises", S, SETS "G 0 0 0 0 0 5 %4;G 0 0 0 0 0 9 %4", "S G5=0 G5=0 | a" },
    { "6.9 windows", S, OPEN "W 0 0 0 0 0 1;W 1 0 0 0 0 1", "S B1 W0 W1 | a" },
    { "6.9 zero", S, SETS "W 0 0 %4", "S !zero_increment | a g0=1" },
    { "6.9 zero on a stream", S, OPEN "W 1 0 %4", "S B1 X1=stream_zero_increment | a r1=1" },
    { "6.9.1 up to 2^31-1", S, OPEN "W 0 0 7f ff 0 0;W 1 0 7f ff 0 0", "S B1 W0 W1 | a" },
    { "6.9.1 above", S, OPEN "W 0 0 7f ff 0 1", "S B1 !window_overflow | a g1=3" },
    { "6.9.1 above, on a stream", S, OPEN "W 1 0 7f ff 0 1;I 0 0 %8",
      "S B1 X1=stream_window_overflow | a r1=3 p" },
    { "6.9.2 lifted above", S, OPEN "W 1 0 7f ff 0 0;S 0 0 0 4 0 1 0 0",
      "S B1 W1 !window_overflow | a g1=3" },
    { "6.9.2 the last of several counts", S, OPEN "W 1 0 7f ff 0 0;S 0 0 0 4 0 1 0 0 0 4 0 0 ff ff",
      "S B1 W1 S | a a" },
    { "6.10 CONTINUATION alone", S, OPEN "C 1 4 82", "S B1 !continuation | a g1=1" },
    { "8.1.1 less than content-length", S, SETS "H 1 4 " GET " 0f 0d 01 '3;D 1 1 'x",
      "S B1 X1=content_length | a r1=1" },
    /* a client */
    { "an answer", C, SETS "H 1 4 88;D 1 1 'ok", "S B1 D1:ok. | a" },
    { "answers out of order", C, SETS "H 5 5 88;H 1 5 88;H 3 4 88;D 3 0 'x;R 3 0 0 0 0 2",
      "S B5. B1. B3 D3:x R3=2 | a" },
    { "DATA before its head", C, SETS "D 1 0 'x", "S X1=malformed | a r1=1" },
    { "5.1.1 a stream of theirs", C, SETS "H 2 5 88", "S !idle_stream | a g0=1" },
    { "5.1 an idle stream", C, SETS "H 7 5 88", "S !idle_stream | a g0=1" },
    { "6.5.2 ENABLE_PUSH from a server", C, "S 0 0 0 2 0 0 0 1", "!setting | g0=1" },
    { "6.6 a push", C, SETS "U 1 4 0 0 0 2 82", "S !push | a g0=1" },
    { "6.8 GOAWAY", C, SETS "G 0 0 0 0 0 1 %4;H 1 5 88", "S G1=0 B1. | a" },
};

static void train_run(const struct train *t, size_t piece, size_t cut)
{
    struct h2_rig r;
    struct buf in;

    buf_init(&in, 1 << 22);
    h2_rig_init(&r, t->side, t->side == H2_CLIENT ? 3 : 0);
    if (t->side == H2_SERVER)
        buf_add(&in, H2_PREFACE);
    h2_rig_frames(t->frames, &in);
    h2_rig_feed(&r, buf_str(&in), piece, cut);
    CHECK_STRZ(h2_rig_text(&r), t->want);
    h2_rig_fini(&r);
    buf_fini(&in);
}

TEST(trains_of_frames_come_out_the_same_however_they_are_cut)
{
    for (size_t i = 0; i < LEN(trains); i++) {
        struct buf in;

        CASE(i);
        buf_init(&in, 1 << 22);
        h2_rig_frames(trains[i].frames, &in);
        train_run(&trains[i], SIZE_MAX / 2, 0);
        train_run(&trains[i], 1, 0);
        train_run(&trains[i], 7, 0);
        for (size_t cut = 1; cut < in.n + H2_PREFACE.n; cut++)
            train_run(&trains[i], 0, cut);
        buf_fini(&in);
    }
}

TEST(the_preface_is_judged_at_its_first_wrong_octet)
{
    struct str preface = H2_PREFACE;

    for (size_t i = 0; i < preface.n; i++) {
        char octets[32];
        struct h2_rig r;

        CASE(i);
        memcpy(octets, preface.p, preface.n);
        octets[i] ^= 1;
        h2_rig_init(&r, H2_SERVER, 0);
        h2_rig_feed(&r, str_make(octets, i), 1, 0);
        CHECK(r.h.dead == NULL);
        h2_rig_feed(&r, str_make(octets, i + 1), SIZE_MAX / 2, 0);
        CHECK(r.h.dead == &h2_error_preface);
        h2_rig_fini(&r);
    }
}

/* ---- floods ---- */

TEST(floods_end_the_connection_and_honest_numbers_do_not)
{
    static const struct {
        const char *fine, *flood;
        const struct h2_error *error;
    } rows[] = {
        { OPEN "*5 D 1 0", OPEN "*6 D 1 0", &h2_error_inbound_empty_frames_flood },
        { OPEN "*5 D 1 8 01 0", OPEN "*6 D 1 8 01 0", &h2_error_inbound_empty_frames_flood },
        { OPEN "*100 D 1 0 'x", NULL, NULL },
        { SETS "*190 I 0 0 %8", SETS "*300 I 0 0 %8", &h2_error_inbound_control_frames_flood },
        { SETS "*190 I 0 1 %8", SETS "*300 I 0 1 %8", &h2_error_inbound_control_frames_flood },
        { SETS "*190 S 0 0", SETS "*300 S 0 0", &h2_error_inbound_control_frames_flood },
        { SETS "*190 S 0 1", SETS "*300 S 0 1", &h2_error_inbound_control_frames_flood },
        { SETS "*190 X 0 0", SETS "*300 X 0 0", &h2_error_inbound_control_frames_flood },
        { SETS "*190 G 0 0 %8", SETS "*300 G 0 0 %8", &h2_error_inbound_control_frames_flood },
        { SETS "*100 P 1 0 %5", SETS "*101 P 1 0 %5", &h2_error_inbound_priority_frames_flood },
        { OPEN "*100 W 1 0 0 0 0 1", OPEN "*103 W 1 0 0 0 0 1",
          &h2_error_inbound_window_update_frames_flood },
        { SETS "+100 H 1 5 82 84 86 41 01 78", NULL, NULL },
        { OPEN "R 1 0 %4;*190 R 1 0 %4", OPEN "R 1 0 %4;*300 R 1 0 %4",
          &h2_error_inbound_control_frames_flood },
        { SETS "H 1 1 82;*5 C 1 0;C 1 4 84", SETS "H 1 1 82;*6 C 1 0",
          &h2_error_inbound_continuation_frames_flood },
        { SETS "H 1 1 82;*63 C 1 0 84;C 1 4 84", SETS "H 1 1 82;*65 C 1 0 84",
          &h2_error_inbound_continuation_frames_flood },
        { NULL, SETS "H 1 1 82;*10 C 1 0 %16384", &h2_error_header_overflow },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        for (int flood = 0; flood < 2; flood++) {
            const char *words = flood ? rows[i].flood : rows[i].fine;
            struct h2_rig r;
            struct buf in;

            CASE(2 * (int)i + flood);
            if (!words)
                continue;
            buf_init(&in, 1 << 22);
            h2_rig_init(&r, H2_SERVER, 0);
            buf_add(&in, H2_PREFACE);
            h2_rig_frames(words, &in);
            h2_rig_feed(&r, buf_str(&in), 1000, 0);
            CHECK(r.h.dead == (flood ? rows[i].error : NULL));
            if (flood)
                CHECK_EQ(r.h.dead->code, H2_ENHANCE_YOUR_CALM);
            h2_rig_fini(&r);
            buf_fini(&in);
        }
    }
}

/* `n` requests, each followed by `after` on its stream. The frames of both move by 2. */
static const struct h2_error *resets(int n, const char *after, int answered)
{
    struct h2_rig r;
    const struct h2_error *dead;

    h2_rig_init(&r, H2_SERVER, 0);
    h2_rig_feed(&r, H2_PREFACE, SIZE_MAX / 2, 0);
    for (int i = 0; i < n && !r.h.dead; i++) {
        char words[200];
        struct buf in;
        int id = 2 * i + 1;

        buf_init(&in, 4096);
        snprintf(words, sizeof(words), "%s;H %d 4 " GET ";", i ? "" : "S 0 0", id);
        h2_rig_frames(words, &in);
        h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
        r.streams[0].sent_end = i % 10 < answered;
        buf_reset(&in);
        snprintf(words, sizeof(words), after, id);
        h2_rig_frames(words, &in);
        h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
        buf_fini(&in);
        if (r.streams[0].is_open)
            h2_stream_close(&r.h, &r.streams[0], H2_NO_ERROR);
        r.n = 0;
        buf_reset(&r.h.control);
        r.h.control_frames = 0;
    }
    dead = r.h.dead;
    h2_rig_fini(&r);
    return dead;
}

TEST(resets_of_both_kinds_have_a_budget)
{
    CHECK(resets(150, "R %d 0 0 0 0 8", 0) == NULL); /* a browser leaves a page */
    CHECK(resets(1000, "R %d 0 0 0 0 8", 0) == &h2_error_too_many_premature_resets);
    CHECK(resets(10000, "R %d 0 0 0 0 8", 6) == NULL); /* most were answered in full */
    CHECK(resets(1000, "W %d 0 %%4", 0) == &h2_error_too_many_premature_resets); /* MadeYouReset */
    CHECK(resets(1000, "P %d 0 %%4", 0) == &h2_error_too_many_premature_resets);
    CHECK(resets(1000, "W %d 0 0 0 0 1", 0) == NULL);
}

TEST(a_servers_resets_are_not_counted_against_it)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_CLIENT, 250);
    buf_init(&in, 1 << 20);
    h2_rig_frames(SETS "+250 R 1 0 0 0 0 7", &in);
    h2_rig_feed(&r, buf_str(&in), 100, 0);
    CHECK(r.h.dead == NULL);
    CHECK_EQ(r.h.open_ours, 0);
    h2_rig_fini(&r);
    buf_fini(&in);
}

TEST(budgets_are_given_back_with_time)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 4096);
    h2_rig_feed(&r, H2_PREFACE, SIZE_MAX / 2, 0);
    h2_rig_frames(SETS, &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    buf_reset(&in);
    h2_rig_frames("I 0 0 %8", &in);
    for (uint64_t s = 1; s < 5000; s++) { /* gRPC's keep-alive, for days */
        h2_relax(&r.h, s * 10000);
        h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
        (void)h2_rig_text(&r);
        buf_reset(&r.seen);
        CHECK(r.h.dead == NULL);
    }
    h2_rig_fini(&r);
    buf_fini(&in);
}

TEST(answers_that_are_not_sent_end_the_connection)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 1 << 20);
    buf_add(&in, H2_PREFACE);
    h2_rig_frames(SETS "+250 H 1 5 " GET ";*1100 I 0 0 %8", &in);
    r.h.data_sent = 10000; /* so that the PINGs alone are no flood */
    h2_rig_feed(&r, buf_str(&in), 4096, 0);
    CHECK(r.h.dead == &h2_error_outbound_control_flood);
    CHECK(str_find(h2_rig_text(&r), 'g') < r.seen.n); /* GOAWAY has room all the same */
    h2_rig_fini(&r);
    buf_fini(&in);
}

/* ---- windows ---- */

TEST(more_data_than_a_window_is_an_error_of_its_scope)
{
    static const struct {
        int64_t stream, connection; /* windows once the stream is open */
        const char *want;
    } rows[] = {
        { 10, 100, "D1:0123456789 X1=stream_window_exceeded P | r1=3" },
        { 100, 10, "D1:0123456789 !window_exceeded | g1=3" },
        { 11, 11, "D1:0123456789x P |" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct h2_rig r;
        struct buf in;

        CASE(i);
        h2_rig_init(&r, H2_SERVER, 0);
        buf_init(&in, 4096);
        buf_add(&in, H2_PREFACE);
        h2_rig_frames(OPEN, &in);
        h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
        (void)h2_rig_text(&r);
        buf_reset(&r.seen);
        r.streams[0].recv_window = rows[i].stream;
        r.h.recv_window = rows[i].connection;
        buf_reset(&in);
        h2_rig_frames("D 1 0 '0123456789;D 1 0 'x;I 0 1 %8", &in);
        h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
        CHECK_STRZ(h2_rig_text(&r), rows[i].want);
        h2_rig_fini(&r);
        buf_fini(&in);
    }
}

TEST(windows_come_back_in_halves_with_their_padding)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_SERVER, 0);
    r.h.options.stream_window = 100;
    r.h.options.connection_window = 1000;
    r.h.recv_window = 1000;
    buf_init(&in, 1 << 16);
    buf_add(&in, H2_PREFACE);
    h2_rig_frames(OPEN "*10 D 1 8 27 'a123456789012345678901234567890123456789", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    /* 41 octets a frame: given back at each second one; the connection's behind 500 */
    CHECK_STRZ(h2_rig_text(&r), "S B1 D1:aaaaaaaaaa | a w1+81 w1+82 w1+82 w1+82 w1+82");
    CHECK(r.streams[0].recv_window >= 0);
    h2_rig_fini(&r);
    buf_fini(&in);
}

TEST(a_sender_keeps_to_both_windows_which_may_be_negative)
{
    struct h2_rig r;
    struct buf in;
    char head[H2_HEAD_LEN];
    struct h2_stream *s;

    h2_rig_init(&r, H2_CLIENT, 1);
    s = &r.streams[0];
    s->sent_end = false;
    buf_init(&in, 4096);
    h2_rig_frames(SETS, &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(h2_may_send(&r.h, s), 16384);
    for (int i = 0; i < 3; i++)
        h2_write_data(&r.h, s, 16384, false, head);
    CHECK_EQ(h2_may_send(&r.h, s), 16383);
    buf_reset(&in);
    h2_rig_frames("S 0 0 0 4 0 0 0 0a", &in); /* 10: the stream is at -49142 */
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(s->send_window, 10 - 49152);
    CHECK_EQ(h2_may_send(&r.h, s), 0);
    buf_reset(&in);
    h2_rig_frames("W 1 0 0 0 bf f6", &in); /* by 49142: at 0 */
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(h2_may_send(&r.h, s), 0);
    buf_reset(&in);
    h2_rig_frames("W 1 0 0 0 0 7", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(h2_may_send(&r.h, s), 7);
    h2_rig_fini(&r);
    buf_fini(&in);
}

/* ---- opening ---- */

TEST(a_client_opens_as_many_as_it_was_told_and_none_behind_goaway)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_CLIENT, 0);
    buf_init(&in, 4096);
    CHECK_EQ(h2_open_room(&r.h), 100); /* before SETTINGS */
    h2_rig_frames("S 0 0 0 3 0 0 0 2", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(h2_open_room(&r.h), 2);
    h2_stream_open(&r.h, &r.streams[0], 0);
    h2_stream_open(&r.h, &r.streams[1], 0);
    CHECK_EQ(r.streams[1].id, 3);
    CHECK_EQ(h2_open_room(&r.h), 0);
    CHECK(!h2_is_shut(&r.h));
    h2_stream_close(&r.h, &r.streams[0], H2_CANCEL);
    CHECK_EQ(h2_open_room(&r.h), 1);
    buf_reset(&in);
    h2_rig_frames("G 0 0 7f ff ff ff %4", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK(h2_is_shut(&r.h));
    CHECK_EQ(h2_open_room(&r.h), 0);
    CHECK_STRZ(h2_rig_text(&r), "S G2147483647=0 | a r1=8");
    h2_rig_fini(&r);

    h2_rig_init(&r, H2_CLIENT, 0);
    r.h.last_ours = H2_MAX_WINDOW - 4; /* 5.1.1: numbers run out */
    h2_stream_open(&r.h, &r.streams[0], 0);
    CHECK(h2_is_shut(&r.h));
    h2_rig_fini(&r);
    buf_fini(&in);
}

/* A client opens the next stream as soon as it has seen both ends of one (5.1.2), which may be
 * before the server's owner of the exchange has looked at it again. */
TEST(a_stream_counts_until_both_sides_have_ended_it)
{
    struct hpack_field status = { HDR_OTHER, STR(":status"), STR("204"), HPACK_STATUS };
    struct buf in, out;
    struct h2_rig r;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 4096);
    buf_init(&out, 4096);
    CHECK(buf_add(&in, H2_PREFACE));
    h2_rig_frames("S 0 0; H 1 5 82 86 84 41 01 78; H 3 4 83 86 84 41 01 78", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(r.h.open_theirs, 2);
    CHECK(h2_write_block(&r.h, &r.streams[0], &status, 1, true, &out));
    CHECK_EQ(r.h.open_theirs, 1);
    CHECK(h2_write_block(&r.h, &r.streams[1], &status, 1, true, &out));
    CHECK_EQ(r.h.open_theirs, 1);
    buf_reset(&in);
    h2_rig_frames("D 3 1 'x; W 3 0 0 0 0 1; W 1 0 0 0 0 1; R 1 0 0 0 0 8", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(r.h.open_theirs, 0);
    h2_stream_close(&r.h, &r.streams[0], H2_CANCEL); /* nothing to tell */
    CHECK_STRZ(h2_rig_text(&r), "S B1. B3 D3:x. | a");
    h2_rig_fini(&r);
    buf_fini(&in);
    buf_fini(&out);
}

/* Both tables and the streams' table were used before. */
TEST(a_connection_at_rest_holds_2048_octets_at_most)
{
    struct hpack_field fields[] = { { HDR_OTHER, STR(":status"), STR("200"), HPACK_STATUS },
                                    { HDR_OTHER, STR("x-name"), STR("value"), HPACK_NO_PSEUDO } };
    struct buf in, out;
    struct h2_rig r;
    size_t held;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 4096);
    buf_init(&out, 4096);
    CHECK(buf_add(&in, H2_PREFACE));
    h2_rig_frames(OPEN, &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    (void)h2_rig_text(&r);
    held = h2_octets(&r.h);
    h2_rest(&r.h); /* not while a stream is open */
    CHECK_EQ(h2_octets(&r.h), held);
    CHECK(h2_write_block(&r.h, &r.streams[0], fields, LEN(fields), true, &out));
    buf_reset(&in);
    h2_rig_frames("D 1 1 'x", &in);
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK_EQ(r.h.open_theirs, 0);
    (void)h2_rig_text(&r);
    h2_rest(&r.h);
    CHECK(h2_octets(&r.h) < held);
    CHECK(sizeof(r.h) + h2_octets(&r.h) <= 2048);
    h2_rig_fini(&r);
    buf_fini(&in);
    buf_fini(&out);
}

TEST(a_large_head_is_over_its_limits_and_still_decoded)
{
    struct h2_rig r;
    struct buf in;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 1 << 20);
    buf_add(&in, H2_PREFACE);
    h2_rig_frames(SETS "H 1 1 " GET " 40 01 61 01 62;C 1 0 0f 00 7f a9 07 %1064;"
                       "C 1 4 be be be;H 3 5 " GET " be",
                  &in);
    h2_rig_feed(&r, buf_str(&in), 50, 0);
    CHECK(r.over);
    CHECK_STRZ(h2_rig_text(&r), "S B1. B3. | a");
    h2_rig_fini(&r);
    buf_fini(&in);
}

TEST(a_named_field_of_the_table_costs_no_memory_once_over)
{
    struct h2_rig r;
    struct buf in;
    size_t i;

    h2_rig_init(&r, H2_SERVER, 0);
    buf_init(&in, 1 << 20);
    buf_add(&in, H2_PREFACE);
    h2_rig_frames(SETS, &in);
    {
        struct buf block;
        struct h2_head head = { .type = H2_HEADERS, .stream = 1, .flags = 5 };
        char octets[H2_HEAD_LEN];

        buf_init(&block, 1 << 16);
        buf_add(&block, str_make("\x82\x84\x86\x41\x01x\x40\x7f\x99\x1e", 10));
        for (i = 0; i < 127 + 0xf19; i++)
            buf_addc(&block, 'n');
        buf_add(&block, str_make("\x01v", 2));
        while (block.n < 16380)
            buf_add(&block, str_make("\x0f\x2f\x00", 3));
        head.len = (uint32_t)block.n;
        h2_head_write(&head, octets);
        buf_add(&in, str_make(octets, sizeof(octets)));
        buf_add(&in, buf_str(&block));
        buf_fini(&block);
    }
    h2_rig_feed(&r, buf_str(&in), SIZE_MAX / 2, 0);
    CHECK(r.h.dead == NULL);
    CHECK(r.over);
    CHECK(r.arena.total < 64 * 1024);
    h2_rig_fini(&r);
    buf_fini(&in);
}

/* ---- writing ---- */

TEST(a_block_is_cut_into_continuations)
{
    struct h2_rig r;
    struct buf out;
    struct h2_head f;
    struct str rest;
    char value[40000];
    struct hpack_field fields[] = { { 0, STR_INIT(":status"), STR_INIT("200"), HPACK_STATUS },
                                    { 0, STR_INIT("x-big"), str_make(value, sizeof(value)), 0 } };

    memset(value, 1, sizeof(value)); /* long in Huffman's code: sent as it is */
    h2_rig_init(&r, H2_CLIENT, 1);
    buf_init(&out, 1 << 20);
    CHECK(h2_write_block(&r.h, &r.streams[0], fields, 2, true, &out));
    rest = buf_str(&out);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(h2_head_read(rest, &f), H2_HEAD_LEN);
        CHECK_EQ(f.type, i ? H2_CONTINUATION : H2_HEADERS);
        CHECK_EQ(f.flags, i == 0 ? H2_END_STREAM : i == 2 ? H2_END_HEADERS : 0);
        CHECK(f.len == 16384 || i == 2);
        rest = str_from(rest, H2_HEAD_LEN + f.len);
    }
    CHECK_EQ(rest.n, 0);
    h2_rig_fini(&r);
    buf_fini(&out);
}
