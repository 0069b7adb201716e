#include "cli/startup.h"

#include "unit/check.h"

static struct str lines_of(struct arena *a, const char *kinds)
{
    struct note_lines l;
    struct str text;

    note_lines_init(&l);
    for (size_t i = 0; kinds[i]; i++) {
        enum severity s = kinds[i] == 'e' ? SEV_ERROR : kinds[i] == 'w' ? SEV_WARNING : SEV_INFO;

        note_lines_add(&l, s, arena_printf(a, "%c%zu\n", kinds[i], i));
    }
    text = note_lines_text(&l, a);
    note_lines_fini(&l);
    return text;
}

TEST(the_worst_notes_are_shown_first_and_the_rest_is_counted)
{
    static const struct {
        const char *kinds, *want;
    } cases[] = {
        { "", "" },
        { "iwe", "e2\nw1\n" },
        { "ii", "i0\ni1\n" },
        { "wwwwwwwwww", "w0\nw1\nw2\nw3\nw4\nw5\nw6\nw7\n... and 2 more\n" },
        { "wwwwwwwwee", "e8\ne9\nw0\nw1\nw2\nw3\nw4\nw5\n... and 2 more\n" },
    };
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        CHECK_STRZ(lines_of(&a, cases[i].kinds), cases[i].want);
    }
    arena_fini(&a);
}

/* The block of the tutorial's shape, without certificates: those need a root with keys. */
TEST(the_block_says_where_for_whom_and_what_to_paste)
{
    struct str hosts[] = { STR("mk.hedgus.com"), STR("*.x.test") };
    struct mesh_listener listeners[] = {
        { .name = STR("0.0.0.0_80"),
          .bind = { .family = 4, .ip = { 127, 0, 0, 1 } },
          .port = 8080,
          .manifest_port = 80,
          .hosts = hosts,
          .host_count = 1 },
        { .name = STR("0.0.0.0_443"),
          .bind = { .family = 4, .ip = { 127, 0, 0, 1 } },
          .port = 443,
          .manifest_port = 443,
          .is_tls = true,
          .hosts = hosts + 1,
          .host_count = 1 },
    };
    struct mesh_credential credential = {
        .name = STR("hedgus-crt"), .secret = STR(""), .hosts = hosts, .host_count = 2
    };
    struct mesh_stand_in stand_in = { STR("Deployment"), STR("hedgus"), STR("app-v1"), STR("v1"),
                                      1 };
    struct mesh_summary summary = { .listeners = listeners,
                                    .listener_count = 2,
                                    .credentials = &credential,
                                    .credential_count = 1,
                                    .stand_ins = &stand_in,
                                    .stand_in_count = 1 };
    struct run_options run = { .dev = true };
    struct root *root = root_edit_finish(root_edit_new(NULL));
    struct startup_input in = { &run, &summary, root, STR("/s/ca.pem"), 0 };
    struct arena a;

    arena_init(&a, 4096);
    CHECK_STRZ(startup_text(&in, &a),
               "  http  127.0.0.1:8080   for port 80   mk.hedgus.com\n"
               "  https 127.0.0.1:443    *.x.test\n"
               "  cert  hedgus-crt       MISSING: closed for mk.hedgus.com, *.x.test\n"
               "  plays Deployment hedgus/app-v1 (v1)\n");
    CHECK_STRZ(startup_curls(&in, &a),
               "  curl --resolve mk.hedgus.com:8080:127.0.0.1 http://mk.hedgus.com:8080/\n"
               "  curl --cacert /s/ca.pem --resolve www.x.test:443:127.0.0.1 "
               "https://www.x.test:443/\n");
    run.dev = false;
    CHECK_STRZ(startup_curls(&in, &a), "");
    arena_fini(&a);
    root_unref(root);
}
