#include "telemetry/log_pen.h"

char *log_pen_any(const struct log_op *op, struct str s, char *at, struct log_pen *pen)
{
    struct str quote = op->is_quoted ? STR("\"") : STR("");
    struct buf *out = pen->out;

    out->n = (size_t)(at - out->p);
    buf_add(out, quote);
    log_escape_add(out, op->max ? str_sub(s, 0, op->max) : s, (enum log_style)op->style);
    buf_add(out, quote);
    at = buf_reserve(out, pen->room);
    return at ? at : out->p + pen->begin;
}
