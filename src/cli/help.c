#include "cli/help.h"

#include "cli/command.h"
#include "cli/say.h"

#define HELP_MAX (1u << 20)
#define FLAG_INDENT 6  /* of long flags: behind "  -f, " */
#define TEXT_INDENT 28 /* of what a flag does */

static void pad(struct buf *b, size_t n)
{
    while (n-- > 0)
        buf_addc(b, ' ');
}

void help_wrap(struct buf *b, struct str text, size_t at, size_t indent)
{
    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n');
        bool first = true;

        while (str_is_set(line)) {
            struct str word = str_cut(&line, ' ');

            if (word.n == 0)
                continue;
            if (!first && at + 1 + word.n > HELP_COLUMNS) {
                buf_addc(b, '\n');
                at = 0;
            } else if (!first) {
                buf_addc(b, ' ');
                at++;
            }
            if (at < indent) {
                pad(b, indent - at);
                at = indent;
            }
            buf_add(b, word);
            at += word.n;
            first = false;
        }
        buf_addc(b, '\n');
        at = 0;
    }
}

static void write_names(struct buf *b, struct str names)
{
    buf_add(b, STR("\nNot built yet: "));
    help_wrap(b, names, 15, 2);
}

static void write_unbuilt_commands(struct buf *b)
{
    struct buf names;

    buf_init(&names, HELP_MAX);
    for (size_t i = 0; i < unbuilt_command_count; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", unbuilt_commands[i].name);
    write_names(b, buf_str(&names));
    buf_fini(&names);
}

void help_write_overview(struct buf *b)
{
    buf_add(b, STR("lateen: an Istio-compatible ingress gateway and mesh\n\n"
                   "Usage: lateen COMMAND [flags] [args]\n\nCommands:\n"));
    for (size_t i = 0; i < command_count; i++) {
        size_t from = b->n;

        buf_printf(b, "  %-11s", commands[i]->name);
        help_wrap(b, str_of(commands[i]->summary), b->n - from, 13);
    }
    write_unbuilt_commands(b);
    buf_add(b, STR("\nlateen help COMMAND says more; lateen --version says which build this is.\n"
                   "Start here: lateen run --dev -f examples/tutorial\n"));
}

static void write_flag(struct buf *b, const struct flag *f)
{
    size_t from = b->n;

    if (f->letter)
        buf_printf(b, "  -%c, ", f->letter);
    else
        pad(b, FLAG_INDENT);
    buf_printf(b, "--%s", f->name);
    if (f->choices)
        buf_printf(b, " %s", f->choices);
    else if (f->arg)
        buf_printf(b, " %s", f->arg);
    if (b->n - from + 2 > TEXT_INDENT) {
        buf_addc(b, '\n');
        from = b->n;
    } else {
        buf_addc(b, ' ');
    }
    if (f->dflt) {
        struct buf text;

        buf_init(&text, HELP_MAX);
        buf_printf(&text, "%s (default: %s)", f->help, f->dflt);
        help_wrap(b, buf_str(&text), b->n - from, TEXT_INDENT);
        buf_fini(&text);
    } else {
        help_wrap(b, str_of(f->help), b->n - from, TEXT_INDENT);
    }
}

static void write_unbuilt_flags(struct buf *b, struct flag_table flags)
{
    struct buf names;

    buf_init(&names, HELP_MAX);
    for (size_t i = 0; i < flags.n; i++) {
        if (flags.v[i].type->is_known_only)
            buf_printf(&names, "%s--%s", names.n ? ", " : "", flags.v[i].name);
    }
    if (names.n)
        write_names(b, buf_str(&names));
    buf_fini(&names);
}

void help_write_command(struct buf *b, const struct command *c)
{
    size_t from = b->n;

    buf_printf(b, "Usage: lateen %s", c->name);
    if (c->usage[0]) {
        buf_addc(b, ' ');
        help_wrap(b, str_of(c->usage), b->n - from, 7);
    } else {
        buf_addc(b, '\n');
    }
    buf_addc(b, '\n');
    help_wrap(b, str_of(c->about), 0, 0);
    if (c->flags.n)
        buf_add(b, STR("\nFlags:\n"));
    for (size_t i = 0; i < c->flags.n; i++) {
        if (!c->flags.v[i].type->is_known_only)
            write_flag(b, &c->flags.v[i]);
    }
    write_unbuilt_flags(b, c->flags);
}

/* ---- lateen help ---- */

static int help_run(struct invocation *in)
{
    const struct command *c = NULL;
    struct buf b;

    if (in->args.n > 0) {
        const struct unbuilt_command *u = unbuilt_command_find(in->args.v[0]);

        if (u) {
            say_err("lateen %s: not built yet (%s)\n", u->name, u->summary);
            return EXIT_USAGE;
        }
        c = command_find(in->args.v[0]);
        if (!c) {
            command_say_unknown(in->args.v[0]);
            return EXIT_USAGE;
        }
    }
    buf_init(&b, HELP_MAX);
    if (c)
        help_write_command(&b, c);
    else
        help_write_overview(&b);
    say_out_sink(buf_str(&b));
    buf_fini(&b);
    return EXIT_FINE;
}

const struct command command_help = {
    .name = "help",
    .summary = "what the commands are, and what each takes",
    .usage = "[COMMAND]",
    .about = "Prints the list of commands, or what one of them takes.",
    .run = help_run,
};
