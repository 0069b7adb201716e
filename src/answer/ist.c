#include "answer/ist.h"

/* The first row that fits. `marker` stands in the text; NULL: any. */
static const struct {
    const char *code, *marker, *ist;
} rows[] = {
    { "LAT0305", "there is no Service or ServiceEntry", "IST0101" },
    { "LAT0305", "name one of its ports", "IST0112" },
    { "LAT0305", " has no port ", "IST0101" },
    { "LAT0305", "no DestinationRule", "IST0101" },
    { "LAT0305", "there is no Gateway", "IST0101" },
    { "LAT0305", "has the labels of subset", "IST0173" },
    { "LAT0305", "no service has this host", "IST0174" },
    { "LAT0304", "already has this name on port", "IST0145" },
    { "LAT0304", "and another protocol", "IST0145" },
    { "LAT0306", "a rule before it catches", "IST0130" },
    { "LAT0306", "a match before it catches", "IST0131" },
    { "LAT0306", "none of these hosts is one of the Gateway's", "IST0132" },
    { "LAT0306", "and no other Gateway does", "IST0101" },
    { "LAT0307", "there is no Secret or Certificate", "IST0101" },
    { "LAT0307", "gives no certificate", "IST0161" },
    { "LAT0307", "holds no certificate", "IST0161" },
    { "LAT0307", "has expired", "IST0161" },
    { "LAT0309", NULL, "IST0106" },
    { "LAT0310", NULL, "IST0106" },
    { "LAT0107", "is deprecated", "IST0002" },
};

static bool fits(const struct note *n, const char *code, const char *marker)
{
    return strcmp(n->code, code) == 0 &&
           (!marker || str_find_str(n->text, str_of(marker)) < n->text.n);
}

/* What a schema or a validator says of one object. */
static bool is_of_schema(const char *code)
{
    return strncmp(code, "LAT01", 5) == 0 && strcmp(code, "LAT0101") != 0 &&
           strcmp(code, "LAT0110") != 0;
}

const char *ist_code(const struct note *n)
{
    for (size_t i = 0; n->code && i < LEN(rows); i++)
        if (fits(n, rows[i].code, rows[i].marker))
            return rows[i].ist;
    if (!n->code || !n->object.n || !is_of_schema(n->code))
        return NULL;
    return n->severity == SEV_ERROR ? "IST0106" : n->severity == SEV_WARNING ? "IST0133" : NULL;
}
