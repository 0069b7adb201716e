#include "echo/answer.h"

#include "base/jsontext.h"
#include "codec/url.h"
#include "echo/page.h"

#define BODY_MAX (1u << 20)

const struct str echo_filling = STR_INIT(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n");

static struct str protocol_text(const struct head *h)
{
    static const struct str texts[] = { [HTTP_10] = STR_INIT("HTTP/1.0"),
                                        [HTTP_11] = STR_INIT("HTTP/1.1"),
                                        [HTTP_2] = STR_INIT("HTTP/2") };

    return h->version < LEN(texts) ? texts[h->version] : STR("HTTP");
}

static void write_line(struct buf *b, const char *key, struct str value)
{
    buf_printf(b, "%s=", key);
    buf_add(b, value);
    buf_addc(b, '\n');
}

static void write_text(struct buf *b, const struct echo_identity *who,
                       const struct echo_request *rq)
{
    const struct head *h = rq->head;
    char remote[ADDR_TEXT_MAX];

    write_line(b, "Name", who->name);
    write_line(b, "Version", who->version);
    write_line(b, "Method", h->method);
    write_line(b, "Path", h->path);
    write_line(b, "Protocol", protocol_text(h));
    write_line(b, "Host", h->authority);
    write_line(b, "RemoteAddress", addr_format(&rq->remote, remote));
    for (uint32_t i = 0; i < h->headers.n; i++) {
        buf_add(b, STR("RequestHeader="));
        buf_add(b, h->headers.v[i].name);
        buf_add(b, STR(": "));
        buf_add(b, h->headers.v[i].value);
        buf_addc(b, '\n');
    }
    buf_printf(b, "Body octets=%llu\n", (unsigned long long)rq->body_octets);
}

static void write_member(struct buf *b, const char *key, struct str value)
{
    buf_printf(b, "\"%s\":", key);
    json_add_string(b, value);
    buf_addc(b, ',');
}

static void write_json(struct buf *b, const struct echo_identity *who,
                       const struct echo_request *rq)
{
    const struct head *h = rq->head;
    char remote[ADDR_TEXT_MAX];

    buf_addc(b, '{');
    write_member(b, "name", who->name);
    write_member(b, "version", who->version);
    write_member(b, "method", h->method);
    write_member(b, "path", h->path);
    write_member(b, "protocol", protocol_text(h));
    write_member(b, "host", h->authority);
    write_member(b, "remoteAddress", addr_format(&rq->remote, remote));
    buf_add(b, STR("\"requestHeaders\":["));
    for (uint32_t i = 0; i < h->headers.n; i++) {
        buf_add(b, i ? STR(",{") : STR("{"));
        write_member(b, "name", h->headers.v[i].name);
        buf_add(b, STR("\"value\":"));
        json_add_string(b, h->headers.v[i].value);
        buf_addc(b, '}');
    }
    buf_printf(b, "],\"bodyOctets\":%llu}\n", (unsigned long long)rq->body_octets);
}

/* The first of the types we have that Accept names; text where it names none of them. */
static bool accepts(const struct head *h, struct str type)
{
    const struct header *one = headers_find(&h->headers, HDR_ACCEPT);

    for (; one; one = headers_next(&h->headers, one)) {
        struct str rest = one->value, token;

        while (header_token_next(&rest, &token)) {
            if (str_eq_nocase(str_trim(str_cut(&token, ';')), type))
                return true;
        }
    }
    return false;
}

static struct str write_body(struct buf *b, const struct echo_identity *who,
                             const struct echo_request *rq, const struct echo_steer *steer)
{
    struct str path, query;

    url_path_split(rq->head->path, &path, &query);
    if (accepts(rq->head, STR("application/json"))) {
        write_json(b, who, rq);
        return STR("application/json");
    }
    if (echo_path_is_picture(path)) {
        echo_picture_write(b, who);
        return STR("image/svg+xml");
    }
    if (accepts(rq->head, STR("text/html"))) {
        echo_page_write(b, who, rq, steer->resources);
        return STR("text/html; charset=utf-8");
    }
    write_text(b, who, rq);
    return STR("text/plain; charset=utf-8");
}

static void head_fill(struct head *head, uint16_t status, struct str type, struct arena *a)
{
    head->version = HTTP_11;
    head->status = status;
    head->reason = status_reason(status);
    headers_add_id(&head->headers, a, HDR_CONTENT_TYPE, type);
    headers_add_id(&head->headers, a, HDR_CACHE_CONTROL, STR("no-store"));
}

/* An answer of the echo server's own: the request was not understood. */
static void answer_refuse(uint16_t status, struct str why, struct arena *a, struct echo_answer *ret)
{
    *ret = (struct echo_answer){ .head = head_new(a), .body = why };
    head_fill(ret->head, status, STR("text/plain; charset=utf-8"), a);
    ret->head->content_length = (int64_t)why.n;
}

static void answer_frame(struct echo_answer *ret, struct echo_steer *steer,
                         const struct echo_request *rq, struct arena *a)
{
    struct head *head = ret->head;

    head->content_length = (int64_t)(steer->has_size ? steer->size : ret->body.n);
    if (steer->trailers.n) {
        ret->trailers = ARENA_NEW(a, struct headers);
        *ret->trailers = steer->trailers;
        head->content_length = -1;
    }
    if (response_has_body(rq->head->method, head->status))
        return;
    if (head->status != 204 && !ret->trailers) /* what a GET would have had (RFC 9110, 8.6) */
        headers_add_id(&head->headers, a, HDR_CONTENT_LENGTH,
                       arena_printf(a, "%lld", (long long)head->content_length));
    ret->body = STR_NONE;
    ret->fill = 0;
    ret->trailers = NULL;
    head->content_length = 0;
}

void echo_answer_build(const struct echo_identity *who, const struct echo_request *rq,
                       struct arena *a, struct echo_answer *ret)
{
    struct echo_steer steer;
    struct str path, query, why, type;
    struct buf b;

    url_path_split(rq->head->path, &path, &query);
    if (!echo_steer_parse(query, a, &steer, &why)) {
        answer_refuse(400, why, a, ret);
        return;
    }
    if (str_eq_nocase(rq->head->upgrade, STR("websocket")) ||
        (str_is_set(rq->head->upgrade) && rq->head->version == HTTP_2)) { /* 200 would be a yes */
        answer_refuse(501, STR("lateen echo: WebSocket: not built yet\n"), a, ret);
        return;
    }
    *ret = (struct echo_answer){ .head = head_new(a),
                                 .delay_ms = steer.delay_ms,
                                 .close = steer.close,
                                 .reset_at_head = steer.reset_at_head };
    buf_init(&b, BODY_MAX);
    if (steer.has_size) {
        ret->fill = steer.size;
        type = STR("text/plain; charset=utf-8");
    } else {
        type = write_body(&b, who, rq, &steer);
        ret->body = arena_dup(a, buf_str(&b));
    }
    buf_fini(&b);
    head_fill(ret->head, steer.status, type, a);
    headers_share(&ret->head->headers, a, &steer.headers);
    answer_frame(ret, &steer, rq, a);
}
