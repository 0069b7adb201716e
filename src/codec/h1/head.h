/*
 * codec/h1/head - heads of HTTP/1 messages: octets to struct, for both sides, strictly.
 *
 * Pure: no I/O, no clock. First h1_head_scan finds where a head ends, however it arrives;
 * then h1_request_parse or h1_response_parse judges all of it. What two readers could read
 * differently is an error, never repaired.
 * Source: RFC 9112; RFC 9110, 5 to 7; the limits are of design 7.
 */
#pragma once

#include "codec/h1/error.h"
#include "codec/header.h"
#include "codec/method.h"

struct h1_limits {
    size_t max_head_octets;   /* of a whole head, and with it of its trailers (431) */
    uint32_t max_headers;     /* trailers included (431) */
    size_t max_target_octets; /* of a request target (414) */
    size_t max_chunk_ext;     /* octets of all chunk extensions of a body (400) */
};

extern const struct h1_limits h1_limits_default; /* 60 KiB, 100, 8 KiB, 1 KiB */

enum h1_side {
    H1_REQUEST,
    H1_RESPONSE,
};

enum h1_got {
    H1_MORE, /* complete so far, but not whole */
    H1_WHOLE,
    H1_BAD,
};

struct h1_scan {
    const struct h1_limits *limits;
    enum h1_side side;
    size_t at;                    /* next octet to look at */
    size_t line;                  /* where the current line starts */
    uint32_t lines;               /* complete ones, the first line included */
    size_t skipped;               /* octets of an empty line before the message */
    size_t len;                   /* H1_WHOLE: octets from the front, `skipped` included */
    const struct h1_error *error; /* H1_BAD */
};

/* `limits` is borrowed as long as the scan. */
void h1_scan_init(struct h1_scan *s, enum h1_side side, const struct h1_limits *limits);

/* Looks on in `in`, which starts at the message's first octet and holds at least what the
 * last call had. Looks at each octet once. H1_WHOLE: the head is in[skipped, len). A LF
 * without CR, a bad first line and each limit are told as soon as they are seen. One empty
 * line before a request is skipped (RFC 9112, 2.2). */
enum h1_got h1_head_scan(struct h1_scan *s, struct str in);
/* The head that a whole scan found. */
struct str h1_scan_head(const struct h1_scan *s, struct str in);

enum h1_framing_kind {
    H1_BODY_NONE,
    H1_BODY_LENGTH,
    H1_BODY_CHUNKED,
    H1_BODY_UNTIL_CLOSE, /* responses, and what follows an upgrade */
};

struct h1_framing {
    enum h1_framing_kind kind;
    uint64_t length; /* H1_BODY_LENGTH: at least 1 in requests; 0 is H1_BODY_NONE */
};

enum h1_target {
    H1_TARGET_ORIGIN,    /* "/path?query" */
    H1_TARGET_ABSOLUTE,  /* "http://host/path" */
    H1_TARGET_AUTHORITY, /* "host:port", CONNECT only */
    H1_TARGET_ASTERISK,  /* "*", OPTIONS only */
};

/* What both kinds of head share. Slices point into the head or live in the arena. */
struct h1_message {
    uint8_t minor; /* of HTTP/1.x: 0 or 1 */
    struct headers headers;
    struct h1_framing framing;
    bool keep_alive;    /* the sender would keep the connection */
    struct str upgrade; /* the Upgrade header, if Connection names it; else STR_NONE */
};

struct h1_request {
    struct h1_message m;
    enum method method;
    enum h1_target form;
    struct str target;    /* as it came */
    struct str scheme;    /* "http" or "https" of an absolute target, in any case; else STR_NONE */
    struct str authority; /* of the target where it has one, else of Host; may be empty */
    struct str path;      /* with query; "*" for asterisk, empty for authority */
    bool expect_continue; /* Expect: 100-continue, HTTP/1.1 */
};

struct h1_response {
    struct h1_message m;
    uint16_t status; /* 100 to 999 */
    struct str reason;
    bool is_interim; /* 1xx other than 101: another head follows */
};

/* Parses a whole head as h1_head_scan found it. An absolute target replaces the value of
 * Host (RFC 9112, 3.2.2). The path is as it came: codec/url normalises it. Headers that
 * Connection names are still there: whoever forwards strips them (headers_strip_hops).
 * On an error `ret` is untouched. */
MUST_USE const struct h1_error *h1_request_parse(struct str head, struct arena *a,
                                                 const struct h1_limits *limits,
                                                 struct h1_request *ret);

/* The same for the answer to a `method` request, which decides whether a body follows. */
MUST_USE const struct h1_error *h1_response_parse(struct str head, enum method method,
                                                  struct arena *a, const struct h1_limits *limits,
                                                  struct h1_response *ret);

/* One pass over a head that is whole and good, the usual case: its length. 0 where octets are
 * missing or anything is wrong, and for a request behind an empty line: then h1_head_scan and the
 * parsers above say what. Slices point into `in`, which must last; `ret` is undefined after a 0. */
MUST_USE size_t h1_request_read(struct str in, struct arena *a, const struct h1_limits *limits,
                                struct h1_request *ret);
MUST_USE size_t h1_response_read(struct str in, enum method method, struct arena *a,
                                 const struct h1_limits *limits, struct h1_response *ret);

/* Parses a trailer section: lines with their CRLF, without the closing empty line. Fields
 * that must not be trailers (framing, routing, hop by hop: RFC 9110, 6.5.1) are dropped.
 * `n_before` counts the headers of the head. */
MUST_USE const struct h1_error *h1_trailers_parse(struct str section, uint32_t n_before,
                                                  struct arena *a, const struct h1_limits *limits,
                                                  struct headers *ret);

/* Removes hop-by-hop headers: Connection and all it names, Keep-Alive, Proxy-Connection,
 * TE unless "trailers", Trailer stays, Transfer-Encoding, Upgrade (RFC 9110, 7.6.1).
 * Content-Length stays. */
void headers_strip_hops(struct headers *h);
