/* cli/echo - `lateen echo`: the stand-in workload and test backend (surface.md 3). */
#include "cli/command.h"

#include "cli/echo_tls.h"
#include "cli/file.h"
#include "cli/say.h"
#include "cli/signals.h"
#include "echo/serve.h"

#include <errno.h>
#include <signal.h>

#define PEM_MAX (1u << 20)
#define CONNECTIONS_MAX 65536

struct echo_options {
    struct flag_ports ports, tls_ports, tcp_ports;
    struct str cert, key;
    struct str name, version;
    bool grpc;
};

struct echo_program {
    const struct echo_options *o;
    struct arena *arena;
    struct loop *loop;
    struct signals signals;
    struct echo_tls *tls;
    struct echo_server *server;
};

static void program_signal(struct signals *s, int number)
{
    struct echo_program *p = CONTAINER_OF(s, struct echo_program, signals);

    if (number == SIGTERM || number == SIGINT || number == SIGQUIT)
        loop_stop(p->loop);
}

static bool pem_read(struct echo_program *p, struct str path, struct str *ret)
{
    struct str why;

    if (file_read(path, PEM_MAX, p->arena, ret, &why))
        return true;
    say_err("lateen echo: %.*s: %.*s\n", STRF(path), STRF(why));
    return false;
}

static bool program_tls(struct echo_program *p)
{
    const struct echo_options *o = p->o;
    struct str cert, key, why;

    if (o->tls_ports.n == 0)
        return true;
    if (!pem_read(p, o->cert, &cert) || !pem_read(p, o->key, &key))
        return false;
    p->tls = echo_tls_new(cert, key, p->arena, &why);
    if (!p->tls)
        say_err("lateen echo: %.*s: %.*s\n", STRF(o->cert), STRF(why));
    return p->tls != NULL;
}

static bool program_listen(struct echo_program *p, const struct flag_ports *ports,
                           enum echo_kind kind)
{
    static const char *const names[] = { "http", "https", "tcp" };
    struct echo_identity who = { p->o->name, p->o->version, p->o->grpc };

    for (size_t i = 0; i < ports->n; i++) {
        struct addr addr = { .port = ports->v[i].to };
        enum err e;
        int fd;

        e = listen_open(&addr, &fd, 1);
        if (e == ERR_OK && !echo_listen(p->server, fd, kind, &who, echo_tls_chooser(p->tls)))
            e = ERR_IO;
        if (e != ERR_OK) {
            say_err("lateen echo: port %u: %s\n", ports->v[i].to, err_text(e));
            return false;
        }
        say_err("lateen echo: %s on port %u\n", names[kind], addr.port);
    }
    return true;
}

static bool program_start(struct echo_program *p)
{
    const struct echo_options *o = p->o;

    if (!program_tls(p) || !program_listen(p, &o->ports, ECHO_HTTP) ||
        !program_listen(p, &o->tls_ports, ECHO_TLS) || !program_listen(p, &o->tcp_ports, ECHO_TCP))
        return false;
    if (signals_start(&p->signals, p->loop, program_signal))
        return true;
    say_err("lateen echo: signals: %s\n", strerror(errno));
    return false;
}

static int program_run(struct invocation *in)
{
    struct echo_program p = { .o = in->options, .arena = in->arena, .signals = { .fd = -1 } };
    bool fine;

    signals_block();
    p.loop = loop_new(NULL);
    p.server = echo_server_new(p.loop, CONNECTIONS_MAX);
    fine = program_start(&p);
    if (fine)
        loop_run(p.loop);
    signals_stop(&p.signals);
    echo_server_free(p.server);
    echo_tls_free(p.tls);
    loop_free(p.loop);
    return fine ? EXIT_FINE : EXIT_FAILED;
}

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
    if (o->tls_ports.n && (!str_is_set(o->cert) || !str_is_set(o->key))) {
        say_err("lateen echo: --tls-port wants --cert and --key\n");
        return EXIT_USAGE;
    }
    return program_run(in);
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
    { .name = "grpc",
      .type = &flag_bool,
      TO(grpc),
      .help = "answer gRPC's health service and lateen.echo.v1.Echo, too" },
    { .name = "client-ca", .arg = "FILE", .type = &flag_unbuilt },
};

static const struct echo_options defaults = { .name = STR_INIT("echo") };

const struct command command_echo = {
    .name = "echo",
    .summary = "a stand-in workload that tells what it was sent",
    .usage = "--port P [--port P2 ...] [flags]",
    .about = "Serves HTTP/1.1 and HTTP/2 (prior knowledge; ALPN on TLS ports) on all addresses, "
             "and answers each request "
             "with what it was sent: Key=Value lines, JSON for Accept: application/json, a page "
             "for Accept: text/html.\n\n"
             "Query parameters steer the answer: ?status=503, ?delay=200ms, ?size=1Mi, "
             "?header=x:y, ?trailer=x:y, ?close=1, ?reset=after-head.\n\n"
             "WebSocket is not built yet.",
    .flags = FLAG_TABLE(flags),
    .options_size = sizeof(struct echo_options),
    .defaults = &defaults,
    .run = echo_run,
};
