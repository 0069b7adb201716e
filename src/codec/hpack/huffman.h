/*
 * codec/hpack/huffman - the string code of HPACK. Source: RFC 7541, 5.2 and appendix B.
 *
 * Pure; no allocation. The code is canonical, so the lengths of its words say all.
 */
#pragma once

#include "base/str.h"

/* Octets that `s` takes when encoded. */
size_t huffman_len(struct str s);
/* Writes huffman_len(s) octets. */
void huffman_write(struct str s, char *out);

/* Decodes into `out`, which has room for huffman_max(in.n). False: padding longer than 7
 * bits or not all ones, or the end-of-string word inside. */
MUST_USE bool huffman_read(struct str in, char *out, size_t *ret_n);

/* The shortest word has 5 bits. */
static inline size_t huffman_max(size_t encoded)
{
    return encoded * 8 / 5 + 1;
}
