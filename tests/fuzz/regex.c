/*
 * tests/fuzz/regex - any octets as a pattern, a text and a rewrite: alone and in a set a pattern
 * matches the same, and the literals that are said to stand in each match do.
 *
 * Two NULs part the three.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "codec/regex.h"
#include "codec/regex_set.h"
#include "codec/url.h"

#define LITERALS 8

static void check_literals(const struct regex *r, struct str text, struct arena *a)
{
    struct str literals[LITERALS], lower = url_lower(text, a);
    uint32_t n = regex_literals(r, a, literals, LITERALS);

    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80)
            return;
    }
    MUST(n <= LITERALS);
    for (uint32_t i = 0; i < n && regex_is_full(r, text); i++)
        MUST(literals[i].n >= 2 && str_find_str(lower, literals[i]) < lower.n);
}

static void check_set(struct str pattern, const struct regex *r, struct str text)
{
    struct str two[] = { pattern, STR_INIT("a.*z") };
    struct regex_set *set = regex_set_new(two, 2);
    uint64_t found;

    if (set && regex_set_match(set, text, &found))
        MUST((found & 1) == regex_is_full(r, text));
    regex_set_free(set);
}

static void check_rewrite(const struct regex *r, struct str text, struct str rewrite,
                          struct arena *a)
{
    struct buf why;

    buf_init(&why, 65536);
    if (regex_rewrite_check(r, rewrite, &why))
        MUST(regex_replace_all(r, text, rewrite, a).n == 0 || text.n + rewrite.n > 0);
    else
        MUST(buf_str(&why).n > 0);
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str rest = str_make((const char *)octets, n), pattern = str_cut(&rest, '\0');
    struct str text = str_cut(&rest, '\0');
    struct buf why;
    struct regex *r;
    struct arena a;

    buf_init(&why, 65536);
    arena_init(&a, 4096);
    r = regex_new(pattern, &why);
    if (r) {
        MUST(!regex_is_full(r, text) || regex_is_partial(r, text));
        MUST(regex_size(r) >= 0);
        check_literals(r, text, &a);
        check_set(pattern, r, text);
        check_rewrite(r, text, rest, &a);
    } else {
        MUST(buf_str(&why).n > 0);
    }
    regex_free(r);
    arena_fini(&a);
    buf_fini(&why);
    return 0;
}
