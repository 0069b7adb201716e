#include "cli/control_int.h"

#include "ca/ca.h"
#include "cli/file.h"
#include "cli/host.h"
#include "cli/say.h"
#include "echo/standin.h"

#include <stdlib.h>

#define MESH_CONFIG_MAX (4u << 20)

static bool read_mesh_config(struct control *c, struct str *ret)
{
    struct str why;

    *ret = STR_NONE;
    if (!c->o.run->mesh_config.n)
        return true;
    if (file_read(c->o.run->mesh_config, MESH_CONFIG_MAX, &c->arena, ret, &why))
        return true;
    say_err("lateen run: %.*s: %.*s\n", STRF(c->o.run->mesh_config), STRF(why));
    return false;
}

static struct str_map labels_map(struct control *c)
{
    const struct flag_pairs *labels = &c->o.run->labels;
    struct str_map map = { ARENA_ARRAY(&c->arena, struct str_entry, labels->n + 1), labels->n };

    for (size_t i = 0; i < labels->n; i++)
        map.v[i] = (struct str_entry){ labels->v[i].key, labels->v[i].value };
    return map;
}

static struct addr bind_of(const struct run_options *o)
{
    if (addr_is_set(&o->bind) || !o->dev)
        return o->bind;
    return (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
}

static bool dev_open(struct control *c)
{
    struct str why;
    enum err e;

    c->ca = ca_open(c->state_dir, loop_wall_ms(c->o.loop), &e, &why);
    if (!c->ca) {
        say_err("lateen run: the local CA: %.*s\n", STRF(why));
        return false;
    }
    c->ca_path = ca_root_path(c->ca);
    c->standins = standins_new();
    return true;
}

static void compiler_begin(struct control *c, struct str mesh_config)
{
    c->compiler_options = (struct compiler_options){
        .run = c->o.run,
        .labels = labels_map(c),
        .mesh_config = mesh_config,
        .bind = bind_of(c->o.run),
        .state_dir = c->state_dir,
        .ca_path = c->ca_path,
        .keeper = c->o.keeper,
        .standins = c->standins,
        .ca = c->ca,
        .feed = c->o.feed,
        .images = c->o.images,
        .rounds_before = c->o.rounds_before,
        .main = c->o.loop,
        .arrived = control_report,
        .arg = c,
    };
    c->compiler = compiler_start(&c->compiler_options);
}

static bool begin(struct control *c)
{
    struct str mesh_config, why;

    if (!read_mesh_config(c, &mesh_config))
        return false;
    if (!host_state_dir(c->o.run->state, &c->arena, &c->state_dir, &why)) {
        say_err("lateen run: %.*s\n", STRF(why));
        return false;
    }
    if (c->o.run->dev && !dev_open(c))
        return false;
    compiler_begin(c, mesh_config);
    return true;
}

struct control *control_new(const struct control_options *o)
{
    struct control *c = must_alloc(sizeof(*c));

    c->o = *o;
    c->has_told = o->is_back;
    arena_init(&c->arena, 4096);
    if (begin(c))
        return c;
    control_free(c);
    return NULL;
}

void control_rescan(struct control *c)
{
    compiler_rescan(c->compiler);
}

void control_stop(struct control *c)
{
    if (!c)
        return;
    c->is_stopped = true;
    compiler_stop(c->compiler);
    loop_turn(c->o.loop, 0); /* reports that were under way */
    control_forget_reports(c);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    standins_free(c->standins);
    ca_free(c->ca);
    arena_fini(&c->arena);
    free(c);
}
