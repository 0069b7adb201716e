#include "unit/check.h"

#include <stdlib.h>

static struct CMUnitTest *tests;
static size_t test_count;
int check_case = -1;

void check_register(const char *name, void (*run)(void **state))
{
    tests = realloc(tests, (test_count + 1) * sizeof(*tests));
    tests[test_count++] = (struct CMUnitTest){ .name = name, .test_func = run };
}

void check_failed(const char *file, int line, const char *what)
{
    if (check_case >= 0)
        print_error("row %d: ", check_case);
    print_error("%s\n", what);
    _fail(file, line);
}

void check_eq(int64_t got, int64_t want, const char *what, const char *file, int line)
{
    char text[512];

    if (got == want)
        return;
    snprintf(text, sizeof(text), "%s is %lld, want %lld", what, (long long)got, (long long)want);
    check_failed(file, line, text);
}

void check_str(struct str got, struct str want, const char *what, const char *file, int line)
{
    char text[4096];

    if (str_eq(got, want))
        return;
    snprintf(text, sizeof(text), "%s is \"%.*s\", want \"%.*s\"", what, STRF(got), STRF(want));
    check_failed(file, line, text);
}

static int before_each(void **state)
{
    (void)state;
    check_case = -1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    for (size_t i = 0; i < test_count; i++)
        tests[i].setup_func = before_each;
    return _cmocka_run_group_tests("unit", tests, test_count, NULL, NULL);
}
