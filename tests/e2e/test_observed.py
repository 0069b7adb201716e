"""What was observed of Istio's real gateway, a row a fact: raw octets in, the octets that come
back and those that a backend got. Where the row says otherwise than Istio does,
docs/differences.md says why.
"""
import pathlib
import re
import socket
import ssl
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
from wire import Backend, Client, Gone, Message, Wire, read_body, request  # noqa: E402
from harness import PATIENCE, Manifests, running, wait_until  # noqa: E402

# ---- the backends: each answers with its name and keeps what it got ----


class Named(Backend):
    """Answers its name; /status/N that status, /gone closes, /slow never answers."""

    def __init__(self, name):
        super().__init__(name)
        self.script = self.serve

    def serve(self, peer):
        while True:
            got = peer.request()
            if got.path.startswith("/gone"):
                return
            if got.path.startswith("/slow"):
                peer.take_all()
                return
            status = found[1] if (found := re.match(r"/status/(\d+)", got.path)) else "200"
            peer.reply(self.name.encode(), f"{status} Said", "server: theirs\r\nX-B: 1\r\n")


A, B = Named("a"), Named("b")


def service(name, port, hosts=None):
    return f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: {name}, namespace: default }}
spec:
  hosts: [ {hosts or name + ".mesh.internal"} ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ {{ number: 80, name: http, protocol: HTTP }} ]
  endpoints: [ {{ address: 127.0.0.1, ports: {{ http: {port} }} }} ]
"""


TO_A = "{ route: [ { destination: { host: a.mesh.internal } } ] }"
TO_B = "{ route: [ { destination: { host: b.mesh.internal } } ] }"


def to(target, **fields):
    """One HTTP rule; fields are YAML, `match` is one condition."""
    match = fields.pop("match", None)
    parts = [f"match: [ {match} ]"] if match else []
    if target:
        parts.append(f"route: [ {{ destination: {{ host: {target} }} }} ]")
    parts += [f"{key}: {value}" for key, value in fields.items()]
    return "{ " + ", ".join(parts) + " }"


def a(**fields):
    return to("a.mesh.internal", **fields)


def b(**fields):
    return to("b.mesh.internal", **fields)


def vs(name, hosts, *rules, spec="", created=None, gateways="[ gw ]"):
    age = f', creationTimestamp: "{created}"' if created else ""
    return f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {name}, namespace: default{age} }}
spec:
  hosts: {hosts}
  gateways: {gateways}
{spec}  http:
""" + "".join(f"  - {rule}\n" for rule in rules)


def certificate(name, *hosts):
    return f"""---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{ name: {name}, namespace: istio-ingress }}
spec: {{ secretName: {name}, dnsNames: [ {", ".join(f'"{host}"' for host in hosts)} ], issuerRef: {{ name: any }} }}
"""


GATEWAYS = """---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
  - { port: { number: 80, name: http, protocol: HTTP }, hosts: [ "*" ] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: tls, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
  - { port: { number: 443, name: s, protocol: HTTPS }, hosts: [ s.test, s3.test ], tls: { mode: SIMPLE, credentialName: s } }
  - { port: { number: 443, name: o, protocol: HTTPS }, hosts: [ o.test ], tls: { mode: SIMPLE, credentialName: o } }
  - { port: { number: 443, name: again, protocol: HTTPS }, hosts: [ s.test, late.test ], tls: { mode: SIMPLE, credentialName: o } }
  - { port: { number: 444, name: any, protocol: HTTPS }, hosts: [ "*" ], tls: { mode: SIMPLE, credentialName: s } }
  - { port: { number: 445, name: pass, protocol: TLS }, hosts: [ p.test ], tls: { mode: PASSTHROUGH } }
  - { port: { number: 81, name: moved, protocol: HTTP }, hosts: [ "*" ], tls: { httpsRedirect: true } }
"""


def rule_hosts():
    """One VirtualService a subject; the rows below name the host."""
    yield vs("plain", "[ x.test, y.test ]", a())
    yield vs("wild", '[ "*.w.test" ]', a())
    yield vs("deep", '[ "one.w.test" ]', b(match="{ uri: { prefix: /only } }"))
    yield vs("star", '[ "*" ]', b(match="{ uri: { prefix: /star } }"))
    yield vs("short", "[ short ]", a())
    # Two VirtualServices of one host: the older's catch-all moves behind the younger's rules.
    yield vs("old", "[ two.test ]", a(match="{ uri: { prefix: /old } }"), a(match="{ uri: { prefix: / } }"),
             b(match="{ uri: { prefix: /dropped } }"), created="2020-01-01T00:00:00Z")
    yield vs("young", "[ two.test ]", b(match="{ uri: { prefix: /young } }"), created="2021-01-01T00:00:00Z")
    yield vs("paths", "[ path.test ]",
             b(match="{ uri: { prefix: /a/../foo } }"), b(match='{ uri: { exact: "/x?y=1" } }'),
             b(match='{ uri: { exact: "/%C3%A9" } }'), b(match="{ uri: { prefix: /kept } }"),
             b(match="{ uri: { regex: /RX }, ignoreUriCase: true }"),
             b(match="{ uri: { prefix: /IC }, ignoreUriCase: true }"), a())
    yield vs("headers", "[ head.test ]",
             b(match="{ headers: { x: { exact: one } } }"),
             b(match='{ headers: { two: { exact: "one,two" } } }'),
             b(match="{ uri: { prefix: /without }, withoutHeaders: { z: { exact: one } } }"),
             b(match="{ uri: { prefix: /present }, headers: { p: {} } }"),
             b(match="{ uri: { prefix: /absent }, withoutHeaders: { p: {} } }"),
             b(match='{ uri: { prefix: /none }, withoutHeaders: { p: { regex: "*" } } }'),
             b(match="{ uri: { prefix: /scheme }, scheme: { exact: https } }"),
             b(match='{ headers: { host: { exact: "head.test:81" } } }'),
             b(match='{ authority: { exact: "HEAD.test:82" } }'),
             b(match='{ headers: { n: {} }, uri: { prefix: /yaml } }'), a())
    yield vs("query", "[ q.test ]",
             b(match="{ queryParams: { v: { exact: one } } }"), b(match='{ queryParams: { e: { exact: "" } } }'),
             b(match='{ queryParams: { v: { exact: "a b" } } }'), a())
    yield vs("moved", "[ r.test ]",
             to(None, match="{ uri: { exact: /301 } }", redirect="{ uri: /new }"),
             to(None, match="{ uri: { prefix: /auth } }", redirect="{ authority: y.test }"),
             to(None, match="{ uri: { prefix: /tls } }", redirect="{ scheme: https }"),
             to(None, match="{ uri: { prefix: /p80 } }", redirect="{ scheme: https, port: 80 }"),
             to(None, match="{ uri: { prefix: /frp } }", redirect="{ scheme: https, derivePort: FROM_REQUEST_PORT }"),
             to(None, match="{ uri: { prefix: /fpd } }", redirect="{ derivePort: FROM_PROTOCOL_DEFAULT }"),
             to(None, match="{ uri: { prefix: /own } }", redirect='{ uri: "/n?z=1" }'),
             to(None, match="{ uri: { prefix: /abs } }", redirect='{ uri: "https://y.test/z" }'),
             to(None, match="{ uri: { prefix: /code } }", redirect="{ uri: /n, redirectCode: 308 }"),
             to(None, match="{ uri: { prefix: /ops } }", redirect="{ uri: /n }",
                headers="{ response: { set: { x-r: z, location: /mine } } }"),
             to(None, match="{ uri: { prefix: /pre/ } }", redirect="{ prefixRewrite: /bar }"))
    yield vs("direct", "[ d.test ]",
             to(None, match="{ uri: { prefix: /301 } }", directResponse="{ status: 301 }"),
             to(None, match="{ uri: { prefix: /body } }", directResponse='{ status: 418, body: { string: "%REQ(host)% here" } }'),
             to(None, match="{ uri: { prefix: /none } }", directResponse="{ status: 204 }"))
    yield vs("ops", "[ ops.test ]",
             a(match="{ uri: { prefix: /setrm } }", headers="{ request: { set: { x: '1' }, remove: [ x ] } }"),
             a(match="{ uri: { prefix: /empty } }", headers='{ request: { set: { x: "" } } }'),
             a(match="{ uri: { prefix: /xfp } }", headers="{ request: { set: { x-forwarded-proto: gopher }, remove: [ x-request-id ] } }"),
             a(match="{ uri: { prefix: /server } }", headers="{ response: { set: { server: mine } } }"),
             a(match="{ uri: { prefix: /rmserver } }", headers="{ response: { remove: [ server, x-b ] } }"),
             "{ match: [ { uri: { prefix: /both } } ], headers: { request: { set: { x: route, w: route } } }, route: [ { "
             "destination: { host: a.mesh.internal }, headers: { request: { set: { x: dest }, remove: [ w ] } } } ] }",
             to("none.mesh.internal", match="{ uri: { prefix: /local } }", headers="{ response: { set: { x-r: z } } }"), a())
    yield vs("retries", "[ try.test ]",
             a(match="{ uri: { prefix: /status } }", retries="{ attempts: 3 }"), a())
    yield vs("limits", "[ t.test ]", a(timeout="0.3s"))
    yield vs("missing", "[ miss.test ]",
             to("none.mesh.internal", match="{ uri: { prefix: /host } }"),
             "{ match: [ { uri: { prefix: /subset } } ], route: [ { destination: { host: a.mesh.internal, subset: nosuch } } ] }",
             "{ match: [ { uri: { prefix: /port } } ], route: [ { destination: { host: a.mesh.internal, port: { number: 99 } } } ] }",
             to("lonely", match="{ uri: { prefix: /lonely } }"))
    yield vs("ports", "[ ports.test ]",
             to("ports", match="{ uri: { prefix: /listener } }"), to("other", match="{ uri: { prefix: /other } }"),
             to("single", match="{ uri: { prefix: /single } }"))
    yield vs("secure", "[ s.test, o.test, late.test, p.test ]", a(), gateways="[ tls ]")


def services():
    yield service("a", A.port)
    yield service("b", B.port)
    yield "---\napiVersion: v1\nkind: Service\nmetadata: { name: lonely }\nspec: { ports: [ { name: http, port: 80 } ] }\n"
    for name, ports in (("ports", ((8080, B.port), (80, A.port))), ("other", ((8080, A.port), (8081, B.port))),
                        ("single", ((8080, A.port),))):
        rows = [(f"http-{number}", number, port) for number, port in ports]
        yield f"""---
apiVersion: v1
kind: Service
metadata: {{ name: {name} }}
spec: {{ ports: [ {", ".join(f"{{ name: {row}, port: {number}, targetPort: {port} }}" for row, number, port in rows)} ] }}
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: {name} }}
subsets: [ {{ addresses: [ {{ ip: 127.0.0.1 }} ], ports: [ {", ".join(f"{{ name: {row}, port: {port} }}" for row, _, port in rows)} ] }} ]
"""


@pytest.fixture(scope="module")
def lateen(tmp_path_factory):
    manifests = Manifests(tmp_path_factory.mktemp("observed") / "manifests", source=None)
    manifests.write("all.yaml", GATEWAYS + certificate("s", "s.test", "s3.test") + certificate("o", "o.test", "late.test") +
                    "".join(services()) + "".join(rule_hosts()))
    with running(manifests, "observed", flags=["--namespace", "istio-ingress"], ports=(80, 81, 443, 444, 445)) as lateen:
        yield lateen


def ask(lateen, octets, method="GET", number=80):
    with Client(lateen.ports[number]) as client:
        client.send(octets)
        return client.answer(method)


def get(lateen, host, path="/", headers="", method="GET", number=80):
    return ask(lateen, request(host, method, path, headers), method, number)


def got(backend, before):
    """What the backend got since it had `before` requests."""
    assert len(backend.requests) == before + 1, [one.first for one in backend.requests[before:]]
    return backend.requests[-1]


# ---- hosts ----

@pytest.mark.parametrize("host, status", (
    ("x.test", 200), ("X.Test", 200), ("x.test:", 200), ("x.test:80", 200), ("x.test:9999", 200),
    ("x.test.", 404),
    ("a.w.test", 200), ("a.b.w.test", 200), ("A.W.TEST:80", 200), (".w.test", 404), ("w.test", 404),
    ("short", 404), ("short.default.svc.cluster.local", 200), ("short.default", 404),
))
def test_hosts(lateen, host, status):
    assert get(lateen, host).status == status


def test_a_host_with_two_ports_is_nobodys(lateen):
    assert get(lateen, "x.test:80:80").status in (400, 404)


@pytest.mark.parametrize("host, path, status, body", (
    ("one.w.test", "/only", 200, b"b"),
    ("one.w.test", "/", 404, b""),  # not the wildcard's rules
    ("one.w.test", "/star", 404, b""),
    ("x.test", "/star", 200, b"a"),
    ("nobody.test", "/star", 200, b"b"),
    ("nobody.test", "/", 404, b""),
))
def test_the_most_specific_virtual_host_alone_decides(lateen, host, path, status, body):
    answer = get(lateen, host, path)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize("path, body", (("/old", b"a"), ("/young", b"b"), ("/x", b"a"), ("/dropped", b"a")))
def test_a_catch_all_moves_behind_the_rules_of_younger_virtual_services(lateen, path, body):
    assert get(lateen, "two.test", path).body == body


@pytest.mark.parametrize("octets, status", (
    (b"GET http://y.test/abs HTTP/1.1\r\nHost: nobody.test\r\n\r\n", 200),
    (b"GET https://y.test/ HTTP/1.1\r\nHost: y.test\r\n\r\n", 403),
    (b"OPTIONS * HTTP/1.1\r\nHost: x.test\r\n\r\n", 404),
    (b"CONNECT x.test:80 HTTP/1.1\r\nHost: x.test:80\r\n\r\n", 404),
    (b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: host\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x.test\r\nHost: y.test\r\n\r\n", 400),  # differs: joined
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.0\r\nHost: x.test\r\n\r\n", 200),  # differs: 426
    (b"get / HTTP/1.1\r\nHost: x.test\r\n\r\n", 400),
    (b"NONSENSE / HTTP/1.1\r\nHost: x.test\r\n\r\n", 400),
    (b"PURGE / HTTP/1.1\r\nHost: x.test\r\n\r\n", 200),
    (b"PROPFIND / HTTP/1.1\r\nHost: x.test\r\n\r\n", 200),
    (b"TRACE / HTTP/1.1\r\nHost: x.test\r\n\r\n", 200),
    (b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n", 403),
    (b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n", 200),
))
def test_request_lines(lateen, octets, status):
    assert ask(lateen, octets).status == status


def test_the_absolute_form_sets_the_host(lateen):
    before = len(A.requests)
    ask(lateen, b"GET http://y.test/abs?q HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
    head = got(A, before)
    assert (head.first, head.get("host")) == ("GET /abs?q HTTP/1.1", "y.test")


# ---- paths ----

@pytest.mark.parametrize("sent, seen", (
    ("/a/./b/../c", "/a/c"), ("/a/%2e%2E/c", "/c"), ("/a\\b", "/a/b"), ("/%41%7E", "/A~"),
    ('/"<>|{}^`', "/%22%3C%3E%7C%7B%7D%5E%60"), ("/x?a=/../b", "/x?a=/../b"),
    ("//a", "//a"), ("/a/b//../c", "/a/b/c"), ("/%2F%5C%2f", "/%2F%5C%2f"), ("/%zz", "/%zz"), ("/%c3%A9", "/%c3%A9"),
    ("/..", "/"), ("/a/..", "/"), ("/a/.", "/a/"),
))
def test_paths_are_normalised(lateen, sent, seen):
    before = len(A.requests)
    assert get(lateen, "x.test", sent).status == 200
    assert got(A, before).path == seen


def test_the_fragment_is_cut(lateen):
    before = len(A.requests)
    assert get(lateen, "x.test", "/a#b").status == 200
    assert got(A, before).path == "/a"


def test_an_encoded_nul_is_400(lateen):
    assert get(lateen, "x.test", "/a%00").status == 400


@pytest.mark.parametrize("path, body", (
    ("/a/../foo", b"a"), ("/foo", b"a"), ("/x?y=1", b"a"), ("/%C3%A9", b"b"), ("/%c3%a9", b"a"),
    ("/x/../kept", b"b"), ("/%6bept", b"b"), ("/rx", b"a"), ("/RX", b"b"), ("/ic", b"b"),
))
def test_literals_of_manifests_are_not_normalised(lateen, path, body):
    assert get(lateen, "path.test", path).body == body


# ---- matches ----

@pytest.mark.parametrize("path, headers, body", (
    ("/", "x: two\r\nx: one\r\n", b"b"), ("/", "x: two,one\r\n", b"a"),
    ("/", "two: one,two\r\n", b"b"), ("/", "two: one\r\ntwo: two\r\n", b"a"),
    ("/without", "", b"b"), ("/without", "z: two\r\n", b"b"), ("/without", "z: two\r\nz: one\r\n", b"a"),
    ("/present", "p:\r\n", b"b"), ("/present", "", b"a"), ("/absent", "p:\r\n", b"a"), ("/absent", "", b"b"),
    ("/none", "p: x\r\n", b"a"), ("/none", "", b"b"),
    ("/scheme", "x-forwarded-proto: https\r\n", b"a"),
    ("/yaml", "false: 1\r\n", b"b"), ("/yaml", "n: 1\r\n", b"a"),
))
def test_header_matches(lateen, path, headers, body):
    assert get(lateen, "head.test", path, headers).body == body


@pytest.mark.parametrize("host, body", (("head.test:81", b"b"), ("head.test:80", b"a"), ("HEAD.test:82", b"b"),
                                        ("head.test", b"a")))
def test_the_authority_matches_with_its_port(lateen, host, body):
    assert get(lateen, host).body == body


@pytest.mark.parametrize("query, body", (
    ("v=one", b"b"), ("v=two&v=one", b"a"), ("v=%6Fne", b"a"), ("a=1;v=one", b"a"), ("e", b"b"), ("e=", b"b"), ("e=1", b"a"),
    ("x#v=one", b"a"), ("v=one#x", b"b"), ("a=b&v=one", b"b"),
))
def test_query_matches(lateen, query, body):
    assert get(lateen, "q.test", "/?" + query).body == body


# ---- redirects and direct responses ----

class Ports(dict):
    def __init__(self, lateen):
        super().__init__({f"p{number}": port for number, port in lateen.ports.items()})


@pytest.mark.parametrize("host, path, status, location", (
    ("r.test", "/301", 301, "http://r.test/new"),
    ("r.test", "/301?q=1", 301, "http://r.test/new?q=1"),
    ("r.test:80", "/301", 301, "http://r.test:80/new"),
    ("r.test:99", "/301", 301, "http://r.test:99/new"),
    ("r.test:80", "/auth", 301, "http://y.test/auth"),
    ("r.test", "/tls/a", 301, "https://r.test/tls/a"),
    ("r.test:80", "/tls", 301, "https://r.test/tls"),
    ("r.test:81", "/tls", 301, "https://r.test:81/tls"),
    ("r.test", "/p80", 301, "https://r.test:{p80}/p80"),  # --dev names the port that plays 80
    ("r.test", "/own?q=1", 301, "http://r.test/n?z=1"),
    ("r.test", "/abs", 301, "http://r.test/https://y.test/z"),
    ("r.test", "/code", 308, "http://r.test/n"),
    ("r.test", "/ops", 301, "/mine"),
    ("r.test:80", "/fpd", 301, "http://r.test:80/fpd"),
    ("r.test", "/x/../tls/%7e", 301, "https://r.test/tls/~"),
    ("d.test", "/301", 301, "http://d.test/301"),
    ("d.test:80", "/301?q", 301, "http://d.test:80/301?q"),
))
def test_redirects(lateen, host, path, status, location):
    answer = get(lateen, host, path)
    assert (answer.status, answer.get("location"), answer.body) == (status, location.format_map(Ports(lateen)), b"")


@pytest.mark.parametrize("host, headers, location", (
    # Differs: --dev names the port that plays 443, also where Istio keeps x.test:80.
    ("x.test", "", "https://x.test:{p443}/p?q"), ("x.test:80", "", "https://x.test:{p443}/p?q"),
    ("x.test", "x-forwarded-proto: https\r\n", "https://x.test:{p443}/p?q"),
))
def test_https_redirect_keeps_the_port_and_ignores_the_clients_word(lateen, host, headers, location):
    answer = get(lateen, host, "/p?q", headers, number=81)
    assert answer.status == 301 and answer.get("location") == location.format_map(Ports(lateen))


@pytest.mark.parametrize("path, status, body, kind", (
    ("/body", 418, b"%REQ(host)% here", "text/plain"), ("/none", 204, b"", None), ("/301", 301, b"", None),
))
def test_direct_responses(lateen, path, status, body, kind):
    answer = get(lateen, "d.test", path)
    assert (answer.status, answer.body, answer.get("content-type")) == (status, body, kind)


# ---- headers ----

@pytest.mark.parametrize("path, sent, name, values", (
    ("/setrm", "x: 0\r\n", "x", ["1"]),
    ("/empty", "x: 0\r\n", "x", ["0"]), ("/empty", "", "x", []),
    ("/xfp", "", "x-forwarded-proto", ["gopher"]), ("/xfp", "", "x-request-id", []),
    ("/both", "", "x", ["dest"]), ("/both", "", "w", ["route"]),
    ("/", "x-forwarded-proto: https\r\n", "x-forwarded-proto", ["http"]),
    ("/", "x-forwarded-client-cert: Hash=1\r\n", "x-forwarded-client-cert", []),
    ("/", "Connection: x\r\nx: 1\r\n", "x", []),
    ("/", "x-envoy-max-retries: 5\r\n", "x-envoy-max-retries", []),
    ("/", "x-envoy-upstream-rq-timeout-ms: 5\r\n", "x-envoy-upstream-rq-timeout-ms", []),
    ("/", "Expect: 100-continue\r\nContent-Length: 0\r\n", "expect", ["100-continue"]),
))
def test_request_headers(lateen, path, sent, name, values):
    before = len(A.requests)
    with Client(lateen.ports[80]) as client:
        client.send(request("ops.test", "GET", path, sent))
        while client.answer().status == 100:
            pass
    assert got(A, before).all(name) == values


def test_a_clients_request_id_is_replaced(lateen):
    before = len(A.requests)
    get(lateen, "ops.test", "/", "x-request-id: 11111111-1111-4111-8111-111111111111\r\n")
    seen = got(A, before).get("x-request-id")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", seen) and not seen.startswith("1111")


@pytest.mark.parametrize("path", ("/server", "/rmserver", "/"))
def test_the_server_header_is_the_gateways(lateen, path):
    answer = get(lateen, "ops.test", path)
    assert answer.get("server") == "istio-envoy"
    assert (answer.get("x-b") is None) == (path == "/rmserver")


def test_response_operations_apply_to_local_replies(lateen):
    answer = get(lateen, "ops.test", "/local")
    assert (answer.status, answer.get("x-r"), answer.body) == (503, "z", b"")


# ---- resilience ----

@pytest.mark.parametrize("path, status", (("/status/503", 503), ("/gone", 503), ("/status/409", 409)))
def test_only_failed_connects_are_retried_by_default(lateen, path, status):
    before = len(A.requests)
    # A fresh connection of the pool, lest the idle-race rule send it again.
    assert get(lateen, "try.test", path, method="POST", headers="Content-Length: 0\r\n").status == status
    assert len(A.requests) == before + 1


def test_a_timeout_is_told_upstream_and_answered_504(lateen):
    before = len(A.requests)
    answer = get(lateen, "t.test", "/slow")
    assert (answer.status, answer.body, answer.get("content-type")) == (504, b"upstream request timeout", "text/plain")
    assert A.requests[before].get("x-envoy-expected-rq-timeout-ms") == "300"


@pytest.mark.parametrize("path, body, kind", (
    ("/host", b"", None), ("/subset", b"", None), ("/port", b"", None), ("/lonely", b"no healthy upstream", "text/plain"),
))
def test_destinations_that_are_not_there(lateen, path, body, kind):
    answer = get(lateen, "miss.test", path)
    assert (answer.status, answer.body, answer.get("content-type")) == (503, body, kind)


def test_head_gets_no_body_of_a_local_reply(lateen):
    with Client(lateen.ports[80]) as client:
        for path in ("/lonely", "/host"):
            client.send(request("miss.test", "HEAD", path))
            assert client.answer("HEAD").status == 503
        assert client.is_quiet(0.1)


@pytest.mark.parametrize("host, path, grpc", (("miss.test", "/host", "14"), ("miss.test", "/lonely", "14"),
                                              ("nobody.test", "/x", "12"), ("t.test", "/slow", "14")))
def test_local_replies_to_grpc(lateen, host, path, grpc):
    answer = get(lateen, host, path, "content-type: application/grpc\r\nContent-Length: 0\r\n", "POST")
    assert (answer.status, answer.get("grpc-status")) == (200, grpc)


@pytest.mark.parametrize("path, status, body", (("/listener", 200, b"a"), ("/other", 503, b""), ("/single", 200, b"a")))
def test_a_destination_without_a_port(lateen, path, status, body):
    answer = get(lateen, "ports.test", path)
    assert (answer.status, answer.body) == (status, body)


def test_header_names_of_responses_are_in_lower_case(lateen):
    with Client(lateen.ports[80]) as client:
        client.send(request("x.test"))
        assert b"\r\nx-b: 1\r\n" in client.answer().raw


# ---- TLS ----

class Secure(Wire):
    def __init__(self, port, sni, alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        super().__init__(context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE), server_hostname=sni))

    def ask(self, host):
        self.send(request(host))
        return read_body(self, Message(self.take_until(b"\r\n\r\n")))


@pytest.mark.parametrize("number, sni, host, status", (
    (443, "s.test", "s.test", 200), (443, "S.TEST", "s.test", 200), (443, "s.test", "s.test:443", 200),
    (443, "s.test", "nobody.test", 404), (443, "s.test", "s3.test", 404),  # a host without rules
    (443, "s.test", "o.test", 421),  # differs: 404
    (443, "nobody.test", None, None), (443, None, None, None), (443, "late.test", None, None),
    (444, "nobody.test", "nobody.test", 404), (444, None, "nobody.test", 404),
))
def test_names_of_tls(lateen, number, sni, host, status):
    if status is None:
        with pytest.raises(OSError):
            Secure(lateen.ports[number], sni)
        return
    with Secure(lateen.ports[number], sni) as client:
        assert client.ask(host).status == status


def test_a_foreign_alpn_goes_on_without(lateen):
    with Secure(lateen.ports[443], "s.test", ["foo"]) as client:
        assert client.sock.selected_alpn_protocol() is None
        assert client.ask("s.test").status == 200


def test_a_passthrough_server_without_a_route_opens_no_port(lateen):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lateen.ports[445]), 2)


def test_the_scheme_on_tls_is_https(lateen):
    before = len(A.requests)
    with Secure(lateen.ports[443], "s.test") as client:
        client.ask("s.test")
    assert got(A, before).get("x-forwarded-proto") == "https"
