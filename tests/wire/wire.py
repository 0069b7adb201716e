"""Both ends of the gateway as raw sockets: a client that sends octets as they stand, backends
that keep what they got and answer by script.

One gateway serves all tests of a module. Each test takes a backend of its own (host, port,
pool), so no connection of another test is in its way. Program and ports as in tests/e2e.
"""
import pathlib
import re
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import PATIENCE, Manifests, running, wait_until  # noqa: E402,F401


def sockets_hold():
    """The octets that the kernel may keep on the way through the gateway: two connections, each with what it lets
    a receiver's and a sender's buffer grow to (tens of MiB on some machines, and so it does when they are busy)."""
    return 2 * sum(int(pathlib.Path(f"/proc/sys/net/ipv4/tcp_{way}mem").read_text().split()[2]) for way in "rw")


HELD = sockets_hold() + (4 << 20)  # and 1 MiB at each of four places in the gateway


class Gone(Exception):
    """The other side closed or reset before what was waited for."""


class Wire:
    """A connected socket with a buffer; keeps every octet received in `got`."""

    def __init__(self, sock):
        self.sock, self.got, self.at, self.reset = sock, bytearray(), 0, False
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets):
        self.sock.sendall(octets)
        return self

    def send_slowly(self, octets, step=1, pause=0.001):
        for at in range(0, len(octets), step):
            self.sock.sendall(octets[at:at + step])
            time.sleep(pause)
        return self

    def fill(self):
        """Receives once; False at the end."""
        try:
            octets = self.sock.recv(65536)
        except ConnectionError:
            self.reset = True
            octets = b""
        self.got += octets
        return bool(octets)

    def take(self, n):
        """The next n octets."""
        while len(self.got) - self.at < n:
            if not self.fill():
                raise Gone(f"closed after {bytes(self.got[self.at:])!r}, wanted {n} octets")
        octets = bytes(self.got[self.at:self.at + n])
        self.at += n
        return octets

    def take_until(self, mark):
        while True:
            found = self.got.find(mark, self.at)
            if found >= 0:
                return self.take(found + len(mark) - self.at)
            if not self.fill():
                raise Gone(f"closed after {bytes(self.got[self.at:])!r}, wanted {mark!r}")

    def take_all(self):
        """All up to the end of the connection."""
        while self.fill():
            pass
        return self.take(len(self.got) - self.at)

    def is_readable(self, seconds):
        waiter = select.poll()  # unlike select(), for descriptors above 1023, too
        waiter.register(self.sock, select.POLLIN)
        return bool(waiter.poll(seconds * 1000))

    def is_quiet(self, seconds=0.3):
        """Nothing arrives and nothing ends for that long."""
        return self.at == len(self.got) and not self.is_readable(seconds)

    def is_closed(self, seconds=PATIENCE):
        """The other side closes within that time and sends nothing more."""
        if self.at != len(self.got) or not self.is_readable(seconds):
            return False
        return not self.fill()

    def shut(self):
        """Sends a FIN, goes on reading."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def rst(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Message:
    """A head with its body, read strictly: what is not exactly HTTP/1.1 is an assertion."""

    def __init__(self, raw):
        assert raw.endswith(b"\r\n\r\n"), raw
        self.raw = raw
        self.first, *lines = raw[:-4].decode("latin1").split("\r\n")
        self.headers = []
        for line in lines:
            found = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\r\n\0]*)", line)
            assert found, f"not a header line: {line!r}"
            self.headers.append((found[1].lower(), found[2].strip(" \t")))
        self.body, self.trailers, self.chunks = b"", [], []

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    @property
    def status(self):
        found = re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", self.first)
        assert found, f"not a status line: {self.first!r}"
        return int(found[1])

    @property
    def path(self):
        return self.first.split(" ")[1]

    @property
    def method(self):
        return self.first.split(" ")[0]


def read_chunked(wire, message):
    while True:
        line = wire.take_until(b"\r\n")
        assert re.fullmatch(rb"[0-9a-fA-F]+\r\n", line), f"chunk head {line!r}"
        size = int(line, 16)
        if size == 0:
            break
        message.chunks.append(wire.take(size))
        message.body += message.chunks[-1]
        assert wire.take(2) == b"\r\n"
    while (line := wire.take_until(b"\r\n")) != b"\r\n":
        name, value = line[:-2].decode("latin1").split(":", 1)
        message.trailers.append((name.lower(), value.strip(" \t")))


def read_body(wire, message, no_body=False):
    """Reads the body that the head announces; a response without a length runs to the end."""
    is_response = message.first.startswith("HTTP/")
    if no_body or (is_response and (message.status < 200 or message.status in (204, 304))):
        return message
    coding, length = message.get("transfer-encoding"), message.get("content-length")
    assert not (coding and length), message.headers
    if coding:
        assert coding == "chunked"
        read_chunked(wire, message)
    elif length is not None:
        message.body = wire.take(int(length))
    elif is_response:
        message.body = wire.take_all()
    return message


class Client(Wire):
    def __init__(self, port):
        super().__init__(socket.create_connection(("127.0.0.1", port), PATIENCE))

    def answer(self, method="GET"):
        """The next response, its body included."""
        return read_body(self, Message(self.take_until(b"\r\n\r\n")), method == "HEAD")


class Peer(Wire):
    """One connection that the gateway opened to a backend."""

    def head(self):
        return Message(self.take_until(b"\r\n\r\n"))

    def request(self):
        """The next request, its body included; kept in backend.requests."""
        message = read_body(self, self.head())
        self.backend.requests.append(message)
        return message

    def reply(self, body=b"", status="200 OK", headers=""):
        self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body)


def serve(peer):
    """The plain script: answers each request with 200 and its number on this connection."""
    n = 0
    while True:
        peer.request()
        n += 1
        peer.reply(b"%d" % n)


class Backend:
    """A host of its own behind the gateway: <name>.test. `rule` adds fields to its HTTP rule."""

    def __init__(self, name, rule=""):
        self.name, self.host, self.rule = name, f"{name}.test", rule
        self.script, self.peers, self.requests, self.faults = serve, [], [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            peer = Peer(sock)
            peer.backend = self
            self.peers.append(peer)
            threading.Thread(target=self._run, args=(peer,), daemon=True).start()

    def _run(self, peer):
        try:
            self.script(peer)
        except (Gone, OSError):
            pass
        except BaseException as fault:  # an assertion of the script fails the test
            self.faults.append(fault)
        finally:
            peer.close()

    @property
    def got(self):
        """All octets that came, over all connections."""
        return b"".join(bytes(peer.got) for peer in self.peers)

    def refuse(self):
        """From now on connecting fails."""
        # A blocked accept() would keep the socket listening.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def manifests(self):
        return f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: {self.name}, namespace: wire }}
spec:
  hosts: [ {self.name}.mesh.internal ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ {{ number: 80, name: http, protocol: HTTP }} ]
  endpoints: [ {{ address: 127.0.0.1, ports: {{ http: {self.port} }} }} ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {self.name}, namespace: wire }}
spec:
  hosts: [ {self.host} ]
  gateways: [ wire ]
  http: [ {{ route: [ {{ destination: {{ host: {self.name}.mesh.internal }} }} ]{self.rule} }} ]
"""


GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: wire, namespace: wire }
spec:
  selector: { istio: ingressgateway }
  servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ "*" ] } ]
"""


class Bench:
    """A running gateway and the backends that tests take from it, one each."""

    def __init__(self, lateen, backends):
        self.lateen, self.port, self.left = lateen, lateen.ports[80], list(backends)

    def backend(self, rule=""):
        backend = next(one for one in self.left if one.rule == rule)
        self.left.remove(backend)
        return backend

    def client(self):
        return Client(self.port)

    def upstream_connections(self, backend):
        """Those that the gateway has open to a backend."""
        name = re.escape(f"cluster.outbound|80||{backend.name}.mesh.internal.upstream_cx_active")
        return int(re.search(rf"^{name}: (\d+)$", self.lateen.admin("/stats").text, re.M)[1])

    def log_line(self, marker):
        """The access log's line that holds `marker`."""
        return wait_until(f"an access log line with {marker}", lambda: next(
            (line for line in self.lateen.access_log().splitlines() if marker in line), None))


def steady(value):
    """The value once it has stayed the same for half a second."""
    def same():
        before = value()
        time.sleep(0.5)
        return before if value() == before else None

    return wait_until("it changes no more", same)


def request(host, method="GET", path="/", headers="", body=b""):
    """An HTTP/1.1 request; `headers` are whole lines."""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode("latin1") + body
