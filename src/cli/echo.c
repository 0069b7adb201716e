/* cli/echo - `lateen echo`: the stand-in workload and test backend (surface.md 3). */
#include "cli/command.h"

#include "cli/say.h"

struct echo_options {
    struct flag_ports ports, tls_ports, tcp_ports;
    struct str cert, key, client_ca;
    struct str name, version;
};

static int echo_run(struct invocation *in)
{
    const struct echo_options *o = in->options;

    if (in->args.n) {
        say_err("lateen echo: unexpected argument '%.*s'\n", STRF(in->args.v[0]));
        return EXIT_USAGE;
    }
    if (o->ports.n + o->tls_ports.n + o->tcp_ports.n == 0) {
        say_err("lateen echo: no --port, --tls-port or --tcp-port given\n");
        return EXIT_USAGE;
    }
    say_err("lateen echo: not built yet\n");
    return EXIT_USAGE;
}

#define TO(member) .offset = offsetof(struct echo_options, member)

static const struct flag flags[] = {
    { .name = "port",
      .letter = 'p',
      .arg = "P",
      .type = &flag_port_list,
      TO(ports),
      .help = "serve HTTP here; 0 picks a free port and prints it. Repeatable" },
    { .name = "tls-port",
      .arg = "P",
      .type = &flag_port_list,
      TO(tls_ports),
      .help = "serve HTTPS here, with --cert and --key. Repeatable" },
    { .name = "cert", .arg = "FILE", .type = &flag_str, TO(cert), .help = "PEM certificate chain" },
    { .name = "key", .arg = "FILE", .type = &flag_str, TO(key), .help = "PEM private key" },
    { .name = "client-ca",
      .arg = "FILE",
      .type = &flag_str,
      TO(client_ca),
      .help = "ask for a client certificate of this CA" },
    { .name = "tcp-port",
      .arg = "P",
      .type = &flag_port_list,
      TO(tcp_ports),
      .help = "send octets back here. Repeatable" },
    { .name = "name",
      .arg = "N",
      .dflt = "echo",
      .type = &flag_str,
      TO(name),
      .help = "the Name that answers show" },
    { .name = "version",
      .arg = "V",
      .type = &flag_str,
      TO(version),
      .help = "the Version that answers show" },
    { .name = "grpc", .type = &flag_unbuilt_switch },
};

static const struct echo_options defaults = { .name = STR_INIT("echo") };

const struct command command_echo = {
    .name = "echo",
    .summary = "a stand-in workload that tells what it was sent",
    .usage = "--port P [--port P2 ...] [flags]",
    .about = "Serves HTTP/1.1 on 127.0.0.1 and every other address, and answers each request "
             "with what it was sent: Key=Value lines, JSON for Accept: application/json, a page "
             "for Accept: text/html.\n\n"
             "Query parameters steer the answer: ?status=503, ?delay=200ms, ?size=1Mi, "
             "?header=x:y, ?trailer=x:y, ?close=1, ?reset=after-head.\n\n"
             "HTTP/2 and gRPC are not built yet.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct echo_options),
    .defaults = &defaults,
    .run = echo_run,
};
