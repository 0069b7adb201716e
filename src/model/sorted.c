#include "model/sorted.h"

#include <stdlib.h>

static int part_cmp(const void *va, const void *vb)
{
    const struct part *a = *(const struct part *const *)va;
    const struct part *b = *(const struct part *const *)vb;

    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : str_cmp(a->name, b->name);
}

const struct part **root_sorted(const struct root *r, uint32_t *ret_n)
{
    const struct part **parts;
    uint32_t n = 0, room = 0;

    for (uint32_t kind = 0; kind < PART_KINDS; kind++)
        room += root_slots(r, kind);
    parts = must_alloc(sizeof(*parts) * MAX(room, 1));
    for (uint32_t kind = 0; kind < PART_KINDS; kind++) {
        for (slot_id slot = 0; slot < root_slots(r, kind); slot++) {
            const struct part *p = root_part(r, kind, slot);

            if (p)
                parts[n++] = p;
        }
    }
    qsort(parts, n, sizeof(*parts), part_cmp);
    *ret_n = n;
    return parts;
}
