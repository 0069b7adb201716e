/*
 * telemetry/log_spans - when a request began, and how long its parts took.
 */
#include "telemetry/log_ops_int.h"
#include "telemetry/log_pen.h"
#include "telemetry/log_time.h"

#define START_TEXT_MAX 384 /* octets of a start in a format of its own; more are left out */

/* The last one's text: lines of a second differ in three digits, and many are of one
 * millisecond. */
static _Thread_local struct {
    int64_t us;
    struct log_kept text;
} last = { .us = 0, .text = { LOG_TIME_LEN, "1970-01-01T00:00:00.000Z" } };

static NOINLINE char *write_new_start(const struct log_op *op, int64_t us, char *at,
                                      struct log_pen *pen)
{
    us = MAX(us, 1);
    log_time_renew(last.text.text, last.us, us);
    last.us = us;
    return log_pen_kept(pen, at, &last.text, op);
}

char *log_write_start(const struct log_op *op, const struct record *r, char *at,
                      struct log_pen *pen)
{
    if (r->start_wall_us != last.us)
        return write_new_start(op, r->start_wall_us, at, pen);
    return log_pen_kept(pen, at, &last.text, op);
}

static char *write_start_by(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    char room[START_TEXT_MAX];
    size_t n = log_time_format_by(op->arg, r->start_wall_us, room, sizeof(room));

    return log_pen_text(pen, at, str_make(room, n), op);
}

struct str log_read_start(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str bad = log_time_check(arg);

    op->arg = arg;
    if (arg.n)
        op->write = write_start_by;
    if (!str_is_set(bad))
        return STR_NONE;
    return arena_printf(arena, "has no conversion \"%.*s\"", STRF(bad));
}

static inline char *write_span(const struct log_op *op, const struct record *r, char *at,
                               uint32_t scale)
{
    uint64_t begin, end;

    memcpy(&begin, log_op_field(r, op->at), sizeof(begin));
    memcpy(&end, log_op_field(r, op->to), sizeof(end));
    if (begin && end >= begin)
        return log_pen_number(at, (end - begin) / scale);
    return log_pen_none(at, op);
}

char *log_write_span(const struct log_op *op, const struct record *r, char *at, struct log_pen *pen)
{
    (void)pen;
    return write_span(op, r, at, 1000000);
}

char *log_write_common_span(const struct log_op *op, const struct record *r, char *at,
                            struct log_pen *pen)
{
    (void)pen;
    return write_span(op, r, at, op->scale);
}

static const struct {
    struct str name;
    uint16_t at;
} points[] = {
    { STR_INIT("DS_RX_BEG"), offsetof(struct record, start_ns) },
    { STR_INIT("DS_RX_END"), offsetof(struct record, request_end_ns) },
    { STR_INIT("US_TX_BEG"), offsetof(struct record, upstream_start_ns) },
    { STR_INIT("US_RX_BEG"), offsetof(struct record, upstream_first_ns) },
    { STR_INIT("DS_TX_END"), offsetof(struct record, end_ns) },
};

static bool point_of(struct str name, uint16_t *ret)
{
    for (size_t i = 0; i < LEN(points); i++) {
        if (str_eq(points[i].name, name)) {
            *ret = points[i].at;
            return true;
        }
    }
    return false;
}

struct str log_read_common_span(struct log_op *op, struct str arg, struct arena *arena)
{
    struct str from = str_cut(&arg, ':'), to = str_cut(&arg, ':'), unit = arg;

    if (!point_of(from, &op->at) || !point_of(to, &op->to))
        return arena_printf(arena, "knows the times DS_RX_BEG, DS_RX_END, US_TX_BEG, US_RX_BEG "
                                   "and DS_TX_END");
    op->scale = str_eq(unit, STR("ms")) ? 1000000 : str_eq(unit, STR("us")) ? 1000 : 1;
    if (op->scale == 1 && !str_eq(unit, STR("ns")))
        return STR("takes (from:to:ms), us or ns");
    return STR_NONE;
}
