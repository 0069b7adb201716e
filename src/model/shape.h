/*
 * model/shape - every struct of model/parts.h described once, as a table of fields.
 *
 * Image, content hash, dump and the walks of part_finish follow from it. A struct that gets
 * a field gets a row in shape.c, in order, and a new IMAGE_VERSION. (A test looks for holes, but
 * sees none where a member fits into the padding.)
 */
#pragma once

#include "model/parts.h"

enum field_kind {
    FIELD_BOOL,
    FIELD_ENUM, /* a uint8_t below `limit`, printed by `names` */
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_STR,
    FIELD_SECRET, /* a str that no dump shows */
    FIELD_ADDR,
    FIELD_SLOT,   /* a slot_id of `part_kind`; written by name, so that images are portable */
    FIELD_ORIGIN, /* an origin_id; not part of the content */
    FIELD_STRUCT, /* embedded; `of` */
    FIELD_OPTION, /* a pointer to a struct, or NULL; `of` */
    FIELD_LIST,   /* ARRAY_OF(...); `of` is the element */
    FIELD_DERIVED /* built by part_finish: neither written nor shown */
};

struct shape;

struct field {
    const char *name;
    uint8_t kind;      /* enum field_kind */
    uint8_t part_kind; /* FIELD_SLOT */
    uint8_t limit;     /* FIELD_ENUM */
    uint32_t offset, size;
    uint32_t align;
    const struct shape *of;
    const char *const *names;
};

struct shape {
    const char *name;
    uint32_t size;
    uint32_t n;
    const struct field *fields; /* an element without a name stands for the value itself */
};

/* What every ARRAY_OF looks like. */
struct __attribute__((packed, aligned(4))) list_any {
    char *v;
    uint32_t n;
};

extern const struct shape text_matcher_shape, filter_config_shape;

const struct shape *shape_of_part(enum part_kind kind);

/* Octets that any value of it takes in an image, at least; above 0. */
size_t shape_octets_min(const struct shape *s);

/* Calls `visit` for each field of `object`, of embedded structs and of list elements; a
 * struct or list before what is inside. `at` is the struct for an option that is set; one
 * that is not is left out. */
struct shape_visitor {
    void (*visit)(struct shape_visitor *v, const struct field *f, void *at);
};
void shape_walk(const struct shape *s, void *object, struct shape_visitor *v);
