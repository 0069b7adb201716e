/*
 * cli/control_tell - what happened, told to people: the block at the start, a line for each
 * reload.
 */
#include "cli/control_int.h"

#include "base/log.h"
#include "cli/build_info.h"
#include "cli/say.h"

#define TEXT_MAX (1u << 20)

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void add_counts(struct buf *b, const struct report *r)
{
    buf_printf(b, "%zu error%s, %zu warning%s", r->errors, plural(r->errors), r->warnings,
               plural(r->warnings));
    if (r->unsupported)
        buf_printf(b, ", %zu field%s not carried out yet", r->unsupported, plural(r->unsupported));
    for (enum verdict_kind v = VERDICT_OVERRIDDEN; v < VERDICT_UNSUPPORTED; v++) {
        if (r->verdicts[v])
            buf_printf(b, ", %zu %s", r->verdicts[v], verdict_kind_name(v));
    }
    if (r->worst.n)
        buf_printf(b, "; worst: %.*s", STRF(r->worst));
}

/* ---- the start ---- */

static void add_pages(struct buf *b, const struct control *c)
{
    static const char *const names[] = { "admin", "health", "metrics" };
    static const char *const paths[] = { "/", "/healthz/ready", "/stats/prometheus" };
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        if (addr_is_set(&c->o.page_addrs[i]))
            buf_printf(b, "  %-7s http://%.*s%s\n", names[i],
                       STRF(addr_format(&c->o.page_addrs[i], text)), paths[i]);
    }
}

static void tell_start(struct control *c, const struct report *r)
{
    uint64_t ms = (loop_clock_ns(c->o.loop) - c->o.started_ns) / 1000000;
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "lateen " BUILD_VERSION " is up after %llu ms, %u worker%s\n",
               (unsigned long long)ms, c->o.workers, plural(c->o.workers));
    if (!r->listeners)
        buf_add(&b, STR("  no listener: no Gateway among the manifests can be served\n"));
    buf_add(&b, r->block);
    add_pages(&b, c);
    if (!c->o.run->namespace.n && !c->o.run->dev)
        buf_add(&b, STR("  no --namespace: the namespace of the object at hand counts for "
                        "exportTo and DestinationRule look-up\n"));
    buf_add(&b, STR("manifests: "));
    add_counts(&b, r);
    buf_addc(&b, '\n');
    buf_add(&b, r->problems);
    if (r->curls.n)
        buf_printf(&b, "try\n%.*s", STRF(r->curls));
    if (log_as_json)
        log_info("start", "serving", KVN("ms", ms), KVN("workers", c->o.workers),
                 KVN("errors", r->errors), KVN("warnings", r->warnings), KV("text", buf_str(&b)));
    else
        say_err_sink(buf_str(&b));
    buf_fini(&b);
}

/* ---- reloads ---- */

static double ms_of(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void add_reload(struct buf *b, const struct report *r, uint64_t now_ns, uint64_t ms)
{
    buf_printf(b, "reload: %.*s: ", STRF(r->changed));
    if (r->verdict == MESH_NEW)
        buf_printf(b, "live in %llu ms (read %.1f, decode %.1f, compile %.1f, publish %.1f)",
                   (unsigned long long)ms, ms_of(r->cost.read), ms_of(r->cost.decode),
                   ms_of(r->cost.compile), ms_of(now_ns - r->cost.sent));
    else if (r->verdict == MESH_SAME)
        buf_add(b, r->errors ? STR("nothing new to serve") : STR("nothing differs"));
    else
        buf_add(b, STR("refused (--strict), the last good configuration stays"));
    if (r->errors) {
        buf_printf(b, "; %zu error%s", r->errors, plural(r->errors));
        if (r->verdict != MESH_REFUSED)
            buf_add(b, STR(", the last good version of what is wrong stays"));
    } else if (r->warnings) {
        buf_printf(b, "; %zu warning%s", r->warnings, plural(r->warnings));
    }
    buf_addc(b, '\n');
    buf_add(b, r->problems);
}

static void log_reload(const struct report *r, uint64_t now_ns, uint64_t ms)
{
    static const char *const verdicts[] = {
        [MESH_NEW] = "live", [MESH_SAME] = "nothing new to serve", [MESH_REFUSED] = "refused"
    };

    log_info("reload", verdicts[r->verdict], KV("changed", r->changed), KVN("ms", ms),
             KVN("read_us", r->cost.read / 1000), KVN("decode_us", r->cost.decode / 1000),
             KVN("compile_us", r->cost.compile / 1000),
             KVN("publish_us", (now_ns - r->cost.sent) / 1000), KVN("errors", r->errors),
             KVN("warnings", r->warnings), KV("notes", r->problems));
}

static void tell_reload(struct control *c, const struct report *r)
{
    uint64_t now_ns = loop_clock_ns(c->o.loop), ms = MAX((now_ns - r->seen_ns) / 1000000, 1);
    struct buf b;

    buf_init(&b, TEXT_MAX);
    if (log_as_json) {
        log_reload(r, now_ns, ms);
    } else {
        add_reload(&b, r, now_ns, ms);
        say_err_sink(buf_str(&b));
    }
    buf_fini(&b);
}

static void tell(struct control *c, const struct report *r)
{
    if (c->has_told)
        tell_reload(c, r);
    else
        tell_start(c, r);
    c->has_told = true;
    c->o.host.told(c->o.host.arg);
}

void control_live(struct control *c, uint64_t round)
{
    size_t done = 0;

    while (done < c->waiting_n && c->waiting[done]->round <= round) {
        tell(c, c->waiting[done]);
        report_free(c->waiting[done++]);
    }
    memmove(c->waiting, c->waiting + done, (c->waiting_n - done) * sizeof(*c->waiting));
    c->waiting_n -= done;
}

void control_forget_reports(struct control *c)
{
    for (size_t i = 0; i < c->waiting_n; i++)
        report_free(c->waiting[i]);
    c->waiting_n = 0;
}

/* ---- reports ---- */

static bool refuse(struct control *c, const struct report *r, const char *why)
{
    say_err("lateen run: %s\n%.*s", why, STRF(r->problems));
    c->o.host.refused(c->o.host.arg);
    return false;
}

/* False: the program does not start over these manifests. */
static bool first_report(struct control *c, struct report *r)
{
    if (c->o.is_back) /* what was last good is being served */
        r->changed = STR("control is back");
    else if (r->is_source_lost)
        return refuse(c, r, "no manifest can be read");
    else if (r->verdict == MESH_REFUSED)
        return refuse(c, r,
                      "refused (--strict): the manifests have errors, or fields that are "
                      "not carried out yet");
    c->log_file = arena_dup(&c->arena, r->log.file);
    c->o.host.begin(c->o.host.arg, &r->log);
    return true;
}

static void log_wish_check(const struct control *c, const struct report *r)
{
    if (c->o.run->access_log.n || c->o.run->dev || str_eq(r->log.file, c->log_file))
        return;
    log_warn("run", "a changed accessLogFile is taken up at the next start only",
             KV("now", c->log_file), KV("asked", r->log.file));
}

void control_report(struct report *take, void *arg)
{
    struct control *c = arg;
    bool goes_on = !c->is_stopped;

    if (goes_on && take->is_first)
        goes_on = first_report(c, take);
    else if (goes_on)
        log_wish_check(c, take);
    if (goes_on && take->verdict == MESH_NEW && c->waiting_n < REPORTS_WAITING_MAX) {
        c->waiting[c->waiting_n++] = take;
        return;
    }
    if (goes_on && take->verdict != MESH_NEW) {
        c->o.host.round(c->o.host.arg, take->round);
        if (!take->is_retry)
            tell(c, take);
    }
    report_free(take);
}
