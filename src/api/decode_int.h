/*
 * api/decode_int - how the decoder's files speak to each other. For src/api only.
 */
#pragma once

#include "api/object.h"

struct decoder {
    struct arena *arena;
    struct notes *notes;
    struct api_object *o;
    bool proto; /* proto-JSON rules (Istio) rather than Kubernetes' */
};

/* Where a value stands: in the map `in` under `pair`, and there maybe in a list or map. */
struct seat {
    const struct node *in;
    const struct node_pair *pair;
    int64_t index;  /* -1: not in a list */
    struct str key; /* STR_NONE: not in a map */
    const struct node *value;
};

void decode_note(struct decoder *d, enum severity severity, const char *code,
                 const struct seat *seat, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* One value that is no message into `to`, of the C type that schema.h gives the type; in lists
 * and maps (`bare`) an integer is an int64_t. False: noted. */
bool decode_value(struct decoder *d, const struct api_field *f, const struct seat *seat, bool bare,
                  void *to);

/* A map into a message of `r`, defaults included. Never NULL; errors are noted. */
void *decode_message(struct decoder *d, const struct api_record *r, const struct node *map,
                     uint32_t line, uint32_t col);
/* The fields of `map` into `msg`; those in `leave` (NULL-ended) belong to somebody else. */
void decode_fields(struct decoder *d, const struct api_record *r, const struct node *map,
                   const char *const *leave, void *msg);
void decode_defaults(struct decoder *d, const struct api_record *r, void *msg);

/* Metadata and body of the object d->o, whose kind and place are set. */
void decode_object(struct decoder *d, const struct node *object);

/* A tree as few octets, in `a`. */
struct str decode_pack(struct arena *a, const struct node *n);

/* Notes that `pair` of `map` is no field of `r`. */
void decode_unknown(struct decoder *d, const struct api_record *r, const struct node *map,
                    const struct node_pair *pair);

/* Does the message have a value of its own for the field (a default is none)? */
bool api_field_is_set(const struct api_field *f, const void *msg);

/* Is `name` the snake_case spelling of `camel`? */
bool name_is_snake_of(struct str name, struct str camel);
/* The pair of a field in a map, in either spelling. */
const struct node_pair *field_pair(const struct node *map, struct str name);

/* The path of the map or list `in` within the object; false: it is not of its tree. */
bool path_of_node(const struct api_object *o, const struct node *in, struct buf *b);
void path_add_key(struct buf *b, struct str key);

/* Of `n` names the one nearest to `name`, if near enough; STR_NONE. `get` gives the i-th. */
struct str nearest_name(struct str name, size_t n, struct str (*get)(const void *from, size_t i),
                        const void *from);
/* "a string", "a list", "a number"...: what YAML makes of the node. */
const char *node_what(const struct node *n);
