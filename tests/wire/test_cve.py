"""HTTP/1 attacks of other proxies' histories that no other file holds, each named by its CVE.
docs/security.md has the whole list and says where the others are tested."""
import re
import threading

import pytest

from wire import GATEWAY, Backend, Bench, Manifests, request, running, wait_until

RULES = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: matched, namespace: wire }
spec:
  hosts: [ matched.test, "*.wild.test" ]
  gateways: [ wire ]
  http:
  - match: [ { uri: { exact: /role }, headers: { x-role: { exact: admin } } } ]
    directResponse: { status: 200, body: { string: admin } }
  - match: [ { uri: { exact: /not }, withoutHeaders: { x-role: { regex: ".*admin.*" } } } ]
    directResponse: { status: 200, body: { string: not-admin } }
  - match: [ { uri: { exact: /user }, headers: { x-user: { regex: "[a-z.]+" } } } ]
    directResponse: { status: 200, body: { string: user } }
  - match: [ { uri: { exact: /a.b+c } } ]
    directResponse: { status: 200, body: { string: literal } }
  - match: [ { uri: { prefix: "/p.*/" } } ]
    directResponse: { status: 200, body: { string: prefix } }
  - directResponse: { status: 403, body: { string: none } }
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory, request):
    manifests = Manifests(tmp_path_factory.mktemp("cve") / "manifests", source=None)
    backends = [Backend(f"b{i}") for i in range(64)]
    manifests.write("all.yaml", GATEWAY + RULES + "".join(b.manifests() for b in backends))
    with running(manifests, "wire-cve", ports=(80,)) as lateen:
        yield Bench(lateen, backends)
    for backend in backends:
        backend.socket.close()


def ask(client, path, headers="", host="matched.test"):
    client.send(request(host, path=path, headers=headers))
    return client.answer().body.decode()


# ---- lengths ----

EDGES = (1, 127, 128, 254, 255, 256, 257, 269, 270, 271, 1023, 1024, 1025, 4095, 4096, 8191, 8192, 16383, 16384, 30000)


@pytest.mark.parametrize("n", EDGES)
def test_cve_2021_40346_lengths_of_names_and_values_are_exact(client, backend, n):
    """No length wraps: name and value arrive whole, and what follows is no header of another."""
    lines = f"{'n' * n}: short\r\nx-long: {'v' * n}\r\nx-last: here\r\n"
    client.send(request(backend.host, "POST", "/1", lines + "Content-Length: 5\r\n", b"hello") + request(backend.host, path="/2"))
    assert [client.answer().status, client.answer().status] == [200, 200]
    first, second = backend.requests
    assert first.get("n" * n) == "short" and first.get("x-long") == "v" * n and first.get("x-last") == "here"
    assert first.body == b"hello" and second.path == "/2"


@pytest.mark.parametrize("n", (61440, 65534, 65535, 65536, 65537, 131072))
@pytest.mark.parametrize("what", ("name", "value"))
def test_cve_2021_40346_lengths_beyond_the_limit_are_431(client, backend, what, n):
    line = f"{'n' * n}: v\r\n" if what == "name" else f"x: {'v' * n}\r\n"
    try:
        client.send(request(backend.host, "POST", "/", line + "Content-Length: 5\r\n", b"hello") + request(backend.host, path="/2"))
    except ConnectionError:
        pass
    assert client.answer().status == 431
    assert client.is_closed() and not backend.peers


def test_cve_2021_40346_the_attack_itself(client, backend):
    """A name of 270 octets that begins with content-length hides no second request."""
    smuggled = f"GET /admin HTTP/1.1\r\nHost: {backend.host}\r\nX: "
    client.send(request(backend.host, "POST", "/1", f"Content-Length0{'a' * 255}:\r\nContent-Length: {len(smuggled)}\r\n", smuggled.encode())
                + request(backend.host, path="/2"))
    assert [client.answer().status, client.answer().status] == [200, 200]
    assert [r.path for r in backend.requests] == ["/1", "/2"] and backend.requests[0].body == smuggled.encode()


# ---- what rules see ----

@pytest.mark.parametrize("value", ("admin", "admin ", "admin\t ", " \t admin", "  admin  "))
def test_cve_2019_18802_white_space_around_a_value_is_none_of_it(client, value):
    assert ask(client, "/role", f"X-Role:{value}\r\n") == "admin"


@pytest.mark.parametrize("headers, role", (
    ("x-role: user\r\nx-role: admin\r\n", "admin"), ("x-role: admin\r\nx-role: user\r\n", "admin"),
    ("x-role: user\r\nX-ROLE: admin\r\n", "admin"), ("x-role:\r\nx-role: admin\r\n", "admin"),
    ("x-role: admin,user\r\n", "none"), ("x-role: user,admin\r\n", "none")))
def test_cve_2020_25017_every_value_is_looked_at(client, headers, role):
    """Neither the first nor the last stands for all, none is joined with another; what must not be
    there is found among them (CVE-2021-32777, CVE-2026-26308)."""
    assert ask(client, "/role", headers) == role
    assert ask(client, "/not", headers) == "none"


@pytest.mark.parametrize("value", ("admin", "\xffadmin", "admin\xff", "ad\xc3\xa4min admin \xfe\xff", "a\xc0\xafadmin", "\x80admin\x80"))
def test_cve_2026_73552_a_negative_regex_holds_for_octets_that_are_no_utf_8(client, value):
    """What must not be there is found beside any octets: no encoding opens the rule."""
    assert ask(client, "/not", f"x-role: {value}\r\n") == "none"
    assert ask(client, "/not", "x-role: guest\r\n") == "not-admin"


@pytest.mark.parametrize("path, rule", (("/a.b+c", "literal"), ("/axb+c", "none"), ("/a.bbc", "none"), ("/a.b%2Bc", "none"),
                                        ("/p.*/x", "prefix"), ("/pxx/x", "none"), ("/p/x", "none")))
def test_cve_2026_39350_literals_are_no_patterns(client, path, rule):
    assert ask(client, path) == rule


@pytest.mark.parametrize("host, rule", (("a.wild.test", "none"), ("a.b.wild.test", "none"), ("wild.test", ""), (".wild.test", ""),
                                        ("axwild.test", ""), ("a.wildxtest", ""), ("a.wild.test.evil.test", "")))
def test_cve_2026_39350_dots_of_hosts_are_dots(client, host, rule):
    assert ask(client, "/", host=host) == rule


@pytest.mark.parametrize("n", (10, 1000, 30000))
def test_cve_2019_14993_a_long_value_costs_its_length(client, n):
    """Linear time and no recursion: it is answered, and the process lives."""
    assert ask(client, "/not", f"x-role: {'a' * n}\r\n") == "not-admin"
    assert ask(client, "/user", f"x-user: {'a.' * (n // 2)}\r\n") == "user"
    assert ask(client, "/user", f"x-user: {'a.' * (n // 2)}!\r\n") == "none"


@pytest.mark.parametrize("scheme", ("http", "HTTP", "HtTp"))
def test_cve_2023_35944_the_schemes_case_is_no_matter(client, backend, scheme):
    client.send(f"GET {scheme}://{backend.host}/abs HTTP/1.1\r\nHost: {backend.host}\r\n\r\n".encode())
    assert client.answer().status == 200 and backend.requests[0].get("x-forwarded-proto") == "http"


@pytest.mark.parametrize("scheme", ("https", "HTTPS", "hTTps"))
def test_cve_2023_35944_https_on_a_clear_port_is_refused_in_any_case(client, backend, scheme):
    client.send(f"GET {scheme}://{backend.host}/ HTTP/1.1\r\nHost: {backend.host}\r\n\r\n".encode())
    assert client.answer().status == 403 and not backend.peers


# ---- what only the inside may say ----

INTERNAL = ("x-envoy-original-path", "x-envoy-original-host", "x-envoy-internal", "x-envoy-force-trace", "x-envoy-ip-tags",
            "x-envoy-hedge-on-per-try-timeout", "x-envoy-retry-grpc-on", "x-envoy-retriable-status-codes", "x-envoy-downstream-service-node",
            "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-stream-duration-ms", "x-envoy-decorator-operation",
            "x-envoy-peer-metadata", "x-envoy-anything-new", "x-forwarded-client-cert", "x-istio-attributes")


@pytest.mark.parametrize("spell", (str, str.upper, str.title), ids=("lower", "upper", "title"))
def test_cve_2024_45806_a_private_address_is_not_trusted(client, backend, spell):
    """The client comes from 127.0.0.1, which others take for the inside (CVE-2023-27487, too)."""
    lines = "".join(f"{spell(name)}: spoofed\r\n{spell(name)}: twice\r\n" for name in INTERNAL)
    client.send(request(backend.host, headers=lines + "X-Envoy: kept\r\nX-Forwarded-For: 10.0.0.1\r\n"))
    assert client.answer().status == 200
    got = backend.requests[0]
    for name in INTERNAL:
        assert not {"spoofed", "twice"} & set(got.all(name)), name
    assert got.get("x-envoy-external-address") == "127.0.0.1"
    assert got.get("x-envoy-internal") is None


# ---- resources ----

def resident(bench):
    with open(f"/proc/{bench.lateen.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


def test_cve_2020_8659_a_million_chunks_of_one_octet(bench, client, backend):
    """Memory follows octets that nobody has taken yet, not pieces (CVE-2020-8661, CVE-2020-12605)."""
    gate = threading.Event()

    def script(peer):
        peer.head()
        gate.wait(60)
        peer.take_until(b"0\r\n\r\n")
        peer.reply(b"ok")

    backend.script = script
    before = resident(bench)
    client.send(request(backend.host, "POST", "/", "Transfer-Encoding: chunked\r\n"))
    most = [0]

    def send():
        for _ in range(100):
            client.send(b"1\r\nx\r\n" * 10000)
        client.send(b"0\r\n\r\n")

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_until("nothing more fits", lambda: steady_size(bench, most))
    assert most[0] - before < 8 << 20
    gate.set()
    sender.join(60)
    assert client.answer().status == 200


def steady_size(bench, most, history=[]):  # noqa: B006 - five in a row
    now = resident(bench)
    most[0] = max(most[0], now)
    history.append(now)
    return len(history) > 20 and len(set(history[-20:])) == 1


def test_a_flood_of_pipelined_requests_waits_its_turn(bench, backend):
    """Who asks without reading is read no further: no queue of requests or answers grows."""
    before = resident(bench)
    with bench.client() as flooder, bench.client() as other:
        flooder.sock.setblocking(False)
        octets, sent, stalls = request(backend.host) * 200, 0, 0
        while stalls < 50 and sent < 200 << 20:
            try:
                sent += flooder.sock.send(octets)
                stalls = 0
            except BlockingIOError:
                stalls += 1
                threading.Event().wait(0.01)
        assert stalls == 50, f"{sent} octets were taken"
        assert resident(bench) - before < 8 << 20
        other.send(request(backend.host))
        assert other.answer().status == 200


@pytest.mark.parametrize("kind", ("names", "cookies", "empty"))
def test_heads_of_many_fields_are_refused_before_they_are_whole(bench, client, backend, kind):
    line = {"names": "x-{i}: v\r\n", "cookies": "Cookie: a{i}=b\r\n", "empty": "a:\r\n"}[kind]
    octets = f"GET / HTTP/1.1\r\nHost: {backend.host}\r\n" + "".join(line.format(i=i) for i in range(101))
    client.send(octets.encode())
    assert client.answer().status == 431 and client.is_closed() and not backend.peers


# ---- answers ----

@pytest.mark.parametrize("status", ("200 OK", "101 Switching Protocols", "204 No Content"))
def test_cve_2024_23326_no_answer_of_a_backend_opens_a_tunnel_that_nobody_asked_for(client, backend, status):
    def script(peer):
        peer.request()
        peer.send(f"HTTP/1.1 {status}\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n".encode() + b"HTTP/1.1 200 OK\r\n\r\n")

    backend.script = script
    client.send(request(backend.host) + request(backend.host, path="/2"))
    answer = client.answer()
    assert answer.status in (200, 204, 502, 503) and answer.get("upgrade") is None
    if status.startswith("101"):
        assert answer.status == 502 or answer.status == 503


def test_cve_2018_0608_the_formats_percent_signs_of_a_client_are_text(bench, client, backend):
    client.send(request(backend.host, path="/%25n%25s%n%s%99999d", headers="User-Agent: %n%s%REQ(X)%%p\r\nX: secret\r\n"))
    client.answer()
    line = bench.log_line("%25n%25s")
    assert '"%n%s%REQ(X)%%p"' in line and "secret" not in line


@pytest.mark.parametrize("octet", [0x01, 0x08, 0x0b, 0x1b, 0x7f])
def test_control_octets_in_a_value_are_refused_or_escaped(bench, client, backend, octet):
    client.send(request(backend.host, headers=f"User-Agent: m{octet:02x}{chr(octet)}[2J\r\n"))
    assert client.answer().status in (200, 400)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", bench.lateen.access_path.read_bytes())
