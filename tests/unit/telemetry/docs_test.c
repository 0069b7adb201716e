/*
 * The examples of the manual's pages are what the program prints.
 */
#include "unit/telemetry/sample.h"

#include "telemetry/telemetry.h"
#include "unit/check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static struct arena arena;

/* Build folders stand in the tree: BUILD/tests/unit/unit-telemetry. */
static int docs_open(const char *name)
{
    char exe[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    struct str dir = str_make(exe, n > 0 ? (size_t)n : 0);

    for (int up = 0; up < 4; up++)
        dir = str_sub(dir, 0, str_rfind(dir, '/'));
    snprintf(path, sizeof(path), "%.*s/docs/%s", STRF(dir), name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The page; skips the test where the build folder stands elsewhere. */
static struct str page_read(const char *name)
{
    int fd = docs_open(name);
    char *text = arena_raw(&arena, 65536);
    ssize_t n = fd < 0 ? -1 : read(fd, text, 65536);

    if (fd < 0)
        skip();
    close(fd);
    CHECK(n > 0 && n < 65536);
    return str_make(text, (size_t)n);
}

/* The fenced block behind `<!-- mark -->`, without its last newline. */
static struct str block(struct str page, const char *mark)
{
    struct str head = arena_printf(&arena, "<!-- %s -->\n```\n", mark);
    size_t at = str_find_str(page, head);
    struct str rest = str_from(page, at + head.n);

    CHECK(at < page.n);
    return str_sub(rest, 0, str_find_str(rest, STR("\n```\n")));
}

static struct str line_of(struct str format, bool json, const struct record *r)
{
    struct str err = STR_NONE;
    struct log_format *f = log_format_parse(format, json, &arena, &err);
    struct buf out;
    struct str line;

    CHECK(f != NULL);
    buf_init(&out, 65536);
    log_format_write(f, r, &out);
    line = arena_dup(&arena, str_sub(buf_str(&out), 0, out.n - 1));
    buf_fini(&out);
    return line;
}

TEST(the_manuals_log_lines_are_real)
{
    struct record r;
    struct str page;

    arena_init(&arena, 65536 * 2);
    page = page_read("access-log.md");
    sample_record(&r, &arena);
    CHECK_STR(line_of(STR_NONE, false, &r), block(page, "example: text"));
    CHECK_STR(line_of(STR_NONE, true, &r), block(page, "example: json"));
    CHECK_STR(line_of(block(page, "format"), false, &r), block(page, "example: own"));
    arena_fini(&arena);
}

/* Every name that the manual has in its table is printed, and the sample's series. */
TEST(the_manuals_metrics_are_real)
{
    struct metrics *m = metrics_new();
    struct cluster cluster;
    struct endpoint endpoint;
    struct str page, rest;
    struct record r;
    struct buf out;
    int names = 0;

    arena_init(&arena, 65536 * 2);
    buf_init(&out, 1 << 30);
    page = rest = page_read("metrics.md");
    sample_record(&r, &arena);
    cluster = *r.cluster;
    endpoint = *r.endpoint;
    cluster.label_block = metrics_block_of_cluster(&cluster);
    endpoint.label_block = metrics_block_of_endpoint(&endpoint);
    r.cluster = &cluster;
    r.endpoint = &endpoint;
    metrics_request(m, &r);
    sample_page(&out, SCRAPE_TEXT);
    CHECK(str_find_str(buf_str(&out), block(page, "example: requests")) < out.n);
    while (str_is_set(rest)) {
        struct str cell = str_cut(&rest, '\n');

        if (!str_starts(cell, STR("| `")))
            continue;
        cell = str_from(cell, 2);
        while (str_starts(cell, STR("`"))) {
            struct str name;

            cell = str_from(cell, 1);
            name = str_cut(&cell, '`');
            CASE(names++);
            CHECK(str_find_str(buf_str(&out), arena_printf(&arena, "# TYPE %.*s ", STRF(name))) <
                  out.n);
            cell = str_starts(cell, STR(", ")) ? str_from(cell, 2) : cell;
        }
    }
    CHECK(names > 30);
    buf_fini(&out);
    arena_fini(&arena);
    metrics_free(m);
}
