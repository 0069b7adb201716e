#include "codec/regex_shim.h"

#include <cstdio>
#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>
#include <vector>

using re2::FilteredRE2;
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

static RE2::Options options_of(int64_t max_memory)
{
    RE2::Options options;

    options.set_log_errors(false);
    options.set_max_mem(max_memory);
    return options;
}

void *re2_shim_new(const char *pattern, size_t n, int64_t max_memory, char *error,
                   size_t error_size)
{
    RE2 *re = new RE2(StringPiece(pattern, n), options_of(max_memory));

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

/* RE2's filter says which patterns can still match when only some of the atoms are in the
 * text. One without which the pattern cannot is in all that it matches. */
static bool is_needed(const FilteredRE2 &filter, size_t atom, size_t atoms)
{
    std::vector<int> others, possible;

    for (size_t i = 0; i < atoms; i++) {
        if (i != atom)
            others.push_back(static_cast<int>(i));
    }
    filter.AllPotentials(others, &possible);
    return possible.empty();
}

void re2_shim_literals(const char *pattern, size_t n, int64_t max_memory,
                       void (*take)(void *arg, const char *p, size_t n), void *arg)
{
    FilteredRE2 filter(2);
    std::vector<std::string> atoms;
    int id;

    if (filter.Add(StringPiece(pattern, n), options_of(max_memory), &id) != RE2::NoError)
        return;
    filter.Compile(&atoms);
    for (size_t i = 0; i < atoms.size(); i++) {
        if (is_needed(filter, i, atoms.size()))
            take(arg, atoms[i].data(), atoms[i].size());
    }
}

void *re2_shim_set_new(const char *const *patterns, const size_t *lengths, size_t n,
                       int64_t max_memory)
{
    RE2::Set *set = new RE2::Set(options_of(max_memory), RE2::ANCHOR_BOTH);
    bool fine = n <= 64;

    for (size_t i = 0; i < n && fine; i++)
        fine = set->Add(StringPiece(patterns[i], lengths[i]), nullptr) == static_cast<int>(i);
    if (fine && set->Compile())
        return set;
    delete set;
    return nullptr;
}

void re2_shim_set_free(void *set)
{
    delete static_cast<RE2::Set *>(set);
}

int re2_shim_set_match(const void *set, const char *text, size_t n, uint64_t *ret)
{
    static thread_local std::vector<int> found; /* keeps its room */
    RE2::Set::ErrorInfo error;
    uint64_t bits = 0;

    found.clear();
    error.kind = RE2::Set::kNoError;
    if (!static_cast<const RE2::Set *>(set)->Match(StringPiece(text, n), &found, &error) &&
        error.kind != RE2::Set::kNoError)
        return 0;
    for (int i : found)
        bits |= static_cast<uint64_t>(1) << i;
    *ret = bits;
    return 1;
}
