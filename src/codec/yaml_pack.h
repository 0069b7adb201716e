/*
 * codec/yaml_pack - a tree of codec/yaml as few octets, and back.
 *
 * For trees that are kept for long and read seldom: about a thirtieth of the nodes. Everything
 * comes back, places and spellings of keys included; what aliases share is written out.
 * Reading it checks every length and number, as it is stored, too.
 */
#pragma once

#include "codec/yaml.h"

/* Appends the tree. */
void node_pack(const struct node *n, struct buf *out);

/* The tree of octets that node_pack wrote. Its texts point into them, each with a NUL behind
 * it; its nodes live in `arena`. NULL: these are none. */
struct node *node_unpack(struct arena *arena, struct str packed);
