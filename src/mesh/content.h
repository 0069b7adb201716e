/*
 * mesh/content - one content of a file, decoded; counted, because the last good version of an
 * object outlives the content that broke it.
 */
#pragma once

#include "api/object.h"
#include "base/tally.h"

/* A file, as far as identities have to do with it. */
struct holder {
    struct str path;     /* borrowed from the file */
    size_t rank;         /* among those of the scan: the first in path order serves */
    bool keeps;          /* not all of it can be read now: what stood there stays */
    struct list staying; /* identities that stay for that reason */
    size_t stayed;       /* how many */
};

struct content {
    size_t refs;
    struct tally *all;     /* of all contents; this one is in it */
    struct holder *holder; /* of the file; outlives the last identity that stands there */
    struct arena arena;
    struct api_objects objects;
    struct str *keys; /* of the objects: "group/kind/ns/name" */
};

static inline struct content *content_ref(struct content *c)
{
    c->refs++;
    return c;
}
void content_unref(struct content *c); /* takes NULL */
