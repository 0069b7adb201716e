#include "http/message.h"

#include "codec/h1/write.h"

struct head *head_new(struct arena *a)
{
    struct head *h = ARENA_NEW(a, struct head);

    h->version = HTTP_11;
    h->content_length = -1;
    return h;
}

bool head_is_grpc(const struct head *head)
{
    struct str type = headers_get(&head->headers, HDR_CONTENT_TYPE);
    struct str grpc = STR("application/grpc");

    return str_starts(type, grpc) &&
           (type.n == grpc.n || type.p[grpc.n] == '+' || type.p[grpc.n] == ';');
}

struct str status_reason(uint16_t status)
{
    return h1_reason_of(status);
}

bool response_has_body(struct str method, uint16_t status)
{
    return status >= 200 && status != 204 && status != 304 && !str_eq(method, STR("HEAD"));
}
