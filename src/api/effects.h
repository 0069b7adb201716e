/*
 * api/effects - what becomes of connections and requests that are there when a field changes:
 * docs/connections.md prints this table, tests/e2e/test_effects.py drives each of its rows.
 */
#pragma once

#include "api/schema.h"
#include "base/buf.h"

enum api_effect {
    EFFECT_REQUEST,    /* the next request, on any connection; one under way keeps its own */
    EFFECT_BACKEND,    /* the same; connections to backends that are gone finish and end */
    EFFECT_PROTOCOL,   /* the same; connections that speak the old protocol finish and end */
    EFFECT_HANDSHAKE,  /* the next TLS handshake */
    EFFECT_CONNECTION, /* the next connection of a client */
    EFFECT_DIAL,       /* the next connection to a backend */
    EFFECT_LIMIT,      /* the next request; connections that stand count, idle ones may end */
    EFFECT_LISTENER,   /* connections of a port that is gone finish what is under way and end */
    EFFECT_START,      /* the next start */
    EFFECT_KINDS
};

/* `path` names a field and what is below it, without indexes; one that begins with '*' names it
 * wherever it stands; empty: the whole object. The first row that fits counts. */
struct api_effect_row {
    const char *kind, *path;
    enum api_effect effect;
};

extern const struct api_effect_row api_effects[];
extern const size_t api_effect_count;

/* NULL: none. */
const struct api_effect_row *api_effect_of(struct str kind, struct str path);
/* The table in Markdown. */
void api_effects_print(struct buf *out);
