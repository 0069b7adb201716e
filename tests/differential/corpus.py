"""What is sent to all proxies alike: (group, name, octets). {h} stands for the host that each serves."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
from test_framing import BAD_CHUNKS, MANY, REFUSED  # noqa: E402
from test_spellings import SPELLINGS  # noqa: E402

HOST = "h.test"
GROUPS = {  # a prefix of the names in test_framing, and the group they belong to
    "cl-": "content-length", "te-": "transfer-encoding", "two-different-cl": "content-length", "two-equal-cl": "content-length",
    "bare-": "line ends", "nul-": "header octets", "obs-": "folded lines", "empty-name": "header names", "space-before": "header names",
    "no-colon": "header names", "name-": "header names", "two-hosts": "host", "two-different-hosts": "host", "no-host": "host",
    "host-": "host", "connection-": "host", "http-": "version", "lower-case-version": "version", "lower-case-method": "method",
    "unknown-": "method", "two-spaces": "request line", "tab": "request line", "space-": "request line", "leading-": "request line",
    "asterisk": "target", "authority": "target", "ftp": "target", "two-empty": "request line", "101": "size", "64-": "size", "long-": "size",
    "tls": "request line"}


def group_of(name):
    return next(group for prefix, group in GROUPS.items() if name.startswith(prefix))


def get(headers="", target="/", method="GET", body="", host="{h}", version="HTTP/1.1"):
    return f"{method} {target} {version}\r\nHost: {host}\r\n{headers}\r\n{body}"


def chunked(chunks):
    return get("Transfer-Encoding: chunked\r\n", method="POST", body=chunks)


def requests():
    for name, text, _ in REFUSED:
        yield group_of(name), name, text
    for name, chunks in BAD_CHUNKS:
        if not name.startswith("trailer"):  # whether the body is passed on before they are read is chance
            yield "chunks", name, chunked(chunks)
    for octet in [*range(0x00, 0x21), *b"\"(),/:;<=>?@[\\]{}", 0x7f, 0x80, 0xff]:
        if octet not in (0x0a, 0x0d):
            yield "header names", f"octet-{octet:02x}", get(f"x{chr(octet)}a: v\r\n")
    for octet in [*range(0x00, 0x20), 0x7f, 0x80, 0xff]:
        if octet not in (0x0a, 0x0d):
            yield "header octets", f"octet-{octet:02x}", get(f"x: a{chr(octet)}b\r\n")
    for octet in [*range(0x01, 0x21), 0x22, 0x3c, 0x5c, 0x5e, 0x60, 0x7b, 0x7c, 0x7f, 0x80, 0xff]:
        if octet not in (0x0a, 0x0d):
            yield "target octets", f"octet-{octet:02x}", get(target=f"/a{chr(octet)}b")
    for spelling in SPELLINGS:
        target = spelling.format(p="a/b", P="A/B", r="/b", x="%61").replace("guarded.test", "{h}").replace("GUARDED.TEST", "{h}")
        yield "path", spelling, get(target=target)
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PATCH", "PUT", "TRACE", "PURGE", "PROPFIND", "M-SEARCH", "Get", "G", "G T", "GET\t", "G@T", "M" * 40):
        yield "method", method[:12], get(method=method, headers="Content-Length: 0\r\n" if method in ("PUT", "PATCH") else "")
    for host in ("{h}:80", "{h}:", "{h}.", "{h}:x", "{h}:99999", "{h}/x", "{h}?x", "{h}#x", "{h}, {h}", "", "[::1]", "[::1", "%68.test", "h_.test", "h.test\t", "-",
                 "H.TEST", "{h}:80:80", "\x80.test", "h\\.test"):
        yield "host", repr(host), get(host=host)
    for length in ("0", "00", "05", "5;x", "5 ", "\t5", "5\x0b", "5.0", "5e0", "1_0", "9" * 19, "9" * 20, "5,", ",5", "\uff15".encode().decode("latin1")):
        yield "content-length", repr(length)[:24], get(f"Content-Length: {length}\r\n", method="POST", body="hello")
    for coding in ("chunked", "Chunked", "CHUNKED", "chunked ", " chunked", "chunked;q=1", "chunked,", ",chunked", "identity", "gzip", "chunked\x00", "\"chunked\"", "",
                   "deflate, chunked", "trailers"):
        yield "transfer-encoding", repr(coding), get(f"Transfer-Encoding: {coding}\r\n", method="POST", body="5\r\nhello\r\n0\r\n\r\n")
    for name in ("Transfer_Encoding", "Transfer-Encoding-", "X-Transfer-Encoding", "Content_Length", "Transfer-Encoding\x0b"):
        yield "transfer-encoding", name, get(f"{name}: chunked\r\nContent-Length: 5\r\n", method="POST", body="hello")
    for name, chunks in (("plain", "5\r\nhello\r\n0\r\n\r\n"), ("upper", "A\r\nhellohello\r\n0\r\n\r\n"), ("zeros", "005\r\nhello\r\n000\r\n\r\n"),
                         ("extension", "5;a=b\r\nhello\r\n0\r\n\r\n"), ("quoted", '5;a="b;c"\r\nhello\r\n0\r\n\r\n'), ("empty-extension", "5;\r\nhello\r\n0\r\n\r\n"),
                         ("space-extension", "5 ;a\r\nhello\r\n0\r\n\r\n"), ("nul-extension", "5;\x00\r\nhello\r\n0\r\n\r\n"),
                         ("trailer", "5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n"), ("trailer-cl", "5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n"),
                         ("trailer-host", "5\r\nhello\r\n0\r\nHost: y\r\n\r\n"),
                         ("minus", "-5\r\nhello\r\n0\r\n\r\n"), ("hex-letters", "g\r\nhello\r\n0\r\n\r\n"), ("underscore", "1_0\r\nhello\r\n0\r\n\r\n"),
                         ("cr-only", "5\rhello\r\n0\r\n\r\n"), ("two-crlf", "5\r\n\r\nhello\r\n0\r\n\r\n"), ("eight-f", "ffffffff\r\nhello\r\n0\r\n\r\n")):
        yield "chunks", name, chunked(chunks)
    for version in ("HTTP/1.0", "HTTP/1.3", "HTTP/1.10", "HTTP/01.1", "HTTP/3", "HTTP/1", "HTP/1.1", "", "HTTP/1.1\t", "HTTP/1,1", "hTTP/1.1", "HTTP/9.9"):
        yield "version", version or "none", get(version=version)
    for name, headers in (("connection-x", "Connection: x\r\nx: 1\r\n"), ("connection-two", "Connection: x, y\r\nx: 1\r\nx-kept: 2\r\n"),
                          ("connection-cl", "Connection: content-length\r\nContent-Length: 0\r\n"), ("connection-empty", "Connection:\r\nx: 1\r\n"),
                          ("keep-alive", "Keep-Alive: 5\r\nx: 1\r\n"), ("te", "TE: trailers\r\nx: 1\r\n"), ("upgrade-h2c", "Connection: Upgrade, HTTP2-Settings\r\n"
                          "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), ("upgrade-foo", "Connection: Upgrade\r\nUpgrade: foo\r\n"),
                          ("expect", "Expect: 100-continue\r\nContent-Length: 0\r\n"), ("expect-other", "Expect: 200-ok\r\nContent-Length: 0\r\n"),
                          ("underscore", "x_y: 1\r\n"), ("many-x", "x: 1\r\nx: 2\r\nX: 3\r\n"), ("empty", "x:\r\n"), ("spaces", "x: \t 1 \t \r\n"), ("tab", "x:\t1\r\n"),
                          ("colon", "x: a:b\r\n"), ("dot", "x.y: 1\r\n"), ("100", MANY.replace("x-99: v\r\n", "")), ("proxy", "Proxy: http://x\r\nx: 1\r\n"),
                          ("cl-get", "Content-Length: 0\r\n"), ("pseudo", ":path: /x\r\n"), ("forwarded", "Forwarded: for=x\r\nx: 1\r\n")):
        yield "headers", name, get(headers)


def responses():
    ok = "HTTP/1.1 200 OK\r\n"
    body = "Content-Length: 5\r\n\r\nhello"
    for name, first in (("1.0", "HTTP/1.0 200 OK\r\n"), ("1.2", "HTTP/1.2 200 OK\r\n"), ("2.0", "HTTP/2.0 200 OK\r\n"), ("no-reason", "HTTP/1.1 200\r\n"),
                        ("empty-reason", "HTTP/1.1 200 \r\n"), ("nul-reason", "HTTP/1.1 200 a\0b\r\n"), ("two-digits", "HTTP/1.1 20 OK\r\n"),
                        ("four-digits", "HTTP/1.1 2000 OK\r\n"), ("letters", "HTTP/1.1 abc OK\r\n"), ("099", "HTTP/1.1 099 OK\r\n"), ("600", "HTTP/1.1 600 OK\r\n"),
                        ("999", "HTTP/1.1 999 OK\r\n"), ("lower", "http/1.1 200 OK\r\n"), ("space", "HTTP/1.1  200 OK\r\n"), ("lf", "HTTP/1.1 200 OK\n"),
                        ("nothing", ""), ("leading-crlf", "\r\nHTTP/1.1 200 OK\r\n"), ("garbage", "garbage\r\n"), ("tab", "HTTP/1.1\t200\tOK\r\n"), ("minus", "HTTP/1.1 -20 OK\r\n")):
        yield "status line", name, first + body
    for name, lines in (("cl-twice", "Content-Length: 5\r\nContent-Length: 5\r\n"), ("cl-differs", "Content-Length: 5\r\nContent-Length: 4\r\n"), ("cl-plus", "Content-Length: +5\r\n"),
                        ("cl-list", "Content-Length: 5, 5\r\n"), ("cl-hex", "Content-Length: 0x5\r\n"), ("cl-empty", "Content-Length:\r\n"), ("cl-minus", "Content-Length: -5\r\n"),
                        ("cl-huge", "Content-Length: 99999999999999999999\r\n"), ("te-and-cl", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
                        ("te-unknown", "Transfer-Encoding: foo\r\n"), ("te-identity", "Transfer-Encoding: identity\r\n"), ("te-list", "Transfer-Encoding: gzip, chunked\r\n"),
                        ("te-twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), ("none", "")):
        yield "response length", name, ok + lines + "\r\nhello"
    for name, line in (("nul", "x: a\0b"), ("cr", "x: a\rb"), ("lf", "x: a\nb"), ("fold", "x: a\r\n b"), ("no-colon", "x"), ("empty-name", ": x"), ("space-colon", "x : y"),
                       ("space-name", "x y: z"), ("ctl", "x: \x01"), ("esc", "x: \x1b[31m"), ("high", "x: \xe4"), ("del", "x: \x7f"), ("at-name", "x@y: z"), ("nul-name", "x\0: z"),
                       ("high-name", "x\xe4: z"), ("leading-space", " x: y"), ("connection", "Connection: x\r\nx: 1"), ("upgrade", "Upgrade: h2c\r\nConnection: upgrade"), ("big", "x: " + "a" * 70000)):
        yield "response headers", name, f"{ok}{line}\r\n{body}"
    for name, chunks in (("plain", "5\r\nhello\r\n0\r\n\r\n"), ("cut", "5\r\nhel"), ("no-end", "5\r\nhello\r\n"), ("hex", "0x5\r\nhello\r\n0\r\n\r\n"), ("plus", "+5\r\nhello\r\n0\r\n\r\n"),
                         ("lf", "5\nhello\n0\n\n"), ("extension", "5;a=b\r\nhello\r\n0\r\n\r\n"), ("trailer", "5\r\nhello\r\n0\r\nx: 1\r\n\r\n"), ("too-long", "5\r\nhello!\r\n0\r\n\r\n"),
                         ("huge", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), ("no-size", "\r\nhello\r\n0\r\n\r\n"), ("space", " 5\r\nhello\r\n0\r\n\r\n")):
        yield "response chunks", name, f"{ok}Transfer-Encoding: chunked\r\n\r\n{chunks}"
    for name, octets in (("short", ok + "Content-Length: 10\r\n\r\nhello"), ("long", ok + "Content-Length: 3\r\n\r\nhello"), ("204-body", "HTTP/1.1 204 No\r\n" + body),
                         ("304-body", "HTTP/1.1 304 No\r\n" + body), ("100-only", "HTTP/1.1 100 Continue\r\n\r\n"), ("103-200", "HTTP/1.1 103 Early\r\n\r\n" + ok + body),
                         ("101", "HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), ("half-head", ok + "x: y\r\n"), ("empty", ""), ("two", ok + body + ok + body)):
        yield "response ends", name, octets


def h2_requests():
    """(group, name, fields as pairs, body or None); None in place of a pseudo-header leaves it out."""
    base = {":method": "GET", ":scheme": "http", ":authority": "{h}", ":path": "/"}

    def case(name, more=(), body=None, **changes):
        fields = {**base, **{":" + key: value for key, value in changes.items()}}
        return "HTTP/2", name, [(k, v) for k, v in fields.items() if v is not None] + list(more), body

    yield case("plain")
    for name, changes in (("no-authority", {"authority": None}), ("no-path", {"path": None}), ("no-scheme", {"scheme": None}), ("no-method", {"method": None}), ("empty-path", {"path": ""}),
                          ("path-x", {"path": "x"}), ("path-space", {"path": "/a b"}), ("path-lf", {"path": "/a\nb"}), ("path-hash", {"path": "/a#b"}), ("path-dots", {"path": "/x/../a"}),
                          ("path-high", {"path": "/\xe4"}), ("path-absolute", {"path": "http://{h}/a"}), ("asterisk", {"path": "*"}), ("authority-user", {"authority": "u@{h}"}),
                          ("authority-port", {"authority": "{h}:80"}), ("authority-upper", {"authority": "H.TEST"}), ("authority-space", {"authority": "{h} x"}), ("scheme-ftp", {"scheme": "ftp"}),
                          ("scheme-upper", {"scheme": "HTTP"}), ("method-lower", {"method": "get"}), ("method-space", {"method": "G T"}), ("protocol", {"protocol": "websocket"})):
        yield case(name, **changes)
    for name, pair in (("upper", ("X-A", "1")), ("space-name", ("x a", "1")), ("colon-name", ("x:a", "1")), ("crlf-value", ("x", "a\r\nb: c")), ("nul-value", ("x", "a\0b")),
                       ("space-value", ("x", " a")), ("behind-value", ("x", "a ")), ("empty-name", ("", "a")), ("connection", ("connection", "close")), ("te", ("te", "gzip")), ("te-trailers", ("te", "trailers")),
                       ("transfer-encoding", ("transfer-encoding", "chunked")), ("upgrade", ("upgrade", "h2c")), ("host-same", ("host", "{h}")), ("host-other", ("host", "o.test")), ("cl", ("content-length", "5")),
                       ("cl-zero", ("content-length", "0")), ("cl-plus", ("content-length", "+0")), ("underscore", ("x_y", "1")), ("high", ("x", "\xe4")), ("esc", ("x", "\x1b")), ("late-pseudo", (":path", "/x"))):
        yield case(name, [pair])
    yield case("cl-body", [("content-length", "5")], "hello", method="POST")
    yield case("cl-short", [("content-length", "9")], "hello", method="POST")
    yield case("cl-long", [("content-length", "2")], "hello", method="POST")
    yield case("cookies", [("cookie", "a=1"), ("cookie", "b=2")])
