#include "codec/yaml_tree.h"

/* The text being read; line and column count from 1. */
struct json {
    struct tree *t;
    struct str text;
    size_t at;
    uint32_t line, col;
};

static bool read_value(struct json *j);

static char peek(const struct json *j)
{
    return j->at < j->text.n ? j->text.p[j->at] : '\0';
}

static void step(struct json *j)
{
    char c = j->text.p[j->at++];

    if (c == '\n') {
        j->line++;
        j->col = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) {
        j->col++;
    }
}

static void skip_space(struct json *j)
{
    while (j->at < j->text.n && strchr(" \t\r\n", peek(j)))
        step(j);
}

static struct node place(const struct json *j)
{
    return (struct node){ .line = j->line, .col = j->col };
}

static bool fail(struct json *j, const char *what)
{
    return tree_fail(j->t, j->line, j->col, "LAT0101", "not valid JSON: %s", what);
}

static void add_utf8(struct buf *b, uint32_t v)
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    int n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;

    buf_addc(b, (char)(lead[n] | v >> 6 * (n - 1)));
    for (int i = n - 2; i >= 0; i--)
        buf_addc(b, (char)(0x80 | (v >> 6 * i & 0x3f)));
}

static bool read_hex4(struct json *j, uint32_t *ret)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = ascii_lower(peek(j));

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else
            return fail(j, "four hex digits are wanted after \\u");
        step(j);
    }
    *ret = v;
    return true;
}

/* Behind "\u": one character, or the two halves of a surrogate pair. */
static bool read_unicode(struct json *j, struct buf *b)
{
    uint32_t v = 0, low = 0;

    if (!read_hex4(j, &v))
        return false;
    if (v >= 0xdc00 && v <= 0xdfff)
        return fail(j, "half of a surrogate pair: write both halves, high before low");
    if (v >= 0xd800 && v <= 0xdbff) {
        if (!str_starts(str_from(j->text, j->at), STR("\\u")))
            return fail(j, "half of a surrogate pair: write both halves");
        step(j);
        step(j);
        if (!read_hex4(j, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(j, "half of a surrogate pair: write both halves");
        v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(b, v);
    return true;
}

static bool read_escape(struct json *j, struct buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c;
    const char *known;

    step(j);
    c = peek(j);
    known = c ? strchr(from, c) : NULL;
    if (c != 'u' && !known)
        return fail(j, "no such escape: double the backslash");
    step(j);
    if (c == 'u')
        return read_unicode(j, b);
    buf_addc(b, to[known - from]);
    return true;
}

/* The octets of a string, from its first quote to behind its last. */
static bool read_string(struct json *j, struct buf *b)
{
    struct node start = place(j);

    step(j);
    while (j->at < j->text.n && peek(j) != '"') {
        if (peek(j) == '\\') {
            if (!read_escape(j, b))
                return false;
        } else if ((unsigned char)peek(j) < 0x20) {
            return peek(j) == '\n'
                       ? tree_fail(j->t, start.line, start.col, "LAT0101",
                                   "not valid JSON: the string has no end on its line: "
                                   "close the quote that is opened here")
                       : fail(j, "a control character in a string: write \\t or \\u00xx");
        } else {
            buf_addc(b, peek(j));
            step(j);
        }
    }
    if (j->at >= j->text.n)
        return tree_fail(j->t, start.line, start.col, "LAT0101",
                         "not valid JSON: close the quote that is opened here");
    step(j);
    return true;
}

static bool read_text(struct json *j)
{
    struct node n = place(j);
    struct buf b;
    bool fine;

    buf_init(&b, j->text.n + 1);
    fine = read_string(j, &b);
    n.text = arena_dup(j->t->arena, buf_str(&b));
    n.quoted = true;
    buf_fini(&b);
    return fine && tree_scalar(j->t, n, STR_NONE);
}

static size_t digits(struct str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? */
static bool is_number(struct str s)
{
    size_t at = s.n && s.p[0] == '-', n = digits(s, at);

    if (n == 0 || (n > 1 && s.p[at] == '0'))
        return false;
    at += n;
    if (at < s.n && s.p[at] == '.') {
        n = digits(s, at + 1);
        if (n == 0)
            return false;
        at += n + 1;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        n = digits(s, at);
        if (n == 0)
            return false;
        at += n;
    }
    return at == s.n;
}

static bool read_word(struct json *j)
{
    struct node n = place(j);
    size_t start = j->at;
    struct str word;

    while (j->at < j->text.n && !strchr(" \t\r\n,:[]{}\"", peek(j)))
        step(j);
    word = str_sub(j->text, start, j->at - start);
    if (!is_number(word) && !str_eq(word, STR("true")) && !str_eq(word, STR("false")) &&
        !str_eq(word, STR("null")))
        return tree_fail(j->t, n.line, n.col, "LAT0101",
                         word.n ? "not valid JSON: \"%.*s\" is no value: quote a string"
                                : "not valid JSON: a value is missing here%.*s",
                         STRF(str_sub(word, 0, 60)));
    n.text = arena_dup(j->t->arena, word);
    return tree_scalar(j->t, n, STR_NONE);
}

static bool read_pair(struct json *j)
{
    if (peek(j) != '"')
        return fail(j, peek(j) == '}' ? "a comma stands before the bracket: remove it"
                                      : "a key in double quotes is wanted here");
    if (!read_text(j))
        return false;
    skip_space(j);
    if (peek(j) != ':')
        return fail(j, "':' is wanted here");
    step(j);
    return read_value(j);
}

static bool read_container(struct json *j, char end)
{
    struct node start = place(j);

    if (!tree_open(j->t, start, end == '}' ? NODE_MAP : NODE_SEQ, STR_NONE))
        return false;
    step(j);
    skip_space(j);
    while (peek(j) != end) {
        if (end == '}' ? !read_pair(j) : !read_value(j))
            return false;
        skip_space(j);
        if (peek(j) == end)
            break;
        if (j->at >= j->text.n)
            return tree_fail(j->t, start.line, start.col, "LAT0101",
                             "not valid JSON: close the bracket that is opened here");
        if (peek(j) != ',')
            return fail(j, end == '}' ? "',' or '}' is wanted here" : "',' or ']' is wanted here");
        step(j);
        skip_space(j);
        if (peek(j) == end)
            return fail(j, "a comma stands before the bracket: remove it");
    }
    step(j);
    return tree_close(j->t);
}

static bool read_value(struct json *j)
{
    skip_space(j);
    switch (peek(j)) {
    case '{':
        return read_container(j, '}');
    case '[':
        return read_container(j, ']');
    case '"':
        return read_text(j);
    default:
        return read_word(j);
    }
}

bool json_read(struct tree *t, struct str octets)
{
    struct json j = { t, octets, 0, 1, 1 };

    skip_space(&j);
    if (j.at == octets.n)
        return true;
    if (!read_value(&j))
        return false;
    skip_space(&j);
    if (j.at < octets.n)
        return fail(&j, "one value is wanted, but more stands here");
    tree_document_end(t);
    return true;
}
