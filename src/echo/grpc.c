#include "echo/grpc.h"

#include "echo/proto.h"

#define SERVICE "lateen.echo.v1.Echo"

/* grpc.health.v1.HealthCheckResponse.ServingStatus */
enum { SERVING = 1, SERVICE_UNKNOWN = 3 };

/* ---- lateen.echo.v1.Echo ---- */

static bool echo_read(struct str message, struct grpc_ask *ret)
{
    struct grpc_ask ask = { 0 };
    struct proto_field f;

    while (proto_next(&message, &f)) {
        if (f.id == 1)
            ask.message = f.octets;
        else if (f.id == 2)
            ask.answers = (uint32_t)MIN(f.number, GRPC_ANSWERS_MAX);
        else if (f.id == 3)
            ask.delay_ms = (uint32_t)MIN(f.number, ECHO_DELAY_MAX_MS);
        else if (f.id == 4)
            ask.status = (uint32_t)MIN(f.number, UINT32_MAX);
    }
    ask.answers = MAX(ask.answers, 1);
    *ret = ask;
    return message.n == 0;
}

static bool echo_write(struct buf *to, const struct grpc_tell *t)
{
    return proto_add_octets(to, 1, t->message) && proto_add_octets(to, 2, t->who->name) &&
           proto_add_octets(to, 3, t->who->version) && proto_add_number(to, 4, t->index) &&
           proto_add_number(to, 5, t->requests) && proto_add_number(to, 6, t->octets);
}

/* ---- grpc.health.v1.Health ---- */

static bool watch_read(struct str message, struct grpc_ask *ret)
{
    struct str service = STR("");
    struct proto_field f;

    while (proto_next(&message, &f)) {
        if (f.id == 1)
            service = f.octets;
    }
    *ret = (struct grpc_ask){ .answers = 1, .health = SERVICE_UNKNOWN };
    if (service.n == 0 || str_eq(service, STR(SERVICE)))
        ret->health = SERVING;
    return message.n == 0;
}

/* Watch tells of an unknown service, Check refuses it. */
static bool check_read(struct str message, struct grpc_ask *ret)
{
    if (!watch_read(message, ret))
        return false;
    if (ret->health == SERVICE_UNKNOWN)
        *ret = (struct grpc_ask){ .status = GRPC_NOT_FOUND };
    return true;
}

static bool health_write(struct buf *to, const struct grpc_tell *t)
{
    return proto_add_number(to, 1, t->health);
}

/* ---- methods ---- */

static const struct grpc_method methods[] = {
    { .path = STR_INIT("/" SERVICE "/Unary"),
      .asks_once = true,
      .answers_late = true,
      .read = echo_read,
      .write = echo_write },
    { .path = STR_INIT("/" SERVICE "/ServerStream"),
      .asks_once = true,
      .read = echo_read,
      .write = echo_write },
    { .path = STR_INIT("/" SERVICE "/ClientStream"),
      .answers_late = true,
      .read = echo_read,
      .write = echo_write },
    { .path = STR_INIT("/" SERVICE "/BidiStream"), .read = echo_read, .write = echo_write },
    { .path = STR_INIT("/grpc.health.v1.Health/Check"),
      .asks_once = true,
      .answers_late = true,
      .read = check_read,
      .write = health_write },
    { .path = STR_INIT("/grpc.health.v1.Health/Watch"),
      .asks_once = true,
      .stays = true,
      .read = watch_read,
      .write = health_write },
};

const struct grpc_method *grpc_method_of(struct str path)
{
    for (size_t i = 0; i < LEN(methods); i++) {
        if (str_eq(methods[i].path, path))
            return &methods[i];
    }
    return NULL;
}

/* ---- messages ---- */

bool grpc_head_read(const char in[static GRPC_HEAD_LEN], uint32_t *ret_n,
                    enum grpc_status *ret_status, const char **ret_why)
{
    const unsigned char *u = (const unsigned char *)in;
    uint32_t n = (uint32_t)u[1] << 24 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 8 | u[4];

    if (u[0]) {
        *ret_status = GRPC_UNIMPLEMENTED;
        *ret_why = "compressed messages are not taken";
        return false;
    }
    if (n > GRPC_MESSAGE_MAX) {
        *ret_status = GRPC_RESOURCE_EXHAUSTED;
        *ret_why = "a message above 4 MiB";
        return false;
    }
    *ret_n = n;
    return true;
}

bool grpc_message_write(const struct grpc_method *m, const struct grpc_tell *t, struct buf *to)
{
    size_t at = to->n;
    uint32_t n;

    if (!buf_add(to, str_make("\0\0\0\0\0", GRPC_HEAD_LEN)) || !m->write(to, t))
        return false;
    n = (uint32_t)(to->n - at - GRPC_HEAD_LEN);
    for (int i = 0; i < 4; i++)
        to->p[at + 1 + (size_t)i] = (char)(n >> (24 - 8 * i));
    return true;
}
