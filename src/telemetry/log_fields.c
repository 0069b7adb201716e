/*
 * telemetry/log_fields - the operators that write fields of the decision record, and what is fixed
 * at start.
 */
#include "telemetry/flags.h"
#include "telemetry/log_addr.h"
#include "telemetry/log_ops_int.h"
#include "telemetry/log_pen.h"
#include "tls/peer.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- as they stand ---- */

char *log_write_text(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    struct str s;

    memcpy(&s, log_op_field(r, op->at), sizeof(s));
    return s.n ? log_pen_text(pen, at, s, op) : log_pen_none(at, op);
}

char *log_write_peer(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    struct str s = STR_NONE;

    if (r->peer)
        memcpy(&s, (const char *)r->peer + op->at, sizeof(s));
    return s.n ? log_pen_text(pen, at, s, op) : log_pen_none(at, op);
}

/* The last one: the program has few, and a thread writes the same again and again. */
static _Thread_local struct {
    const char *z;
    struct log_kept text;
} last;

static NOINLINE char *write_new_literal(const struct log_op *op, const char *z, char *at,
                                        struct log_pen *pen)
{
    struct str s = str_of(z);

    if (s.n > sizeof(last.text.text))
        return log_pen_own(pen, at, s, op);
    last.z = z;
    last.text.n = (uint32_t)s.n;
    memcpy(last.text.text, s.p, s.n);
    return log_pen_kept(pen, at, &last.text, op);
}

char *log_write_literal(const struct log_op *op, const struct record *r, char *at,
                        struct log_pen *pen)
{
    const char *z;

    memcpy(&z, log_op_field(r, op->at), sizeof(z));
    if (!z)
        return log_pen_none(at, op);
    if (z != last.z)
        return write_new_literal(op, z, at, pen);
    return log_pen_kept(pen, at, &last.text, op);
}

char *log_write_u64(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    uint64_t n;

    (void)pen;
    memcpy(&n, log_op_field(r, op->at), sizeof(n));
    return log_pen_number(at, n);
}

char *log_write_u16(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    uint16_t n;

    (void)pen;
    memcpy(&n, log_op_field(r, op->at), sizeof(n));
    return log_pen_number(at, n);
}

char *log_write_missing(const struct log_op *op, const struct record *r, char *at,
                        struct log_pen *pen)
{
    (void)r;
    (void)pen;
    return log_pen_none(at, op);
}

/* ---- addresses ---- */

char *log_write_addr(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    return log_addr_write(op, log_op_field(r, op->at), at, pen);
}

char *log_write_addr_ip(const struct log_op *op, const struct record *r, char *at,
                        struct log_pen *pen)
{
    char room[ADDR_TEXT_MAX];

    return log_pen_maybe(pen, at, addr_format_ip(log_op_field(r, op->at), room), op);
}

char *log_write_addr_port(const struct log_op *op, const struct record *r, char *at,
                          struct log_pen *pen)
{
    const struct addr *a = log_op_field(r, op->at);

    (void)pen;
    return addr_is_set(a) ? log_pen_number(at, a->port) : log_pen_none(at, op);
}

/* The endpoint chosen, even where it could not be reached. */
char *log_write_upstream_host(const struct log_op *op, const struct record *r, char *at,
                              struct log_pen *pen)
{
    return log_addr_write(op, r->endpoint ? &r->endpoint->addr : &r->upstream_remote, at, pen);
}

/* ---- decisions ---- */

char *log_write_cluster_raw(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    return log_pen_maybe(pen, at, r->cluster ? r->cluster->part.name : STR_NONE, op);
}

/* Istio gives each cluster its name and a semicolon as the name in statistics, and Envoy
 * prints that one (observed facts, "Headers"). */
char *log_write_cluster(const struct log_op *op, const struct record *r, char *at,
                        struct log_pen *pen)
{
    struct str name = r->cluster ? r->cluster->part.name : STR_NONE;
    char room[384];

    if (!name.n)
        return log_pen_none(at, op);
    if (name.n >= sizeof(room))
        return log_pen_text(pen, at, name, op);
    memcpy(room, name.p, name.n);
    room[name.n] = ';';
    return log_pen_text(pen, at, str_make(room, name.n + 1), op);
}

char *log_write_route_name(const struct log_op *op, const struct record *r, char *at,
                           struct log_pen *pen)
{
    if (r->route && r->route->name.n)
        return log_pen_text(pen, at, r->route->name, op);
    return log_pen_none(at, op);
}

char *log_write_protocol(const struct log_op *op, const struct record *r, char *at,
                         struct log_pen *pen)
{
    static const struct log_kept names[] = {
        [PROTOCOL_HTTP10] = { 8, "HTTP/1.0" },
        [PROTOCOL_HTTP11] = { 8, "HTTP/1.1" },
        [PROTOCOL_HTTP2] = { 6, "HTTP/2" },
    };

    return r->protocol < LEN(names) ? log_pen_kept(pen, at, &names[r->protocol], op)
                                    : log_pen_none(at, op);
}

static NOINLINE char *write_some_flags(const struct log_op *op, uint32_t flags, char *at,
                                       struct log_pen *pen)
{
    char room[FLAGS_TEXT_MAX];

    return log_pen_own(pen, at, flags_format(flags, room), op);
}

char *log_write_flags(const struct log_op *op, const struct record *r, char *at,
                      struct log_pen *pen)
{
    static const struct log_kept no_flags = { 1, "-" };

    return r->flags ? write_some_flags(op, r->flags, at, pen)
                    : log_pen_kept(pen, at, &no_flags, op);
}

char *log_write_stream_id(const struct log_op *op, const struct record *r, char *at,
                          struct log_pen *pen)
{
    struct str id = r->request ? headers_get(r->request, HDR_X_REQUEST_ID) : STR_NONE;

    return log_pen_maybe(pen, at, id, op);
}

/* ---- gRPC ---- */

char *log_write_grpc_number(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    int status = grpc_status_of(r);

    (void)pen;
    return status == GRPC_STATUS_NONE ? log_pen_none(at, op) : log_pen_number(at, (uint64_t)status);
}

char *log_write_grpc_status(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    int status = grpc_status_of(r);

    if (str_eq(op->arg, STR("NUMBER")))
        return log_write_grpc_number(op, r, at, pen);
    return log_pen_maybe(pen, at,
                         status == GRPC_STATUS_NONE             ? STR_NONE
                         : str_eq(op->arg, STR("SNAKE_STRING")) ? grpc_status_snake(status)
                                                                : grpc_status_camel(status),
                         op);
}

struct str log_read_grpc_status(struct log_op *op, struct str arg, struct arena *arena)
{
    (void)arena;
    op->arg = arg;
    if (!str_is_set(arg) || str_eq(arg, STR("CAMEL_STRING")) || str_eq(arg, STR("SNAKE_STRING")) ||
        str_eq(arg, STR("NUMBER")))
        return STR_NONE;
    return STR("takes CAMEL_STRING, SNAKE_STRING or NUMBER");
}

/* ---- fixed at start ---- */

char *log_write_fixed(const struct log_op *op, const struct record *r, char *at,
                      struct log_pen *pen)
{
    (void)r;
    return op->arg.n ? log_pen_text(pen, at, op->arg, op) : log_pen_none(at, op);
}

struct str log_read_environment(struct log_op *op, struct str arg, struct arena *arena)
{
    char name[256];

    if (arg.n == 0 || arg.n >= sizeof(name))
        return STR("wants the name of a variable");
    op->arg = arena_dup(arena, str_of(getenv(str_copy(arg, name, sizeof(name)))));
    return STR_NONE;
}

struct str log_read_hostname(struct log_op *op, struct str arg, struct arena *arena)
{
    char name[256] = "";

    if (str_is_set(arg))
        return STR("takes no argument");
    if (gethostname(name, sizeof(name) - 1) == 0)
        op->arg = arena_dup(arena, str_of(name));
    return STR_NONE;
}
