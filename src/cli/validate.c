/* cli/validate - `lateen validate`: the errors of each object alone (surface.md 4). */
#include "cli/command.h"

#include "api/object.h"
#include "cli/say.h"
#include "cli/shared_flags.h"
#include "mesh/check.h"
#include "source/files.h"

struct validate_options {
    struct flag_strs files;
};

struct validation {
    struct arena *arena;
    struct notes notes;
    const struct api_objects **files; /* those that could be parsed */
    size_t file_count, file_cap, objects;
    bool unreadable; /* something could not be read or parsed */
};

/* The mesh configuration inside a ConfigMap is checked as well. */
static void validate_configmap(struct validation *v, const struct api_object *o)
{
    if (str_eq(o->kind->kind, STR("ConfigMap")) && str_eq(o->meta->name, STR("istio")))
        (void)api_meshconfig_of(v->arena, o, &v->notes);
}

static void validate_file(struct validation *v, const struct source_file *f)
{
    struct api_objects *objects = ARENA_NEW(v->arena, struct api_objects);
    struct pos pos = { .file = f->path };

    if (str_is_set(f->error)) {
        note_add(&v->notes, SEV_ERROR, pos, "LAT0303", "cannot be read: %.*s", STRF(f->error));
        v->unreadable = true;
        return;
    }
    if (!api_load_file(v->arena, f->path, f->octets, &v->notes, objects)) {
        v->unreadable = true;
        return;
    }
    for (size_t i = 0; i < objects->n; i++) {
        check_object(objects->v[i], &v->notes);
        validate_configmap(v, objects->v[i]);
    }
    v->files = arena_grow(v->arena, v->files, v->file_count, &v->file_cap, sizeof(*v->files));
    v->files[v->file_count++] = objects;
    v->objects += objects->n;
}

static void validate_scan(struct validation *v, const struct source_scan *scan)
{
    for (size_t i = 0; i < scan->error_count; i++) {
        struct pos pos = { .file = scan->errors[i].path };

        note_add(&v->notes, SEV_ERROR, pos, NULL, "%.*s", STRF(scan->errors[i].text));
        v->unreadable = true;
    }
    for (size_t i = 0; i < scan->n; i++)
        validate_file(v, &scan->files[i]);
    api_note_unknown(v->files, v->file_count, &v->notes);
    notes_sort(&v->notes);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static int validate_say(const struct validation *v, size_t files)
{
    const struct notes *notes = &v->notes;
    struct buf b;

    buf_init(&b, 64u << 20);
    for (size_t i = 0; i < notes->n; i++)
        note_print(&b, &notes->v[i]);
    say_out_sink(buf_str(&b));
    buf_fini(&b);
    if (notes->dropped)
        say_err("lateen validate: %zu more messages are not shown\n", notes->dropped);
    say_err("lateen validate: %zu object%s in %zu file%s: %zu error%s, %zu warning%s\n", v->objects,
            plural(v->objects), files, plural(files), notes->errors, plural(notes->errors),
            notes->warnings, plural(notes->warnings));
    if (v->unreadable)
        return EXIT_DATA;
    return notes->errors ? EXIT_FAILED : EXIT_FINE;
}

static int validate_run(struct invocation *in)
{
    const struct validate_options *o = in->options;
    struct validation v = { .arena = in->arena };
    struct flag_strs paths = o->files;
    const struct source_scan *scan;
    struct source *source;
    int code;

    for (size_t i = 0; i < in->args.n; i++) {
        paths.v = arena_grow(in->arena, paths.v, paths.n, &paths.cap, sizeof(*paths.v));
        paths.v[paths.n++] = in->args.v[i];
    }
    if (paths.n == 0) {
        say_err("lateen validate: no PATH given\nlateen help validate says what it takes\n");
        return EXIT_USAGE;
    }
    notes_init(&v.notes, in->arena);
    v.notes.max = SIZE_MAX;
    source = source_new(paths.v, paths.n, 0);
    scan = source_scan(source);
    validate_scan(&v, scan);
    code = validate_say(&v, scan->n);
    source_free(source);
    return code;
}

#define TO(member) .offset = offsetof(struct validate_options, member)

static const struct flag flags[] = {
    FLAG_FILENAME(PATHS_HELP "standard input; repeatable"),
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
