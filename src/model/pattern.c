#include "model/pattern.h"

#include "codec/regex.h"

bool pattern_build(struct text_matcher *m, struct arena *a, struct str *reterr)
{
    struct buf error;

    buf_init(&error, 4096);
    m->regex = regex_new(m->value, &error);
    if (!m->regex)
        *reterr = arena_dup(a, buf_str(&error));
    buf_fini(&error);
    return m->regex != NULL;
}

void pattern_drop(struct text_matcher *m)
{
    regex_free(m->regex);
    m->regex = NULL;
}

bool pattern_matches(const struct regex *regex, struct str text)
{
    return regex_is_full(regex, text);
}
