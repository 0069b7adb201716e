/*
 * cli/compiler - the compiler thread: watches manifests, compiles them, publishes roots,
 * keeps the last good one on disk, and frees parts that nobody holds any more (design 4).
 */
#pragma once

#include "cli/portmap.h"
#include "cli/report.h"
#include "cli/run_options.h"
#include "cli/state_writer.h"
#include "model/feed.h"

struct compiler;
struct standins;
struct ca;

struct compiler_options {
    const struct run_options *run;
    struct str_map labels;  /* of --labels */
    struct str mesh_config; /* octets of --mesh-config, or STR_NONE */
    struct addr bind;       /* family 0: every address */
    struct str state_dir;
    struct str ca_path; /* of the local CA's root, shown in curl lines; --dev */
    struct keeper *keeper;
    struct standins *standins; /* NULL: none */
    struct ca *ca;             /* NULL: none */
    struct feed *feed;
    struct image_sink images;
    uint64_t rounds_before; /* of a compiler that this one replaces: its first round is the next */
    struct loop *main;      /* reports go there */
    void (*arrived)(struct report *take, void *arg);
    void *arg;
};

/* Starts the thread. Options are borrowed until compiler_stop. Each run sends a report, and
 * then, where something is new, publishes. */
struct compiler *compiler_start(const struct compiler_options *o);

/* Reads and compiles everything again; any thread. A report comes even if nothing changed. */
void compiler_rescan(struct compiler *c);

/* Ends the thread, which writes what it still has to write; then frees what was retired.
 * Workers must be gone. */
void compiler_stop(struct compiler *c);
