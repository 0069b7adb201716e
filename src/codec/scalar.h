/*
 * codec/scalar - what a plain YAML scalar means, by the rules that kubectl's reader has.
 *
 * Pure. YAML 1.1 booleans (y, no, On...), integers in Go's bases (0x, 0b, 0o, leading 0 is
 * octal, `_` ignored), floats, nulls; what is none of them is a string.
 * Source: sigs.k8s.io/yaml (go-yaml v2), resolve.go.
 */
#pragma once

#include "base/str.h"

enum scalar_kind { SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT, SCALAR_STR };

struct scalar {
    enum scalar_kind kind;
    bool truth;
    bool big; /* an integer above INT64_MAX; `integer` holds its bits as uint64_t */
    int64_t integer;
    double number; /* also set for integers */
};

/* Reads an unquoted scalar. */
struct scalar scalar_resolve(struct str text);

/* "a boolean", "a number", ... for messages. */
const char *scalar_kind_name(enum scalar_kind k);

/* Numbers without YAML's extras: what may stand in a JSON string for a number. */
MUST_USE bool scalar_parse_int(struct str text, int64_t *ret);
MUST_USE bool scalar_parse_double(struct str text, double *ret);

/* Octets: "1024", "64k", "64Ki", "1Mi", "2G". */
MUST_USE bool size_parse(struct str text, uint64_t *ret);
