"""The rows of traffic: every proxy under the same load, CPU time per request, round by round in a shuffled order.

In each round the relay runs, too. Where it cannot carry the row (TLS), it carries h1 c=64 in between: it never changes, so
a round in which it cost 15 % more or less than usual is thrown away, and another one is run.
"""
import counts
import figures
from envoy import Envoy
from loads import HOST, RSA_HOST, h2load, handshakes, wrk
from peers import Haproxy, Lateen, Nghttpx, Nginx, Relay, RelayH2
from report import Section, versions
from stage import say, shuffled

NAME = "traffic"
PEERS = (Relay, RelayH2, Lateen, Nginx, Haproxy, Nghttpx, Envoy)
COLUMNS = ("relay", "lateen", "nginx", "haproxy", "nghttpx", "envoy")
RIVALS = ("nginx", "haproxy", "nghttpx")


def post(port, scheme="http"):
    return lambda p: h2load(getattr(p, port), 8, 1, scheme, h1=True, rate=300, body=p.stage.body)


# name: (the port that it needs of a peer, how it is loaded, goal by the best peer, goal by Envoy)
ROWS = {
    "h1 c=1": ("h1", lambda p: wrk(p.h1, 1), None, None),
    "h1 c=16": ("h1", lambda p: wrk(p.h1, 16), None, None),
    "h1 c=64": ("h1", lambda p: wrk(p.h1, 64), 0.92, 0.45),
    "h1 c=256": ("h1", lambda p: wrk(p.h1, 256), None, None),
    "https c=64": ("tls", lambda p: wrk(p.tls, 64, scheme="https"), 0.80, 0.45),
    "h2c to h1 8x32": ("h2c", lambda p: h2load(p.h2c, 8, 32, rate=30000), 0.80, 0.45),
    "h2 to h1 8x32 TLS": ("tls", lambda p: h2load(p.tls, 8, 32, "https", rate=30000), 0.80, 0.45),
    "h2c to h2 8x32": ("h2_h2", lambda p: h2load(p.h2_h2, 8, 32, rate=30000), 0.70, 0.45),
    "TLS full ECDSA": ("tls", lambda p: handshakes(p.tls, "full", HOST), 0.90, None),
    "TLS resumed ECDSA": ("tls", lambda p: handshakes(p.tls, "resumed", HOST), 0.90, None),
    "TLS full RSA": ("tls", lambda p: handshakes(p.tls, "full", RSA_HOST), 0.90, None),
    "TLS resumed RSA": ("tls", lambda p: handshakes(p.tls, "resumed", RSA_HOST), 0.90, None),
    "1 MB GET": ("h1", lambda p: wrk(p.h1, 8, "/1m"), 0.90, None),
    "1 MB GET TLS": ("tls", lambda p: wrk(p.tls, 8, "/1m", "https"), None, None),
    "1 MB POST": ("h1", post("h1"), None, None),
    "1 MB POST TLS": ("tls", post("tls", "https"), None, None),
}
# Counted rows: the port, a load of a number of requests, and the row of ROWS that is timed beside it.
COUNTED = {
    "h1": ("h1", lambda p: counts.by_number(h2load, p.h1, 16, 1, h1=True), "h1 c=64"),
    "HTTPS": ("tls", lambda p: counts.by_number(h2load, p.tls, 16, 1, "https", h1=True), "https c=64"),
    "h2c to h1": ("h2c", lambda p: counts.by_number(h2load, p.h2c, 8, 32), "h2c to h1 8x32"),
    "h2c to h2": ("h2_h2", lambda p: counts.by_number(h2load, p.h2_h2, 8, 32), "h2c to h2 8x32"),
}
INSTRUCTIONS, SYSCALLS = 9000, 4.2


def us_per_request(process, load, seconds):
    before = process.cpu_ns()
    n = load(seconds)
    return (process.cpu_ns() - before) / n / 1000


def start_all(stage, wanted):
    """[(peer, process)] of those that are there."""
    running = []
    for kind in PEERS:
        if kind.name in wanted and kind.is_there():
            peer = kind(stage)
            running.append((peer, peer.start()))
        elif kind.name in wanted:
            say(f"{kind.name} is not installed: its figures are left out")
    return running


def run_rounds(taking, load_of, relay, rounds, seconds):
    """The field of one row and the rounds of it that count; `relay` is who guards, a (peer, process) or None."""
    field, guard = {}, []
    own = relay and any(process is relay[1] for _, process in taking)
    for peer, _ in taking:
        load_of(peer)(min(seconds, 1))  # first pages, first connections
    for at in range(2 * rounds):
        for peer, process in shuffled(taking):
            field.setdefault(peer.name, []).append(us_per_request(process, load_of(peer), seconds))
        if relay:
            guard.append(field["relay"][-1] if own else us_per_request(relay[1], wrk(relay[0].h1, 64), 1))
        kept = figures.quiet_rounds(guard) if relay else list(range(at + 1))
        if len(kept) >= rounds:
            break
    return field, kept


def run_row(name, running, rounds, seconds):
    port, load_of, goal, _ = ROWS[name]
    taking = [(peer, process) for peer, process in running if getattr(peer, port)]
    relays = [pair for pair in running if pair[0].name == "relay"]
    relay = next((pair for pair in relays if pair in taking), relays[0] if relays else None)
    say(name)
    return run_rounds(taking, load_of, relay, rounds if goal else max(1, rounds // 2), seconds)


def judge(section, name, field, kept):
    """Adds the row's goals; returns ours by the best peer, and by Envoy."""
    _, _, goal, goal_envoy = ROWS[name]
    ours = field.get("lateen")
    best = figures.best_of(field, RIVALS, kept)
    ratio = figures.ratio_of(ours, field[best], kept) if ours and best else None
    by_envoy = figures.ratio_of(ours, field["envoy"], kept) if ours and field.get("envoy") else None
    if goal and ours:
        section.goals.append(figures.at_most(f"{name}, CPU by the best peer", goal, ratio and ratio.median, f"{ratio} {best}"))
    if goal_envoy and ours and field.get("envoy"):
        section.goals.append(figures.at_most(f"{name}, CPU by Envoy", goal_envoy, by_envoy and by_envoy.median, str(by_envoy)))
    return ratio, by_envoy, best


def run(stage, options):
    section = Section(NAME, "CPU time of a request")
    wanted = [row for row in ROWS if options.wants(NAME, row)]
    running = start_all(stage, options.peers)
    memory = {peer.name: process.pss_kib() for peer, process in running if not isinstance(peer, RelayH2)}
    rows = []
    for name in wanted:
        try:
            field, kept = run_row(name, running, options.rounds, options.seconds)
        except AssertionError as error:  # a wrong answer: the others still count
            section.failed.append(f"{name}: {error}")
            rows.append([name, "failed"])
            continue
        ratio, by_envoy, best = judge(section, name, field, kept)
        cells = [f"{figures.median_of(field[peer], kept):.2f}" if field.get(peer) and kept else "" for peer in COLUMNS]
        rows.append([name, *cells, f"{ratio} {best}" if ratio else "", by_envoy or "",
                     f"{len(kept)} of {max(map(len, field.values()))}"])
    section.lines = ["CPU-us of the proxy per request, median of the rounds that count; \"by best\" is the median of ours by the",
                     "best peer in the same round, with the least and the most. TLS rows are a connection with one request each."]
    section.add_table(["row", *COLUMNS, "by best", "by Envoy", "rounds"], rows)
    section.lines += ["Peers: " + versions({peer.name: peer.path() for peer, _ in running if peer.path()}) + ".", ""]
    if memory.get("lateen"):
        section.lines.append("PSS at rest, KiB: " + ", ".join(f"{name} {kib:,}" for name, kib in memory.items()) + ".")
        section.goals.append(figures.at_most("PSS at rest", 10, memory["lateen"] / 1024, unit=" MB"))
        if memory.get("envoy"):
            section.goals.append(figures.at_most("PSS at rest by Envoy", 0.2, memory["lateen"] / memory["envoy"]))
    for _, process in running:
        process.stop()
    return section
