#include "proxy/admin_walk.h"

#include "base/jsontext.h"
#include "codec/regex.h"

#define PIECE_OCTETS (32 * 1024)
#define PIECE_STEPS 500

static bool walk_more(struct admin_call *c)
{
    struct admin_walk *w = c->page_state;

    for (int i = 0; i < PIECE_STEPS && c->body.n < PIECE_OCTETS; i++) {
        if (!w->step(c, w))
            return false;
    }
    return true;
}

static void walk_end(struct admin_call *c)
{
    struct admin_walk *w = c->page_state;

    if (w->origins_of)
        origin_reader_fini(&w->origins);
    regex_free(w->names);
    root_unref(w->root);
}

struct admin_walk *admin_walk_begin(struct admin_call *c,
                                    bool (*step)(struct admin_call *c, struct admin_walk *w))
{
    const struct root *root = admin_root(c);
    struct admin_walk *w;

    if (!root)
        return NULL;
    w = ARENA_NEW(c->arena, struct admin_walk);
    w->root = root_ref((struct root *)(uintptr_t)root);
    w->step = step;
    c->more = walk_more;
    c->end = walk_end;
    c->page_state = w;
    return w;
}

const struct part *admin_walk_part(struct admin_walk *w, enum part_kind kind)
{
    slot_id end = root_slots(w->root, kind);

    for (int i = 0; i < PIECE_STEPS && w->at < end; i++, w->at++) {
        const struct part *p = root_part(w->root, kind, w->at);

        if (p)
            return p;
    }
    return NULL;
}

void admin_walk_comma(struct admin_walk *w, struct buf *out)
{
    if (w->after_first)
        buf_add(out, STR(",\n"));
    w->after_first = true;
}

void json_add_pair(struct buf *b, const char *key, struct str value)
{
    buf_printf(b, "\"%s\":", key);
    json_add_string(b, value);
}

void json_add_more(struct buf *b, const char *key, struct str value)
{
    buf_addc(b, ',');
    json_add_pair(b, key, value);
}

uint32_t admin_limit(uint32_t limit)
{
    return limit ? limit : UINT32_MAX;
}

struct str admin_lb_name(const struct cluster *c)
{
    static const struct str names[] = {
        [LB_LEAST_REQUEST] = STR_INIT("LEAST_REQUEST"),
        [LB_ROUND_ROBIN] = STR_INIT("ROUND_ROBIN"),
        [LB_RANDOM] = STR_INIT("RANDOM"),
    };

    MUST(c->lb < LEN(names));
    return names[c->lb];
}

void json_add_limits(struct buf *b, const struct cluster_limits *l)
{
    buf_printf(b,
               "\"circuit_breakers\":{\"thresholds\":[{\"max_connections\":%u,"
               "\"max_pending_requests\":%u,\"max_requests\":%u,\"max_retries\":%u}]}",
               admin_limit(l->max_connections), admin_limit(l->max_pending),
               admin_limit(l->max_requests), admin_limit(l->max_retries));
}

void json_add_address(struct buf *b, const char *key, const struct addr *a, uint16_t port)
{
    char text[ADDR_TEXT_MAX];
    struct addr ip = *a;

    if (!addr_is_set(&ip))
        ip.family = 6;
    buf_printf(b, "%s:{\"socket_address\":{", key);
    json_add_pair(b, "address", addr_format_ip(&ip, text));
    buf_printf(b, ",\"port_value\":%u}}", port);
}
