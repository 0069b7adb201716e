/*
 * codec/h2/frame - HTTP/2 frame heads: octets to struct and back, and which are legal.
 *
 * Pure: no I/O, no clock, no allocation. Lengths count octets; ids are host order.
 * Source: RFC 9113, 4.1 (layout), 4.2 (size), 6.1-6.10 (rules for each type).
 */
#pragma once

#include "base/str.h"
#include "codec/h2/error.h"

#define H2_HEAD_LEN 9
#define H2_MAX_FRAME 16384 /* what we announce and what every peer takes */
#define H2_MAX_WINDOW 0x7fffffff

enum h2_type {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST_STREAM,
    H2_SETTINGS,
    H2_PUSH_PROMISE,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW_UPDATE,
    H2_CONTINUATION,
};

enum h2_flag {
    H2_END_STREAM = 0x1,
    H2_ACK = 0x1,
    H2_END_HEADERS = 0x4,
    H2_PADDED = 0x8,
    H2_HAS_PRIORITY = 0x20,
};

struct h2_head {
    uint32_t len;    /* payload octets, below 2^24 */
    uint32_t stream; /* 31 bits; 0 is the connection */
    uint8_t type;    /* enum h2_type, or unknown: skip the payload (4.1) */
    uint8_t flags;
};

/* Reads one head from the front of `in`. Returns the octets used: H2_HEAD_LEN, or 0 when
 * `in` is still too short, and then `ret` is untouched. */
size_t h2_head_read(struct str in, struct h2_head *ret);

/* Judges a head before its payload is read. `max_len` is the SETTINGS_MAX_FRAME_SIZE we
 * announced. NULL if legal. */
const struct h2_error *h2_head_check(const struct h2_head *h, uint32_t max_len);

void h2_head_write(const struct h2_head *h, char out[static H2_HEAD_LEN]);

/* Numbers of a payload. */
static inline uint32_t h2_get32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static inline void h2_put32(char *p, uint32_t v)
{
    p[0] = (char)(v >> 24);
    p[1] = (char)(v >> 16);
    p[2] = (char)(v >> 8);
    p[3] = (char)v;
}

static inline bool h2_is_client_stream(uint32_t id)
{
    return id & 1;
}
