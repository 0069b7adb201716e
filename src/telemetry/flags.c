#include "telemetry/flags.h"

static const struct str flag_names[] = {
#define XX(name) [FLAG_BIT_##name] = STR_INIT(#name),
    RESPONSE_FLAG_MAP(XX)
#undef XX
};

struct str flags_format(uint32_t flags, char out[static FLAGS_TEXT_MAX])
{
    size_t n = 0;

    if (flags == 0)
        return STR("-");
    for (size_t i = 0; i < LEN(flag_names); i++) {
        if (!(flags & (UINT32_C(1) << i)))
            continue;
        if (n)
            out[n++] = ',';
        memcpy(out + n, flag_names[i].p, flag_names[i].n);
        n += flag_names[i].n;
    }
    return str_make(out, n);
}

static const struct {
    struct str camel, snake;
} statuses[GRPC_STATUS_COUNT] = {
    { STR_INIT("OK"), STR_INIT("OK") },
    { STR_INIT("Canceled"), STR_INIT("CANCELLED") },
    { STR_INIT("Unknown"), STR_INIT("UNKNOWN") },
    { STR_INIT("InvalidArgument"), STR_INIT("INVALID_ARGUMENT") },
    { STR_INIT("DeadlineExceeded"), STR_INIT("DEADLINE_EXCEEDED") },
    { STR_INIT("NotFound"), STR_INIT("NOT_FOUND") },
    { STR_INIT("AlreadyExists"), STR_INIT("ALREADY_EXISTS") },
    { STR_INIT("PermissionDenied"), STR_INIT("PERMISSION_DENIED") },
    { STR_INIT("ResourceExhausted"), STR_INIT("RESOURCE_EXHAUSTED") },
    { STR_INIT("FailedPrecondition"), STR_INIT("FAILED_PRECONDITION") },
    { STR_INIT("Aborted"), STR_INIT("ABORTED") },
    { STR_INIT("OutOfRange"), STR_INIT("OUT_OF_RANGE") },
    { STR_INIT("Unimplemented"), STR_INIT("UNIMPLEMENTED") },
    { STR_INIT("Internal"), STR_INIT("INTERNAL") },
    { STR_INIT("Unavailable"), STR_INIT("UNAVAILABLE") },
    { STR_INIT("DataLoss"), STR_INIT("DATA_LOSS") },
    { STR_INIT("Unauthenticated"), STR_INIT("UNAUTHENTICATED") },
};

static const struct {
    uint16_t code;
    int status;
} by_code[] = { { 400, 13 }, { 401, 16 }, { 403, 7 },  { 404, 12 },
                { 429, 14 }, { 502, 14 }, { 503, 14 }, { 504, 14 } };

int grpc_status_of_code(uint16_t code)
{
    for (size_t i = 0; i < LEN(by_code); i++) {
        if (by_code[i].code == code)
            return by_code[i].status;
    }
    return 2; /* Unknown */
}

/* False where the list has no grpc-status; an unreadable one is Unknown. */
static bool status_in(const struct headers *list, int *ret)
{
    struct str text = list ? headers_get(list, HDR_GRPC_STATUS) : STR_NONE;
    uint64_t v;

    if (!str_is_set(text))
        return false;
    *ret = str_u64(text, &v) && v < GRPC_STATUS_COUNT ? (int)v : 2;
    return true;
}

int grpc_status_of(const struct record *r)
{
    int status = GRPC_STATUS_NONE;

    if (!r->is_grpc)
        return GRPC_STATUS_NONE;
    if (status_in(r->trailers, &status) || status_in(r->response, &status))
        return status;
    return r->code ? grpc_status_of_code(r->code) : GRPC_STATUS_NONE;
}

struct str grpc_status_camel(int status)
{
    return status >= 0 && status < GRPC_STATUS_COUNT ? statuses[status].camel : STR_NONE;
}

struct str grpc_status_snake(int status)
{
    return status >= 0 && status < GRPC_STATUS_COUNT ? statuses[status].snake : STR_NONE;
}

int grpc_status_named(struct str name)
{
    for (int i = 0; i < GRPC_STATUS_COUNT; i++) {
        if (str_eq(statuses[i].snake, name))
            return i;
    }
    return GRPC_STATUS_NONE;
}
