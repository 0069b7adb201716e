/*
 * proxy/admin_state - what the program is, what it takes, and how much it says.
 */
#include "proxy/admin_int.h"

#include "base/jsontext.h"
#include "base/log.h"
#include "base/tally.h"

#include <malloc.h>

#define JSON "application/json"

void admin_server_info(struct admin_call *c)
{
    const struct admin *a = c->admin;
    uint64_t up_s = (loop_now_ms(a->loop) - a->started_ms) / 1000;
    const struct root *root = a->host.root ? a->host.root(a->host.arg) : NULL;

    c->type = JSON;
    buf_printf(&c->body,
               "{\"version\":\"lateen/" LATEEN_VERSION "\",\"state\":\"%s\","
               "\"hot_restart_version\":\"disabled\",\"uptime_current_epoch\":\"%llus\","
               "\"uptime_all_epochs\":\"%llus\"",
               admin_state_name(a), (unsigned long long)up_s, (unsigned long long)up_s);
    if (root)
        buf_printf(&c->body, ",\"snapshot\":{\"generation\":%llu,\"hash\":\"%016llx\"}",
                   (unsigned long long)root_generation(root), (unsigned long long)root_hash(root));
    buf_add(&c->body, STR(",\"node\":{\"id\":\"lateen\"}}\n"));
}

/* The allocator's totals under Envoy's names, and what the configuration takes. */
void admin_memory(struct admin_call *c)
{
    const struct admin_host *h = &c->admin->host;
    struct mallinfo2 heap = mallinfo2();
    struct tally rows[ADMIN_MEMORY_ROWS];
    size_t n = h->memory ? h->memory(h->arg, rows) : 0;

    c->type = JSON;
    buf_printf(&c->body,
               "{\"allocated\":\"%zu\",\"heap_size\":\"%zu\",\"pageheap_free\":\"%zu\","
               "\"configuration\":[",
               heap.uordblks + heap.hblkhd, heap.arena + heap.hblkhd, heap.fordblks);
    for (size_t i = 0; i < n; i++) {
        buf_add(&c->body, i ? STR(",\n{\"name\":") : STR("\n{\"name\":"));
        json_add_string(&c->body, str_of(rows[i].name));
        buf_printf(&c->body, ",\"count\":%zu,\"octets\":%zu}", rows[i].n, rows[i].octets);
    }
    buf_add(&c->body, STR("]}\n"));
}

/* ---- the program's own log ---- */

static void say_level(struct admin_call *c)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };

    admin_say(c, 200, "active loggers:\n  all: %s",
              names[__atomic_load_n(&log_threshold, __ATOMIC_RELAXED)]);
}

void admin_logging_show(struct admin_call *c)
{
    if (str_is_set(c->query)) {
        c->allow = STR("POST");
        admin_say(c, 405, "/logging?%.*s changes something: POST it", STRF(c->query));
    } else {
        say_level(c);
    }
}

void admin_logging(struct admin_call *c)
{
    struct str wanted = admin_param(c, STR("level"));
    enum log_level level;

    if (str_is_set(c->query) && !str_is_set(wanted)) {
        admin_say(c, 501, "/logging?%.*s: not built yet; there is one level for all, ?level=",
                  STRF(c->query));
        return;
    }
    if (str_is_set(wanted) && !log_level_parse(wanted, &level)) {
        admin_say(c, 400, "level is one of error, warning, info, debug");
        return;
    }
    if (str_is_set(wanted)) {
        log_level_set(level);
        if (c->admin->host.log_level)
            c->admin->host.log_level(c->admin->host.arg, level);
    }
    say_level(c);
}
