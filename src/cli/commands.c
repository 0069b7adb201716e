#include "cli/command.h"

#include "cli/help.h"
#include "base/nearest.h"
#include "cli/say.h"

#define WHY_MAX 4096

const struct command *const commands[] = {
    &command_run,  &command_validate, &command_analyze, &command_explain,
    &command_echo, &command_version,  &command_help,
};
const size_t command_count = LEN(commands);

const struct unbuilt_command unbuilt_commands[] = {
    /* surface.md 4 and design 2 */
    { "test", "runs routing tests" },
    { "diff", "behavioural differences of two configurations" },
    { "describe", "all that applies to a host, service, gateway or certificate" },
    { "explain-field", "type, default, limits and consumers of a field" },
    { "schema", "JSON Schema of a kind" },
    { "export", "the compiled snapshot as an Envoy bootstrap" },
    { "certs", "every certificate served or requested" },
    { "completion", "completion for bash, zsh and fish" },
    { "proxy", "the data plane alone, fed over xDS" },
    { "control", "the control plane for Kubernetes" },
    { "inject", "adds the sidecar to manifests" },
    { "authz", "which policies decide a request" },
    /* istioctl's verbs */
    { "proxy-status", "what each proxy has acknowledged" },
    { "proxy-config", "what a proxy was configured with" },
    { "kube-inject", "adds the sidecar to manifests" },
    { "install", "installs into a cluster" },
    { "upgrade", "upgrades an installation" },
    { "uninstall", "removes an installation" },
    { "manifest", "prints the manifests of an installation" },
    { "tag", "revision tags" },
    { "waypoint", "waypoints of the ambient mode" },
    { "ztunnel-config", "what a node proxy was configured with" },
    { "create-remote-secret", "credentials for another cluster" },
    { "remote-clusters", "clusters that are watched" },
    { "dashboard", "opens a dashboard" },
    { "bug-report", "gathers what a bug report needs" },
    { "admin", "the control plane's own log levels" },
    { "x", "experimental commands" },
    { "experimental", "experimental commands" },
};
const size_t unbuilt_command_count = LEN(unbuilt_commands);

static const struct {
    const char *alias, *name;
} unbuilt_aliases[] = {
    { "ps", "proxy-status" },  { "pc", "proxy-config" },   { "d", "dashboard" },
    { "exp", "experimental" }, { "zc", "ztunnel-config" },
};

const struct command *command_find(struct str name)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];

        if (str_eq(name, str_of(c->name)) || (c->alias && str_eq(name, str_of(c->alias))))
            return c;
    }
    return NULL;
}

const struct unbuilt_command *unbuilt_command_find(struct str name)
{
    for (size_t i = 0; i < LEN(unbuilt_aliases); i++) {
        if (str_eq(name, str_of(unbuilt_aliases[i].alias)))
            name = str_of(unbuilt_aliases[i].name);
    }
    for (size_t i = 0; i < unbuilt_command_count; i++) {
        if (str_eq(name, str_of(unbuilt_commands[i].name)))
            return &unbuilt_commands[i];
    }
    return NULL;
}

void command_say_unknown(struct str name)
{
    struct nearest best = { STR_NONE, 0 };

    for (size_t i = 0; i < command_count; i++)
        nearest_offer(&best, name, str_of(commands[i]->name));
    for (size_t i = 0; i < unbuilt_command_count; i++)
        nearest_offer(&best, name, str_of(unbuilt_commands[i].name));
    if (str_is_set(best.name))
        say_err("lateen: unknown command '%.*s'; did you mean %.*s?\n", STRF(name),
                STRF(best.name));
    else
        say_err("lateen: unknown command '%.*s'; `lateen help` lists them\n", STRF(name));
}

static void say_help(const struct command *c)
{
    struct buf b;

    buf_init(&b, 1u << 20);
    help_write_command(&b, c);
    say_out_sink(buf_str(&b));
    buf_fini(&b);
}

static int command_run_parsed(const struct command *c, enum flags_result parsed,
                              struct invocation *in, struct buf *why)
{
    switch (parsed) {
    case FLAGS_FINE:
        return c->run(in);
    case FLAGS_HELP:
        say_help(c);
        return EXIT_FINE;
    case FLAGS_UNBUILT:
        say_err("lateen %s: %.*s\n", c->name, STRF(buf_str(why)));
        return EXIT_USAGE;
    case FLAGS_WRONG:
        break;
    }
    say_err("lateen %s: %.*s\nlateen help %s says what it takes\n", c->name, STRF(buf_str(why)),
            c->name);
    return EXIT_USAGE;
}

static int command_start(const struct command *c, const char *const *argv, size_t n)
{
    struct arena arena;
    struct invocation in = { .command = c, .arena = &arena, .argv = argv, .argc = n };
    struct buf why;
    void *options;
    int code;

    arena_init(&arena, 16384);
    buf_init(&why, WHY_MAX);
    options = arena_alloc(&arena, MAX(c->options_size, 1));
    if (c->defaults)
        memcpy(options, c->defaults, c->options_size);
    in.options = options;
    code = command_run_parsed(c, flags_parse(c->flags, argv, n, options, &arena, &in.args, &why),
                              &in, &why);
    buf_fini(&why);
    arena_fini(&arena);
    return code;
}

static int top_level_flag(struct str flag)
{
    if (str_eq(flag, STR("--version")))
        return command_start(&command_version, NULL, 0);
    if (str_eq(flag, STR("--help")) || str_eq(flag, STR("-h")))
        return command_start(&command_help, NULL, 0);
    say_err("lateen: unknown flag %.*s; `lateen help` lists the commands\n", STRF(flag));
    return EXIT_USAGE;
}

int cli_main(int argc, const char *const *argv)
{
    const struct unbuilt_command *unbuilt;
    const struct command *c;
    struct buf b;

    if (argc < 2) {
        buf_init(&b, 1u << 20);
        help_write_overview(&b);
        say_err_sink(buf_str(&b));
        buf_fini(&b);
        return EXIT_USAGE;
    }
    if (argv[1][0] == '-')
        return top_level_flag(str_of(argv[1]));
    c = command_find(str_of(argv[1]));
    if (c)
        return command_start(c, argv + 2, (size_t)argc - 2);
    unbuilt = unbuilt_command_find(str_of(argv[1]));
    if (unbuilt) {
        say_err("lateen %s: not built yet\n", unbuilt->name);
        return EXIT_USAGE;
    }
    command_say_unknown(str_of(argv[1]));
    return EXIT_USAGE;
}
