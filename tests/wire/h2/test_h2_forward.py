"""Requests over HTTP/2 on either side, or both, as they leave on the other."""
import re
import threading
import time

import pytest
from frames import *  # noqa: F403
from wire import PATIENCE, Gone, read_body, request, wait_until

BIG = bytes(range(256)) * 16384  # 4 MiB


def drain(peer, stream):
    """Reads a request's body to its end."""
    return peer.answer(stream).body


def test_a_get_reaches_an_http_1_backend_without_a_body(client, plain):
    assert client.get(plain.host).body == b"1"
    request = plain.requests[0]
    assert request.method == "GET" and request.get("transfer-encoding") is None
    assert request.get("content-length") is None and request.get("host") == plain.host
    assert not [name for name, _ in request.headers if name.startswith(":")]


def test_a_get_reaches_an_http_2_backend(client, backend):
    assert client.get(backend.host, "/a?b=c").body == b"1"
    head = dict(backend.peers[0].answers[1].headers)
    assert (head[":method"], head[":path"], head[":authority"]) == ("GET", "/a?b=c", backend.host)
    assert head[":scheme"] == client.scheme and "host" not in head


def test_http_1_reaches_an_http_2_backend(bench, backend):
    with bench.client() as client:
        client.send(request(backend.host, "POST", "/x", "Content-Length: 5\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n", b"hello"))
        answer = client.answer()
    assert answer.status == 200 and answer.body == b"1"
    got = backend.peers[0].answers[1]
    assert got.body == b"hello" and dict(got.headers)["content-length"] == "5"
    assert not {"connection", "x-hop", "transfer-encoding", "host"} & set(dict(got.headers))


@pytest.mark.parametrize("kind", ["h1", "h2"])
def test_megabytes_go_up_and_down_under_flow_control(client, bench, kind):
    def one(peer):
        request = peer.request()
        peer.reply(request.body)

    def two(peer):
        peer.begin()
        stream = peer.request()
        body = peer.answer(stream).body
        peer.headers(stream, [(":status", "200")], end=False)
        peer.data_all(stream, body)

    backend = bench.plain_backend(one) if kind == "h1" else bench.backend(two)
    stream = client.request(backend.host, "POST", "/up", end=False)
    client.data_all(stream, BIG)
    answer = client.answer(stream)
    assert answer.status == 200 and answer.body == BIG
    assert not backend.faults, backend.faults


def test_trailers_pass_both_ways(client, bench):
    def script(peer):
        peer.begin()
        stream = peer.request()
        got = peer.answer(stream)
        assert got.trailers == [("x-sum", "abc")], got.trailers
        peer.reply(stream, b"body", "200", ("content-type", "application/grpc"),
                   trailers=[("grpc-status", "0"), ("grpc-message", "fine")])

    backend = bench.backend(script)
    stream = client.request(backend.host, "POST", "/svc/Method", ("te", "trailers"), end=False, body=b"hello")
    client.headers(stream, [("x-sum", "abc")])
    answer = client.answer(stream)
    assert answer.body == b"body" and answer.trailers == [("grpc-status", "0"), ("grpc-message", "fine")]
    assert dict(backend.peers[0].answers[1].headers)["te"] == "trailers"
    assert not backend.faults, backend.faults


def test_an_answer_of_trailers_alone_passes(client, bench):
    def script(peer):
        peer.begin()
        peer.reply(peer.request(), b"", "200", ("grpc-status", "12"))

    backend = bench.backend(script)
    answer = client.get(backend.host)
    assert answer.get("grpc-status") == "12" and answer.body == b"" and answer.trailers is None


def test_many_streams_share_one_connection_upstream(client, bench):
    def script(peer):
        peer.begin()
        streams = [peer.request() for _ in range(20)]
        for stream in reversed(streams):
            peer.reply(stream, b"%d" % stream)

    backend = bench.backend(script)
    streams = [client.request(backend.host, "GET", f"/{i}") for i in range(20)]
    assert all(client.answer(s).status == 200 for s in streams)
    assert len(backend.peers) == 1


def test_the_backends_stream_limit_is_kept_without_loss(client, bench):
    def script(peer):
        peer.begin((MAX_STREAMS, 2))
        while not peer.wait(SETTINGS).flags & ACK:
            pass
        waiting = [stream for stream in peer.answers]
        while True:
            if peer.is_quiet(0.05):
                while waiting:
                    peer.reply(waiting.pop(0), b"x")
            got = peer.frame()
            if got.kind == HEADERS:
                waiting.append(got.stream)
                assert len(waiting) <= 2

    backend = bench.backend(script)
    streams = [client.request(backend.host, "GET", f"/{i}") for i in range(10)]
    assert [client.answer(s).status for s in streams] == [200] * 10
    assert not backend.faults, backend.faults


def test_a_refused_stream_is_sent_again(client, bench):
    seen = []

    def script(peer):
        peer.begin()
        while True:
            stream = peer.request()
            seen.append(stream)
            if len(seen) == 1:
                peer.send(frame(RST_STREAM, 0, stream, u32(REFUSED_STREAM)))
            else:
                peer.answer(stream)
                peer.reply(stream, b"again")

    backend = bench.backend(script)
    stream = client.request(backend.host, "POST", "/", body=b"once")
    assert client.answer(stream).body == b"again" and len(seen) == 2


def test_a_goaway_moves_what_it_did_not_cover_without_loss(client, bench):
    count = []

    def script(peer):
        count.append(peer)
        peer.begin()
        if len(count) > 1:
            while True:
                stream = peer.request()
                peer.answer(stream)
                peer.reply(stream, b"second")
        first = [peer.request() for _ in range(4)]
        peer.send(frame(GOAWAY, 0, 0, u32(first[1]) + u32(NO_ERROR)))
        for stream in first[:2]:
            peer.answer(stream)
            peer.reply(stream, b"first")
        while True:
            peer.frame()

    backend = bench.backend(script)
    streams = [client.request(backend.host, "POST", f"/{i}", body=b"x") for i in range(4)]
    answers = [client.answer(s) for s in streams]
    assert [a.status for a in answers] == [200] * 4
    assert sorted(a.body for a in answers) == [b"first"] * 2 + [b"second"] * 2
    assert len(count) == 2


def test_a_reset_of_one_stream_leaves_the_others(client, bench):
    arrived = threading.Event()

    def script(peer):
        peer.begin()
        one, two, three = (peer.request() for _ in range(3))
        arrived.set()
        got = peer.wait(RST_STREAM)
        assert got.stream == one and got.code == CANCEL
        peer.headers(two, [(":status", "200")], end=False)
        peer.send(frame(RST_STREAM, 0, two, u32(INTERNAL_ERROR)))
        peer.reply(three, b"three")
        while True:
            peer.frame()

    backend = bench.backend(script)
    one, two, three = (client.request(backend.host, "GET", f"/{i}") for i in range(3))
    assert arrived.wait(PATIENCE)
    client.send(frame(RST_STREAM, 0, one, u32(CANCEL)))
    assert client.answer(three).body == b"three"
    assert client.answer(two).reset is not None and client.answer(two).status == 200
    client.alive()


def test_a_slow_stream_does_not_stop_its_neighbours(client, plain):
    def script(peer):
        request = peer.request()
        peer.reply(b"x" * (3 << 20) if request.path == "/slow" else b"fast")

    plain.script = script
    client.window = False
    slow = client.request(plain.host, "GET", "/slow")
    client.head(slow)
    while len(client.answers[slow].body) < 65535:
        client.frame()
    client.send(frame(WINDOW_UPDATE, 0, 0, u32(1 << 20)))  # the connection's, not the stream's
    for _ in range(20):
        assert client.answer(client.request(plain.host, "GET", "/fast")).body == b"fast"
    assert len(client.answers[slow].body) == 65535
    client.window = True
    client.send(frame(WINDOW_UPDATE, 0, slow, u32(4 << 20)) + frame(WINDOW_UPDATE, 0, 0, u32(4 << 20)))
    assert len(client.answer(slow).body) == 3 << 20


def test_a_slow_stream_of_a_shared_backend_connection_does_not_stop_the_others(client, bench):
    size = 6 << 20

    def script(peer):
        peer.begin()
        slow, left = None, size
        while True:
            while slow and left and peer.has_room(slow):
                left -= peer.data_some(slow, bytes(left))
            if slow and not left:
                peer.data(slow, b"", end=True)
                slow = None
            got = peer.frame()
            if got.kind == HEADERS and dict(peer.answers[got.stream].headers)[":path"] == "/slow":
                slow = got.stream
                peer.headers(slow, [(":status", "200")], end=False)
            elif got.kind == HEADERS:
                peer.reply(got.stream, b"fast" * 10000)

    backend = bench.backend(script)
    client.window = False
    slow = client.request(backend.host, "GET", "/slow")
    client.head(slow)
    while len(client.answers[slow].body) < 65535:
        client.frame()
    for _ in range(20):
        client.send(frame(WINDOW_UPDATE, 0, 0, u32(40000)))
        assert len(client.answer(client.request(backend.host, "GET", "/fast")).body) == 40000
    assert len(client.answers[slow].body) == 65535 and len(backend.peers) == 1
    client.window = True
    client.send(frame(WINDOW_UPDATE, 0, slow, u32(1 << 20)) + frame(WINDOW_UPDATE, 0, 0, u32(1 << 20)))
    assert len(client.answer(slow).body) == size
    assert not backend.faults, backend.faults


def test_an_upload_that_nobody_reads_does_not_stop_its_neighbours(client, bench):
    go = threading.Event()

    def script(peer):
        while True:
            head = peer.head()
            if head.path == "/stuck":
                go.wait(10)
                peer.take(int(head.get("content-length")))
            else:
                read_body(peer, head)
            peer.reply(b"done")

    backend = bench.plain_backend(script)
    size = 8 << 20
    stuck = client.request(backend.host, "POST", "/stuck", ("content-length", str(size)), end=False)
    sent = 0
    while sent < size and room_comes(client, stuck):
        sent += client.data_some(stuck, b"x" * min(size - sent, 16384))
    assert sent < size and client.room[0] > 100000  # its window is closed, the connection's is not
    for _ in range(10):
        stream = client.request(backend.host, "POST", "/", end=False)
        client.data_all(stream, b"y" * 30000)
        assert client.answer(stream).status == 200
    go.set()
    client.data_all(stuck, b"x" * (size - sent))
    assert client.answer(stuck).status == 200


def room_comes(client, stream):
    """Is there window, or does some come within a while?"""
    while not client.has_room(stream) and not client.is_quiet(0.5):
        client.frame()
    return client.has_room(stream)


def test_head_and_304_have_no_body(client, plain):
    def script(peer):
        while True:
            request = peer.request()
            if request.method == "HEAD":
                peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            else:
                peer.send(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n")

    plain.script = script
    head = client.answer(client.request(plain.host, "HEAD"))
    assert head.status == 200 and head.get("content-length") == "1000" and head.body == b""
    assert client.get(plain.host).status == 304
    missing = client.answer(client.request("nobody.test" if client.scheme == "http" else plain.host, "HEAD", "/x"))
    assert missing.body == b"" and missing.ended


def test_an_early_answer_ends_the_upload_with_no_error(client, plain):
    def script(peer):
        peer.head()
        peer.reply(b"no", "403 Forbidden", "connection: close\r\n")

    plain.script = script
    stream = client.request(plain.host, "POST", "/", end=False)
    client.data(stream, b"x" * 1000)
    while client.answers.get(stream) is None or not client.answers[stream].body:
        client.frame()
    assert client.answers[stream].status == 403
    client.alive()


def test_the_backend_that_dies_in_the_middle_shows_as_a_reset(client, plain):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")

    plain.script = script
    stream = client.request(plain.host)
    answer = client.answer(stream)
    assert answer.status == 200 and answer.reset is not None and answer.body in (b"", b"half")
    client.alive()


def test_cookie_crumbs_are_joined(client, plain):
    client.get(plain.host, "/", ("cookie", "a=1"), ("x-y", "z"), ("cookie", "b=2"))
    assert plain.requests[0].all("cookie") == ["a=1; b=2"]
    client.get(plain.host, "/", *[("cookie", f"c{i}={i}") for i in range(150)])
    assert plain.requests[1].get("cookie").startswith("c0=0; c1=1; ")


def test_a_target_of_8_kib_passes_and_one_octet_more_is_414(client, plain):
    assert client.get(plain.host, "/" + "a" * 8191).status == 200
    assert client.get(plain.host, "/" + "a" * 8192).status == 414
    assert client.get(plain.host).status == 200 and len(plain.requests) == 2


def test_large_heads_are_answered_431(client, plain):
    for more in ([("x-big", "v" * 62000)], [("cookie", "v" * 1000)] * 70, [(f"x-{i}", "v") for i in range(120)]):
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        client.headers_cut(stream, fields(plain.host, "GET", "/", *more, scheme=client.scheme))
        assert client.answer(stream).status == 431
    assert client.get(plain.host).status == 200 and len(plain.requests) == 1


def test_an_answer_above_the_clients_limit_becomes_502(bench, plain):
    """SETTINGS_MAX_HEADER_LIST_SIZE: a named answer that it takes, instead of a dead stream."""
    def script(peer):
        while True:
            request = peer.request()
            large = "" if request.path == "/fine" else "x-large: " + "v" * 3000 + "\r\n"
            kind = "content-type: application/grpc\r\n" if request.path == "/grpc" else ""
            peer.reply(b"body", "200 OK", large + kind)

    plain.script = script
    with bench.h2(pairs=((MAX_LIST, 2000),)) as client:
        answer = client.get(plain.host, "/large")
        assert answer.status == 502 and answer.reset is None and answer.ended
        grpc = client.answer(client.request(plain.host, "POST", "/grpc", ("content-type", "application/grpc"), body=b""))
        assert grpc.status == 200 and grpc.get("grpc-status") == "14"
        assert client.get(plain.host, "/fine").body == b"body"
    wait_until("the reason is logged", lambda: f'"GET /large HTTP/2" 502 - http2.peer_header_overflow'
               in bench.lateen.access_log())


def test_a_request_above_the_backends_limit_becomes_431(client, bench):
    def script(peer):
        peer.begin((MAX_LIST, 2000))
        while True:
            peer.reply(peer.request(), b"fine")

    backend = bench.backend(script)
    assert client.get(backend.host).body == b"fine"  # the limit is known
    answer = client.get(backend.host, "/", ("x-large", "v" * 3000))
    assert answer.status == 431 and b"takes no head of that size" in answer.body
    assert client.get(backend.host).body == b"fine" and len(backend.peers) == 1
    stats = bench.lateen.admin("/stats").text
    assert re.search(rf"^cluster\..*{backend.host.split('.')[0]}.*\.http2\.peer_header_overflow: [1-9]", stats, re.M), stats


def test_trailers_are_counted_with_their_head(client, plain):
    for stream, head in ((1, 40000), (3, 50000)):
        client.headers_cut(stream, fields(plain.host, "POST", "/", ("x-big", "v" * head), scheme=client.scheme), end=False)
        client.headers(stream, [("x-more", "w" * 15000)])
    assert client.answer(1).status == 200
    client.rst(3, PROTOCOL_ERROR)


def test_expect_100_continue_is_answered(client, plain):
    stream = client.request(plain.host, "POST", "/", ("expect", "100-continue"), ("content-length", "5"), end=False)
    while not client.answers.get(stream) or not client.answers[stream].infos:
        client.frame()
    assert client.answers[stream].infos[0][0] == (":status", "100")
    client.data(stream, b"hello", end=True)
    assert client.answer(stream).status == 200 and plain.requests[0].body == b"hello"


def test_fin_behind_the_request_still_gets_the_answer(bench, plain):
    def script(peer):
        peer.request()
        time.sleep(0.2)
        peer.reply(b"late")

    plain.script = script
    with bench.h2() as client:
        stream = client.request(plain.host)
        client.alive().shut()
        client.send = lambda octets: client
        try:
            while not client.answers.get(stream) or not client.answers[stream].ended:
                client.frame()
        except OSError:
            pass
        assert client.answers[stream].body == b"late"
        assert client.is_closed()
