"""From exec to the first 200, and the size of the program; with the smallest configuration that serves, and with routes."""
import os
import socket
import statistics
import subprocess
import time

import figures
from envoy import Envoy
from peers import Haproxy, Lateen, Nghttpx, Nginx
from process import PROXY_CPU, REST_CPU, TOOLS
from report import Section
from stage import MB, say, shuffled

NAME = "start"
ASK = b"GET / HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n"
PATIENCE = 60


def first_answer(port, ask=ASK):
    """Seconds until the port answers 200; asks without a pause."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
                sock.sendall(ask)
                if sock.recv(4096).startswith(b"HTTP/1.1 200"):
                    return time.monotonic() - begun
        except OSError:
            pass
    raise AssertionError("does not answer 200")


def cold_start_ms(peer):
    """The child inherits the core: no program in between that sets it."""
    command = list(map(str, peer.command()))
    os.sched_setaffinity(0, {int(PROXY_CPU)})
    begun = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(0, {int(REST_CPU)})
    try:
        first_answer(peer.h1)
        return (time.monotonic() - begun) * 1000
    finally:
        child.terminate()
        child.wait()


def stripped_size(program, folder):
    subprocess.run(["strip", "-o", folder / "stripped", os.path.realpath(program)], check=True)
    return (folder / "stripped").stat().st_size


def run(stage, options):
    section = Section(NAME, "Cold start and size")
    cores = os.sched_getaffinity(0)
    kinds = [kind for kind in (Lateen, Nginx, Haproxy, Nghttpx, Envoy) if kind.name in options.peers and kind.is_there()]
    took = {kind.name: [] for kind in kinds}
    for at in range(2 * options.rounds):
        for kind in shuffled(kinds):
            took[kind.name].append(cold_start_ms(kind(stage)))
    os.sched_setaffinity(0, cores)
    programs = {kind.name: kind.path() or TOOLS / "lateen" for kind in kinds}
    sizes = {name: stripped_size(path, stage.folder) / MB for name, path in programs.items()}
    section.lines = [f"From exec to the first 200 through to the backend, on one core, {2 * options.rounds} starts each, in milliseconds; the program's own",
                     "file, stripped, without the libraries that it loads."]
    section.add_table(["", *took], [
        ["median ms", *(f"{statistics.median(ms):.1f}" for ms in took.values())],
        ["least to most", *(f"{min(ms):.1f} to {max(ms):.1f}" for ms in took.values())],
        ["file, MB", *(f"{size:.1f}" for size in sizes.values())]])
    ours = statistics.median(took["lateen"])
    say(f"cold start {ours:.1f} ms")
    section.goals += [figures.at_most("cold start to first 200", 10, ours, unit=" ms"),
                      figures.at_most("stripped program", 6, sizes["lateen"], unit=" MB")]
    return section
