/*
 * cli/flags - the one flag parser: a command's table in, its options struct out.
 *
 * Long flags take their value behind `=` or as the next argument, short ones attached
 * (-fPATH) or as the next argument; booleans take a value only behind `=`. `--` ends the
 * flags, `-` is a plain argument. Flags may stand before and behind plain arguments.
 */
#pragma once

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"

/* What a flag's value is and how it is read. */
struct flag_type {
    bool is_switch;     /* no value needed */
    bool is_known_only; /* named in surface.md, not built yet */
    /* Reads `value` into `target`, whose C type the flag_* below say. False: `why` has a
     * phrase that follows "--port: ". */
    bool (*parse)(struct str value, void *target, struct arena *arena, struct buf *why);
};

/* Growing lists of a repeatable flag. */
struct flag_strs {
    struct str *v;
    size_t n, cap;
};
struct flag_pair {
    struct str key, value;
};
struct flag_pairs {
    struct flag_pair *v;
    size_t n, cap;
};
struct flag_port {
    uint16_t from, to; /* to 0: any free one */
};
struct flag_ports {
    struct flag_port *v;
    size_t n, cap;
};
struct flag_addr {
    bool is_set, is_off;
    struct addr addr;
};
struct flag_on {
    bool is_set, on;
};
struct flag_ms {
    bool is_set;
    uint64_t ms;
};

extern const struct flag_type flag_bool;      /* bool */
extern const struct flag_type flag_switch;    /* struct flag_on: a bool that may be unset */
extern const struct flag_type flag_str;       /* struct str */
extern const struct flag_type flag_str_list;  /* struct flag_strs, repeatable */
extern const struct flag_type flag_labels;    /* struct flag_pairs: k=v,k=v */
extern const struct flag_type flag_port_map;  /* struct flag_ports: N=M, repeatable */
extern const struct flag_type flag_port_list; /* struct flag_ports: `to` only, repeatable */
extern const struct flag_type flag_count;     /* uint32_t, 1 to 1024 */
extern const struct flag_type flag_number;    /* uint32_t, at least 1, of any size */
extern const struct flag_type flag_size;      /* uint64_t: octets */
extern const struct flag_type flag_duration;  /* struct flag_ms */
extern const struct flag_type flag_address;   /* struct flag_addr: ADDR:PORT or off */
extern const struct flag_type flag_ip;        /* struct addr without port */
extern const struct flag_type flag_unbuilt;   /* nothing: says so, exit 64 */
extern const struct flag_type flag_unbuilt_switch;

struct flag {
    const char *name; /* without the dashes */
    char letter;      /* short form, 0: none */
    const char *arg;  /* "PATH" in the help; NULL for switches */
    const char *dflt; /* shown in the help; NULL: not shown */
    const struct flag_type *type;
    size_t offset;       /* in the command's options */
    const char *choices; /* "text|json": all values allowed; NULL: any */
    const char *help;
};

struct flag_table {
    const struct flag *v;
    size_t n;
};

enum flags_result {
    FLAGS_FINE,
    FLAGS_HELP,    /* --help or -h was met */
    FLAGS_WRONG,   /* `why` says what */
    FLAGS_UNBUILT, /* `why` says which: "--workload-certs: not built yet" */
};

/* Parses `argv` (n of them) into `options`; plain arguments are gathered in `ret_args`.
 * Values borrow from argv or live in `arena`. */
enum flags_result flags_parse(struct flag_table flags, const char *const *argv, size_t n,
                              void *options, struct arena *arena, struct flag_strs *ret_args,
                              struct buf *why);
