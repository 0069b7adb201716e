/*
 * codec/h2/settings - the settings of RFC 9113, 6.5.2 and RFC 8441: ids, limits, defaults.
 */
#pragma once

#include "codec/h2/error.h"

/* name, id, default, minimum, maximum, error when beyond */
#define H2_SETTING_MAP(XX)                                                                         \
    XX(HEADER_TABLE_SIZE, 1, 4096, 0, UINT32_MAX, setting)                                         \
    XX(ENABLE_PUSH, 2, 1, 0, 1, setting)                                                           \
    XX(MAX_CONCURRENT_STREAMS, 3, UINT32_MAX, 0, UINT32_MAX, setting)                              \
    XX(INITIAL_WINDOW_SIZE, 4, 65535, 0, 0x7fffffff, setting_window)                               \
    XX(MAX_FRAME_SIZE, 5, 16384, 16384, 0xffffff, setting)                                         \
    XX(MAX_HEADER_LIST_SIZE, 6, UINT32_MAX, 0, UINT32_MAX, setting)                                \
    XX(ENABLE_CONNECT_PROTOCOL, 8, 0, 0, 1, setting)

enum h2_setting {
#define XX(name, id, standard, min, max, error) H2_SETTINGS_##name = id,
    H2_SETTING_MAP(XX)
#undef XX
        H2_SETTINGS_END = 9
};

struct h2_settings {
    uint32_t v[H2_SETTINGS_END]; /* by id */
};

void h2_settings_init(struct h2_settings *s); /* the protocol's defaults */
/* Sets one; unknown ids are ignored (6.5.2). */
const struct h2_error *h2_settings_set(struct h2_settings *s, uint16_t id, uint32_t value);
