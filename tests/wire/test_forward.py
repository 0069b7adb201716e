"""Requests and responses come through octet by octet, whatever way they are framed."""
import hashlib
import os
import threading
import time

import pytest

from wire import HELD, Gone, request, steady

# Sent by the gateway itself; everything else must be as the client sent it, in its order.
OWN = {"x-forwarded-for", "x-forwarded-proto", "x-request-id", "x-envoy-attempt-count", "x-envoy-internal",
       "x-envoy-external-address", "x-envoy-decorator-operation", "x-envoy-peer-metadata",
       "x-envoy-peer-metadata-id", "transfer-encoding", "content-length", "traceparent", "tracestate",
       "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled"}
# ... and on responses.
OWN_RESPONSE = {"server", "date", "x-envoy-upstream-service-time", "transfer-encoding", "content-length",
                "connection", "x-envoy-decorator-operation", "x-envoy-peer-metadata", "x-envoy-peer-metadata-id"}


def others(headers, own):
    return [one for one in headers if one[0] not in own]


def in_chunks(body, *sizes, trailers=""):
    octets, at = b"", 0
    for size in sizes:
        octets += b"%x\r\n%s\r\n" % (size, body[at:at + size])
        at += size
    assert at == len(body)
    return octets + f"0\r\n{trailers}\r\n".encode()


# ---- requests ----

def test_a_request_arrives_with_its_headers_in_order(client, backend):
    client.send(request(backend.host, path="/p?q=1", headers="Accept: */*\r\nX-Z: 1\r\nX-A: 2\r\nX-z: 3\r\n"
                        "User-Agent: t\r\nCookie: a=b\r\nCookie: c=d\r\n"))
    assert client.answer().status == 200
    got = backend.requests[0]
    assert got.first == "GET /p?q=1 HTTP/1.1"
    assert others(got.headers, OWN) == [
        ("host", backend.host), ("accept", "*/*"), ("x-z", "1"), ("x-a", "2"), ("x-z", "3"),
        ("user-agent", "t"), ("cookie", "a=b"), ("cookie", "c=d")]
    assert not got.all("content-length") and not got.all("transfer-encoding")


def test_header_names_go_out_in_lower_case(client, backend):
    client.send(request(backend.host, headers="X-MiXed: Value\r\n"))
    client.answer()
    assert b"\r\nx-mixed: Value\r\n" in backend.got


@pytest.mark.parametrize("size", [1, 5, 1000, 16384, 16385, 300000])
def test_a_body_with_a_length_arrives_as_it_is(client, backend, size):
    body = os.urandom(size)
    client.send(request(backend.host, "POST", headers=f"Content-Length: {size}\r\n", body=body))
    assert client.answer().status == 200
    got = backend.requests[0]
    assert got.body == body
    assert got.get("content-length") == str(size)


def test_a_post_of_length_zero_keeps_its_length(client, backend):
    client.send(request(backend.host, "POST", headers="Content-Length: 0\r\n"))
    assert client.answer().status == 200
    assert backend.requests[0].get("content-length") == "0"


@pytest.mark.parametrize("sizes", [(), (1,), (5, 1, 10), (16384, 16384), (100000,)])
def test_a_chunked_body_arrives_as_it_is(client, backend, sizes):
    body = os.urandom(sum(sizes))
    client.send(request(backend.host, "POST", headers="Transfer-Encoding: chunked\r\n", body=in_chunks(body, *sizes)))
    assert client.answer().status == 200
    got = backend.requests[0]
    assert got.body == body
    assert got.get("transfer-encoding") == "chunked"


def test_a_chunked_body_octet_by_octet(client, backend):
    octets = request(backend.host, "POST", headers="Transfer-Encoding: CHUNKED\r\n",
                     body=in_chunks(b"hello world", 5, 6, trailers="X-Sum: 1\r\n").replace(b"5\r\n", b"5;a=b\r\n", 1))
    client.send_slowly(octets)
    assert client.answer().status == 200
    assert backend.requests[0].body == b"hello world"


def test_request_trailers_arrive(client, backend):
    client.send(request(backend.host, "POST", headers="Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n",
                        body=in_chunks(b"hello", 5, trailers="X-Sum: abc\r\nGrpc-Status: 0\r\n")))
    assert client.answer().status == 200
    assert backend.requests[0].trailers == [("x-sum", "abc"), ("grpc-status", "0")]


def test_forbidden_trailers_do_not_arrive(client, backend):
    client.send(request(backend.host, "POST", headers="Transfer-Encoding: chunked\r\n", body=in_chunks(
        b"hello", 5, trailers="Content-Length: 9\r\nHost: y\r\nX-Ok: 1\r\nTransfer-Encoding: chunked\r\n")))
    assert client.answer().status == 200
    assert backend.requests[0].trailers == [("x-ok", "1")]


def test_hop_by_hop_headers_stay_behind(client, backend):
    client.send(request(backend.host, headers="Connection: keep-alive, X-Secret, x-other\r\nX-Secret: 1\r\nX-Other: 2\r\n"
                        "X-Kept: 3\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers, gzip\r\n"))
    assert client.answer().status == 200
    got = backend.requests[0]
    assert got.get("x-kept") == "3"
    for name in ("x-secret", "x-other", "keep-alive", "proxy-connection", "connection"):
        assert not got.all(name), name
    assert got.get("te") in (None, "trailers")


def test_what_a_client_may_not_say_is_replaced_or_removed(client, backend):
    said = {"x-forwarded-proto": "https", "x-request-id": "from-client", "x-envoy-retry-on": "5xx",
            "x-envoy-max-retries": "9", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-expected-rq-timeout-ms": "1",
            "x-envoy-original-path": "/admin", "x-envoy-internal": "spoofed", "x-envoy-decorator-operation": "spoofed",
            "x-envoy-attempt-count": "7", "x-envoy-external-address": "spoofed", "x-forwarded-client-cert": "By=spoofed",
            "x-envoy-peer-metadata": "spoofed", "x-envoy-peer-metadata-id": "spoofed"}
    client.send(request(backend.host, headers="".join(f"{k}: {v}\r\n" for k, v in said.items())))
    assert client.answer().status == 200
    got = backend.requests[0]
    assert got.get("x-forwarded-proto") == "http"
    assert len(got.get("x-request-id")) == 36
    for name, value in said.items():
        assert value not in got.all(name), name
    for name in ("x-envoy-retry-on", "x-envoy-max-retries", "x-envoy-original-path", "x-forwarded-client-cert"):
        assert not got.all(name), name


def test_x_forwarded_for_is_appended_to(client, backend):
    client.send(request(backend.host))
    client.answer()
    client.send(request(backend.host, headers="X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"))
    client.answer()
    seen = [",".join(r.all("x-forwarded-for")).replace(" ", "") for r in backend.requests]
    assert seen == ["127.0.0.1", "192.0.2.1,192.0.2.2,127.0.0.1"]


def test_expect_100_continue_is_answered_here_and_forwarded(client, backend):
    client.send(request(backend.host, "POST", headers="Content-Length: 5\r\nExpect: 100-continue\r\n"))
    assert client.take_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hello")
    assert client.answer().status == 200
    assert backend.requests[0].body == b"hello"
    assert backend.requests[0].get("expect") == "100-continue"


def test_a_backends_own_100_continue_comes_once(client, backend):
    def script(peer):
        head = peer.head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert peer.take(int(head.get("content-length"))) == b"hello"
        peer.reply(b"done")

    backend.script = script
    client.send(request(backend.host, "POST", headers="Content-Length: 5\r\nExpect: 100-continue\r\n"))
    assert client.take_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hello")
    assert client.answer().body == b"done"


# ---- responses ----

def answering(raw, close=False):
    def script(peer):
        while True:
            peer.request()
            peer.send(raw)
            if close:
                return
    return script


def test_a_response_arrives_with_its_headers_in_order(client, backend):
    backend.script = answering(b"HTTP/1.1 200 Fine\r\nX-B: 1\r\nX-A: 2\r\nServer: theirs\r\nx-b: 3\r\nSet-Cookie: a=b\r\n"
                               b"Set-Cookie: c=d\r\nContent-Length: 2\r\n\r\nhi")
    client.send(request(backend.host))
    answer = client.answer()
    assert answer.status == 200 and answer.body == b"hi"
    assert others(answer.headers, OWN_RESPONSE) == [("x-b", "1"), ("x-a", "2"), ("x-b", "3"), ("set-cookie", "a=b"),
                                                    ("set-cookie", "c=d")]
    assert answer.get("server") == "istio-envoy"
    assert answer.get("date")
    assert answer.get("x-envoy-upstream-service-time").isdigit()
    assert answer.get("content-length") == "2"


@pytest.mark.parametrize("sizes", [(1,), (5, 1, 10), (70000, 3)])
def test_a_chunked_response_arrives_as_it_is(client, backend, sizes):
    body = os.urandom(sum(sizes))
    backend.script = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(body, *sizes))
    for _ in range(2):
        client.send(request(backend.host))
        answer = client.answer()
        assert answer.body == body and answer.get("transfer-encoding") == "chunked"
    assert len(backend.peers) == 1


def test_response_trailers_arrive(client, backend):
    backend.script = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n" +
                               in_chunks(b"hello", 5, trailers="X-Sum: abc\r\nx-b: \r\n"))
    client.send(request(backend.host, headers="TE: trailers\r\n"))
    answer = client.answer()
    assert answer.body == b"hello"
    assert answer.trailers == [("x-sum", "abc"), ("x-b", "")]


def test_a_response_until_close_is_chunked_for_the_client(client, backend):
    backend.script = answering(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello", close=True)
    for _ in range(2):
        client.send(request(backend.host))
        answer = client.answer()
        assert answer.body == b"hello" and answer.get("transfer-encoding") == "chunked"
    assert len(backend.peers) == 2


@pytest.mark.parametrize("head, length", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "1234"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0"),
])
def test_head_has_a_head_alone(client, backend, head, length):
    backend.script = answering(head)
    for _ in range(2):
        client.send(request(backend.host, "HEAD"))
        answer = client.answer("HEAD")
        assert answer.status == 200
        assert answer.get("content-length") == length
    assert client.is_quiet()
    assert len(backend.peers) == 1, "the connection was clean and is used again"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_statuses_without_a_body(client, backend, status):
    backend.script = answering(f"HTTP/1.1 {status}\r\nETag: \"x\"\r\n\r\n".encode())
    for _ in range(2):
        client.send(request(backend.host))
        answer = client.answer()
        assert f"{answer.status}" == status[:3]
        assert answer.get("etag") == '"x"' and not answer.all("transfer-encoding")
    assert client.is_quiet()


def test_early_hints_pass_before_the_response(client, backend):
    backend.script = answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    client.send(request(backend.host))
    first = client.answer()
    if first.status == 103:
        assert first.get("link") == "</a>"
        first = client.answer()
    assert first.status == 200 and first.body == b"hi"


def test_hop_by_hop_headers_of_a_response_stay_behind(client, backend):
    backend.script = answering(b"HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nX-Kept: 2\r\n"
                               b"Content-Length: 0\r\n\r\n")
    client.send(request(backend.host))
    answer = client.answer()
    assert answer.get("x-kept") == "2"
    assert not answer.all("x-hop") and not answer.all("keep-alive")


# ---- connections ----

def test_connections_are_kept_on_both_sides(client, backend):
    for n in range(1, 6):
        client.send(request(backend.host, path=f"/{n}"))
        answer = client.answer()
        assert answer.body == b"%d" % n and not answer.all("connection")
    assert len(backend.peers) == 1


def test_pipelined_requests_are_answered_in_order(client, backend):
    def script(peer):
        while True:
            path = peer.request().path
            time.sleep(0.05 if path == "/1" else 0)
            peer.reply(path.encode())

    backend.script = script
    client.send(b"".join(request(backend.host, path=f"/{n}") for n in range(1, 9)))
    assert [client.answer().body for _ in range(8)] == [b"/%d" % n for n in range(1, 9)]


def test_pipelined_requests_with_bodies_keep_apart(client, backend):
    def script(peer):
        while True:
            peer.reply(peer.request().body)

    backend.script = script
    client.send(request(backend.host, "POST", headers="Content-Length: 3\r\n", body=b"one") +
                request(backend.host, "POST", headers="Transfer-Encoding: chunked\r\n", body=in_chunks(b"two", 1, 2)) +
                request(backend.host))
    assert [client.answer().body for _ in range(3)] == [b"one", b"two", b""]


def test_connection_close_is_obeyed(client, backend):
    client.send(request(backend.host, headers="Connection: close\r\n") + request(backend.host, path="/never"))
    answer = client.answer()
    assert answer.status == 200 and answer.get("connection") == "close"
    assert client.is_closed()
    assert [r.path for r in backend.requests] == ["/"]


def test_a_backends_connection_close_is_its_own(client, backend):
    backend.script = answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", close=True)
    for _ in range(2):
        client.send(request(backend.host))
        answer = client.answer()
        assert answer.body == b"hi" and not answer.all("connection")
    assert len(backend.peers) == 2


def test_a_half_closed_client_gets_its_answer(client, backend):
    def script(peer):
        peer.request()
        time.sleep(0.2)
        peer.reply(b"late")

    backend.script = script
    client.send(request(backend.host)).shut()
    assert client.answer().body == b"late"
    assert client.is_closed()


def test_a_half_closed_client_gets_all_its_pipelined_answers(client, backend):
    client.send(request(backend.host) * 3).shut()
    assert [client.answer().body for _ in range(3)] == [b"1", b"2", b"3"]
    assert client.is_closed()


@pytest.mark.parametrize("tail", ["GET /2 HTTP/1.1\r\nHos", "POST /2 HTTP/1.1\r\nHost: {h}\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_half_request_before_a_fin_is_no_request(client, backend, tail):
    client.send(request(backend.host) + tail.replace("{h}", backend.host).encode()).shut()
    assert client.answer().body == b"1"
    assert client.take_all() == b""
    assert [r.path for r in backend.requests] == ["/"]


def test_http_1_0_is_served_and_closed(client, backend):
    client.send(f"GET / HTTP/1.0\r\nHost: {backend.host}\r\n\r\n".encode())
    answer = client.answer()
    assert answer.body == b"1"
    assert client.is_closed()
    assert backend.requests[0].first == "GET / HTTP/1.1"


def test_http_1_0_may_keep_its_connection(client, backend):
    for n in (b"1", b"2"):
        client.send(f"GET / HTTP/1.0\r\nHost: {backend.host}\r\nConnection: keep-alive\r\n\r\n".encode())
        answer = client.answer()
        assert answer.body == n and answer.get("connection").lower() == "keep-alive"


def test_http_1_0_gets_no_chunks(client, backend):
    backend.script = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(b"hello", 2, 3))
    client.send(f"GET / HTTP/1.0\r\nHost: {backend.host}\r\nConnection: keep-alive\r\n\r\n".encode())
    answer = client.answer()
    assert not answer.all("transfer-encoding")
    assert answer.body == b"hello"
    assert answer.get("content-length") == "5" or client.is_closed()


def test_http_1_0_gets_a_body_that_comes_late_until_close(client, backend):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        time.sleep(0.1)
        peer.send(b"5\r\nworld\r\n0\r\n\r\n")

    backend.script = script
    client.send(f"GET / HTTP/1.0\r\nHost: {backend.host}\r\nConnection: keep-alive\r\n\r\n".encode())
    answer = client.answer()
    assert answer.body == b"helloworld" and not answer.all("transfer-encoding")
    assert answer.get("connection") == "close" and client.is_closed()


def test_a_backend_that_speaks_http_1_0(client, backend):
    backend.script = answering(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", close=True)
    for _ in range(2):
        client.send(request(backend.host))
        assert client.answer().body == b"hi"
    assert len(backend.peers) == 2


# ---- flow ----

@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_eight_mebibytes_each_way(client, backend, framing):
    body = os.urandom(8 << 20)

    def script(peer):
        got = peer.request().body
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(got, len(got) // 2, len(got) - len(got) // 2))

    backend.script = script
    if framing == "length":
        octets = request(backend.host, "PUT", headers=f"Content-Length: {len(body)}\r\n", body=body)
    else:
        octets = request(backend.host, "PUT", headers="Transfer-Encoding: chunked\r\n",
                         body=in_chunks(body, *[65536] * 128))
    sender = threading.Thread(target=client.send, args=(octets,))
    sender.start()
    answer = client.answer()
    sender.join()
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()


def test_a_slow_reader_holds_the_backend_back(bench, backend):
    total, sent = (HELD >> 20) + 16 << 20, []

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        block, done = b"x" * 65536, 0
        while done < total:
            peer.send(block)
            done += len(block)
            sent.append(done)

    backend.script = script
    with bench.client() as client:
        client.send(request(backend.host))
        client.take_until(b"\r\n\r\n")
        assert steady(lambda: sent[-1] if sent else None) < HELD, "more than buffers and sockets hold"
        got = len(client.got) - client.at
        while got < total:
            octets = client.sock.recv(1 << 20)
            assert octets, "ended early"
            got += len(octets)
        assert got == total


def test_a_slow_backend_holds_the_client_back(bench, backend):
    go = threading.Event()

    def script(peer):
        head = peer.head()
        go.wait(100)
        peer.take(int(head.get("content-length")))
        peer.reply(b"all")

    backend.script = script
    total, sent = (HELD >> 20) + 16 << 20, [0]
    with bench.client() as client:
        client.send(request(backend.host, "PUT", headers=f"Content-Length: {total}\r\n"))

        def push():
            block = b"x" * 65536
            for _ in range(total // len(block)):
                client.send(block)
                sent[0] += len(block)

        sender = threading.Thread(target=push)
        sender.start()
        assert steady(lambda: sent[0] or None) < HELD
        go.set()
        assert client.answer().body == b"all"
        sender.join()


def test_octets_are_passed_on_as_they_come(client, backend):
    """A chunk is not held back until more arrives, either way."""
    steps = [threading.Event() for _ in range(2)]

    def script(peer):
        peer.head()
        assert peer.take_until(b"first\r\n")
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        steps[0].set()
        assert steps[1].wait(10)
        peer.take_until(b"0\r\n\r\n")
        peer.send(b"3\r\ntwo\r\n0\r\n\r\n")

    backend.script = script
    client.send(request(backend.host, "POST", headers="Transfer-Encoding: chunked\r\n", body=b"5\r\nfirst\r\n"))
    assert steps[0].wait(10)
    client.take_until(b"one\r\n")
    steps[1].set()
    client.send(b"0\r\n\r\n")
    client.take_until(b"two\r\n0\r\n\r\n")


def test_a_response_before_the_request_ends(client, backend):
    """An early answer reaches a client that is still sending."""
    def script(peer):
        peer.head()
        peer.reply(b"no", "403 Forbidden", "connection: close\r\n")
        try:
            peer.take_all()
        except Gone:
            pass

    backend.script = script
    client.send(request(backend.host, "POST", headers="Content-Length: 100000\r\n", body=b"x" * 1000))
    answer = client.answer()
    assert answer.status == 403 and answer.body == b"no"
