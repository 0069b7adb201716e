"""What the rules of a VirtualService do to a request on its way: raw octets in, what a backend got
and what came back. The rows are what Istio's gateway was seen to do (docs/differences.md has the others).
"""
import re
import socket
import struct
import subprocess
import time

import pytest

from harness import BIN, Manifests, running, wait_until
from test_observed import GATEWAYS, A, B, Backend, Client, a, b, get, got, request, service, to, vs

class Mute(Backend):
    """Takes a request and says nothing, or leaves."""

    def __init__(self):
        super().__init__("mute")
        self.script = lambda peer: peer.request().path.endswith("/leave") or peer.take_all()


class Flaky(Backend):
    """Does with the first N tries of a request as its path says, /.../N/STATUS, and answers the next with 200."""

    def __init__(self):
        super().__init__("flaky")
        self.tries, self.script = {}, self.serve

    def serve(self, peer):
        while True:
            got = peer.request()
            _, _, times, what, *_ = got.path.split("/")
            self.tries[got.path] = self.tries.get(got.path, 0) + 1
            if self.tries[got.path] > int(times):
                peer.reply(got.body or b"ok")
            elif what == "gone":
                return
            elif what == "mute":
                peer.take_all()
                return
            elif what.startswith("grpc-"):
                peer.reply(b"", headers=f"content-type: application/grpc\r\ngrpc-status: {what[5:]}\r\n")
            else:
                peer.reply(b"bad", f"{what} Bad")


MUTE, FLAKY = Mute(), Flaky()
ALL = "percentage: { value: 100 }"


def rule_hosts():
    yield vs("rewrites", "[ rw.test ]",
             a(match="{ uri: { prefix: /foo/ } }", rewrite="{ uri: /bar }"),
             a(match="{ uri: { prefix: /foo } }", rewrite="{ uri: / }"),
             a(match="{ uri: { prefix: /CASE }, ignoreUriCase: true }", rewrite="{ uri: /low }"),
             a(match="{ uri: { exact: /exact } }", rewrite='{ uri: "/bar?x=y" }'),
             a(match="{ uri: { exact: /bare } }", rewrite="{ uri: bar }"),
             a(match='{ uri: { regex: "/re/.*" } }', rewrite="{ uri: /whole }"),
             a(match="{ uri: { prefix: /sub } }",
               rewrite=r"{ uriRegexRewrite: { match: '^/sub/([^/]+)/([^/]+)(.*)$', rewrite: '/\2/\1\3' } }"),
             a(match="{ uri: { prefix: /each } }", rewrite="{ uriRegexRewrite: { match: 'a', rewrite: 'bb' } }"),
             a(match="{ uri: { prefix: /host } }", rewrite="{ authority: 'new.test:8080' }"),
             a(match="{ uri: { prefix: /set } }", headers="{ request: { set: { Host: set.test }, add: { ':authority': add.test } } }"),
             a(match="{ uri: { prefix: /wins } }", rewrite="{ authority: rewrite.test }", headers="{ request: { set: { Host: set.test } } }"),
             "{ match: [ { uri: { prefix: /one } } ], route: [ { destination: { host: a.mesh.internal }, headers: { request: { set: "
             "{ Host: dest.test } } } } ] }",
             "{ match: [ { uri: { prefix: /two } } ], headers: { request: { set: { Host: route.test } } }, route: [ { weight: 1, "
             "destination: { host: a.mesh.internal }, headers: { request: { set: { Host: dest.test } } } }, { weight: 0, destination: "
             "{ host: b.mesh.internal } }, { weight: 1, destination: { host: a.mesh.internal }, headers: { request: { set: { Host: "
             "dest.test } } } } ] }",
             a(rewrite="{ uri: /bar }"))
    yield vs("faults", "[ f.test ]",
             a(match="{ uri: { prefix: /abort } }", fault=f"{{ abort: {{ httpStatus: 418, {ALL} }} }}",
               headers="{ response: { set: { x-r: z } } }"),
             a(match="{ uri: { prefix: /grpc } }", fault=f"{{ abort: {{ grpcStatus: RESOURCE_EXHAUSTED, {ALL} }} }}"),
             a(match="{ uri: { prefix: /delay } }", fault=f"{{ delay: {{ fixedDelay: 0.2s, {ALL} }} }}", timeout="0.15s"),
             a(match="{ uri: { prefix: /both } }",
               fault=f"{{ delay: {{ fixedDelay: 0.1s, {ALL} }}, abort: {{ httpStatus: 500, {ALL} }} }}"),
             a(match="{ uri: { prefix: /long } }", fault=f"{{ delay: {{ fixedDelay: 600s, {ALL} }} }}"),
             a(match="{ uri: { prefix: /half } }", fault="{ abort: { httpStatus: 500, percentage: { value: 50 } } }"),
             a(match="{ uri: { prefix: /never } }", fault="{ abort: { httpStatus: 500 }, delay: { fixedDelay: 600s } }"),
             a())
    yield vs("mirrors", "[ m.test ]",
             a(match="{ uri: { prefix: /one } }", mirror="{ host: b.mesh.internal }", rewrite="{ uri: /copy, authority: new.test }"),
             a(match="{ uri: { prefix: /many } }", mirrors="[ { destination: { host: b.mesh.internal } }, { destination: { host: "
               "b.mesh.internal }, percentage: { value: 0 } }, { destination: { host: none.mesh.internal } } ]"),
             a(match="{ uri: { prefix: /half } }", mirror="{ host: b.mesh.internal }", mirrorPercentage="{ value: 50 }"),
             a(match="{ uri: { prefix: /off } }", mirror="{ host: b.mesh.internal }", mirrorPercentage="{ value: 0 }"),
             a(match="{ uri: { prefix: /mute } }", mirror="{ host: mute.mesh.internal }"),
             a(match="{ uri: { prefix: /fault } }", mirror="{ host: b.mesh.internal }", fault=f"{{ abort: {{ httpStatus: 418, {ALL} }} }}"))
    flaky = lambda path, **retries: to("flaky.mesh.internal", match=f"{{ uri: {{ prefix: {path} }} }}",  # noqa: E731
                                       retries="{ " + ", ".join(f"{key}: {value}" for key, value in retries.items()) + " }")
    yield vs("tries", "[ try2.test ]",
             flaky("/5xx", attempts=3, retryOn="5xx", backoff="1ms"), flaky("/gateway", attempts=3, retryOn="gateway-error", backoff="1ms"),
             flaky("/4xx", attempts=3, retryOn="retriable-4xx", backoff="1ms"), flaky("/codes", attempts=3, retryOn='"418,503"', backoff="1ms"),
             flaky("/reset", attempts=3, retryOn="reset", backoff="1ms"), flaky("/off", attempts=0),
             flaky("/grpc", attempts=3, retryOn='"internal,resource-exhausted"', backoff="1ms"),
             flaky("/late", attempts=1, retryOn="5xx", perTryTimeout="0.1s", backoff="1ms"), to("flaky.mesh.internal"))
    policy = ("{{ allowOrigins: [ {{ exact: 'https://a.test' }}, {{ prefix: 'https://p.' }}, {{ regex: 'https://r[0-9]+' }} ], allowMethods: "
              "[ GET, POST ], allowHeaders: [ x-a, x-b ], exposeHeaders: [ x-e ], maxAge: 60s, allowCredentials: true{} }}")
    yield vs("scripts", "[ c.test ]",
             a(match="{ uri: { prefix: /bare } }", corsPolicy="{ allowOrigins: [ { exact: '*' } ] }"),
             a(match="{ uri: { prefix: /ignore } }", corsPolicy=policy.format(", unmatchedPreflights: IGNORE")),
             a(match="{ uri: { prefix: /aborts } }", corsPolicy=policy.format(""), fault=f"{{ abort: {{ httpStatus: 418, {ALL} }} }}"),
             to("none.mesh.internal", match="{ uri: { prefix: /none } }", corsPolicy=policy.format("")),
             to(None, match="{ uri: { prefix: /moved } }", corsPolicy=policy.format(""), redirect="{ uri: /x }"),
             a(corsPolicy=policy.format(""), headers="{ response: { set: { x-r: z, access-control-allow-origin: mine } } }"))


@pytest.fixture(scope="module")
def lateen(tmp_path_factory):
    manifests = Manifests(tmp_path_factory.mktemp("actions") / "manifests", source=None)
    manifests.write("all.yaml", GATEWAYS + service("a", A.port) + service("b", B.port) + service("mute", MUTE.port) + service("flaky", FLAKY.port) + "".join(rule_hosts()))
    with running(manifests, "actions", flags=["--namespace", "istio-ingress"], ports=(80, 81, 443, 444, 445)) as lateen:
        yield lateen


# ---- rewrite ----

@pytest.mark.parametrize("sent, seen", (
    ("/foo/x", "/barx"), ("/foox", "/x"), ("/foo", "/"), ("/foo?q", "/?q"), ("/x", "/barx"), ("/", "/bar"), ("/?q=1", "/bar?q=1"),
    ("/case/x", "/low/x"), ("/exact", "/bar?x=y"), ("/exact?q=1", "/bar?x=y?q=1"), ("/bare", "bar"), ("/re/a/b?q", "/whole?q"),
    ("/sub/one/two/x?q=/sub/a/b", "/two/one/x?q=/sub/a/b"), ("/sub/one", "/sub/one"), ("/each/a/a?a", "/ebbch/bb/bb?a"),
    ("/x/../foo/%7e?a=%2f", "/bar~?a=%2f"),
))
def test_paths_are_rewritten(lateen, sent, seen):
    before = len(A.requests)
    assert get(lateen, "rw.test", sent, "x-envoy-original-path: /mine\r\n").status == 200
    head = got(A, before)
    assert head.first == f"GET {seen} HTTP/1.1"
    normal = "/foo/~?a=%2f" if sent.startswith("/x/..") else sent
    assert head.all("x-envoy-original-path") == [normal]


@pytest.mark.parametrize("path, host, original", (
    ("/host", "new.test:8080", "rw.test"), ("/set", "set.test", "rw.test"), ("/wins", "rewrite.test", "rw.test"),
    ("/one", "dest.test", "rw.test"), ("/two", "route.test", "dest.test"),
))
def test_hosts_are_rewritten(lateen, path, host, original):
    before = len(A.requests)
    assert get(lateen, "rw.test", path).status == 200
    head = got(A, before)
    assert (head.all("host"), head.get("x-envoy-original-host")) == ([host], original)
    assert head.get("x-forwarded-host") is None


def test_the_log_tells_both_paths_and_explain_what_the_backend_gets(lateen):
    assert get(lateen, "rw.test", "/foo/logged?q").status == 200
    wait_until("it is logged", lambda: '"GET /foo/logged?q HTTP/1.1" 200' in lateen.access_log())
    out = subprocess.run([BIN, "explain", "-f", lateen.manifests, "http://rw.test/foo/x?q"], text=True, capture_output=True, timeout=60)
    assert re.search(r"^rewrite +the backend gets /barx\?q$", out.stdout, re.M), out


# ---- fault ----

def logged(lateen, path, status, flag, details):
    wait_until("it is logged", lambda: f'{path} HTTP/1.1" {status} {flag} {details} ' in lateen.access_log())


@pytest.mark.parametrize("path, headers, status, grpc, body", (
    ("/abort", "", 418, None, b"fault filter abort"),
    ("/abort", GRPC := "content-type: application/grpc\r\n", 200, "2", b""),
    ("/grpc", "", 200, None, b"fault filter abort"),
    ("/grpc", GRPC, 200, "8", b""),
))
def test_faults_abort_with_what_they_say(lateen, path, headers, status, grpc, body):
    before = len(A.requests)
    answer = get(lateen, "f.test", path, headers, method="POST")
    assert (answer.status, answer.get("grpc-status"), answer.body) == (status, grpc, body)
    assert answer.get("x-r") == ("z" if path == "/abort" else None)
    assert len(A.requests) == before
    logged(lateen, path, 200 if grpc else status, "FI", "fault_filter_abort")


def test_a_delay_does_not_count_against_the_timeout(lateen):
    begun = time.monotonic()
    assert get(lateen, "f.test", "/delay").body == b"a"
    assert time.monotonic() - begun >= 0.2
    logged(lateen, "/delay", 200, "DI", "via_upstream")


def test_an_abort_comes_behind_the_delay(lateen):
    begun = time.monotonic()
    assert get(lateen, "f.test", "/both").status == 500
    assert time.monotonic() - begun >= 0.1
    logged(lateen, "/both", 500, "DI,FI", "fault_filter_abort")


def test_shares_of_faults(lateen):
    statuses = [get(lateen, "f.test", "/half").status for _ in range(64)]
    assert set(statuses) == {200, 500} and 8 < statuses.count(500) < 56
    assert get(lateen, "f.test", "/never").status == 200  # no percentage: never


def stat(lateen, name):
    found = re.search(rf"^{re.escape(name)}: (\d+)$", lateen.admin("/stats").text, re.M)
    return int(found[1]) if found else 0


def test_a_delayed_request_is_counted_at_once_and_ends_with_its_client(lateen):
    counter = re.search(r"^(http\.\S+\.fault\.delays_injected): ", lateen.admin("/stats").text, re.M)[1]
    before = stat(lateen, counter)
    with Client(lateen.ports[80]) as client:
        client.send(request("f.test", "GET", "/long"))
        wait_until("it is counted", lambda: stat(lateen, counter) == before + 1)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a FIN alone may be half a close
    wait_until("it is over", lambda: '/long HTTP/1.1" 0 DI,DC downstream_remote_disconnect ' in lateen.access_log())


# ---- corsPolicy, as Envoy 1.40 does it ----

PREFLIGHT = "access-control-request-method: GET\r\n"
SAME = {"allow-origin": "https://a.test", "allow-credentials": "true", "expose-headers": "x-e"}
FULL = {"allow-methods": "GET,POST", "allow-headers": "x-a,x-b", "max-age": "60", "expose-headers": "x-e", "allow-credentials": "true"}


def cors(answer):
    return {name.removeprefix("access-control-"): value for name, value in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", ("https://a.test", "https://p.x", "https://r12"))
def test_preflights_of_allowed_origins_are_answered_here(lateen, origin):
    before = len(A.requests)
    answer = get(lateen, "c.test", "/", f"origin: {origin}\r\n{PREFLIGHT}", "OPTIONS")
    assert (answer.status, answer.body, answer.get("x-r")) == (200, b"", None)
    assert cors(answer) == FULL | {"allow-origin": origin}
    assert len(A.requests) == before
    logged(lateen, "/", 200, "-", "cors_response")


@pytest.mark.parametrize("method, path, headers, status, want", (
    ("GET", "/", "origin: https://a.test\r\n", 200, SAME),
    ("OPTIONS", "/", "origin: https://a.test\r\n", 200, SAME),  # asks for no method: no preflight
    ("GET", "/", "origin: https://a.test.evil\r\n", 200, {"allow-origin": "mine"}),
    ("OPTIONS", "/", f"origin: https://x.test\r\n{PREFLIGHT}", 200, {"allow-origin": "mine"}),  # the backend's answer
    ("OPTIONS", "/", PREFLIGHT, 200, {"allow-origin": "mine"}),
    ("OPTIONS", "/ignore", f"origin: https://x.test\r\n{PREFLIGHT}", 200, {k: v for k, v in FULL.items() if k != "expose-headers"}),
    ("GET", "/ignore", "origin: https://x.test\r\n", 200, {}),
    ("OPTIONS", "/bare", f"origin: null\r\n{PREFLIGHT}", 200, {"allow-origin": "null"}),
    ("GET", "/bare", "origin: http://any\r\n", 200, {"allow-origin": "http://any"}),
    ("GET", "/none", "origin: https://a.test\r\n", 503, SAME),
    ("OPTIONS", "/aborts", f"origin: https://a.test\r\n{PREFLIGHT}", 418, {}),
    ("OPTIONS", "/moved", f"origin: https://a.test\r\n{PREFLIGHT}", 301, {}),
))
def test_cors(lateen, method, path, headers, status, want):
    answer = get(lateen, "c.test", path, headers, method)
    assert (answer.status, cors(answer)) == (status, want)


# ---- mirrors ----

def test_a_copy_goes_to_the_mirror_as_the_backend_gets_it(lateen):
    before, copies = len(A.requests), len(B.requests)
    octets = request("m.test", "POST", "/one/x?q", "content-length: 70000\r\nx-a: 1\r\n") + b"z" * 70000
    with Client(lateen.ports[80]) as client:
        assert client.send(octets).answer().body == b"a"
    wait_until("the copy is there", lambda: len(B.requests) == copies + 1)
    mine, copy = got(A, before), got(B, copies)
    assert (copy.first, copy.body) == ("POST /copy/x?q HTTP/1.1", b"z" * 70000)
    assert sorted(copy.headers) == sorted(mine.headers) and copy.get("host") == "new.test"


def test_a_copy_of_a_chunked_body_ends_with_its_trailers(lateen):
    copies = len(B.requests)
    with Client(lateen.ports[80]) as client:
        client.send(request("m.test", "POST", "/one", "transfer-encoding: chunked\r\n") + b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n")
        assert client.answer().status == 200
    wait_until("the copy is there", lambda: len(B.requests) == copies + 1)
    assert (B.requests[-1].body, B.requests[-1].trailers) == (b"abc", [("x-t", "1")])


@pytest.mark.parametrize("path, least, most", (("/many", 32, 32), ("/half", 4, 28), ("/off", 0, 0), ("/fault", 0, 0)))
def test_shares_of_mirrors(lateen, path, least, most):
    copies = len(B.requests)
    for _ in range(32):
        assert get(lateen, "m.test", path).body in (b"a", b"fault filter abort")
    get(lateen, "m.test", "/one")  # the last copy
    wait_until("all copies are there", lambda: B.requests[copies:] and B.requests[-1].path == "/copy")
    assert least <= len(B.requests) - copies - 1 <= most


def test_a_mirror_that_does_not_answer_or_leaves_disturbs_nobody(lateen):
    copies = len(MUTE.requests)
    for path in ("/mute", "/mute", "/mute/leave"):
        assert get(lateen, "m.test", path).body == b"a"
    wait_until("the copies are there", lambda: len(MUTE.requests) == copies + 3)
    assert get(lateen, "m.test", "/mute").body == b"a"


# ---- retries ----

@pytest.mark.parametrize("path, status, tries, flag", (
    ("/5xx/3/500", 200, 4, "-"), ("/5xx/4/503", 503, 4, "URX"), ("/5xx/1/429", 429, 1, "-"), ("/5xx/2/gone", 200, 3, "-"),
    ("/gateway/2/502", 200, 3, "-"), ("/gateway/1/500", 500, 1, "-"), ("/gateway/1/gone", 200, 2, "-"),
    ("/4xx/1/409", 200, 2, "-"), ("/4xx/1/404", 404, 1, "-"), ("/codes/1/418", 200, 2, "-"), ("/codes/1/503", 200, 2, "-"),
    ("/codes/1/500", 500, 1, "-"), ("/reset/1/gone", 200, 2, "-"), ("/reset/1/503", 503, 1, "-"), ("/off/1/503", 503, 1, "-"),
    ("/default/1/503", 503, 1, "-"), ("/default/1/gone", 503, 1, "UC"),
    ("/late/1/mute", 200, 2, "-"), ("/late/2/mute", 504, 2, "UT,URX"),
))
def test_retries(lateen, path, status, tries, flag):
    octets = request("try2.test", "POST", path, "content-length: 5\r\n") + b"hello"
    with Client(lateen.ports[80]) as client:
        answer = client.send(octets).answer()
    assert (answer.status, FLAKY.tries[path]) == (status, tries)
    if status == 200:
        assert answer.body == b"hello" and FLAKY.requests[-1].get("x-envoy-attempt-count") == str(tries)
    wait_until("it is logged", lambda: f'{path} HTTP/1.1" {status} {flag} ' in lateen.access_log())


@pytest.mark.parametrize("path, status, tries", (
    ("/grpc/1/grpc-13", None, 2), ("/grpc/2/grpc-8", None, 3), ("/grpc/1/grpc-14", "14", 1), ("/any/1/grpc-14", None, 2), ("/any/1/grpc-1", None, 2),
))
def test_retries_by_grpc_status(lateen, path, status, tries):
    answer = get(lateen, "try2.test", path, "content-type: application/grpc\r\n", method="POST")
    assert (answer.get("grpc-status"), FLAKY.tries[path]) == (status, tries)


def test_a_try_says_how_long_it_may_take(lateen):
    get(lateen, "try2.test", "/late/0/x")
    assert FLAKY.requests[-1].get("x-envoy-expected-rq-timeout-ms") == "100"
