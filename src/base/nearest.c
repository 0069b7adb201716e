#include "base/nearest.h"

#define NAME_MAX_LEN 64

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][NAME_MAX_LEN + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *spare = before;

        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t cost = a.p[i - 1] != b.p[j - 1];

            now[j] = MIN(MIN(now[j - 1], last[j]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

void nearest_offer(struct nearest *best, struct str typed, struct str candidate)
{
    size_t d;

    if (typed.n == 0 || typed.n > NAME_MAX_LEN || candidate.n > NAME_MAX_LEN)
        return;
    d = distance(typed, candidate);
    if (d > MAX(MAX(typed.n, candidate.n) / 3, 1))
        return;
    if (str_is_set(best->name) && best->distance <= d)
        return;
    *best = (struct nearest){ candidate, d };
}
