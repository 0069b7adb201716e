#include "codec/grpc_count.h"

static void prefix_add(struct grpc_count *g, struct str *octets)
{
    size_t n = MIN(octets->n, GRPC_PREFIX - g->prefix_n);

    memcpy(g->prefix + g->prefix_n, octets->p, n);
    *octets = str_from(*octets, n);
    g->prefix_n += (uint32_t)n;
    if (g->prefix_n < GRPC_PREFIX)
        return;
    g->prefix_n = 0;
    g->messages++;
    g->left = (uint32_t)g->prefix[1] << 24 | (uint32_t)g->prefix[2] << 16 |
              (uint32_t)g->prefix[3] << 8 | g->prefix[4];
}

void grpc_count_add(struct grpc_count *g, struct str octets)
{
    while (octets.n) {
        size_t skip = MIN(octets.n, g->left);

        g->left -= (uint32_t)skip;
        octets = str_from(octets, skip);
        if (octets.n)
            prefix_add(g, &octets);
    }
}
