/*
 * telemetry/blocks - label blocks: the labels of a cluster or of an endpoint as rendered
 * text, interned for the life of the process, so that series survive reloads (design 5.12).
 *
 * Created by the compiler thread, read by the scraper without a lock. Ids count from 0, which
 * is "all unknown" on both sides.
 */
#pragma once

#include "base/buf.h"

enum block_side { BLOCK_CLUSTER, BLOCK_ENDPOINT, BLOCK_SIDES };

/* `,destination_service="...",...`, every label led by a comma. Lives for ever. */
struct str block_text(enum block_side side, uint32_t id);
/* How many there are on that side, 0 included. */
uint32_t block_count(enum block_side side);

/* Appends `,name="value"` with the value escaped, or "unknown" where it is empty. */
void label_add(struct buf *out, const char *name, struct str value);
/* The value's octets, escaped as Prometheus wants: `\`, `"`, newline; never broken UTF-8. */
void label_value_add(struct buf *out, struct str value);
