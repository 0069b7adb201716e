/*
 * api/schema - how a kind is described: const tables, from which the one decoder, validator,
 * defaulter and printer work, and `lateen explain-field` later.
 *
 * A message is a struct that begins with `struct api_at at`; its record lists its fields.
 * What a field's C type is follows from its api_type and shape; the row macros in
 * api/rows.h check that at compile time.
 */
#pragma once

#include "base/notes.h"
#include "codec/yaml.h"

/* Where a message stands. `node` is its map in the kept tree: the place of a leaf is found
 * through it (api_leaf_at). NULL where the message was not written. */
struct api_at {
    uint32_t line, col;
    const struct node *node;
};

/* Leaf types. `v` holds the default where `set` is false. A string that is not set is
 * STR_NONE, a message that is not set is NULL, a list or map that is not set is empty. */
struct opt_bool {
    bool v, set;
};
struct opt_int {
    int64_t v;
    bool set;
};
struct opt_num {
    double v;
    bool set;
};
struct opt_enum {
    int32_t v; /* the enum's number */
    bool set;
};
struct opt_dur {
    int64_t ns;
    bool set;
};
struct opt_time {
    int64_t unix_ms;
    bool set;
};
/* Kubernetes' IntOrString: a number where `text` is STR_NONE. */
struct int_or_str {
    int64_t v;
    struct str text;
    bool set;
};

/* All lists have this shape, all maps too; `n` is 0 where nothing is set. */
#define API_LIST(type)                                                                             \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n;                                                                                  \
    }

struct str_list {
    struct str *v;
    size_t n;
};
struct str_entry {
    struct str key, value;
};
struct str_map {
    struct str_entry *v;
    size_t n;
};
struct int_list {
    int64_t *v;
    size_t n;
};
struct int_entry {
    struct str key;
    int64_t value;
};
struct int_map {
    struct int_entry *v;
    size_t n;
};
/* struct api_entry without the type, for the tables' own use. */
#define API_MAP(type)                                                                              \
    struct {                                                                                       \
        struct {                                                                                   \
            struct str key;                                                                        \
            type *value;                                                                           \
        } * v;                                                                                     \
        size_t n;                                                                                  \
    }
struct api_entry {
    struct str key;
    void *value;
};
struct api_run {
    void *v;
    size_t n;
};

struct str api_map_get(const struct str_map *map, struct str key); /* STR_NONE: missing */

enum api_type {
    API_BOOL,   /* struct opt_bool */
    API_INT,    /* struct opt_int; in lists and maps int64_t */
    API_NUM,    /* struct opt_num */
    API_STRING, /* struct str */
    API_BYTES,  /* struct str, base64 in the manifest, octets here */
    API_ENUM,   /* struct opt_enum */
    API_DUR,    /* struct opt_dur */
    API_TIME,   /* struct opt_time */
    API_PORT,   /* struct int_or_str */
    API_MSG,    /* pointer to the message */
    API_TREE,   /* const struct node *: kept as it is */
    API_SKIP,   /* Kubernetes has it, nothing here reads it: no member */
};

enum api_shape { API_ONE, API_LIST_OF, API_MAP_OF };

/* What the program does with a field that a manifest sets. */
enum api_state {
    API_NOT,  /* not carried out yet: reported where it is set */
    API_YES,  /* carried out; on a message: look at its fields */
    API_NOTE, /* says nothing to this program (names, notes): never reported */
};

#define API_REQUIRED 0x01   /* must be written, a string not empty, a list not empty */
#define API_DEPRECATED 0x02 /* a warning where it is set; `doc` says what to use */
#define API_ANY_DUR 0x04    /* a duration below 1 ms, 0 or negative passes */
#define API_GO_DUR 0x08     /* cert-manager's duration: days pass, with a warning */
#define API_SNAKE_TOO 0x10  /* the snake_case name is in the CRD as well: no warning */

struct api_enum_value {
    struct str name;
    int32_t number;
};

struct api_enum {
    const char *name; /* "ServerTLSSettings.TLSmode" */
    const struct api_enum_value *values;
    size_t n;
};

/* Judges one string; false: `why` says what is wrong with it and what to do, in a phrase that
 * follows "path: ". */
typedef bool api_check_fn(struct str value, struct buf *why);

struct api_record;

struct api_field {
    struct str name; /* as in JSON: "perTryTimeout" */
    uint8_t type, shape, state;
    uint8_t flags;
    uint8_t group; /* of fields of which at most one may be set; 0: none */
    uint16_t offset;
    const struct api_record *record; /* API_MSG */
    const struct api_enum *enums;    /* API_ENUM */
    double min, max;                 /* API_INT, API_NUM: both 0 is no limit; lists: of items */
    const char *dflt;                /* as it would be written; NULL: none */
    api_check_fn *check;             /* each string; map: each value */
    api_check_fn *check_key;         /* map: each key */
    const char *doc;
};

struct api_record {
    const char *name; /* "HTTPRoute" */
    size_t size;
    const struct api_field *fields;
    size_t n;
    uint8_t required_group; /* of this one-of group one must be set; 0: none */
    const char *doc;
};

struct api_object;
struct api_checker;

/* One kind, in all versions that Lateen reads. */
struct api_kind {
    struct str group; /* "" for core */
    struct str kind;
    struct str versions[4]; /* preferred first; what is printed */
    bool namespaced;
    bool proto;          /* proto-JSON rules: numbers in strings, null is unset */
    struct str body_key; /* "spec", or "": the body is the object itself */
    const struct api_record *body;
    void (*validate)(struct api_checker *c, const void *body); /* beyond the tables; or NULL */
};

extern const struct api_kind *const api_kinds[];
extern const size_t api_kind_count;

/* By group and kind; NULL: unknown. */
const struct api_kind *api_kind_find(struct str group, struct str kind);

/* A field of a record by its JSON name; NULL: none. */
const struct api_field *api_field_find(const struct api_record *r, struct str name);
/* A field by a path without indexes ("http.route.weight"), from the kind's body. */
const struct api_field *api_field_by_path(const struct api_kind *k, struct str path);
