"""Backends and clients that die at each step: reliability.md 1.3 and 3.1."""
import threading
import time

import pytest

from wire import Gone, request, wait_until


def test_nobody_listens(bench, client, backend):
    backend.refuse()
    client.send(request(backend.host, path="/refused"))
    answer = client.answer()
    assert answer.status == 503
    assert b"upstream connect error" in answer.body
    assert " UF" in bench.log_line("GET /refused")
    client.send(request(backend.host))
    assert client.answer().status == 503, "the client's connection lives on"


def test_no_virtual_host(bench, client):
    client.send(request("nowhere.test", path="/nowhere"))
    answer = client.answer()
    assert answer.status == 404 and answer.body == b""
    assert " NR " in bench.log_line("GET /nowhere")


@pytest.mark.parametrize("part", ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\n"])
def test_it_dies_before_a_head(bench, client, backend, part):
    def script(peer):
        peer.request()
        peer.send(part.encode())

    backend.script = script
    client.send(request(backend.host, path=f"/dies-{len(part)}"))
    answer = client.answer()
    if answer.status == 100:
        answer = client.answer()
    assert answer.status == 503
    assert b"upstream connect error or disconnect/reset before headers" in answer.body
    assert len(backend.requests) == 1, "a fresh connection's request is not sent twice"
    assert " UC" in bench.log_line(f"GET /dies-{len(part)}")


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_it_dies_inside_a_body_with_a_length(client, backend, how):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
        time.sleep(0.2)
        if how == "rst":
            peer.rst()

    backend.script = script
    client.send(request(backend.host))
    assert b"content-length: 1000" in client.take_until(b"\r\n\r\n")
    assert client.take_all() == b"x" * 500


@pytest.mark.parametrize("part", [b"5\r\nhello\r\n", b"5\r\nhel", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\nzz\r\nxx"])
def test_it_dies_inside_a_chunked_body(client, backend, part):
    """The truncation stays visible: no last chunk, the connection ends."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + part)
        time.sleep(0.2)

    backend.script = script
    client.send(request(backend.host) + request(backend.host, path="/2"))
    client.take_until(b"\r\n\r\n")
    rest = client.take_all()
    assert b"hel" in rest and b"0\r\n\r\n" not in rest and b"HTTP/1.1" not in rest


BAD_HEADS = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "hello\r\n\r\n",
    "HTTP/1.1 200 OK\r\n" + "".join(f"x-{i}: v\r\n" for i in range(101)) + "\r\n",
    "HTTP/1.1 200 OK\r\nX: " + "a" * 65536 + "\r\n\r\n",
]


@pytest.mark.parametrize("head", BAD_HEADS, ids=range(len(BAD_HEADS)))
def test_a_response_that_cannot_be_read(client, backend, head):
    def script(peer):
        peer.request()
        peer.send(head.encode())
        peer.take_all()

    backend.script = script
    client.send(request(backend.host))
    assert client.answer().status in (502, 503)
    wait_until("the connection is not used again", lambda: backend.peers[0].sock.fileno() < 0)
    client.send(request(backend.host))
    assert client.answer().status in (502, 503)
    assert len(backend.peers) == 2


def test_a_backend_that_only_hints_is_left(client, backend):
    """Informational responses are held in memory: 32 of one response are passed on, no more."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 33 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        peer.take_all()

    backend.script = script
    client.send(request(backend.host))
    hints = 0
    while (answer := client.answer()).status == 103:
        hints += 1
    assert answer.status == 502 and hints <= 32


def test_octets_behind_a_response_are_never_anothers(client, backend):
    """A connection with octets that nobody asked for is not clean (reliability.md 7, rule 2)."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        peer.take_all()

    backend.script = script
    for _ in range(3):
        client.send(request(backend.host))
        assert client.answer().body == b"hi"
        time.sleep(0.05)
    assert len(backend.peers) == 3


@pytest.mark.parametrize("octets", (b"H", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                                    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"))
def test_what_a_pooled_connection_says_unasked_ends_it(client, backend, octets):
    def script(peer):
        peer.request()
        peer.reply(b"hi")
        time.sleep(0.05)
        peer.send(octets)
        peer.take_all()

    backend.script = script
    for _ in range(3):
        client.send(request(backend.host))
        assert client.answer().body == b"hi"
        wait_until("the connection is closed", lambda: backend.peers[-1].sock.fileno() < 0)
    assert len(backend.peers) == 3


def test_a_pooled_connection_closed_while_idle_is_not_used(bench, client, backend):
    def script(peer):
        peer.request()
        peer.reply(b"one")

    backend.script = script
    for method in ("GET", "POST", "GET"):
        client.send(request(backend.host, method, headers="Content-Length: 0\r\n"))
        assert client.answer().body == b"one"
        wait_until("the gateway knows that it is closed", lambda: bench.upstream_connections(backend) == 0)
    assert len(backend.peers) == 3


def racing(paths):
    """Serves one request; a second one on the same connection is read and answered by a reset."""
    def script(peer):
        peer.request()
        peer.reply(b"fine")
        peer.request()
        peer.rst()
    return script


def test_a_pooled_connection_reset_as_a_get_comes_is_retried(client, backend):
    backend.script = racing(None)
    client.send(request(backend.host, path="/1"))
    assert client.answer().status == 200
    client.send(request(backend.host, path="/2"))
    answer = client.answer()
    assert answer.status == 200 and answer.body == b"fine"
    assert [r.path for r in backend.requests] == ["/1", "/2", "/2"]
    assert len(backend.peers) == 2


def test_a_pooled_connection_reset_as_a_post_comes_is_not(bench, client, backend):
    backend.script = racing(None)
    client.send(request(backend.host, path="/1"))
    assert client.answer().status == 200
    client.send(request(backend.host, "POST", "/post-race", headers="Content-Length: 2\r\n", body=b"hi"))
    assert client.answer().status == 503
    assert [r.path for r in backend.requests] == ["/1", "/post-race"]
    assert " UC" in bench.log_line("POST /post-race")


def test_a_client_that_resets_its_upload_frees_the_backend(bench, backend):
    ended = threading.Event()

    def script(peer):
        peer.head()
        try:
            peer.take(100000)
        except Gone:
            ended.set()

    backend.script = script
    client = bench.client()
    client.send(request(backend.host, "POST", "/reset-upload", "Content-Length: 100000\r\n", b"x" * 100))
    wait_until("the upload begins", lambda: backend.peers and b"xxx" in backend.got)
    client.rst()
    assert ended.wait(5)
    assert not backend.requests
    assert " DC " in bench.log_line("POST /reset-upload")
    assert bench.upstream_connections(backend) == 0


def test_a_client_that_resets_a_download_frees_the_backend(bench, backend):
    ended = threading.Event()

    def script(peer):
        peer.request()
        try:
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                peer.send(b"5\r\nhello\r\n")
                time.sleep(0.01)
        except OSError:
            ended.set()

    backend.script = script
    client = bench.client()
    client.send(request(backend.host))
    client.take_until(b"hello")
    client.rst()
    assert ended.wait(5)


def test_a_client_that_stops_inside_its_body(client, backend):
    """A FIN inside a body: the request never becomes whole."""
    def script(peer):
        peer.head()
        peer.take_all()
        backend.faults += [] if peer.got.count(b"x") < 100 else ["whole"]

    backend.script = script
    client.send(request(backend.host, "POST", headers="Content-Length: 100\r\n", body=b"x" * 50)).shut()
    client.take_all()
    wait_until("the backend's connection ends", lambda: not backend.peers or backend.peers[0].sock.fileno() < 0)


def test_a_backend_that_is_silent_beyond_the_timeout(bench, client, impatient):
    def script(peer):
        peer.request()
        peer.take_all()

    impatient.script = script
    client.send(request(impatient.host, path="/silent"))
    start = time.monotonic()
    answer = client.answer()
    assert time.monotonic() - start > 0.9
    assert answer.status == 504 and answer.body == b"upstream request timeout"
    assert " UT " in bench.log_line("GET /silent")
    assert impatient.requests[0].get("x-envoy-expected-rq-timeout-ms") == "1000"
    wait_until("the backend's connection ends", lambda: impatient.peers[0].sock.fileno() < 0)
    client.send(request(impatient.host))
    assert client.answer().status == 504, "the client's connection lives on"


def test_a_response_that_stalls_beyond_the_timeout_is_truncated(client, impatient):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        peer.take_all()

    impatient.script = script
    client.send(request(impatient.host))
    client.take_until(b"hello\r\n")
    assert client.take_all() == b""


def test_a_slow_upload_does_not_count_against_the_timeout(client, impatient):
    """The time starts when the request is whole (Envoy's route timeout)."""
    client.send(request(impatient.host, "POST", headers="Content-Length: 10\r\n"))
    for _ in range(10):
        time.sleep(0.12)
        client.send(b"x")
    assert client.answer().status == 200


def test_after_all_that_the_gateway_serves(client, backend):
    client.send(request(backend.host))
    assert client.answer().status == 200
