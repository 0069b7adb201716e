/* cli/version - `lateen version` and `lateen --version`. */
#include "cli/command.h"

#include "cli/build_info.h"
#include "cli/say.h"

static int version_run(struct invocation *in)
{
    if (in->args.n) {
        say_err("lateen version: takes no arguments\n");
        return EXIT_USAGE;
    }
    say_out("lateen " BUILD_VERSION " (commit " BUILD_COMMIT ", " BUILD_KIND ", " BUILD_LIBRARIES
            ")\n");
    return EXIT_FINE;
}

static const struct flag flags[] = {
    { .name = "short", .type = &flag_unbuilt_switch },
    { .name = "remote", .type = &flag_unbuilt_switch },
    { .name = "output", .letter = 'o', .arg = "FORMAT", .type = &flag_unbuilt },
};

const struct command command_version = {
    .name = "version",
    .summary = "which version, commit, build and libraries",
    .usage = "",
    .about = "Prints the version, the commit it was built from (\"unknown\" outside of a git "
             "checkout), how it was built, and the libraries it was built with. The same as "
             "lateen --version.",
    .flags = FLAG_TABLE(flags),
    .run = version_run,
};
