/*
 * tests/unit/source/place - a temporary directory, and the ways people change files in it.
 */
#pragma once

#include "source/files.h"

struct place {
    char dir[64];
};

void place_init(struct place *p);
void place_fini(struct place *p); /* removes everything */
/* "<dir>/name" in a static buffer of four turns. */
const char *place_path(const struct place *p, const char *name);
void place_write(const struct place *p, const char *name, const char *text);   /* in place */
void place_replace(const struct place *p, const char *name, const char *text); /* temp + rename */
void place_mkdir(const struct place *p, const char *name);
void place_link(const struct place *p, const char *name, const char *target);
void place_move(const struct place *p, const char *from, const char *to);
void place_remove(const struct place *p, const char *name);
/* The source of one PATH below the place. */
struct source *place_source(const struct place *p, const char *name);
/* "name=octets name2=octets2", names below the place. */
const char *place_text(const struct place *p, const struct source_scan *scan);
