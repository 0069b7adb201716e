/*
 * telemetry/log_ops_int - the writers and readers of arguments that the table of operators names.
 *
 * For log_ops.c, log_fields.c, log_headers.c and log_spans.c.
 */
#pragma once

#include "telemetry/log_ops.h"

/* Reads an argument (STR_NONE without parentheses) into `op`; returns what is wrong, or
 * STR_NONE. */
typedef struct str log_op_read(struct log_op *op, struct str arg, struct arena *arena);

/* The record's fields by their offset, so that a row can name one. */
static inline const void *log_op_field(const struct record *r, size_t at)
{
    return (const char *)r + at;
}

/* Fields as they stand in the record: log_fields.c. */
log_op_write log_write_text;    /* struct str; empty is missing */
log_op_write log_write_peer;    /* struct str of struct tls_peer */
log_op_write log_write_literal; /* const char *, the program's own */
log_op_write log_write_u64, log_write_u16;
log_op_write log_write_addr, log_write_addr_ip, log_write_addr_port;
log_op_write log_write_missing;

/* What is worked out from several: log_fields.c. */
log_op_write log_write_upstream_host, log_write_cluster, log_write_cluster_raw;
log_op_write log_write_protocol, log_write_flags, log_write_route_name, log_write_stream_id;
log_op_write log_write_grpc_status, log_write_grpc_number;
log_op_read log_read_grpc_status;

/* Fixed at start, read once with the format: log_fields.c. */
log_op_write log_write_fixed;
log_op_read log_read_environment, log_read_hostname;

/* Headers and pseudo headers: log_headers.c. */
log_op_write log_write_header, log_write_header_bare;
log_op_read log_read_header, log_read_header_bare;

/* Instants and durations: log_spans.c. */
log_op_write log_write_start, log_write_span, log_write_common_span;
log_op_read log_read_start, log_read_common_span;
