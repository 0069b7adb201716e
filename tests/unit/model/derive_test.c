#include "model/parts.h"

#include "model/image.h"
#include "tls/keypair.h"
#include "unit/check.h"
#include "unit/tls/certs.h"

TEST(a_regex_that_cannot_be_compiled_is_told)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v"));
    struct named_matcher *headers = ARENA_ARRAY(vhost->part.arena, struct named_matcher, 2);
    struct str err = STR_NONE;

    vhost->routes.v = ARENA_ARRAY(vhost->part.arena, struct route, 1);
    vhost->routes.n = 1;
    headers[0].match = (struct text_matcher){ .how = TEXT_REGEX, .value = STR("a+") };
    headers[1].match = (struct text_matcher){ .how = TEXT_REGEX, .value = STR("a(") };
    vhost->routes.v[0].match.headers.v = headers;
    vhost->routes.v[0].match.headers.n = 2;
    CHECK(!part_finish(&vhost->part, &err));
    CHECK(err.n > 0);
    part_unref(&vhost->part);
}

static uint32_t out;

static struct live_host *count_get(__attribute__((unused)) struct str cluster,
                                   const struct addr *addr)
{
    out++;
    return (struct live_host *)(uintptr_t)addr->port;
}

static void count_unref(__attribute__((unused)) struct live_host *h)
{
    out--;
}

static uint32_t block_seven(const struct endpoint *e)
{
    return e->weight + 7;
}

TEST(endpoints_hold_their_live_hosts_as_long_as_the_part_lives)
{
    struct hosts *hosts = part_new(PART_HOSTS, STR("h"));
    struct str err;

    part_hooks = (struct part_hooks){ .host_get = count_get,
                                      .host_unref = count_unref,
                                      .block_of_endpoint = block_seven };
    hosts->endpoints.v = ARENA_ARRAY(hosts->part.arena, struct endpoint, 3);
    hosts->endpoints.n = 3;
    for (uint32_t i = 0; i < 3; i++) {
        hosts->endpoints.v[i].addr.port = (uint16_t)(64 * (i + 1));
        hosts->endpoints.v[i].weight = i;
    }
    CHECK(part_finish(&hosts->part, &err));
    CHECK_EQ(out, 3);
    CHECK_EQ((uintptr_t)hosts->endpoints.v[2].live, 192);
    CHECK_EQ(hosts->endpoints.v[2].label_block, 9);
    part_unref(&hosts->part);
    CHECK_EQ(out, 0);
    part_hooks = (struct part_hooks){ 0 };
}

static bool refuse_bad(struct filter_config *fc, struct arena *a, struct str *reterr)
{
    fc->parsed = arena_dup(a, fc->config).p;
    *reterr = STR("bad");
    return !str_eq(fc->kind, STR("bad"));
}

TEST(filter_configs_are_read_once_wherever_they_stand)
{
    static const char *const kinds[] = { "router", "bad" };

    part_hooks.filter_parse = refuse_bad;
    for (size_t i = 0; i < LEN(kinds); i++) {
        struct vhost *vhost = part_new(PART_VHOST, STR("v"));
        struct filter_config *fc = ARENA_NEW(vhost->part.arena, struct filter_config);
        struct str err = STR_NONE;

        CASE(i);
        *fc = (struct filter_config){ .kind = str_of(kinds[i]), .config = STR("x") };
        vhost->routes.v = ARENA_ARRAY(vhost->part.arena, struct route, 1);
        vhost->routes.n = 1;
        vhost->routes.v[0].overrides.v = fc;
        vhost->routes.v[0].overrides.n = 1;
        CHECK_EQ(part_finish(&vhost->part, &err), i == 0);
        CHECK(vhost->routes.v[0].overrides.v[0].parsed != NULL);
        CHECK_STRZ(err, i == 0 ? "" : "bad");
        part_unref(&vhost->part);
    }
    part_hooks.filter_parse = NULL;
}

static struct secret *secret_of(struct str chain_pem, struct str key_pem)
{
    struct secret *s = part_new(PART_SECRET, STR("kubernetes://a/b"));

    s->chain_pem = arena_dup(s->part.arena, chain_pem);
    s->key_pem = arena_dup(s->part.arena, key_pem);
    return s;
}

TEST(a_secret_knows_its_names_and_its_end_also_from_an_image)
{
    struct cert ca = cert_make("ca", NULL, ISSUE_EC_P256);
    struct cert c = cert_make("a.test", &ca, ISSUE_EC_P256);
    struct secret *s = secret_of(buf_str(&c.chain_pem), buf_str(&c.key_pem)), *again;
    struct buf image;
    struct str err = STR_NONE;

    buf_init(&image, 1 << 20);
    CHECK(part_finish(&s->part, &err));
    CHECK_STR(err, STR_NONE);
    CHECK_EQ(s->not_after_ms, CERT_2090_MS);
    CHECK_EQ(s->dns_names.n, 1);
    CHECK_STRZ(s->dns_names.v[0], "a.test");
    part_write(&s->part, &image);
    again = (struct secret *)(void *)part_read(buf_str(&image), &err);
    CHECK(again && again->keypair && again->part.hash == s->part.hash);
    CHECK_STRZ(again->dns_names.v[0], "a.test");
    part_unref(&s->part);
    part_unref(&again->part);
    buf_fini(&image);
    cert_fini(&c);
    cert_fini(&ca);
}

TEST(a_secret_with_a_foreign_key_is_refused)
{
    struct cert a = cert_make("ca", NULL, ISSUE_EC_P256), b = cert_make("ca", NULL, ISSUE_EC_P256);
    struct secret *s = secret_of(buf_str(&a.chain_pem), buf_str(&b.key_pem));
    struct str err = STR_NONE;

    CHECK(!part_finish(&s->part, &err));
    CHECK(err.n > 0);
    part_unref(&s->part);
    cert_fini(&a);
    cert_fini(&b);
}
