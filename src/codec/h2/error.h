/*
 * codec/h2/error - what can be wrong with HTTP/2: one const record each, which carries its
 * own scope (RFC 9113, 5.4) and wire code (7).
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>

enum h2_code {
    H2_NO_ERROR = 0x0,
    H2_PROTOCOL_ERROR = 0x1,
    H2_INTERNAL_ERROR = 0x2,
    H2_FLOW_CONTROL_ERROR = 0x3,
    H2_SETTINGS_TIMEOUT = 0x4,
    H2_STREAM_CLOSED = 0x5,
    H2_FRAME_SIZE_ERROR = 0x6,
    H2_REFUSED_STREAM = 0x7,
    H2_CANCEL = 0x8,
    H2_COMPRESSION_ERROR = 0x9,
    H2_CONNECT_ERROR = 0xa,
    H2_ENHANCE_YOUR_CALM = 0xb,
    H2_INADEQUATE_SECURITY = 0xc,
    H2_HTTP_1_1_REQUIRED = 0xd,
};

struct h2_error {
    const char *name; /* of the record */
    uint32_t code;    /* enum h2_code */
    bool is_stream;   /* RST_STREAM, else GOAWAY and the end of the connection */
    const char *text;
};

/* name, code, is_stream, text */
#define H2_ERROR_MAP(XX)                                                                           \
    XX(preface, PROTOCOL_ERROR, false, "the connection does not begin with the preface")           \
    XX(first_frame, PROTOCOL_ERROR, false, "the first frame is not SETTINGS")                      \
    XX(frame_size, FRAME_SIZE_ERROR, false, "a frame has a length that its type cannot have")      \
    XX(stream_frame_size, FRAME_SIZE_ERROR, true,                                                  \
       "a frame has a length that its type cannot have")                                           \
    XX(frame_stream, PROTOCOL_ERROR, false, "a frame stands on a stream where it cannot")          \
    XX(padding, PROTOCOL_ERROR, false, "more padding than payload")                                \
    XX(idle_stream, PROTOCOL_ERROR, false, "a frame on a stream that was never opened")            \
    XX(stream_id, PROTOCOL_ERROR, false, "a stream number that is not the next")                   \
    XX(closed_stream, STREAM_CLOSED, false, "a frame on a stream that had ended")                  \
    XX(half_closed, STREAM_CLOSED, true, "a frame behind the end of the stream")                   \
    XX(continuation, PROTOCOL_ERROR, false,                                                        \
       "a header block is interrupted, or continued out of turn")                                  \
    XX(compression, COMPRESSION_ERROR, false, "a header block cannot be decoded")                  \
    XX(block_too_large, ENHANCE_YOUR_CALM, false, "a header block is far over the limit")          \
    XX(window_overflow, FLOW_CONTROL_ERROR, false, "a window above 2^31-1")                        \
    XX(stream_window_overflow, FLOW_CONTROL_ERROR, true, "a window above 2^31-1")                  \
    XX(window_exceeded, FLOW_CONTROL_ERROR, false, "more octets than the connection's window")     \
    XX(stream_window_exceeded, FLOW_CONTROL_ERROR, true, "more octets than the stream's window")   \
    XX(zero_increment, PROTOCOL_ERROR, false, "a WINDOW_UPDATE by 0")                              \
    XX(stream_zero_increment, PROTOCOL_ERROR, true, "a WINDOW_UPDATE by 0")                        \
    XX(setting, PROTOCOL_ERROR, false, "a setting has a value that it cannot have")                \
    XX(setting_window, FLOW_CONTROL_ERROR, false, "SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1")     \
    XX(settings_ack, FRAME_SIZE_ERROR, false, "an acknowledgement of SETTINGS with content")       \
    XX(push, PROTOCOL_ERROR, false, "PUSH_PROMISE, which was not allowed")                         \
    XX(self_dependency, PROTOCOL_ERROR, true, "a stream that depends on itself")                   \
    XX(malformed, PROTOCOL_ERROR, true, "a malformed message")                                     \
    XX(no_trailer_end, PROTOCOL_ERROR, true, "trailers that do not end the stream")                \
    XX(content_length, PROTOCOL_ERROR, true, "content-length and the octets of DATA differ")       \
    XX(refused, REFUSED_STREAM, true, "more streams than were allowed")                            \
    XX(flood_empty, ENHANCE_YOUR_CALM, false, "a flood of empty frames")                           \
    XX(flood_control, ENHANCE_YOUR_CALM, false, "a flood of control frames")                       \
    XX(flood_priority, ENHANCE_YOUR_CALM, false, "a flood of PRIORITY frames")                     \
    XX(flood_window, ENHANCE_YOUR_CALM, false, "a flood of WINDOW_UPDATE frames")                  \
    XX(flood_resets, ENHANCE_YOUR_CALM, false, "too many streams are reset before they end")       \
    XX(flood_continuation, ENHANCE_YOUR_CALM, false, "a flood of CONTINUATION frames")             \
    XX(control_queue, ENHANCE_YOUR_CALM, false, "answers to control frames are not read")          \
    XX(late, ENHANCE_YOUR_CALM, false, "a preface or a header block takes too long")

#define XX(name, code, is_stream, text) extern const struct h2_error h2_error_##name;
H2_ERROR_MAP(XX)
#undef XX

/* "PROTOCOL_ERROR"; "UNKNOWN" for a code that RFC 9113 does not have. */
const char *h2_code_name(uint32_t code);
