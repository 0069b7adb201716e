/*
 * mesh/check - what would keep an object from being compiled, found as its file is read.
 *
 * So that it counts as broken and its last good version stays (design 5.5): regular
 * expressions that RE2 refuses, header operations and answers that HTTP has no form for.
 */
#pragma once

#include "api/object.h"

/* Notes errors and sets `broken`. */
void check_object(struct api_object *o, struct notes *notes);
