/*
 * codec/yaml_tree - builds the node tree of codec/yaml from a reader's events. For the readers
 * of YAML and JSON in this folder only.
 *
 * Keeps the limits, finds duplicate keys, expands aliases and merge keys. Each function that
 * returns false has added an error note, and then `failed` is set.
 */
#pragma once

#include "base/map.h"
#include "codec/yaml.h"

/* One open container. */
struct tree_level {
    struct node node;     /* kind, place */
    size_t first;         /* where its items stand in `items` or `pairs` */
    struct node_pair key; /* of a map: the key whose value comes next */
    bool has_key;
    struct node merge; /* of a map: the value of its key <<; n is 0 without one */
    struct str anchor;
    size_t nodes_before; /* to know the size of what is anchored */
    uint32_t height;     /* levels below it */
};

struct tree {
    struct arena *arena;
    struct notes *notes;
    struct str file;
    struct yaml_limits limits;
    struct tree_level *levels; /* limits.depth + 1 */
    uint32_t depth;
    struct node *items; /* of all open sequences */
    size_t item_count, item_cap;
    struct node_pair *pairs; /* of all open maps */
    size_t pair_count, pair_cap;
    struct map anchors;
    size_t nodes, aliased;
    struct node *docs;
    size_t doc_count, doc_cap;
    struct node root;
    bool has_root;
    bool failed;
};

void tree_init(struct tree *t, struct arena *arena, struct notes *notes, struct str file,
               const struct yaml_limits *limits);
void tree_fini(struct tree *t);

bool tree_fail(struct tree *t, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* `n` has text, place and `quoted`; `anchor` is STR_NONE without one. Texts are kept, not
 * copied. A scalar or container becomes a key where one is due. */
bool tree_scalar(struct tree *t, struct node n, struct str anchor);
bool tree_alias(struct tree *t, struct node place, struct str name);
bool tree_open(struct tree *t, struct node place, enum node_kind kind, struct str anchor);
bool tree_close(struct tree *t);
void tree_document_end(struct tree *t);

/* Reads one JSON text (RFC 8259) into t. */
bool json_read(struct tree *t, struct str octets);
