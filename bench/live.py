#!/usr/bin/env python3
"""File closed to live: a running lateen, one of N files renamed into place, the next answers watched.

    bench/live.py build/src/cli/lateen [routes] [changes]

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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))
from harness import free_ports  # noqa: E402

BINARY, ROUTES, CHANGES = sys.argv[1], int((sys.argv[2:] + [10000])[0]), int((sys.argv[3:] + [100])[0])
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
RULES = "".join(RULE.format(k, k % 10, (k + 1) % 10) for k in range(99))


def write(folder, name, text):
    """Returns when the file was closed under its name."""
    hidden = folder / f".{name}"
    hidden.write_text(text)
    os.rename(hidden, folder / name)
    return time.monotonic()


def service(at, version):
    return (f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: v{at:05}\n  namespace: shop\n"
            f"spec:\n  hosts:\n  - h{at:05}.test\n  gateways:\n  - g\n  http:\n  - match:\n    - uri:\n        exact: /version\n"
            f"    directResponse:\n      status: 200\n      body:\n        string: 'v{version}'\n" + RULES)


def wait_live(client, at, version, begun, patience=30):
    """Milliseconds since `begun`, and those of the answer that was the first."""
    while time.monotonic() - begun < patience:
        asked = time.monotonic()
        client.request("GET", "/version", headers={"Host": f"h{at:05}.test"})
        if client.getresponse().read() == b"v%d" % version:
            now = time.monotonic()
            return (now - begun) * 1000, (now - asked) * 1000
        time.sleep(0.0003)
    raise SystemExit("a change did not become live")


def connect(port, patience=60):
    for _ in range(patience * 20):
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
            client.connect()
            return client
        except OSError:
            time.sleep(0.05)
    raise SystemExit("it does not listen")


def cpu_ms(pid):
    """Of the compiler thread and of main."""
    tasks = pathlib.Path(f"/proc/{pid}/task")
    compiler = next(task for task in tasks.iterdir() if (task / "comm").read_text().strip() == "lateen-compiler")
    return [int((task / "schedstat").read_text().split()[0]) / 1e6 for task in (compiler, tasks / str(pid))]


def percentiles(values):
    values = sorted(values)
    return f"{statistics.median(values):.1f}/{values[int(len(values) * 0.99)]:.1f}"


def phases(log):
    """Of each reload in the program's log, in milliseconds."""
    reloads = [entry for line in log.read_text().splitlines() if (entry := json.loads(line)).get("scope") == "reload"]
    return {name: [r[f"{name}_us"] / 1000 for r in reloads] for name in ("read", "decode", "compile", "publish")}


def main():
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "manifests"
        port, *extra = free_ports(4)
        extra = [f"127.0.0.1:{one}" for one in extra]
        folder.mkdir()
        write(folder, "base.yaml", GATEWAY + "".join(SERVICE.format(i) for i in range(10)))
        for i in range(ROUTES // 100):
            write(folder, f"v{i:05}.yaml", service(i, 0))
        program = subprocess.Popen([BINARY, "run", "-f", folder, "--state", f"{top}/state", "--port", f"80={port}", "--admin",
                                    extra[0], "--health", extra[1], "--metrics", extra[2], "--drain-min", "0s", "--log-format", "json"],
                                   stdout=subprocess.DEVNULL, stderr=open(f"{top}/log", "w"))
        try:
            client = connect(port)
            wait_live(client, 0, 0, time.monotonic())
            time.sleep(3)  # what was written a moment ago is read again
            took, before = [], cpu_ms(program.pid)
            for n in range(CHANGES):
                at = n * 7919 % (ROUTES // 100)
                took.append(wait_live(client, at, n + 1, write(folder, f"v{at:05}.yaml", service(at, n + 1))))
                time.sleep(0.03)
            status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
            resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
            cpu = [(b - a) / CHANGES for a, b in zip(before, cpu_ms(program.pid))]
            all_ms, first_ms = zip(*took)
            print(f"{ROUTES} routes, {CHANGES} changes, p50/p99 ms: file closed to live {percentiles(all_ms)}, first "
                  f"{percentiles(first_ms)}", end="")
            for name, values in phases(pathlib.Path(top) / "log").items():
                print(f", {name} {percentiles(values)}", end="")
            print(f"; CPU a change: compiler {cpu[0]:.1f}, main {cpu[1]:.2f} ms; RSS {resident / ROUTES:.2f} KB a route")
        finally:
            program.terminate()
            program.wait()


if __name__ == "__main__":
    main()
