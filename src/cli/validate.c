/* cli/validate - `lateen validate`: the errors of each object alone (surface.md 4). */
#include "cli/command.h"

#include "cli/say.h"

struct validate_options {
    struct flag_strs files;
};

static int validate_run(struct invocation *in)
{
    const struct validate_options *o = in->options;

    if (o->files.n + in->args.n == 0) {
        say_err("lateen validate: no PATH given\nlateen help validate says what it takes\n");
        return EXIT_USAGE;
    }
    say_err("lateen validate: not built yet\n");
    return EXIT_USAGE;
}

static const struct flag flags[] = {
    { .name = "filename",
      .letter = 'f',
      .arg = "PATH",
      .type = &flag_str_list,
      .offset = offsetof(struct validate_options, files),
      .help = "a file, a directory (*.yaml, *.yml, *.json in it and below), or - for the "
              "standard input; repeatable" },
};

const struct command command_validate = {
    .name = "validate",
    .alias = "v",
    .summary = "schema and semantic errors of each object alone",
    .usage = "[-f] PATH...",
    .about = "Reads manifests and prints what is wrong with each object by itself, as "
             "file:line:col: error|warning|info: text [CODE] on standard output. The last line, "
             "on standard error, sums up.\n\n"
             "Exit codes: 0 no error, 1 at least one error, 65 something cannot be read or "
             "parsed.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct validate_options),
    .run = validate_run,
};
