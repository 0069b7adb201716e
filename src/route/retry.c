#include "route/retry.h"

const struct retry_policy retry_default = {
    .attempts = 2,
    .on = RETRY_CONNECT_FAILURE | RETRY_REFUSED_STREAM | RETRY_UNAVAILABLE | RETRY_CANCELLED,
    .idle_race = true,
};
