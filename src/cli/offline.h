/*
 * cli/offline - manifests read and compiled once, as `lateen run` would, without opening a
 * port: what explain and analyze look at.
 *
 * With `dev` workloads count as endpoints by their names and Certificates are issued by an
 * authority made for the moment, as `run --dev` does.
 */
#pragma once

#include "cli/flags.h"
#include "mesh/mesh.h"

struct offline_options {
    struct flag_strs files;
    struct flag_pairs labels;
    struct str namespace, mesh_config;
    bool dev, verdicts;  /* `verdicts`: mesh_each_verdict will be asked */
    const char *command; /* for messages: "explain" */
};

struct offline {
    struct arena *arena;
    struct source *source;
    struct mesh *mesh;
    struct str_map labels;
    struct tls_keypair *authority;
    struct str authority_pem;
    struct notes notes; /* of all objects together, sorted */
    struct root *root;  /* a reference */
    size_t files;
    bool unparsable; /* something could not be read or parsed: exit code 65 */
};

/* False: said on stderr why not, `ret_code` is the exit code. Ended by offline_close. */
MUST_USE bool offline_open(struct offline *o, const struct offline_options *options,
                           struct arena *a, int *ret_code);
void offline_close(struct offline *o);
