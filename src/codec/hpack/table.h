/*
 * codec/hpack/table - the static and the dynamic table. Source: RFC 7541, 2.3, 4, appendix A.
 *
 * A dynamic table takes memory as it fills and has it until hpack_table_clear, _fit or _fini; its
 * size is bounded by `max`. Indexes are the protocol's: 1 to 61 the
 * static table, from 62 on the newest entry first.
 */
#pragma once

#include "codec/header.h"

#define HPACK_STATIC 61
#define HPACK_ENTRY_COST 32 /* 4.1 */

/* Where the static table has pseudo-headers: the first entry of each name. */
enum hpack_pseudo {
    HPACK_NO_PSEUDO,
    HPACK_AUTHORITY = 1,
    HPACK_METHOD = 2,
    HPACK_PATH = 4,
    HPACK_SCHEME = 6,
    HPACK_STATUS = 8,
};

struct hpack_field {
    uint16_t id; /* enum header_id */
    struct str name, value;
    uint8_t
        pseudo; /* enum hpack_pseudo, for whoever writes a known one: its name need not be found */
};

struct hpack_entry {
    uint32_t at; /* of name and value in the octets */
    uint32_t name_n, value_n;
    uint32_t hash, before; /* a searched table: of both, and the one before it in its bucket */
    uint16_t id;
};

#define HPACK_BUCKETS 32

struct hpack_table {
    size_t max;                  /* what the size may be set to */
    size_t size;                 /* what it is set to: at most `max` */
    size_t used;                 /* 4.1 */
    struct hpack_entry *entries; /* a ring */
    uint32_t entry_cap, first, n;
    uint32_t added; /* entries so far; the newest has this number, the next one more */
    char *octets;   /* the entries' octets in order, oldest first */
    size_t octet_cap, begin, end;
    bool is_searched; /* an encoder's */
    uint32_t *newest; /* HPACK_BUCKETS, by hash: the number of the newest entry */
};

/* `is_searched`: hpack_table_find will be used. */
void hpack_table_init(struct hpack_table *t, size_t max, bool is_searched);
void hpack_table_fini(struct hpack_table *t);
/* Empties it and gives its memory back; it can be used on. */
void hpack_table_clear(struct hpack_table *t);
/* Gives back memory beyond what the entries need: for a connection at rest. */
void hpack_table_fit(struct hpack_table *t);
/* The memory it has taken. */
size_t hpack_table_octets(const struct hpack_table *t);
/* Sets the size, which is at most `max`, and drops entries that no longer fit. */
void hpack_table_resize(struct hpack_table *t, size_t size);
/* Adds an entry; one larger than the table empties it (4.4). name and value must not point
 * into the table. */
void hpack_table_add(struct hpack_table *t, const struct hpack_field *field);
/* The field of an index; borrowed until the table changes. False: there is none. */
MUST_USE bool hpack_table_get(const struct hpack_table *t, uint64_t index, struct hpack_field *ret);

/* The index of a field with that name and value, or 0: of the static table, which also has
 * `ret_name`, an index with that name, or 0; and of what was added. */
uint32_t hpack_static_find(const struct hpack_field *field, uint32_t *ret_name);
uint32_t hpack_table_find(const struct hpack_table *t, const struct hpack_field *field);
