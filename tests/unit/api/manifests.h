/*
 * tests/unit/api/manifests - reads manifests from text and from tests/manifests for the tests.
 */
#pragma once

#include "api/object.h"
#include "unit/check.h"

/* A file read into an arena of its own. */
struct loaded {
    struct arena *arena;
    struct notes notes;
    struct api_objects objects;
    bool parsed;
};

struct loaded load_text(const char *name, const char *text);
struct loaded load_octets(const char *name, struct str octets);
void unload(struct loaded *l);

/* All notes, one a line, sorted, without the file's name. The text lives in l's arena. */
struct str loaded_notes(struct loaded *l);

/* Calls `fn` for each manifest (.yaml, .yml, .json) of a folder of tests/manifests, by name;
 * returns how many there are. */
size_t each_manifest(const char *folder, void (*fn)(const char *path, const char *name));
/* A whole file, malloced; STR_NONE: not there. */
struct str read_whole(const char *path);
