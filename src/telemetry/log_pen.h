/*
 * telemetry/log_pen - a log line under way: values put where room for them is known to be.
 *
 * Before a line begins there is room for all of it, as long as no value is longer than its share
 * (LOG_SHORT_MAX); only a longer one, or one with octets to escape, asks for more. So all others
 * are written with plain moves at `at`, which each function takes and returns moved on.
 */
#pragma once

#include "base/buf.h"
#include "base/octets16.h"
#include "base/put.h"
#include "telemetry/log_ops.h"
#include "telemetry/log_value.h"

#define LOG_SHORT_MAX 128
/* Room for a short value with its quotes, and for steps of sixteen octets beyond. */
#define LOG_VALUE_ROOM (LOG_SHORT_MAX + 32)

struct log_pen {
    struct buf *out;
    size_t begin; /* where the line begins in it */
    size_t room;  /* for a whole line of short values: always free behind `at` */
};

/* A text of the thread's own that it writes again and again. */
struct log_kept {
    uint32_t n;
    char text[32]; /* all of it is copied */
};

/* A text of any length with any octets. Where it does not fit, out->full is set and the line
 * goes on in the room of its beginning: it will be cut off. */
char *log_pen_any(const struct log_op *op, struct str s, char *at, struct log_pen *pen);

static inline char *log_pen_none(char *at, const struct log_op *op)
{
    memcpy(at, op->none, sizeof(op->none));
    return at + op->none_len;
}

static inline char *log_pen_number(char *at, uint64_t v)
{
    if (v < 10) {
        *at = (char)('0' + v);
        return at + 1;
    }
    if (v < 100 || v > 999)
        return log_number_put(at, v);
    *at = (char)('0' + v / 100); /* a status, as a rule */
    memcpy(at + 1, &log_pairs[v % 100 * 2], 2);
    return at + 3;
}

/* A text that nobody has to look at, for the program itself made it. */
static inline char *log_pen_own(struct log_pen *pen, char *at, struct str s,
                                const struct log_op *op)
{
    size_t quote = op->is_quoted;

    if (s.n > op->short_max)
        return log_pen_any(op, s, at, pen);
    *at = '"';
    at = put(at + quote, s);
    *at = '"';
    return at + quote;
}

/* The same of a text that is kept with room behind it. */
static inline char *log_pen_kept(struct log_pen *pen, char *at, const struct log_kept *k,
                                 const struct log_op *op)
{
    size_t n = k->n, quote = op->is_quoted;

    if (n > op->short_max)
        return log_pen_any(op, str_make(k->text, n), at, pen);
    *at = '"';
    memcpy(at + quote, k->text, sizeof(k->text));
    at += quote + n;
    *at = '"';
    return at + quote;
}

/* Copies s, LOG_SHORT_MAX at most, and looks at it on the way: false where it cannot stand as it
 * is. */
static inline bool log_pen_copy(char *at, struct str s)
{
    uint32_t others = 0;

    if (s.n < 16) {
        memset(at, ' ', 16);
        if (s.n >= 8)
            put_8to16(at, s.p, s.n);
        else if (s.n >= 4)
            put_4to8(at, s.p, s.n);
        else
            put_upto3(at, s.p, s.n);
        return octets16_unquotable(at) == 0;
    }
    for (size_t i = 16; i + 16 < s.n; i += 16) {
        others |= octets16_unquotable(s.p + i);
        memcpy(at + i, s.p + i, 16);
    }
    others |= octets16_unquotable(s.p) | octets16_unquotable(s.p + s.n - 16);
    memcpy(at, s.p, 16);
    memcpy(at + s.n - 16, s.p + s.n - 16, 16); /* together with some before */
    return others == 0;
}

/* A text that is not missing. */
static inline char *log_pen_text(struct log_pen *pen, char *at, struct str s,
                                 const struct log_op *op)
{
    size_t quote = op->is_quoted;

    if (s.n > op->short_max)
        return log_pen_any(op, s, at, pen);
    *at = '"';
    if (!log_pen_copy(at + quote, s))
        return log_pen_any(op, s, at, pen);
    at += quote + s.n;
    *at = '"';
    return at + quote;
}

/* The same, or what stands for STR_NONE. */
static inline char *log_pen_maybe(struct log_pen *pen, char *at, struct str s,
                                  const struct log_op *op)
{
    return str_is_set(s) ? log_pen_text(pen, at, s, op) : log_pen_none(at, op);
}
