#include "cli/flags.h"

#include "base/nearest.h"
#include "base/when.h"
#include "codec/scalar.h"

/* ---- types ---- */

static bool parse_bool(struct str v, void *target, struct arena *arena, struct buf *why)
{
    bool *into = target;

    (void)arena;
    if (str_eq(v, STR("true")) || str_eq(v, STR("1")) || str_eq(v, STR("yes"))) {
        *into = true;
        return true;
    }
    if (str_eq(v, STR("false")) || str_eq(v, STR("0")) || str_eq(v, STR("no"))) {
        *into = false;
        return true;
    }
    buf_printf(why, "'%.*s' is neither true nor false", STRF(v));
    return false;
}
const struct flag_type flag_bool = { .is_switch = true, .parse = parse_bool };

static bool parse_switch(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_on *into = target;

    into->is_set = true;
    return parse_bool(v, &into->on, arena, why);
}
const struct flag_type flag_switch = { .is_switch = true, .parse = parse_switch };

static bool parse_str(struct str v, void *target, struct arena *arena, struct buf *why)
{
    (void)arena;
    (void)why;
    *(struct str *)target = v;
    return true;
}
const struct flag_type flag_str = { .parse = parse_str };

static bool parse_str_list(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_strs *list = target;

    if (v.n == 0) {
        buf_add(why, STR("is empty"));
        return false;
    }
    list->v = arena_grow(arena, list->v, list->n, &list->cap, sizeof(*list->v));
    list->v[list->n++] = v;
    return true;
}
const struct flag_type flag_str_list = { .parse = parse_str_list };

static bool parse_labels(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_pairs *list = target;

    while (str_is_set(v)) {
        struct str value = str_cut(&v, ',');
        struct str key = str_cut(&value, '=');

        if (key.n == 0 || !str_is_set(value)) {
            buf_add(why, STR("wants key=value,key=value"));
            return false;
        }
        list->v = arena_grow(arena, list->v, list->n, &list->cap, sizeof(*list->v));
        list->v[list->n++] = (struct flag_pair){ str_trim(key), str_trim(value) };
    }
    return true;
}
const struct flag_type flag_labels = { .parse = parse_labels };

static bool parse_port(struct str v, bool zero_ok, uint16_t *ret, struct buf *why)
{
    uint64_t n;

    if (!str_u64(v, &n) || n > 65535 || (n == 0 && !zero_ok)) {
        buf_printf(why, "'%.*s' is no port (%d to 65535)", STRF(v), zero_ok ? 0 : 1);
        return false;
    }
    *ret = (uint16_t)n;
    return true;
}

static void ports_add(struct flag_ports *list, struct arena *arena, struct flag_port port)
{
    list->v = arena_grow(arena, list->v, list->n, &list->cap, sizeof(*list->v));
    list->v[list->n++] = port;
}

static bool parse_port_map(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_ports *list = target;
    struct flag_port port;
    struct str from = str_cut(&v, '=');

    if (!str_is_set(v)) {
        buf_printf(why, "wants N=M: the Gateway's port and the one to bind, as in 80=8080");
        return false;
    }
    if (!parse_port(from, false, &port.from, why) || !parse_port(v, true, &port.to, why))
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].from == port.from) {
            buf_printf(why, "port %u is mapped twice", port.from);
            return false;
        }
    }
    ports_add(list, arena, port);
    return true;
}
const struct flag_type flag_port_map = { .parse = parse_port_map };

static bool parse_port_list(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_port port = { 0 };

    if (!parse_port(v, true, &port.to, why))
        return false;
    ports_add(target, arena, port);
    return true;
}
const struct flag_type flag_port_list = { .parse = parse_port_list };

static bool parse_count(struct str v, void *target, struct arena *arena, struct buf *why)
{
    uint64_t n;

    (void)arena;
    if (!str_u64(v, &n) || n == 0 || n > 1024) {
        buf_printf(why, "'%.*s' is no number from 1 to 1024", STRF(v));
        return false;
    }
    *(uint32_t *)target = (uint32_t)n;
    return true;
}
const struct flag_type flag_count = { .parse = parse_count };

static bool parse_number(struct str v, void *target, struct arena *arena, struct buf *why)
{
    uint64_t n;

    (void)arena;
    if (!str_u64(v, &n) || n == 0 || n > UINT32_MAX) {
        buf_printf(why, "'%.*s' is no number above 0", STRF(v));
        return false;
    }
    *(uint32_t *)target = (uint32_t)n;
    return true;
}
const struct flag_type flag_number = { .parse = parse_number };

static bool parse_size(struct str v, void *target, struct arena *arena, struct buf *why)
{
    uint64_t n;

    (void)arena;
    if (!size_parse(v, &n) || n == 0) {
        buf_printf(why, "'%.*s' is no size such as 256Mi, 1Gi, 500M", STRF(v));
        return false;
    }
    *(uint64_t *)target = n;
    return true;
}
const struct flag_type flag_size = { .parse = parse_size };

static bool parse_duration(struct str v, void *target, struct arena *arena, struct buf *why)
{
    int64_t ns;

    (void)arena;
    if (!duration_parse(v, &ns) || ns < 0) {
        buf_printf(why, "'%.*s' is no duration such as 30s, 1m30s, 500ms", STRF(v));
        return false;
    }
    *(struct flag_ms *)target = (struct flag_ms){ true, (uint64_t)ns / 1000000 };
    return true;
}
const struct flag_type flag_duration = { .parse = parse_duration };

static bool parse_address(struct str v, void *target, struct arena *arena, struct buf *why)
{
    struct flag_addr *into = target;
    struct addr addr;

    (void)arena;
    if (str_eq(v, STR("off"))) {
        *into = (struct flag_addr){ .is_set = true, .is_off = true };
        return true;
    }
    if (!addr_parse(v, &addr)) {
        buf_printf(why, "'%.*s' is neither ADDR:PORT (127.0.0.1:15000) nor off", STRF(v));
        return false;
    }
    *into = (struct flag_addr){ .is_set = true, .addr = addr };
    return true;
}
const struct flag_type flag_address = { .parse = parse_address };

static bool parse_ip(struct str v, void *target, struct arena *arena, struct buf *why)
{
    (void)arena;
    if (addr_parse_ip(v, target))
        return true;
    buf_printf(why, "'%.*s' is no IP address", STRF(v));
    return false;
}
const struct flag_type flag_ip = { .parse = parse_ip };

const struct flag_type flag_unbuilt = { .is_known_only = true };
const struct flag_type flag_unbuilt_switch = { .is_known_only = true, .is_switch = true };

/* ---- parsing ---- */

struct parsing {
    struct flag_table flags;
    const char *const *argv;
    size_t n, at; /* argv[at] is next */
    void *options;
    struct arena *arena;
    struct buf *why;
};

static const struct flag *find_long(struct flag_table flags, struct str name)
{
    for (size_t i = 0; i < flags.n; i++) {
        if (str_eq(str_of(flags.v[i].name), name))
            return &flags.v[i];
    }
    return NULL;
}

static const struct flag *find_short(struct flag_table flags, char letter)
{
    for (size_t i = 0; i < flags.n; i++) {
        if (flags.v[i].letter == letter)
            return &flags.v[i];
    }
    return NULL;
}

static enum flags_result unknown_long(struct parsing *p, struct str name)
{
    struct nearest best = { STR_NONE, 0 };

    for (size_t i = 0; i < p->flags.n; i++)
        nearest_offer(&best, name, str_of(p->flags.v[i].name));
    nearest_offer(&best, name, STR("help"));
    buf_printf(p->why, "unknown flag --%.*s", STRF(name));
    if (str_is_set(best.name))
        buf_printf(p->why, "; did you mean --%.*s?", STRF(best.name));
    return FLAGS_WRONG;
}

static bool choice_is_among(struct str value, struct str choices)
{
    while (str_is_set(choices)) {
        if (str_eq(str_cut(&choices, '|'), value))
            return true;
    }
    return false;
}

static enum flags_result flag_set(struct parsing *p, const struct flag *f, struct str value)
{
    if (f->choices && !choice_is_among(value, str_of(f->choices))) {
        buf_printf(p->why, "--%s: '%.*s' is none of %s", f->name, STRF(value), f->choices);
        return FLAGS_WRONG;
    }
    buf_printf(p->why, "--%s: ", f->name);
    if (!f->type->parse(value, (char *)p->options + f->offset, p->arena, p->why))
        return FLAGS_WRONG;
    buf_reset(p->why);
    return FLAGS_FINE;
}

/* `attached` is the value behind `=`, or STR_NONE. */
static enum flags_result flag_take(struct parsing *p, const struct flag *f, struct str attached)
{
    if (f->type->is_known_only) {
        buf_printf(p->why, "--%s: not built yet", f->name);
        return FLAGS_UNBUILT;
    }
    if (!str_is_set(attached) && f->type->is_switch)
        attached = STR("true");
    if (!str_is_set(attached)) {
        if (p->at == p->n) {
            buf_printf(p->why, "--%s wants a value: %s", f->name, f->arg ? f->arg : "VALUE");
            return FLAGS_WRONG;
        }
        attached = str_of(p->argv[p->at++]);
    }
    return flag_set(p, f, attached);
}

static enum flags_result long_take(struct parsing *p, struct str text)
{
    struct str value = text;
    struct str name = str_cut(&value, '=');
    const struct flag *f = find_long(p->flags, name);

    if (f)
        return flag_take(p, f, value);
    if (str_eq(name, STR("help")))
        return FLAGS_HELP;
    return unknown_long(p, name);
}

/* One argument of short flags: switches may stand together, a value may be attached. */
static enum flags_result short_take(struct parsing *p, struct str text)
{
    while (text.n > 0) {
        const struct flag *f = find_short(p->flags, text.p[0]);
        enum flags_result r;

        if (!f && text.p[0] == 'h')
            return FLAGS_HELP;
        if (!f) {
            buf_printf(p->why, "unknown flag -%c", text.p[0]);
            return FLAGS_WRONG;
        }
        text = str_from(text, 1);
        if (!f->type->is_switch && text.n > 0) {
            if (text.p[0] == '=')
                text = str_from(text, 1);
            return flag_take(p, f, text);
        }
        r = flag_take(p, f, STR_NONE);
        if (r != FLAGS_FINE)
            return r;
    }
    return FLAGS_FINE;
}

enum flags_result flags_parse(struct flag_table flags, const char *const *argv, size_t n,
                              void *options, struct arena *arena, struct flag_strs *ret_args,
                              struct buf *why)
{
    struct parsing p = { flags, argv, n, 0, options, arena, why };
    enum flags_result r = FLAGS_FINE;
    bool ended = false;

    while (p.at < n && r == FLAGS_FINE) {
        struct str arg = str_of(argv[p.at++]);

        if (ended || arg.n < 2 || arg.p[0] != '-') {
            ret_args->v = arena_grow(arena, ret_args->v, ret_args->n, &ret_args->cap,
                                     sizeof(struct str));
            ret_args->v[ret_args->n++] = arg;
        } else if (str_eq(arg, STR("--"))) {
            ended = true;
        } else if (arg.p[1] == '-') {
            r = long_take(&p, str_from(arg, 2));
        } else {
            r = short_take(&p, str_from(arg, 1));
        }
    }
    return r;
}
