/*
 * base/utf8 - octets as characters (RFC 3629).
 */
#pragma once

#include "base/str.h"

/* The octets of the character at the front of `s` (not empty) and its number; 0, and `ret`
 * untouched, where there is none: overlong, a surrogate, above U+10FFFF, cut off. */
size_t utf8_read(struct str s, uint32_t *ret);
bool utf8_is_whole(struct str s); /* characters from the first octet to the last */
