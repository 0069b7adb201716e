/*
 * cli/shared_flags - rows of flags that several commands have, so that a flag is called, means
 * and says the same everywhere.
 *
 * For the table of a command that defines TO(member); the members are called as here.
 */
#pragma once

#include "cli/flags.h"

#define PATHS_HELP "a file, a directory (*.yaml, *.yml, *.json in it and below), or - for the "

#define FLAG_FILENAME(text)                                                                        \
    {                                                                                              \
        .name = "filename", .letter = 'f', .arg = "PATH", .type = &flag_str_list, TO(files),       \
        .help = text                                                                               \
    }
#define FLAG_LABELS                                                                                \
    {                                                                                              \
        .name = "labels", .arg = "K=V,...", .dflt = "match every selector", .type = &flag_labels,  \
        TO(labels), .help = "this gateway's labels, for Gateway selectors"                         \
    }
#define FLAG_NAMESPACE                                                                             \
    {                                                                                              \
        .name = "namespace", .letter = 'n', .arg = "NS", .type = &flag_str, TO(namespace),         \
        .help = "this gateway's own namespace; without it the namespace of the object at hand "    \
                "counts"                                                                           \
    }
/* istioctl has another name for it. */
#define FLAG_MESH_CONFIG(flag_name)                                                                \
    {                                                                                              \
        .name = flag_name, .arg = "FILE", .dflt = "Istio's defaults", .type = &flag_str,           \
        TO(mesh_config),                                                                           \
        .help = "MeshConfig YAML; also taken from a ConfigMap istio among the manifests"           \
    }
/* Of commands that look at manifests and run nothing. */
#define FLAG_AS_DEV                                                                                \
    {                                                                                              \
        .name = "dev", .dflt = "true", .type = &flag_bool, TO(dev),                                \
        .help = "as run --dev: Deployments count as endpoints, Certificates as issued. "           \
                "--dev=false as run alone"                                                         \
    }
#define FLAG_ADMIN(default_text, text)                                                             \
    {                                                                                              \
        .name = "admin", .arg = "ADDR:PORT", .dflt = default_text, .type = &flag_address,          \
        TO(admin), .help = text                                                                    \
    }
#define FLAG_OUTPUT(default_text, allowed, text)                                                   \
    {                                                                                              \
        .name = "output", .letter = 'o', .arg = "FORMAT", .dflt = default_text, .type = &flag_str, \
        TO(output), .choices = allowed, .help = text                                               \
    }
