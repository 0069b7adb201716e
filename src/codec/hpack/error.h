/*
 * codec/hpack/error - what can be wrong with a header block: one const record each.
 *
 * All of them are connection errors COMPRESSION_ERROR (RFC 9113, 4.3): the tables of the two
 * sides are no longer the same.
 */
#pragma once

struct hpack_error {
    const char *text;
};
