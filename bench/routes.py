"""What finding a route costs: 1, 10,000 and 100,000 of them, conditions, regexes; HAProxy's maps and nginx beside.

100 prefixes a host, so 100,000 routes are 1,000 hosts. All proxies run at once and are asked in turns; each figure is divided by
the one-route configuration of the same proxy in the same round.
"""
import time

import counts
import figures
import traffic
from loads import h2load, wrk
from peers import GATEWAY, Haproxy, Lateen, Nginx, Relay, backend
from report import Section
from stage import say

NAME = "routes"
EACH = 100
REGEXES = 1000
PREDICATES = ("x-tier: gold",)
GOAL, GOAL_US = 1.03, 1.0


def host_of(at):
    return f"h{at:05}.test"


def path_of(at):
    return f"/api/v1/item{at}/"


def one_path(at):
    return f"/api/v1/service-{at}/x/items"


DESTINATION = "    route: [{destination: {host: sink.internal, port: {number: 80}}}]\n"


def service(name, host, rules):
    return f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  hosts: ["{host}"]
  gateways: [gw]
  http:
""" + "".join(f"  - match: [{{{rule}}}]\n" + DESTINATION for rule in rules)


def prefix_rules(n, predicates):
    """With predicates, each rule asks for a method and a header, too."""
    more = ", method: {exact: GET}, headers: {x-tier: {exact: gold}}" if predicates else ""
    return [f"uri: {{prefix: {path_of(at)}}}{more}" for at in range(n)]


class Routed:
    """What the fixtures share: how many routes, and of which kind."""

    def __init__(self, stage, routes=1, regexes=False, predicates=False):
        super().__init__(stage)
        self.routes, self.regexes, self.predicates = routes, regexes, predicates
        self.hosts, self.each = max(1, routes // EACH), min(routes, EACH)

    def asks(self):
        """{which: (host, path)}; "miss" is a path that no route takes, of the host in the middle."""
        last = self.routes - 1
        if self.regexes:
            return {which: (host_of(0), one_path(at)) for which, at in (("first", 0), ("median", last // 2), ("last", last), ("miss", "x"))}
        places = {"first": 0, "median": last // 2, "last": last}
        return {which: (host_of(at // EACH), path_of(at % EACH)) for which, at in places.items()} | {
            "miss": (host_of(last // 2 // EACH), "/nothing")}


class RoutedLateen(Routed, Lateen):
    def __init__(self, stage, **how):
        super().__init__(stage, **how)
        self.tls = self.h2_h2 = None

    def manifests(self):
        if self.regexes:
            rules = [f"uri: {{regex: '/api/v[0-9]+/service-{at}/[^/]+/items'}}" for at in range(self.routes)]
            services = service("v0", host_of(0), rules)
        else:
            rules = prefix_rules(self.each, self.predicates)
            services = "".join(service(f"v{at}", host_of(at), rules) for at in range(self.hosts))
        return GATEWAY.split("  - port: {number: 81")[0] + backend(self.stage.sink, self.stage.h2_sink) + services


class RoutedHaproxy(Routed, Haproxy):
    """Maps: a prefix tree of host and path, or regexes one by one."""

    def route(self):
        if self.regexes:
            lines = [f"^{host_of(0)}/api/v[0-9]+/service-{at}/[^/]+/items$ sink" for at in range(self.routes)]
        else:
            lines = [f"{host_of(host)}{path_of(at)} sink" for host in range(self.hosts) for at in range(self.each)]
        return f"use_backend %[base,{'map_reg' if self.regexes else 'map_beg'}({self.write('map', chr(10).join(lines))},none)]"


class RoutedNginx(Routed, Nginx):
    def __init__(self, stage, **how):
        super().__init__(stage, **how)
        self.tls = self.h2c = None

    def servers(self):
        if self.regexes:
            takes = [f"location ~ ^/api/v[0-9]+/service-{at}/[^/]+/items$ {{ proxy_pass http://sink; }}" for at in range(self.routes)]
        else:
            takes = [f"location {path_of(at)} {{ proxy_pass http://sink; }}" for at in range(self.each)]
        takes = "\n".join(takes) + "\nlocation / { return 404; }"
        return "".join(f"\nserver {{ listen 127.0.0.1:{self.h1}; server_name {host_of(at)};\n{takes} }}" for at in range(self.hosts))


KINDS = {"lateen": RoutedLateen, "haproxy": RoutedHaproxy, "nginx": RoutedNginx}
# name: (how it is made, which requests of Lateen, and which of the others)
FIXTURES = {
    "1 route": ({}, ("first", "miss"), ("first", "miss")),
    "10k routes": ({"routes": 10000}, ("first", "median", "last", "miss"), ("median",)),
    "100k routes": ({"routes": 100000}, ("first", "median", "last", "miss"), ("first", "median", "last", "miss")),
    "100k, header and method": ({"routes": 100000, "predicates": True}, ("median", "last", "miss"), ()),
    "1k regexes": ({"routes": REGEXES, "regexes": True}, ("first", "median", "last", "miss"), ("median",)),
}
# Of Lateen, under callgrind as well.
COUNTED = {"1 route": ("first", "miss"), "100k routes": ("median", "miss"), "100k, header and method": ("median",), "1k regexes": ("median",)}


class Ask:
    """One request of one configuration of one proxy, as traffic.run_rounds() takes it."""

    def __init__(self, peer, fixture, which):
        self.peer, self.h1 = peer, peer.h1
        self.name = (peer.name, fixture, which)
        host, self.path = peer.asks()[which]
        self.how = {"headers": (f"Host: {host}", *PREDICATES), "misses": which == "miss"}

    def load(self):
        return wrk(self.h1, 64, self.path, **self.how)


class Guard:
    name = "relay"

    def __init__(self, relay):
        self.h1 = relay.h1

    def load(self):
        return wrk(self.h1, 64)


def start_all(stage, options):
    """The asks with their processes, and {(proxy, fixture): (ms to start, KiB)}."""
    taking, weights = [], {}
    for name, kind in KINDS.items():
        for fixture, (how, of_lateen, of_others) in FIXTURES.items():
            which = of_lateen if name == "lateen" else of_others
            if not which or name not in options.peers or not kind.is_there():
                continue
            say(f"{name}, {fixture}")
            peer = kind(stage, **how)
            begun = time.monotonic()
            process = peer.start()
            took = (time.monotonic() - begun) * 1000
            taking += [(Ask(peer, fixture, one), process) for one in which]
            process.wait_idle()
            weights[name, fixture] = (took, process.pss_kib())
    return taking, weights


def count(stage):
    """{(fixture, which): user instructions} of Lateen."""
    found = {}
    for fixture, which in COUNTED.items():
        say(f"instructions, {fixture}")
        peer = RoutedLateen(stage, **FIXTURES[fixture][0])
        counted = counts.Counted(peer, rest=True)
        for one in which:
            host, path = peer.asks()[one]
            found[fixture, one] = counted.per_request(counts.by_number(
                h2load, peer.h1, 16, 1, h1=True, host=host, path=path, headers=PREDICATES, misses=one == "miss"))
        counted.stop()
    return found


def run(stage, options):
    section = Section(NAME, "Routes")
    taking, weights = start_all(stage, options)
    relay = Relay(stage)
    guard = (Guard(relay), relay.start())
    say("routes")
    field, kept = traffic.run_rounds([*taking, guard], lambda ask: ask.load(), guard, options.rounds, options.seconds)
    for _, process in (*taking, guard):
        process.stop()
    instructions = count(stage)
    section.lines = ["h1 c=64, CPU-us of a request, and in brackets by the same proxy's one route in the same round (a miss, which is answered 404, by its",
                     "miss). HAProxy by maps (a prefix tree; regexes one by one), nginx by locations. Instructions of Lateen by callgrind."]
    section.add_table(["routes", "request", "lateen", "instructions", "haproxy", "nginx"],
                      [[fixture, which, cell(field, kept, "lateen", fixture, which), told(instructions.get((fixture, which))),
                        *(cell(field, kept, peer, fixture, which) for peer in ("haproxy", "nginx"))]
                       for fixture, (_, asks, _) in FIXTURES.items() for which in asks])
    section.add_table(["to start, ms / PSS, MB", *KINDS],
                      [[fixture, *(f"{at[0]:,.0f} / {at[1] / 1024:.1f}" if (at := weights.get((name, fixture))) else "" for name in KINDS)]
                       for fixture in FIXTURES])
    judge(section, field, kept, instructions)
    return section


def told(count_or_none):
    return f"{count_or_none:,.0f}" if count_or_none else ""


def by_one(field, kept, peer, fixture, which):
    """The ratio to the same proxy's one route."""
    base = field.get((peer, "1 route", "miss" if which == "miss" else "first"))
    ours = field.get((peer, fixture, which))
    return figures.ratio_of(ours, base, kept) if ours and base else None


def cell(field, kept, peer, fixture, which):
    ratio = by_one(field, kept, peer, fixture, which)
    return f"{figures.median_of(field[peer, fixture, which], kept):.2f} ({ratio.median:.2f})" if ratio else ""


def judge(section, field, kept, instructions):
    if ("lateen", "1 route", "first") not in field:
        return
    one = instructions["1 route", "first"]
    section.goals.append(figures.at_most("100k routes by 1, user instructions", GOAL, instructions["100k routes", "median"] / one))
    for which in ("first", "median", "last"):
        ratio = by_one(field, kept, "lateen", "100k routes", which)
        section.goals.append(figures.at_most(f"100k routes by 1, CPU, {which}", GOAL, ratio and ratio.median, str(ratio)))
    plain, one_us = field["lateen", "100k routes", "median"], field["lateen", "1 route", "first"]
    for name, other, base in (("header and method", field["lateen", "100k, header and method", "median"], plain),
                              ("1k regexes", field["lateen", "1k regexes", "median"], one_us)):
        more = figures.median_of([a - b for a, b in zip(other, base)], kept)
        section.goals.append(figures.at_most(f"{name}, more CPU a request", GOAL_US, more, unit=" us"))
