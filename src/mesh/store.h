/*
 * mesh/store - the objects there are: decoded by file, known by identity, last good kept.
 *
 * Each content of a file that was read has an arena; an object keeps the arena it lives in
 * alive, so that the last good version of a broken object outlives the file's new content.
 * Source: design 7 "Objects from files", 5.5 (last good by kind, namespace and name).
 */
#pragma once

#include "api/object.h"
#include "source/files.h"

/* The kinds that the compiler reads, in the order of their rows in store.c. */
enum object_kind {
    OBJ_GATEWAY,
    OBJ_VIRTUAL_SERVICE,
    OBJ_DESTINATION_RULE,
    OBJ_SERVICE_ENTRY,
    OBJ_WORKLOAD_ENTRY,
    OBJ_SERVICE,
    OBJ_ENDPOINTS,
    OBJ_ENDPOINT_SLICE,
    OBJ_POD,
    OBJ_DEPLOYMENT,
    OBJ_STATEFUL_SET,
    OBJ_DAEMON_SET,
    OBJ_SECRET,
    OBJ_CONFIG_MAP,
    OBJ_CERTIFICATE,
    OBJ_ISSUER,
    OBJ_CLUSTER_ISSUER,
    OBJ_OTHER, /* known to api/, not used by the compiler */
    OBJ_KINDS
};

struct object_list {
    const struct api_object **v;
    size_t n;
};

/* One identity whose serving version differs: another one, or the same decoded anew. */
struct object_change {
    enum object_kind kind;
    const struct api_object *was, *now; /* NULL: there was none; there is none */
};

enum object_kind object_kind_of(const struct api_object *o);

struct store;

/* `awake_max`: octets that objects may take which are awake, before some rest; 0: 16 MiB. */
struct store *store_new(size_t awake_max);
void store_free(struct store *s);

/* An update in two steps. The first decodes what changed in a scan ... */
void store_take(struct store *s, const struct source_scan *scan, size_t notes_max);
/* ... which came to this, before anything was served ... */
enum store_found {
    STORE_SOUND,   /* everything could be read, and all of it is sound */
    STORE_TROUBLE, /* something cannot be read or is broken: last good versions are wanted */
    STORE_NOTHING, /* nothing at all can be read: no document of no file */
};
enum store_found store_found(const struct store *s, const struct source_scan *scan);
/* ... and the second drops what is gone and finds each touched identity's version to serve. Adds
 * all notes about files and objects as they are now. */
void store_settle(struct store *s, const struct source_scan *scan, struct notes *notes);
/* Instead of the second: only what is to be said of files. */
void store_note(struct store *s, const struct source_scan *scan, struct notes *notes);

/* Between the first two steps there ever are: what `holder` held before this process, read from
 * `file`; packed. False: it is no object of a known kind. */
bool store_recall(struct store *s, struct str holder, struct str file, struct str tree);
struct objects;
const struct objects *store_objects(const struct store *s);

/* The versions to serve, oldest first (design 7): creationTimestamp, then name, then
 * namespace. Valid until the next update. */
const struct object_list *store_list(const struct store *s, enum object_kind kind);
/* What the last update changed. Versions that no longer serve are there until store_done, which
 * also puts to rest what was woken (api/object.h). */
const struct object_change *store_changes(const struct store *s, size_t *ret_n);
void store_done(struct store *s);
/* By name; NULL: none. */
const struct api_object *store_find(const struct store *s, enum object_kind kind,
                                    struct str namespace, struct str name);

/* Objects whose present version is broken and that have no good one. */
const struct object_list *store_broken(const struct store *s);

/* Puts objects to rest if very many are awake: nobody holds on to what is inside them now. */
void store_relieve(struct store *s);

/* Decoded objects, last good ones included; and what more those take that are awake now. */
struct tally;
void store_tally(const struct store *s, struct tally *ret_objects, struct tally *ret_awake);
