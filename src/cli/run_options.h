/*
 * cli/run_options - what `lateen run` was asked for (surface.md 2), as parsed.
 */
#pragma once

#include "cli/flags.h"

struct run_options {
    struct flag_strs files;
    bool watch, dev, strict;
    struct flag_on supervise;
    struct flag_ports ports;
    struct addr bind;
    struct flag_pairs labels;
    struct str namespace;
    uint32_t workers;                 /* 0: as many as CPUs are allowed */
    uint32_t connections_per_address; /* 0: no limit */
    uint64_t memory_limit;            /* octets; 0: the control group's */
    struct str state;
    struct str mesh_config;
    struct flag_addr admin, health, metrics;
    struct str access_log, access_log_format;
    struct flag_ms drain_min, drain;
    struct str log_level, log_format;
};
