/*
 * base/buf - a growing run of octets with a maximum, for building text and messages.
 *
 * The maximum is named at init, so no buffer grows without bound: what does not fit is
 * dropped whole and `full` stays set. Aborts when memory is gone.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap, max;
    bool full; /* something did not fit */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
void buf_fini_secret(struct buf *b); /* wipes what it holds before */
void buf_reset(struct buf *b);       /* keeps the memory */

/* Makes room for `n` more octets. False beyond the maximum. */
bool buf_grow(struct buf *b, size_t n);

/* Room for `n` more octets: a pointer to write at, or NULL beyond the maximum. The caller
 * then adds what it wrote to b->n. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
    return n <= b->cap - b->n || buf_grow(b, n) ? b->p + b->n : NULL;
}

static inline bool buf_add(struct buf *b, struct str s)
{
    char *at = s.n ? buf_reserve(b, s.n) : NULL;

    if (!at)
        return s.n == 0;
    memcpy(at, s.p, s.n);
    b->n += s.n;
    return true;
}

bool buf_addc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool buf_vprintf(struct buf *b, const char *fmt, va_list args);

/* Drops the first `n` octets. */
void buf_drop(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return str_make(b->p ? b->p : "", b->n);
}
