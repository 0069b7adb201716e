"""The table of docs/connections.md, row by row: a field is changed while an HTTP/1.1 connection, an
HTTP/2 connection, a TLS connection and a request under way exist, and what becomes of them is what
the row says. A row without a case here is a failed test.

Each case is a file of manifests before and after the change, for a host of its own. `one` and
`two` are backends that tell their name and which of the gateway's connections they were asked on.
"""
import contextlib
import re
import socket
import ssl
import time

import pytest

from changes import gateway
from harness import HOST, TOP, Backend, Manifests, TrickleHandler, running, wait_until
from http2 import Http2
from load import make_certificate, secret

ROWS = re.findall(r"^\| (\w+) \| (?:`([^`]+)`|all(?: others)?) \| (.*) \|$", (TOP / "docs/connections.md").read_text(), re.M)
TEXTS = {"at once": "listener", "the next request": "request", "the next TLS handshake": "handshake",
         "the next connection of a client": "connection", "the next connection to a backend": "dial",
         "the next start of the program": "start", "the next request, and connections that stand count": "request"}
CASES = {}
CASE_HOST = "case.test"


def case(kind, path=""):
    """Registers what makes (before, after, probes...) of a row."""
    def register(make):
        CASES[kind, path] = make
        return make
    return register


# --- what the cases are made of ---

class NamedHandler(TrickleHandler):
    def do_GET(self):
        if self.path.startswith("/trickle"):
            super().do_GET()
            return
        body = (f"Version={self.server.backend.name}\nPeer={self.client_address[1]}\nPath={self.path}\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Case", "kept")
        self.end_headers()
        self.wfile.write(body)


class Named(Backend):
    def __init__(self, name):
        super().__init__(NamedHandler)
        self.name = name


class World:
    """The running gateway and what cases refer to."""

    def __init__(self, lateen, manifests, folder):
        self.lateen, self.manifests, self.folder = lateen, manifests, folder
        self.one, self.two = Named("one"), Named("two")
        self.log = open(lateen.log_path, errors="replace")

    def save(self, text, name="case.yaml"):
        """Saves the file (one without objects: a removed one is missed for a moment first) and waits
        until it is taken up."""
        text = text or "# nothing\n"
        if (self.manifests.folder / name).exists() and text == self.manifests.read(name):
            return
        self.log.read()
        self.manifests.replace(name, text)
        told = []
        wait_until(f"{name} is taken up", lambda: told.append(self.log.read()) or "reload:" in "".join(told), pause=0.002)

    def get(self, path="/", host=CASE_HOST, **how):
        return self.lateen.get(path, host=host, **how)

    def handshake(self, sni, newest=None):
        """The certificate (DER) of a new connection; None: it is refused."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = newest or context.maximum_version
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.lateen.ports[443]), 60) as raw:
                with context.wrap_socket(raw, server_hostname=sni) as tls:
                    return tls.getpeercert(binary_form=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("effects")
    manifests = Manifests(folder / "manifests")
    manifests.remove("5-virtual-service.yaml")
    manifests.remove("7-certificate.yaml")
    manifests.write("7-secret.yaml", secret(make_certificate(folder, "first")))
    manifests.write("6-gateway.yaml", gateway("hedgus-api", [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]))
    with running(manifests, "effects", ["--workers", "1", "--labels", "istio=gateway"], (80, 443, 8090, 8091)) as lateen:
        world = World(lateen, manifests, folder)
        yield world
        world.one.close()
        world.two.close()
        world.log.close()


def routes(to="box.hedgus.svc.cluster.local", extra="", gateways='["hedgus/hedgus-api"]', hosts=f'["{CASE_HOST}"]'):
    """The VirtualService of a case."""
    return f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: case, namespace: hedgus }}
spec:
  hosts: {hosts}
  gateways: {gateways}
  http:
    - route: [ {{ destination: {{ host: {to}{extra} }} }} ]
"""


def box(ports, name="http", extra="", selector=""):
    """A Service with Endpoints at these ports."""
    addresses = "".join(f"""
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: {name}, port: {port} }} ]""" for port in ports)
    return f"""---
apiVersion: v1
kind: Service
metadata: {{ name: box, namespace: hedgus }}
spec: {{ ports: [ {{ name: {name}, port: 80{extra} }} ]{selector} }}
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: box, namespace: hedgus }}
subsets:{addresses}
"""


def rule(policy="", subsets="", host="box"):
    return f"""---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{ name: case, namespace: hedgus }}
spec: {{ host: {host}{policy and f", trafficPolicy: {policy}"}{subsets and f", subsets: {subsets}"} }}
"""


def mesh(text):
    return f"""---
apiVersion: v1
kind: ConfigMap
metadata: {{ name: istio, namespace: istio-system }}
data: {{ mesh: "{text}" }}
"""


def version_is(want):
    return lambda answer: answer.status == 200 and answer.version == want


def protocol_is(want):
    return lambda answer: answer.status == 200 and answer.field("Protocol").startswith(want)


def is_served(answer):
    return answer.status == 200


# --- rows ---

@case("VirtualService")
def virtual_service(w):
    both = box([w.one.port]) + box([w.two.port]).replace("box", "other")
    return both + routes(), both + routes("other"), version_is("one"), version_is("two")


@case("Gateway", "spec.servers.hosts")
def gateway_hosts(w):
    # the case's host is served by the Gateway of port 80 and 443 no more
    names = [(80, "HTTP", f'["{CASE_HOST}"]'), (443, "HTTPS", f'["{CASE_HOST}", "{HOST}"]')]
    other = [(80, "HTTP", '["other.test"]'), (443, "HTTPS", f'["other.test", "{HOST}"]')]
    text = box([w.one.port]) + routes(gateways='["hedgus/case"]')
    w.save("", "6-gateway.yaml")
    return (gateway("case", names) + text, gateway("case", other) + text, version_is("one"),
            lambda answer: answer.status == 404)


@case("Gateway", "spec.servers.tls.httpsRedirect")
def gateway_redirect(w):
    text = box([w.one.port]) + routes(gateways='["hedgus/case"]')
    plain = gateway("case", [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')])
    w.save("", "6-gateway.yaml")
    return (plain + text, plain.replace('      hosts: ["*"]\n', '      hosts: ["*"]\n      tls: { httpsRedirect: true }\n', 1) + text,
            version_is("one"), lambda answer: answer.status in (200, 301))


@case("Gateway", "spec.servers.tls")
def gateway_tls(w):
    text = box([w.one.port]) + routes(gateways='["hedgus/case"]')
    servers = [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]
    w.save("", "6-gateway.yaml")

    def looks(is_changed):
        assert (w.handshake(CASE_HOST, ssl.TLSVersion.TLSv1_2) is None) == is_changed

    return gateway("case", servers) + text, gateway("case", servers, ", minProtocolVersion: TLSV1_3") + text, looks


def on_8090(w, before, after):
    text = box([w.one.port]) + routes(gateways='["hedgus/case", "hedgus/hedgus-api"]')
    return before + text, after + text


@case("Gateway", "spec.selector")
def gateway_selector(w):
    text = gateway("case", [(8090, "HTTP", '["*"]')])
    return on_8090(w, text, text.replace("istio: gateway", "istio: other"))


@case("Gateway", "spec.servers.port.number")
def gateway_number(w):
    return on_8090(w, gateway("case", [(8090, "HTTP", '["*"]')]), gateway("case", [(8091, "HTTP", '["*"]')]))


@case("Gateway", "spec.servers.port.protocol")
def gateway_protocol(w):
    return on_8090(w, gateway("case", [(8090, "HTTP", '["*"]')]), gateway("case", [(8090, "HTTPS", '["*"]')]))


@case("Gateway", "spec.servers.bind")
def gateway_bind(w):
    text = gateway("case", [(8090, "HTTP", '["*"]')])
    hosts = '      hosts: ["*"]\n'
    return on_8090(w, text.replace(hosts, hosts + "      bind: 127.0.0.1\n"), text.replace(hosts, hosts + "      bind: 127.0.0.2\n"))


@case("DestinationRule", "*connectionPool.tcp")
def rule_tcp(w):
    text = box([w.one.port]) + routes()
    return text, text + rule("{ connectionPool: { tcp: { connectTimeout: 3s, idleTimeout: 300ms } } }"), None


def limits(w, setting, before, after):
    """What happens at each limit is tests/e2e/test_limits.py's."""
    text = box([w.one.port]) + routes()
    return (text + rule(f"{{ connectionPool: {setting.format(before)} }}"), text + rule(f"{{ connectionPool: {setting.format(after)} }}"),
            is_served, is_served)


@case("DestinationRule", "*connectionPool.tcp.maxConnections")
def rule_connections(w):
    return limits(w, "{{ tcp: {{ maxConnections: {} }} }}", 200, 100)


@case("DestinationRule", "*connectionPool.http.http1MaxPendingRequests")
def rule_pending(w):
    return limits(w, "{{ http: {{ http1MaxPendingRequests: {} }} }}", 200, 100)


@case("DestinationRule", "*connectionPool.http.http2MaxRequests")
def rule_requests(w):
    return limits(w, "{{ http: {{ http2MaxRequests: {} }} }}", 200, 100)


@case("DestinationRule", "*connectionPool.http.maxRetries")
def rule_retries(w):
    return limits(w, "{{ http: {{ maxRetries: {} }} }}", 200, 100)


@case("DestinationRule", "*connectionPool.http")
def rule_http(w):
    def looks(is_changed):
        """A connection that is made now takes one request."""
        held, _ = trickle(w)
        peers = [w.get().field("Peer") for _ in range(2)]
        held.close()
        assert (peers[0] != peers[1]) == is_changed

    text = box([w.one.port]) + routes()
    return text, text + rule("{ connectionPool: { http: { maxRequestsPerConnection: 1 } } }"), looks


@case("DestinationRule", "*connectionPool.http.h2UpgradePolicy")
def rule_h2(w):
    text = routes("hedgus-app.hedgus.svc.cluster.local")
    w.save("", "4-destination-rule.yaml")
    return (text, text + rule("{ connectionPool: { http: { h2UpgradePolicy: UPGRADE } } }", host="hedgus-app"),
            protocol_is("HTTP/1.1"), protocol_is("HTTP/2"))


@case("DestinationRule", "*loadBalancer")
def rule_balancer(w):
    text = box([w.one.port, w.two.port]) + routes()

    def looks(is_changed):
        names = [w.get().version for _ in range(8)]
        if is_changed:
            assert len(set(names[::2])) == len(set(names[1::2])) == 1 and names[0] != names[1], names

    return text + rule("{ loadBalancer: { simple: RANDOM } }"), text + rule("{ loadBalancer: { simple: ROUND_ROBIN } }"), is_served, is_served, looks


@case("DestinationRule", "spec.subsets.labels")
def rule_labels(w):
    text = routes("hedgus-app.hedgus.svc.cluster.local", ", subset: s")
    w.save("", "4-destination-rule.yaml")
    of = lambda version: rule(subsets=f"[ {{ name: s, labels: {{ version: {version} }} }} ]", host="hedgus-app")
    return text + of("v1"), text + of("v2"), version_is("v1"), version_is("v2")


@case("DestinationRule")
def rule_subset_name(w):
    text = routes("hedgus-app.hedgus.svc.cluster.local", ", subset: s")
    w.save("", "4-destination-rule.yaml")
    of = lambda name: rule(subsets=f"[ {{ name: {name}, labels: {{ version: v1 }} }} ]", host="hedgus-app")
    return text + of("s"), text + of("t"), version_is("v1"), lambda answer: answer.status == 503


def service_entry(port, protocol="HTTP"):
    return f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: case, namespace: hedgus }}
spec:
  hosts: [ entry.test ]
  resolution: STATIC
  ports: [ {{ number: 80, name: p, protocol: {protocol} }} ]
  endpoints: [ {{ address: 127.0.0.1, ports: {{ p: {port} }} }} ]
"""


@case("ServiceEntry")
def entry(w):
    text = routes("entry.test")
    return service_entry(w.one.port) + text, service_entry(w.two.port) + text, version_is("one"), version_is("two")


@case("ServiceEntry", "spec.ports.protocol")
def entry_protocol(w):
    # a stand-in that speaks both, found by asking which it is
    w.save(routes("hedgus-app.hedgus.svc.cluster.local"))
    port = re.search(r"hedgus-app[^\n]*::127\.0\.0\.1:(\d+)::", w.lateen.admin("/clusters").text)[1]
    text = routes("entry.test")
    return service_entry(port) + text, service_entry(port, "HTTP2") + text, protocol_is("HTTP/1.1"), protocol_is("HTTP/2")


@case("WorkloadEntry")
def workload_entry(w):
    text = """---
apiVersion: v1
kind: Service
metadata: { name: box, namespace: hedgus }
spec: { ports: [ { name: http, port: 80, targetPort: http } ], selector: { app: box } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: case, namespace: hedgus }
spec: { address: 127.0.0.1, labels: { app: box }, ports: { http: %d } }
""" + routes()
    return text % w.one.port, text % w.two.port, version_is("one"), version_is("two")


def tutorials_service(port="name: http", selector="app: hedgus-app"):
    return f"""---
apiVersion: v1
kind: Service
metadata: {{ name: played, namespace: hedgus }}
spec: {{ ports: [ {{ {port}, port: 80 }} ], selector: {{ {selector} }} }}
""" + routes("played")


@case("Service", "spec.ports.name")
def service_port_name(w):
    return tutorials_service(), tutorials_service("name: http2"), protocol_is("HTTP/1.1"), protocol_is("HTTP/2")


@case("Service", "spec.ports.appProtocol")
def service_app_protocol(w):
    return (tutorials_service(), tutorials_service("name: http, appProtocol: kubernetes.io/h2c"), protocol_is("HTTP/1.1"),
            protocol_is("HTTP/2"))


@case("Service")
def service_selector(w):
    return (tutorials_service(selector="app: hedgus-app, version: v1"), tutorials_service(selector="app: hedgus-app, version: v2"),
            version_is("v1"), version_is("v2"))


@case("Endpoints")
def endpoints(w):
    return box([w.one.port]) + routes(), box([w.two.port]) + routes(), version_is("one"), version_is("two")


@case("EndpointSlice")
def endpoint_slice(w):
    text = """---
apiVersion: v1
kind: Service
metadata: { name: box, namespace: hedgus }
spec: { ports: [ { name: http, port: 80 } ] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: box-1, namespace: hedgus, labels: { kubernetes.io/service-name: box } }
addressType: IPv4
endpoints: [ { addresses: [ 127.0.0.1 ] } ]
ports: [ { name: http, port: %d } ]
""" + routes()
    return text % w.one.port, text % w.two.port, version_is("one"), version_is("two")


@case("Pod")
def pod(w):
    text = """---
apiVersion: v1
kind: Service
metadata: { name: box, namespace: hedgus }
spec: { ports: [ { name: http, port: 80, targetPort: http } ], selector: { app: box } }
---
apiVersion: v1
kind: Pod
metadata: { name: box-1, namespace: hedgus, labels: { app: box } }
spec: { containers: [ { name: c, image: i, ports: [ { name: http, containerPort: %d } ] } ] }
status: { podIP: 127.0.0.1, phase: Running, conditions: [ { type: Ready, status: "True" } ] }
""" + routes()
    return text % w.one.port, text % w.two.port, version_is("one"), version_is("two")


def workload(kind):
    def make(w):
        more = ", serviceName: box" if kind == "StatefulSet" else ""
        text = f"""---
apiVersion: v1
kind: Service
metadata: {{ name: box, namespace: hedgus }}
spec: {{ ports: [ {{ name: http, port: 80 }} ], selector: {{ app: box }} }}
---
apiVersion: apps/v1
kind: {kind}
metadata: {{ name: box, namespace: hedgus }}
spec:
  selector: {{ matchLabels: {{ app: box }} }}
  template:
    metadata: {{ labels: {{ app: box, version: VERSION }} }}
    spec: {{ containers: [ {{ name: c, image: i, ports: [ {{ containerPort: 80 }} ] }} ] }}
""".replace("matchLabels: { app: box } }\n", f"matchLabels: {{ app: box }} }}\n{'  serviceName: box' if more else ''}\n") + routes()
        return text.replace("VERSION", "w1"), text.replace("VERSION", "w2"), version_is("w1"), version_is("w2")
    return make


for of_kind in ("Deployment", "StatefulSet", "DaemonSet"):
    case(of_kind)(workload(of_kind))


@case("Secret")
def secret_replaced(w):
    text = box([w.one.port]) + routes()
    pairs = [make_certificate(w.folder, name, [CASE_HOST]) for name in ("s1", "s2")]

    def looks(is_changed):
        assert w.handshake(CASE_HOST) == ssl.PEM_cert_to_DER_cert(pairs[is_changed][0].decode())

    w.save("", "7-secret.yaml")
    return text + "---\n" + secret(pairs[0]), text + "---\n" + secret(pairs[1]), looks


@case("Certificate")
def certificate(w):
    text = box([w.one.port]) + routes()
    one = """---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: case, namespace: istio-ingress }
spec: { secretName: hedgus-crt, dnsNames: [ %s ], issuerRef: { name: i, kind: ClusterIssuer } }
"""
    seen = []

    def looks(is_changed):
        seen.append(w.handshake(CASE_HOST))
        assert seen[-1] and (not is_changed or seen[0] != seen[-1])

    w.save("", "7-secret.yaml")
    return text + one % CASE_HOST, text + one % f"{CASE_HOST}, more.test", looks


def issuer(kind, namespace=""):
    """With --dev nobody is asked; what an issuer's change makes of a certificate is in tests/unit/acme."""
    def make(w):
        text = box([w.one.port]) + routes()
        one = f"""---
apiVersion: cert-manager.io/v1
kind: {kind}
metadata: {{ name: case{namespace} }}
spec: """
        return text + one + "{ selfSigned: {} }\n", text + one + "{ ca: { secretName: ca } }\n", None
    return make


case("Issuer")(issuer("Issuer", ", namespace: istio-ingress"))
case("ClusterIssuer")(issuer("ClusterIssuer"))


@case("MeshConfig")
def mesh_server(w):
    text = box([w.one.port]) + routes()
    return (text, text + mesh("defaultConfig: { proxyHeaders: { server: { value: changed } } }"),
            lambda answer: answer.headers["server"] == "istio-envoy", lambda answer: answer.headers["server"] == "changed")


@case("MeshConfig", "connectTimeout")
def mesh_connect(w):
    text = box([w.one.port]) + routes()
    return text, text + mesh("connectTimeout: 3s"), None


@case("MeshConfig", "h2UpgradePolicy")
def mesh_h2(w):
    return tutorials_service(), tutorials_service() + mesh("h2UpgradePolicy: UPGRADE"), protocol_is("HTTP/1.1"), protocol_is("HTTP/2")


@case("MeshConfig", "defaultConfig.connectionSettings")
def mesh_connection(w):
    text = box([w.one.port]) + routes()

    def looks(is_changed):
        """A new connection is closed when it was idle for 300 ms; those that stand have been for longer then."""
        if is_changed:
            with contextlib.closing(w.lateen.client(host=CASE_HOST)) as client:
                assert client.get("/").status == 200 and client.sock.recv(1) == b""

    return text, text + mesh("defaultConfig: { connectionSettings: { httpIdleTimeout: 300ms } }"), looks


@case("MeshConfig", "defaultConfig.proxyHeaders.preserveHttp1HeaderCase")
def mesh_case(w):
    text = box([w.one.port]) + routes()

    def looks(is_changed):
        assert ("X-Case" in w.get().headers.keys()) == is_changed

    return text, text + mesh("defaultConfig: { proxyHeaders: { preserveHttp1HeaderCase: true } }"), looks


def mesh_log(line):
    def make(w):
        text = box([w.one.port]) + routes()
        return text, text + mesh(line), None
    return make


case("MeshConfig", "accessLogFile")(mesh_log("accessLogFile: /dev/null"))
case("MeshConfig", "accessLogFormat")(mesh_log("accessLogFormat: changed"))
case("MeshConfig", "accessLogEncoding")(mesh_log("accessLogEncoding: JSON"))


# --- what a row says ---

def trickle(w, number=80):
    """A request under way, held by the backend: (its connection, its response)."""
    client = w.lateen.client(host=CASE_HOST, number=number)
    client.request("GET", "/trickle", headers={"Host": CASE_HOST})
    response = client.getresponse()
    assert response.status == 200, response.status
    response.readline()
    return client, response


class Standing:
    """Connections that are there before the change, and a request under way."""

    def __init__(self, w, number=80):
        self.w, self.number = w, number
        self.one, self.two = w.lateen.client(host=CASE_HOST, number=number), Http2(w.lateen.ports[number])
        self.tls = w.lateen.client("https", host=CASE_HOST, cafile=False)
        for backend in (w.one, w.two):
            backend.finish.clear()
        self.held, self.response = None, None

    def hold(self):
        if self.one.get("/").field("Peer"):  # not a stand-in, which cannot hold
            self.held, self.response = trickle(self.w, self.number)

    def ask(self):
        return [self.one.get("/"), self.two.get("/", CASE_HOST), self.tls.get("/")]

    def all_are(self, holds):
        for answer in self.ask():
            assert holds(answer), f"{answer.status} {dict(answer.headers)}\n{answer.text}"
        assert not self.two.goaways

    def let_finish(self):
        for backend in (self.w.one, self.w.two):
            backend.finish.set()

    def finish(self):
        """The request under way ends as it began."""
        self.let_finish()
        if self.held:
            self.response.read()  # raises if it is cut
            self.held.close()

    def close(self):
        self.let_finish()
        for client in (self.one, self.two, self.tls):
            client.close()


def drive_listener(w, before, after):
    w.save(before)
    standing = Standing(w, 8090)
    others = Standing(w)
    standing.all_are(version_is("one"))
    others.all_are(version_is("one"))
    standing.hold()
    idle = w.lateen.client(host=CASE_HOST, number=8090)
    assert idle.get("/").status == 200
    w.save(after)
    assert idle.sock.recv(1) == b""  # closed in order
    assert standing.two.goaway() == 0x7fffffff
    while not standing.two.is_closed:
        standing.two.take()
    assert len(standing.two.goaways) == 1
    standing.finish()
    others.all_are(version_is("one"))
    idle.close()
    standing.close()
    others.close()


def drive(w, effect, before, after, *probes):
    """Probes: what answers are before and after; then what new connections see."""
    before_is, after_is = probes[:2] if len(probes) > 1 else (is_served, is_served)
    looks = probes[-1] if len(probes) % 2 else None
    w.save(before)
    standing = Standing(w)
    try:
        standing.all_are(before_is)
        standing.hold()
        if looks:
            looks(False)
        peers = {answer.field("Peer") for answer in standing.ask()}
        w.save(after)
        if effect == "connection":
            looks(True)  # before the standing ones are busy again
        standing.all_are(after_is)
        if effect in ("dial", "start", "connection", "handshake"):
            assert {answer.field("Peer") for answer in standing.ask()} <= peers
        if effect == "connection":
            assert "X-Case" not in standing.one.get("/").headers.keys()
        elif looks:
            looks(True)
        standing.finish()
        standing.all_are(after_is)
    finally:
        standing.close()


@pytest.mark.parametrize("kind, path, text", ROWS, ids=lambda value: str(value)[:40] or "all")
def test_a_change_does_to_connections_what_the_manual_says(world, kind, path, text):
    assert (kind, path) in CASES, f"no case for {kind} {path}"
    effect = TEXTS[text.split(";")[0]]
    kept = {name: world.manifests.read(name) for name in ("4-destination-rule.yaml", "6-gateway.yaml", "7-secret.yaml")}
    try:
        made = CASES[kind, path](world)
        if effect == "listener":
            drive_listener(world, *made)
        else:
            drive(world, effect, *[probe for probe in made if probe])
    finally:
        for name, before in kept.items():
            world.save(before, name)
        world.save("")


def test_every_case_is_a_row():
    assert {(kind, path) for kind, path, _ in ROWS} == set(CASES)


def test_a_renamed_gateway_serves_on_what_stands(world):
    """Filter chains are named after their Gateway and port; connections find the new ones."""
    text = box([world.one.port]) + routes(gateways='["hedgus/hedgus-api"]')
    world.save(text)
    standing = Standing(world)
    standing.all_are(version_is("one"))
    gateways = world.manifests.read("6-gateway.yaml")
    try:
        world.save(gateways.replace("name: p1", "name: renamed"), "6-gateway.yaml")
        standing.all_are(version_is("one"))
    finally:
        standing.close()
        world.save(gateways, "6-gateway.yaml")
        world.save("")
