/*
 * cli/command - a command: one const record in a file of its own, named in cli/commands.c.
 */
#pragma once

#include "cli/exit.h"
#include "cli/flags.h"

struct invocation {
    const struct command *command;
    const void *options; /* the command's own struct, defaults filled in */
    struct flag_strs args;
    const char *const *argv; /* what stands behind the command's name, ended by NULL */
    size_t argc;
    struct arena *arena; /* until the command returns */
};

struct command {
    const char *name, *alias; /* alias NULL: none */
    const char *summary;      /* one line for `lateen help` */
    const char *usage;        /* what follows "lateen NAME " */
    const char *about;        /* paragraphs, parted by \n\n; wrapped by the help */
    struct flag_table flags;
    size_t options_size;
    const void *defaults;              /* options_size octets, or NULL: zeroes */
    int (*run)(struct invocation *in); /* NULL: not built yet. Returns an exit code */
};

/* For tables in command files. */
#define FLAG_TABLE(table)                                                                          \
    {                                                                                              \
        (table), LEN(table)                                                                        \
    }

extern const struct command command_run, command_validate, command_analyze, command_explain,
    command_echo, command_version, command_help;

extern const struct command *const commands[]; /* in the order of the help */
extern const size_t command_count;

/* Commands of surface.md and istioctl's that are not built yet. */
struct unbuilt_command {
    const char *name, *summary;
};
extern const struct unbuilt_command unbuilt_commands[];
extern const size_t unbuilt_command_count;

const struct command *command_find(struct str name);                 /* NULL: none */
const struct unbuilt_command *unbuilt_command_find(struct str name); /* NULL: none */

/* "unknown command ...", with the nearest name, on stderr. */
void command_say_unknown(struct str name);

/* The whole program but for signals at exit: argv[0] is skipped. Returns the exit code. */
int cli_main(int argc, const char *const *argv);
