/*
 * telemetry/scrape_stats - rows under Envoy's own names, as "name: value" and as JSON.
 *
 * The families: the kinds of owners; a row is an owner with all that it has.
 */
#include "telemetry/scrape_int.h"

#include "base/jsontext.h"
#include "telemetry/log_value.h"

#define NAME_MAX_OCTETS (1 << 18)

void scrape_stat_add(struct scrape *s, struct buf *out, struct str name, double value)
{
    if (s->form == SCRAPE_STATS) {
        log_escape_add(out, name, LOG_STYLE_TEXT); /* what could break the line */
        buf_printf(out, ": %.15g\n", value);
        return;
    }
    buf_add(out, s->after_first ? STR(",\n{\"name\":") : STR("\n{\"name\":"));
    s->after_first = true;
    json_add_string(out, name);
    buf_printf(out, ",\"value\":%.15g}", value);
}

/* The owner's name stands for each "$". */
static void dotted_render(struct buf *name, const char *dotted, struct str owner)
{
    buf_reset(name);
    for (; *dotted; dotted++) {
        if (*dotted == '$')
            buf_add(name, owner);
        else
            buf_addc(name, *dotted);
    }
}

static void owner_add(struct scrape *s, struct buf *out, const struct stat_row *row)
{
    struct buf name;

    buf_init(&name, NAME_MAX_OCTETS);
    for (size_t i = 0; i < stat_line_count; i++) {
        const struct stat_line *l = &stat_lines[i];
        uint64_t value;

        if (l->owner != row->owner || !l->dotted)
            continue;
        value = stat_row_sum(row, l->column);
        dotted_render(&name, l->dotted, row->name);
        if (scrape_wants(s, buf_str(&name)) && !((s->used_only || l->is_sparse) && value == 0))
            scrape_stat_add(s, out, buf_str(&name), (double)value);
    }
    buf_fini(&name);
}

bool scrape_stats_step(struct scrape *s, const struct merged_all *all, struct buf *out)
{
    if (s->family == OWNER_KINDS)
        return false;
    if (s->at == s->owner_n[s->family]) {
        s->family++;
        s->at = 0;
        return true;
    }
    owner_add(s, out, all->owners[s->family].v[s->at++]);
    return true;
}
