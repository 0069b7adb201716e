"""A long life: load at 60 % of what the gateway can, over HTTP/1, HTTP/2 and TLS, while something
changes each second, a certificate now and then, and a backend is started anew. No answer but
200, and neither memory nor descriptors grow.

`make soak` is 20 minutes (SOAK_SECONDS), with a certificate a minute and a backend each 10 s; without
it the same in 20 s.
"""
import contextlib
import itertools
import os
import re
import statistics
import subprocess
import time

from changes import gateway
from harness import BIN, HOST, free_ports, running_echo, wait_until
from load import make_certificate, resident_kib, secret

SANITIZED = "san" in str(BIN)  # which keeps freed memory for a while
SECONDS = int(os.environ.get("SOAK_SECONDS", 10 if SANITIZED else 20))
IS_LONG = SECONDS >= 600
CERTIFICATE_EVERY, BACKEND_EVERY = (60, 10) if IS_LONG else (6, 4)
WARM_SHARE, GROWTH_KIB = 4, 2048  # a quarter of the time is warming up
SHARE = 0.6

SERVICE = """apiVersion: v1
kind: Service
metadata: {{ name: soak, namespace: hedgus }}
spec:
  ports: [ {{ name: http, port: 80 }}, {{ name: http2, port: 81 }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: soak, namespace: hedgus }}
subsets:
{subsets}"""
SUBSET = """  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: http, port: {port} }}, {{ name: http2, port: {port} }} ]
"""
ROUTES = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: soak, namespace: hedgus }}
spec:
  hosts: [ {host} ]
  gateways: [ hedgus-api ]
  http:
    - match: [ {{ uri: {{ prefix: /h2 }} }} ]
      route: [ {{ destination: {{ host: soak, port: {{ number: 81 }} }} }} ]
    - name: change-{n}
      headers: {{ response: {{ set: {{ x-change: "{n}" }} }} }}
      route: [ {{ destination: {{ host: soak, port: {{ number: 80 }} }} }} ]
"""


class Load:
    """h2load at so many requests a second; at the end every answer must have been a 200."""

    def __init__(self, lateen, scheme, path, rate, *flags):
        port, clients = lateen.ports[443 if scheme == "https" else 80], 8
        self.process = subprocess.Popen(
            ["h2load", "-n", str(rate * SECONDS), "-c", str(clients), "--rps", str(max(rate // clients, 1)), *flags,
             "-H", f":authority: {HOST}", f"{scheme}://127.0.0.1:{port}{path}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)

    def wait(self):
        out = self.process.communicate(timeout=SECONDS + 60)[0]
        found = re.search(r"requests: (\d+) total, .*?, (\d+) failed, (\d+) errored, (\d+) timeout", out)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
        assert found and codes, out
        assert found.groups()[1:] == ("0", "0", "0") and codes.groups()[1:] == ("0", "0", "0"), out
        return int(codes[1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def capacity(lateen):
    """Requests a second at full load, measured for a moment."""
    out = subprocess.run(["wrk", "-t1", "-c16", "-d2s", "-H", f"Host: {HOST}", f"http://127.0.0.1:{lateen.ports[80]}/"],
                         capture_output=True, text=True, timeout=60).stdout
    return float(re.search(r"Requests/sec: +([\d.]+)", out)[1])


class Backends:
    """Two echo servers, of which one at a time is started anew at its port."""

    def __init__(self, stack):
        self.ports = free_ports(2)
        self.stacks = [stack.enter_context(contextlib.ExitStack()) for _ in self.ports]
        self.turn = itertools.cycle(range(2))
        for i in range(2):
            self.begin(i)

    def begin(self, i):
        self.stacks[i].enter_context(running_echo(f"soak-{i}", "--port", self.ports[i]))

    def renew(self):
        i = next(self.turn)
        self.stacks[i].close()
        self.begin(i)

    def manifests(self):
        return SERVICE.format(subsets="".join(SUBSET.format(port=port) for port in self.ports))


class Sample:
    def __init__(self, lateen):
        self.kib, self.fds = resident_kib(lateen), len(os.listdir(f"/proc/{lateen.process.pid}/fd"))


def soak(lateen, manifests, backends, pairs, until):
    """Changes until then; what the program took, once a second."""
    samples, n = [], 0
    while time.monotonic() < until:
        n += 1
        at = time.monotonic() + 1
        manifests.replace("5-virtual-service.yaml", ROUTES.format(host=HOST, n=n))
        if n % CERTIFICATE_EVERY == 0:
            manifests.replace("7-secret.yaml", secret(next(pairs)))
        if n % BACKEND_EVERY == 0:
            backends.renew()
        samples.append(Sample(lateen))
        time.sleep(max(at - time.monotonic(), 0))
    wait_until("the last change is live", lambda: lateen.get("/").headers["x-change"] == str(n))
    return samples


def parts(samples):
    """Behind the warming up: medians of the first and the last third."""
    warm = samples[len(samples) // WARM_SHARE:]
    third = max(len(warm) // 3, 1)
    return [(statistics.median(s.kib for s in part), statistics.median(s.fds for s in part))
            for part in (warm[:third], warm[-third:])]


def test_a_long_life_leaves_no_trace(manifests, start, tmp_path):
    pairs = itertools.cycle([make_certificate(tmp_path, f"soak-{i}") for i in range(3)])
    manifests.remove("7-certificate.yaml")
    manifests.write("7-secret.yaml", secret(next(pairs)))
    manifests.write("6-gateway.yaml", gateway("hedgus-api", [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]))
    with contextlib.ExitStack() as stack:
        backends = Backends(stack)
        manifests.write("9-soak.yaml", backends.manifests())
        manifests.write("5-virtual-service.yaml", ROUTES.format(host=HOST, n=0))
        lateen = start(flags=["--access-log", "/dev/null"])
        wait_until("the backends answer", lambda: lateen.get("/").status == lateen.get("/h2").status == 200)
        rate = int(capacity(lateen) * SHARE / 4)
        loads = [Load(lateen, "http", "/", rate, "--h1"), Load(lateen, "https", "/", rate, "--h1"),
                 Load(lateen, "http", "/h2", rate, "-m", "4"), Load(lateen, "https", "/h2", rate, "-m", "4")]
        for load in loads:
            stack.callback(load.kill)
        samples = soak(lateen, manifests, backends, pairs, time.monotonic() + SECONDS)
        requests = [load.wait() for load in loads]
        (kib, fds), (kib_end, fds_end) = parts(samples)
        print(f"{SECONDS} s, {4 * rate} requests a second asked for, {sum(requests)} answered {requests}; resident {kib:.0f} to "
              f"{kib_end:.0f} KiB, descriptors {fds:.0f} to {fds_end:.0f}")
        assert all(n > SECONDS * rate / 4 for n in requests), requests
        assert fds_end <= fds + 24  # pools to backends breathe
        assert SANITIZED or kib_end <= kib + GROWTH_KIB
