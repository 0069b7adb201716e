/*
 * tests/unit/codec/h2_rig - HTTP/2 as text: frames in, what the codec made of them out.
 *
 * Frames are words, separated by ";": a letter for the type (D H P R S U I G W C, X unknown),
 * the stream, the flags in hex, then the payload in hex octets, as 'text, or as %N for N zero
 * octets. `*N` in front repeats a frame N times, its stream 2 higher each time with `+N`.
 *
 * The transcript has a word for each event (B1 block, "." behind it: END_STREAM, D1:text, R1=8
 * reset, X1=name stream error, W1 window, S settings, G5=0 GOAWAY, P pong, !name connection
 * error) and, behind "|", one for each frame that is to be sent: a p acknowledgements, r1=8
 * RST_STREAM, g1=8 GOAWAY, w1+5 WINDOW_UPDATE.
 */
#pragma once

#include "base/arena.h"
#include "codec/h2/h2.h"

#define RIG_STREAMS 256

struct h2_rig {
    struct h2 h;
    struct h2_stream streams[RIG_STREAMS];
    uint32_t n;
    struct arena arena;
    struct buf seen;
    uint32_t data_of; /* the last word tells DATA of this stream */
    bool over;        /* a block was over the limits */
};

/* A client has `open` streams whose request is sent in full. */
void h2_rig_init(struct h2_rig *r, enum h2_side side, uint32_t open);
void h2_rig_fini(struct h2_rig *r);
/* The octets of frames in words; appended. */
void h2_rig_frames(const char *words, struct buf *out);
/* Feeds octets in pieces of `piece`, or cut once at `cut`. */
void h2_rig_feed(struct h2_rig *r, struct str octets, size_t piece, size_t cut);
/* The transcript, what waits to be sent included and dropped. */
struct str h2_rig_text(struct h2_rig *r);
