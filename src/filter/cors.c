#include "filter/cors.h"

#include "model/pattern.h"

struct cors {
    struct text_matcher *origins;
    size_t origin_n, origin_cap;
    bool any_origin;
    struct str methods, headers, expose, max_age; /* not set: no such header */
    bool credentials, forward;
};

struct cors_state {
    struct str origin; /* of the request, where it is allowed */
};

/* ---- configuration ---- */

static void cors_config_free(const void *config)
{
    const struct cors *c = config;

    for (size_t i = 0; i < c->origin_n; i++)
        pattern_drop(&c->origins[i]);
}

static bool origin_read(struct cors *c, struct str rest, struct arena *a, struct str *reterr)
{
    static const struct {
        struct str word;
        enum text_match how;
    } words[] = { { STR_INIT("exact"), TEXT_EXACT },
                  { STR_INIT("prefix"), TEXT_PREFIX },
                  { STR_INIT("regex"), TEXT_REGEX } };
    struct str word = str_cut(&rest, ' ');
    struct text_matcher m = { .value = rest };

    for (size_t i = 0; i < LEN(words); i++)
        if (str_eq(word, words[i].word))
            m.how = (uint8_t)words[i].how;
    if (m.how == TEXT_ANY || (m.how == TEXT_REGEX && !pattern_build(&m, a, reterr)))
        return false;
    c->origins = arena_grow(a, c->origins, c->origin_n, &c->origin_cap, sizeof(*c->origins));
    c->origins[c->origin_n++] = m;
    return true;
}

static bool line_read(struct cors *c, struct str line, struct arena *a, struct str *reterr)
{
    const struct {
        struct str word;
        struct str *text;
    } texts[] = { { STR("methods"), &c->methods },
                  { STR("headers"), &c->headers },
                  { STR("expose"), &c->expose },
                  { STR("max-age"), &c->max_age } };
    struct str rest = line, word = str_cut(&rest, ' ');

    if (str_eq(word, STR("origin")))
        return origin_read(c, rest, a, reterr);
    for (size_t i = 0; i < LEN(texts); i++) {
        if (!str_eq(word, texts[i].word))
            continue;
        *texts[i].text = rest;
        return header_value_is_valid(rest);
    }
    c->credentials |= str_eq(line, STR("credentials"));
    c->forward |= str_eq(line, STR("forward"));
    return str_eq(line, STR("credentials")) || str_eq(line, STR("forward"));
}

static bool is_allowed(const struct text_matcher *m, struct str origin)
{
    switch ((enum text_match)m->how) {
    case TEXT_EXACT:
        return str_eq(origin, m->value);
    case TEXT_PREFIX:
        return str_starts(origin, m->value);
    default:
        return pattern_matches(m->regex, origin);
    }
}

static const void *cors_config_read(struct str octets, struct arena *a, struct str *reterr)
{
    struct cors *c = ARENA_NEW(a, struct cors);
    struct str rest = arena_dup(a, octets);

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');

        *reterr = arena_printf(a, "cors: cannot read \"%.*s\"", STRF(line));
        if (line.n && !line_read(c, line, a, reterr)) {
            cors_config_free(c);
            return NULL;
        }
    }
    for (size_t i = 0; i < c->origin_n; i++) /* as Envoy has it: what matches "*" matches all */
        c->any_origin |= is_allowed(&c->origins[i], STR("*"));
    return c;
}

/* ---- requests ---- */

static bool origin_is_allowed(const struct cors *c, struct str origin)
{
    bool allowed = c->any_origin;

    for (size_t i = 0; i < c->origin_n && !allowed; i++)
        allowed = is_allowed(&c->origins[i], origin);
    return allowed;
}

static bool is_preflight(const struct head *head)
{
    return str_eq(head->method, STR("OPTIONS")) &&
           headers_get(&head->headers, HDR_ACCESS_CONTROL_REQUEST_METHOD).n > 0;
}

static void set_text(struct headers *h, struct arena *a, enum header_id id, struct str text)
{
    if (text.n)
        headers_set_id(h, a, id, text);
}

static void allow_credentials(const struct cors *c, struct headers *h, struct arena *a)
{
    if (c->credentials)
        headers_set_id(h, a, HDR_ACCESS_CONTROL_ALLOW_CREDENTIALS, STR("true"));
}

/* What each answer to an allowed origin has. */
static void allow(const struct cors *c, struct headers *h, struct arena *a, struct str origin)
{
    headers_set_id(h, a, HDR_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    allow_credentials(c, h, a);
    set_text(h, a, HDR_ACCESS_CONTROL_EXPOSE_HEADERS, c->expose);
}

/* Of another origin, too: without its name a browser goes no further. */
static enum flow answer_preflight(struct stream *s, const struct cors *c, struct str origin)
{
    struct headers extra = { 0 };
    struct stream_answer answer = {
        .status = 200, .details = "cors_response", .headers = &extra, .is_sealed = true
    };

    if (origin.n)
        allow(c, &extra, s->arena, origin);
    else
        allow_credentials(c, &extra, s->arena);
    set_text(&extra, s->arena, HDR_ACCESS_CONTROL_ALLOW_METHODS, c->methods);
    set_text(&extra, s->arena, HDR_ACCESS_CONTROL_ALLOW_HEADERS, c->headers);
    set_text(&extra, s->arena, HDR_ACCESS_CONTROL_MAX_AGE, c->max_age);
    s->ops->answer(s, &answer);
    return FLOW_DONE;
}

static enum flow cors_request_head(struct stream *s, const void *config, void *state)
{
    const struct cors *c = config;
    struct cors_state *st = state;
    struct str origin = headers_get(&s->request->headers, HDR_ORIGIN);

    if (!origin.n)
        return FLOW_NEXT;
    if (origin_is_allowed(c, origin))
        st->origin = origin;
    if (!is_preflight(s->request) || (!st->origin.n && c->forward))
        return FLOW_NEXT;
    return answer_preflight(s, c, st->origin);
}

static enum flow cors_response_head(struct stream *s, const void *config, void *state)
{
    const struct cors *c = config;
    const struct cors_state *st = state;

    if (st->origin.n && !s->is_sealed)
        allow(c, &s->response->headers, s->arena, st->origin);
    return FLOW_NEXT;
}

const struct filter_kind filter_cors = {
    .name = "cors",
    .state_size = sizeof(struct cors_state),
    .config_read = cors_config_read,
    .config_free = cors_config_free,
    .request_head = cors_request_head,
    .response_head = cors_response_head,
};
