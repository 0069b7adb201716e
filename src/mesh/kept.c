#include "mesh/kept.h"

#include "base/hash.h"
#include "mesh/mesh_int.h"
#include "mesh/objects.h"

/* Octets: magic, version, hash of what follows (u64); then for each object three strings: the
 * file it stands in, the file its text was read from, its packed tree. A string is its length
 * (u64) and its octets. Numbers are little-endian. */
#define KEPT_MAGIC STR("LATEENOB")
#define KEPT_VERSION 1
#define HEAD_OCTETS (8 + 1 + 8)

/* ---- writing ---- */

static void write_le(char *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++)
        p[i] = (char)(v >> (8 * i));
}

static uint64_t read_le(const char *p)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return v;
}

static void put_number(struct buf *out, uint64_t v)
{
    char octets[8];

    write_le(octets, v);
    buf_add(out, str_make(octets, sizeof(octets)));
}

static void put_text(struct buf *out, struct str s)
{
    put_number(out, s.n);
    buf_add(out, s);
}

static uint32_t shard_of(const struct object_kept *k)
{
    return (uint32_t)(hash_stable(k->key) % KEPT_SHARDS);
}

void kept_digests(const struct mesh *m, uint64_t ret[KEPT_SHARDS])
{
    struct object_kept k;

    memset(ret, 0, KEPT_SHARDS * sizeof(*ret));
    for (size_t at = 0; objects_next(store_objects(m->store), &at, &k);) {
        uint64_t where = hash_mix(hash_stable(k.holder), hash_stable(k.version->file));

        ret[shard_of(&k)] += hash_mix(hash_mix(hash_stable(k.key), where), k.version->place_hash);
    }
}

void kept_write(const struct mesh *m, uint32_t shard, struct buf *out)
{
    size_t begin = out->n;
    struct object_kept k;

    for (size_t at = 0; objects_next(store_objects(m->store), &at, &k);) {
        if (shard_of(&k) != shard)
            continue;
        if (out->n == begin) {
            buf_add(out, KEPT_MAGIC);
            buf_addc(out, KEPT_VERSION);
            put_number(out, 0);
        }
        put_text(out, k.holder);
        put_text(out, k.version->file);
        put_text(out, k.version->packed);
    }
    if (out->n > begin && !out->full)
        write_le(out->p + begin + 9, hash_stable(str_from(buf_str(out), begin + HEAD_OCTETS)));
}

/* ---- reading ---- */

/* The next string, STR_NONE where there is none. */
static struct str take_text(struct str *rest)
{
    uint64_t n = rest->n < 8 ? UINT64_MAX : read_le(rest->p);
    struct str s = str_from(*rest, 8);

    if (n > s.n) {
        *rest = STR_NONE;
        return STR_NONE;
    }
    *rest = str_from(s, (size_t)n);
    return str_sub(s, 0, (size_t)n);
}

bool kept_read(struct mesh *m, struct str octets, struct str *reterr)
{
    struct str rest = str_from(octets, HEAD_OCTETS);

    if (octets.n < HEAD_OCTETS || !str_starts(octets, KEPT_MAGIC)) {
        *reterr = STR("it holds no objects");
        return false;
    }
    if (octets.p[8] != KEPT_VERSION) {
        *reterr = STR("another version wrote it");
        return false;
    }
    if (read_le(octets.p + 9) != hash_stable(rest)) {
        *reterr = STR("it is damaged: its checksum differs");
        return false;
    }
    while (rest.n) {
        struct str holder = take_text(&rest), file = take_text(&rest), tree = take_text(&rest);

        if (str_is_set(tree)) /* a kind that is not known any more is left out */
            (void)store_recall(m->store, holder, file, tree);
    }
    return true;
}
