/* cli/analyze - `lateen analyze`: what is wrong with all objects together (surface.md 4). */
#include "cli/command.h"

#include "answer/ist.h"
#include "cli/analyze_text.h"
#include "cli/offline.h"
#include "cli/say.h"
#include "cli/shared_flags.h"

#include <fnmatch.h>

struct analyze_options {
    struct flag_strs files, suppress;
    struct flag_pairs labels;
    struct str output, failure, threshold, mesh_config;
    bool verdicts, strict, use_kube, all_namespaces, dev;
};

struct analysis {
    const struct analyze_options *o;
    struct arena *arena;
    struct offline files;
    size_t by_severity[3];
    size_t verdicts[VERDICT_KINDS];
};

static enum severity threshold_of(struct str name, enum severity otherwise)
{
    for (enum severity s = SEV_ERROR; s <= SEV_INFO; s++) {
        if (str_eq_nocase(name, str_of(level_name(s))))
            return s;
    }
    return otherwise;
}

/* ---- notes ---- */

/* By either name. */
static bool has_code(const struct note *n, struct str code)
{
    const char *ist = ist_code(n);

    return (n->code && str_eq(code, str_of(n->code))) || (ist && str_eq(code, str_of(ist)));
}

/* -S CODE=PATTERN: the pattern is a shell's, over the origin. */
static bool is_suppressed(const struct analysis *an, const struct note *n)
{
    struct str origin = origin_words(an->arena, n->object);

    for (size_t i = 0; i < an->o->suppress.n; i++) {
        struct str pattern = an->o->suppress.v[i];
        struct str code = str_cut(&pattern, '=');
        const char *name = arena_dup(an->arena, origin).p;

        if (!has_code(n, code))
            continue;
        if (!str_is_set(pattern) ||
            (name && fnmatch(arena_dup(an->arena, pattern).p, name, 0) == 0))
            return true;
    }
    return false;
}

static void print_notes(struct analysis *an, struct analyze_text *t)
{
    enum severity least = threshold_of(an->o->threshold, SEV_INFO);

    for (size_t i = 0; i < an->files.notes.n; i++) {
        const struct note *n = &an->files.notes.v[i];

        if (is_suppressed(an, n))
            continue;
        an->by_severity[n->severity]++;
        if (!an->o->verdicts && n->severity <= least)
            analyze_text_note(t, n);
    }
}

struct printer {
    struct analysis *an;
    struct analyze_text *text;
};

static void print_verdict(void *arg, const struct verdict *v)
{
    struct printer *p = arg;

    p->an->verdicts[v->kind]++;
    analyze_text_verdict(p->text, v);
}

/* ---- the whole ---- */

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void say_sum(const struct analysis *an)
{
    const size_t *n = an->by_severity;

    if (an->o->verdicts) {
        say_err("lateen analyze: ");
        for (size_t i = 0; i < VERDICT_KINDS; i++)
            say_err("%s%zu %s", i ? ", " : "", an->verdicts[i],
                    verdict_kind_name((enum verdict_kind)i));
        say_err("\n");
    }
    say_err("lateen analyze: %zu error%s, %zu warning%s, %zu info%s in %zu file%s\n", n[SEV_ERROR],
            plural(n[SEV_ERROR]), n[SEV_WARNING], plural(n[SEV_WARNING]), n[SEV_INFO],
            plural(n[SEV_INFO]), an->files.files, plural(an->files.files));
}

static int exit_code(const struct analysis *an)
{
    enum severity bad = threshold_of(an->o->failure, SEV_ERROR);

    if (an->files.unparsable)
        return EXIT_DATA;
    if (an->o->strict && (an->files.notes.errors || mesh_summary(an->files.mesh)->unsupported))
        return EXIT_ISSUES;
    for (enum severity s = SEV_ERROR; s <= bad; s++) {
        if (an->by_severity[s])
            return EXIT_ISSUES;
    }
    return EXIT_FINE;
}

static void analyze_print(struct analysis *an)
{
    struct analyze_text text;
    struct printer p = { an, &text };

    analyze_text_init(&text, an->o->output, an->arena);
    print_notes(an, &text);
    if (an->o->verdicts)
        mesh_each_verdict(an->files.mesh, &an->files.notes, print_verdict, &p);
    analyze_text_end(&text);
}

static bool is_usable(const struct analyze_options *o, size_t paths)
{
    if (o->use_kube)
        say_err("lateen analyze: --use-kube: not built yet\n");
    else if (!paths)
        say_err("lateen analyze: no PATH given\nlateen help analyze says what it takes\n");
    else
        return true;
    return false;
}

static int analyze_run(struct invocation *in)
{
    const struct analyze_options *o = in->options;
    struct analysis an = { .o = o, .arena = in->arena };
    struct offline_options options = { .files = o->files,
                                       .labels = o->labels,
                                       .mesh_config = o->mesh_config,
                                       .dev = o->dev,
                                       .verdicts = true,
                                       .command = "analyze" };
    int code;

    for (size_t i = 0; i < in->args.n; i++) {
        struct flag_strs *f = &options.files;

        f->v = arena_grow(in->arena, f->v, f->n, &f->cap, sizeof(*f->v));
        f->v[f->n++] = in->args.v[i];
    }
    if (!is_usable(o, options.files.n))
        return EXIT_USAGE;
    if (!offline_open(&an.files, &options, in->arena, &code))
        return code;
    analyze_print(&an);
    say_sum(&an);
    code = exit_code(&an);
    offline_close(&an.files);
    return code;
}

#define TO(member) .offset = offsetof(struct analyze_options, member)
#define LEVELS "Info|Warning|Error"

static const struct flag flags[] = {
    FLAG_FILENAME(PATHS_HELP "standard input; repeatable"),
    { .name = "verdicts",
      .type = &flag_bool,
      TO(verdicts),
      .help = "the verdict of every field of every object: effective, overridden, shadowed, not "
              "applicable or unsupported" },
    { .name = "strict",
      .type = &flag_bool,
      TO(strict),
      .help = "any error, and any field that is not carried out, makes the exit code 79: what "
              "run --strict refuses" },
    FLAG_OUTPUT("log", "log|json|yaml",
                "log for people and editors; json and yaml for programs, messages as istioctl "
                "has them"),
    { .name = "failure-threshold",
      .arg = "LEVEL",
      .dflt = "Error",
      .type = &flag_str,
      TO(failure),
      .choices = LEVELS,
      .help = "a message of this level or worse makes the exit code 79" },
    { .name = "output-threshold",
      .arg = "LEVEL",
      .dflt = "Info",
      .type = &flag_str,
      TO(threshold),
      .choices = LEVELS,
      .help = "what is not so bad is not shown" },
    { .name = "suppress",
      .letter = 'S',
      .arg = "CODE=PATTERN",
      .type = &flag_str_list,
      TO(suppress),
      .help = "leaves messages of that code out where \"KIND NAME.NAMESPACE\" matches, as a "
              "shell does; repeatable" },
    FLAG_MESH_CONFIG("meshConfigFile"),
    FLAG_LABELS,
    FLAG_AS_DEV,
    { .name = "use-kube",
      .dflt = "false",
      .type = &flag_bool,
      TO(use_kube),
      .help = "files alone are looked at; a cluster is not built yet" },
    { .name = "all-namespaces",
      .letter = 'A',
      .type = &flag_bool,
      TO(all_namespaces),
      .help = "what it does anyway" },
    { .name = "namespace", .letter = 'n', .arg = "NS", .type = &flag_unbuilt, .help = "" },
    { .name = "list-analyzers", .letter = 'L', .type = &flag_unbuilt_switch, .help = "" },
    { .name = "analyzer", .arg = "NAME", .type = &flag_unbuilt, .help = "" },
    { .name = "revision", .letter = 'r', .arg = "REV", .type = &flag_unbuilt, .help = "" },
    { .name = "remote-contexts", .arg = "NAMES", .type = &flag_unbuilt, .help = "" },
    { .name = "timeout", .arg = "DURATION", .type = &flag_unbuilt, .help = "" },
    { .name = "ignore-unknown", .type = &flag_unbuilt_switch, .help = "" },
    { .name = "color", .type = &flag_unbuilt_switch, .help = "" },
};

static const struct analyze_options defaults = { .dev = true };

const struct command command_analyze = {
    .name = "analyze",
    .summary = "issues over all objects together",
    .usage = "[-f] PATH...",
    .about = "Compiles manifests as run does, and prints what is wrong with them together, as "
             "file:line:col: error|warning|info: text [CODE] on standard output. With "
             "--verdicts, what became of every field. The last line, on standard error, sums "
             "up.\n\n"
             "Exit codes: 0 nothing at the threshold or above, 64 usage, 65 something cannot be "
             "read or parsed, 79 issues.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct analyze_options),
    .defaults = &defaults,
    .run = analyze_run,
};
