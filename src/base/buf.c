#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
    free(b->p);
    buf_init(b, b->max);
}

void buf_fini_secret(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_fini(b);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

bool buf_grow(struct buf *b, size_t n)
{
    size_t need;

    if (n > b->max || b->n > b->max - n) {
        b->full = true;
        return false;
    }
    need = b->n + n;
    if (need > b->cap) {
        b->cap = MIN(MAX(MAX(b->cap * 2, need), 128), b->max);
        b->p = must_realloc(b->p, b->cap);
    }
    return true;
}

bool buf_addc(struct buf *b, char c)
{
    return buf_add(b, str_make(&c, 1));
}

bool buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    char *at;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    MUST(n >= 0);
    at = buf_reserve(b, (size_t)n + 1);
    if (!at)
        return false;
    vsnprintf(at, (size_t)n + 1, fmt, args);
    b->n += (size_t)n;
    return true;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    bool fits;

    va_start(args, fmt);
    fits = buf_vprintf(b, fmt, args);
    va_end(args);
    return fits;
}

void buf_drop(struct buf *b, size_t n)
{
    MUST(n <= b->n);
    if (n == 0)
        return;
    b->n -= n;
    if (b->n)
        memmove(b->p, b->p + n, b->n);
}
