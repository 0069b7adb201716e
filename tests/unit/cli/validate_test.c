#include "cli/command.h"
#include "cli/file.h"
#include "cli/say.h"
#include "unit/check.h"

#include <stdlib.h>
#include <unistd.h>

static struct buf out, err;

static void out_add(struct str text)
{
    buf_add(&out, text);
}

static void err_add(struct str text)
{
    buf_add(&err, text);
}

/* `lateen validate` of one file with that content; NULL: of a file that is not there. */
static int validate(struct str octets)
{
    char path[] = "/tmp/lateen-unit-validate-XXXXXX";
    const char *argv[] = { "lateen", "validate", "-f", path };
    int fd = mkstemp(path), code;

    CHECK(fd >= 0);
    close(fd);
    if (str_is_set(octets))
        CHECK(file_write_atomic(str_of(path), octets));
    else
        unlink(path);
    buf_init(&out, 1u << 20);
    buf_init(&err, 1u << 20);
    say_out_sink = out_add;
    say_err_sink = err_add;
    code = cli_main(LEN(argv), argv);
    unlink(path);
    return code;
}

#define ROUTE                                                                                      \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"              \
    "spec: {hosts: [a.test], gateways: [g], http: [{"

TEST(validate_ends_with_the_code_of_the_worst_and_a_summary)
{
    static const struct {
        struct str octets;
        int code;
        const char *part, *summary; /* of standard output, of standard error */
    } cases[] = {
        { STR_INIT("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"), 0, "",
          "lateen validate: 1 object in 1 file: 0 errors, 0 warnings\n" },
        { STR_INIT("apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
                   "spec: {ports: [{port: abc}]}\n"),
          1, ":4:23: error: Service default/x: spec.ports[0].port: ",
          "lateen validate: 1 object in 1 file: 1 error, 0 warnings\n" },
        /* What run would refuse. */
        { STR_INIT(ROUTE "directResponse: {status: 100}}]}\n"), 1,
          "directResponse.status: no answer can have this status: write 200 to 599 [LAT0310]\n",
          "lateen validate: 1 object in 1 file: 1 error, 0 warnings\n" },
        { STR_INIT(ROUTE "directResponse: {status: 600}}]}\n"), 1, "[LAT0310]\n",
          "lateen validate: 1 object in 1 file: 1 error, 0 warnings\n" },
        { STR_INIT("a: [\n"), 65, ": error: not valid YAML",
          "lateen validate: 0 objects in 1 file: 1 error, 0 warnings\n" },
        { { NULL, 0 },
          65,
          ": error: No such file or directory",
          "lateen validate: 0 objects in 0 files: 1 error, 0 warnings\n" },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        int code = validate(cases[i].octets);

        CASE(i);
        CHECK_STRZ(buf_str(&err), cases[i].summary);
        CHECK(str_find_str(buf_str(&out), str_of(cases[i].part)) < out.n || out.n == 0);
        CHECK_EQ(code, cases[i].code);
        buf_fini(&out);
        buf_fini(&err);
    }
}
