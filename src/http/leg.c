#include "http/leg.h"

void leg_init(struct leg *leg, const struct leg_ops *ops)
{
    *leg = (struct leg){ .ops = ops };
    leg->in_info_last = &leg->in_info;
    bufq_init(&leg->in);
    bufq_init(&leg->out);
}

void leg_fini(struct leg *leg)
{
    bufq_reset(&leg->in);
    bufq_reset(&leg->out);
}
