/*
 * cli/exit - the exit codes of every command (surface.md 1), as istioctl has them.
 */
#pragma once

enum exit_code {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,  /* it ran and found an error, or failed */
    EXIT_USAGE = 64,  /* the command line is wrong, or names what is not built yet */
    EXIT_DATA = 65,   /* input that cannot be parsed */
    EXIT_ISSUES = 79, /* analyze found issues at or above its threshold */
};
