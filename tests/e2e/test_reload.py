"""300 changes while wrk runs over HTTP and HTTPS, and h2load over HTTP/2, cost no request and no
connection.

Each change waits until its effect shows, so that none of them is overtaken by the next. The
Gateway's hosts are `*`, because wrk sends the address as its SNI. E2E_CHANGES and E2E_SECONDS
make the run shorter (sanitizers).
"""
import base64
import contextlib
import itertools
import os
import re
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time

import pytest

from harness import BIN, HOST, Backend, free_ports, virtual_service, wait_until

SANITIZED = "san" in str(BIN)
CHANGES = int(os.environ.get("E2E_CHANGES", 90 if SANITIZED else 300))
SECONDS = int(os.environ.get("E2E_SECONDS", 10 if SANITIZED else 30))
RULE = """
    - match:
        - uri:
            exact: /added-{n}
      route:
        - destination:
            host: hedgus-app
            subset: {subset}"""
TRICKLE_RULE = """
    - match:
        - uri:
            prefix: /trickle
      route:
        - destination:
            host: trickle"""

pytestmark = pytest.mark.reload


def gateway(name, servers):
    text = f"apiVersion: networking.istio.io/v1beta1\nkind: Gateway\nmetadata: {{ name: {name}, namespace: hedgus }}\n"
    text += "spec:\n  selector: { istio: gateway }\n  servers:\n"
    for number, protocol, hosts in servers:
        text += f"    - port: {{ number: {number}, name: p{number}, protocol: {protocol} }}\n      hosts: {hosts}\n"
        if protocol == "HTTPS":
            text += "      tls: { mode: SIMPLE, credentialName: hedgus-crt }\n"
    return text


def make_certificate(folder, name):
    """A self-signed certificate for the host; returns (PEM chain, PEM key)."""
    key, chain = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", chain, "-days", "30", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{HOST}"], check=True, capture_output=True)
    return chain.read_bytes(), key.read_bytes()


def secret(pair):
    crt, key = (base64.b64encode(part).decode() for part in pair)
    return ("apiVersion: v1\nkind: Secret\nmetadata: { name: hedgus-crt, namespace: istio-ingress }\n"
            f"type: kubernetes.io/tls\ndata:\n  tls.crt: {crt}\n  tls.key: {key}\n")


class Wrk:
    """wrk until stop(); then what it counted."""

    def __init__(self, url, connections):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", "-d600s", "--timeout", "20s", "-H", f"Host: {HOST}", url],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)

        wait_until("wrk is connected", lambda: len(self.sockets()) >= connections)
        time.sleep(0.3)
        self.at_start = self.sockets()

    def sockets(self):
        """The sockets it holds, by inode: one that was closed and dialled again is another."""
        links = []
        for fd in os.listdir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(OSError):
                links.append(os.readlink(f"/proc/{self.process.pid}/fd/{fd}"))
        return {link for link in links if link.startswith("socket:")}

    def stop(self):
        assert self.sockets() == self.at_start, "wrk had to dial again: a connection was closed"
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate(timeout=60)[0]
        assert "Socket errors" not in out and "Non-2xx" not in out, out
        requests = int(re.search(r"(\d+) requests in", out)[1])
        assert requests > 100, out
        return requests

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class H2Load(threading.Thread):
    """h2load again and again; each run has its connections to the end and counts what failed."""

    def __init__(self, lateen):
        super().__init__(daemon=True)
        self.url, self.runs, self.fault, self.leave = f"https://127.0.0.1:{lateen.ports[443]}/", 0, None, threading.Event()

    def run(self):
        command = ["h2load", "-n", "5000", "-c", "2", "-m", "4", "-H", f":authority: {HOST}", self.url]
        while not self.leave.is_set() and not self.fault:
            out = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
            if "5000 succeeded, 0 failed, 0 errored, 0 timeout" not in out or "5000 2xx" not in out:
                self.fault = out
            self.runs += 1

    def stop(self):
        self.leave.set()
        self.join(120)
        assert not self.fault and self.runs > 0 and not self.is_alive(), self.fault
        return 5000 * self.runs


class Steady(threading.Thread):
    """One connection that asks again and again; any end of it, or any answer but 200, is kept."""

    def __init__(self, lateen, scheme):
        super().__init__(daemon=True)
        self.client = lateen.client(scheme, cafile=False)
        self.served, self.fault, self.leave = 0, None, threading.Event()

    def run(self):
        try:
            while not self.leave.wait(0.02):
                answer = self.client.get("/steady")
                assert answer.status == 200, f"{answer.status} {answer.text}"
                assert answer.headers.get("Connection", "").lower() != "close"
                self.served += 1
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test shows it
            self.fault = fault
        self.client.close()

    def stop(self):
        self.leave.set()
        self.join(30)
        assert self.fault is None, f"after {self.served} requests: {self.fault!r}"
        assert self.served > 50


class Download(threading.Thread):
    """A chunked answer that lasts as long as the test."""

    def __init__(self, lateen):
        super().__init__(daemon=True)
        self.client, self.lines, self.fault = lateen.client(), 0, None

    def run(self):
        try:
            self.client.request("GET", "/trickle", headers={"Host": HOST})
            response = self.client.getresponse()
            assert response.status == 200 and response.headers["Transfer-Encoding"] == "chunked"
            while line := response.readline():
                assert line == b"line %d\n" % self.lines, line
                self.lines += 1
        except Exception as fault:  # noqa: BLE001
            self.fault = fault


class Changer:
    """The changes, one method a kind; each waits until what it changed is seen."""

    def __init__(self, lateen, manifests, folder):
        self.lateen, self.manifests, self.is_swapped = lateen, manifests, False
        self.weights, self.rule = {"v1": 50, "v2": 50}, ""
        pairs = [make_certificate(folder, f"cert-{i}") for i in range(4)]
        self.pairs = itertools.cycle(pairs)
        self.count, self.took = 0, {}

    def save_virtual_service(self):
        text = virtual_service(self.weights, TRICKLE_RULE + self.rule)
        self.manifests.replace("5-virtual-service.yaml", text)

    def version(self, subset):
        """Which version a subset stands for now (subset_changed swaps their labels)."""
        return {"v1": "v2", "v2": "v1"}[subset] if self.is_swapped else subset

    def winner(self):
        return next(name for name, weight in self.weights.items() if weight)

    def loser(self):
        return next(name for name, weight in self.weights.items() if not weight)

    def seen(self, path, n=6):
        # A fresh connection each time may meet another worker: all of them have to follow.
        return {self.lateen.get(path).version for _ in range(n)}

    def wait_versions(self, path, want):
        wait_until(f"{path} is answered by {want}", lambda: self.seen(path) == want)

    def weights_changed(self):
        self.weights = [{"v1": 100, "v2": 0}, {"v1": 0, "v2": 100}][self.count % 2]
        self.save_virtual_service()
        self.wait_versions("/", {self.version(self.winner())})

    def route_added(self):
        self.rule, self.added = RULE.format(n=self.count, subset=self.loser()), f"/added-{self.count}"
        self.save_virtual_service()
        self.wait_versions(self.added, {self.version(self.loser())})

    def route_removed(self):
        self.rule = ""
        self.save_virtual_service()
        self.wait_versions(self.added, {self.version(self.winner())})

    def certificate_replaced(self):
        pair = next(self.pairs)
        self.manifests.replace("7-secret.yaml", secret(pair))
        want = ssl.PEM_cert_to_DER_cert(pair[0].decode())

        def served():
            with contextlib.closing(self.lateen.client("https", cafile=False)) as client:
                return client.sock.getpeercert(binary_form=True)

        wait_until("the new certificate is served", lambda: all(served() == want for _ in range(4)))

    def subset_changed(self):
        self.is_swapped = not self.is_swapped
        text = "apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\n"
        text += "metadata: { name: hedgus-app, namespace: hedgus }\nspec:\n  host: hedgus-app\n  subsets:\n"
        for name in ("v1", "v2"):
            text += f"    - {{ name: {name}, labels: {{ app: hedgus-app, version: {self.version(name)} }} }}\n"
        self.manifests.replace("4-destination-rule.yaml", text)
        self.wait_versions("/", {self.version(self.winner())})

    def gateway_added(self):
        """A second Gateway: a port of its own, and one more server on the port that wrk uses."""
        host = "second.example"
        servers = [(8090, "HTTP", f'["{host}"]'), (80, "HTTP", f'["{host}"]')]
        routes = virtual_service({"v1": 1, "v2": 1}, name="second", hosts=(host,), gateways=("second",))
        self.manifests.replace("8-second.yaml", gateway("second", servers) + "---\n" + routes)

        def serves(number):
            with contextlib.suppress(OSError):
                return self.lateen.get("/", host=host, number=number).status == 200
            return False

        for number in (8090, 80):
            wait_until(f"the second Gateway serves on {number}", lambda: serves(number))

    def gateway_removed(self):
        self.manifests.remove("8-second.yaml")

        def is_closed():
            with socket.socket() as sock:
                sock.settimeout(5)
                return sock.connect_ex(("127.0.0.1", self.lateen.ports[8090])) != 0

        wait_until("the second Gateway's port is closed", is_closed)
        wait_until("its host is gone", lambda: self.lateen.get("/", host="second.example").status == 404)

    def broken_file_saved(self):
        at = len(self.lateen.log())
        self.manifests.replace("5-virtual-service.yaml", "kind: VirtualService\nspec: [ {\n")
        wait_until("the broken file is reported", lambda: "5-virtual-service.yaml:" in self.lateen.log()[at:])
        assert self.seen("/") == {self.version(self.winner())}

    def broken_file_mended(self):
        self.weights = dict(zip(self.weights, reversed(self.weights.values())))
        self.save_virtual_service()
        self.wait_versions("/", {self.version(self.winner())})

    def run(self, changes, seconds):
        kinds = [self.weights_changed, self.route_added, self.route_removed, self.certificate_replaced,
                 self.subset_changed, self.gateway_added, self.gateway_removed, self.broken_file_saved,
                 self.broken_file_mended]
        start = time.monotonic()
        for kind in itertools.cycle(kinds):
            if self.count >= changes and time.monotonic() - start >= seconds and kind == kinds[0]:
                return time.monotonic() - start
            before = time.monotonic()
            kind()
            self.took.setdefault(kind.__name__, []).append(time.monotonic() - before)
            self.count += 1
            pace = start + self.count * seconds / changes - time.monotonic()
            time.sleep(max(0, pace))


def test_changes_under_load_fail_no_request_and_close_no_connection(manifests, start, tmp_path):
    backend = Backend()
    manifests.remove("7-certificate.yaml")
    manifests.write("7-secret.yaml", secret(make_certificate(tmp_path, "first")))
    manifests.write("6-gateway.yaml", gateway("hedgus-api", [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 50, "v2": 50}, TRICKLE_RULE))
    manifests.write("9-trickle.yaml", backend.manifests("trickle"))
    lateen = start(flags=["--access-log", "/dev/null"], ports=(80, 443, 8090))
    changer = Changer(lateen, manifests, tmp_path)
    wait_until("the tutorial answers", lambda: lateen.get("/").status == 200)

    download = Download(lateen)
    download.start()
    steady = [Steady(lateen, scheme) for scheme in ("http", "https") * 2]
    for thread in steady:
        thread.start()
    loads = [Wrk(f"http://127.0.0.1:{lateen.ports[80]}/", 8), Wrk(f"https://127.0.0.1:{lateen.ports[443]}/", 8)]
    http2 = H2Load(lateen)
    http2.start()
    try:
        took = changer.run(CHANGES, SECONDS)
        requests = [load.stop() for load in loads] + [http2.stop()]
    finally:
        http2.leave.set()
        for load in loads:
            load.kill()
    for thread in steady:
        thread.stop()
    assert download.is_alive(), f"the download ended early: {download.fault!r}"
    backend.finish.set()
    download.join(30)
    assert download.fault is None and download.lines == backend.lines and download.lines > 10
    backend.close()
    print(f"{changer.count} changes in {took:.1f} s, {requests} requests, {download.lines} lines of the download")
    for kind, seconds in changer.took.items():
        print(f"{kind}: seen after {1000 * statistics.median(seconds):.0f} ms, at most {1000 * max(seconds):.0f} ms")
