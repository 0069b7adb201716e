#include "tls/memory.h"

#include "base/poison.h"
#include "base/must.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>

/* A buffer is a record's 16,384 octets and what stands around them (ssl3_setup_buffers). */
#define BUFFER_MIN 16384
#define BUFFER_MAX 17408
#define BUFFER_SLACK 64 /* malloc's rounding */
#define KEPT_MAX 4

/* The sanitizer shall see each buffer that is given back. */
#ifdef HAVE_ASAN
#define KEEPS false
#else
#define KEEPS true
#endif

static _Thread_local struct {
    void *buffers[KEPT_MAX];
    size_t n;
} kept;

static void *take(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    if (n < BUFFER_MIN || n > BUFFER_MAX)
        return malloc(n);
    return kept.n ? kept.buffers[--kept.n] : malloc(BUFFER_MAX);
}

static void *resize(void *p, size_t n, const char *file, int line)
{
    return p ? realloc(p, n) : take(n, file, line);
}

static void give(void *p, const char *file, int line)
{
    size_t n = p && kept.n < KEPT_MAX ? malloc_usable_size(p) : 0;

    (void)file, (void)line;
    if (n >= BUFFER_MAX && n < BUFFER_MAX + BUFFER_SLACK)
        kept.buffers[kept.n++] = p;
    else
        free(p);
}

void tls_memory_start(void)
{
    MUST(!KEEPS || CRYPTO_set_mem_functions(take, resize, give) == 1);
}

void tls_memory_trim(void)
{
    while (kept.n)
        free(kept.buffers[--kept.n]);
}
