/*
 * route/retry - what a rule says of another try.
 *
 * Source: istio-api.md 1.4.4 (Istio's default where a rule says nothing).
 */
#pragma once

#include "model/parts.h"

extern const struct retry_policy retry_default;

/* Of a route that forwards. */
static inline const struct retry_policy *retry_of(const struct route *r)
{
    return r->extras && r->extras->retry ? r->extras->retry : &retry_default;
}
