/*
 * api/meta - metadata of every object.
 *
 * Source: Kubernetes ObjectMeta; what Lateen reads of it.
 */
#pragma once

#include "api/schema.h"

/* Who made the object */
struct api_owner {
    struct api_at at;
    struct str api_version;
    struct str kind;
    struct str name;
    struct str uid;
    struct opt_bool controller;
};
extern const struct api_record rec_owner;

/* Who the object is */
struct api_meta {
    struct api_at at;
    struct str name;
    struct str generate_name;
    struct str namespace;
    struct str_map labels;
    struct str_map annotations;
    struct opt_time creation_timestamp;
    struct str uid;
    struct str resource_version;
    API_LIST(struct api_owner) owner_references;
};
extern const struct api_record rec_meta;
