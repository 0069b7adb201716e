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

/* What is counted of a connection. Envoy's names, and what they say. */
#define H2_ENVOY_COUNT_MAP(XX)                                                                     \
    XX(RX_RESET, "rx_reset", "Streams that the other side reset")                                  \
    XX(TX_RESET, "tx_reset", "Streams that were reset from here")                                  \
    XX(GOAWAY_SENT, "goaway_sent", "GOAWAY frames sent")                                           \
    XX(TRAILERS, "trailers", "Trailers that came")                                                 \
    XX(RX_MESSAGING_ERROR, "rx_messaging_error", "Malformed messages that came")                   \
    XX(HEADER_OVERFLOW, "header_overflow", "Heads and trailers that were over the limits")         \
    XX(INBOUND_EMPTY_FRAMES_FLOOD, "inbound_empty_frames_flood",                                   \
       "Connections ended for empty frames")                                                       \
    XX(INBOUND_PRIORITY_FRAMES_FLOOD, "inbound_priority_frames_flood",                             \
       "Connections ended for PRIORITY frames")                                                    \
    XX(INBOUND_WINDOW_UPDATE_FRAMES_FLOOD, "inbound_window_update_frames_flood",                   \
       "Connections ended for WINDOW_UPDATE frames")                                               \
    XX(OUTBOUND_CONTROL_FLOOD, "outbound_control_flood",                                           \
       "Connections ended since answers to control frames were not read")
/* Lateen's own. */
#define H2_OWN_COUNT_MAP(XX)                                                                       \
    XX(INBOUND_CONTROL_FRAMES_FLOOD, "inbound_control_frames_flood",                               \
       "Connections ended for PING, SETTINGS and odd frames")                                      \
    XX(INBOUND_CONTINUATION_FRAMES_FLOOD, "inbound_continuation_frames_flood",                     \
       "Connections ended for CONTINUATION frames")                                                \
    XX(TOO_MANY_PREMATURE_RESETS, "too_many_premature_resets",                                     \
       "Connections ended for streams reset before they ended")                                    \
    XX(HEADERS_TIMEOUT, "headers_timeout",                                                         \
       "Connections ended since a preface or a head took too long")                                \
    XX(SETTINGS_TIMEOUT, "settings_timeout",                                                       \
       "Connections ended since SETTINGS were not acknowledged")                                   \
    XX(PROTOCOL_ERRORS, "protocol_errors", "Connections ended for another rule that was broken")   \
    XX(STREAM_ERRORS, "stream_errors", "Streams reset for a rule of frames that was broken")       \
    XX(STREAMS_REFUSED, "streams_refused", "Streams beyond the limit")                             \
    XX(PEER_HEADER_OVERFLOW, "peer_header_overflow",                                               \
       "Heads and trailers above SETTINGS_MAX_HEADER_LIST_SIZE of the other side")

enum h2_count {
#define XX(id, name, help) H2_COUNT_##id,
    H2_ENVOY_COUNT_MAP(XX) H2_OWN_COUNT_MAP(XX)
#undef XX
        H2_COUNT_ENDED, /* connections, for whichever of these reasons */
    H2_COUNTS,
    H2_COUNT_NONE = H2_COUNTS /* not counted by itself */
};

struct h2_error {
    const char *name;    /* of the record */
    const char *details; /* Envoy's response code details: "http2." and the name */
    uint32_t code;       /* enum h2_code */
    bool is_stream;      /* RST_STREAM, else GOAWAY and the end of the connection */
    uint8_t count;       /* enum h2_count */
    const char *text;
};

/* name, code, is_stream, count, text */
#define H2_ERROR_MAP(XX)                                                                           \
    XX(preface, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                            \
       "the connection does not begin with the preface")                                           \
    XX(first_frame, PROTOCOL_ERROR, false, PROTOCOL_ERRORS, "the first frame is not SETTINGS")     \
    XX(frame_size, FRAME_SIZE_ERROR, false, PROTOCOL_ERRORS,                                       \
       "a frame has a length that its type cannot have")                                           \
    XX(stream_frame_size, FRAME_SIZE_ERROR, true, STREAM_ERRORS,                                   \
       "a frame has a length that its type cannot have")                                           \
    XX(frame_stream, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                       \
       "a frame stands on a stream where it cannot")                                               \
    XX(padding, PROTOCOL_ERROR, false, PROTOCOL_ERRORS, "more padding than payload")               \
    XX(idle_stream, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                        \
       "a frame on a stream that was never opened")                                                \
    XX(stream_id, PROTOCOL_ERROR, false, PROTOCOL_ERRORS, "a stream number that is not the next")  \
    XX(closed_stream, STREAM_CLOSED, false, PROTOCOL_ERRORS, "a frame on a stream that had ended") \
    XX(half_closed, STREAM_CLOSED, true, STREAM_ERRORS, "a frame behind the end of the stream")    \
    XX(continuation, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                       \
       "a header block is interrupted, or continued out of turn")                                  \
    XX(compression, COMPRESSION_ERROR, false, PROTOCOL_ERRORS, "a header block cannot be decoded") \
    XX(header_overflow, ENHANCE_YOUR_CALM, false, HEADER_OVERFLOW,                                 \
       "a header block is far over the limit")                                                     \
    XX(window_overflow, FLOW_CONTROL_ERROR, false, PROTOCOL_ERRORS, "a window above 2^31-1")       \
    XX(stream_window_overflow, FLOW_CONTROL_ERROR, true, STREAM_ERRORS, "a window above 2^31-1")   \
    XX(window_exceeded, FLOW_CONTROL_ERROR, false, PROTOCOL_ERRORS,                                \
       "more octets than the connection's window")                                                 \
    XX(stream_window_exceeded, FLOW_CONTROL_ERROR, true, STREAM_ERRORS,                            \
       "more octets than the stream's window")                                                     \
    XX(zero_increment, PROTOCOL_ERROR, false, PROTOCOL_ERRORS, "a WINDOW_UPDATE by 0")             \
    XX(stream_zero_increment, PROTOCOL_ERROR, true, STREAM_ERRORS, "a WINDOW_UPDATE by 0")         \
    XX(setting, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                            \
       "a setting has a value that it cannot have")                                                \
    XX(setting_window, FLOW_CONTROL_ERROR, false, PROTOCOL_ERRORS,                                 \
       "SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1")                                                \
    XX(setting_taken_back, PROTOCOL_ERROR, false, PROTOCOL_ERRORS,                                 \
       "SETTINGS_ENABLE_CONNECT_PROTOCOL goes from 1 to 0")                                        \
    XX(settings_ack, FRAME_SIZE_ERROR, false, PROTOCOL_ERRORS,                                     \
       "an acknowledgement of SETTINGS with content")                                              \
    XX(settings_timeout, SETTINGS_TIMEOUT, false, SETTINGS_TIMEOUT,                                \
       "SETTINGS are not acknowledged")                                                            \
    XX(push, PROTOCOL_ERROR, false, PROTOCOL_ERRORS, "PUSH_PROMISE, which was not allowed")        \
    XX(self_dependency, PROTOCOL_ERROR, true, STREAM_ERRORS, "a stream that depends on itself")    \
    XX(malformed, PROTOCOL_ERROR, true, RX_MESSAGING_ERROR, "a malformed message")                 \
    XX(no_trailer_end, PROTOCOL_ERROR, true, RX_MESSAGING_ERROR,                                   \
       "trailers that do not end the stream")                                                      \
    XX(content_length, PROTOCOL_ERROR, true, RX_MESSAGING_ERROR,                                   \
       "content-length and the octets of DATA differ")                                             \
    XX(too_many_headers, PROTOCOL_ERROR, true, NONE, "a head or trailers over the limits")         \
    XX(refused, REFUSED_STREAM, true, STREAMS_REFUSED, "more streams than were allowed")           \
    XX(inbound_empty_frames_flood, ENHANCE_YOUR_CALM, false, INBOUND_EMPTY_FRAMES_FLOOD,           \
       "a flood of empty frames")                                                                  \
    XX(inbound_control_frames_flood, ENHANCE_YOUR_CALM, false, INBOUND_CONTROL_FRAMES_FLOOD,       \
       "a flood of control frames")                                                                \
    XX(inbound_priority_frames_flood, ENHANCE_YOUR_CALM, false, INBOUND_PRIORITY_FRAMES_FLOOD,     \
       "a flood of PRIORITY frames")                                                               \
    XX(inbound_window_update_frames_flood, ENHANCE_YOUR_CALM, false,                               \
       INBOUND_WINDOW_UPDATE_FRAMES_FLOOD, "a flood of WINDOW_UPDATE frames")                      \
    XX(inbound_continuation_frames_flood, ENHANCE_YOUR_CALM, false,                                \
       INBOUND_CONTINUATION_FRAMES_FLOOD, "a flood of CONTINUATION frames")                        \
    XX(too_many_premature_resets, ENHANCE_YOUR_CALM, false, TOO_MANY_PREMATURE_RESETS,             \
       "too many streams are reset before they end")                                               \
    XX(outbound_control_flood, ENHANCE_YOUR_CALM, false, OUTBOUND_CONTROL_FLOOD,                   \
       "answers to control frames are not read")                                                   \
    XX(headers_timeout, ENHANCE_YOUR_CALM, false, HEADERS_TIMEOUT,                                 \
       "a preface or a header block takes too long")

#define XX(name, code, is_stream, count, text) extern const struct h2_error h2_error_##name;
H2_ERROR_MAP(XX)
#undef XX

/* "PROTOCOL_ERROR"; "UNKNOWN" for a code that RFC 9113 does not have. */
const char *h2_code_name(uint32_t code);
