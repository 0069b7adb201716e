/*
 * tests/fuzz/url - any octets as a request target and as an authority: the normal form is
 * its own normal form, and holds nothing that it promises to remove.
 */
#include "fuzz.h"

#include "codec/url.h"

static void check_base(struct str got)
{
    struct str path, query;

    url_path_split(got, &path, &query);
    MUST(path.n && path.p[0] == '/');
    MUST(str_find(got, '#') == got.n);
    MUST(str_find(path, '\\') == path.n);
    while (str_is_set(path)) {
        struct str segment = str_cut(&path, '/');

        MUST(!str_eq(segment, STR(".")) && !str_eq(segment, STR("..")));
        MUST(!str_starts(segment, STR("..;")));
    }
}

static void check_path(struct str in)
{
    for (int how = URL_NONE; how <= URL_DECODE_AND_MERGE_SLASHES; how++) {
        struct str got, again;
        struct arena a;

        arena_init(&a, 4096);
        if (url_path_normalize(in, (enum url_normalize)how, &a, &got)) {
            MUST(url_path_normalize(got, (enum url_normalize)how, &a, &again));
            MUST(str_eq(got, again));
            if (how != URL_NONE)
                check_base(got);
        }
        arena_fini(&a);
    }
}

static void check_authority(struct str in)
{
    struct url_authority got;
    struct arena a;

    MUST(url_host_of(in).n <= in.n);
    if (!url_authority_parse(in, &got))
        return;
    MUST(url_authority_is_valid(in) && got.host.n > 0 && got.port <= UINT16_MAX);
    arena_init(&a, 256);
    MUST(str_eq_nocase(url_lower(in, &a), in));
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);

    check_path(in);
    check_authority(in);
    return 0;
}
