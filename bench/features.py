"""What the access log and the metrics add: JSON lines for each request and a scrape a second, against neither.

Counting itself is never off: the numbers of Istio's metrics are kept whether somebody reads them or not, so their share is
in every other row, too.
"""
import contextlib
import threading
import urllib.request

import counts
import figures
import traffic
from loads import h2load, wrk
from peers import Lateen, Relay
from report import Section
from stage import free_ports, say

NAME = "features"
GOAL = 1.08


class Telling(Lateen):
    name = "lateen, log and metrics"

    def __init__(self, stage, workers=1):
        super().__init__(stage, workers)
        self.metrics = free_ports(1)[0]
        self.log = self.folder / "access.log"
        self.flags = ("--metrics", f"127.0.0.1:{self.metrics}", "--access-log", self.log, "--access-log-format", "json")


@contextlib.contextmanager
def scraped(port, every=1):
    """Reads the metrics page once a second, as Prometheus would, until the end."""
    over, pages = threading.Event(), []

    def scrape():
        while not over.wait(every):
            pages.append(len(urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/prometheus").read()))
    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield pages
    finally:
        over.set()
        thread.join()


def count(stage, kind):
    """User instructions of all threads that a request costs, and system calls."""
    peer = kind(stage)
    process = peer.start()
    calls = counts.syscalls(process, wrk(peer.h1, 64))
    process.stop()
    peer = kind(stage)
    counted = counts.Counted(peer)
    instructions = counted.per_request(counts.by_number(h2load, peer.h1, 16, 1, h1=True), whole=True)
    counted.stop()
    return instructions, calls


def run(stage, options):
    section = Section(NAME, "Access log and metrics")
    off, on, relay = Lateen(stage), Telling(stage), Relay(stage)
    running = [(peer, peer.start()) for peer in (off, on, relay)]
    say("log and metrics")
    with scraped(on.metrics):
        field, kept = traffic.run_rounds(running, lambda p: wrk(p.h1, 64), running[2], options.rounds, options.seconds)
    assert on.log.read_text().startswith("{"), "no log was written"
    for _, process in running:
        process.stop()
    time = figures.ratio_of(field[on.name], field[off.name], kept)
    (few, few_calls), (many, many_calls) = count(stage, Lateen), count(stage, Telling)
    section.lines = ["h1 c=64; a JSON line a request to a file and a scrape a second, against neither. Counting for the metrics is never off.",
                     "Instructions and CPU time are those of all threads, the log's writer with them."]
    section.add_table(["", "off", "on", "on by off"], [
        ["CPU-us a request", *(f"{figures.median_of(field[peer.name], kept):.2f}" if kept else "" for peer in (off, on)), time or ""],
        ["user instructions", f"{few:,.0f}", f"{many:,.0f}", f"{many / few:.2f}"],
        ["system calls", f"{few_calls:.2f}", f"{many_calls:.2f}", f"{many_calls / few_calls:.2f}"]])
    section.goals += [figures.at_most("log and metrics on, CPU", GOAL, time and time.median, str(time)),
                      figures.at_most("log and metrics on, user instructions", GOAL, many / few),
                      figures.at_most("log and metrics on, system calls", GOAL, many_calls / few_calls)]
    return section
