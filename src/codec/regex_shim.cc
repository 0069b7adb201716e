#include "codec/regex_shim.h"

#include <cstdio>
#include <re2/re2.h>
#include <string>

using re2::RE2;
using re2::StringPiece;

static const RE2 &of(const void *re)
{
    return *static_cast<const RE2 *>(re);
}

static void say(const std::string &text, char *error, size_t size)
{
    if (size)
        std::snprintf(error, size, "%s", text.c_str());
}

void *re2_shim_new(const char *pattern, size_t n, int64_t max_memory, char *error,
                   size_t error_size)
{
    RE2::Options options;

    options.set_log_errors(false);
    options.set_max_mem(max_memory);
    RE2 *re = new RE2(StringPiece(pattern, n), options);
    if (re->ok())
        return re;
    say(re->error(), error, error_size);
    delete re;
    return nullptr;
}

void re2_shim_free(void *re)
{
    delete static_cast<RE2 *>(re);
}

int re2_shim_size(const void *re)
{
    return of(re).ProgramSize();
}

int re2_shim_full(const void *re, const char *text, size_t n)
{
    return RE2::FullMatch(StringPiece(text, n), of(re));
}

int re2_shim_partial(const void *re, const char *text, size_t n)
{
    return RE2::PartialMatch(StringPiece(text, n), of(re));
}

int re2_shim_rewrite_check(const void *re, const char *rewrite, size_t n, char *error,
                           size_t error_size)
{
    std::string why;

    if (of(re).CheckRewriteString(StringPiece(rewrite, n), &why))
        return 1;
    say(why, error, error_size);
    return 0;
}

int re2_shim_replace_all(const void *re, const char *text, size_t text_n, const char *rewrite,
                         size_t rewrite_n, void (*take)(void *arg, const char *p, size_t n),
                         void *arg)
{
    std::string all(text, text_n);
    int count = RE2::GlobalReplace(&all, of(re), StringPiece(rewrite, rewrite_n));

    take(arg, all.data(), all.size());
    return count;
}
