#include "telemetry/log_ops.h"

#include "telemetry/flags.h"
#include "telemetry/log_addr.h"
#include "telemetry/log_time.h"

#include <stdlib.h>
#include <unistd.h>

struct log_operator {
    struct str name;
    void (*get)(const struct record *r, const struct log_op *op, struct log_value *v);
    /* NULL: takes no argument. Returns what is wrong, or STR_NONE. */
    struct str (*parse)(struct log_op *op, struct str arg, struct arena *arena);
    uint16_t at, to; /* the record's field; of durations the two times */
};

/* Pseudo headers stand behind the known headers' ids. */
enum { PSEUDO_METHOD = HDR_COUNT, PSEUDO_PATH, PSEUDO_AUTHORITY, PSEUDO_SCHEME, PSEUDO_STATUS };

static const struct {
    struct str name;
    uint16_t id;
} pseudos[] = {
    { STR_INIT(":method"), PSEUDO_METHOD },       { STR_INIT(":path"), PSEUDO_PATH },
    { STR_INIT(":authority"), PSEUDO_AUTHORITY }, { STR_INIT("host"), PSEUDO_AUTHORITY },
    { STR_INIT(":scheme"), PSEUDO_SCHEME },       { STR_INIT(":status"), PSEUDO_STATUS },
};

/* ---- values ---- */

static void give_text(struct log_value *v, struct str s)
{
    if (!str_is_set(s))
        return;
    v->kind = LOG_VALUE_TEXT;
    v->text = s;
}

static void give_number(struct log_value *v, int64_t number)
{
    v->kind = LOG_VALUE_NUMBER;
    v->number = number;
}

/* The record's fields by their offset, so that a row can name one. */
static const void *field(const struct record *r, size_t at)
{
    return (const char *)r + at;
}

static void get_text(const struct record *r, const struct log_op *op, struct log_value *v)
{
    struct str s;

    memcpy(&s, field(r, op->row->at), sizeof(s));
    if (s.n)
        give_text(v, s);
}

static void get_literal(const struct record *r, const struct log_op *op, struct log_value *v)
{
    const char *z;

    memcpy(&z, field(r, op->row->at), sizeof(z));
    give_text(v, str_of(z));
}

static void get_u64(const struct record *r, const struct log_op *op, struct log_value *v)
{
    uint64_t n;

    memcpy(&n, field(r, op->row->at), sizeof(n));
    give_number(v, (int64_t)n);
}

static void get_u16(const struct record *r, const struct log_op *op, struct log_value *v)
{
    uint16_t n;

    memcpy(&n, field(r, op->row->at), sizeof(n));
    give_number(v, n);
}

static void get_missing(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)r;
    (void)op;
    v->kind = LOG_VALUE_NONE;
}

/* ---- times ---- */

static void give_span(struct log_value *v, const struct record *r, size_t from, size_t to,
                      uint32_t scale)
{
    uint64_t begin, end;

    memcpy(&begin, field(r, from), sizeof(begin));
    memcpy(&end, field(r, to), sizeof(end));
    if (begin && end >= begin)
        give_number(v, (int64_t)((end - begin) / scale));
}

static void get_span(const struct record *r, const struct log_op *op, struct log_value *v)
{
    give_span(v, r, op->row->at, op->row->to, 1000000);
}

static void get_common_span(const struct record *r, const struct log_op *op, struct log_value *v)
{
    give_span(v, r, op->from, op->to, op->scale);
}

static void get_start(const struct record *r, const struct log_op *op, struct log_value *v)
{
    size_t n = op->arg.n ? log_time_format_by(op->arg, r->start_wall_us, v->room, sizeof(v->room))
                         : log_time_format(r->start_wall_us, v->room);

    give_text(v, str_make(v->room, n));
}

static struct str parse_start(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str bad = log_time_check(arg);

    op->arg = arg;
    if (!str_is_set(bad))
        return STR_NONE;
    return arena_printf(arena, "has no conversion \"%.*s\"", STRF(bad));
}

static const struct {
    struct str name;
    uint16_t at;
} points[] = {
    { STR_INIT("DS_RX_BEG"), offsetof(struct record, start_ns) },
    { STR_INIT("DS_RX_END"), offsetof(struct record, request_end_ns) },
    { STR_INIT("US_TX_BEG"), offsetof(struct record, upstream_start_ns) },
    { STR_INIT("US_RX_BEG"), offsetof(struct record, upstream_first_ns) },
    { STR_INIT("DS_TX_END"), offsetof(struct record, end_ns) },
};

static bool point_of(struct str name, uint16_t *ret)
{
    for (size_t i = 0; i < LEN(points); i++) {
        if (str_eq(points[i].name, name)) {
            *ret = points[i].at;
            return true;
        }
    }
    return false;
}

static struct str parse_common_span(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str from = str_cut(&arg, ':'), to = str_cut(&arg, ':'), unit = arg;

    if (!point_of(from, &op->from) || !point_of(to, &op->to))
        return arena_printf(arena, "knows the times DS_RX_BEG, DS_RX_END, US_TX_BEG, US_RX_BEG "
                                   "and DS_TX_END");
    op->scale = str_eq(unit, STR("ms")) ? 1000000 : str_eq(unit, STR("us")) ? 1000 : 1;
    if (op->scale == 1 && !str_eq(unit, STR("ns")))
        return STR("takes (from:to:ms), us or ns");
    return STR_NONE;
}

/* ---- headers ---- */

static uint16_t id_of(struct str name)
{
    for (size_t i = 0; i < LEN(pseudos); i++) {
        if (str_eq_nocase(pseudos[i].name, name))
            return pseudos[i].id;
    }
    return (uint16_t)header_id_of(name);
}

/* X, or X?Y: Y is asked where X is missing. */
static struct str parse_header(struct log_op *op, struct str arg, struct arena *arena)
{
    op->arg = str_cut(&arg, '?');
    op->alt = arg;
    if (op->arg.n == 0 || (str_is_set(op->alt) && op->alt.n == 0))
        return STR("wants a header name: (NAME) or (NAME?OTHER)");
    if (str_find(op->alt, '?') < op->alt.n)
        return arena_printf(arena, "takes one other name, not \"%.*s\"", STRF(op->alt));
    op->id = id_of(op->arg);
    op->alt_id = str_is_set(op->alt) ? id_of(op->alt) : HDR_OTHER;
    return STR_NONE;
}

static struct str header_in(const struct headers *list, uint16_t id, struct str name)
{
    const struct header *h;

    if (!list || !str_is_set(name) || id >= HDR_COUNT)
        return STR_NONE;
    if (id != HDR_OTHER)
        return headers_get(list, (enum header_id)id);
    h = headers_find_name(list, name);
    return h ? h->value : STR_NONE;
}

static struct str scheme_of(const struct record *r)
{
    bool secure = r->tls_version.n || (r->listener && r->listener->is_tls);

    return secure ? STR("https") : STR("http");
}

static struct str request_part(const struct record *r, uint16_t id, struct str name)
{
    struct str s = id == PSEUDO_METHOD      ? r->method
                   : id == PSEUDO_PATH      ? r->path
                   : id == PSEUDO_AUTHORITY ? r->authority
                   : id == PSEUDO_SCHEME    ? scheme_of(r)
                                            : STR_NONE;

    return str_is_set(s) ? s : header_in(r->request, id, name);
}

static void get_request(const struct record *r, const struct log_op *op, struct log_value *v)
{
    struct str s = request_part(r, op->id, op->arg);

    give_text(v, str_is_set(s) || !op->alt.n ? s : request_part(r, op->alt_id, op->alt));
}

static void get_request_bare(const struct record *r, const struct log_op *op, struct log_value *v)
{
    get_request(r, op, v);
    v->text = str_sub(v->text, 0, str_find(v->text, '?'));
}

static void get_response(const struct record *r, const struct log_op *op, struct log_value *v)
{
    struct str s = header_in(r->response, op->id, op->arg);

    if (op->id == PSEUDO_STATUS && r->code)
        s = str_make(v->room, log_number_format(r->code, v->room));
    give_text(v, str_is_set(s) ? s : header_in(r->response, op->alt_id, op->alt));
}

static void get_trailer(const struct record *r, const struct log_op *op, struct log_value *v)
{
    struct str s = header_in(r->trailers, op->id, op->arg);

    give_text(v, str_is_set(s) ? s : header_in(r->trailers, op->alt_id, op->alt));
}

/* ---- addresses ---- */

static void give_addr(struct log_value *v, const struct addr *a)
{
    if (addr_is_set(a))
        give_text(v, log_addr_text(a, v->room));
}

static void get_addr(const struct record *r, const struct log_op *op, struct log_value *v)
{
    give_addr(v, field(r, op->row->at));
}

static void get_addr_ip(const struct record *r, const struct log_op *op, struct log_value *v)
{
    const struct addr *a = field(r, op->row->at);

    give_text(v, addr_format_ip(a, v->room));
}

static void get_addr_port(const struct record *r, const struct log_op *op, struct log_value *v)
{
    const struct addr *a = field(r, op->row->at);

    if (addr_is_set(a))
        give_number(v, a->port);
}

/* The endpoint chosen, even where it could not be reached. */
static const struct addr *upstream_of(const struct record *r)
{
    return r->endpoint ? &r->endpoint->addr : &r->upstream_remote;
}

static void get_upstream_host(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)op;
    give_addr(v, upstream_of(r));
}

/* ---- the others ---- */

static void get_protocol(const struct record *r, const struct log_op *op, struct log_value *v)
{
    static const struct str names[] = {
        [PROTOCOL_HTTP10] = STR_INIT("HTTP/1.0"),
        [PROTOCOL_HTTP11] = STR_INIT("HTTP/1.1"),
        [PROTOCOL_HTTP2] = STR_INIT("HTTP/2"),
    };

    (void)op;
    if (r->protocol < LEN(names))
        give_text(v, names[r->protocol]);
}

static void get_flags(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)op;
    give_text(v, flags_format(r->flags, v->room));
}

static void get_cluster_raw(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)op;
    if (r->cluster)
        give_text(v, r->cluster->part.name);
}

/* Istio gives each cluster its name and a semicolon as the name in statistics, and Envoy
 * prints that one (observed facts, "Headers"). */
static void get_cluster(const struct record *r, const struct log_op *op, struct log_value *v)
{
    struct str name = r->cluster ? r->cluster->part.name : STR_NONE;

    (void)op;
    if (!name.n)
        return;
    give_text(v, name);
    if (name.n >= sizeof(v->room))
        return;
    memcpy(v->room, name.p, name.n);
    v->room[name.n] = ';';
    give_text(v, str_make(v->room, name.n + 1));
}

static void get_route_name(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)op;
    if (r->route && r->route->name.n)
        give_text(v, r->route->name);
}

static void get_stream_id(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)op;
    if (r->request)
        give_text(v, headers_get(r->request, HDR_X_REQUEST_ID));
}

static void get_grpc_status(const struct record *r, const struct log_op *op, struct log_value *v)
{
    int status = grpc_status_of(r);

    if (status == GRPC_STATUS_NONE)
        return;
    if (str_eq(op->arg, STR("NUMBER")))
        give_number(v, status);
    else if (str_eq(op->arg, STR("SNAKE_STRING")))
        give_text(v, grpc_status_snake(status));
    else
        give_text(v, grpc_status_camel(status));
}

static struct str parse_grpc_status(struct log_op *op, struct str arg, struct arena *arena)
{
    (void)arena;
    op->arg = arg;
    if (!str_is_set(arg) || str_eq(arg, STR("CAMEL_STRING")) || str_eq(arg, STR("SNAKE_STRING")) ||
        str_eq(arg, STR("NUMBER")))
        return STR_NONE;
    return STR("takes CAMEL_STRING, SNAKE_STRING or NUMBER");
}

static void get_grpc_number(const struct record *r, const struct log_op *op, struct log_value *v)
{
    int status = grpc_status_of(r);

    (void)op;
    if (status != GRPC_STATUS_NONE)
        give_number(v, status);
}

/* Fixed at start: read once, when the format is parsed. */
static void get_arg(const struct record *r, const struct log_op *op, struct log_value *v)
{
    (void)r;
    if (op->alt.n)
        give_text(v, op->alt);
}

static struct str parse_environment(struct log_op *op, struct str arg, struct arena *arena)
{
    char name[256];

    if (arg.n == 0 || arg.n >= sizeof(name))
        return STR("wants the name of a variable");
    op->alt = arena_dup(arena, str_of(getenv(str_copy(arg, name, sizeof(name)))));
    return STR_NONE;
}

static struct str parse_hostname(struct log_op *op, struct str arg, struct arena *arena)
{
    char name[256] = "";

    if (str_is_set(arg))
        return STR("takes no argument");
    if (gethostname(name, sizeof(name) - 1) == 0)
        op->alt = arena_dup(arena, str_of(name));
    return STR_NONE;
}

/* ---- the table ---- */

#define OP(title, ...)                                                                             \
    {                                                                                              \
        .name = STR_INIT(#title), __VA_ARGS__                                                      \
    }
#define LATER(title) OP(title, .get = NULL)
#define FIELD(name) .at = offsetof(struct record, name)
#define SPAN(from, until)                                                                          \
    .get = get_span, .at = offsetof(struct record, from), .to = offsetof(struct record, until)

static const struct log_operator operators[] = {
    OP(START_TIME, .get = get_start, .parse = parse_start),
    OP(REQ, .get = get_request, .parse = parse_header),
    OP(REQ_WITHOUT_QUERY, .get = get_request_bare, .parse = parse_header),
    OP(RESP, .get = get_response, .parse = parse_header),
    OP(TRAILER, .get = get_trailer, .parse = parse_header),
    OP(PROTOCOL, .get = get_protocol),
    OP(RESPONSE_CODE, .get = get_u16, FIELD(code)),
    OP(RESPONSE_FLAGS, .get = get_flags),
    OP(RESPONSE_CODE_DETAILS, .get = get_literal, FIELD(details)),
    OP(CONNECTION_TERMINATION_DETAILS, .get = get_literal, FIELD(termination)),
    OP(UPSTREAM_TRANSPORT_FAILURE_REASON, .get = get_text, FIELD(upstream_failure)),
    OP(BYTES_RECEIVED, .get = get_u64, FIELD(received)),
    OP(BYTES_SENT, .get = get_u64, FIELD(sent)),
    OP(DURATION, SPAN(start_ns, end_ns)),
    OP(REQUEST_DURATION, SPAN(start_ns, request_end_ns)),
    OP(RESPONSE_DURATION, SPAN(start_ns, upstream_first_ns)),
    OP(RESPONSE_TX_DURATION, SPAN(upstream_first_ns, end_ns)),
    OP(COMMON_DURATION, .get = get_common_span, .parse = parse_common_span),
    OP(UPSTREAM_HOST, .get = get_upstream_host),
    OP(UPSTREAM_CLUSTER_RAW, .get = get_cluster_raw),
    OP(UPSTREAM_CLUSTER, .get = get_cluster),
    OP(UPSTREAM_LOCAL_ADDRESS, .get = get_addr, FIELD(upstream_local)),
    OP(UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT, .get = get_addr_ip, FIELD(upstream_local)),
    OP(UPSTREAM_LOCAL_PORT, .get = get_addr_port, FIELD(upstream_local)),
    OP(UPSTREAM_REMOTE_ADDRESS, .get = get_addr, FIELD(upstream_remote)),
    OP(UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, .get = get_addr_ip, FIELD(upstream_remote)),
    OP(UPSTREAM_REMOTE_PORT, .get = get_addr_port, FIELD(upstream_remote)),
    OP(UPSTREAM_REQUEST_ATTEMPT_COUNT, .get = get_u16, FIELD(attempts)),
    OP(DOWNSTREAM_LOCAL_ADDRESS, .get = get_addr, FIELD(downstream_local)),
    OP(DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT, .get = get_addr_ip, FIELD(downstream_local)),
    OP(DOWNSTREAM_LOCAL_PORT, .get = get_addr_port, FIELD(downstream_local)),
    OP(DOWNSTREAM_REMOTE_ADDRESS, .get = get_addr, FIELD(downstream_remote)),
    OP(DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, .get = get_addr_ip, FIELD(downstream_remote)),
    OP(DOWNSTREAM_REMOTE_PORT, .get = get_addr_port, FIELD(downstream_remote)),
    OP(DOWNSTREAM_DIRECT_REMOTE_ADDRESS, .get = get_addr, FIELD(downstream_peer)),
    OP(DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT, .get = get_addr_ip, FIELD(downstream_peer)),
    OP(DOWNSTREAM_DIRECT_REMOTE_PORT, .get = get_addr_port, FIELD(downstream_peer)),
    OP(REQUESTED_SERVER_NAME, .get = get_text, FIELD(sni)),
    OP(DOWNSTREAM_TLS_VERSION, .get = get_text, FIELD(tls_version)),
    OP(DOWNSTREAM_TLS_CIPHER, .get = get_text, FIELD(tls_cipher)),
    OP(ROUTE_NAME, .get = get_route_name),
    OP(CONNECTION_ID, .get = get_u64, FIELD(connection_id)),
    OP(STREAM_ID, .get = get_stream_id),
    OP(GRPC_STATUS, .get = get_grpc_status, .parse = parse_grpc_status),
    OP(GRPC_STATUS_NUMBER, .get = get_grpc_number),
    OP(VIRTUAL_CLUSTER_NAME, .get = get_missing), /* Istio makes none */
    OP(HOSTNAME, .get = get_arg, .parse = parse_hostname),
    OP(ENVIRONMENT, .get = get_arg, .parse = parse_environment),
    /* known, not built */
    LATER(CEL),
    LATER(METADATA),
    LATER(DYNAMIC_METADATA),
    LATER(CLUSTER_METADATA),
    LATER(UPSTREAM_METADATA),
    LATER(FILTER_STATE),
    LATER(UNIQUE_ID),
    LATER(REQUEST_TX_DURATION),
    LATER(RESPONSE_FLAGS_LONG),
    LATER(PATH),
    LATER(QUERY_PARAM),
    LATER(QUERY_PARAMS),
    LATER(TRACE_ID),
    LATER(SPAN_ID),
    LATER(UPSTREAM_PROTOCOL),
    LATER(UPSTREAM_WIRE_BYTES_SENT),
    LATER(UPSTREAM_WIRE_BYTES_RECEIVED),
    LATER(UPSTREAM_HEADER_BYTES_SENT),
    LATER(UPSTREAM_HEADER_BYTES_RECEIVED),
    LATER(DOWNSTREAM_WIRE_BYTES_SENT),
    LATER(DOWNSTREAM_WIRE_BYTES_RECEIVED),
    LATER(DOWNSTREAM_HEADER_BYTES_SENT),
    LATER(DOWNSTREAM_HEADER_BYTES_RECEIVED),
    LATER(DOWNSTREAM_PEER_URI_SAN),
    LATER(DOWNSTREAM_PEER_DNS_SAN),
    LATER(DOWNSTREAM_PEER_SUBJECT),
    LATER(DOWNSTREAM_PEER_ISSUER),
    LATER(DOWNSTREAM_PEER_SERIAL),
    LATER(DOWNSTREAM_PEER_CERT),
    LATER(DOWNSTREAM_PEER_FINGERPRINT_256),
    LATER(DOWNSTREAM_LOCAL_URI_SAN),
    LATER(DOWNSTREAM_LOCAL_SUBJECT),
    LATER(DOWNSTREAM_TRANSPORT_FAILURE_REASON),
};

static const struct log_operator *operator_of(struct str name)
{
    for (size_t i = 0; i < LEN(operators); i++) {
        if (str_eq(operators[i].name, name))
            return &operators[i];
    }
    return NULL;
}

/* Splits "NAME(arg):n". `arg` is STR_NONE without parentheses. */
static bool split(struct str text, struct str *ret_name, struct str *ret_arg, struct str *ret_max)
{
    size_t open = str_find(text, '('), close = str_rfind(text, ')');
    struct str tail;

    *ret_arg = STR_NONE;
    if (open < text.n) {
        if (close == text.n || close < open)
            return false;
        *ret_arg = str_sub(text, open + 1, close - open - 1);
        *ret_name = str_sub(text, 0, open);
        tail = str_from(text, close + 1);
    } else {
        size_t colon = str_find(text, ':');

        *ret_name = str_sub(text, 0, colon);
        tail = str_from(text, colon);
    }
    if (tail.n && tail.p[0] != ':')
        return false;
    *ret_max = tail.n ? str_from(tail, 1) : STR_NONE;
    return true;
}

static struct str parse_max(struct str text, uint32_t *ret)
{
    uint64_t v = 0;

    if (str_is_set(text) && (!str_u64(text, &v) || v == 0 || v > 65535))
        return STR("takes a length from 1 to 65535 behind \":\"");
    *ret = (uint32_t)v;
    return STR_NONE;
}

bool log_op_parse(struct str text, struct arena *arena, struct log_op *ret, struct str *reterr)
{
    struct log_op op = { 0 };
    struct str name, arg, max, wrong;

    if (!split(text, &name, &arg, &max)) {
        *reterr = arena_printf(arena, "operator %%%.*s%% cannot be read", STRF(text));
        return false;
    }
    op.row = operator_of(name);
    if (!op.row || !op.row->get) {
        *reterr = arena_printf(arena, "operator %%%.*s%% is %s", STRF(name),
                               op.row ? "not built yet" : "not known");
        return false;
    }
    wrong = parse_max(max, &op.max);
    if (!str_is_set(wrong) && op.row->parse)
        wrong = op.row->parse(&op, arg, arena);
    else if (!str_is_set(wrong) && str_is_set(arg))
        wrong = STR("takes no argument");
    if (str_is_set(wrong)) {
        *reterr = arena_printf(arena, "operator %%%.*s%% %.*s", STRF(text), STRF(wrong));
        return false;
    }
    *ret = op;
    return true;
}

void log_op_get(const struct log_op *op, const struct record *r, struct log_value *ret)
{
    ret->kind = LOG_VALUE_NONE;
    ret->text = STR_NONE;
    op->row->get(r, op, ret);
    if (op->max)
        ret->text = str_sub(ret->text, 0, op->max);
}
