"""A hostile HTTP/2 backend: what it breaks is answered 502 or 503, or shown as a broken answer, and
never harms other hosts; the gateway leaves with the right GOAWAY."""
import time

import pytest
from frames import *  # noqa: F403
from wire import Gone, request, wait_until

OK = [(":status", "200")]


def answer(*more, status="200", end=True):
    return lambda p, s: p.headers(s, [(":status", status), *more], end=end)


def raw(*frames):
    return lambda p, s: p.send(b"".join(frame(k, f, s if st is None else st, o) for k, f, st, o in frames))


# name: (the code of GOAWAY, or None for a stream error, what the backend does with stream s)
CASES = {
    "4.2 a frame too long": (FRAME_SIZE_ERROR, raw((DATA, 0, None, bytes(16385)))),
    "4.3 a block that cannot be decoded": (COMPRESSION_ERROR, raw((HEADERS, END_HEADERS, None, b"\xff\xff\xff\xff\xff"))),
    "4.3 a block interrupted": (PROTOCOL_ERROR, raw((HEADERS, 0, None, b"\x88"), (DATA, 0, None, b"x"))),
    "5.1 HEADERS on an idle stream": (PROTOCOL_ERROR, raw((HEADERS, END_HEADERS, 99, b"\x88"))),
    "5.1 DATA on an idle stream": (PROTOCOL_ERROR, raw((DATA, 0, 99, b"x"))),
    "5.1 RST_STREAM on an idle stream": (PROTOCOL_ERROR, raw((RST_STREAM, 0, 99, u32(1)))),
    "5.1.1 HEADERS on a stream of its own": (PROTOCOL_ERROR, raw((HEADERS, END_HEADERS, 2, b"\x88"))),
    "6.5.2 ENABLE_PUSH from a server": (PROTOCOL_ERROR, lambda p, s: p.send(settings((ENABLE_PUSH, 1)))),
    "6.6 PUSH_PROMISE": (PROTOCOL_ERROR, raw((PUSH_PROMISE, END_HEADERS, None, u32(2) + b"\x82"))),
    "6.9 a window above 2^31-1": (FLOW_CONTROL_ERROR, raw(*[(WINDOW_UPDATE, 0, 0, u32(0x7fffffff))] * 2)),
    "6.1 padding above the payload": (PROTOCOL_ERROR, raw((HEADERS, END_HEADERS, None, b"\x88"), (DATA, PADDED, None, b"\x05ab"))),
    "4.3 a size update above the table's": (COMPRESSION_ERROR, raw((HEADERS, END_HEADERS, None, b"\x3f\xe1\xff\x07\x88"))),
    "5.1 WINDOW_UPDATE on an idle stream": (PROTOCOL_ERROR, raw((WINDOW_UPDATE, 0, 99, u32(1)))),
    "5.1 DATA behind END_STREAM": (None, raw((HEADERS, END_HEADERS | END_STREAM, None, b"\x88"), (DATA, 0, None, b"x"))),
    "6.1 DATA on stream 0": (PROTOCOL_ERROR, raw((DATA, 0, 0, b"x"))),
    "6.2 HEADERS on stream 0": (PROTOCOL_ERROR, raw((HEADERS, END_HEADERS, 0, b"\x88"))),
    "6.2 HEADERS with more padding than payload": (PROTOCOL_ERROR, raw((HEADERS, END_HEADERS | PADDED, None, b"\xff\x88"))),
    "6.3 PRIORITY on stream 0": (PROTOCOL_ERROR, raw((PRIORITY, 0, 0, bytes(5)))),
    "6.4 RST_STREAM on stream 0": (PROTOCOL_ERROR, raw((RST_STREAM, 0, 0, u32(0)))),
    "6.4 RST_STREAM of another length": (FRAME_SIZE_ERROR, raw((RST_STREAM, 0, None, bytes(3)))),
    "6.5 SETTINGS on a stream": (PROTOCOL_ERROR, raw((SETTINGS, 0, None, b""))),
    "6.5 an acknowledgement with content": (FRAME_SIZE_ERROR, raw((SETTINGS, ACK, 0, bytes(6)))),
    "6.5 SETTINGS that end in the middle": (FRAME_SIZE_ERROR, raw((SETTINGS, 0, 0, bytes(5)))),
    "6.5.2 INITIAL_WINDOW_SIZE of 2^31": (FLOW_CONTROL_ERROR, lambda p, s: p.send(settings((INITIAL_WINDOW, 1 << 31)))),
    "6.5.2 MAX_FRAME_SIZE below 2^14": (PROTOCOL_ERROR, lambda p, s: p.send(settings((MAX_FRAME, 100)))),
    "6.7 PING on a stream": (PROTOCOL_ERROR, raw((PING, 0, None, bytes(8)))),
    "6.7 PING of another length": (FRAME_SIZE_ERROR, raw((PING, 0, 0, bytes(7)))),
    "6.8 GOAWAY on a stream": (PROTOCOL_ERROR, raw((GOAWAY, 0, None, bytes(8)))),
    "6.8 GOAWAY too short": (FRAME_SIZE_ERROR, raw((GOAWAY, 0, 0, bytes(7)))),
    "6.9 WINDOW_UPDATE by 0 on the connection": (PROTOCOL_ERROR, raw((WINDOW_UPDATE, 0, 0, u32(0)))),
    "6.9 WINDOW_UPDATE of another length": (FRAME_SIZE_ERROR, raw((WINDOW_UPDATE, 0, None, bytes(5)))),
    "6.10 CONTINUATION without HEADERS": (PROTOCOL_ERROR, raw((CONTINUATION, END_HEADERS, None, b"\x88"))),
    "8441 3 ENABLE_CONNECT_PROTOCOL that is taken back": (PROTOCOL_ERROR, lambda p, s: p.send(
        settings((8, 1)) + settings((8, 0)))),
    "8441 :protocol in a response": (None, answer((":protocol", "websocket"))),
    "8.1.1 content-length below the DATA": (None, lambda p, s: (
        p.headers(s, OK + [("content-length", "1")], end=False), p.data(s, b"xx", end=True))),
    "8.1.1 two content-lengths": (None, answer(("content-length", "0"), ("content-length", "1"))),
    "8.2.1 a name with a space": (None, answer(("a b", "1"))),
    "8.2.1 a value with NUL": (None, answer(("x-y", "1\0"))),
    "8.2.1 a value that ends with a space": (None, answer(("x-y", "1 "))),
    "8.2.2 upgrade": (None, answer(("upgrade", "h2c"))),
    "8.3 an unknown pseudo-header": (None, answer((":x", "1"))),
    "8.3 a pseudo-header behind a field": (None, lambda p, s: p.headers(s, [("a", "b"), (":status", "200")])),
    "8.1 DATA before HEADERS": (None, raw((DATA, END_STREAM, None, b"x"))),
    "8.1 an informational head that ends": (None, answer(status="103")),
    "8.1 101": (None, answer(status="101", end=False)),
    "8.2.1 a value with CR LF": (None, answer(("x-y", "a\r\nb: c"))),
    "8.2.2 connection": (None, answer(("connection", "close"))),
    "8.2.2 transfer-encoding": (None, answer(("transfer-encoding", "chunked"))),
    "8.2 a name in upper case": (None, answer(("X-Y", "a"))),
    "8.3 no :status": (None, lambda p, s: p.headers(s, [("x-y", "a")])),
    "8.3 :status twice": (None, answer((":status", "200"))),
    "8.3 :path in a response": (None, answer((":path", "/"))),
    "8.3.2 a status of letters": (None, answer(status="abc")),
    "8.3.2 a status of 99": (None, answer(status="099")),
    "8.1.1 content-length without DATA": (None, answer(("content-length", "5"))),
    "a head above the limit": (None, lambda p, s: big_head(p, s)),
    "6.9 WINDOW_UPDATE by 0 on the stream": (None, raw((WINDOW_UPDATE, 0, None, u32(0)))),
    "7540 5.3.1 depends on itself": (None, lambda p, s: p.send(frame(
        HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, s, u32(s) + b"\1\x88"))),
    "a flood of informational heads": (None, lambda p, s: [p.headers(s, [(":status", "103")], end=False) for _ in range(100)]),
}


def big_head(p, s):
    p.headers_cut(s, OK + [(f"x-{i}", "v" * 700) for i in range(99)], end=False)


@pytest.mark.parametrize("name", CASES)
def test_rule(name, bench):
    code, act = CASES[name]
    seen = {}

    def script(peer):
        peer.begin()
        stream = peer.request()
        try:
            act(peer, stream)
            while True:
                got = peer.frame()
                if got.kind == GOAWAY:
                    seen["goaway"] = got.code
                elif got.kind == RST_STREAM and got.stream == stream:
                    seen["reset"] = got.code
                elif got.kind == HEADERS:  # another try: the connection is in use still
                    peer.reply(got.stream, b"again")
        except OSError:
            pass

    backend = bench.backend(script)
    with bench.h2() as client:
        first = client.get(backend.host)
        assert first.status in (502, 503) or first.reset is not None or "behind END_STREAM" in name, first.status
        if code is None:
            second = client.get(backend.host)
            assert second.body == b"again" and len(backend.peers) == 1
        client.alive()
    assert not backend.faults, backend.faults
    if code is None:
        wait_until("RST_STREAM", lambda: "reset" in seen)
    else:
        assert wait_until("GOAWAY", lambda: "goaway" in seen) and seen["goaway"] == code


@pytest.mark.parametrize("name, octets", [
    ("HTTP/1", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    ("nothing", b""), ("zeroes", bytes(100)), ("PING first", frame(PING, 0, 0, bytes(8)))])
def test_a_backend_without_http_2(bench, name, octets):
    def script(peer):
        peer.take(24)
        peer.send(octets)
        if octets:
            peer.take_all()

    backend = bench.backend(script)
    with bench.h2() as client:
        assert client.get(backend.host).status in (502, 503)


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_backend_leaves_at_each_octet(bench, how):
    """503 before a whole head, then a stream that is reset, and nothing is missed behind the last octet."""
    head = frame(HEADERS, 4, 1, b"\x88")  # :status 200, in a connection's first stream
    octets = head + frame(DATA, 0, 1, b"hel") + frame(DATA, END_STREAM, 1, b"lo")
    cut = [0]

    def script(peer):
        peer.begin()
        peer.request()
        peer.send(octets[:cut[0]])
        if how == "fin":
            peer.shut()
        else:
            time.sleep(0.02)  # let the octets out before the reset overtakes them
            peer.rst()

    backend = bench.backend(script)
    for cut[0] in range(len(octets) + 1):
        with bench.h2() as client:
            answer = client.get(backend.host, f"/{cut[0]}")
            if cut[0] < len(head):
                assert (answer.status, answer.reset) == (503, None), cut
            elif cut[0] < len(octets):
                assert answer.status == 200 and answer.reset is not None, cut
            else:
                assert (answer.status, answer.reset, bytes(answer.body)) == (200, None, b"hello")


def test_an_answer_that_breaks_off_is_never_whole(bench):
    def script(peer):
        peer.begin()
        for i in range(4):
            stream = peer.request()
            peer.headers(stream, OK + ([("content-length", "100")] if i == 3 else []), end=False)
            peer.data(stream, b"half")
            if i == 0:
                peer.send(frame(RST_STREAM, 0, stream, u32(INTERNAL_ERROR)))
            elif i == 1:
                peer.send(frame(RST_STREAM, 0, stream, u32(NO_ERROR)))
            elif i == 2:
                peer.headers(stream, [("x-sum", "1")], end=False)  # trailers that do not end it
            else:
                peer.send(frame(DATA, END_STREAM, stream))

    backend = bench.backend(script)
    with bench.h2() as client:
        for _ in range(2):
            assert client.get(backend.host).reset is not None
    for _ in range(2):
        with bench.client() as client:  # HTTP/1: no last chunk
            client.send(request(backend.host))
            try:
                answer = client.answer()
                assert answer.get("content-length") == "100" and len(answer.body) < 100, answer.raw
            except (Gone, OSError, AssertionError):
                pass
            assert not bytes(client.got).endswith(b"0\r\n\r\n")


def test_early_answers_do_not_wear_a_connection_out(bench):
    """Each ends with RST_STREAM(NO_ERROR): legal, and no flood."""
    def script(peer):
        peer.begin()
        while True:
            stream = peer.request()
            peer.reply(stream, b"early")
            peer.send(frame(RST_STREAM, 0, stream, u32(NO_ERROR)))

    backend = bench.backend(script)
    with bench.h2() as client:
        for _ in range(250):
            stream = client.request(backend.host, "POST", "/", end=False)
            while not (client.answers.get(stream) and client.answers[stream].body):
                client.frame()
            assert client.answers[stream].body == b"early"
    assert len(backend.peers) == 1


def test_data_behind_a_reset_is_counted_for_the_connection(bench):
    """128 resets with DATA under way: none is an error, and the window comes back."""
    def script(peer):
        peer.begin()
        for _ in range(128):
            stream = peer.request()
            peer.headers(stream, OK, end=False)
            peer.data_some(stream, bytes(16384))
            peer.wait(RST_STREAM, stream)
            for _ in range(3):
                peer.data_some(stream, bytes(16384))
        peer.reply(peer.request(), b"done")

    backend = bench.backend(script)
    with bench.h2() as client:
        for i in range(128):
            stream = client.request(backend.host)
            client.head(stream)
            client.send(frame(RST_STREAM, 0, stream, u32(CANCEL)))
            if i % 3 == 0:
                client.get("nobody.test")
                client.get("nobody.test")
                client.get("nobody.test")
        assert client.get(backend.host).body == b"done"
    assert not backend.faults and len(backend.peers) == 1
