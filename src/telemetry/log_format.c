#include "telemetry/log_format.h"

#include "telemetry/log_pen.h"

#define FORMAT_MAX (1 << 20) /* octets of one format */

/* Istio's defaults (istio-api facts 6.3). */
static const struct str default_text = STR_INIT(
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%");
static const struct str default_json = STR_INIT(
    "{\"start_time\":\"%START_TIME%\","
    "\"route_name\":\"%ROUTE_NAME%\","
    "\"method\":\"%REQ(:METHOD)%\","
    "\"path\":\"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%\","
    "\"protocol\":\"%PROTOCOL%\","
    "\"response_code\":\"%RESPONSE_CODE%\","
    "\"response_flags\":\"%RESPONSE_FLAGS%\","
    "\"response_code_details\":\"%RESPONSE_CODE_DETAILS%\","
    "\"connection_termination_details\":\"%CONNECTION_TERMINATION_DETAILS%\","
    "\"bytes_received\":\"%BYTES_RECEIVED%\","
    "\"bytes_sent\":\"%BYTES_SENT%\","
    "\"duration\":\"%DURATION%\","
    "\"upstream_service_time\":\"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%\","
    "\"x_forwarded_for\":\"%REQ(X-FORWARDED-FOR)%\","
    "\"user_agent\":\"%REQ(USER-AGENT)%\","
    "\"request_id\":\"%REQ(X-REQUEST-ID)%\","
    "\"authority\":\"%REQ(:AUTHORITY)%\","
    "\"upstream_host\":\"%UPSTREAM_HOST%\","
    "\"upstream_cluster\":\"%UPSTREAM_CLUSTER_RAW%\","
    "\"upstream_local_address\":\"%UPSTREAM_LOCAL_ADDRESS%\","
    "\"downstream_local_address\":\"%DOWNSTREAM_LOCAL_ADDRESS%\","
    "\"downstream_remote_address\":\"%DOWNSTREAM_REMOTE_ADDRESS%\","
    "\"requested_server_name\":\"%REQUESTED_SERVER_NAME%\","
    "\"upstream_transport_failure_reason\":\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\"}");

/* ---- parsing ---- */

/* Index of the percent sign that ends an operator: outside its parentheses, so that a time
 * format may hold some. */
static size_t op_end(struct str s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && depth)
            depth--;
        else if (s.p[i] == '%' && depth == 0)
            return i;
    }
    return s.n;
}

bool log_piece_cut(struct str *text, struct str *ret_literal, struct str *ret_op)
{
    size_t at = str_find(*text, '%'), end;

    *ret_op = STR_NONE;
    if (at > 0) {
        *ret_literal = str_sub(*text, 0, at);
        *text = str_from(*text, at);
        return true;
    }
    *text = str_from(*text, 1);
    end = op_end(*text);
    if (end == text->n)
        return false;
    *ret_literal = end == 0 ? STR("%") : STR("");
    if (end > 0)
        *ret_op = str_sub(*text, 0, end);
    *text = str_from(*text, end + 1);
    return true;
}

static char *write_nothing(const struct log_op *op, const struct record *r, char *at,
                           struct log_pen *pen)
{
    (void)op;
    (void)r;
    (void)pen;
    return at;
}

static void add_item(struct log_builder *b, struct str literal, const struct log_op *op)
{
    struct log_format *f = b->format;
    struct log_item *item;

    f->items = arena_grow(b->arena, f->items, f->n, &f->cap, sizeof(*f->items));
    item = &f->items[f->n++];
    *item = (struct log_item){ .literal_len = literal.n, .op = *op };
    memcpy(item->literal, literal.p, literal.n);
    f->room += literal.n + LOG_VALUE_ROOM;
}

/* The literal that has gathered, and the operator. */
static void add_items(struct log_builder *b, const struct log_op *op)
{
    static const struct log_op nothing = { .write = write_nothing };
    struct str literal = buf_str(&b->literal);

    while (literal.n > LOG_LITERAL_MAX) {
        add_item(b, str_sub(literal, 0, LOG_LITERAL_MAX), &nothing);
        literal = str_from(literal, LOG_LITERAL_MAX);
    }
    add_item(b, literal, op ? op : &nothing);
    buf_reset(&b->literal);
}

bool log_builder_op(struct log_builder *b, struct str op, enum log_style style)
{
    struct log_op parsed;

    if (!log_op_parse(arena_dup(b->arena, op), style, b->arena, &parsed, &b->error))
        return false;
    add_items(b, &parsed);
    return true;
}

static bool text_parse(struct log_builder *b, struct str text)
{
    struct str literal, op;

    while (text.n) {
        if (!log_piece_cut(&text, &literal, &op)) {
            b->error = STR("an operator has no closing \"%\" (a percent sign is \"%%\")");
            return false;
        }
        buf_add(&b->literal, literal);
        if (str_is_set(op) && !log_builder_op(b, op, LOG_STYLE_TEXT))
            return false;
    }
    return true;
}

struct log_format *log_format_parse(struct str format, bool json, struct arena *arena,
                                    struct str *reterr)
{
    struct log_builder b = { .arena = arena, .format = ARENA_NEW(arena, struct log_format) };
    bool fine;

    if (format.n == 0)
        format = json ? default_json : default_text;
    if (!json && format.p[format.n - 1] == '\n')
        format.n--;
    buf_init(&b.literal, FORMAT_MAX);
    fine = json ? log_json_parse(&b, format) : text_parse(&b, format);
    buf_addc(&b.literal, '\n');
    add_items(&b, NULL);
    if (b.literal.full) {
        fine = false;
        b.error = STR("longer than 1 MiB");
    }
    buf_fini(&b.literal);
    if (fine)
        return b.format;
    *reterr = arena_printf(arena, "access log format: %.*s", STRF(b.error));
    return NULL;
}

/* ---- writing ---- */

void log_format_write(const struct log_format *f, const struct record *r, struct buf *out)
{
    struct log_pen pen = { .out = out, .begin = out->n, .room = f->room };
    char *at = buf_reserve(out, f->room);

    if (!at)
        return;
    for (const struct log_item *i = f->items, *end = i + f->n; i < end; i++) {
        memcpy(at, i->literal, LOG_LITERAL_MAX); /* what is beyond its end will be written over */
        at = i->op.write(&i->op, r, at + i->literal_len, &pen);
    }
    out->n = (size_t)(at - out->p);
}
