#include "cli/certificates.h"

#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

#define LONGEST_MS (24 * 3600 * 1000)
#define DIR_MAX 8192

bool certificates_round(struct certificates *c, bool always)
{
    int64_t now_ms = loop_wall_ms(c->loop), due_ms;
    size_t n;
    bool changed, wrote;
    const struct mesh_wanted *v = mesh_wanted(c->mesh, &n, &changed);

    if (!c->desk || (!changed && !always))
        return false;
    wrote = desk_round(c->desk, v, n, now_ms);
    due_ms = desk_due_ms(c->desk);
    timer_off(&c->timer);
    if (due_ms != INT64_MAX)
        timer_set(&c->timer, (uint64_t)MIN(MAX(due_ms - now_ms, 1), LONGEST_MS));
    return wrote;
}

static void certificates_due(struct timer *t)
{
    struct certificates *c = CONTAINER_OF(t, struct certificates, timer);

    if (certificates_round(c, true))
        source_rescan(c->source);
}

void certificates_init(struct certificates *c, struct loop *loop, struct source *source,
                       struct mesh *mesh)
{
    *c = (struct certificates){ .loop = loop, .source = source, .mesh = mesh };
    timer_init(&c->timer, loop, certificates_due);
}

void certificates_fini(struct certificates *c)
{
    timer_fini(&c->timer);
    desk_free(c->desk);
}

void certificates_open(struct certificates *c, struct str state_dir)
{
    struct buf dir;

    buf_init(&dir, DIR_MAX);
    buf_printf(&dir, "%.*s/certificates", STRF(state_dir));
    c->desk = desk_new(buf_str(&dir));
    if (c->desk)
        source_add_own(c->source, buf_str(&dir));
    else
        log_error("certificates", "no Certificate can be carried out: its Secret cannot be kept",
                  KV("directory", buf_str(&dir)), KVZ("reason", strerror(errno)));
    buf_fini(&dir);
}
