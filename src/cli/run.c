/* cli/run - `lateen run`: the command's record; what it does is in cli/program.c. */
#include "cli/command.h"

#include "base/log.h"
#include "cli/host.h"
#include "cli/program.h"
#include "cli/role.h"
#include "cli/say.h"
#include "cli/shared_flags.h"
#include "telemetry/telemetry.h"

/* The format of the flag alone; a manifest's is judged with the manifests. */
static bool log_format_fits(const struct run_options *o, struct arena *arena)
{
    struct str f = o->access_log_format, why;

    if (!f.n || str_eq(f, STR("text")) || str_eq(f, STR("json")) ||
        log_format_parse(f, false, arena, &why))
        return true;
    say_err("lateen run: --access-log-format: %.*s\n", STRF(why));
    return false;
}

/* As it was typed, for the processes that are started with it. */
static const char *const *argv_again(const struct invocation *in)
{
    const char **argv = ARENA_ARRAY(in->arena, const char *, in->argc + 3);

    argv[0] = "lateen";
    argv[1] = in->command->name;
    memcpy(argv + 2, in->argv, in->argc * sizeof(*argv));
    return argv;
}

static int run_run(struct invocation *in)
{
    const struct run_options *o = in->options;
    struct role role;
    bool is_supervised;

    if (in->args.n) {
        say_err("lateen run: unexpected argument '%.*s'; manifests are named with -f\n",
                STRF(in->args.v[0]));
        return EXIT_USAGE;
    }
    if (o->files.n == 0) {
        say_err("lateen run: -f PATH is required: the manifests to serve\n");
        return EXIT_USAGE;
    }
    if (!role_from_environment(&role)) {
        say_err("lateen run: LATEEN_ROLE is set: it is for processes that this one starts\n");
        return EXIT_USAGE;
    }
    if (!log_format_fits(o, in->arena))
        return EXIT_USAGE;
    log_as_json = str_eq(o->log_format, STR("json"));
    if (o->log_level.n && !log_level_parse(o->log_level, &log_threshold))
        return EXIT_USAGE;
    if (role.kind != ROLE_NONE)
        return role_run(&role, o);
    is_supervised = o->supervise.is_set ? o->supervise.on : host_is_service();
    return program_run(o, is_supervised ? argv_again(in) : NULL);
}

#define TO(member) .offset = offsetof(struct run_options, member)

static const struct flag flags[] = {
    FLAG_FILENAME("manifests: a file, a directory (*.yaml, *.yml, *.json in it and below), or - ; "
                  "watched: a change is live without a signal. Repeatable, required"),
    { .name = "watch",
      .dflt = "true",
      .type = &flag_bool,
      TO(watch),
      .help = "--watch=false reads once; then only SIGHUP reads again" },
    { .name = "dev",
      .type = &flag_bool,
      TO(dev),
      .help = "for a laptop: stand-in workloads, a local CA for every Certificate, ports that "
              "need no root, loopback only, access log on standard output" },
    { .name = "port",
      .arg = "N=M",
      .type = &flag_port_map,
      TO(ports),
      .help = "where a Gateway says port N, bind M; M=0 picks a free one and prints it. "
              "Repeatable" },
    { .name = "bind",
      .arg = "ADDR",
      .dflt = "all addresses; --dev: loopback",
      .type = &flag_ip,
      TO(bind),
      .help = "where to listen when the Gateway's server gives no bind" },
    FLAG_LABELS,
    FLAG_NAMESPACE,
    { .name = "workers",
      .arg = "N",
      .dflt = "CPUs allowed to the process",
      .type = &flag_count,
      TO(workers),
      .help = "threads that move traffic" },
    { .name = "memory-limit",
      .arg = "SIZE",
      .dflt = "the control group's",
      .type = &flag_size,
      TO(memory_limit),
      .help = "what the process may have, such as 256Mi: near it connections are not kept, then "
              "new requests are refused" },
    { .name = "connections-per-address",
      .arg = "N",
      .dflt = "no limit",
      .type = &flag_number,
      TO(connections_per_address),
      .help = "connections that a client's IPv4 address, or the /64 network of its IPv6 address, "
              "may have open" },
    { .name = "state",
      .arg = "DIR",
      .dflt = "$STATE_DIRECTORY; /var/lib/lateen for root; $XDG_STATE_HOME/lateen",
      .type = &flag_str,
      TO(state),
      .help = "issued certificates and the last good configuration, mode 0700" },
    FLAG_MESH_CONFIG("mesh-config"),
    FLAG_ADMIN("127.0.0.1:15000", "the admin port, or off; port 0 picks one and prints it"),
    { .name = "health",
      .arg = "ADDR:PORT",
      .dflt = "0.0.0.0:15021",
      .type = &flag_address,
      TO(health),
      .help = "the health port (/healthz/ready), or off" },
    { .name = "metrics",
      .arg = "ADDR:PORT",
      .dflt = "0.0.0.0:15090",
      .type = &flag_address,
      TO(metrics),
      .help = "the metrics port (/stats/prometheus), or off" },
    { .name = "access-log",
      .arg = "FILE",
      .dflt = "MeshConfig's accessLogFile; --dev: standard output",
      .type = &flag_str,
      TO(access_log),
      .help = "where requests are logged; off for none" },
    { .name = "access-log-format",
      .arg = "FORMAT",
      .dflt = "MeshConfig's, text",
      .type = &flag_str,
      TO(access_log_format),
      .help = "text, json, or an Envoy format string" },
    { .name = "strict",
      .type = &flag_bool,
      TO(strict),
      .help = "any error, and any field that is not carried out, keeps the last good "
              "configuration (at start: exit 1)" },
    { .name = "supervise",
      .dflt = "on under systemd",
      .type = &flag_switch,
      TO(supervise),
      .help = "keeper, control and data as processes: one that crashes is started anew" },
    { .name = "drain-min",
      .arg = "DURATION",
      .dflt = "5s",
      .type = &flag_duration,
      TO(drain_min),
      .help = "how long listeners still accept after SIGTERM" },
    { .name = "drain",
      .arg = "DURATION",
      .dflt = "30s",
      .type = &flag_duration,
      TO(drain),
      .help = "how long requests may take to end after SIGTERM" },
    { .name = "log-level",
      .dflt = "info",
      .type = &flag_str,
      .choices = "error|warn|info|debug",
      TO(log_level),
      .help = "the program's own log, on standard error" },
    { .name = "log-format",
      .dflt = "text",
      .type = &flag_str,
      .choices = "text|json",
      TO(log_format),
      .help = "its form" },
    { .name = "workload-certs", .arg = "DIR", .type = &flag_unbuilt },
};

static const struct run_options defaults = {
    .watch = true,
    .drain_min = { .ms = 5000 },
    .drain = { .ms = 30000 },
};

const struct command command_run = {
    .name = "run",
    .summary = "control plane and gateway in one program, from files",
    .usage = "-f PATH... [flags]",
    .about = "Reads Kubernetes and Istio manifests, listens where their Gateways say, and routes "
             "as their VirtualServices say. A saved change is live with the next request.\n\n"
             "Signals: HUP reads everything again; TERM and INT drain and leave, a second one "
             "leaves at once; USR1 reopens log files.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct run_options),
    .defaults = &defaults,
    .run = run_run,
};
