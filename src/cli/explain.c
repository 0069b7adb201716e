/* cli/explain - `lateen explain`: the decision for one request, and why (surface.md 4). */
#include "cli/command.h"

#include "answer/explain.h"
#include "cli/fetch.h"
#include "cli/offline.h"
#include "cli/say.h"
#include "cli/shared_flags.h"

#define TEXT_MAX (64u << 20)
#define ADMIN_PORT_DEFAULT 15000

struct explain_options {
    struct flag_strs files, headers;
    struct flag_addr admin;
    struct flag_pairs labels;
    struct str namespace, mesh_config, output;
    bool dev;
};

static int usage(const char *text)
{
    say_err("lateen explain: %s\nlateen help explain says what it takes\n", text);
    return EXIT_USAGE;
}

static bool read_question(struct invocation *in, struct ask *ret)
{
    const struct explain_options *o = in->options;
    struct str method = in->args.n == 2 ? in->args.v[0] : STR("GET"), why;

    if (ask_parse(method, in->args.v[in->args.n - 1], o->headers.v, o->headers.n, in->arena, ret,
                  &why))
        return true;
    say_err("lateen explain: %.*s\n", STRF(why));
    return false;
}

static int explain_files(struct invocation *in, const struct ask *q)
{
    const struct explain_options *o = in->options;
    struct offline_options options = { .files = o->files,
                                       .labels = o->labels,
                                       .namespace = o->namespace,
                                       .mesh_config = o->mesh_config,
                                       .dev = o->dev,
                                       .command = "explain" };
    struct explanation *x;
    struct offline files;
    struct buf b;
    int code;

    if (!offline_open(&files, &options, in->arena, &code))
        return code;
    buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < files.notes.n; i++) {
        if (files.notes.v[i].severity == SEV_ERROR)
            note_print(&b, &files.notes.v[i]);
    }
    say_err_sink(buf_str(&b));
    buf_reset(&b);
    x = explain(files.root, q, in->arena);
    explain_claims(x, files.mesh);
    explain_unreached(x, &files.notes);
    if (str_eq(o->output, STR("json")))
        explain_json(x, &b);
    else
        explain_text(x, &b);
    say_out_sink(buf_str(&b));
    code = files.unparsable ? EXIT_DATA : x->is_answered ? EXIT_FINE : EXIT_FAILED;
    buf_fini(&b);
    offline_close(&files);
    return code;
}

/* ---- a running program ---- */

static void write_target(struct buf *b, const struct explain_options *o, const struct ask *q)
{
    buf_add(b, STR("/explain?method="));
    fetch_add_escaped(b, q->method);
    buf_add(b, STR("&url="));
    fetch_add_escaped(b, q->url);
    for (size_t i = 0; i < o->headers.n; i++) {
        buf_add(b, STR("&header="));
        fetch_add_escaped(b, o->headers.v[i]);
    }
    if (str_eq(o->output, STR("json")))
        buf_add(b, STR("&format=json"));
}

static struct str answered_header(const struct fetched *page)
{
    const struct header *h = headers_find_name(&page->headers, STR("x-lateen-answered"));

    return h ? h->value : STR_NONE;
}

static int explain_program(struct invocation *in, const struct ask *q)
{
    const struct explain_options *o = in->options;
    struct addr at = o->admin.is_set ? o->admin.addr
                                     : (struct addr){ 4, ADMIN_PORT_DEFAULT, { 127, 0, 0, 1 } };
    char room[ADDR_TEXT_MAX];
    struct fetched page;
    struct buf target;
    struct str why;
    bool fine;

    buf_init(&target, TEXT_MAX);
    write_target(&target, o, q);
    fine = fetch_page(&at, buf_str(&target), in->arena, &page, &why);
    buf_fini(&target);
    if (!fine) {
        say_err("lateen explain: the admin port %.*s: %.*s\n", STRF(addr_format(&at, room)),
                STRF(why));
        return EXIT_FAILED;
    }
    if (page.status != 200) {
        say_err("lateen explain: the admin port %.*s: %u: %.*s", STRF(addr_format(&at, room)),
                page.status, STRF(page.body));
        return EXIT_FAILED;
    }
    say_out_sink(page.body);
    return str_eq(answered_header(&page), STR("true")) ? EXIT_FINE : EXIT_FAILED;
}

static int explain_run(struct invocation *in)
{
    const struct explain_options *o = in->options;
    struct ask q;

    if (in->args.n == 0 || in->args.n > 2)
        return usage("wants [METHOD] URL");
    if (o->admin.is_set && o->files.n)
        return usage("-f asks files and --admin a running program: give one of them");
    if (o->admin.is_off)
        return usage("--admin off: an address is wanted");
    if (!read_question(in, &q))
        return EXIT_USAGE;
    if (o->files.n)
        return explain_files(in, &q);
    return explain_program(in, &q);
}

#define TO(member) .offset = offsetof(struct explain_options, member)

static const struct flag flags[] = {
    FLAG_FILENAME(PATHS_HELP "standard input; repeatable"),
    FLAG_ADMIN("127.0.0.1:15000 without -f", "asks the program that runs there instead of files"),
    { .name = "header",
      .letter = 'H',
      .arg = "'NAME: VALUE'",
      .type = &flag_str_list,
      TO(headers),
      .help = "a request header; Host overrides the URL's. Repeatable" },
    FLAG_OUTPUT("text", "text|json", "text for people, json for programs"),
    FLAG_AS_DEV,
    FLAG_LABELS,
    FLAG_NAMESPACE,
    FLAG_MESH_CONFIG("mesh-config"),
    { .name = "from", .arg = "NS/SA", .type = &flag_unbuilt, .help = "the workload that asks" },
};

static const struct explain_options defaults = { .dev = true };

const struct command command_explain = {
    .name = "explain",
    .summary = "the decision for one request, and why",
    .usage = "[-f PATH... | --admin ADDR:PORT] [METHOD] URL [-H 'NAME: VALUE']...",
    .about = "Says what happens to one request: listener, certificate, host, route, destinations "
             "with their shares and endpoints, and what nearly matched, each with the object, "
             "the field and file:line:col. It decides with the gateway's own functions.\n\n"
             "Exit codes: 0 a route answers it, 1 none does, 64 usage, 65 a manifest cannot be "
             "read or parsed.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct explain_options),
    .defaults = &defaults,
    .run = explain_run,
};
