/*
 * model/dump - parts as JSON for people: admin pages, tests, diffs.
 *
 * The same content gives the same text in every process: slots are shown as the names that
 * they stand for, parts come sorted by kind and name. Keys are never shown. Fields that
 * are off (0, not set, empty) are left out.
 */
#pragma once

#include "base/buf.h"
#include "model/root.h"

/* One JSON object on one line, without a newline:
 * {"kind":"cluster","name":"...","hash":"...","origin":{...},"connect_ms":10000,...} */
void part_dump(const struct part *p, struct buf *out);

/* {"generation":3,"hash":"...","parts":[...]}, a part a line. `kind` PART_KINDS: all of them. */
void root_dump(const struct root *r, enum part_kind kind, struct buf *out);
