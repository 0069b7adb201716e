/*
 * codec/h2/h2_int - shared by this folder's files.
 */
#pragma once

#include "codec/h2/h2.h"

enum h2_in_state { H2_IN_PREFACE, H2_IN_FIRST, H2_IN_HEAD, H2_IN_PAYLOAD, H2_IN_DATA, H2_IN_SKIP };

struct h2_stream *h2_stream_of(const struct h2 *h, uint32_t id);
/* An id that no frame has opened yet. */
bool h2_is_idle(const struct h2 *h, uint32_t id);
bool h2_is_theirs(const struct h2 *h, uint32_t id);
/* Was the stream reset from here a short while ago? Frames on it are ignored. */
bool h2_is_reset(const struct h2 *h, uint32_t id);
void h2_unlink(struct h2 *h, struct h2_stream *s);

/* Queues a control frame; the connection dies where the other side does not read them. */
void h2_control(struct h2 *h, const struct h2_head *head, const char *payload);
void h2_reset(struct h2 *h, uint32_t id, uint32_t code);
void h2_window_update(struct h2 *h, uint32_t id, uint32_t n);

/* One frame whose payload is whole; sets `ret` (kind H2_EV_MORE: nothing to tell). */
const struct h2_error *h2_frame(struct h2 *h, struct str payload, struct h2_event *ret);
/* A budget: more than `most` is a flood. */
const struct h2_error *h2_spend(uint64_t *counter, uint64_t most, const struct h2_error *flood);
/* For what is odd, and legal in small numbers. */
const struct h2_error *h2_spend_glitch(struct h2 *h);
/* A server's streams that were reset before their answer was whole, by either side. */
const struct h2_error *h2_spend_reset(const struct h2 *h, uint64_t count);
/* A stream error on an open stream: it is reset, and the event tells. */
void h2_stream_bad(struct h2 *h, struct h2_stream *s, const struct h2_error *error,
                   struct h2_event *ret);
/* The same by id, whatever the stream's state: an idle one has no RST_STREAM (5.1), so that
 * the error is the connection's and returned. */
const struct h2_error *h2_id_bad(struct h2 *h, uint32_t id, const struct h2_error *error,
                                 struct h2_event *ret);
