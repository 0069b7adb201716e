/*
 * codec/h1/body - bodies of HTTP/1 messages: which octets are the content, and where it ends.
 *
 * Pure and pulled: the caller keeps the octets, is told how many to drop and which slice of
 * them is content. No allocation; looks at each octet once. Source: RFC 9112, 6 and 7.1.
 */
#pragma once

#include "codec/h1/head.h"

enum h1_body_state {
    H1_AT_SIZE,
    H1_AT_EXTENSION,
    H1_AT_SIZE_LF,
    H1_AT_DATA, /* also the only state of a body that is not chunked */
    H1_AT_DATA_CR,
    H1_AT_DATA_LF,
    H1_AT_TRAILERS,
    H1_AT_END,
    H1_AT_ERROR,
};

struct h1_body {
    enum h1_framing_kind kind;
    enum h1_body_state state;
    uint8_t digits;         /* of the chunk size so far */
    uint64_t left;          /* content octets of the body, or of the chunk */
    size_t ext_left;        /* octets that chunk extensions may still have */
    size_t trailer_octets;  /* and trailers */
    uint32_t trailer_lines; /* lines that they may still have */
    size_t at, line;        /* in the trailer section: next octet, start of its line */
    const struct h1_error *error;
};

enum h1_body_got {
    H1_BODY_MORE, /* nothing to be had without more octets; `used` may be above 0 */
    H1_BODY_DATA,
    H1_BODY_END, /* `trailers` is set, and empty where there are none */
    H1_BODY_BAD, /* b->error says why */
};

struct h1_chunk {
    size_t used;     /* octets to drop from the front of `in`, content included */
    struct str data; /* H1_BODY_DATA: content, a part of `in`, at least one octet */
    /* H1_BODY_END: field lines for h1_trailers_parse, a part of `in`: parse before dropping. */
    struct str trailers;
};

/* `before` are the headers of the head, whose trailers count with them; NULL: none. */
void h1_body_init(struct h1_body *b, struct h1_framing framing, const struct h1_limits *limits,
                  const struct headers *before);

/* Reads on at the front of `in`: all that was given before and not used comes again. After
 * H1_BODY_DATA call again, even with an empty `in`: the end may stand there already.
 * H1_BODY_MORE with trailers under way uses none of them: the section is given whole. */
enum h1_body_got h1_body_next(struct h1_body *b, struct str in, struct h1_chunk *ret);

/* True once h1_body_next would return H1_BODY_END without another octet. */
bool h1_body_is_done(const struct h1_body *b);

/* The sender has closed and all octets were given: is the content whole? */
bool h1_body_may_close(const struct h1_body *b);
