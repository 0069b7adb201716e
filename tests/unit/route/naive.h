/*
 * tests/unit/route/naive - the rules of matching once more, as plainly as can be: one route
 * after the other, one condition after the other, without index. The oracle of route_pick.
 */
#pragma once

#include "route/route.h"

const struct route *naive_pick(const struct vhost *vhost, const struct route_request *rq);
