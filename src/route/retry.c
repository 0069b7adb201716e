#include "route/retry.h"

const struct retry_policy retry_default = {
    .attempts = 2,
    .on = RETRY_CONNECT_FAILURE | RETRY_REFUSED_STREAM | RETRY_UNAVAILABLE | RETRY_CANCELLED,
    .idle_race = true,
    .base_ms = 25,
};

const struct retry_word retry_words[] = {
    { STR_INIT("connect-failure"), RETRY_CONNECT_FAILURE },
    { STR_INIT("refused-stream"), RETRY_REFUSED_STREAM },
    { STR_INIT("unavailable"), RETRY_UNAVAILABLE },
    { STR_INIT("cancelled"), RETRY_CANCELLED },
    { STR_INIT("5xx"), RETRY_5XX },
    { STR_INIT("gateway-error"), RETRY_GATEWAY_ERROR },
    { STR_INIT("reset"), RETRY_RESET },
    { STR_INIT("reset-before-request"), RETRY_RESET_BEFORE_REQUEST },
    { STR_INIT("retriable-4xx"), RETRY_4XX },
    { STR_INIT("retriable-status-codes"), RETRY_STATUSES },
    { STR_INIT("deadline-exceeded"), RETRY_DEADLINE_EXCEEDED },
    { STR_INIT("internal"), RETRY_INTERNAL },
    { STR_INIT("resource-exhausted"), RETRY_RESOURCE_EXHAUSTED },
};
const size_t retry_word_count = LEN(retry_words);

static bool grpc_asks(uint32_t on, int status)
{
    static const uint16_t bits[] = { [1] = RETRY_CANCELLED,
                                     [4] = RETRY_DEADLINE_EXCEEDED,
                                     [8] = RETRY_RESOURCE_EXHAUSTED,
                                     [13] = RETRY_INTERNAL,
                                     [14] = RETRY_UNAVAILABLE };

    return status >= 0 && (size_t)status < LEN(bits) && (on & bits[status]);
}

bool retry_asks(const struct retry_policy *p, uint16_t status, int grpc_status)
{
    if ((p->on & RETRY_5XX) && status >= 500)
        return true;
    if ((p->on & RETRY_GATEWAY_ERROR) && status >= 502 && status <= 504)
        return true;
    if ((p->on & RETRY_4XX) && status == 409)
        return true;
    for (uint32_t i = 0; (p->on & RETRY_STATUSES) && i < p->statuses.n; i++) {
        if (p->statuses.v[i] == status)
            return true;
    }
    return grpc_asks(p->on, grpc_status);
}
