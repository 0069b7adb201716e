"""What two readers could read differently is refused: reliability.md 1.2, column "ours".

Each bad request is followed by a second, well-formed one in the same write: whoever reads the
first wrongly hands the second to the backend. The backend must get neither.
"""
import pytest

from wire import request

AFTER = "GET /smuggled HTTP/1.1\r\nHost: {h}\r\n\r\n"
MANY = "".join(f"x-{i}: v\r\n" for i in range(100))

# name, request ({h} is the backend's host), statuses that are right
REFUSED = [
    ("cl-and-te", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    ("te-and-cl", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", {400}),
    ("two-different-cl", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello", {400}),
    ("two-equal-cl", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", {400}),
    ("cl-list", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5, 5\r\n\r\nhello", {400}),
    ("cl-plus", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: +5\r\n\r\nhello", {400}),
    ("cl-minus", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: -5\r\n\r\nhello", {400}),
    ("cl-hex", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0x5\r\n\r\nhello", {400}),
    ("cl-empty", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length:\r\n\r\n", {400}),
    ("cl-beyond-64-bits", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 18446744073709551621\r\n\r\nhello", {400}),
    ("te-xchunked", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("te-chunked-identity", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", {400, 501}),
    ("te-gzip-chunked", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("te-vt-chunked", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400}),
    ("te-twice", "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    ("te-in-1.0", "POST / HTTP/1.0\r\nHost: {h}\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    ("bare-lf-lines", "GET / HTTP/1.1\nHost: {h}\n\n", {400}),
    ("bare-lf-header", "GET / HTTP/1.1\r\nHost: {h}\r\nX: y\n\r\n", {400}),
    ("bare-lf-at-the-end", "GET / HTTP/1.1\r\nHost: {h}\r\n\n", {400}),
    ("nul-in-value", "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\0b\r\n\r\n", {400}),
    ("nul-in-name", "GET / HTTP/1.1\r\nHost: {h}\r\nX\0: ab\r\n\r\n", {400}),
    ("bare-cr-in-value", "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\rb\r\n\r\n", {400}),
    ("obs-fold", "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\r\n b\r\n\r\n", {400}),
    ("obs-fold-first", "GET / HTTP/1.1\r\n X: a\r\nHost: {h}\r\n\r\n", {400}),
    ("empty-name", "GET / HTTP/1.1\r\nHost: {h}\r\n: a\r\n\r\n", {400}),
    ("space-before-colon", "GET / HTTP/1.1\r\nHost: {h}\r\nX : a\r\n\r\n", {400}),
    ("cl-space-before-colon", "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length : 5\r\n\r\nhello", {400}),
    ("no-colon", "GET / HTTP/1.1\r\nHost: {h}\r\nX\r\n\r\n", {400}),
    ("name-with-paren", "GET / HTTP/1.1\r\nHost: {h}\r\nX(: a\r\n\r\n", {400}),
    ("two-hosts", "GET / HTTP/1.1\r\nHost: {h}\r\nHost: {h}\r\n\r\n", {400}),
    ("two-different-hosts", "GET / HTTP/1.1\r\nHost: {h}\r\nHost: other.test\r\n\r\n", {400}),
    ("no-host", "GET / HTTP/1.1\r\n\r\n", {400}),
    ("host-with-space", "GET / HTTP/1.1\r\nHost: {h} x\r\n\r\n", {400}),
    ("host-with-user", "GET / HTTP/1.1\r\nHost: u@{h}\r\n\r\n", {400}),
    ("connection-names-host", "GET / HTTP/1.1\r\nHost: {h}\r\nConnection: host\r\n\r\n", {400}),
    ("http-1.2", "GET / HTTP/1.2\r\nHost: {h}\r\n\r\n", {400, 505}),
    ("http-2.0", "GET / HTTP/2.0\r\nHost: {h}\r\n\r\n", {400, 505}),
    ("http-0.9", "GET /\r\n\r\n", {400}),
    ("lower-case-method", "get / HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("unknown-method", "FROB / HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("two-spaces", "GET  / HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("tab", "GET\t/ HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("space-in-path", "GET /a b HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("leading-space", " GET / HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("space-after-version", "GET / HTTP/1.1 \r\nHost: {h}\r\n\r\n", {400}),
    ("lower-case-version", "GET / http/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("asterisk-get", "GET * HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("authority-form-get", "GET {h}:80 HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("ftp", "GET ftp://{h}/ HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("two-empty-lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: {h}\r\n\r\n", {400}),
    ("101-headers", "GET / HTTP/1.1\r\nHost: {h}\r\n" + MANY + "\r\n", {431}),
    ("64-kib-header", "GET / HTTP/1.1\r\nHost: {h}\r\nX: " + "a" * 65536 + "\r\n\r\n", {431}),
    ("64-kib-of-headers", "GET / HTTP/1.1\r\nHost: {h}\r\n" + "".join(
        f"x-{i}: {'a' * 1000}\r\n" for i in range(66)) + "\r\n", {431}),
    ("long-target", "GET /" + "a" * 9000 + " HTTP/1.1\r\nHost: {h}\r\n\r\n", {414}),
    ("tls-hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
]


def check_refused(client, backend, octets, statuses):
    try:
        client.send(octets)
    except ConnectionError:
        pass  # it may have closed before all was sent
    answer = client.answer()
    assert answer.status in statuses
    assert answer.get("connection") == "close"
    assert client.is_closed()
    assert backend.got == b"" and not backend.peers


@pytest.mark.parametrize("text, statuses", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(client, backend, text, statuses):
    octets = (text + AFTER).replace("{h}", backend.host).encode("latin1")
    check_refused(client, backend, octets, statuses)


@pytest.mark.parametrize("name", ["cl-and-te", "two-different-cl", "bare-lf-header", "obs-fold", "two-hosts",
                                  "te-xchunked", "no-host", "http-0.9"])
def test_refused_octet_by_octet(client, backend, name):
    text, statuses = next(row[1:] for row in REFUSED if row[0] == name)
    try:
        client.send_slowly(text.replace("{h}", backend.host).encode("latin1"))
    except ConnectionError:
        pass
    assert client.answer().status in statuses
    assert client.is_closed()
    assert not backend.peers


# Bad chunks come behind a good head that is on its way: the body must not come to its end.
BAD_CHUNKS = [
    ("hex-prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("plus", "+5\r\nhello\r\n0\r\n\r\n"),
    ("space-before", " 5\r\nhello\r\n0\r\n\r\n"),
    ("space-behind", "5 \r\nhello\r\n0\r\n\r\n"),
    ("bare-lf-after-size", "5\nhello\r\n0\r\n\r\n"),
    ("bare-lf-in-extension", "5;a\nhello\r\n0\r\n\r\n"),
    ("bare-cr-in-extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
    ("bare-lf-after-data", "5\r\nhello\n0\r\n\r\n"),
    ("too-much-data", "5\r\nhello!\r\n0\r\n\r\n"),
    ("no-crlf-after-data", "5\r\nhello0\r\n\r\n"),
    ("beyond-64-bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("many-zeros", "0" * 64 + "5\r\nhello\r\n0\r\n\r\n"),
    ("extension-too-long", "5;" + "a" * 2000 + "\r\nhello\r\n0\r\n\r\n"),
    ("no-size", "\r\nhello\r\n0\r\n\r\n"),
    ("bare-lf-at-the-end", "5\r\nhello\r\n0\r\n\n"),
    ("trailer-bare-lf", "5\r\nhello\r\n0\r\nX: y\n\r\n"),
    ("trailer-fold", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"),
    ("trailer-space-before-colon", "5\r\nhello\r\n0\r\nX : y\r\n\r\n"),
    ("trailers-too-many", "5\r\nhello\r\n0\r\n" + MANY + "x: y\r\n\r\n"),
]


@pytest.mark.parametrize("chunks", [row[1] for row in BAD_CHUNKS], ids=[row[0] for row in BAD_CHUNKS])
def test_bad_chunks_never_complete_a_request(client, backend, chunks):
    head = f"POST /chunks HTTP/1.1\r\nHost: {backend.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send((head + chunks + AFTER.replace("{h}", backend.host)).encode())
    answer = client.answer()
    assert answer.status in {400, 413, 431}
    assert answer.get("connection") == "close"
    assert client.is_closed()
    assert not backend.requests, "the backend took the request for whole"
    assert b"/smuggled" not in backend.got


@pytest.mark.parametrize("line, at_backend", [
    ("X_User: me", ("x_user", "me")),                                  # kept: Envoy's policy ALLOW
    ("X: \xe9\tz", ("x", "\xe9\tz")),                                  # obs-text and tab
    ("X:", ("x", "")),
    ("X:   y \t ", ("x", "y")),
    ("x!#$%&'*+-.^_`|~9: z", ("x!#$%&'*+-.^_`|~9", "z")),
])
def test_odd_but_legal_headers_pass(client, backend, line, at_backend):
    client.send(request(backend.host, headers=line + "\r\n"))
    assert client.answer().status == 200
    assert at_backend in backend.requests[0].headers


@pytest.mark.parametrize("target, path", [
    ("/a#b", "/a"),
    ("/a?x#b", "/a?x"),
    ("/a/../b", "/b"),
    ("//a", "//a"),
    ("/a/b//../c", "/a/b/c"),
    ("/%61%2Fb%5c%zz", "/a%2Fb%5c%zz"),
    ("/a\\b", "/a/b"),
    ("/%2e%2E/a?/../%2e", "/a?/../%2e"),
    ("/\"<>|{}^`", "/%22%3C%3E%7C%7B%7D%5E%60"),
    ("/?a=\"b\"&c", "/?a=\"b\"&c"),
    ("/a?", "/a?"),
])
def test_paths_arrive_normalised(client, backend, target, path):
    client.send(request(backend.host, path=target))
    assert client.answer().status == 200
    assert backend.requests[0].path == path


def test_an_escaped_nul_is_refused_and_the_connection_goes_on(client, backend):
    client.send(request(backend.host, path="/%00") + request(backend.host, path="/2"))
    assert client.answer().status == 400
    assert client.answer().status == 200
    assert [r.path for r in backend.requests] == ["/2"]


def test_an_absolute_target_wins_over_host(client, backend):
    client.send(f"GET http://{backend.host}/abs?q HTTP/1.1\r\nHost: other.test\r\n\r\n".encode())
    assert client.answer().status == 200
    assert backend.requests[0].path == "/abs?q"
    assert backend.requests[0].get("host") == backend.host


def test_an_absolute_https_target_on_plaintext_is_forbidden(client, backend):
    client.send(f"GET https://{backend.host}/ HTTP/1.1\r\nHost: {backend.host}\r\n\r\n".encode())
    assert client.answer().status == 403
    assert not backend.peers


@pytest.mark.parametrize("method", ["PURGE", "PROPFIND", "TRACE", "PATCH", "DELETE", "M-SEARCH"])
def test_methods_of_envoys_list_pass(client, backend, method):
    client.send(request(backend.host, method))
    assert client.answer().status == 200
    assert backend.requests[0].method == method


@pytest.mark.parametrize("text", ["OPTIONS * HTTP/1.1\r\nHost: {h}\r\n\r\n", "CONNECT {h}:80 HTTP/1.1\r\nHost: {h}:80\r\n\r\n"])
def test_asterisk_and_connect_find_no_route(client, backend, text):
    """Octets behind a refused CONNECT are a tunnel's, never a request (CVE-2025-64763)."""
    client.send((text + AFTER).replace("{h}", backend.host).encode())
    assert client.answer().status == 404
    if text.startswith("CONNECT"):
        assert client.is_closed() and not backend.peers
    else:
        assert client.answer().status == 200


@pytest.mark.parametrize("host, status", [("{h}", 200), ("{H}", 200), ("{h}:80", 200), ("{h}:", 200), ("{h}:12345", 200),
                                          ("{h}.", 404), ("{h}:80:80", 404), ("x.{h}", 404), ("", 404)])
def test_hosts_are_found_as_istio_finds_them(client, backend, host, status):
    host = host.replace("{h}", backend.host).replace("{H}", backend.host.upper())
    client.send(request(host))
    assert client.answer().status == status


def test_one_empty_line_before_a_request_is_skipped(client, backend):
    client.send(b"\r\n" + request(backend.host, path="/1"))
    assert client.answer().status == 200
    client.send(b"\r\n" + request(backend.host, path="/2"))
    assert client.answer().status == 200
    assert [r.path for r in backend.requests] == ["/1", "/2"]


def test_heads_at_the_limits_pass(client, backend):
    lines = "".join(f"x-{i}: v\r\n" for i in range(99))
    client.send(request(backend.host, headers=lines))
    assert client.answer().status == 200
    client.send(request(backend.host, headers="x: " + "a" * 60000 + "\r\n"))
    assert client.answer().status == 200
    client.send(request(backend.host, path="/" + "a" * 8000))
    assert client.answer().status == 200
    assert len(backend.requests) == 3


def test_upgrade_h2c_is_ignored_and_not_forwarded(client, backend):
    client.send(request(backend.host, headers="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n") + request(backend.host, path="/2"))
    assert client.answer().status == 200
    assert client.answer().status == 200
    first = backend.requests[0]
    assert not first.all("upgrade") and not first.all("http2-settings")
    assert backend.requests[1].path == "/2"


def test_upgrades_that_nobody_allowed_are_forbidden(client, backend):
    client.send(request(backend.host, headers="Connection: Upgrade\r\nUpgrade: foo/1\r\n"))
    assert client.answer().status == 403
    assert not backend.peers


def test_an_upgrade_that_connection_does_not_name_is_dropped(client, backend):
    client.send(request(backend.host, headers="Upgrade: foo/1\r\n"))
    assert client.answer().status == 200
    assert not backend.requests[0].all("upgrade")
