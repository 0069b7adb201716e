#include "codec/hpack/table.h"

#include "base/swar.h"

#include <stdlib.h>

#define FIRST_ENTRIES 4 /* what a table begins with */
#define FIRST_OCTETS 128

/* RFC 7541, appendix A. */
static const struct {
    uint16_t id;
    struct str name, value;
} static_table[HPACK_STATIC] = {
    { HDR_OTHER, STR_INIT(":authority"), STR_INIT("") },
    { HDR_OTHER, STR_INIT(":method"), STR_INIT("GET") },
    { HDR_OTHER, STR_INIT(":method"), STR_INIT("POST") },
    { HDR_OTHER, STR_INIT(":path"), STR_INIT("/") },
    { HDR_OTHER, STR_INIT(":path"), STR_INIT("/index.html") },
    { HDR_OTHER, STR_INIT(":scheme"), STR_INIT("http") },
    { HDR_OTHER, STR_INIT(":scheme"), STR_INIT("https") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("200") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("204") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("206") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("304") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("400") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("404") },
    { HDR_OTHER, STR_INIT(":status"), STR_INIT("500") },
    { HDR_ACCEPT_CHARSET, STR_INIT("accept-charset"), STR_INIT("") },
    { HDR_ACCEPT_ENCODING, STR_INIT("accept-encoding"), STR_INIT("gzip, deflate") },
    { HDR_ACCEPT_LANGUAGE, STR_INIT("accept-language"), STR_INIT("") },
    { HDR_ACCEPT_RANGES, STR_INIT("accept-ranges"), STR_INIT("") },
    { HDR_ACCEPT, STR_INIT("accept"), STR_INIT("") },
    { HDR_ACCESS_CONTROL_ALLOW_ORIGIN, STR_INIT("access-control-allow-origin"), STR_INIT("") },
    { HDR_AGE, STR_INIT("age"), STR_INIT("") },
    { HDR_ALLOW, STR_INIT("allow"), STR_INIT("") },
    { HDR_AUTHORIZATION, STR_INIT("authorization"), STR_INIT("") },
    { HDR_CACHE_CONTROL, STR_INIT("cache-control"), STR_INIT("") },
    { HDR_CONTENT_DISPOSITION, STR_INIT("content-disposition"), STR_INIT("") },
    { HDR_CONTENT_ENCODING, STR_INIT("content-encoding"), STR_INIT("") },
    { HDR_CONTENT_LANGUAGE, STR_INIT("content-language"), STR_INIT("") },
    { HDR_CONTENT_LENGTH, STR_INIT("content-length"), STR_INIT("") },
    { HDR_CONTENT_LOCATION, STR_INIT("content-location"), STR_INIT("") },
    { HDR_CONTENT_RANGE, STR_INIT("content-range"), STR_INIT("") },
    { HDR_CONTENT_TYPE, STR_INIT("content-type"), STR_INIT("") },
    { HDR_COOKIE, STR_INIT("cookie"), STR_INIT("") },
    { HDR_DATE, STR_INIT("date"), STR_INIT("") },
    { HDR_ETAG, STR_INIT("etag"), STR_INIT("") },
    { HDR_EXPECT, STR_INIT("expect"), STR_INIT("") },
    { HDR_EXPIRES, STR_INIT("expires"), STR_INIT("") },
    { HDR_FROM, STR_INIT("from"), STR_INIT("") },
    { HDR_HOST, STR_INIT("host"), STR_INIT("") },
    { HDR_IF_MATCH, STR_INIT("if-match"), STR_INIT("") },
    { HDR_IF_MODIFIED_SINCE, STR_INIT("if-modified-since"), STR_INIT("") },
    { HDR_IF_NONE_MATCH, STR_INIT("if-none-match"), STR_INIT("") },
    { HDR_IF_RANGE, STR_INIT("if-range"), STR_INIT("") },
    { HDR_IF_UNMODIFIED_SINCE, STR_INIT("if-unmodified-since"), STR_INIT("") },
    { HDR_LAST_MODIFIED, STR_INIT("last-modified"), STR_INIT("") },
    { HDR_LINK, STR_INIT("link"), STR_INIT("") },
    { HDR_LOCATION, STR_INIT("location"), STR_INIT("") },
    { HDR_OTHER, STR_INIT("max-forwards"), STR_INIT("") },
    { HDR_PROXY_AUTHENTICATE, STR_INIT("proxy-authenticate"), STR_INIT("") },
    { HDR_PROXY_AUTHORIZATION, STR_INIT("proxy-authorization"), STR_INIT("") },
    { HDR_RANGE, STR_INIT("range"), STR_INIT("") },
    { HDR_REFERER, STR_INIT("referer"), STR_INIT("") },
    { HDR_OTHER, STR_INIT("refresh"), STR_INIT("") },
    { HDR_RETRY_AFTER, STR_INIT("retry-after"), STR_INIT("") },
    { HDR_SERVER, STR_INIT("server"), STR_INIT("") },
    { HDR_SET_COOKIE, STR_INIT("set-cookie"), STR_INIT("") },
    { HDR_STRICT_TRANSPORT_SECURITY, STR_INIT("strict-transport-security"), STR_INIT("") },
    { HDR_TRANSFER_ENCODING, STR_INIT("transfer-encoding"), STR_INIT("") },
    { HDR_USER_AGENT, STR_INIT("user-agent"), STR_INIT("") },
    { HDR_VARY, STR_INIT("vary"), STR_INIT("") },
    { HDR_VIA, STR_INIT("via"), STR_INIT("") },
    { HDR_WWW_AUTHENTICATE, STR_INIT("www-authenticate"), STR_INIT("") },
};

/* The first static entry of each known name. */
static const uint8_t static_by_id[HDR_COUNT] = {
    [HDR_ACCEPT_CHARSET] = 15,
    [HDR_ACCEPT_ENCODING] = 16,
    [HDR_ACCEPT_LANGUAGE] = 17,
    [HDR_ACCEPT_RANGES] = 18,
    [HDR_ACCEPT] = 19,
    [HDR_ACCESS_CONTROL_ALLOW_ORIGIN] = 20,
    [HDR_AGE] = 21,
    [HDR_ALLOW] = 22,
    [HDR_AUTHORIZATION] = 23,
    [HDR_CACHE_CONTROL] = 24,
    [HDR_CONTENT_DISPOSITION] = 25,
    [HDR_CONTENT_ENCODING] = 26,
    [HDR_CONTENT_LANGUAGE] = 27,
    [HDR_CONTENT_LENGTH] = 28,
    [HDR_CONTENT_LOCATION] = 29,
    [HDR_CONTENT_RANGE] = 30,
    [HDR_CONTENT_TYPE] = 31,
    [HDR_COOKIE] = 32,
    [HDR_DATE] = 33,
    [HDR_ETAG] = 34,
    [HDR_EXPECT] = 35,
    [HDR_EXPIRES] = 36,
    [HDR_FROM] = 37,
    [HDR_HOST] = 38,
    [HDR_IF_MATCH] = 39,
    [HDR_IF_MODIFIED_SINCE] = 40,
    [HDR_IF_NONE_MATCH] = 41,
    [HDR_IF_RANGE] = 42,
    [HDR_IF_UNMODIFIED_SINCE] = 43,
    [HDR_LAST_MODIFIED] = 44,
    [HDR_LINK] = 45,
    [HDR_LOCATION] = 46,
    [HDR_PROXY_AUTHENTICATE] = 48,
    [HDR_PROXY_AUTHORIZATION] = 49,
    [HDR_RANGE] = 50,
    [HDR_REFERER] = 51,
    [HDR_RETRY_AFTER] = 53,
    [HDR_SERVER] = 54,
    [HDR_SET_COOKIE] = 55,
    [HDR_STRICT_TRANSPORT_SECURITY] = 56,
    [HDR_TRANSFER_ENCODING] = 57,
    [HDR_USER_AGENT] = 58,
    [HDR_VARY] = 59,
    [HDR_VIA] = 60,
    [HDR_WWW_AUTHENTICATE] = 61,
};

void hpack_table_init(struct hpack_table *t, size_t max, bool is_searched)
{
    *t = (struct hpack_table){ .max = max, .size = max, .is_searched = is_searched };
}

void hpack_table_fini(struct hpack_table *t)
{
    free(t->entries);
    free(t->octets);
    free(t->newest);
    hpack_table_init(t, t->max, t->is_searched);
}

void hpack_table_clear(struct hpack_table *t)
{
    size_t size = t->size;

    hpack_table_fini(t);
    t->size = size;
}

static struct hpack_entry *entry_at(const struct hpack_table *t, uint32_t i)
{
    uint32_t at = t->first + i;

    return &t->entries[at < t->entry_cap ? at : at - t->entry_cap];
}

static size_t cost(const struct hpack_entry *e)
{
    return (size_t)e->name_n + e->value_n + HPACK_ENTRY_COST;
}

static void evict(struct hpack_table *t)
{
    struct hpack_entry *oldest = entry_at(t, 0);

    t->used -= cost(oldest);
    t->begin = oldest->at + oldest->name_n + oldest->value_n;
    t->first = (t->first + 1) % t->entry_cap;
    t->n--;
    if (t->n == 0)
        t->begin = t->end = 0;
}

void hpack_table_resize(struct hpack_table *t, size_t size)
{
    MUST(size <= t->max);
    t->size = size;
    while (t->used > size)
        evict(t);
}

/* Moves the entries to the front of a ring of `cap`. */
static void entries_move(struct hpack_table *t, uint32_t cap)
{
    struct hpack_entry *fresh = must_alloc(cap * sizeof(*fresh));

    for (uint32_t i = 0; i < t->n; i++)
        fresh[i] = *entry_at(t, i);
    free(t->entries);
    t->entries = fresh;
    t->entry_cap = cap;
    t->first = 0;
}

/* Moves the octets to the front of `into`, which may be where they are. */
static void octets_move(struct hpack_table *t, char *into)
{
    if (t->end > t->begin)
        memmove(into, t->octets + t->begin, t->end - t->begin);
    for (uint32_t i = 0; i < t->n; i++)
        entry_at(t, i)->at -= (uint32_t)t->begin;
    t->end -= t->begin;
    t->begin = 0;
}

static void octets_resize(struct hpack_table *t, size_t cap)
{
    char *fresh = must_alloc(cap);

    octets_move(t, fresh);
    free(t->octets);
    t->octets = fresh;
    t->octet_cap = cap;
}

/* Room for one more entry of `n` octets, which is within the table's size. Memory grows to twice
 * that size, so that octets move once for each table's worth. */
static void make_room(struct hpack_table *t, size_t n)
{
    size_t need = t->end - t->begin + n, cap = MAX(t->octet_cap, FIRST_OCTETS);

    if (t->is_searched && !t->newest)
        t->newest = must_alloc(HPACK_BUCKETS * sizeof(*t->newest));
    if (t->n == t->entry_cap)
        entries_move(t, MAX(2 * t->entry_cap, FIRST_ENTRIES));
    if (t->octets && t->end + n <= t->octet_cap) /* also an entry without octets has its place */
        return;
    while (cap < 2 * need && cap < 2 * t->max)
        cap *= 2;
    if (cap > t->octet_cap)
        octets_resize(t, MAX(cap, need));
    else
        octets_move(t, t->octets);
}

void hpack_table_fit(struct hpack_table *t)
{
    if (t->n == 0) {
        hpack_table_clear(t);
        return;
    }
    entries_move(t, t->n);
    octets_resize(t, MAX(t->end - t->begin, 1));
}

size_t hpack_table_octets(const struct hpack_table *t)
{
    return t->entry_cap * sizeof(*t->entries) + t->octet_cap +
           (t->newest ? HPACK_BUCKETS * sizeof(*t->newest) : 0);
}

static uint64_t ends_hash(struct str s)
{
    struct swar_ends e = swar_ends_of(s.p, s.n);

    return e.first * UINT64_C(0x9e3779b97f4a7c15) ^ e.last * UINT64_C(0xc2b2ae3d27d4eb4f) ^
           s.n << 57;
}

/* Cheap and no secret: of the name or its id, and of the ends of both. Fields that were chosen to
 * collide cost comparisons, of no more octets than the table holds. */
static uint32_t field_hash(const struct hpack_field *f)
{
    uint64_t name = f->id != HDR_OTHER ? f->id * UINT64_C(0x165667b19e3779f9) : ends_hash(f->name);

    return (uint32_t)((name + ends_hash(f->value)) >> 32);
}

static void enter_bucket(struct hpack_table *t, struct hpack_entry *e, uint32_t hash)
{
    uint32_t *newest = &t->newest[hash % HPACK_BUCKETS];

    e->hash = hash;
    e->before = *newest;
    *newest = t->added;
}

void hpack_table_add(struct hpack_table *t, const struct hpack_field *field)
{
    size_t n = field->name.n + field->value.n;

    if (n + HPACK_ENTRY_COST > t->size) {
        while (t->n)
            evict(t);
        return;
    }
    while (t->used + n + HPACK_ENTRY_COST > t->size)
        evict(t);
    make_room(t, n);
    *entry_at(t, t->n) = (struct hpack_entry){
        .at = (uint32_t)t->end,
        .name_n = (uint32_t)field->name.n,
        .value_n = (uint32_t)field->value.n,
        .id = field->id,
    };
    memcpy(t->octets + t->end, field->name.p, field->name.n);
    if (field->value.n)
        memcpy(t->octets + t->end + field->name.n, field->value.p, field->value.n);
    t->end += n;
    t->used += n + HPACK_ENTRY_COST;
    t->n++;
    t->added++;
    if (t->is_searched)
        enter_bucket(t, entry_at(t, t->n - 1), field_hash(field));
}

bool hpack_table_get(const struct hpack_table *t, uint64_t index, struct hpack_field *ret)
{
    const struct hpack_entry *e;

    if (index == 0 || index > HPACK_STATIC + (uint64_t)t->n)
        return false;
    if (index <= HPACK_STATIC) {
        ret->id = static_table[index - 1].id;
        ret->name = static_table[index - 1].name;
        ret->value = static_table[index - 1].value;
        return true;
    }
    e = entry_at(t, t->n - (uint32_t)(index - HPACK_STATIC));
    ret->id = e->id;
    ret->name = str_make(t->octets + e->at, e->name_n);
    ret->value = str_make(t->octets + e->at + e->name_n, e->value_n);
    return true;
}

/* Pseudo-headers and the few names that header.h does not know. */
static uint32_t static_by_name(struct str name)
{
    static const uint8_t firsts[] = { 1, 2, 4, 6, 8, 47, 52 };

    for (size_t i = 0; i < LEN(firsts); i++) {
        if (str_eq(static_table[firsts[i] - 1].name, name))
            return firsts[i];
    }
    return 0;
}

/* Known names stand in the static table once, pseudo-headers with their usual values. */
uint32_t hpack_static_find(const struct hpack_field *f, uint32_t *ret_name)
{
    uint32_t at = f->pseudo;

    if (!at)
        at = f->id != HDR_OTHER ? static_by_id[f->id] : static_by_name(f->name);
    *ret_name = at;
    if (at == 0)
        return 0;
    do {
        if (str_eq(static_table[at - 1].value, f->value))
            return at;
        at++;
    } while (f->id == HDR_OTHER && str_eq(static_table[at - 1].name, f->name));
    return 0;
}

static bool is_field(const struct hpack_table *t, const struct hpack_entry *e,
                     const struct hpack_field *field)
{
    struct str name = str_make(t->octets + e->at, e->name_n);

    return str_eq(name, field->name) && str_eq(str_make(name.p + name.n, e->value_n), field->value);
}

uint32_t hpack_table_find(const struct hpack_table *t, const struct hpack_field *field)
{
    uint32_t hash, back, last;

    if (t->n == 0)
        return 0;
    hash = field_hash(field);
    back = t->added - t->newest[hash % HPACK_BUCKETS]; /* so many entries are newer */
    if (back >= t->n)                                  /* none, or gone */
        return 0;
    do {
        const struct hpack_entry *e = entry_at(t, t->n - 1 - back);

        if (e->hash == hash && is_field(t, e, field))
            return HPACK_STATIC + 1 + back;
        last = back;
        back = t->added - e->before;
    } while (back < t->n && back > last);
    return 0;
}
