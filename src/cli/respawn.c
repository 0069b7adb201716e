#include "cli/respawn.h"

#define ROW 30
#define RETURNS_MS 1000 /* one of the row comes back */
#define COST_UNSERVED 10
#define WAIT_LEAST_MS 100
#define WAIT_MOST_MS 10000
#define DOUBLED_MAX 7 /* 100 ms << 7 is more than WAIT_MOST_MS */

uint64_t respawn_wait_ms(struct respawn *r, uint64_t now_ms, bool had_served)
{
    uint64_t back = (now_ms - r->at_ms) / RETURNS_MS;
    uint64_t wait_ms;

    r->spent -= MIN(r->spent, back);
    r->at_ms += back * RETURNS_MS;
    if (r->spent == 0)
        r->doubled = 0;
    r->spent += had_served ? 1 : COST_UNSERVED;
    if (r->spent <= ROW)
        return 0;
    r->spent = ROW;
    wait_ms = MIN(WAIT_LEAST_MS << r->doubled, WAIT_MOST_MS);
    r->doubled = MIN(r->doubled + 1, DOUBLED_MAX);
    return wait_ms;
}
