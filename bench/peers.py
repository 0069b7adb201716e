"""The proxies that are compared: how each is configured and started.

One worker each unless said otherwise, logs off, upstream keep-alive without limit, the same two certificates (the
client's server name chooses), tickets on, X-Forwarded-For added, no compression, no body on disk:
fair settings, so that what differs is the proxy. Envoy stands in envoy.py.
"""
import shutil

from process import PROXY_CPU, TOOLS, pinned
from stage import free_ports


class Peer:
    """Where a proxy listens, and how it is made to. A port is None where it cannot do that: `h1` and `h2c` in clear,
    `tls` with both, in front of the HTTP/1.1 backend; `h2_h2` HTTP/2 in front of the HTTP/2 backend."""

    name = "?"
    program = None
    can_h2_backend = True
    is_counted = False  # under callgrind: one process

    def __init__(self, stage, workers=1):
        self.stage, self.workers, self.certs = stage, workers, stage.certs
        self.folder = stage.make_folder(self.name)
        self.h1, self.tls, self.h2c, self.h2_h2 = free_ports(4)
        if not self.can_h2_backend:
            self.h2_h2 = None

    @classmethod
    def path(cls):
        """Of a peer's program; None for our own, or where it is not installed."""
        return cls.program and shutil.which(cls.program)

    @classmethod
    def is_there(cls):
        return cls.program is None or cls.path() is not None

    def ports(self):
        return [port for port in {self.h1, self.tls, self.h2c, self.h2_h2} if port]

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def start(self, before=(), cpu=PROXY_CPU):
        """`before`: what it is run under (valgrind)."""
        command = self.command()
        return self.stage.run(self.name, pinned(cpu, *before, *command), self.ports())


class Relay(Peer):
    """The floor: octets moved, nothing understood."""

    name = "relay"

    def __init__(self, stage, workers=1):
        super().__init__(stage, workers)
        self.tls = self.h2c = self.h2_h2 = None

    def command(self):
        return [TOOLS / "bench/bench-relay", self.h1, self.stage.sink]


class RelayH2(Relay):
    """The same in front of the HTTP/2 backend."""

    def __init__(self, stage, workers=1):
        super().__init__(stage, workers)
        self.h1, self.h2_h2 = None, self.h1

    def command(self):
        return [TOOLS / "bench/bench-relay", self.h2_h2, self.stage.h2_sink]


def secret(name, certs, pair):
    """A Secret of the certificate `pair` in `certs`."""
    octets = "".join(f"  {key}: |\n" + "".join(f"    {line}\n" for line in (certs / file).read_text().splitlines())
                     for key, file in (("tls.crt", f"{pair}.crt"), ("tls.key", f"{pair}.key")))
    return f"""---
apiVersion: v1
kind: Secret
metadata: {{name: {name}, namespace: default}}
type: kubernetes.io/tls
stringData:
{octets}"""


def backend(sink, h2_sink):
    """The two backends as sink.internal, ports 80 and 81."""
    return f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: sink}}
spec:
  hosts: [sink.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP}}, {{number: 81, name: http2, protocol: HTTP2}}]
  endpoints: [{{address: 127.0.0.1, ports: {{http: {sink}, http2: {h2_sink}}}}}]
"""


GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
  - port: {number: 81, name: http-h2, protocol: HTTP}
    hosts: ["*"]
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: bench}
  - port: {number: 443, name: https-rsa, protocol: HTTPS}
    hosts: ["rsa.bench.test"]
    tls: {mode: SIMPLE, credentialName: bench-rsa}
"""
ROUTES = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bench}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{port: 81}]
    route: [{destination: {host: sink.internal, port: {number: 81}}}]
  - route: [{destination: {host: sink.internal, port: {number: 80}}}]
"""


class Lateen(Peer):
    """Its service ports are off: they do not stand in a request's way, and the peers have none."""

    name = "lateen"
    flags = ("--metrics", "off", "--access-log", "off")
    admin = "off"

    def manifests(self):
        return (GATEWAY + secret("bench", self.certs, "ec") + secret("bench-rsa", self.certs, "rsa") +
                backend(self.stage.sink, self.stage.h2_sink) + ROUTES)

    def command(self):
        self.h2c = self.h1
        self.write("m.yaml", self.manifests())
        ports = [word for number, port in ((80, self.h1), (81, self.h2_h2), (443, self.tls)) if port
                 for word in ("--port", f"{number}={port}")]
        return [TOOLS / "lateen", "run", "-f", self.folder / "m.yaml", "--state", self.folder / "state", "--workers",
                self.workers, "--bind", "127.0.0.1", *ports, "--health", "off", "--admin", self.admin, *self.flags]


class Nginx(Peer):
    name = "nginx"
    program = "nginx"
    can_h2_backend = False

    def servers(self):
        reuse = " reuseport" if self.workers > 1 else ""
        take = "location / { proxy_pass http://sink; }"
        named = "".join(f"""
  server {{ listen 127.0.0.1:{self.tls} ssl http2{reuse if pair == "ec" else ""}; server_name {host};
    ssl_certificate {self.certs}/{pair}.crt; ssl_certificate_key {self.certs}/{pair}.key; {take} }}"""
                        for pair, host in (("ec", "bench.test"), ("rsa", "rsa.bench.test")))
        return f"""
  server {{ listen 127.0.0.1:{self.h1}{reuse}; {take} }}
  server {{ listen 127.0.0.1:{self.h2c} http2{reuse}; {take} }}{named}"""

    def command(self):
        own = self.folder
        alone = " master_process off;" if self.is_counted else ""
        where = self.write("nginx.conf", f"""daemon off;{alone} worker_processes {self.workers}; pid {own}/pid;
error_log {own}/error.log; worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600; http2_max_concurrent_streams 256;
  client_body_temp_path {own}/body; proxy_temp_path {own}/proxy; proxy_max_temp_file_size 0;
  fastcgi_temp_path {own}/f; uwsgi_temp_path {own}/u; scgi_temp_path {own}/s;
  client_max_body_size 0; proxy_request_buffering off; client_header_timeout 3600;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  ssl_session_cache shared:S:10m; ssl_protocols TLSv1.2 TLSv1.3; ssl_buffer_size 16k;
  upstream sink {{ server 127.0.0.1:{self.stage.sink}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 3600; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;{self.servers()}
}}
""")
        return ["nginx", "-p", own, "-c", where]


class Haproxy(Peer):
    name = "haproxy"
    program = "haproxy"

    def route(self):
        return "default_backend sink"

    def command(self):
        pems = [self.write(f"{pair}.pem", (self.certs / f"{pair}.crt").read_text() + (self.certs / f"{pair}.key").read_text())
                for pair in ("ec", "rsa")]
        where = self.write("haproxy.cfg", f"""global
  nbthread {self.workers}
  maxconn 9900
defaults
  mode http
  timeout client 3600s
  timeout http-keep-alive 3600s
  timeout server 3600s
  timeout connect 10s
  option forwardfor
  http-reuse always
frontend h1
  bind 127.0.0.1:{self.h1}
  bind 127.0.0.1:{self.h2c} proto h2
  bind 127.0.0.1:{self.tls} ssl crt {pems[0]} crt {pems[1]} alpn h2,http/1.1
  {self.route()}
frontend h2
  bind 127.0.0.1:{self.h2_h2} proto h2
  default_backend sink2
backend sink
  server s 127.0.0.1:{self.stage.sink} pool-max-conn 1024
backend sink2
  server s 127.0.0.1:{self.stage.h2_sink} proto h2 pool-max-conn 1024
backend none
  http-request return status 404
""")
        return ["haproxy", "-db", "-f", where]


class Nghttpx(Peer):
    """Without upstream HTTP/2: it needs another process for that, and HAProxy is the better one there."""

    name = "nghttpx"
    program = "nghttpx"
    can_h2_backend = False

    def command(self):
        self.h1 = self.h2c
        key, certificate = self.certs / "ec.key", self.certs / "ec.crt"
        return ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{self.h2c};no-tls", f"--frontend=127.0.0.1,{self.tls}",
                f"--backend=127.0.0.1,{self.stage.sink};;proto=http/1.1", f"--workers={self.workers}", "--accesslog-file=",
                "--errorlog-file=/dev/stderr", "--add-x-forwarded-for", "--backend-connections-per-host=1024", "--no-ocsp",
                "--frontend-http2-max-concurrent-streams=256", "--single-process", "--frontend-http2-read-timeout=3600",
                "--frontend-keep-alive-timeout=3600", "--frontend-read-timeout=3600",
                f"--subcert={self.certs}/rsa.key:{self.certs}/rsa.crt", key, certificate]
