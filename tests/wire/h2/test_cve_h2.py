"""HTTP/2 attacks of other proxies' histories that no other file here holds: what crosses between the
versions, both ways, and what a hostile end makes grow. docs/security.md has the whole list."""
import re
import threading

import pytest
from frames import *  # noqa: F403
from test_h2_floods import GROWTH, rss, spent
from test_h2_rules import CASES, RESET
from wire import Gone, request, steady, wait_until

# ---- HTTP/2 in, HTTP/1 or HTTP/2 out ----

MALFORMED = [name for name, case in CASES.items() if case[0] == RESET and name.startswith(("8.", "8441"))]


@pytest.mark.parametrize("kind", ("http1", "http2"))
def test_cve_2023_27491_nothing_malformed_reaches_a_backend_whole(bench, kind):
    """Names and values with CR, LF, NUL or blanks, framing of HTTP/1, lengths that do not hold, doubled
    pseudo-headers (CVE-2021-39240, CVE-2021-39241, CVE-2021-39242, CVE-2026-42926, CVE-2026-48743)."""
    def script(peer):
        while True:
            peer.request()
            peer.reply(b"ok")

    backend = bench.plain_backend(script) if kind == "http1" else bench.backend()
    for name in MALFORMED:
        with bench.h2() as client:
            stream = CASES[name][2](client, backend.host)
            client.rst(stream if isinstance(stream, int) else 1, CASES[name][1])
    assert len(MALFORMED) > 60
    with bench.h2() as client:
        assert client.get(backend.host, "/last").status == 200
    if kind == "http1":
        assert [r.path for r in backend.requests] == ["/last"]
        assert b"x-z" not in backend.got and b"HTTP/1.1\r\nx: y" not in backend.got
    else:
        whole = [a for peer in backend.peers for a in peer.answers.values() if a.ended and a.reset is None]
        assert [dict(a.headers)[":path"] for a in whole] == ["/last"]


@pytest.mark.parametrize("length", (True, False), ids=("content-length", "chunked"))
def test_cve_2026_90678_a_chunk_has_the_octets_that_arrived(bench, length):
    """A frame that announces more than it brings is passed on as far as it came, and never ended."""
    bodies = []

    def script(peer):
        head = peer.head()
        try:
            while True:
                bodies.append(peer.take(1))
        except Gone:
            bodies.append(b"|" + (head.get("transfer-encoding") or "").encode())

    backend = bench.plain_backend(script)
    with bench.h2() as client:
        more = [("content-length", "16384")] if length else []
        stream = client.request(backend.host, "POST", "/", *more, end=False)
        client.send(frame(DATA, END_STREAM, stream, bytes(16384))[:9] + b"x" * 10)
        wait_until("the backend has the head", lambda: backend.peers)
        client.sock.close()
    wait_until("the backend sees the end", lambda: bodies and bodies[-1].startswith(b"|"))
    got = b"".join(bodies[:-1])
    assert b"0\r\n\r\n" not in got and len(re.sub(rb"[0-9a-f]+\r\n|\r\n", b"", got)) <= 10, got
    for size, data in re.findall(rb"([0-9a-f]+)\r\n(x*)\r\n", got if not length else b""):
        assert int(size, 16) == len(data)


def test_no_connection_of_a_backend_is_used_again_after_a_message_broke(bench):
    """The request behind a broken one takes a fresh connection: its octets are nobody else's."""
    backend = bench.plain_backend()
    with bench.h2() as client:
        stream = client.request(backend.host, "POST", "/broken", ("content-length", "10"), end=False)
        client.data(stream, b"12345", end=True)
        client.rst(stream, PROTOCOL_ERROR)
        assert client.get(backend.host, "/whole").status == 200
    assert [r.path for r in backend.requests] == ["/whole"]
    assert len(backend.peers) == 2 or b"/broken" not in backend.got


@pytest.mark.parametrize("authority, host, status", [
    (True, None, 200), (True, "{h}", 200), (False, "{h}", 200), (True, "other.test", RESET), (True, "{h}, {h}", RESET),
    (True, "", RESET), (False, "u@{h}", RESET), (False, "{h} x", RESET), (False, "{h}/", RESET)])
def test_authority_and_host_are_one(bench, plain, authority, host, status):
    with bench.h2() as client:
        more = [("host", host.replace("{h}", plain.host))] if host is not None else []
        client.headers(1, [(":method", "GET"), (":scheme", "http"), (":path", "/"),
                           *([(":authority", plain.host)] if authority else []), *more])
        if status == RESET:
            answer = client.answer(1)
            assert answer.reset == PROTOCOL_ERROR or answer.status in (400, 404)
            assert not plain.peers
        else:
            assert client.answer(1).status == status
            assert plain.requests[0].all("host") == [plain.host]


@pytest.mark.parametrize("scheme", ("ftp", "HTTP", "wss", "httpx"))
def test_any_other_scheme_is_the_connections(bench, plain, scheme):
    """What a client calls the scheme decides nothing, as in Envoy: the transport does."""
    with bench.h2() as client:
        client.headers(1, [(":method", "GET"), (":scheme", scheme), (":path", "/"), (":authority", plain.host)])
        assert client.answer(1).status == 200
        assert plain.requests[0].get("x-forwarded-proto") == "http" and plain.requests[0].path == "/"


@pytest.mark.parametrize("n", (254, 255, 256, 257, 300, 4000, 8000))
def test_cve_2024_32475_long_authorities_are_nobodys(bench, plain, n):
    with bench.h2(tls=True) as client:
        client.headers(1, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a" * n + ".test")])
        answer = client.answer(1)
        assert answer.reset or answer.status in (400, 404, 421, 431)
        client.next_stream = 3
        assert client.get(plain.host).status == 200


# ---- HTTP/1 in, HTTP/2 out ----

def test_http_1s_own_headers_stay_on_their_side(bench, backend):
    """What HTTP/2 forbids is not there, names are in lower case, Host is :authority once."""
    with bench.client() as client:
        client.send(request(backend.host, "POST", "/up?q", "Connection: keep-alive, X-Hop, TE\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                            "Proxy-Connection: x\r\nTE: gzip, trailers\r\nTransfer-Encoding: chunked\r\nX-UPPER: V\r\nUpgrade: h2c\r\n",
                            b"3\r\nabc\r\n0\r\nX-Trailer: t\r\nContent-Length: 9\r\n\r\n"))
        assert client.answer().status == 200
    head = backend.peers[0].answers[1]
    names = [name for name, _ in head.headers]
    fields_ = dict(head.headers)
    assert fields_[":authority"] == backend.host and fields_[":path"] == "/up?q" and names.count(":authority") == 1
    assert not {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "x-hop", "host"} & set(names)
    assert fields_.get("te", "trailers") == "trailers" and fields_["x-upper"] == "V"
    assert all(name == name.lower() for name in names)
    assert names.index([n for n in names if not n.startswith(":")][0]) > max(i for i, n in enumerate(names) if n.startswith(":"))
    assert head.body == b"abc" and not any(n == "content-length" for n, _ in head.trailers or [])


@pytest.mark.parametrize("octets", (
    b"GET / HTTP/1.1\r\nHost: {h}\r\n:path: /other\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {h}\r\n:authority: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {h}\r\nx: a\x00b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {h}\r\nx: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {h}\r\nx\x00: a\r\n\r\n", b"GET /a\x7fb HTTP/1.1\r\nHost: {h}\r\n\r\n",
    b"GE:T / HTTP/1.1\r\nHost: {h}\r\n\r\n", b"POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"))
def test_what_http_2_could_not_carry_is_refused(bench, backend, octets):
    with bench.client() as client:
        client.send(octets.replace(b"{h}", backend.host.encode()))
        assert client.answer().status == 400 and client.is_closed()
    assert not backend.peers


def test_a_body_that_breaks_off_is_reset_and_not_ended(bench):
    def script(peer):
        peer.begin()
        peer.request()

    backend = bench.backend(script)
    with bench.client() as client:
        client.send(request(backend.host, "POST", "/", "Content-Length: 10\r\n", b"12345"))
        wait_until("the stream is there", lambda: any(1 in getattr(peer, "answers", ()) for peer in backend.peers))
        client.rst()
    answer = wait_until("its end", lambda: backend.peers[0].answers[1].ended and backend.peers[0].answers[1])
    assert answer.reset is not None


@pytest.mark.parametrize("bad", (("x", "a\r\nb: c"), ("x", "a\0"), ("x y", "1"), ("transfer-encoding", "chunked"),
                                 ("content-length", "5"), ("connection", "x")))
def test_an_answer_that_http_1_could_misread_is_502(bench, bad):
    """Downgrade of answers: a backend's head splits no response of ours."""
    def script(peer):
        peer.begin()
        peer.reply(peer.request(), b"", "200", bad)

    backend = bench.backend(script)
    with bench.client() as client:
        client.send(request(backend.host))
        answer = client.answer()
        assert answer.status == 502 and answer.get("b") is None


# ---- states ----

def test_cve_2021_32780_goaway_and_then_no_more_streams(bench):
    """A backend that says GOAWAY and then MAX_CONCURRENT_STREAMS 0 while requests are under way."""
    first = threading.Event()

    def script(peer):
        peer.begin()
        stream = peer.request()
        if first.is_set():
            peer.reply(stream, b"fresh")
            return
        first.set()
        peer.send(frame(GOAWAY, 0, 0, u32(0x7fffffff) + u32(0)) + settings((MAX_STREAMS, 0)) + frame(GOAWAY, 0, 0, u32(stream) + u32(0)))
        peer.reply(stream, b"old")

    backend = bench.backend(script)
    with bench.h2() as client:
        assert client.get(backend.host).body == b"old"
        assert client.get(backend.host).body == b"fresh"


@pytest.mark.parametrize("tail", ("none", "data", "trailers", "reset"))
def test_cve_2026_73513_trailers_of_a_backend_that_do_not_end_the_stream(bench, plain, tail):
    def script(peer):
        peer.begin()
        stream = peer.request()
        peer.headers(stream, [(":status", "200")], end=False)
        peer.data(stream, b"body")
        peer.headers(stream, [("x-sum", "1")], end=False)
        if tail == "data":
            peer.data(stream, b"more", end=True)
        elif tail == "trailers":
            peer.headers(stream, [("x-sum", "2")])
        elif tail == "reset":
            peer.send(frame(RST_STREAM, 0, stream, u32(CANCEL)))

    backend = bench.backend(script)
    with bench.h2() as client:
        answer = client.answer(client.request(backend.host))
        assert answer.reset is not None or answer.status == 502
        assert client.get(plain.host).status == 200


@pytest.mark.parametrize("kind", (0x4d, 0xff, 0x0c))
def test_cve_2021_29258_empty_frames_of_extensions(bench, plain, kind):
    with bench.h2() as client:
        client.send(frame(kind) + frame(kind, 0xff, 1) + frame(kind, 4, 0x7fffffff, b"x"))
        assert client.get(plain.host).status == 200


# ---- resources ----

def test_cve_2021_32778_a_hundred_resets_at_once_cost_what_they_are(bench):
    """All streams of a connection end in one write, again and again: no walk over the others for each."""
    backend = bench.plain_backend(lambda peer: (peer.head(), peer.take(1)))
    with bench.h2() as other:
        start = spent(bench)
        for _ in range(20):
            with bench.h2() as client:
                streams = [client.request(backend.host, "POST", end=False) for _ in range(100)]
                client.alive()
                try:
                    client.send(b"".join(frame(RST_STREAM, 0, s, u32(CANCEL)) for s in streams)).alive()
                except (Gone, OSError):
                    pass
        assert spent(bench) - start < 5
        other.alive()


def test_cve_2019_9517_answers_that_nobody_reads_are_held_back(bench, plain):
    """Huge windows, a socket that is not read, a hundred large answers: each waits at its backend."""
    def script(peer):
        peer.request()
        peer.reply(b"x" * (8 << 20))

    backend = bench.plain_backend(script)
    before = rss(bench)
    with bench.h2(pairs=((INITIAL_WINDOW, 0x7fffffff),)) as client, bench.h2() as other:
        client.send(frame(WINDOW_UPDATE, 0, 0, u32(0x7fffffff - 65535)))
        for _ in range(100):
            client.request(backend.host)
        wait_until("all are under way", lambda: len(backend.peers) >= 100)
        steady(lambda: 1 + (rss(bench) >> 18))
        assert rss(bench) - before < GROWTH, (rss(bench) - before) >> 20
        assert other.get(plain.host).status == 200


def test_uploads_that_no_backend_takes_are_held_back(bench, plain):
    """A hundred streams that send all that their windows allow into backends that read nothing."""
    gate = threading.Event()
    backend = bench.plain_backend(lambda peer: (peer.head(), gate.wait(60)))
    before, sent = rss(bench), 0
    with bench.h2() as client:
        streams = [client.request(backend.host, "POST", end=False) for _ in range(100)]
        wait_until("all are under way", lambda: len(backend.peers) >= 100)
        while sent < 400 << 20 and (client.is_readable(0.5) or not sent):
            while client.is_readable(0):
                client.frame()
            for stream in streams:
                while client.has_room(stream):
                    sent += client.data_some(stream, bytes(16384))
        assert rss(bench) - before < GROWTH, f"{(rss(bench) - before) >> 20} MiB for {sent >> 20} MiB"
        gate.set()


def test_cve_2020_12605_a_hundred_thousand_data_frames_of_one_octet(bench):
    """Into streams whose backend takes nothing: memory follows octets, not frames."""
    gate = threading.Event()
    backend = bench.plain_backend(lambda peer: (peer.head(), gate.wait(60)))
    before = rss(bench)
    with bench.h2() as client:
        stream = client.request(backend.host, "POST", "/", end=False)
        client.alive()
        room = min(client.room[0], client.room.get(stream, client.initial))
        octets = frame(DATA, 0, stream, b"x") * min(room, 100000)
        client.send(octets)
        client.alive()
        assert rss(bench) - before < 8 << 20, (rss(bench) - before) >> 20
    gate.set()


def test_a_head_of_many_small_fields_and_one_of_huge_ones_are_431_alike(bench, plain):
    with bench.h2() as client:
        for fields_ in ([("a", "")] * 200, [("cookie", "x" * 1000)] * 70, [("x-" + "n" * 20000, "v" * 20000)] * 2):
            stream = client.next_stream
            client.next_stream += 2
            client.headers_cut(stream, fields(plain.host, "GET", "/", *fields_))
            assert client.answer(stream).status == 431
    assert not plain.peers
