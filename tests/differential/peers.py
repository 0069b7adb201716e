"""The proxies: Lateen and Debian's nginx, HAProxy and nghttpx, each before a sink of its own that keeps what
it is sent and answers as the path asks."""
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

for folder in ("wire/h2", "wire", "e2e"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))
from corpus import HOST  # noqa: E402
from harness import LOGS, Manifests, free_ports, running, wait_until  # noqa: E402
from wire import GATEWAY, Gone, Wire  # noqa: E402

TOOLS = {"nginx": "nginx", "haproxy": "haproxy", "nghttpx": "nghttpx"}


class Sink:
    """Reads requests as leniently as a backend may; `seen` holds (method, target, host, x-headers, body)."""

    def __init__(self):
        self.seen, self.answers = [], {}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(Wire(self.socket.accept()[0]),), daemon=True).start()

    def serve(self, wire):
        with contextlib.suppress(Gone, OSError, ValueError), wire:
            while self.answer(wire, *self.request(wire)):
                pass

    def request(self, wire):
        first, *lines = wire.take_until(b"\r\n\r\n")[:-4].decode("latin1").split("\r\n")
        pairs = [(name.lower(), value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
        headers = dict(pairs)
        method, target = first.split(" ")[:2]
        body = b""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            while size := int(wire.take_until(b"\r\n").split(b";")[0], 16):
                body += wire.take(size)
                wire.take(2)
            while wire.take_until(b"\r\n") != b"\r\n":
                pass
        elif "content-length" in headers:
            body = wire.take(int(headers["content-length"]))
        mine = sorted({name for name, _ in pairs if re.match(r"x(?!-(forwarded|request|envoy|real|b3)).*", name)})
        kept = [(name, ",".join(value for key, value in pairs if key == name)) for name in mine]
        cookies = [("cookie", "; ".join(v for k, v in pairs if k == "cookie"))] if "cookie" in headers else []
        self.seen.append((method, target, headers.get("host", ""), tuple(kept + cookies), body))
        return method, target

    def answer(self, wire, method, target):
        octets = self.answers.get(target)
        if octets is None:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: " + (b"0\r\n\r\n" if method == "HEAD" else b"2\r\n\r\nok"))
            return True
        wire.send(octets)
        return False


class Peer:
    def __init__(self, name, port, h2_port, sink):
        self.name, self.port, self.h2_port, self.sink = name, port, h2_port, sink


NGINX = """daemon off; pid {d}/pid; error_log {d}/error.log; worker_processes 1;
events {{ worker_connections 1000; }}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
 keepalive_requests 100000;
 server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{h2} http2;
  location / {{ proxy_pass http://127.0.0.1:{sink}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
   proxy_request_buffering off; proxy_buffering off; proxy_next_upstream off; }} }} }}
"""
HAPROXY = """defaults
 mode http
 timeout client 10s
 timeout server 10s
 timeout connect 2s
 retries 0
frontend f
 bind 127.0.0.1:{port}
 bind 127.0.0.1:{h2} proto h2
 default_backend b
backend b
 http-reuse never
 server s 127.0.0.1:{sink}
"""


def command(name, folder, port, h2, sink):
    if name == "nginx":
        (folder / "conf").write_text(NGINX.format(d=folder, port=port, h2=h2, sink=sink))
        return ["nginx", "-e", folder / "error.log", "-p", folder, "-c", folder / "conf"]
    if name == "haproxy":
        (folder / "conf").write_text(HAPROXY.format(port=port, h2=h2, sink=sink))
        return ["haproxy", "-db", "-f", folder / "conf"]
    (folder / "conf").write_text("")
    return ["nghttpx", "--conf", folder / "conf", f"--frontend=127.0.0.1,{port};no-tls", f"--frontend=127.0.0.1,{h2};no-tls", f"--backend=127.0.0.1,{sink}",
            "--errorlog-file", folder / "error.log", "--workers=1"]


def is_listening(port):
    with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False


@contextlib.contextmanager
def proxy(name, folder):
    """A running proxy, or None where it is not installed."""
    tool = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if not tool:
        yield None
        return
    sink = Sink()
    port, h2 = free_ports(2)
    folder.mkdir()
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"differential-{name}.log", "wb") as log:
        process = subprocess.Popen([tool, *map(str, command(name, folder, port, h2, sink.port)[1:])], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(f"{name} listens", lambda: is_listening(port) and is_listening(h2))
        yield Peer(name, port, h2, sink)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def lateen(folder):
    sink = Sink()
    manifests = Manifests(folder, source=None)
    manifests.write("all.yaml", GATEWAY + f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: sink, namespace: wire }}
spec:
  hosts: [ sink.mesh.internal ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ {{ number: 80, name: http, protocol: HTTP }} ]
  endpoints: [ {{ address: 127.0.0.1, ports: {{ http: {sink.port} }} }} ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: sink, namespace: wire }}
spec:
  hosts: [ "*" ]
  gateways: [ wire ]
  http: [ {{ retries: {{ attempts: 0 }}, route: [ {{ destination: {{ host: sink.mesh.internal }} }} ] }} ]
""")
    with running(manifests, "differential", ports=(80,)) as program:
        yield Peer("lateen", program.ports[80], program.ports[80], sink)


assert HOST
