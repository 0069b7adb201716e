/*
 * answer/explain_json - an explanation for programs: one JSON object.
 */
#include "answer/explain.h"

#include "base/jsontext.h"
#include "telemetry/flags.h"

static void add_key(struct buf *b, const char *key)
{
    if (b->n && b->p[b->n - 1] != '{')
        buf_addc(b, ',');
    json_add_string(b, str_of(key));
    buf_addc(b, ':');
}

static void add_text(struct buf *b, const char *key, struct str text)
{
    add_key(b, key);
    json_add_string(b, text);
}

static void add_bool(struct buf *b, const char *key, bool v)
{
    add_key(b, key);
    buf_add(b, v ? STR("true") : STR("false"));
}

static void add_origin(struct buf *b, const char *key, const struct origin *o, struct str field,
                       struct arena *a)
{
    if (!o || (!o->file.n && !o->object.n))
        return;
    add_key(b, key);
    buf_addc(b, '{');
    add_text(b, "object", o->object);
    add_text(b, "field", arena_printf(a, "%.*s%.*s", STRF(o->path), STRF(field)));
    if (o->file.n) {
        add_text(b, "file", o->file);
        buf_printf(b, ",\"line\":%u,\"column\":%u", o->line, MAX(o->col, 1));
    }
    buf_addc(b, '}');
}

static void add_steps(const struct explanation *x, struct buf *b, const char *key,
                      const struct explain_list *list)
{
    add_key(b, key);
    buf_addc(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        const struct explain_step *s = &list->v[i];

        buf_add(b, i ? STR(",\n  {") : STR("\n  {"));
        if (s->name)
            add_text(b, "step", str_of(s->name));
        add_text(b, "text", s->text);
        add_origin(b, "origin", s->origin, s->field, x->arena);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
}

static void add_refusal(struct buf *b, const struct refusal *r)
{
    char room[FLAGS_TEXT_MAX];

    if (!r)
        return;
    add_key(b, "refused");
    buf_printf(b, "{\"status\":%u,\"flags\":\"%.*s\",\"details\":\"%s\"}", r->status,
               STRF(flags_format(r->flags, room)), r->details);
}

static void add_endpoint(const struct explanation *x, struct buf *b,
                         const struct explain_endpoint *e)
{
    char room[ADDR_TEXT_MAX];

    buf_addc(b, '{');
    add_text(b, "address", addr_format(&e->endpoint->addr, room));
    add_text(b, "workload", e->endpoint->workload);
    add_text(b, "version", e->endpoint->version);
    buf_printf(b, ",\"weight\":%u", e->endpoint->weight);
    add_bool(b, "healthy", e->endpoint->healthy);
    add_origin(b, "origin", e->origin, STR_NONE, x->arena);
    buf_addc(b, '}');
}

static void add_target(const struct explanation *x, struct buf *b, const struct explain_target *t)
{
    buf_addc(b, '{');
    add_text(b, "cluster", t->destination->cluster_name);
    buf_printf(b, ",\"weight\":%u,\"percent\":%.6g", t->destination->weight, t->percent);
    add_refusal(b, t->refused);
    add_origin(b, "origin", t->origin, STR_NONE, x->arena);
    add_origin(b, "clusterOrigin", t->cluster_origin, STR_NONE, x->arena);
    if (t->hosts)
        add_text(b, "endpointsFrom", t->hosts->source);
    buf_add(b, STR(",\"endpoints\":["));
    for (size_t i = 0; i < t->endpoint_count; i++) {
        buf_add(b, i ? STR(",\n    ") : STR("\n    "));
        add_endpoint(x, b, &t->endpoints[i]);
    }
    buf_add(b, STR("]}"));
}

static void add_answer(const struct explanation *x, struct buf *b)
{
    char room[FLAGS_TEXT_MAX];

    add_key(b, "answer");
    buf_addc(b, '{');
    add_bool(b, "answered", x->is_answered);
    add_text(b, "kind", str_of(explain_kind_name(x->kind)));
    add_text(b, "stage", str_of(explain_stage_name(x->stage)));
    if (x->status)
        buf_printf(b, ",\"status\":%u", x->status);
    if (x->details)
        add_text(b, "details", str_of(x->details));
    if (x->flags)
        add_text(b, "flags", flags_format(x->flags, room));
    add_text(b, "text", x->text);
    buf_addc(b, '}');
}

void explain_json(const struct explanation *x, struct buf *b)
{
    buf_add(b, STR("{\"request\":{"));
    add_text(b, "method", x->ask->method);
    add_text(b, "url", x->ask->url);
    add_text(b, "authority", x->ask->authority);
    if (str_is_set(x->decision.path))
        add_text(b, "path", x->decision.path);
    buf_addc(b, '}');
    add_answer(x, b);
    add_steps(x, b, "steps", &x->steps);
    add_key(b, "destinations");
    buf_addc(b, '[');
    for (size_t i = 0; i < x->target_count; i++) {
        buf_add(b, i ? STR(",\n  ") : STR("\n  "));
        add_target(x, b, &x->targets[i]);
    }
    buf_addc(b, ']');
    add_steps(x, b, "nearMisses", &x->misses);
    buf_printf(b, ",\"nearMissesLeftOut\":%zu}\n", x->misses.left_out);
}
