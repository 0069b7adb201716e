/*
 * api/object - objects decoded from manifests: what `source` keeps and `mesh` compiles.
 *
 * Everything of an object, its node tree and its notes' places live in the arena that
 * api_decode_file was given; nothing is freed one by one. Objects are read-only afterwards.
 * Source: design 5.2 (one description per kind), 7 (identity of objects from files).
 */
#pragma once

#include "api/meta.h"
#include "api/schema.h"
#include "base/list.h"

struct api_rest;

/* An object may be at rest (api_object_keep). Then `node` is NULL, and of metadata and body
 * only the first level is there: its scalars, strings, lists of strings and the counts of the
 * other lists and maps. api_object_wake brings the rest, api_object_rest takes it away. The
 * object, its metadata and its body keep their addresses all the time. */
struct api_object {
    const struct api_kind *kind;
    struct str api_version; /* as written */
    /* Never NULL. `namespace` is "default" where a namespaced object names none, and empty
     * for kinds without a namespace. */
    struct api_meta *meta;
    struct str file;
    uint32_t line, col;      /* where the document (or list item) begins */
    const struct node *node; /* all of the object */
    /* The typed spec: struct api_gateway, ... by kind->body; never NULL. */
    const void *body;
    struct str packed;     /* `node` as few octets (codec/yaml_pack.h) */
    uint64_t place_hash;   /* of these, so of content and places, in every process the same */
    bool broken;           /* an error was noted: only identity and places can be relied on */
    struct api_rest *rest; /* NULL: it is never at rest */
};

/* A kind that is not known: reported once per kind by api_note_unknown. */
struct api_unknown {
    struct str api_version, kind;
    struct pos pos;
};

struct api_objects {
    struct api_object **v; /* in the order of the file */
    size_t n;
    struct api_unknown *unknown;
    size_t unknown_count;
};

/* Reads one file: YAML, or JSON where the name ends in .json; many documents, `kind: List`.
 * False: the file as a whole cannot be parsed (exit code 65), and `ret` is untouched. What is
 * wrong with an object is noted, the object is returned with `broken` set; an object without
 * kind or name is noted and left out. Does not validate. */
MUST_USE bool api_decode_file(struct arena *arena, struct str file, struct str octets,
                              struct notes *notes, struct api_objects *ret);

/* Checks an object alone: limits, required fields, one-ofs, formats, and the kind's own rules
 * (istio-api.md 8, observed verdicts first). False: an error was noted and `broken` is set. */
bool api_validate(struct api_object *o, struct notes *notes);

/* Decodes and validates: what `lateen validate` and `source` call. */
MUST_USE bool api_load_file(struct arena *arena, struct str file, struct str octets,
                            struct notes *notes, struct api_objects *ret);

/* The same document by document, for a file that cannot be parsed as a whole: documents that
 * cannot are noted, and how many these are is returned; `ret` has the objects of the others. */
MUST_USE size_t api_load_parts(struct arena *arena, struct str file, struct str octets,
                               struct notes *notes, struct api_objects *ret);

/* One object by its packed tree, as it stands in `file`. False: these octets are none, or its kind
 * is not known. */
MUST_USE bool api_load_packed(struct arena *arena, struct str file, struct str packed,
                              struct notes *notes, struct api_objects *ret);

/* Notes at info level each unknown kind once, over all files of a run. */
void api_note_unknown(const struct api_objects *const *files, size_t n, struct notes *notes);

/* ---- objects that are kept for long ---- */

/* Those that are awake, and what they take. */
struct api_pool {
    struct list awake;
    size_t n, octets;
};
void api_pool_init(struct api_pool *p);

/* A copy that lives in `a` alone. It is at rest, if there is a pool and the object is not
 * broken: about a thirtieth of what it takes when awake. The pool outlives it, and it is to be
 * put to rest before `a` goes. */
struct api_object *api_object_keep(struct arena *a, const struct api_object *o,
                                   struct api_pool *pool);

/* To be called before more than the first level is read; pointers into the object and places
 * in it hold until it is put to rest. All functions here that take an object and need it awake
 * call it themselves. */
void api_object_wake(const struct api_object *o);
void api_object_rest(const struct api_object *o);
void api_pool_rest(struct api_pool *p); /* all that are awake */

/* MeshConfig: the body of ConfigMap `istio` (key `mesh`), or of a --mesh-config file. The
 * object's body is a struct api_meshconfig; its kind is api_kind_meshconfig. For a ConfigMap
 * lines count inside the file that holds it, from the line of the key. Validated. */
struct api_object *api_decode_meshconfig(struct arena *arena, struct str file, struct str octets,
                                         struct notes *notes);
struct api_object *api_meshconfig_of(struct arena *arena, const struct api_object *configmap,
                                     struct notes *notes);
/* Istio's defaults. */
struct api_object *api_meshconfig_default(struct arena *arena);
extern const struct api_kind api_kind_meshconfig;

enum api_format { API_YAML, API_JSON };

/* The object as a canonical manifest: fields in the order of the tables, only what is set. */
void api_print(const struct api_object *o, struct buf *b, enum api_format format);

/* "VirtualService ns/name", as messages begin. */
void api_object_title(const struct api_object *o, struct buf *b);

/* A place in an object: a message, one of its fields, an item of a list or a key of a map. */
struct api_spot {
    const struct api_at *at;
    const char *field; /* JSON name; NULL: the message itself */
    int64_t index;     /* -1: the field itself */
    struct str key;    /* STR_NONE: the field itself */
    bool on_key;       /* the place of the key rather than of its value */
};
#define SPOT(msg) ((struct api_spot){ &(msg)->at, NULL, -1, STR_NONE, false })
#define LEAF(msg, name) ((struct api_spot){ &(msg)->at, (name), -1, STR_NONE, false })
#define ITEM(msg, name, i) ((struct api_spot){ &(msg)->at, (name), (int64_t)(i), STR_NONE, false })
#define KEYED(msg, name, k) ((struct api_spot){ &(msg)->at, (name), -1, (k), false })
#define KEY_OF(msg, name, k) ((struct api_spot){ &(msg)->at, (name), -1, (k), true })

/* file:line:col of a spot: of the value where it is written, else of the message around it. */
struct pos api_spot_pos(const struct api_object *o, struct api_spot spot);
/* "spec.http[0].route[1].weight" */
void api_spot_path(const struct api_object *o, struct api_spot spot, struct buf *b);
/* The same with the place given. */
void api_note_at(const struct api_object *o, struct notes *notes, enum severity severity,
                 const char *code, struct pos pos, struct api_spot spot, const char *fmt,
                 va_list args);
/* A note that begins with title and path: "VirtualService ns/name: spec.x: text". */
void api_note(const struct api_object *o, struct notes *notes, enum severity severity,
              const char *code, struct api_spot spot, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* Names what overrides or shadows the place of the note added last. */
void api_note_other(struct notes *notes, const struct api_object *o, struct api_spot spot);

/* The place of a path as printed above; where a part of it is not written, of what is. */
struct pos api_pos_of(const struct api_object *o, struct str path);

/* A message that a leaf stands in, and its record. */
struct api_level {
    const struct api_record *record;
    const void *message;
};
#define API_DEPTH_MAX 16

/* A field that a manifest sets, in the order of the file's tables. */
struct api_set {
    const struct api_field *field;
    struct str path; /* valid during the call, as are the levels */
    struct pos pos;
    const struct api_level *levels; /* from the body (or metadata) to the message of the leaf */
    size_t depth;
};
typedef void api_set_fn(void *arg, const struct api_set *set);
/* Calls `fn` for labels and annotations, and for each leaf of the body that is written; a
 * message whose own state is API_NOT is given as one leaf and not looked into. */
void api_each_set_leaf(const struct api_object *o, api_set_fn *fn, void *arg);
