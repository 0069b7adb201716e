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
    OBJ_OTHER, /* known to api/, not used by the compiler */
    OBJ_KINDS
};

struct object_list {
    const struct api_object **v;
    size_t n;
};

struct store;

struct store *store_new(void);
void store_free(struct store *s);

/* Takes up a scan: decodes what changed, drops what is gone, finds each identity's version
 * to serve. Adds all notes about files and objects as they are now. */
void store_update(struct store *s, const struct source_scan *scan, struct notes *notes);

/* The versions to serve, oldest first (design 7): creationTimestamp, then name, then
 * namespace. Valid until the next update. */
const struct object_list *store_list(const struct store *s, enum object_kind kind);
/* Differs when the list holds other objects than before, in whatever way: other, decoded
 * anew, or in another order. */
uint64_t store_digest(const struct store *s, enum object_kind kind);
/* By name; NULL: none. */
const struct api_object *store_find(const struct store *s, enum object_kind kind,
                                    struct str namespace, struct str name);

/* Objects whose present version is broken and that have no good one. */
const struct object_list *store_broken(const struct store *s);

/* Puts to rest what was woken (api/object.h): nobody looks into objects until the next update. */
void store_rest(struct store *s);
