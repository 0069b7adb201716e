#include "http/leg.h"

void leg_init(struct leg *leg, const struct leg_ops *ops)
{
    *leg = (struct leg){ .ops = ops, .hold_limit = SIZE_MAX };
    leg->in_info_last = &leg->in_info;
    bufq_init(&leg->in);
    bufq_init(&leg->out);
}

void leg_fini(struct leg *leg)
{
    bufq_reset(&leg->in);
    bufq_reset(&leg->out);
}

bool leg_add_info(struct leg *leg, struct head *info)
{
    if (leg->in_infos == LEG_INFOS_MAX)
        return false;
    leg->in_infos++;
    *leg->in_info_last = info;
    leg->in_info_last = &info->next;
    return true;
}
