/*
 * codec/h1/error - what can be wrong with HTTP/1 octets: one const record each.
 *
 * A codec function returns a pointer to one of these, NULL for fine. After any of them the
 * position in the octets is unknown: the connection is answered once and closed. `details`
 * is Envoy's response code detail where it has one (%RESPONSE_CODE_DETAILS%).
 */
#pragma once

#include "base/str.h"

struct h1_error {
    struct str name;    /* of the record, for traces and counters */
    uint16_t status;    /* what a client is answered; an upstream's fault is 502 or 503 there */
    struct str details; /* Envoy's word */
    struct str text;    /* for people */
};

/* name, status, details, text */
#define H1_ERROR_MAP(XX)                                                                           \
    XX(bare_lf, 400, "http1.codec_error", "a line ends in LF without CR")                          \
    XX(empty_line, 400, "http1.codec_error", "more than one empty line before a message")          \
    XX(first_line, 400, "http1.codec_error", "the first line is malformed")                        \
    XX(method, 400, "http1.codec_error", "the method is not known")                                \
    XX(target, 400, "http1.invalid_url", "the request target is malformed")                        \
    XX(scheme, 400, "http1.invalid_scheme", "the scheme is neither http nor https")                \
    XX(version, 505, "http1.codec_error", "the version is neither 1.1 nor 1.0")                    \
    XX(fold, 400, "http1.codec_error", "a header line is folded")                                  \
    XX(header_name, 400, "http1.codec_error", "a header name is not a token")                      \
    XX(header_value, 400, "http1.invalid_characters", "a header value has a control octet")        \
    XX(no_host, 400, "missing_host_header", "an HTTP/1.1 request without Host")                    \
    XX(two_hosts, 400, "http1.codec_error", "more than one Host")                                  \
    XX(bad_host, 400, "http1.codec_error", "the host is malformed")                                \
    XX(connection_token, 400, "http1.connection_header_rejected",                                  \
       "Connection names a header that must stay")                                                 \
    XX(length, 400, "http1.codec_error", "Content-Length is not a number")                         \
    XX(two_lengths, 400, "http1.codec_error", "more than one Content-Length")                      \
    XX(length_and_chunked, 400, "http1.content_length_and_chunked_not_allowed",                    \
       "Content-Length and Transfer-Encoding together")                                            \
    XX(two_codings, 400, "http1.invalid_transfer_encoding", "more than one Transfer-Encoding")     \
    XX(coding, 501, "http1.invalid_transfer_encoding", "a transfer coding other than chunked")     \
    XX(coding_in_1_0, 400, "http1.invalid_transfer_encoding", "Transfer-Encoding in HTTP/1.0")     \
    XX(coding_not_allowed, 400, "http1.transfer_encoding_not_allowed",                             \
       "Transfer-Encoding where no body can be")                                                   \
    XX(length_not_allowed, 400, "http1.content_length_not_allowed",                                \
       "Content-Length where no body can be")                                                      \
    XX(chunk_size, 400, "http1.codec_error", "a chunk size is malformed")                          \
    XX(chunk_end, 400, "http1.codec_error", "a chunk does not end in CRLF")                        \
    XX(chunk_extension, 400, "http1.codec_error", "chunk extensions are malformed or too long")    \
    XX(head_too_large, 431, "http1.headers_too_large", "the head is over the limit")               \
    XX(too_many_headers, 431, "http1.too_many_headers", "more headers than the limit")             \
    XX(target_too_long, 414, "http1.invalid_url", "the request target is over the limit")          \
    XX(trailers_too_large, 431, "http1.trailers_too_large", "the trailers are over the limit")

#define XX(name, status, details, text) extern const struct h1_error h1_error_##name;
H1_ERROR_MAP(XX)
#undef XX
