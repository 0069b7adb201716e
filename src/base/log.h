/*
 * base/log - the program's own log: one line an event, a constant message and key-values.
 *
 * Goes to a sink that main sets (stderr), as text or JSON; may be called from any thread.
 * Libraries of layers 0 to 5 log at debug only (style 3.3).
 */
#pragma once

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_kv {
    const char *key; /* NULL ends the list */
    struct str text;
    int64_t number;
    bool is_number;
};

#define KV(k, s)                                                                                   \
    {                                                                                              \
        .key = (k), .text = (s)                                                                    \
    }
#define KVZ(k, z)                                                                                  \
    {                                                                                              \
        .key = (k), .text = str_of(z)                                                              \
    }
#define KVN(k, v)                                                                                  \
    {                                                                                              \
        .key = (k), .number = (int64_t)(v), .is_number = true                                      \
    }

extern enum log_level log_threshold;
void log_level_set(enum log_level level); /* any thread, at any time */
extern bool log_as_json;
/* Where finished lines go; the default writes to descriptor 2. */
extern void (*log_sink)(struct str line);

void log_write(enum log_level level, const char *component, const char *message,
               const struct log_kv *kvs);

#define LOG_AT(level, component, message, ...)                                                     \
    do {                                                                                           \
        if ((level) <= log_threshold)                                                              \
            log_write((level), (component), (message),                                             \
                      (const struct log_kv[]){ __VA_ARGS__ __VA_OPT__(, ){ .key = NULL } });       \
    } while (0)
#define log_error(component, ...) LOG_AT(LOG_ERROR, component, __VA_ARGS__)
#define log_warn(component, ...) LOG_AT(LOG_WARN, component, __VA_ARGS__)
#define log_info(component, ...) LOG_AT(LOG_INFO, component, __VA_ARGS__)
#define log_debug(component, ...) LOG_AT(LOG_DEBUG, component, __VA_ARGS__)

/* Reads "error", "warn", "warning", "info", "debug". */
MUST_USE bool log_level_parse(struct str s, enum log_level *ret);
