/*
 * Each field that is carried out says what becomes of what is there when it changes, and the
 * manual says the same.
 */
#include "api/effects.h"
#include "api/meshconfig.h"

#include "unit/api/manifests_dir.h"
#include "unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DEPTH_MAX 12

static bool used[64];

static void check_leaf(struct str kind, const char *path)
{
    const struct api_effect_row *r = api_effect_of(kind, str_of(path));

    if (!r)
        fail_msg("%.*s: %s: no row of api/effects.c says what a change does", STRF(kind), path);
    used[r - api_effects] = true;
}

static void check_record(struct str kind, const struct api_record *rec, const char *path, int depth)
{
    char below[1024];

    CHECK(depth < DEPTH_MAX);
    for (size_t i = 0; i < rec->n; i++) {
        const struct api_field *f = &rec->fields[i];

        if (f->state != API_YES)
            continue;
        snprintf(below, sizeof(below), "%s%s%.*s", path, *path ? "." : "", STRF(f->name));
        if (f->type == API_MSG && f->record)
            check_record(kind, f->record, below, depth + 1);
        else
            check_leaf(kind, below);
    }
}

/* Kinds that control reads without a state for each field. */
static void check_plain(const char *kind, const char *path)
{
    check_leaf(str_of(kind), path);
}

TEST(every_field_that_is_carried_out_has_an_effect_and_every_row_a_field)
{
    static const char *const kubernetes[] = { "Endpoints",   "EndpointSlice", "Pod",   "Deployment",
                                              "StatefulSet", "DaemonSet",     "Secret" };

    memset(used, 0, sizeof(used));
    CHECK(api_effect_count <= LEN(used));
    for (size_t i = 0; i < api_kind_count; i++) {
        const struct api_kind *k = api_kinds[i];

        check_record(k->kind, k->body, k->body_key.n ? "spec" : "", 0);
    }
    check_record(STR("MeshConfig"), &rec_meshconfig, "", 0);
    for (size_t i = 0; i < LEN(kubernetes); i++)
        check_plain(kubernetes[i], "");
    check_plain("Service", "spec.ports.name");
    check_plain("Service", "spec.ports.appProtocol");
    check_plain("Service", "spec.selector");
    for (size_t i = 0; i < api_effect_count; i++) {
        if (!used[i])
            fail_msg("%s: %s: the row fits no field", api_effects[i].kind, api_effects[i].path);
    }
}

/* The table between the marks of docs/connections.md. */
TEST(the_manual_shows_the_table_of_effects)
{
    static const struct str mark = STR_INIT("<!-- effects: printed by api/effects.c -->\n");
    char page[65536];
    int fd = open(MANIFESTS_DIR "/../../docs/connections.md", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, page, sizeof(page));
    struct str text = str_make(page, n > 0 ? (size_t)n : 0), table;
    struct buf want;

    if (fd < 0)
        skip();
    close(fd);
    table = str_from(text, MIN(str_find_str(text, mark) + mark.n, text.n));
    table = str_sub(table, 0, str_find_str(table, STR("\n\n")) + 1);
    buf_init(&want, 65536);
    api_effects_print(&want);
    CHECK_STR(table, buf_str(&want));
    buf_fini(&want);
}
