#include "cli/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define EARLY_MS 1000
#define LATE_MS 15000
#define WORTH_OCTETS ((size_t)2 << 20) /* less is left for the changes to come */

size_t trim_unused(void)
{
    struct mallinfo2 m = mallinfo2();
    size_t used = m.uordblks + m.hblkhd, resident = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%*u %zu %zu", &resident, &shared) != 2)
        resident = shared = 0;
    fclose(f);
    resident = (resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
    return resident > used ? resident - used : 0;
}

void trim_setup(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static void trim_fire(struct timer *timer)
{
    struct trim *t = CONTAINER_OF(timer, struct trim, timer);
    size_t unused = trim_unused();

    if (unused > t->unused + WORTH_OCTETS) {
        malloc_trim(0);
        t->unused = trim_unused();
    }
    t->unused = MIN(t->unused, unused);
    if (!t->is_late)
        timer_set(&t->timer, LATE_MS);
    t->is_late = !t->is_late;
}

void trim_init(struct trim *t, struct loop *loop)
{
    *t = (struct trim){ 0 };
    timer_init(&t->timer, loop, trim_fire);
}

void trim_fini(struct trim *t)
{
    timer_fini(&t->timer);
}

/* A stream of changes does not put it off for ever. */
void trim_changed(struct trim *t)
{
    if (t->is_late || t->timer.deadline_ms == 0) {
        t->is_late = false;
        timer_set(&t->timer, EARLY_MS);
    }
}
