/*
 * proxy/admin_walk - pages that go through the snapshot, in pieces: nothing of a page stands in
 * memory but the piece under way, and no turn gets long, whatever the snapshot's size.
 */
#pragma once

#include "model/origins.h"
#include "proxy/admin_int.h"
#include "route/route.h"

struct regex;

struct admin_walk {
    struct root *root; /* a reference: the page shows one snapshot */
    /* Appends a small piece and goes on; false: that was all. */
    bool (*step)(struct admin_call *c, struct admin_walk *w);
    uint32_t section;
    slot_id at;         /* the part */
    uint32_t sub, leaf; /* within it */
    struct domain_cursor domain;
    bool opened, after_first;
    /* of /config_dump */
    struct str resource; /* ?resource=; STR_NONE: all */
    struct regex *names; /* ?name_regex=; NULL: all */
    bool with_hosts;     /* ?include_eds */
    struct origin_reader origins;
    const struct part *origins_of; /* NULL: the reader is not in use */
    uint32_t origins_at;           /* how many it has read */
};

/* Starts a page; NULL: nothing serves yet, and the page was answered. */
struct admin_walk *admin_walk_begin(struct admin_call *c,
                                    bool (*step)(struct admin_call *c, struct admin_walk *w));

/* The next part of a kind, from `at` on, which is left standing there; NULL: none is left. */
const struct part *admin_walk_part(struct admin_walk *w, enum part_kind kind);
/* A comma unless it is the first of its list. */
void admin_walk_comma(struct admin_walk *w, struct buf *out);

/* As Istio says it: 2^32 - 1 is "no limit". */
uint32_t admin_limit(uint32_t limit);
struct str admin_lb_name(const struct cluster *c); /* "ROUND_ROBIN" */
/* "circuit_breakers":{...} */
void json_add_limits(struct buf *b, const struct cluster_limits *l);
/* KEY:{"socket_address":{...}}, the key with its quotes; no family is every address, which Envoy
 * would show as [::]. */
void json_add_address(struct buf *b, const char *key, const struct addr *a, uint16_t port);
/* "key":"value", and the same led by a comma. */
void json_add_pair(struct buf *b, const char *key, struct str value);
void json_add_more(struct buf *b, const char *key, struct str value);
