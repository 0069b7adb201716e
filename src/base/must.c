#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *cond, const char *file, int line)
{
    fprintf(stderr, "lateen: broken invariant at %s:%d: %s\n", file, line, cond);
    abort();
}

void *must_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    MUST(p != NULL);
    return p;
}

void *must_realloc(void *p, size_t n)
{
    void *grown = realloc(p, n ? n : 1);

    MUST(grown != NULL);
    return grown;
}
