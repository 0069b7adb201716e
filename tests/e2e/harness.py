"""What the end-to-end tests need: the program as a child, a client, a backend, manifests.

LATEEN_BIN chooses the binary (default build/lateen), LATEEN_LOGS where logs are kept, LATEEN_FLAGS
what every program is started with besides (--supervise), LATEEN_SHIM how its system calls fail (a mode of shim.py
that nobody may notice). Only loopback, only ports found free; every process is ended by its own id.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time

from shim import Faults

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LATEEN_BIN", TOP / "build/lateen"))
LOGS = pathlib.Path(os.environ.get("LATEEN_LOGS", TOP / "build/logs"))
FLAGS = os.environ.get("LATEEN_FLAGS", "").split()
SHIM_MODE = os.environ.get("LATEEN_SHIM")
TUTORIAL = TOP / "examples/tutorial"
HOST = "mk.hedgus.com"
# Sanitizers make everything slower; waits are upper bounds and cost nothing when met.
PATIENCE = 60 if "san" in str(BIN) else 15


def choose_chaos(config, items):
    """Tests marked chaos are long or strict: `make chaos` runs them, and nothing else does."""
    if not os.environ.get("LATEEN_CHAOS"):
        chaos = [item for item in items if item.get_closest_marker("chaos")]
        items[:] = [item for item in items if item not in chaos]
        config.hook.pytest_deselected(items=chaos)


def free_ports(n):
    """Ports that nobody holds now, none of them twice. They lie below those that the kernel hands
    out, or a stand-in or a connection that asks for any port could be given one before its owner
    comes to listen there."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as ephemeral:
        first = int(ephemeral.read().split()[0])
    assert first > 12000, f"the kernel hands out ports from {first} on: no room below"
    ports = []
    while len(ports) < n:
        port = random.randrange(10000, first)
        with contextlib.closing(socket.socket()) as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            ports += [port] if port not in ports else []
    return ports


def wait_until(what, holds, seconds=PATIENCE, pause=0.01):
    """Returns the first true value of holds(); fails naming `what` when time is up."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(pause)


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def field(self, key):
        """The first `Key=value` of an echo answer."""
        found = re.search(rf"^{key}=(.*)$", self.text, re.M)
        return found[1] if found else None

    @property
    def version(self):
        return self.field("Version")

    def request_headers(self, name):
        """What the backend saw of one header, in order."""
        pairs = re.findall(r"^RequestHeader=([^:]+): ?(.*)$", self.text, re.M)
        return [value for key, value in pairs if key.lower() == name.lower()]


class Client(http.client.HTTPConnection):
    """One connection. It never reconnects by itself: a connection that the server closes is seen."""

    auto_open = 0

    def __init__(self, port, cafile=None, host=HOST, tls=False, sni=None):
        super().__init__("127.0.0.1", port, timeout=PATIENCE)
        self.name = host
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context(cafile=cafile)
            if cafile is None:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            raw = context.wrap_socket(raw, server_hostname=sni or host)
        self.sock = raw

    def get(self, path="/", method="GET", headers=None, body=None):
        self.request(method, path, body, {"Host": self.name, **(headers or {})})
        response = self.getresponse()
        return Answer(response, response.read())

    def local_port(self):
        return self.sock.getsockname()[1]


DRAIN = ("--drain-min", "0s", "--drain", "5s")


class Lateen:
    """`lateen run --dev` over a folder of manifests, with every port an own one."""

    def __init__(self, manifests, name, flags=(), ports=(80, 443), drain=DRAIN, command=(BIN,), faults=None):
        self.manifests = pathlib.Path(manifests)
        self.ports = dict(zip(ports, free_ports(len(ports))))
        self.admin_port, health, metrics = free_ports(3)
        self.state = self.manifests.parent / "state"
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log_path = LOGS / f"e2e-{name}.log"
        self.access_path = LOGS / f"e2e-{name}-access.log"
        command = [*command, "run", "--dev", "-f", self.manifests, "--state", self.state,
                   "--admin", f"127.0.0.1:{self.admin_port}", "--health", f"127.0.0.1:{health}",
                   "--metrics", f"127.0.0.1:{metrics}", *drain]
        for number, port in self.ports.items():
            command += ["--port", f"{number}={port}"]
        self.health_port, self.metrics_port = health, metrics
        self.faults = faults
        if SHIM_MODE and not faults:
            self.faults = Faults(f"{self.manifests}.faults").begin(SHIM_MODE)
        env = {**os.environ, **(self.faults.env() if self.faults else {})}
        with open(self.log_path, "wb") as log, open(self.access_path, "wb") as access:
            self.process = subprocess.Popen([*map(str, command), *FLAGS, *map(str, flags)], stdin=subprocess.DEVNULL,
                                            stdout=access, stderr=log, env=env)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def access_log(self):
        return self.access_path.read_text(errors="replace")

    def admin(self, path, method="GET", port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.admin_port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return Answer(response, response.read())

    def is_ready(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log()}"
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.admin("/ready").status == 200
        return False

    def wait_ready(self):
        wait_until("GET /ready answers 200", self.is_ready)
        return self

    def cafile(self):
        """The local CA's root, where the start block says it is."""
        found = wait_until("a --cacert path is printed",
                           lambda: re.search(r"--cacert[ =]'?([^\s']+)", self.log()))
        return found[1]

    def client(self, scheme="http", host=HOST, sni=None, cafile=True, number=None):
        tls = scheme == "https"
        port = self.ports[number or (443 if tls else 80)]
        return Client(port, self.cafile() if tls and cafile else None, host, tls, sni)

    def get(self, path="/", scheme="http", **how):
        """One request over a connection of its own."""
        kind = {key: how.pop(key) for key in ("host", "sni", "cafile", "number") if key in how}
        with contextlib.closing(self.client(scheme, **kind)) as client:
            return client.get(path, **how)

    def versions(self, n, scheme="http", path="/"):
        """How often each version answered n requests, sent over four connections."""
        counts = {}
        clients = [self.client(scheme) for _ in range(4)]
        for i in range(n):
            answer = clients[i % len(clients)].get(path)
            assert answer.status == 200, f"{answer.status} {answer.text}\n{self.log()[-2000:]}"
            counts[answer.version] = counts.get(answer.version, 0) + 1
        for client in clients:
            client.close()
        return counts

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends it as systemd would; its status must be 0 and no sanitizer may have spoken."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE + 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"does not leave on SIGTERM:\n{self.log()[-3000:]}") from None
        log = self.log()
        report = re.search(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[^\0]*", log)
        assert not report, report[0][:6000]
        assert status == 0, f"exit status {status}:\n{log[-3000:]}"
        assert not SHIM_MODE or self.faults.failed(), "no system call failed"


@contextlib.contextmanager
def running(manifests, name, flags=(), ports=(80, 443), drain=DRAIN, command=(BIN,), faults=None):
    lateen = Lateen(manifests, name, flags, ports, drain, command, faults)
    try:
        yield lateen.wait_ready()
        lateen.stop()
    finally:
        if lateen.process.poll() is None:
            lateen.process.kill()
            lateen.process.wait()


def serve(server):
    """A socketserver in a thread. Its shutdown() waits for the next look at the clock: half a second apart by default."""
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


@contextlib.contextmanager
def running_echo(name, *flags):
    """`lateen echo`; SIGTERM ends it, in order."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"{name}.log", "wb") as log:
        process = subprocess.Popen([BIN, "echo", *map(str, flags)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
        process.terminate()
        assert process.wait(PATIENCE + 10) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class Manifests:
    """A folder of manifests of a test's own, edited as an editor does."""

    def __init__(self, folder, source=TUTORIAL):
        self.folder = pathlib.Path(folder)
        if source:
            shutil.copytree(source, self.folder)
        else:
            self.folder.mkdir(parents=True)

    def __fspath__(self):
        return str(self.folder)

    def read(self, name):
        return (self.folder / name).read_text()

    def write(self, name, text):
        """In place, as `cat >` does."""
        (self.folder / name).write_text(text)

    def replace(self, name, text):
        """By a new file that is renamed over the old one, as most editors do."""
        fresh = self.folder / f".{name}.swp"
        fresh.write_text(text)
        fresh.rename(self.folder / name)

    def edit(self, name, old, new):
        text = self.read(name)
        assert old in text, f"{name} holds no {old!r}"
        self.replace(name, text.replace(old, new))

    def remove(self, name):
        (self.folder / name).unlink()


def virtual_service(weights, extra_rules="", name="hedgus-app", hosts=(HOST, "hedgus-app"),
                    gateways=("hedgus-api",)):
    """The tutorial's VirtualService with these weights: {"v1": 90, "v2": 10}."""
    routes = "".join(f"""
        - destination:
            host: hedgus-app
            subset: {subset}
          weight: {weight}""" for subset, weight in weights.items())
    return f"""apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: {name}
  namespace: hedgus
spec:
  hosts: {json.dumps(list(hosts))}
  gateways: {json.dumps(list(gateways))}
  http:{extra_rules}
    - match:
        - uri:
            prefix: /
      route:{routes}
"""


class TrickleHandler(http.server.BaseHTTPRequestHandler):
    """Answers with numbered chunks until the backend says `finish`, and keeps what it got."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.backend.seen.append((self.path, self.headers.items()))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        line = 0
        while not self.server.backend.finish.wait(0.05):
            text = b"line %d\n" % line
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            line += 1
        self.server.backend.lines = line  # before the client can know that it has them all
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Backend:
    """A workload outside the program whose answer lasts as long as the test wants."""

    def __init__(self, handler=TrickleHandler):
        self.seen, self.lines, self.finish = [], None, threading.Event()

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), handler)
        self.server.backend = self
        self.port = self.server.server_address[1]
        serve(self.server)

    def manifests(self, name, namespace="hedgus"):
        """A Service and the Endpoints that point at this backend."""
        return f"""apiVersion: v1
kind: Service
metadata: {{ name: {name}, namespace: {namespace} }}
spec:
  ports: [ {{ name: http, port: 80, targetPort: {self.port} }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: {name}, namespace: {namespace} }}
subsets:
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: http, port: {self.port} }} ]
"""

    def close(self):
        self.finish.set()
        self.server.shutdown()
        self.server.server_close()
