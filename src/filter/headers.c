#include "filter/headers.h"

enum verb { VERB_SET, VERB_ADD, VERB_REMOVE, VERB_HOST };

struct header_op {
    bool is_response;
    uint8_t verb; /* enum verb */
    struct str name, value;
};

struct header_ops {
    struct header_op *v;
    size_t n, cap;
};

static bool verb_of(struct str word, uint8_t *ret)
{
    static const struct str words[] = { STR_INIT("set"), STR_INIT("add"), STR_INIT("remove"),
                                        STR_INIT("host") };

    for (size_t i = 0; i < LEN(words); i++) {
        if (str_eq(word, words[i])) {
            *ret = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool op_read(struct str line, struct header_op *ret)
{
    struct str rest = line;
    struct str side = str_cut(&rest, ' ');
    struct str verb = str_cut(&rest, ' ');

    ret->is_response = str_eq(side, STR("response"));
    if ((!ret->is_response && !str_eq(side, STR("request"))) || !verb_of(verb, &ret->verb))
        return false;
    ret->name = ret->verb == VERB_HOST ? STR("host") : str_cut(&rest, ':');
    ret->value = str_trim(rest);
    return header_name_is_valid(ret->name) && header_value_is_valid(ret->value);
}

static const void *headers_config_read(struct str octets, struct arena *a, struct str *reterr)
{
    struct header_ops *ops = ARENA_NEW(a, struct header_ops);
    struct str rest = arena_dup(a, octets);

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        struct header_op op = { 0 };

        if (line.n == 0)
            continue;
        if (!op_read(line, &op)) {
            *reterr = arena_printf(a, "headers: cannot read \"%.*s\"", STRF(line));
            return NULL;
        }
        ops->v = arena_grow(a, ops->v, ops->n, &ops->cap, sizeof(*ops->v));
        ops->v[ops->n++] = op;
    }
    return ops;
}

static void apply(const struct header_ops *ops, bool is_response, struct headers *list,
                  struct arena *a)
{
    for (size_t i = 0; i < ops->n; i++) {
        if (ops->v[i].is_response == is_response && ops->v[i].verb == VERB_REMOVE)
            headers_remove_name(list, ops->v[i].name);
    }
    for (size_t i = 0; i < ops->n; i++) {
        const struct header_op *op = &ops->v[i];

        if (op->is_response != is_response || op->value.n == 0)
            continue;
        if (op->verb == VERB_SET)
            headers_set(list, a, op->name, op->value);
        else if (op->verb == VERB_ADD)
            headers_add(list, a, op->name, op->value);
    }
}

static void change_host(const struct header_ops *ops, struct head *head, struct arena *a)
{
    for (size_t i = 0; i < ops->n; i++) {
        if (ops->v[i].verb != VERB_HOST)
            continue;
        headers_set_id(&head->headers, a, HDR_X_ENVOY_ORIGINAL_HOST, head->authority);
        headers_set_id(&head->headers, a, HDR_HOST, ops->v[i].value);
        head->authority = ops->v[i].value;
    }
}

static enum flow headers_request_head(struct stream *s, const void *config, void *state)
{
    (void)state;
    apply(config, false, &s->request->headers, s->arena);
    change_host(config, s->request, s->arena);
    return FLOW_NEXT;
}

static enum flow headers_response_head(struct stream *s, const void *config, void *state)
{
    (void)state;
    if (!s->is_sealed)
        apply(config, true, &s->response->headers, s->arena);
    return FLOW_NEXT;
}

const struct filter_kind filter_headers = {
    .name = "headers",
    .config_read = headers_config_read,
    .request_head = headers_request_head,
    .response_head = headers_response_head,
};
