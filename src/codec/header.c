#include "codec/header.h"

#include "base/octets16.h"

/* A hash over length and the octets at both ends with open addressing: 8 bits a slot, filled once
 * before main. Only the table's own names are in it, so a stranger cannot lengthen a probe. */
#define SLOT_BITS 10
#define SLOTS (1u << SLOT_BITS)
/* Headers that a shared list usually gets behind those that it shares. */
#define SPARE 8

const struct str header_names[HDR_COUNT] = {
#define XX(id, name) [HDR_##id] = STR_INIT(name),
    HEADER_MAP(XX)
#undef XX
};

const uint64_t header_marks[HDR_COUNT] = {
#define XX(id, name) [HDR_##id] = HEADERS_MARK(HDR_##id),
    HEADER_MAP(XX)
#undef XX
        [HDR_OTHER] = HEADERS_MARK(HDR_OTHER),
};

static uint8_t slots[SLOTS];

_Static_assert(HDR_COUNT <= 256, "a slot is 8 bits");

static struct swar_ends ends_of[HDR_COUNT]; /* of the table's names */

/* Of a name in any case: a small letter and its capital differ in 0x20 alone. */
static inline uint32_t slot_of(struct swar_ends e, size_t n)
{
    uint64_t first = (e.first | SWAR_EACH(0x20)) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t last = (e.last | SWAR_EACH(0x20)) * UINT64_C(0xc2b2ae3d27d4eb4f);

    return (uint32_t)((first ^ last ^ n << 57) >> (64 - SLOT_BITS));
}

__attribute__((constructor)) static void fill_slots(void)
{
    for (unsigned id = 1; id < HDR_COUNT; id++) {
        struct str name = header_names[id];
        uint32_t at;

        ends_of[id] = swar_ends_of(name.p, name.n);
        at = slot_of(ends_of[id], name.n);
        while (slots[at])
            at = (at + 1) % SLOTS;
        slots[at] = (uint8_t)id;
    }
}

/* Eight octets against eight of a name of the table, which has small letters, digits and "-": in
 * the place of a letter (0x40) its capital (without 0x20) will do. */
static inline bool is_same8(uint64_t v, uint64_t lower)
{
    return ((v ^ lower) & ~(lower >> 1 & SWAR_EACH(0x20))) == 0;
}

static inline bool has_ends(unsigned id, struct swar_ends e, size_t n)
{
    return n == header_names[id].n && is_same8(e.first, ends_of[id].first) &&
           is_same8(e.last, ends_of[id].last);
}

/* What lies between the ends of a long name. */
static bool is_same_inside(struct str name, struct str lower)
{
    for (size_t i = 8; i + 8 < lower.n; i += 8) {
        if (!is_same8(swar_load8(name.p + i), swar_load8(lower.p + i)))
            return false;
    }
    return true;
}

/* A long name, or one that is not in its first slot. */
RARE static enum header_id id_from(uint32_t at, struct swar_ends e, struct str name)
{
    for (; slots[at]; at = (at + 1) % SLOTS) {
        unsigned id = slots[at];

        if (has_ends(id, e, name.n) && (name.n <= 16 || is_same_inside(name, header_names[id])))
            return (enum header_id)id;
    }
    return HDR_OTHER;
}

enum header_id header_id_of(struct str name)
{
    struct swar_ends e = swar_ends_of(name.p, name.n);
    uint32_t at = slot_of(e, name.n);
    unsigned id = slots[at];

    if (LIKELY(name.n <= 16 && has_ends(id, e, name.n)))
        return (enum header_id)id;
    return id_from(at, e, name);
}

static const bool token_octet[256] = {
    ['!'] = true,         ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['A' ... 'Z'] = true,
    ['a' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

bool header_name_is_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!token_octet[(unsigned char)name.p[i]])
            return false;
    }
    return name.n > 0;
}

bool header_value_is_valid(struct str value)
{
    if (!octets_have_control(value, 0x1f))
        return true;
    for (size_t i = 0; i < value.n; i++) { /* HTAB may stand in it */
        unsigned char c = (unsigned char)value.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool header_is_envoy(struct str name)
{
    return str_starts_nocase(name, STR("x-envoy-"));
}

bool header_may_trail(const struct header *h)
{
    static const enum header_id forbidden[] = {
        /* framing and routing */
        HDR_HOST,
        HDR_CONTENT_LENGTH,
        HDR_TRANSFER_ENCODING,
        HDR_TRAILER,
        HDR_EXPECT,
        HDR_CONTENT_TYPE,
        HDR_CONTENT_ENCODING,
        HDR_CONTENT_RANGE,
        /* of one hop */
        HDR_CONNECTION,
        HDR_KEEP_ALIVE,
        HDR_PROXY_CONNECTION,
        HDR_TE,
        HDR_UPGRADE,
        HDR_HTTP2_SETTINGS,
        /* who somebody is */
        HDR_AUTHORIZATION,
        HDR_PROXY_AUTHENTICATE,
        HDR_PROXY_AUTHORIZATION,
        HDR_COOKIE,
        HDR_SET_COOKIE,
        HDR_FORWARDED,
        HDR_X_FORWARDED_CLIENT_CERT,
        HDR_X_FORWARDED_FOR,
        HDR_X_FORWARDED_HOST,
        HDR_X_FORWARDED_PORT,
        HDR_X_FORWARDED_PROTO,
        HDR_X_REAL_IP,
    };

    for (size_t i = 0; i < LEN(forbidden); i++) {
        if (forbidden[i] == h->id)
            return false;
    }
    return !header_is_envoy(h->name);
}

struct str header_name_lower(const struct header *h, struct arena *a)
{
    char *copy;

    if (h->id != HDR_OTHER)
        return header_names[h->id];
    if (!str_has_capital(h->name))
        return h->name;
    copy = arena_raw(a, h->name.n);
    for (size_t i = 0; i < h->name.n; i++)
        copy[i] = ascii_lower(h->name.p[i]);
    return str_make(copy, h->name.n);
}

void headers_make_room(struct headers *h, struct arena *a, uint32_t more)
{
    uint32_t cap = MAX(MAX(h->cap * 2, h->n + more), 16);
    struct header *v = arena_raw(a, cap * sizeof(*v));

    if (h->n)
        memcpy(v, h->v, h->n * sizeof(*v));
    h->v = v;
    h->cap = cap;
}

struct header *headers_add_grown(struct headers *h, struct arena *a, enum header_id id,
                                 struct str name, struct str value)
{
    headers_make_room(h, a, 1);
    return headers_add_as(h, a, id, name, value);
}

struct header *headers_add(struct headers *h, struct arena *a, struct str name, struct str value)
{
    return headers_add_as(h, a, header_id_of(name), name, value);
}

static bool is_named(const struct header *one, enum header_id id, struct str name)
{
    if (one->id != (uint16_t)id)
        return false;
    return id != HDR_OTHER || str_eq_nocase(one->name, name);
}

static struct header *find_from(const struct headers *h, uint32_t from, enum header_id id,
                                struct str name)
{
    if (!(h->marks & header_marks[id]))
        return NULL;
    for (uint32_t i = from; i < h->n; i++) {
        if (is_named(&h->v[i], id, name))
            return &h->v[i];
    }
    return NULL;
}

static inline struct header *find_id(const struct headers *h, const struct header *from,
                                     uint16_t id)
{
    for (const struct header *one = from; one < h->v + h->n; one++) {
        if (one->id == id)
            return &h->v[one - h->v];
    }
    return NULL;
}

struct header *headers_find_marked(const struct headers *h, enum header_id id)
{
    MUST(id != HDR_OTHER);
    return find_id(h, h->v, (uint16_t)id);
}

struct header *headers_find_name(const struct headers *h, struct str name)
{
    return find_from(h, 0, header_id_of(name), name);
}

struct header *headers_next(const struct headers *h, const struct header *after)
{
    if (after->id == HDR_OTHER)
        return find_from(h, (uint32_t)(after - h->v) + 1, HDR_OTHER, after->name);
    return find_id(h, after + 1, after->id);
}

struct str headers_get(const struct headers *h, enum header_id id)
{
    const struct header *one = headers_find(h, id);

    return one ? one->value : STR_NONE;
}

uint32_t headers_count(const struct headers *h, enum header_id id)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n; i++)
        n += h->v[i].id == (uint16_t)id;
    return n;
}

/* Removes what is named so, from position `from` on. */
static uint32_t remove_from(struct headers *h, uint32_t from, enum header_id id, struct str name)
{
    uint32_t kept = from, removed;

    if (!(h->marks & header_marks[id]))
        return 0;
    for (uint32_t i = from; i < h->n; i++) {
        if (is_named(&h->v[i], id, name))
            h->octets -= h->v[i].name.n + h->v[i].value.n;
        else if (kept++ != i)
            h->v[kept - 1] = h->v[i];
    }
    removed = h->n - kept;
    h->n = kept;
    return removed;
}

uint32_t headers_remove(struct headers *h, enum header_id id)
{
    MUST(id != HDR_OTHER);
    return remove_from(h, 0, id, STR_NONE);
}

uint32_t headers_remove_name(struct headers *h, struct str name)
{
    return remove_from(h, 0, header_id_of(name), name);
}

uint32_t headers_remove_if(struct headers *h, uint64_t marks,
                           bool (*doomed)(const struct header *one))
{
    uint32_t kept = 0, removed;

    if (!(h->marks & marks))
        return 0;
    for (uint32_t i = 0; i < h->n; i++) {
        if (doomed(&h->v[i]))
            h->octets -= h->v[i].name.n + h->v[i].value.n;
        else if (kept++ != i)
            h->v[kept - 1] = h->v[i];
    }
    removed = h->n - kept;
    h->n = kept;
    return removed;
}

void headers_change(struct headers *h, struct header *one, struct str value)
{
    h->octets += value.n;
    h->octets -= one->value.n;
    one->value = value;
    one->is_clean = false;
}

static struct header *set(struct headers *h, struct arena *a, enum header_id id, struct str name,
                          struct str value)
{
    struct header *one = find_from(h, 0, id, name);

    if (!one)
        return headers_add_as(h, a, id, name, value);
    headers_change(h, one, value);
    remove_from(h, (uint32_t)(one - h->v) + 1, id, name);
    return one;
}

struct header *headers_set(struct headers *h, struct arena *a, struct str name, struct str value)
{
    return set(h, a, header_id_of(name), name, value);
}

struct header *headers_set_marked(struct headers *h, struct arena *a, enum header_id id,
                                  struct str value)
{
    MUST(id > HDR_OTHER && id < HDR_COUNT);
    return set(h, a, id, header_names[id], value);
}

void headers_share(struct headers *to, struct arena *a, const struct headers *from)
{
    if (from->n == 0)
        return;
    if (to->cap - to->n < from->n)
        headers_make_room(to, a, from->n + SPARE);
    memcpy(to->v + to->n, from->v, from->n * sizeof(*from->v));
    to->n += from->n;
    to->octets += from->octets;
    to->marks |= from->marks;
}

void headers_copy(struct headers *to, struct arena *a, const struct headers *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        const struct header *one = &from->v[i];

        headers_add_as(to, a, (enum header_id)one->id, arena_dup(a, one->name),
                       arena_dup(a, one->value))
            ->is_clean = one->is_clean;
    }
}

bool header_token_next(struct str *rest, struct str *ret)
{
    while (str_is_set(*rest)) {
        struct str one = str_trim(str_cut(rest, ','));

        if (one.n) {
            *ret = one;
            return true;
        }
    }
    return false;
}

bool headers_have_token(const struct headers *h, enum header_id id, struct str token)
{
    for (const struct header *one = headers_find(h, id); one; one = headers_next(h, one)) {
        struct str rest = one->value, got;

        while (header_token_next(&rest, &got)) {
            if (str_eq_nocase(got, token))
                return true;
        }
    }
    return false;
}
