"""Every spelling of a path is decided as its normal form is, and the backend sees that form: what a
rule protects has no second name (CVE-2019-9901, CVE-2020-8595, CVE-2021-31920, CVE-2021-39156).

The normal form is computed here anew, from RFC 3986 and Istio's pathNormalization; the program
must agree with it for each spelling, each target and each of the three forms.
"""
import contextlib
import re

import pytest

from wire import GATEWAY, Backend, Bench, Manifests, running

FORMS = ("BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")
MESH = """---
apiVersion: v1
kind: ConfigMap
metadata: {{ name: istio, namespace: istio-system }}
data:
  mesh: |
    pathNormalization: {{ normalization: {form} }}
"""
RULES = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: guarded, namespace: wire }
spec:
  hosts: [ guarded.test ]
  gateways: [ wire ]
  http:
  - match: [ { uri: { exact: /admin } } ]
    directResponse: { status: 403, body: { string: exact } }
  - match: [ { uri: { prefix: /admin/ } } ]
    directResponse: { status: 403, body: { string: prefix } }
  - match: [ { uri: { regex: "/v[0-9]+/secret(/.*)?" } } ]
    directResponse: { status: 403, body: { string: regex } }
  - match: [ { uri: { exact: /Case.d }, ignoreUriCase: true } ]
    directResponse: { status: 403, body: { string: case } }
  - route: [ { destination: { host: b0.mesh.internal } } ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: everybody, namespace: wire }
spec:
  hosts: [ "*" ]
  gateways: [ wire ]
  http:
  - match: [ { uri: { prefix: /none-of-this } } ]
    directResponse: { status: 403, body: { string: nobody } }
"""

TARGETS = ("/admin", "/admin/users", "/v1/secret", "/v1/secret/a.b", "/case.d", "/open/file.txt")
# {p} is the target without its first slash, {1} its first octet, {r} the rest, {x} the first in %XX
SPELLINGS = (
    "/{p}", "/./{p}", "/x/../{p}", "/x/y/../../{p}", "/../{p}", "/../../{p}", "/%2e/{p}", "/x/%2e%2e/{p}", "/x/%2E./{p}",
    "/x/.%2e/{p}", "/{x}{r}", "/%25{x}{r}", "/{p}#", "/{p}#/../x", "/{p}?", "/{p}?x=/../y", "/{p}?#f", "/{p}/.", "/{p}/..",
    "/{p}/x/..", "/{p}/%2e", "/{p}%2f", "/{p}%2F..%2Fx", "//{p}", "///{p}", "/x//../{p}", "/x%2f..%2f{p}", "/%2f{p}",
    "/\\{p}", "/x\\..\\{p}", "/x%5c..%5c{p}", "/{p};x=1", "/{p}%3f", "/{p}%23", "/{p}%20", "/{p}%0a", "/{p}.", "/{P}",
    "http://guarded.test/{p}", "http://GUARDED.test:80/x/../{p}", "http://guarded.test/{p}?a#b", "/./", "/..", "/%2e%2e/")


def spellings():
    for target in TARGETS:
        p = target[1:]
        for spelling in SPELLINGS:
            yield spelling.format(p=p, P=p.upper(), r=p[1:], x=f"%{ord(p[0]):02x}")


def unreserved(found):
    char = chr(int(found[1], 16))
    return char if re.match(r"[A-Za-z0-9\-._~]", char) else found[0]


def without_dots(path):
    out, segments = [], path.split("/")[1:]
    for i, segment in enumerate(segments):
        if segment == "..":
            out = out[:-1]
        elif segment != ".":
            out.append(segment)
            continue
        if i == len(segments) - 1:
            out.append("")
    return "/" + "/".join(out)


def canonical(target, form):
    """(path, query with its question mark)."""
    target = re.sub(r"^http://[^/]*", "", target).split("#")[0]
    path, mark, query = target.partition("?")
    path = path.replace("\\", "/")
    if form == "DECODE_AND_MERGE_SLASHES":
        path = re.sub(r"%(2[fF]|5[cC])", "/", path)
    path = re.sub(r"%([0-9A-Fa-f]{2})", unreserved, path)
    path = without_dots(path)
    if form != "BASE":
        path = re.sub(r"/+", "/", path)
    return path, mark + query


def decision(path):
    """What the rules say of a path in its normal form."""
    if path == "/admin":
        return "exact"
    if path.startswith("/admin/"):
        return "prefix"
    if re.fullmatch(r"/v[0-9]+/secret(/.*)?", path):
        return "regex"
    return "case" if path.lower() == "/case.d" else "backend"


@contextlib.contextmanager
def gateway(folder, form):
    manifests = Manifests(folder / "manifests", source=None)
    backend = Backend("b0")
    backend.script = echo
    manifests.write("all.yaml", GATEWAY + backend.manifests() + RULES + MESH.format(form=form))
    with running(manifests, f"wire-spellings-{form}", ports=(80,)) as lateen:
        yield Bench(lateen, [backend]), backend
    backend.socket.close()


def echo(peer):
    while True:
        peer.reply(peer.request().path.encode(), headers="x-by: backend\r\n")


@pytest.fixture(scope="module", params=FORMS)
def world(request, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("spellings"), request.param) as (bench, _):
        yield bench, request.param


def ask(client, target, host="guarded.test"):
    client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin1"))
    return client.answer()


def test_every_spelling_is_decided_as_its_normal_form(world):
    bench, form = world
    wrong, decided, n = [], set(), 0
    with bench.client() as client:
        for target in spellings():
            path, query = canonical(target, form)
            expected = decision(path)
            answer = ask(client, target)
            seen = "backend" if answer.get("x-by") else answer.body.decode()
            upstream = answer.body.decode() if answer.get("x-by") else path + query
            if (seen, upstream) != (expected, path + query):
                wrong.append(f"{target}: {answer.status} {seen} {upstream}, wanted {expected} {path + query}")
            decided.add(seen)
            n += 1
    assert not wrong, "\n".join(wrong)
    assert n >= 200 and decided == {"exact", "prefix", "regex", "case", "backend"}


def test_the_normal_form_is_its_own_normal_form(world):
    """Whoever reads the path behind us finds nothing left to do."""
    bench, form = world
    with bench.client() as client:
        for target in spellings():
            path, query = canonical(target, form)
            if decision(path) == "backend":
                assert ask(client, path + query).body.decode() == path + query


@pytest.mark.parametrize("host, rules", [
    ("guarded.test", True), ("GUARDED.TEST", True), ("Guarded.Test", True), ("guarded.test:80", True), ("guarded.test:8080", True),
    ("guarded.test:", True), ("GUARDED.test:1", True),
    ("guarded.test.", False), ("guarded.test.:80", False), ("xguarded.test", False), ("guarded.test.evil.test", False),
    ("guarded-test", False), ("guardedxtest", False), ("guarded", False), (".guarded.test", False)])
def test_cve_2021_39155_host_spellings(world, host, rules):
    """In any case and with any port it is the host; every other name is not, whatever it holds."""
    bench, _ = world
    with bench.client() as client:
        answer = ask(client, "/admin", host)
        assert (answer.status, answer.body) == ((403, b"exact") if rules else (404, b""))


@pytest.mark.parametrize("host", ["guarded.test/x", "guarded.test#x", "guarded.test?x", "u@guarded.test", "guarded.test, other.test",
                                  "guarded.test\\x", "guarded.test\tx", "[guarded.test", "http://guarded.test", "guarded.test:80@x"])
def test_hosts_that_two_readers_read_differently_reach_no_rule(world, host):
    bench, _ = world
    with bench.client() as client:
        answer = ask(client, "/open", host)
        assert answer.status in (400, 404) and not answer.get("x-by")
