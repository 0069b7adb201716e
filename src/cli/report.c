#include "cli/report.h"

struct report *report_new(void)
{
    struct arena *a = arena_new(4096);
    struct report *r = ARENA_NEW(a, struct report);

    r->arena = a;
    return r;
}

void report_free(struct report *r)
{
    if (r)
        arena_free(r->arena);
}
