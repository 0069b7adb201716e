/*
 * telemetry/log_headers - the operators that ask for headers and pseudo headers: X, or X?Y, which
 * is Y where X is missing.
 */
#include "telemetry/log_ops_int.h"
#include "telemetry/log_pen.h"

/* Pseudo headers stand behind the known headers' ids. */
enum { PSEUDO_FIELD = HDR_COUNT, PSEUDO_SCHEME, PSEUDO_STATUS };

static const struct {
    struct str name;
    uint16_t id;
    uint16_t at; /* of a PSEUDO_FIELD */
} pseudos[] = {
    { STR_INIT(":method"), PSEUDO_FIELD, offsetof(struct record, method) },
    { STR_INIT(":path"), PSEUDO_FIELD, offsetof(struct record, path) },
    { STR_INIT(":authority"), PSEUDO_FIELD, offsetof(struct record, authority) },
    { STR_INIT("host"), PSEUDO_FIELD, offsetof(struct record, authority) },
    { STR_INIT(":scheme"), PSEUDO_SCHEME, 0 },
    { STR_INIT(":status"), PSEUDO_STATUS, 0 },
};

static inline const struct headers *list_of(const struct log_op *op, const struct record *r)
{
    const struct headers *list;

    memcpy(&list, log_op_field(r, op->at), sizeof(list));
    return list;
}

static inline struct str field_of(const struct log_op *op, const struct record *r)
{
    struct str s;

    memcpy(&s, log_op_field(r, op->to), sizeof(s));
    return s;
}

static bool is_of_request(const struct log_op *op)
{
    return op->at == offsetof(struct record, request);
}

/* ---- whatever it is ---- */

static struct str scheme_of(const struct record *r)
{
    bool secure = r->tls_version.n || (r->listener && r->listener->is_tls);

    return secure ? STR("https") : STR("http");
}

static struct str header_of(const struct log_op *op, const struct headers *list)
{
    const struct header *h;

    if (!list)
        return STR_NONE;
    if (op->id != HDR_OTHER)
        return headers_get(list, (enum header_id)op->id);
    h = headers_find_name(list, op->arg);
    return h ? h->value : STR_NONE;
}

static struct str one_text(const struct log_op *op, const struct record *r)
{
    if (op->id < HDR_COUNT)
        return header_of(op, list_of(op, r));
    if (!is_of_request(op) || op->id == PSEUDO_STATUS)
        return STR_NONE;
    return op->id == PSEUDO_SCHEME ? scheme_of(r) : field_of(op, r);
}

static struct str text_of(const struct log_op *op, const struct record *r)
{
    struct str s = one_text(op, r);

    return str_is_set(s) || !op->alt ? s : one_text(op->alt, r);
}

char *log_write_header(const struct log_op *op, const struct record *r, char *at,
                       struct log_pen *pen)
{
    return log_pen_maybe(pen, at, text_of(op, r), op);
}

char *log_write_header_bare(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    struct str s = text_of(op, r);

    return log_pen_maybe(pen, at, str_sub(s, 0, str_find(s, '?')), op);
}

static char *write_status(const struct log_op *op, const struct record *r, char *at,
                          struct log_pen *pen)
{
    char digits[20];

    if (!r->code)
        return log_write_header(op, r, at, pen);
    return log_pen_own(pen, at, str_of_u64(r->code, digits), op);
}

/* ---- the usual ones, without a call ---- */

static char *write_known(const struct log_op *op, const struct record *r, char *at,
                         struct log_pen *pen)
{
    const struct headers *list = list_of(op, r);

    if (list && list->marks & header_marks[op->id]) {
        for (const struct header *h = list->v, *end = h + list->n; h < end; h++) {
            if (h->id == op->id)
                return log_pen_text(pen, at, h->value, op);
        }
    }
    return op->alt ? op->alt->write(op->alt, r, at, pen) : log_pen_none(at, op);
}

static char *write_field(const struct log_op *op, const struct record *r, char *at,
                         struct log_pen *pen)
{
    return log_pen_maybe(pen, at, field_of(op, r), op);
}

/* ---- reading ---- */

static void set_name(struct log_op *op, struct str name)
{
    op->arg = name;
    op->id = (uint16_t)header_id_of(name);
    for (size_t i = 0; i < LEN(pseudos); i++) {
        if (!str_eq_nocase(pseudos[i].name, name))
            continue;
        op->id = pseudos[i].id;
        op->to = pseudos[i].at;
    }
}

static log_op_write *writer_of(const struct log_op *op)
{
    if (op->id == PSEUDO_STATUS && op->at == offsetof(struct record, response))
        return write_status;
    if (op->id == PSEUDO_FIELD && is_of_request(op) && !op->alt)
        return write_field;
    return op->id != HDR_OTHER && op->id < HDR_COUNT ? write_known : log_write_header;
}

struct str log_read_header_bare(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str name = str_cut(&arg, '?');
    struct log_op *alt;

    if (name.n == 0 || (str_is_set(arg) && arg.n == 0))
        return STR("wants a header name: (NAME) or (NAME?OTHER)");
    if (str_find(arg, '?') < arg.n)
        return arena_printf(arena, "takes one other name, not \"%.*s\"", STRF(arg));
    set_name(op, name);
    if (!str_is_set(arg))
        return STR_NONE;
    alt = ARENA_NEW(arena, struct log_op);
    *alt = *op;
    set_name(alt, arg);
    alt->write = writer_of(alt);
    op->alt = alt;
    return STR_NONE;
}

struct str log_read_header(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str wrong = log_read_header_bare(op, arg, arena);

    op->write = writer_of(op);
    return wrong;
}
