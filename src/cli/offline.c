#include "cli/offline.h"

#include "cli/exit.h"
#include "cli/file.h"
#include "cli/named.h"
#include "cli/say.h"
#include "filter/filter.h"
#include "source/files.h"
#include "tls/issue.h"

#include <time.h>

#define MESH_CONFIG_MAX (4u << 20)
#define PEM_MAX (1u << 20)
#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)
#define LIFETIME_MS (INT64_C(90) * 24 * 3600 * 1000)

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what --dev plays ---- */

/* By name: there is no address to have. */
static bool hook_stand_in(void *arg, const struct mesh_workload *w, uint32_t replica,
                          uint16_t container_port, struct addr *ret)
{
    (void)arg;
    (void)w;
    (void)replica;
    *ret = (struct addr){ .port = container_port };
    return true;
}

static bool authority_make(struct offline *o, struct str *ret_error)
{
    struct issue_request rq = { .common_name = STR("lateen explain"),
                                .not_before_ms = wall_ms() - 60000,
                                .not_after_ms = wall_ms() + YEAR_MS,
                                .is_ca = true };
    struct buf cert, key;
    struct str why = STR_NONE;

    if (o->authority)
        return true;
    buf_init(&cert, PEM_MAX);
    buf_init(&key, PEM_MAX);
    if (issue_certificate(&rq, &cert, &key, &why))
        o->authority = tls_keypair_parse(buf_str(&cert), buf_str(&key), &why);
    if (!o->authority)
        *ret_error = arena_dup(o->arena, why);
    buf_fini(&cert);
    buf_fini(&key);
    return o->authority != NULL;
}

static bool hook_issue(void *arg, const struct mesh_certificate *c, struct arena *a,
                       struct str *ret_chain, struct str *ret_key, struct str *ret_error)
{
    struct offline *o = arg;
    struct issue_request rq = { .common_name = c->common_name,
                                .dns_names = c->dns_names,
                                .dns_name_count = c->dns_name_count,
                                .ip_names = c->ip_addresses,
                                .ip_name_count = c->ip_address_count,
                                .not_before_ms = wall_ms() - 60000,
                                .not_after_ms = wall_ms() + LIFETIME_MS };
    struct buf cert, key;
    struct str why;
    bool fine;

    if (!authority_make(o, ret_error))
        return false;
    rq.issuer = o->authority;
    buf_init(&cert, PEM_MAX);
    buf_init(&key, PEM_MAX);
    fine = issue_certificate(&rq, &cert, &key, &why);
    if (fine) {
        *ret_chain = arena_dup(a, buf_str(&cert));
        *ret_key = arena_dup(a, buf_str(&key));
    } else {
        *ret_error = arena_dup(a, why);
    }
    buf_fini(&cert);
    buf_fini(&key);
    return fine;
}

/* ---- reading and compiling ---- */

static bool note_is_of_file(const struct note *n)
{
    static const char *const codes[] = { "LAT0101", "LAT0110", "LAT0303" };

    for (size_t i = 0; n->severity == SEV_ERROR && n->code && i < LEN(codes); i++) {
        if (strcmp(n->code, codes[i]) == 0)
            return true;
    }
    return false;
}

static struct mesh *mesh_make(struct offline *o, const struct offline_options *options,
                              struct str mesh_config)
{
    struct mesh_options m = {
        .labels = o->labels.n ? &o->labels : NULL,
        .namespace = options->namespace,
        .dev = options->dev,
        .certificates = !options->dev,
        .verdicts = options->verdicts,
        .mesh_config = mesh_config,
        .mesh_config_file = options->mesh_config,
        .hooks = { .arg = o },
    };

    named_files_hooks(&m.hooks);
    if (options->dev) {
        m.hooks.stand_in = hook_stand_in;
        m.hooks.issue = hook_issue;
    }
    part_hooks.filter_parse = filter_config_parse;
    part_hooks.filter_drop = filter_config_drop;
    return mesh_new(&m);
}

static void compile(struct offline *o)
{
    const struct source_scan *scan = source_scan(o->source);
    enum mesh_verdict verdict = mesh_update(o->mesh, scan, &o->notes, &o->root);

    if (verdict != MESH_NEW) { /* nothing to serve at all */
        struct root_edit *e = root_edit_new(NULL);

        o->root = root_edit_finish(e);
    }
    o->files = scan->n;
    for (size_t i = 0; i < o->notes.n; i++)
        o->unparsable |= note_is_of_file(&o->notes.v[i]);
}

bool offline_open(struct offline *o, const struct offline_options *options, struct arena *a,
                  int *ret_code)
{
    struct str mesh_config = STR_NONE, why;

    *o = (struct offline){ .arena = a };
    *ret_code = EXIT_USAGE;
    if (options->mesh_config.n &&
        !file_read(options->mesh_config, MESH_CONFIG_MAX, a, &mesh_config, &why)) {
        say_err("lateen %s: %.*s: %.*s\n", options->command, STRF(options->mesh_config), STRF(why));
        *ret_code = EXIT_DATA;
        return false;
    }
    o->labels.v = ARENA_ARRAY(a, struct str_entry, options->labels.n + 1);
    for (size_t i = 0; i < options->labels.n; i++)
        o->labels.v[o->labels.n++] = (struct str_entry){ options->labels.v[i].key,
                                                         options->labels.v[i].value };
    notes_init(&o->notes, a);
    o->notes.max = SIZE_MAX;
    o->mesh = mesh_make(o, options, mesh_config);
    o->source = source_new(options->files.v, options->files.n, 0);
    compile(o);
    return true;
}

void offline_close(struct offline *o)
{
    root_unref(o->root);
    mesh_free(o->mesh);
    source_free(o->source);
    tls_keypair_unref(o->authority);
}
