#include "cli/hooks.h"

#include "filter/filter.h"
#include "live/budget.h"
#include "live/host.h"
#include "telemetry/telemetry.h"

void hooks_set(void)
{
    part_hooks.host_get = live_host_get;
    part_hooks.host_unref = live_host_unref;
    part_hooks.budget_get = live_budget_get;
    part_hooks.budget_unref = live_budget_unref;
    part_hooks.block_of_cluster = metrics_block_of_cluster;
    part_hooks.block_of_endpoint = metrics_block_of_endpoint;
    part_hooks.filter_parse = filter_config_parse;
    part_hooks.filter_drop = filter_config_drop;
}
