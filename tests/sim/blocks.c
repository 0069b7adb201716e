#include "sim/blocks.h"

#include <stddef.h>

static int64_t live;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **ret, size_t align, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **ret, size_t align, size_t n);
void __wrap_free(void *p);

int64_t blocks_live(void)
{
    return live;
}

void *__wrap_malloc(size_t n)
{
    live++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    live++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    live += p == NULL;
    return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    live++;
    return __real_aligned_alloc(align, n);
}

int __wrap_posix_memalign(void **ret, size_t align, size_t n)
{
    live++;
    return __real_posix_memalign(ret, align, n);
}

void __wrap_free(void *p)
{
    live -= p != NULL;
    __real_free(p);
}
