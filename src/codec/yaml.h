/*
 * codec/yaml - a manifest's octets to a tree of nodes that know their line and column.
 *
 * Pure: no I/O, no clock. YAML by libyaml's events (the parser that kubectl's reader was
 * translated from, so both take the same texts), JSON strictly by RFC 8259; what a plain scalar
 * means is decided by codec/scalar. Every limit hit, syntax error and
 * duplicate key is a note at its place. Anchors, aliases and merge keys (`<<`) are expanded into
 * the tree under the node limit. The tree lives in the arena given. Source: YAML 1.2
 * (yaml.org/spec/1.2.2), as kubectl's sigs.k8s.io/yaml reads it.
 */
#pragma once

#include "base/notes.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_SEQ };

struct node_pair;

/* Copying a node shares what it points to: an alias is such a copy. */
struct node {
    uint8_t kind; /* enum node_kind */
    bool quoted;  /* scalar: quoted, a block scalar, or tagged !!str; never a null */
    uint32_t line, col;
    uint32_t n; /* items or pairs */
    union {
        struct str text;         /* scalar; in UTF-8 */
        struct node *items;      /* sequence */
        struct node_pair *pairs; /* map, in the order of the file, no key twice */
    };
};

struct node_pair {
    struct str key; /* as kubectl makes a JSON key of it: an unquoted y is "true" */
    struct str raw; /* as it is written; differs from `key` where the type changed it */
    uint32_t line, col;
    bool quoted;
    struct node value;
};

struct yaml_limits {
    size_t octets;  /* of one file */
    size_t nodes;   /* of one file, aliases expanded */
    size_t aliased; /* of these, what aliases and merge keys add */
    uint32_t depth;
};

extern const struct yaml_limits yaml_default_limits; /* 64 MiB, 8 million, 1 million, 100 */

struct yaml_docs {
    struct node *v; /* documents that hold nothing are left out */
    size_t n;
};

/* Reads all documents of a file. False: at least one error note was added, and `ret` is
 * untouched. `json` refuses what is YAML but not JSON. NULL limits are the default ones. */
MUST_USE bool yaml_read(struct arena *arena, struct str file, struct str octets, bool json,
                        const struct yaml_limits *limits, struct notes *notes,
                        struct yaml_docs *ret);

/* What stands between two document markers, the one in front included. */
struct yaml_part {
    struct str octets; /* borrowed */
    uint32_t first_line;
};

/* The documents of a YAML file by their markers, without parsing: where one is broken the next
 * marker begins anew. One part where there are directives, which belong to what follows. */
size_t yaml_split(struct arena *arena, struct str octets, struct yaml_part **ret);

/* The pair or value of `key` in a map; NULL where it is missing or `map` is no map. */
const struct node_pair *node_pair(const struct node *map, struct str key);
const struct node *node_get(const struct node *map, struct str key);

/* A plain scalar that means null: empty, ~, null. */
bool node_is_null(const struct node *n);
