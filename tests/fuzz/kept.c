/*
 * tests/fuzz/kept - any octets behind a right head as a file of the state directory's objects: it
 * is taken up or not, a snapshot is made of it in place of a broken file, and what it is written as
 * is taken up without a difference.
 */
#include "fuzz.h"
#include "fuzz/mesh_feed.h"

#include "base/hash.h"
#include "mesh/kept.h"

#define SHARD_MAX (1u << 22)
#define BROKEN STR("kind: [")

/* The shards of one directory. */
struct files {
    struct buf v[KEPT_SHARDS];
    size_t n;
};

static void files_fini(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        buf_fini(&f->v[i]);
}

static void recall(void *arg, struct mesh *m)
{
    const struct files *f = arg;
    struct str why;

    for (size_t i = 0; i < f->n; i++)
        MUST(!f->v[i].n || kept_read(m, buf_str(&f->v[i]), &why));
}

/* The head of mesh/kept.c: magic, version, hash. */
static void seal(struct buf *out, struct str octets)
{
    uint64_t hash = hash_stable(octets);
    char head[9] = { 1 };

    for (size_t i = 0; i < 8; i++)
        head[1 + i] = (char)(hash >> (8 * i));
    buf_add(out, STR("LATEENOB"));
    buf_add(out, str_make(head, sizeof(head)));
    buf_add(out, octets);
}

static struct mesh *start_over(struct files *from, uint64_t digests[KEPT_SHARDS])
{
    struct mesh *m = mesh_feed_new(true, recall, from);

    root_unref(mesh_feed(m, BROKEN));
    kept_digests(m, digests);
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n), why = STR_NONE;
    uint64_t digests[KEPT_SHARDS], again[KEPT_SHARDS];
    struct files given = { .n = 1 }, written = { .n = KEPT_SHARDS };
    struct mesh *m;

    buf_init(&given.v[0], SHARD_MAX);
    seal(&given.v[0], in);
    m = start_over(&given, digests);
    MUST(kept_read(m, in, &why) || why.n > 0); /* without a head */
    kept_digests(m, digests);
    for (uint32_t i = 0; i < KEPT_SHARDS; i++) {
        buf_init(&written.v[i], SHARD_MAX);
        kept_write(m, i, &written.v[i]);
    }
    mesh_free(m);
    mesh_free(start_over(&written, again));
    MUST(memcmp(digests, again, sizeof(digests)) == 0);
    files_fini(&given);
    files_fini(&written);
    return 0;
}
