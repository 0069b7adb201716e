#include "unit/route/naive_regex.h"

#include "base/must.h"

/* Walks the pattern once for all places of the text: bit i stands for "i octets are eaten". */
struct walk {
    struct str pattern, text;
    size_t at; /* in the pattern */
    bool nocase;
};

/* Octets of the UTF-8 sequence at `i` (of two or three octets at most); 0: none. */
static size_t rune_at(struct str text, size_t i)
{
    unsigned char c = (unsigned char)text.p[i];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe1 && c < 0xed ? 3 : 0;

    for (size_t k = 1; k < n; k++) {
        if (i + k >= text.n || ((unsigned char)text.p[i + k] & 0xc0) != 0x80)
            return 0;
    }
    return i + n <= text.n ? n : 0;
}

static bool is_kelvin(struct str text, size_t i)
{
    return text.n - i >= 3 && memcmp(text.p + i, "\xe2\x84\xaa", 3) == 0;
}

static char fold(const struct walk *w, char c)
{
    return w->nocase && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Octets that the literal `c` eats at `i`. */
static size_t literal_at(const struct walk *w, char c, size_t i)
{
    if (fold(w, w->text.p[i]) == fold(w, c))
        return 1;
    return w->nocase && fold(w, c) == 'k' && is_kelvin(w->text, i) ? 3 : 0;
}

/* The members of a class [from, to) without its brackets and "^". */
static bool class_has(const struct walk *w, size_t from, size_t to, size_t i)
{
    for (size_t at = from; at < to; at++) {
        if (at + 2 < to && w->pattern.p[at + 1] == '-') {
            char c = fold(w, w->text.p[i]);

            if (c >= w->pattern.p[at] && c <= w->pattern.p[at + 2])
                return true;
            if (w->nocase && w->pattern.p[at] <= 'k' && w->pattern.p[at + 2] >= 'k' &&
                is_kelvin(w->text, i))
                return true;
            at += 2;
        } else if (literal_at(w, w->pattern.p[at], i)) {
            return true;
        }
    }
    return false;
}

static uint64_t alternatives(struct walk *w, uint64_t from);

/* One octet, class or group from `w->at` on; steps over it. */
static uint64_t atom(struct walk *w, uint64_t from)
{
    size_t begin = w->at, end = begin + 1;
    char c = w->pattern.p[begin];
    uint64_t to = 0;

    if (c == '(') {
        w->at++;
        to = alternatives(w, from);
        w->at++; /* the closing one */
        return to;
    }
    if (c == '[') {
        while (w->pattern.p[end] != ']')
            end++;
        end++;
    }
    w->at = end;
    for (size_t i = 0; i < w->text.n; i++) {
        size_t n = 0;

        if (!(from >> i & 1))
            continue;
        if (c == '[' && w->pattern.p[begin + 1] == '^')
            n = class_has(w, begin + 2, end - 1, i) ? 0 : rune_at(w->text, i);
        else if (c == '[')
            n = class_has(w, begin + 1, end - 1, i) ? rune_at(w->text, i) : 0;
        else
            n = c == '.' ? rune_at(w->text, i) : literal_at(w, c, i);
        if (n)
            to |= (uint64_t)1 << (i + n);
    }
    return to;
}

static uint64_t repeated(struct walk *w, uint64_t from)
{
    size_t begin = w->at;
    uint64_t once = atom(w, from), all = once, before = 0;
    size_t end = w->at;
    char c = end < w->pattern.n ? w->pattern.p[end] : '\0';

    if (c != '*' && c != '+' && c != '?')
        return once;
    while (c != '?' && all != before) {
        before = all;
        w->at = begin;
        all |= atom(w, all);
    }
    w->at = end + 1;
    return c == '+' ? all : all | from;
}

static uint64_t alternatives(struct walk *w, uint64_t from)
{
    uint64_t to = 0, now = from;

    while (w->at < w->pattern.n && w->pattern.p[w->at] != ')') {
        if (w->pattern.p[w->at] == '|') {
            w->at++;
            to |= now;
            now = from;
        } else {
            now = repeated(w, now);
        }
    }
    return to | now;
}

bool naive_regex_matches(struct str pattern, struct str text)
{
    struct walk w = { .pattern = pattern, .text = text };

    MUST(text.n < 64);
    if (str_starts(pattern, STR("(?i)"))) {
        w.nocase = true;
        w.at = 4;
    }
    return alternatives(&w, 1) >> text.n & 1;
}
