#include "telemetry/log_ops_int.h"

#include "telemetry/log_pen.h"
#include "tls/peer.h"

struct log_operator {
    struct str name;
    log_op_write *write; /* NULL: not built */
    log_op_read *read;   /* NULL: takes no argument */
    uint16_t at, to;     /* the record's field; of durations the two times */
};

#define OP(title, ...)                                                                             \
    {                                                                                              \
        .name = STR_INIT(#title), __VA_ARGS__                                                      \
    }
#define LATER(title) OP(title, .write = NULL)
#define FIELD(name) .at = offsetof(struct record, name)
#define PEER(name) .write = log_write_peer, .at = offsetof(struct tls_peer, name)
#define SPAN(from, until)                                                                          \
    .write = log_write_span, .at = offsetof(struct record, from),                                  \
    .to = offsetof(struct record, until)

static const struct log_operator operators[] = {
    OP(START_TIME, .write = log_write_start, .read = log_read_start),
    OP(REQ, .write = log_write_header, .read = log_read_header, FIELD(request)),
    OP(REQ_WITHOUT_QUERY, .write = log_write_header_bare, .read = log_read_header_bare,
       FIELD(request)),
    OP(RESP, .write = log_write_header, .read = log_read_header, FIELD(response)),
    OP(TRAILER, .write = log_write_header, .read = log_read_header, FIELD(trailers)),
    OP(PROTOCOL, .write = log_write_protocol),
    OP(RESPONSE_CODE, .write = log_write_u16, FIELD(code)),
    OP(RESPONSE_FLAGS, .write = log_write_flags),
    OP(RESPONSE_CODE_DETAILS, .write = log_write_literal, FIELD(details)),
    OP(CONNECTION_TERMINATION_DETAILS, .write = log_write_literal, FIELD(termination)),
    OP(UPSTREAM_TRANSPORT_FAILURE_REASON, .write = log_write_text, FIELD(upstream_failure)),
    OP(BYTES_RECEIVED, .write = log_write_u64, FIELD(received)),
    OP(BYTES_SENT, .write = log_write_u64, FIELD(sent)),
    OP(DURATION, SPAN(start_ns, end_ns)),
    OP(REQUEST_DURATION, SPAN(start_ns, request_end_ns)),
    OP(RESPONSE_DURATION, SPAN(start_ns, upstream_first_ns)),
    OP(RESPONSE_TX_DURATION, SPAN(upstream_first_ns, end_ns)),
    OP(COMMON_DURATION, .write = log_write_common_span, .read = log_read_common_span),
    OP(UPSTREAM_HOST, .write = log_write_upstream_host),
    OP(UPSTREAM_CLUSTER_RAW, .write = log_write_cluster_raw),
    OP(UPSTREAM_CLUSTER, .write = log_write_cluster),
    OP(UPSTREAM_LOCAL_ADDRESS, .write = log_write_addr, FIELD(upstream_local)),
    OP(UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT, .write = log_write_addr_ip, FIELD(upstream_local)),
    OP(UPSTREAM_LOCAL_PORT, .write = log_write_addr_port, FIELD(upstream_local)),
    OP(UPSTREAM_REMOTE_ADDRESS, .write = log_write_addr, FIELD(upstream_remote)),
    OP(UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, .write = log_write_addr_ip, FIELD(upstream_remote)),
    OP(UPSTREAM_REMOTE_PORT, .write = log_write_addr_port, FIELD(upstream_remote)),
    OP(UPSTREAM_REQUEST_ATTEMPT_COUNT, .write = log_write_u16, FIELD(attempts)),
    OP(DOWNSTREAM_LOCAL_ADDRESS, .write = log_write_addr, FIELD(downstream_local)),
    OP(DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT, .write = log_write_addr_ip, FIELD(downstream_local)),
    OP(DOWNSTREAM_LOCAL_PORT, .write = log_write_addr_port, FIELD(downstream_local)),
    OP(DOWNSTREAM_REMOTE_ADDRESS, .write = log_write_addr, FIELD(downstream_remote)),
    OP(DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, .write = log_write_addr_ip,
       FIELD(downstream_remote)),
    OP(DOWNSTREAM_REMOTE_PORT, .write = log_write_addr_port, FIELD(downstream_remote)),
    OP(DOWNSTREAM_DIRECT_REMOTE_ADDRESS, .write = log_write_addr, FIELD(downstream_peer)),
    OP(DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT, .write = log_write_addr_ip,
       FIELD(downstream_peer)),
    OP(DOWNSTREAM_DIRECT_REMOTE_PORT, .write = log_write_addr_port, FIELD(downstream_peer)),
    OP(REQUESTED_SERVER_NAME, .write = log_write_text, FIELD(sni)),
    OP(DOWNSTREAM_PEER_URI_SAN, PEER(uris)),
    OP(DOWNSTREAM_PEER_DNS_SAN, PEER(dns_names)),
    OP(DOWNSTREAM_PEER_SUBJECT, PEER(subject)),
    OP(DOWNSTREAM_PEER_ISSUER, PEER(issuer)),
    OP(DOWNSTREAM_PEER_SERIAL, PEER(serial)),
    OP(DOWNSTREAM_PEER_CERT, PEER(cert)),
    OP(DOWNSTREAM_PEER_FINGERPRINT_256, PEER(fingerprint)),
    OP(DOWNSTREAM_LOCAL_URI_SAN, PEER(local_uris)),
    OP(DOWNSTREAM_LOCAL_SUBJECT, PEER(local_subject)),
    OP(DOWNSTREAM_TLS_VERSION, .write = log_write_text, FIELD(tls_version)),
    OP(DOWNSTREAM_TLS_CIPHER, .write = log_write_text, FIELD(tls_cipher)),
    OP(ROUTE_NAME, .write = log_write_route_name),
    OP(CONNECTION_ID, .write = log_write_u64, FIELD(connection_id)),
    OP(STREAM_ID, .write = log_write_stream_id),
    OP(GRPC_STATUS, .write = log_write_grpc_status, .read = log_read_grpc_status),
    OP(GRPC_STATUS_NUMBER, .write = log_write_grpc_number),
    OP(VIRTUAL_CLUSTER_NAME, .write = log_write_missing), /* Istio makes none */
    OP(HOSTNAME, .write = log_write_fixed, .read = log_read_hostname),
    OP(ENVIRONMENT, .write = log_write_fixed, .read = log_read_environment),
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

static struct str parse_max(struct str text, uint16_t *ret)
{
    uint64_t v = 0;

    if (str_is_set(text) && (!str_u64(text, &v) || v == 0 || v > 65535))
        return STR("takes a length from 1 to 65535 behind \":\"");
    *ret = (uint16_t)v;
    return STR_NONE;
}

static struct str parse_arg(struct log_op *op, const struct log_operator *row, struct str arg,
                            struct arena *arena)
{
    if (row->read)
        return row->read(op, arg, arena);
    return str_is_set(arg) ? STR("takes no argument") : STR_NONE;
}

/* How the style prints a value. */
static void set_style(struct log_op *op, enum log_style style)
{
    struct str none = style == LOG_STYLE_JSON ? STR("null") : STR("-");

    op->style = (uint8_t)style;
    op->is_quoted = style == LOG_STYLE_JSON;
    op->none_len = (uint8_t)none.n;
    memcpy(op->none, none.p, none.n);
    op->short_max = op->max ? MIN(op->max, LOG_SHORT_MAX) : LOG_SHORT_MAX;
}

bool log_op_parse(struct str text, enum log_style style, struct arena *arena, struct log_op *ret,
                  struct str *reterr)
{
    const struct log_operator *row;
    struct str name, arg, max, wrong;
    struct log_op op;

    if (!split(text, &name, &arg, &max)) {
        *reterr = arena_printf(arena, "operator %%%.*s%% cannot be read", STRF(text));
        return false;
    }
    row = operator_of(name);
    if (!row || !row->write) {
        *reterr = arena_printf(arena, "operator %%%.*s%% is %s", STRF(name),
                               row ? "not built yet" : "not known");
        return false;
    }
    op = (struct log_op){ .write = row->write, .at = row->at, .to = row->to };
    wrong = parse_max(max, &op.max);
    set_style(&op, style);
    if (!str_is_set(wrong))
        wrong = parse_arg(&op, row, arg, arena);
    if (str_is_set(wrong)) {
        *reterr = arena_printf(arena, "operator %%%.*s%% %.*s", STRF(text), STRF(wrong));
        return false;
    }
    *ret = op;
    return true;
}
