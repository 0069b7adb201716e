/*
 * answer/ist - the codes that istioctl gives the same findings, for scripts that look for them.
 *
 * Source: istio-api.md 9 (analyzer messages).
 */
#pragma once

#include "base/notes.h"

/* "IST0101"; NULL: istioctl has no such message. A literal. */
const char *ist_code(const struct note *n);
