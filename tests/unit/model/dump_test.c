#include "model/dump.h"

#include "unit/check.h"
#include "unit/model/random_parts.h"

static struct str dump_of(const struct part *p, struct buf *out)
{
    buf_reset(out);
    part_dump(p, out);
    return buf_str(out);
}

TEST(a_part_is_dumped_with_names_for_slots_and_places_for_origins)
{
    struct cluster *c = part_new(PART_CLUSTER, STR("outbound|80||a.b"));
    struct slots *slots = slots_new();
    struct buf out;
    struct str err;

    buf_init(&out, 4096);
    c->connect_ms = 10000;
    c->lb = LB_ROUND_ROBIN;
    c->http2 = true;
    c->service.host = STR("a.b");
    c->hosts = slots_of(slots, PART_HOSTS, STR("h\"1"));
    part_origin(&c->part, (struct origin){ .kind = ORIGIN_FILE,
                                           .line = 3,
                                           .col = 5,
                                           .file = STR("x.yaml"),
                                           .object = STR("Service a/b"),
                                           .path = STR("spec.ports[0]") });
    CHECK(part_finish(&c->part, &err));
    c->part.hash = 0xabc;
    CHECK_STRZ(dump_of(&c->part, &out),
               "{\"kind\":\"cluster\",\"name\":\"outbound|80||a.b\",\"hash\":\"0000000000000abc\","
               "\"made_from\":{\"object\":\"Service a/b\",\"path\":\"spec.ports[0]\","
               "\"at\":\"x.yaml:3:5\"},\"hosts\":\"h\\\"1\",\"lb\":\"ROUND_ROBIN\",\"http2\":true,"
               "\"connect_ms\":10000,\"service\":{\"host\":\"a.b\"}}");
    part_unref(&c->part);
    slots_free(slots);
    buf_fini(&out);
}

TEST(keys_are_never_dumped)
{
    struct secret *s = part_new(PART_SECRET, STR("s"));
    struct buf out;

    buf_init(&out, 4096);
    s->key_pem = STR("-----BEGIN PRIVATE KEY-----");
    s->chain_pem = STR("-----BEGIN CERTIFICATE----------BEGIN PRIVATE KEY-----");
    part_dump(&s->part, &out);
    CHECK(str_find_str(buf_str(&out), STR("PRIVATE")) == out.n);
    CHECK(str_find_str(buf_str(&out), STR("\"key_pem\":\"[redacted]\"")) < out.n);
    CHECK(str_find_str(buf_str(&out), STR("\"chain_pem\":\"[redacted]\"")) < out.n);
    part_unref(&s->part);
    buf_fini(&out);
}

TEST(a_root_is_dumped_whole_or_by_kind)
{
    struct root_edit *e = root_edit_new(NULL);
    struct root *r;
    struct buf out;
    struct str err;

    for (uint32_t kind = 0; kind < 2; kind++) {
        struct part *p = part_new(kind, STR("x"));

        CHECK(part_finish(p, &err));
        root_edit_set(e, p);
    }
    r = root_edit_finish(e);
    buf_init(&out, 1 << 20);
    root_dump(r, PART_KINDS, &out);
    CHECK(str_starts(buf_str(&out), STR("{\"generation\":1,\"hash\":\"")));
    CHECK(str_find_str(buf_str(&out), STR("\"kind\":\"listener\"")) < out.n);
    CHECK(str_find_str(buf_str(&out), STR("},\n{\"kind\":\"chain\"")) < out.n);
    buf_reset(&out);
    root_dump(r, PART_CHAIN, &out);
    CHECK(str_find_str(buf_str(&out), STR("\"kind\":\"listener\"")) == out.n);
    CHECK(str_find_str(buf_str(&out), STR("\"kind\":\"chain\"")) < out.n);
    buf_fini(&out);
    root_unref(r);
}
