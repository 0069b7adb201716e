/*
 * api/rows - the macros of the field tables. A file sets THIS to the struct it describes.
 *
 * Columns: whether the program carries the field out (YES, NOT, NOTE of api_state; flip it
 * here when a consumer is built), the C member, the JSON name, what the type needs, the doc
 * line, and then any of api_field's members by name. Each macro checks the member's C type.
 */
#pragma once

#include "api/schema.h"

#define AT(member, type)                                                                           \
    (uint16_t)(                                                                                    \
        offsetof(THIS, member) +                                                                   \
        0 * sizeof(                                                                                \
                char[__builtin_types_compatible_p(__typeof__(((THIS *)0)->member), type) ? 1       \
                                                                                         : -1]))
/* A list or map of messages: only the item type can be compared. */
#define AT_RUN(member, item)                                                                       \
    (uint16_t)(                                                                                    \
        offsetof(THIS, member) +                                                                   \
        0 * sizeof(char[__builtin_types_compatible_p(__typeof__(*((THIS *)0)->member.v), item)     \
                            ? 1                                                                    \
                            : -1]))

#define ROW(st, json, typ, shp, off, text, ...)                                                    \
    {                                                                                              \
        .name = STR_INIT(json), .type = (typ), .shape = (shp), .state = API_##st, .offset = (off), \
        .doc = (text), __VA_ARGS__                                                                 \
    }

#define BOOL(st, m, json, text, ...)                                                               \
    ROW(st, json, API_BOOL, API_ONE, AT(m, struct opt_bool), text, __VA_ARGS__)
#define INT(st, m, json, lo, hi, text, ...)                                                        \
    ROW(st, json, API_INT, API_ONE, AT(m, struct opt_int), text, .min = (lo), .max = (hi),         \
        __VA_ARGS__)
#define NUM(st, m, json, lo, hi, text, ...)                                                        \
    ROW(st, json, API_NUM, API_ONE, AT(m, struct opt_num), text, .min = (lo), .max = (hi),         \
        __VA_ARGS__)
#define STRING(st, m, json, text, ...)                                                             \
    ROW(st, json, API_STRING, API_ONE, AT(m, struct str), text, __VA_ARGS__)
#define BYTES(st, m, json, text, ...)                                                              \
    ROW(st, json, API_BYTES, API_ONE, AT(m, struct str), text, __VA_ARGS__)
#define ENUM(st, m, json, en, text, ...)                                                           \
    ROW(st, json, API_ENUM, API_ONE, AT(m, struct opt_enum), text, .enums = &(en), __VA_ARGS__)
#define DUR(st, m, json, text, ...)                                                                \
    ROW(st, json, API_DUR, API_ONE, AT(m, struct opt_dur), text, __VA_ARGS__)
#define TIME(st, m, json, text, ...)                                                               \
    ROW(st, json, API_TIME, API_ONE, AT(m, struct opt_time), text, __VA_ARGS__)
#define INT_OR_STR(st, m, json, text, ...)                                                         \
    ROW(st, json, API_PORT, API_ONE, AT(m, struct int_or_str), text, __VA_ARGS__)
#define MSG(st, m, json, type, rec, text, ...)                                                     \
    ROW(st, json, API_MSG, API_ONE, AT(m, type *), text, .record = &(rec), __VA_ARGS__)
#define TREE(st, m, json, text, ...)                                                               \
    ROW(st, json, API_TREE, API_ONE, AT(m, const struct node *), text, __VA_ARGS__)

#define STRINGS(st, m, json, text, ...)                                                            \
    ROW(st, json, API_STRING, API_LIST_OF, AT(m, struct str_list), text, __VA_ARGS__)
#define INTS(st, m, json, text, ...)                                                               \
    ROW(st, json, API_INT, API_LIST_OF, AT(m, struct int_list), text, __VA_ARGS__)
#define MSGS(st, m, json, type, rec, text, ...)                                                    \
    ROW(st, json, API_MSG, API_LIST_OF, AT_RUN(m, type), text, .record = &(rec), __VA_ARGS__)
#define STRING_MAP(st, m, json, text, ...)                                                         \
    ROW(st, json, API_STRING, API_MAP_OF, AT(m, struct str_map), text, __VA_ARGS__)
#define BYTES_MAP(st, m, json, text, ...)                                                          \
    ROW(st, json, API_BYTES, API_MAP_OF, AT(m, struct str_map), text, __VA_ARGS__)
#define INT_MAP(st, m, json, lo, hi, text, ...)                                                    \
    ROW(st, json, API_INT, API_MAP_OF, AT(m, struct int_map), text, .min = (lo), .max = (hi),      \
        __VA_ARGS__)
#define MSG_MAP(st, m, json, type, rec, text, ...)                                                 \
    ROW(st, json, API_MSG, API_MAP_OF,                                                             \
        (uint16_t)(offsetof(THIS, m) +                                                             \
                   0 * sizeof(char[__builtin_types_compatible_p(                                   \
                                       __typeof__(((THIS *)0)->m.v->value), type *)                \
                                       ? 1                                                         \
                                       : -1])),                                                    \
        text, .record = &(rec), __VA_ARGS__)
/* Kubernetes has these; nothing reads them. */
#define SKIP(json)                                                                                 \
    {                                                                                              \
        .name = STR_INIT(json), .type = API_SKIP, .state = API_NOTE                                \
    }

#define RECORD(var, text_name, table, text, ...)                                                   \
    const struct api_record var = { .name = (text_name),                                           \
                                    .size = sizeof(THIS),                                          \
                                    .fields = (table),                                             \
                                    .n = LEN(table),                                               \
                                    .doc = (text),                                                 \
                                    __VA_ARGS__ }
#define ENUM_TABLE(var, text_name, table)                                                          \
    const struct api_enum var = { .name = (text_name), .values = (table), .n = LEN(table) }

#define U32_MAX 4294967295.0
#define I32_MAX 2147483647.0
#define I32_MIN -2147483648.0
