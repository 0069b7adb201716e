/*
 * telemetry/label_root - gives the parts of a new root their label-block ids.
 *
 * The parts a root shares with its predecessor have theirs already and are only looked at;
 * new ones are still the compiler thread's alone.
 */
#include "telemetry/telemetry.h"

static void label_hosts(struct hosts *h)
{
    for (uint32_t i = 0; i < h->endpoints.n; i++) {
        struct endpoint *e = &h->endpoints.v[i];

        if (e->label_block == 0 && (e->workload.n || e->namespace.n || e->app.n))
            e->label_block = metrics_block_of_endpoint(e);
    }
}

void metrics_label_root(struct root *r)
{
    for (slot_id i = 0; i < root_slots(r, PART_CLUSTER); i++) {
        struct cluster *c = (struct cluster *)(uintptr_t)root_cluster(r, i);

        if (c && c->label_block == 0 && c->service.host.n)
            c->label_block = metrics_block_of_cluster(c);
    }
    for (slot_id i = 0; i < root_slots(r, PART_HOSTS); i++) {
        struct hosts *h = (struct hosts *)(uintptr_t)root_hosts(r, i);

        if (h)
            label_hosts(h);
    }
}
