/*
 * route/retry - what a rule says of another try.
 *
 * Source: istio-api.md 1.4.4 (Istio's default where a rule says nothing).
 */
#pragma once

#include "model/parts.h"

extern const struct retry_policy retry_default;

/* The words of retryOn. */
struct retry_word {
    struct str word;
    uint16_t bit;
};
extern const struct retry_word retry_words[];
extern const size_t retry_word_count;

/* Does a response ask for another try? `grpc_status`: of its head, negative without. */
bool retry_asks(const struct retry_policy *p, uint16_t status, int grpc_status);

/* Of a route that forwards. */
static inline const struct retry_policy *retry_of(const struct route *r)
{
    return r->extras && r->extras->retry ? r->extras->retry : &retry_default;
}
