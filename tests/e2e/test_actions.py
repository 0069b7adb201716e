"""What the rules of a VirtualService do to a request on its way: raw octets in, what a backend got
and what came back. The rows are what Istio's gateway was seen to do (docs/differences.md has the others).
"""
import re
import subprocess

import pytest

from harness import BIN, Manifests, running, wait_until
from test_observed import GATEWAYS, A, B, a, b, get, got, service, to, vs


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


@pytest.fixture(scope="module")
def lateen(tmp_path_factory):
    manifests = Manifests(tmp_path_factory.mktemp("actions") / "manifests", source=None)
    manifests.write("all.yaml", GATEWAYS + service("a", A.port) + service("b", B.port) + "".join(rule_hosts()))
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
