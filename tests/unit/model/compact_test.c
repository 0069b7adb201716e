#include "model/origins.h"
#include "model/parts.h"

#include "unit/check.h"

/* Two routes whose strings are alike, a redirect behind a pointer, and origins. */
TEST(a_virtual_host_is_packed_with_equal_strings_once)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("a-virtual-host"));
    struct arena *a = vhost->part.arena;
    struct str err = STR_NONE;

    vhost->routes.n = 2;
    vhost->routes.v = ARENA_ARRAY(a, struct route, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct route *r = &vhost->routes.v[i];
        struct origin o = { .kind = ORIGIN_FILE, .file = STR("a.yaml"), .line = i };

        r->name = arena_dup(a, STR("a-name-that-both-have"));
        r->match.path = (struct text_matcher){ .how = TEXT_PREFIX };
        r->match.path.value = arena_printf(a, "/p%u", i);
        r->action = ACTION_REDIRECT;
        r->redirect = ARENA_NEW(a, struct redirect);
        r->redirect->path = arena_dup(a, r->match.path.value);
        r->redirect->scheme = STR("");
        r->origin = part_origin(&vhost->part, o);
    }
    CHECK(part_finish(&vhost->part, &err));
    CHECK(vhost->part.arena != a);
    CHECK_STRZ(vhost->part.name, "a-virtual-host");
    CHECK(vhost->routes.v[0].name.p == vhost->routes.v[1].name.p);
    CHECK_STRZ(vhost->routes.v[1].name, "a-name-that-both-have");
    for (uint32_t i = 0; i < 2; i++) {
        const struct route *r = &vhost->routes.v[i];

        CASE(i);
        CHECK_STRZ(r->match.path.value, i ? "/p1" : "/p0");
        CHECK_STR(r->redirect->path, r->match.path.value);
        CHECK(str_is_set(r->redirect->scheme) && !str_is_set(r->redirect->authority));
        CHECK_STRZ(part_origin_get(&vhost->part, r->origin, vhost->part.arena).file, "a.yaml");
        CHECK_EQ(part_origin_get(&vhost->part, r->origin, vhost->part.arena).line, i);
    }
    part_unref(&vhost->part);
}

TEST(a_route_without_its_answer_is_refused)
{
    static const uint8_t actions[] = { ACTION_REDIRECT, ACTION_DIRECT_RESPONSE };

    for (size_t i = 0; i < LEN(actions); i++) {
        struct vhost *vhost = part_new(PART_VHOST, STR("v"));
        struct str err = STR_NONE;

        vhost->routes.n = 1;
        vhost->routes.v = ARENA_NEW(vhost->part.arena, struct route);
        vhost->routes.v[0].action = actions[i];
        CASE(i);
        CHECK(!part_finish(&vhost->part, &err));
        CHECK(err.n > 0);
        part_unref(&vhost->part);
    }
}
