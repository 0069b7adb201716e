/*
 * cli/program_tell - what happened, told to people: the block at the start, a line for each
 * reload.
 */
#include "cli/program_int.h"

#include "base/log.h"
#include "cli/build_info.h"
#include "cli/exit.h"
#include "cli/notify.h"
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
}

/* ---- the start ---- */

static void add_pages(struct buf *b, const struct program *p)
{
    static const char *const names[] = { "admin", "health", "metrics" };
    static const char *const paths[] = { "/", "/healthz/ready", "/stats/prometheus" };
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        if (addr_is_set(&p->page_addrs[i]))
            buf_printf(b, "  %-7s http://%.*s%s\n", names[i],
                       STRF(addr_format(&p->page_addrs[i], text)), paths[i]);
    }
}

static void tell_start(struct program *p, const struct report *r)
{
    uint64_t ms = (loop_clock_ns(p->loop) - p->started_ns) / 1000000;
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "lateen " BUILD_VERSION " is up after %llu ms, %u worker%s\n",
               (unsigned long long)ms, p->workers, plural(p->workers));
    if (!r->listeners)
        buf_add(&b, STR("  no listener: no Gateway among the manifests can be served\n"));
    buf_add(&b, r->block);
    add_pages(&b, p);
    if (!p->o->namespace.n && !p->o->dev)
        buf_add(&b, STR("  no --namespace: the namespace of the object at hand counts for "
                        "exportTo and DestinationRule look-up\n"));
    buf_add(&b, STR("manifests: "));
    add_counts(&b, r);
    buf_addc(&b, '\n');
    buf_add(&b, r->problems);
    if (r->curls.n)
        buf_printf(&b, "try\n%.*s", STRF(r->curls));
    if (log_as_json)
        log_info("start", "serving", KVN("ms", ms), KVN("workers", p->workers),
                 KVN("errors", r->errors), KVN("warnings", r->warnings), KV("text", buf_str(&b)));
    else
        say_err_sink(buf_str(&b));
    buf_fini(&b);
}

static void now_serving(struct program *p, const struct report *r)
{
    if (p->state != STARTING)
        return;
    p->state = SERVING;
    tell_start(p, r);
    notify_send(STR("READY=1\nSTATUS=serving"));
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
             KVN("publish_us", (now_ns - r->cost.sent) / 1000), KVN("errors", r->errors), KVN("warnings", r->warnings), KV("notes", r->problems));
}

static void tell_reload(struct program *p, const struct report *r)
{
    uint64_t now_ns = loop_clock_ns(p->loop), ms = MAX((now_ns - r->seen_ns) / 1000000, 1);
    struct buf b;

    buf_init(&b, TEXT_MAX);
    if (log_as_json) {
        log_reload(r, now_ns, ms);
    } else {
        add_reload(&b, r, now_ns, ms);
        say_err_sink(buf_str(&b));
    }
    buf_fini(&b);
    notify_send(STR("READY=1"));
}

void program_live(void *arg, uint64_t generation)
{
    struct program *p = arg;
    size_t done = 0;

    while (done < p->waiting_n && p->waiting[done]->generation <= generation) {
        struct report *r = p->waiting[done++];

        if (p->state == STARTING)
            now_serving(p, r);
        else
            tell_reload(p, r);
        report_free(r);
    }
    memmove(p->waiting, p->waiting + done, (p->waiting_n - done) * sizeof(*p->waiting));
    p->waiting_n -= done;
}

void program_forget_reports(struct program *p)
{
    for (size_t i = 0; i < p->waiting_n; i++)
        report_free(p->waiting[i]);
    p->waiting_n = 0;
}

/* ---- reports ---- */

static void refuse_start(struct program *p, const struct report *r, const char *why)
{
    say_err("lateen run: %s\n%.*s", why, STRF(r->problems));
    program_leave(p, EXIT_FAILED);
}

static void first_report(struct program *p, const struct report *r)
{
    if (r->is_source_lost) {
        refuse_start(p, r, "no manifest can be read");
        return;
    }
    if (r->verdict == MESH_REFUSED) {
        refuse_start(p, r,
                     "refused (--strict): the manifests have errors, or fields that are "
                     "not carried out yet");
        return;
    }
    if (!program_log(p, &r->log)) {
        program_leave(p, EXIT_FAILED);
        return;
    }
    front_start(p->front, p->log);
    if (r->verdict == MESH_SAME) /* nothing at all is served */
        now_serving(p, r);
}

static void log_wish_check(struct program *p, const struct report *r)
{
    if (p->o->access_log.n || p->o->dev || str_eq(r->log.file, p->log_file))
        return;
    log_warn("run", "a changed accessLogFile is taken up at the next start only",
             KV("now", p->log_file), KV("asked", r->log.file));
}

void program_report(struct report *take, void *arg)
{
    struct program *p = arg;

    if (p->state == LEAVING) {
        report_free(take);
        return;
    }
    front_round(p->front, take->round);
    if (take->round == 1)
        first_report(p, take);
    else
        log_wish_check(p, take);
    if (take->verdict == MESH_NEW && p->waiting_n < REPORTS_WAITING_MAX && p->state != LEAVING) {
        p->waiting[p->waiting_n++] = take;
        return;
    }
    if (take->round > 1) {
        front_sweep(p->front);
        if (!take->is_retry)
            tell_reload(p, take);
    }
    report_free(take);
}
