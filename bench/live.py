#!/usr/bin/env python3
"""File closed to live: a running lateen, one of N files renamed into place, the next answers watched.

    bench/live.py build/src/cli/lateen [routes] [changes]       and the section `live` of bench/run

The fixture is bench/reload.c's, with a direct response that tells the version as each file's first
rule. Polls over one connection, so a poll's own time is part of the figure. The phases are what the
program logs of each reload; "first" is how long the first answer by the new rules took; CPU time a change is
that of the compiler thread and of main, which hands the snapshot to the workers.
"""
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from process import TOOLS
from report import Section
from stage import free_ports, say

NAME = "live"
SIZES = (10, 1000, 10000, 100000)
GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: shop}
spec:
  selector: {istio: ingress}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ['*']
"""
SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{0}, namespace: shop}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{0}-1, namespace: shop, labels: {{kubernetes.io/service-name: s{0}}}}}
addressType: IPv4
ports: [{{name: http, port: 8080}}]
endpoints: [{{addresses: [127.0.0.1]}}]
"""
RULE = """  - match:
    - uri:
        prefix: /api/v1/item{0}/
    route:
    - destination:
        host: s{1}
        port:
          number: 80
      weight: 80
    - destination:
        host: s{2}
        port:
          number: 80
      weight: 20
"""
EACH = 100  # rules of a file, the one that tells its version with them


def write(folder, name, text):
    """Returns when the file was closed under its name."""
    hidden = folder / f".{name}"
    hidden.write_text(text)
    os.rename(hidden, folder / name)
    return time.monotonic()


def service(at, version, rules=EACH):
    return (f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: v{at:05}\n  namespace: shop\n"
            f"spec:\n  hosts:\n  - h{at:05}.test\n  gateways:\n  - g\n  http:\n  - match:\n    - uri:\n        exact: /version\n"
            f"    directResponse:\n      status: 200\n      body:\n        string: 'v{version}'\n" +
            "".join(RULE.format(k, k % 10, (k + 1) % 10) for k in range(rules - 1)))


def wait_live(client, at, version, begun, patience=30):
    """Milliseconds since `begun`, and those of the answer that was the first."""
    while time.monotonic() - begun < patience:
        asked = time.monotonic()
        client.request("GET", "/version", headers={"Host": f"h{at:05}.test"})
        if client.getresponse().read() == b"v%d" % version:
            now = time.monotonic()
            return (now - begun) * 1000, (now - asked) * 1000
        time.sleep(0.0003)
    raise RuntimeError("a change did not become live")


def connect(port, patience=60):
    for _ in range(patience * 20):
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
            client.connect()
            return client
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("it does not listen")


def cpu_ms(pid):
    """Of the compiler thread and of main."""
    tasks = pathlib.Path(f"/proc/{pid}/task")
    compiler = next(task for task in tasks.iterdir() if (task / "comm").read_text().strip() == "lateen-compiler")
    return [int((task / "schedstat").read_text().split()[0]) / 1e6 for task in (compiler, tasks / str(pid))]


def at_percent(values, percent):
    values = sorted(values)
    return statistics.median(values) if percent == 50 else values[int(len(values) * percent / 100)]


def percentiles(values):
    return f"{at_percent(values, 50):.1f}/{at_percent(values, 99):.1f}"


def phases(log):
    """Of each reload in the program's log, in milliseconds."""
    reloads = [entry for line in log.read_text().splitlines() if (entry := json.loads(line)).get("scope") == "reload"]
    return {name: [r[f"{name}_us"] / 1000 for r in reloads] for name in ("read", "decode", "compile", "publish")}


def measure(binary, routes, changes):
    """What a change of one file costs: {"live": [ms], "first": [ms], "phases": {name: [ms]}, "cpu": [compiler, main] ms, "rss_kb"}."""
    files, rules = max(1, routes // EACH), min(routes, EACH)
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "manifests"
        port, *extra = free_ports(4)
        extra = [f"127.0.0.1:{one}" for one in extra]
        folder.mkdir()
        write(folder, "base.yaml", GATEWAY + "".join(SERVICE.format(i) for i in range(10)))
        for i in range(files):
            write(folder, f"v{i:05}.yaml", service(i, 0, rules))
        program = subprocess.Popen([binary, "run", "-f", folder, "--state", f"{top}/state", "--port", f"80={port}", "--admin",
                                    extra[0], "--health", extra[1], "--metrics", extra[2], "--drain-min", "0s", "--log-format", "json"],
                                   stdout=subprocess.DEVNULL, stderr=open(f"{top}/log", "w"))
        try:
            client = connect(port)
            wait_live(client, 0, 0, time.monotonic())
            time.sleep(3)  # what was written a moment ago is read again
            took, before = [], cpu_ms(program.pid)
            for n in range(changes):
                at = n * 7919 % files
                took.append(wait_live(client, at, n + 1, write(folder, f"v{at:05}.yaml", service(at, n + 1, rules))))
                time.sleep(0.03)
            status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
            all_ms, first_ms = zip(*took)
            return {"live": all_ms, "first": first_ms, "phases": phases(pathlib.Path(top) / "log"),
                    "cpu": [(b - a) / changes for a, b in zip(before, cpu_ms(program.pid))],
                    "rss_kb": int(re.search(r"VmRSS:\s+(\d+)", status)[1])}
        finally:
            program.terminate()
            program.wait()


def run(_, options):
    section = Section(NAME, "A file saved to its route live")
    changes, rows = 20 * options.rounds, []
    for routes in SIZES:
        say(f"{routes} routes, {changes} changes")
        found = measure(TOOLS / "lateen", routes, changes)
        half, most = at_percent(found["live"], 50), at_percent(found["live"], 99)
        rows.append([f"{routes:,}", f"{half:.1f}", f"{most:.1f}", f"{max(found['live']):.1f}",
                     *(percentiles(found["phases"][name]) for name in ("read", "decode", "compile", "publish")),
                     f"{found['cpu'][0]:.1f}", f"{found['rss_kb'] / 1024:.1f}"])
    section.lines = [f"One of the files is renamed into place, {changes} times; milliseconds until the first answer by its new rules, asked over one connection",
                     "without a pause. 10 ms of it is the wait for more changes. The phases are p50/p99 of what the program logs."]
    section.add_table(["routes", "median", "99 of 100", "most", "read", "decode", "compile", "publish", "CPU of the compiler", "RSS, MB"], rows)
    return section


def main():
    binary, routes, changes = sys.argv[1], int((sys.argv[2:] + [10000])[0]), int((sys.argv[3:] + [100])[0])
    found = measure(binary, routes, changes)
    print(f"{routes} routes, {changes} changes, p50/p99 ms: file closed to live {percentiles(found['live'])}, first "
          f"{percentiles(found['first'])}", *(f"{name} {percentiles(values)}" for name, values in found["phases"].items()), sep=", ", end="")
    print(f"; CPU a change: compiler {found['cpu'][0]:.1f}, main {found['cpu'][1]:.2f} ms; RSS {found['rss_kb'] / routes:.2f} KB a route")


if __name__ == "__main__":
    main()
