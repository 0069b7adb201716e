"""Two workers against one: CPU time of a request at the same load, and how eight long-lived HTTP/2 connections fall."""
import collections
import json
import threading
import time
import urllib.request

import figures
from loads import h2load
from peers import Haproxy, Lateen, Nginx
from report import Section
from stage import free_ports, say, shuffled

NAME = "workers"
RATE = 12000  # requests a second: what both carry with room to spare
TRIES = 10


def us_per_request(peer, process, seconds):
    before = process.cpu_ns()
    n = h2load(peer.h1, 64, 1, rate=RATE, rps=RATE, h1=True, cpu=None)(2 * seconds)
    return (process.cpu_ns() - before) / n / 1000


class Watched(Lateen):
    """With its admin port, which tells which worker has which connection."""

    def __init__(self, stage, workers=2):
        super().__init__(stage, workers)
        self.admin = f"127.0.0.1:{free_ports(1)[0]}"

    def connections(self):
        """The worker of each client's connection."""
        found = json.load(urllib.request.urlopen(f"http://{self.admin}/connections"))
        return [one["worker"] for one in found["connections"] if one["side"] == "downstream"]

    def split(self):
        """How many of eight new connections the busier worker has, once each has had requests."""
        while self.connections():
            time.sleep(0.01)
        load = threading.Thread(target=h2load(self.h2c, 8, 1, rate=3000, rps=3000, cpu=None), args=(1,))
        load.start()
        time.sleep(0.6)
        held = collections.Counter(self.connections())
        load.join()
        assert held.total() == 8, held
        return max(held.values())


def run(stage, options):
    section = Section(NAME, "Two workers")
    kinds = [kind for kind in (Lateen, Nginx, Haproxy) if kind.name in options.peers and kind.is_there()]
    running = {(kind.name, n): (peer := kind(stage, workers=n), peer.start(cpu=None)) for kind in kinds for n in (1, 2)}
    field, rounds = {}, list(range(options.rounds))
    say("two workers")
    for at in rounds:
        for who in shuffled(running):
            field.setdefault(who, []).append(us_per_request(*running[who], options.seconds))
    ratios = {kind.name: figures.ratio_of(field[kind.name, 2], field[kind.name, 1], rounds) for kind in kinds}
    watched = Watched(stage)
    watched.start(cpu=None)
    splits = sorted(watched.split() for _ in range(TRIES))
    section.lines = [f"h1 c=64 at {RATE:,} requests a second, nothing pinned: CPU-us of a request with one and with two workers.",
                     f"Eight long-lived HTTP/2 connections, {TRIES} times: the busier worker had {', '.join(map(str, splits))} of them."]
    section.add_table(["", *ratios], [
        ["one worker, CPU-us", *(f"{figures.median_of(field[name, 1], rounds):.2f}" for name in ratios)],
        ["two workers, CPU-us", *(f"{figures.median_of(field[name, 2], rounds):.2f}" for name in ratios)],
        ["two by one", *ratios.values()]])
    section.goals.append(figures.at_most("eight h2 connections, the busier of two workers", 5, splits[-1], f"{splits[-1]} of 8 at worst"))
    for _, process in running.values():
        process.stop()
    return section
