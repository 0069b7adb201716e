/* cli/analyze - `lateen analyze`: what is wrong with all objects together (surface.md 4). */
#include "cli/command.h"

#include "base/jsontext.h"
#include "cli/offline.h"
#include "cli/say.h"
#include "mesh/verdict.h"

#include <fnmatch.h>

#define TEXT_MAX (256u << 20)

struct analyze_options {
    struct flag_strs files, suppress;
    struct flag_pairs labels;
    struct str output, failure, threshold, mesh_config;
    bool verdicts, use_kube, all_namespaces, dev;
};

struct analysis {
    const struct analyze_options *o;
    struct arena *arena;
    struct offline files;
    struct buf out;
    size_t shown, by_severity[3];
    size_t verdicts[VERDICT_KINDS];
};

static const char *level_of(enum severity s)
{
    static const char *const names[] = { "Error", "Warning", "Info" };

    return names[s];
}

static enum severity threshold_of(struct str name, enum severity otherwise)
{
    for (enum severity s = SEV_ERROR; s <= SEV_INFO; s++) {
        if (str_eq_nocase(name, str_of(level_of(s))))
            return s;
    }
    return otherwise;
}

/* ---- notes ---- */

/* istioctl's way: "VirtualService name.ns" of "VirtualService ns/name". */
static struct str origin_words(struct arena *a, struct str object)
{
    size_t space = str_find(object, ' '), slash = str_find(object, '/');

    if (space == object.n || slash == object.n)
        return object;
    return arena_printf(a, "%.*s %.*s.%.*s", (int)space, object.p,
                        STRF(str_from(object, slash + 1)),
                        STRF(str_sub(object, space + 1, slash - space - 1)));
}

/* -S CODE=PATTERN: the pattern is a shell's, over the origin. */
static bool is_suppressed(const struct analysis *an, const struct note *n)
{
    struct str origin = origin_words(an->arena, n->object);

    for (size_t i = 0; i < an->o->suppress.n; i++) {
        struct str pattern = an->o->suppress.v[i];
        struct str code = str_cut(&pattern, '=');
        const char *name = arena_dup(an->arena, origin).p;

        if (!n->code || !str_eq(code, str_of(n->code)))
            continue;
        if (!str_is_set(pattern) ||
            (name && fnmatch(arena_dup(an->arena, pattern).p, name, 0) == 0))
            return true;
    }
    return false;
}

static struct str message_of(const struct note *n)
{
    return n->object.n && str_starts(n->text, n->object) ? str_from(n->text, n->object.n + 2)
                                                         : n->text;
}

static void add_pair(struct buf *b, const char *before, const char *key, struct str value)
{
    buf_printf(b, "%s\"%s\":", before, key);
    json_add_string(b, value);
}

/* istioctl's JSON; in YAML the same with its strings in quotes. */
static void add_item(struct analysis *an, const struct note *n)
{
    bool yaml = str_eq(an->o->output, STR("yaml"));
    const char *next = yaml ? "\n  " : ",";
    struct str keys[] = { STR("code"),   STR("level"),     STR("message"),
                          STR("origin"), STR("reference"), STR("documentationUrl") };
    struct str values[LEN(keys)];

    values[0] = str_of(n->code ? n->code : "");
    values[1] = str_of(level_of(n->severity));
    values[2] = message_of(n);
    values[3] = origin_words(an->arena, n->object);
    values[4] = n->pos.line ? arena_printf(an->arena, "%.*s:%u", STRF(n->pos.file), n->pos.line)
                            : n->pos.file;
    values[5] = n->code ? arena_printf(an->arena, "docs/explain.md#%s", n->code) : STR("");
    buf_add(&an->out, yaml ? STR("- ") : an->shown ? STR(",\n{") : STR("\n{"));
    for (size_t i = 0; i < LEN(keys); i++) {
        if (yaml)
            buf_printf(&an->out, "%s%.*s: ", i ? next : "", STRF(keys[i]));
        else
            buf_printf(&an->out, "%s\"%.*s\":", i ? next : "", STRF(keys[i]));
        json_add_string(&an->out, values[i]);
    }
    buf_add(&an->out, yaml ? STR("\n") : STR("}"));
}

static void add_notes(struct analysis *an)
{
    enum severity least = threshold_of(an->o->threshold, SEV_INFO);
    bool log = !an->o->output.n || str_eq(an->o->output, STR("log"));

    for (size_t i = 0; i < an->files.notes.n; i++) {
        const struct note *n = &an->files.notes.v[i];

        if (is_suppressed(an, n))
            continue;
        an->by_severity[n->severity]++;
        if (n->severity > least)
            continue;
        if (log)
            note_print(&an->out, n);
        else
            add_item(an, n);
        an->shown++;
    }
}

/* ---- verdicts ---- */

static void add_verdict_json(struct analysis *an, const struct verdict *v)
{
    struct buf *b = &an->out;

    buf_add(b, an->shown++ ? STR(",\n{") : STR("\n{"));
    add_pair(b, "", "object", v->object);
    add_pair(b, ",", "field", v->path);
    add_pair(b, ",", "verdict", str_of(verdict_kind_name(v->kind)));
    add_pair(b, ",", "file", v->pos.file);
    buf_printf(b, ",\"line\":%u,\"column\":%u", v->pos.line, MAX(v->pos.col, 1));
    if (v->text.n)
        add_pair(b, ",", "reason", v->text);
    if (v->note && v->note->other.file.n) {
        add_pair(b, ",\"by\":{", "object", v->note->other_object);
        add_pair(b, ",", "file", v->note->other.file);
        buf_printf(b, ",\"line\":%u,\"column\":%u}", v->note->other.line,
                   MAX(v->note->other.col, 1));
    }
    buf_addc(b, '}');
}

static void add_verdict_line(struct analysis *an, const struct verdict *v)
{
    struct buf *b = &an->out;

    buf_printf(b, "%.*s:%u:%u: %s: %.*s", STRF(v->pos.file), v->pos.line, MAX(v->pos.col, 1),
               verdict_kind_name(v->kind), STRF(v->object));
    if (v->path.n)
        buf_printf(b, ": %.*s", STRF(v->path));
    if (v->text.n)
        buf_printf(b, ": %.*s", STRF(v->text));
    if (v->note && v->note->other.file.n)
        buf_printf(b, " (by %.*s, %.*s:%u:%u)", STRF(v->note->other_object),
                   STRF(v->note->other.file), v->note->other.line, MAX(v->note->other.col, 1));
    buf_addc(b, '\n');
}

static void add_verdict(void *arg, const struct verdict *v)
{
    struct analysis *an = arg;

    an->verdicts[v->kind]++;
    if (str_eq(an->o->output, STR("json")))
        add_verdict_json(an, v);
    else
        add_verdict_line(an, v);
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
    if (an->files.notes.dropped)
        say_err("lateen analyze: %zu more messages are not shown\n", an->files.notes.dropped);
    say_err("lateen analyze: %zu error%s, %zu warning%s, %zu info%s in %zu file%s\n", n[SEV_ERROR],
            plural(n[SEV_ERROR]), n[SEV_WARNING], plural(n[SEV_WARNING]), n[SEV_INFO],
            plural(n[SEV_INFO]), an->files.files, plural(an->files.files));
}

static int exit_code(const struct analysis *an)
{
    enum severity bad = threshold_of(an->o->failure, SEV_ERROR);

    if (an->files.unparsable)
        return EXIT_DATA;
    for (enum severity s = SEV_ERROR; s <= bad; s++) {
        if (an->by_severity[s])
            return EXIT_ISSUES;
    }
    return EXIT_FINE;
}

static void analyze_print(struct analysis *an)
{
    bool json = str_eq(an->o->output, STR("json"));

    buf_init(&an->out, TEXT_MAX);
    if (json)
        buf_addc(&an->out, '[');
    if (an->o->verdicts) {
        struct buf quiet = an->out;

        buf_init(&an->out, TEXT_MAX); /* counted, not shown */
        add_notes(an);
        buf_fini(&an->out);
        an->out = quiet;
        an->shown = 0;
        mesh_each_verdict(an->files.mesh, &an->files.notes, add_verdict, an);
    } else {
        add_notes(an);
    }
    if (json)
        buf_add(&an->out, an->shown ? STR("\n]\n") : STR("]\n"));
    else if (!an->shown && str_eq(an->o->output, STR("yaml")) && !an->o->verdicts)
        buf_add(&an->out, STR("[]\n"));
    say_out_sink(buf_str(&an->out));
    buf_fini(&an->out);
}

static bool is_usable(const struct analyze_options *o, size_t paths)
{
    if (o->use_kube)
        say_err("lateen analyze: --use-kube: not built yet\n");
    else if (o->verdicts && str_eq(o->output, STR("yaml")))
        say_err("lateen analyze: --verdicts -o yaml: not built yet\n");
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
                                       .verdicts = o->verdicts,
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
    { .name = "filename",
      .letter = 'f',
      .arg = "PATH",
      .type = &flag_str_list,
      TO(files),
      .help = "a file, a directory (*.yaml, *.yml, *.json in it and below), or - for the "
              "standard input; repeatable" },
    { .name = "verdicts",
      .type = &flag_bool,
      TO(verdicts),
      .help = "the verdict of every field of every object: effective, overridden, shadowed, not "
              "applicable or unsupported" },
    { .name = "output",
      .letter = 'o',
      .arg = "FORMAT",
      .dflt = "log",
      .type = &flag_str,
      TO(output),
      .choices = "log|json|yaml",
      .help = "log for people and editors; json and yaml as istioctl has them" },
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
    { .name = "meshConfigFile",
      .arg = "FILE",
      .dflt = "Istio's defaults",
      .type = &flag_str,
      TO(mesh_config),
      .help = "MeshConfig YAML; also taken from a ConfigMap istio among the manifests" },
    { .name = "labels",
      .arg = "K=V,...",
      .dflt = "match every selector",
      .type = &flag_labels,
      TO(labels),
      .help = "the gateway's labels, for Gateway selectors" },
    { .name = "dev",
      .dflt = "true",
      .type = &flag_bool,
      TO(dev),
      .help = "as run --dev: Deployments count as endpoints, Certificates as issued. --dev=false "
              "as run alone" },
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
