#include "route/rewrite.h"

#include "codec/regex.h"

/* How much of the path the match took. */
static size_t matched_length(const struct route_match *m, struct str bare)
{
    switch ((enum text_match)m->path.how) {
    case TEXT_ANY: /* a prefix "/" */
        return MIN(bare.n, 1);
    case TEXT_PREFIX:
        return MIN(bare.n, m->path.value.n);
    default:
        return bare.n;
    }
}

struct str rewrite_matched(const struct route_match *m, struct str by, struct str path,
                           struct str bare, struct arena *a)
{
    struct str rest = str_from(path, matched_length(m, bare));

    return arena_printf(a, "%.*s%.*s", STRF(by), STRF(rest));
}

struct str rewrite_path(const struct route *r, struct str path, struct str bare, struct arena *a)
{
    const struct rewrite *w = rewrite_has_path(r) ? r->extras->rewrite : NULL;
    struct str changed;

    if (!w)
        return path;
    if (!w->pattern.regex)
        return rewrite_matched(&r->match, w->text, path, bare, a);
    changed = regex_replace_all(w->pattern.regex, bare, w->text, a);
    return arena_printf(a, "%.*s%.*s", STRF(changed), STRF(str_from(path, bare.n)));
}
