/*
 * base/jsontext - writes one JSON string, quotes and escapes included.
 *
 * Control characters, quotes and backslashes are escaped; octets that are not UTF-8
 * become U+FFFD, so that the result is valid JSON whatever a stranger sent.
 */
#pragma once

#include "base/buf.h"

void json_add_string(struct buf *b, struct str s);
