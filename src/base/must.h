/*
 * base/must - invariants, and the few macros that every file may use.
 *
 * MUST() stands at the doors of a module and aborts in every build: it says that the
 * program itself is wrong. What a peer or a manifest sends never reaches a MUST.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NOINLINE __attribute__((noinline)) /* keeps what is rare out of what is often called */
#define LIKELY(c) __builtin_expect(!!(c), 1)
#define UNLIKELY(c) __builtin_expect(!!(c), 0)
/* A rare way beside the usual one, which saves no registers for it then. */
#define RARE __attribute__((noinline, cold))
/* Written out at each place of use, also where the compiler would rather call it. */
#define INLINED inline __attribute__((always_inline))

/* The object of `type` whose `member` stands at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Prints what was broken and aborts. */
_Noreturn void must_fail(const char *cond, const char *file, int line);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (UNLIKELY(!(cond)))                                                                     \
            must_fail(#cond, __FILE__, __LINE__);                                                  \
    } while (0)

/* malloc and realloc that abort when memory is gone (design 5.7): for everything that a
 * stranger cannot make grow. Returned memory of must_alloc is zeroed. */
void *must_alloc(size_t n);
void *must_realloc(void *p, size_t n);
