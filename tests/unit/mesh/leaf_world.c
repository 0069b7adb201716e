#include "unit/mesh/leaf_world.h"

#include "mesh/tree.h"

#include "tls/issue.h"
#include "unit/check.h"

#include <openssl/evp.h>

#define FOLDER TREE "/tests/manifests/leaves/"
#define FILE_MAX (1u << 20)

static struct str read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *room = arena_raw(a, FILE_MAX);
    size_t n;

    CHECK(f != NULL);
    n = fread(room, 1, FILE_MAX - 1, f);
    fclose(f);
    room[n] = 0;
    return str_make(room, n);
}

/* ---- Secrets ---- */

static struct str base64(struct arena *a, struct str octets)
{
    unsigned char *room = arena_raw(a, octets.n / 3 * 4 + 8);
    int n = EVP_EncodeBlock(room, (const unsigned char *)octets.p, (int)octets.n);

    return str_make((const char *)room, (size_t)n);
}

/* As a JSON string holds it. */
static struct str one_line(struct arena *a, struct str pem)
{
    struct str text = STR("");

    while (pem.n) {
        struct str line = str_cut(&pem, '\n');

        text = arena_printf(a, "%.*s%.*s\\n", STRF(text), STRF(line));
    }
    return text;
}

/* A key pair as the value of data or stringData. */
static const char *pair(struct arena *a, bool is_text)
{
    struct str host = STR("b.test"), error, chain, key;
    struct issue_request rq = { .dns_names = &host,
                                .dns_name_count = 1,
                                .not_before_ms = 0,
                                .not_after_ms = INT64_C(4000000000000) };
    struct buf b, k;

    buf_init(&b, 1 << 16);
    buf_init(&k, 1 << 16);
    CHECK(issue_certificate(&rq, &b, &k, &error));
    chain = is_text ? one_line(a, buf_str(&b)) : base64(a, buf_str(&b));
    key = is_text ? one_line(a, buf_str(&k)) : base64(a, buf_str(&k));
    buf_fini(&b);
    buf_fini(&k);
    return arena_printf(a, "{\"tls.crt\": \"%.*s\", \"tls.key\": \"%.*s\"}", STRF(chain), STRF(key))
        .p;
}

static struct leaf_object secret(struct arena *a, const char *name, bool is_text)
{
    const char *field = is_text ? "stringData" : "data";
    struct leaf_object made = { .field = field, .other = pair(a, is_text) };

    made.file = arena_printf(a, "secret-%s.yaml", name).p;
    made.text = arena_printf(a,
                             "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: ns}\n"
                             "type: kubernetes.io/tls\n%s: %s\n",
                             name, field, pair(a, is_text))
                    .p;
    return made;
}

/* ---- all of them ---- */

const char *leaf_mesh_config(struct arena *a)
{
    return read_file(a, FOLDER "mesh-config.yaml").p;
}

size_t leaf_objects(struct arena *a, struct leaf_object ret[LEAF_OBJECTS_MAX])
{
    static const struct str end = STR_INIT("\n---\n");
    struct str rest = read_file(a, FOLDER "world.yaml");
    size_t n = 0;

    while (rest.n) {
        size_t at = str_find_str(rest, end);

        CHECK(n + 2 < LEAF_OBJECTS_MAX);
        ret[n] = (struct leaf_object){
            .file = arena_printf(a, "object-%zu.yaml", n).p,
            .text = arena_printf(a, "%.*s\n", STRF(str_sub(rest, 0, at))).p,
        };
        n++;
        rest = at < rest.n ? str_from(rest, at + end.n) : STR("");
    }
    ret[n++] = secret(a, "s1", true);
    ret[n++] = secret(a, "s2", false);
    return n;
}
