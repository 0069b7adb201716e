#include "codec/scalar.h"
#include "unit/check.h"

/* istio-api.md 8.1 and sigs.k8s.io/yaml: what kubectl makes of plain scalars. */
TEST(plain_scalars_resolve_as_kubectl_does)
{
    static const struct {
        const char *text;
        enum scalar_kind kind;
        int64_t integer; /* or truth */
        double number;
    } cases[] = {
        { "", SCALAR_NULL, 0, 0 },
        { "~", SCALAR_NULL, 0, 0 },
        { "null", SCALAR_NULL, 0, 0 },
        { "NULL", SCALAR_NULL, 0, 0 },
        { "nULL", SCALAR_STR, 0, 0 },
        { "y", SCALAR_BOOL, 1, 0 },
        { "Y", SCALAR_BOOL, 1, 0 },
        { "yes", SCALAR_BOOL, 1, 0 },
        { "On", SCALAR_BOOL, 1, 0 },
        { "TRUE", SCALAR_BOOL, 1, 0 },
        { "n", SCALAR_BOOL, 0, 0 },
        { "NO", SCALAR_BOOL, 0, 0 },
        { "off", SCALAR_BOOL, 0, 0 },
        { "False", SCALAR_BOOL, 0, 0 },
        { "yEs", SCALAR_STR, 0, 0 },
        { "tRue", SCALAR_STR, 0, 0 },
        { "0", SCALAR_INT, 0, 0 },
        { "-5", SCALAR_INT, -5, 0 },
        { "+5", SCALAR_INT, 5, 0 },
        { "0644", SCALAR_INT, 420, 0 },
        { "0120", SCALAR_INT, 80, 0 },
        { "0o120", SCALAR_INT, 80, 0 },
        { "0x50", SCALAR_INT, 80, 0 },
        { "0X5f", SCALAR_INT, 95, 0 },
        { "0b1010", SCALAR_INT, 10, 0 },
        { "-0b11", SCALAR_INT, -3, 0 },
        { "1_000", SCALAR_INT, 1000, 0 },
        { "9223372036854775807", SCALAR_INT, INT64_MAX, 0 },
        { "-9223372036854775808", SCALAR_INT, INT64_MIN, 0 },
        { "089", SCALAR_FLOAT, 0, 89 },
        { "1.5", SCALAR_FLOAT, 0, 1.5 },
        { ".5", SCALAR_FLOAT, 0, 0.5 },
        { "5.", SCALAR_FLOAT, 0, 5 },
        { "1e3", SCALAR_FLOAT, 0, 1000 },
        { "1.10", SCALAR_FLOAT, 0, 1.1 },
        { "99999999999999999999", SCALAR_FLOAT, 0, 1e20 },
        { "1e999", SCALAR_STR, 0, 0 },
        { "_1", SCALAR_STR, 0, 0 },
        { "0x", SCALAR_STR, 0, 0 },
        { "0b2", SCALAR_STR, 0, 0 },
        { "1.2.3", SCALAR_STR, 0, 0 },
        { ".", SCALAR_STR, 0, 0 },
        { "-", SCALAR_STR, 0, 0 },
        { "10.0.0.1", SCALAR_STR, 0, 0 },
        { "5s", SCALAR_STR, 0, 0 },
        { "2026-11-24T09:15:03Z", SCALAR_STR, 0, 0 },
        { "v1", SCALAR_STR, 0, 0 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct scalar s = scalar_resolve(str_of(cases[i].text));

        CASE(i);
        CHECK_EQ(s.kind, cases[i].kind);
        if (s.kind == SCALAR_INT)
            CHECK_EQ(s.integer, cases[i].integer);
        if (s.kind == SCALAR_BOOL)
            CHECK_EQ(s.truth, cases[i].integer);
        if (s.kind == SCALAR_FLOAT)
            CHECK(s.number == cases[i].number);
    }
    CHECK(scalar_resolve(STR("18446744073709551615")).big);
}

TEST(sizes_have_binary_and_decimal_units)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        { "0", 0 },
        { "1024", 1024 },
        { "64k", 64000 },
        { "64Ki", 65536 },
        { "1M", 1000000 },
        { "16Gi", 1ll << 34 },
        { "", -1 },
        { "Ki", -1 },
        { "-1", -1 },
        { "1.5Mi", -1 },
        { "18446744073709551616", -1 },
        { "18014398509481984Ki", -1 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        uint64_t n;

        CASE(i);
        CHECK_EQ(size_parse(str_of(cases[i].text), &n) ? (int64_t)n : -1, cases[i].want);
    }
}
