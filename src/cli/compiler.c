#include "cli/compiler.h"

#include "base/log.h"
#include "base/map.h"
#include "base/when.h"
#include "cli/certificates.h"
#include "cli/startup.h"
#include "cli/dev.h"
#include "cli/memory.h"
#include "cli/named.h"
#include "cli/retire.h"
#include "cli/state.h"
#include "cli/trim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define STATE_DELAY_MS 300
#define CHANGED_SHOWN 3
#define PORT_RETRY_MS 5000
#define CERTS_AT_ONCE 4 /* rounds before anything serves: a CA, then what it issues, and so on */
#define NAMED_LOOK_MS 1000
#define STATE_RETRY_MS 5000 /* another program holds the directory */

struct compiler {
    struct compiler_options o;
    pthread_t thread;
    struct loop *loop;
    struct source *source;
    struct mesh *mesh;
    struct portmap *ports;
    struct dev_hooks dev;
    uint64_t round;
    uint64_t read_ns; /* what looking at the files cost */
    struct timer state_timer;
    struct trim trim;
    struct state *state;
    struct map known; /* lines of notes told before; keys in known_arena */
    struct arena *known_arena;
    bool had_files;
    bool is_shown; /* what the start-up block shows was told */
    struct certificates certificates;
    struct timer port_timer;  /* a port could not be bound, or no file be read: tried again */
    struct timer named_timer; /* files that manifests name are looked at */
    bool is_retry;
};

/* ---- the last good configuration on disk ---- */

/* One at a time: a stream of changes does not queue up snapshots. */
static void state_due(struct timer *t)
{
    struct compiler *c = CONTAINER_OF(t, struct compiler, state_timer);

    if (state_is_busy(c->state))
        timer_set(&c->state_timer, STATE_DELAY_MS);
    else if (!state_write(c->state, c->mesh))
        timer_set(&c->state_timer, STATE_RETRY_MS);
}

static void hook_recall(void *arg, struct mesh *m)
{
    const struct dev_hooks *d = arg;

    state_recall(CONTAINER_OF(d, struct compiler, dev)->state, m);
}

/* ---- what is told ---- */

static void say_changed(struct report *r, const struct source_scan *scan)
{
    struct buf b;
    size_t n = 0;

    buf_init(&b, 4096);
    for (size_t i = 0; i < scan->n; i++) {
        if (!scan->files[i].changed)
            continue;
        if (n++ < CHANGED_SHOWN)
            buf_printf(&b, "%s%.*s", n > 1 ? ", " : "", STRF(scan->files[i].path));
    }
    if (n > CHANGED_SHOWN)
        buf_printf(&b, " and %zu more", n - CHANGED_SHOWN);
    if (n == 0 && r->is_retry)
        buf_add(&b, STR("ports tried again"));
    else if (n == 0)
        buf_add(&b, scan->changed ? STR("files removed") : STR("read again"));
    else
        buf_add(&b, STR(" changed"));
    r->changed = arena_dup(r->arena, buf_str(&b));
    buf_fini(&b);
}

/* Lines of notes that were not told before; all lines become the ones known. */
static void say_problems(struct compiler *c, struct report *r, const struct notes *notes)
{
    struct arena *arena = arena_new(4096);
    struct note_lines lines;
    struct map fresh;

    map_init(&fresh);
    note_lines_init(&lines);
    for (size_t i = 0; i < notes->n; i++) {
        struct str line = note_line(&notes->v[i], arena);

        if (!map_has(&c->known, line) && !map_has(&fresh, line))
            note_lines_add(&lines, notes->v[i].severity, line);
        map_put(&fresh, line, c);
    }
    r->problems = note_lines_text(&lines, r->arena);
    note_lines_fini(&lines);
    map_fini(&c->known);
    arena_free(c->known_arena);
    c->known = fresh;
    c->known_arena = arena;
}

/* What another program holds now may be free later. */
static void ports_retry(struct timer *t)
{
    struct compiler *c = CONTAINER_OF(t, struct compiler, port_timer);

    c->is_retry = true;
    source_rescan(c->source);
}

/* Certificates in files are not where manifests are: nobody tells of them. */
static void named_look(struct timer *t)
{
    struct compiler *c = CONTAINER_OF(t, struct compiler, named_timer);

    if (mesh_files_changed(c->mesh))
        source_rescan(c->source);
    timer_set(t, NAMED_LOOK_MS);
}

static void say_ports(struct compiler *c, struct notes *notes)
{
    timer_off(&c->port_timer);
    for (size_t i = 0; i < portmap_count(c->ports); i++) {
        struct addr bind;
        uint16_t port, tried;
        enum err e = portmap_failure(c->ports, i, &bind, &port, &tried);

        if (e == ERR_OK)
            continue;
        timer_set(&c->port_timer, PORT_RETRY_MS);
        note_add(notes, SEV_ERROR, (struct pos){ 0 }, NULL, "cannot listen on port %u: %s%s",
                 tried ? tried : port, err_text(e),
                 e == ERR_ACCESS ? "; --port N=M binds another one" : "");
    }
}

/* Of the places that notes name: to go through every leaf would cost what all objects cost. */
static void say_verdicts(struct report *r, const struct notes *notes)
{
    struct verdict v, worst = { .kind = VERDICT_EFFECTIVE };
    struct buf b;

    for (size_t i = 0; i < notes->n; i++) {
        if (!verdict_of_note(&notes->v[i], &v))
            continue;
        r->verdicts[v.kind]++;
        if (verdict_is_worse(&v, &worst))
            worst = v;
    }
    if (worst.kind == VERDICT_EFFECTIVE)
        return;
    worst.path = worst.note->path; /* where it is said, not how far it reaches */
    buf_init(&b, 65536);
    verdict_print(&b, &worst);
    r->worst = arena_dup(r->arena, buf_str(&b));
    buf_fini(&b);
}

static void say_log(struct report *r, const struct api_meshconfig *config)
{
    if (!config)
        return;
    r->log.file = arena_dup(r->arena, config->access_log_file);
    r->log.format = arena_dup(r->arena, config->access_log_format);
    r->log.json = config->access_log_encoding.v == LOG_ENCODING_JSON;
}

/* Nothing can be read: what served last serves. */
static void say_cold(struct compiler *c, struct report *r, const struct root *root)
{
    char written[WHEN_LEN + 1];

    when_format(state_snapshot_ms(c->state), written);
    log_warn("state", "no manifest can be read: the last good configuration is served",
             KVZ("written", written));
    r->block = startup_cold_text(root, str_of(written), r->arena, &r->listeners);
}

/* ---- compiling ---- */

static bool is_first_round(const struct compiler *c)
{
    return c->round == c->o.rounds_before + 1;
}

static void report_send(struct compiler *c, struct report *r)
{
    r->arrived = c->o.arrived;
    r->arg = c->o.arg;
    mail_post(c->o.main, &r->mail);
}

static void report_deliver(struct mail *m, struct loop *to)
{
    struct report *r = CONTAINER_OF(m, struct report, mail);

    (void)to;
    r->arrived(r, r->arg);
}

/* What there is, once: a reload is one line. */
static void say_start(struct compiler *c, struct report *r, const struct root *root)
{
    struct startup_input in = { .run = c->o.run,
                                .summary = mesh_summary(c->mesh),
                                .root = root,
                                .ca_path = c->o.ca_path,
                                .now_ms = loop_wall_ms(c->loop) };

    c->is_shown = true;
    r->block = startup_text(&in, r->arena);
    r->curls = startup_curls(&in, r->arena);
}

static struct report *report_of(struct compiler *c, const struct source_scan *scan,
                                struct notes *notes, enum mesh_verdict verdict,
                                const struct root *root)
{
    const struct mesh_summary *summary = mesh_counts(c->mesh);
    struct report *r = report_new();

    r->mail.deliver = report_deliver;
    r->round = c->round;
    r->is_first = is_first_round(c);
    r->verdict = verdict;
    r->seen_ns = loop_now_ns(c->loop);
    r->cost = (struct report_cost){ c->read_ns, summary->store_ns, summary->compile_ns,
                                    loop_clock_ns(c->loop) };
    r->is_retry = c->is_retry && !scan->changed;
    c->is_retry = false;
    r->is_source_lost = !c->had_files && scan->n == scan->own && scan->error_count > 0 &&
                        !mesh_is_cold(c->mesh) && !state_has_recalled(c->state);
    r->errors = notes->errors;
    r->warnings = notes->warnings;
    r->unsupported = summary->unsupported;
    r->listeners = summary->listener_count;
    say_changed(r, scan);
    say_problems(c, r, notes);
    say_verdicts(r, notes);
    say_log(r, mesh_config(c->mesh));
    if (verdict == MESH_NEW && mesh_is_cold(c->mesh))
        say_cold(c, r, root);
    else if (verdict == MESH_NEW && !c->is_shown)
        say_start(c, r, root);
    return r;
}

/* No manifest asks for the ports of a snapshot that is served as it is. */
static void hold_ports(struct compiler *c, const struct root *root)
{
    for (slot_id s = 0; s < root_slots(root, PART_LISTENER); s++) {
        const struct listener *l = root_listener(root, s);
        struct addr addr = l ? l->bind : (struct addr){ 0 };
        char text[ADDR_TEXT_MAX];
        enum err e;

        if (!l)
            continue;
        addr.port = l->port;
        e = keeper_hold(c->o.keeper, &addr, l->manifest_port, c->round);
        if (e != ERR_OK)
            log_error("state", "a port of the last good configuration cannot be had",
                      KV("address", addr_format(&addr, text)), KVZ("reason", err_text(e)));
    }
}

/* The first time an earlier program's snapshot is what is gone on from: it serves as long as
 * nothing can be read, and where nothing differs. */
static enum mesh_verdict update(struct compiler *c, const struct source_scan *scan,
                                struct notes *notes, struct root **ret_root)
{
    struct root *before = is_first_round(c) ? state_snapshot(c->state) : NULL;
    enum mesh_verdict verdict;

    if (before)
        mesh_adopt(c->mesh, before);
    verdict = mesh_update(c->mesh, scan, notes, ret_root);
    if (before && verdict == MESH_SAME) {
        if (mesh_is_cold(c->mesh))
            hold_ports(c, before);
        *ret_root = before;
        return MESH_NEW;
    }
    root_unref(before);
    return verdict;
}

static void tell_memory(struct compiler *c)
{
    struct tally rows[MESH_TALLIES + 1];

    mesh_tally(c->mesh, rows);
    rows[MESH_TALLIES] = source_tally(c->source);
    memory_tell(rows, LEN(rows));
}

/* ---- Certificates ---- */

/* The first round goes on until everything that can be issued at once is there; later what was
 * written is read like any other change. */
static enum mesh_verdict update_certified(struct compiler *c, const struct source_scan **scan,
                                          struct notes *notes, struct root **ret_root)
{
    enum mesh_verdict verdict = update(c, *scan, notes, ret_root);
    bool is_first = is_first_round(c);

    for (int i = 0; i < CERTS_AT_ONCE && certificates_round(&c->certificates, is_first && i == 0);
         i++) {
        struct root *next = NULL;

        if (!is_first) {
            source_rescan(c->source);
            break;
        }
        notes_init(notes, notes->arena);
        *scan = source_scan(c->source);
        if (mesh_update(c->mesh, *scan, notes, &next) != MESH_NEW)
            continue;
        root_unref(*ret_root);
        *ret_root = next;
        verdict = MESH_NEW;
    }
    return verdict;
}

static void compile(struct compiler *c, const struct source_scan *scan)
{
    struct root *root = NULL;
    enum mesh_verdict verdict;
    struct arena arena;
    struct notes notes;

    arena_init(&arena, 65536);
    notes_init(&notes, &arena);
    c->round++;
    c->read_ns = loop_clock_ns(c->loop) - loop_now_ns(c->loop); /* this turn was for it */
    portmap_round(c->ports, c->round);
    dev_hooks_round(&c->dev, loop_now_ms(c->loop), loop_wall_ms(c->loop));
    verdict = update_certified(c, &scan, &notes, &root);
    if (c->state_timer.deadline_ms == 0) /* a stream of changes does not put it off for ever */
        timer_set(&c->state_timer, STATE_DELAY_MS);
    say_ports(c, &notes);
    if (mesh_is_cold(c->mesh)) /* a directory that is not there cannot be watched */
        timer_set(&c->port_timer, PORT_RETRY_MS);
    report_send(c, report_of(c, scan, &notes, verdict, root));
    c->had_files |= scan->n > scan->own;
    if (verdict == MESH_NEW) {
        state_keep(c->state, root);
        c->o.feed->publish(c->o.feed, root, c->round);
    }
    if (c->o.run->watch && mesh_files(c->mesh))
        timer_set(&c->named_timer, NAMED_LOOK_MS);
    source_drop_octets(c->source);
    tell_memory(c);
    trim_changed(&c->trim);
    arena_fini(&arena);
}

static void source_changed(struct source *s, const struct source_scan *scan, void *arg)
{
    (void)s;
    compile(arg, scan);
}

/* ---- the thread ---- */

static void compiler_watch(struct compiler *c)
{
    if (c->o.run->watch && source_watch(c->source, c->loop, source_changed, c))
        return;
    if (c->o.run->watch)
        log_warn("source", "files cannot be watched: only SIGHUP reads them again",
                 KVZ("reason", strerror(errno)));
    source_attend(c->source, c->loop, source_changed, c);
}

static struct mesh *mesh_make(struct compiler *c)
{
    const struct run_options *run = c->o.run;
    struct mesh_options m = {
        .labels = c->o.labels.n ? &c->o.labels : NULL,
        .namespace = run->namespace,
        .bind = c->o.bind,
        .strict = run->strict,
        .dev = run->dev,
        .certificates = !run->dev,
        .mesh_config = c->o.mesh_config,
        .mesh_config_file = run->mesh_config,
    };

    c->dev = (struct dev_hooks){
        .ports = c->ports, .standins = c->o.standins, .ca = c->o.ca, .loop = c->loop
    };
    dev_hooks_fill(&c->dev, &m.hooks);
    m.hooks.recall = hook_recall;
    named_files_hooks(&m.hooks);
    return mesh_new(&m);
}

static void *compiler_run(void *arg)
{
    struct compiler *c = arg;

    pthread_setname_np(pthread_self(), "lateen-compiler");
    compiler_watch(c);
    compile(c, source_scan(c->source));
    loop_run(c->loop);
    (void)state_write(c->state, c->mesh);
    return NULL;
}

struct compiler *compiler_start(const struct compiler_options *o)
{
    struct compiler *c = must_alloc(sizeof(*c));

    c->o = *o;
    c->round = o->rounds_before;
    c->loop = loop_new(NULL);
    c->source = source_new(o->run->files.v, o->run->files.n, 0);
    c->ports = portmap_new(o->keeper, &o->run->ports, o->run->dev);
    c->mesh = mesh_make(c);
    certificates_init(&c->certificates, c->loop, c->source, c->mesh);
    if (!o->run->dev)
        certificates_open(&c->certificates, o->state_dir);
    map_init(&c->known);
    c->state = state_new(o->state_dir, o->run, &o->images);
    timer_init(&c->state_timer, c->loop, state_due);
    timer_init(&c->port_timer, c->loop, ports_retry);
    timer_init(&c->named_timer, c->loop, named_look);
    trim_init(&c->trim, c->loop);
    retire_to(c->loop);
    MUST(pthread_create(&c->thread, NULL, compiler_run, c) == 0);
    return c;
}

struct order {
    struct mail mail;
    struct compiler *compiler;
};

static void rescan_deliver(struct mail *m, struct loop *to)
{
    struct order *o = CONTAINER_OF(m, struct order, mail);

    (void)to;
    source_rescan(o->compiler->source);
    free(o);
}

static void stop_deliver(struct mail *m, struct loop *to)
{
    free(CONTAINER_OF(m, struct order, mail));
    loop_stop(to);
}

static void order_post(struct compiler *c, void (*deliver)(struct mail *m, struct loop *to))
{
    struct order *o = must_alloc(sizeof(*o));

    *o = (struct order){ { .deliver = deliver }, c };
    mail_post(c->loop, &o->mail);
}

void compiler_rescan(struct compiler *c)
{
    order_post(c, rescan_deliver);
}

void compiler_stop(struct compiler *c)
{
    if (!c)
        return;
    order_post(c, stop_deliver);
    pthread_join(c->thread, NULL);
    state_free(c->state);
    retire_stop();
    timer_fini(&c->state_timer);
    timer_fini(&c->port_timer);
    certificates_fini(&c->certificates);
    timer_fini(&c->named_timer);
    trim_fini(&c->trim);
    source_free(c->source);
    mesh_free(c->mesh);
    loop_turn(c->loop, 0); /* what was retired before */
    dev_hooks_fini(&c->dev);
    portmap_free(c->ports);
    map_fini(&c->known);
    arena_free(c->known_arena);
    loop_free(c->loop);
    free(c);
}
