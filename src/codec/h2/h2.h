/*
 * codec/h2/h2 - an HTTP/2 connection as a state machine, for both sides.
 *
 * Pure and pulled: no I/O, no clock. h2_next() is given what has arrived and returns one
 * event or "need more"; what must be answered at once (SETTINGS, PING, WINDOW_UPDATE,
 * RST_STREAM) gathers in `control`, which the caller sends before anything else it writes.
 * Streams are the caller's memory: the codec links them while they are open.
 *
 * A stream error is dealt with here (RST_STREAM is queued, the stream unlinked) and told by
 * H2_EV_STREAM_BAD, or with H2_EV_BLOCK, since the block must be decoded all the same.
 *
 * The limits of reliability.md 4.2 stand at the doors here; each has its own error.
 * Source: RFC 9113.
 */
#pragma once

#include "base/buf.h"
#include "codec/h2/frame.h"
#include "codec/h2/settings.h"
#include "codec/hpack/decode.h"
#include "codec/hpack/encode.h"

#define H2_PREFACE STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

enum h2_side { H2_SERVER, H2_CLIENT };

/* What we announce; the rest are the protocol's defaults. */
struct h2_options {
    uint32_t max_streams;   /* that the other side may open */
    uint32_t stream_window; /* octets we take on a stream before they are consumed */
    uint32_t connection_window;
    uint32_t table_size;   /* of the decoder, and most of the encoder */
    size_t max_block;      /* encoded octets of one header block */
    bool connect_protocol; /* RFC 8441 */
};

extern const struct h2_options h2_options_default;

struct h2_stream {
    struct h2_stream *next; /* in the connection's table */
    uint32_t id;
    bool is_open;                     /* in the table */
    bool got_head;                    /* the final head arrived */
    bool got_end;                     /* they will send no more */
    bool sent_end;                    /* nor will we */
    int64_t send_window, recv_window; /* may be negative (6.9.2) */
    uint32_t unreturned;              /* consumed octets whose window is not given back yet */
    int64_t length_left;              /* by content-length; -1: not known */
};

enum h2_event_kind {
    H2_EV_MORE,       /* nothing to be had without more octets */
    H2_EV_BLOCK,      /* a header block is whole: call h2_block_read() before going on */
    H2_EV_DATA,       /* a part of a stream's content */
    H2_EV_RESET,      /* they reset the stream: it is no longer open */
    H2_EV_STREAM_BAD, /* we did, since they broke a rule: it is no longer open */
    H2_EV_WINDOW,     /* the stream (NULL: any) may send more */
    H2_EV_SETTINGS,   /* theirs changed */
    H2_EV_GOAWAY,     /* they open or take no stream above `id` */
    H2_EV_PONG,       /* our PING was answered */
    H2_EV_BAD,        /* the connection is over; GOAWAY stands in `control` */
};

struct h2_event {
    enum h2_event_kind kind;
    uint32_t id;
    struct h2_stream *stream; /* NULL: the block opens it, or nobody waits for it any more */
    struct str data;          /* H2_EV_DATA: a part of `in`; may be empty at the end */
    bool end;                 /* END_STREAM */
    bool opens;    /* H2_EV_BLOCK: a stream of theirs, which is to be opened or refused */
    uint32_t code; /* H2_EV_RESET, H2_EV_GOAWAY */
    /* H2_EV_BAD, H2_EV_STREAM_BAD; H2_EV_BLOCK: it is to be decoded and dropped, and the stream
     * was reset */
    const struct h2_error *error;
};

#define H2_TABLE 32
#define H2_RECENT 256 /* more than one side may have open */

struct h2 {
    enum h2_side side;
    struct h2_options options;
    struct h2_settings theirs;
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;

    /* arriving */
    uint8_t in_state;
    struct h2_head head;    /* of the frame being read */
    uint32_t left, padding; /* of its payload */
    struct buf block;       /* a header block being gathered */
    uint32_t block_stream;
    bool block_end, block_due, block_opens;
    const struct h2_error *block_error; /* of its stream */
    uint32_t block_frames;
    const struct h2_error *dead;

    /* streams */
    struct h2_stream **table;        /* H2_TABLE buckets; NULL before the first and at rest */
    uint32_t open_theirs, open_ours; /* streams open, by who opened them */
    uint32_t last_theirs, last_ours; /* highest ids */
    uint64_t opened_theirs;          /* bit i: last_theirs - 2i was opened, not skipped */
    uint32_t *recent; /* H2_RECENT streams that we reset: frames on them are ignored; NULL: none */
    uint32_t recent_at;
    uint32_t goaway_id;   /* they process none above; UINT32_MAX: no GOAWAY came */
    uint32_t goaway_ours; /* the same of what we said: it never rises (6.8) */

    int64_t send_window, recv_window;
    uint32_t unreturned;

    struct buf control;
    uint32_t control_frames; /* in it since it was last sent */

    bool settings_seen;   /* theirs arrived */
    bool settings_agreed; /* they acknowledged ours */

    uint32_t counts[H2_COUNTS]; /* since h2_counts_take() */
    bool counted;               /* one of them is not 0 */

    /* budgets */
    uint64_t relaxed_ms;
    uint64_t streams_seen, data_sent;
    uint64_t glitches, priorities, window_updates, resets_theirs, resets_ours;
    uint32_t empty_frames; /* in a row */
};

/* Queues our preface and SETTINGS in `control`. */
void h2_init(struct h2 *h, enum h2_side side, const struct h2_options *options);
void h2_fini(struct h2 *h);
/* Gives back what a connection without streams can do without. It can be used on. */
void h2_rest(struct h2 *h);
/* The memory it has taken, itself not counted. */
size_t h2_octets(const struct h2 *h);

/* Reads on at the front of `in`; `ret_used` octets are to be dropped before the next call,
 * after the event was dealt with. Call until H2_EV_MORE. After H2_EV_BAD there is nothing. */
void h2_next(struct h2 *h, struct str in, size_t *ret_used, struct h2_event *ret);

/* Decodes the block that H2_EV_BLOCK told of; to be called for each of them. `ret_over`: the
 * fields exceed the limits (431). False: the connection is over. */
MUST_USE bool h2_block_read(struct h2 *h, const struct hpack_limits *limits, struct arena *a,
                            struct headers *ret, bool *ret_over);

/* ---- streams ---- */

/* Links a stream: the one that H2_EV_BLOCK opened (its id), or a new one of ours (id 0). */
void h2_stream_open(struct h2 *h, struct h2_stream *s, uint32_t id);
/* How many more we may open: none behind their GOAWAY or out of ids, else up to their limit;
 * before their SETTINGS arrive 100, which RFC 9113, 6.5.2 asks them to take. */
uint32_t h2_open_room(const struct h2 *h);
/* Will there never be room again? */
bool h2_is_shut(const struct h2 *h);
/* The content-length of the head that arrived, for the check of 8.1.1. */
void h2_stream_expect(struct h2_stream *s, int64_t content_length);
/* The other side broke a rule on it: unlinks it, sends RST_STREAM, counts it. */
void h2_stream_fail(struct h2 *h, struct h2_stream *s, const struct h2_error *error);
/* Unlinks it without a word: behind a GOAWAY that did not cover it. */
void h2_stream_forget(struct h2 *h, struct h2_stream *s);
/* Unlinks one of theirs that both sides have ended: they may open the next one now (5.1.2), however
 * long its owner here still looks at this one. Writing the end does this; the owner does, when it
 * has judged what an H2_EV_BLOCK or H2_EV_DATA brought. */
void h2_stream_settle(struct h2 *h, struct h2_stream *s);
/* Unlinks it; sends RST_STREAM unless both sides have ended. */
void h2_stream_close(struct h2 *h, struct h2_stream *s, uint32_t code);
/* For a block that opens a stream which is not wanted. `blamed`: it is the other side's fault,
 * and too many of them end the connection. */
void h2_refuse(struct h2 *h, uint32_t id, const struct h2_error *error, bool blamed);

/* `n` octets of a stream's DATA have gone on: their window is given back, in large steps. */
void h2_stream_consumed(struct h2 *h, struct h2_stream *s, size_t n);
void h2_connection_consumed(struct h2 *h, size_t n);

/* ---- writing; into any buffer, which is to be sent in order ---- */

/* A header block as HEADERS and CONTINUATION; `fields` in order, pseudo-headers first. */
MUST_USE bool h2_write_block(struct h2 *h, struct h2_stream *s, const struct hpack_field *fields,
                             size_t n, bool end, struct buf *out);
/* Octets that may be sent on `s` in one DATA frame now. */
size_t h2_may_send(const struct h2 *h, const struct h2_stream *s);
/* Does the other side take a list of fields that large (SETTINGS_MAX_HEADER_LIST_SIZE: 32 octets
 * a field come on top, 6.5.2)? */
bool h2_peer_takes(const struct h2 *h, const struct hpack_field *fields, size_t n);
/* The head of a DATA frame of `n` octets, which follow; counts them. */
void h2_write_data(struct h2 *h, struct h2_stream *s, size_t n, bool end,
                   char out[static H2_HEAD_LEN]);

/* ---- the connection ---- */

/* Adds to a count. */
void h2_count(struct h2 *h, enum h2_count what);
/* Moves the counts to `ret` and begins anew. */
void h2_counts_take(struct h2 *h, uint32_t ret[static H2_COUNTS]);
/* Tells the time, in milliseconds of any steady clock: budgets are given back slowly, so that
 * a connection that lives for days may have its keep-alive PINGs. */
void h2_relax(struct h2 *h, uint64_t now_ms);
/* Not 0 while the preface (UINT32_MAX), or a HEADERS or CONTINUATION is not whole: which one. */
uint32_t h2_is_halfway(const struct h2 *h);
/* Ends the connection from here: GOAWAY, and h2_next has nothing more. */
void h2_end(struct h2 *h, const struct h2_error *error);
/* Into `control`. `last`: streams above it were not processed. */
/* `last`, or what was said before if that is less. */
void h2_goaway(struct h2 *h, uint32_t last, uint32_t code);
void h2_ping(struct h2 *h, uint64_t payload);
