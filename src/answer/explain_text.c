/*
 * answer/explain_text - an explanation for people: what was decided, one line each, and
 * under it where that is written, as editors and terminals can jump to.
 */
#include "answer/explain.h"

#include "telemetry/flags.h"

#define INDENT 13
#define ENDPOINTS_SHOWN 4

static void add_label(struct buf *b, const char *label)
{
    buf_printf(b, "%-*s", INDENT, label);
}

/* "             file:line:col: VirtualService ns/name: spec.http[0]" */
static void add_origin(struct buf *b, const struct origin *o, struct str field)
{
    if (!o || (!o->file.n && !o->object.n))
        return;
    add_label(b, "");
    if (o->file.n)
        buf_printf(b, "%.*s:%u:%u: ", STRF(o->file), o->line, MAX(o->col, 1));
    buf_printf(b, "%.*s%s%.*s%.*s\n", STRF(o->object), o->path.n ? ": " : "", STRF(o->path),
               STRF(field));
}

static void add_step(struct buf *b, const char *label, const struct explain_step *s)
{
    add_label(b, label);
    buf_add(b, s->text);
    buf_addc(b, '\n');
    add_origin(b, s->origin, s->field);
}

/* ---- destinations ---- */

static void add_endpoint(struct buf *b, const struct explain_endpoint *e)
{
    char room[ADDR_TEXT_MAX];
    const struct endpoint *at = e->endpoint;

    add_label(b, "  endpoint");
    if (addr_is_set(&at->addr))
        buf_printf(b, "%.*s%s%.*s", STRF(addr_format(&at->addr, room)),
                   at->workload.n ? " of " : "", STRF(at->workload));
    else /* not running: known by its name */
        buf_printf(b, "%.*s port %u", STRF(at->workload), at->addr.port);
    if (at->version.n)
        buf_printf(b, ", version %.*s", STRF(at->version));
    if (!at->healthy)
        buf_add(b, STR(", unhealthy"));
    buf_addc(b, '\n');
    add_origin(b, e->origin, STR_NONE);
}

static void add_endpoints(struct buf *b, const struct explain_target *t)
{
    size_t shown = MIN(t->endpoint_count, ENDPOINTS_SHOWN);

    for (size_t i = 0; i < shown; i++)
        add_endpoint(b, &t->endpoints[i]);
    if (t->endpoint_count > shown) {
        add_label(b, "  endpoint");
        buf_printf(b, "and %zu more\n", t->endpoint_count - shown);
    }
}

static void add_target(const struct explanation *x, struct buf *b, const struct explain_target *t)
{
    buf_printf(b, "%5.4g %%      ", t->percent);
    buf_add(b, words_cluster(t->destination->cluster_name, x->arena));
    if (t->refused) {
        char room[FLAGS_TEXT_MAX];

        buf_printf(b, ": %u %.*s, %s", t->refused->status,
                   STRF(flags_format(t->refused->flags, room)), t->refused->text);
    }
    buf_addc(b, '\n');
    add_origin(b, t->origin, STR_NONE);
    add_origin(b, t->cluster_origin, STR_NONE);
    add_endpoints(b, t);
}

/* ---- the whole ---- */

static void add_answer(const struct explanation *x, struct buf *b)
{
    char room[FLAGS_TEXT_MAX];

    buf_printf(b, "%.*s %.*s: ", STRF(x->ask->method), STRF(x->ask->url));
    if (x->status)
        buf_printf(b, "%u, ", x->status);
    else if (x->kind == EXPLAIN_CLOSED)
        buf_add(b, STR("no answer, "));
    buf_add(b, x->text);
    if (x->kind == EXPLAIN_REFUSED)
        buf_printf(b, " [%.*s %s]", STRF(flags_format(x->flags, room)), x->details);
    buf_addc(b, '\n');
}

void explain_text(const struct explanation *x, struct buf *b)
{
    add_answer(x, b);
    for (size_t i = 0; i < x->steps.n; i++)
        add_step(b, x->steps.v[i].name, &x->steps.v[i]);
    for (size_t i = 0; i < x->target_count; i++)
        add_target(x, b, &x->targets[i]);
    for (size_t i = 0; i < x->misses.n; i++)
        add_step(b, "near miss", &x->misses.v[i]);
    if (x->misses.left_out) {
        add_label(b, "near miss");
        buf_printf(b, "and %zu more\n", x->misses.left_out);
    }
}
