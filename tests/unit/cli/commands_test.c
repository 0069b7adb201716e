#include "cli/command.h"

#include "cli/help.h"
#include "base/nearest.h"
#include "cli/say.h"
#include "unit/check.h"

static struct buf out, err;

static void out_add(struct str text)
{
    buf_add(&out, text);
}

static void err_add(struct str text)
{
    buf_add(&err, text);
}

static int lateen(const char *a, const char *b, const char *c)
{
    const char *argv[] = { "lateen", a, b, c };
    int argc = 1 + (a != NULL) + (b != NULL) + (c != NULL);

    buf_fini(&out);
    buf_fini(&err);
    buf_init(&out, 1u << 20);
    buf_init(&err, 1u << 20);
    say_out_sink = out_add;
    say_err_sink = err_add;
    return cli_main(argc, argv);
}

static void forget(void)
{
    buf_fini(&out);
    buf_fini(&err);
}

TEST(exit_codes_and_messages_of_the_command_line)
{
    static const struct {
        const char *a, *b, *c;
        int code;
        const char *err;
    } cases[] = {
        { "describe", NULL, NULL, 64, "lateen describe: not built yet\n" },
        { "analyze", NULL, NULL, 64,
          "lateen analyze: no PATH given\nlateen help analyze says what it takes\n" },
        { "analyze", "--analyzer", "x", 64, "lateen analyze: --analyzer: not built yet\n" },
        { "analyze", "--use-kube", "x", 64, "lateen analyze: --use-kube: not built yet\n" },
        { "ps", "--output", "json", 64, "lateen proxy-status: not built yet\n" },
        { "help", "describe", NULL, 64,
          "lateen describe: not built yet (all that applies to a host, service, gateway or "
          "certificate)\n" },
        { "anlyze", NULL, NULL, 64, "lateen: unknown command 'anlyze'; did you mean analyze?\n" },
        { "rnu", NULL, NULL, 64, "lateen: unknown command 'rnu'; did you mean run?\n" },
        { "help", "valdate", NULL, 64,
          "lateen: unknown command 'valdate'; did you mean validate?\n" },
        { "zzzzzz", NULL, NULL, 64,
          "lateen: unknown command 'zzzzzz'; `lateen help` lists them\n" },
        { "--zzz", NULL, NULL, 64,
          "lateen: unknown flag --zzz; `lateen help` lists the commands\n" },
        { "run", NULL, NULL, 64, "lateen run: -f PATH is required: the manifests to serve\n" },
        { "run", "x", NULL, 64,
          "lateen run: unexpected argument 'x'; manifests are named with -f\n" },
        { "run", "--workload-certs", NULL, 64, "lateen run: --workload-certs: not built yet\n" },
        { "run", "--workload-certs", "d", 64, "lateen run: --workload-certs: not built yet\n" },
        { "run", "-fx", "--access-log-format=%FOO%", 64,
          "lateen run: --access-log-format: access log format: operator %FOO% is not known\n" },
        { "version", "--short", NULL, 64, "lateen version: --short: not built yet\n" },
        { "run", "--prot=1=1", NULL, 64,
          "lateen run: unknown flag --prot; did you mean --port?\nlateen help run says what it "
          "takes\n" },
        { "validate", NULL, NULL, 64,
          "lateen validate: no PATH given\nlateen help validate says what it takes\n" },
        { "version", NULL, NULL, 0, "" },
        { "--version", NULL, NULL, 0, "" },
        { "--help", NULL, NULL, 0, "" },
        { "help", NULL, NULL, 0, "" },
        { "help", "run", NULL, 0, "" },
        { "run", "--help", NULL, 0, "" },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        int code = lateen(cases[i].a, cases[i].b, cases[i].c);

        CASE(i);
        CHECK_STRZ(buf_str(&err), cases[i].err);
        CHECK_EQ(code, cases[i].code);
        CHECK_EQ(out.n > 0, cases[i].code == 0);
    }
    CASE(-1);
    CHECK_EQ(lateen(NULL, NULL, NULL), 64);
    CHECK(str_starts(buf_str(&err), STR("lateen: an Istio-compatible")));
    forget();
}

TEST(version_names_commit_build_and_libraries)
{
    struct str text;

    CHECK_EQ(lateen("--version", NULL, NULL), 0);
    text = buf_str(&out);
    CHECK(str_starts(text, STR("lateen 0.1.0 (commit ")));
    CHECK(str_find_str(text, STR("OpenSSL 3.")) < text.n);
    CHECK(str_ends(text, STR(")\n")));
    forget();
}

/* The whole of one help: what is printed is part of the product. */
TEST(the_help_of_validate_reads_as_it_should)
{
    CHECK_EQ(lateen("help", "validate", NULL), 0);
    CHECK_STRZ(buf_str(&out),
               "Usage: lateen validate [-f] PATH...\n"
               "\n"
               "Reads manifests and prints what is wrong with each object by itself, as\n"
               "file:line:col: error|warning|info: text [CODE] on standard output. The last\n"
               "line, on standard error, sums up.\n"
               "\n"
               "Exit codes: 0 no error, 1 at least one error, 65 something cannot be read or\n"
               "parsed.\n"
               "\n"
               "Flags:\n"
               "  -f, --filename PATH       a file, a directory (*.yaml, *.yml, *.json in it and\n"
               "                            below), or - for the standard input; repeatable\n");
    forget();
}

TEST(no_help_is_wider_than_80_columns_and_each_flag_is_in_it)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];
        struct str rest;

        CASE(i);
        CHECK_EQ(lateen("help", c->name, NULL), 0);
        for (size_t f = 0; f < c->flags.n; f++) {
            char name[64];

            snprintf(name, sizeof(name), "--%s", c->flags.v[f].name);
            CHECK(str_find_str(buf_str(&out), str_of(name)) < out.n);
        }
        rest = buf_str(&out);
        while (str_is_set(rest)) {
            struct str line = str_cut(&rest, '\n');

            CHECK(line.n <= HELP_COLUMNS);
            CHECK(!str_ends(line, STR(" ")));
        }
    }
    forget();
}

TEST(the_nearest_name_is_near)
{
    static const struct {
        const char *typed, *want; /* NULL: none */
    } cases[] = {
        { "vaildate", "validate" },
        { "validate", "validate" },
        { "echo2", "echo" },
        { "ecoh", "echo" },
        { "rum", "run" },
        { "xyz", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct nearest best = { STR_NONE, 0 };

        CASE(i);
        for (size_t k = 0; k < command_count; k++)
            nearest_offer(&best, str_of(cases[i].typed), str_of(commands[k]->name));
        CHECK_STR(best.name, str_of(cases[i].want));
    }
}
