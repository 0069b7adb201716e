"""Either side leaves at each octet of an exchange, in order or by reset. The other side must
see what is true: all of it, a truncation, or an error of the gateway; and nothing may be left.
"""
import re
import time

import pytest

from wire import Gone, request, serve, wait_until

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"


def outcome(client):
    """(status, body, whole) of what the client got, whatever way it ended."""
    try:
        answer = client.answer()
        return answer.status, answer.body, True
    except (Gone, AssertionError):
        got = bytes(client.got)
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", got)
        return int(found[1]) if found else None, got.split(b"\r\n\r\n", 1)[-1], False


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("response", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_a_backend_leaves_at_each_octet(bench, backend, response, how):
    cut = [0]

    def script(peer):
        peer.request()
        peer.send(response[:cut[0]])
        if how == "rst":
            time.sleep(0.02)  # let the octets out before the reset overtakes them
            peer.rst()

    backend.script = script
    head = response.index(b"\r\n\r\n") + 4
    for n in range(len(response) + 1):
        cut[0] = n
        with bench.client() as client:
            client.send(request(backend.host, path=f"/{n}"))
            status, body, whole = outcome(client)
        if n < head:
            assert (status, whole) == (503, True), n
        elif n < len(response):
            assert (status, whole) == (200, False), n
            assert not body.endswith(b"0\r\n\r\n"), n
        else:
            assert (status, body, whole) == (200, b"hello", True)


REQUEST = "POST /r HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"


@pytest.mark.parametrize("how", ["fin", "rst", "close"])
def test_a_client_leaves_at_each_octet(bench, backend, how):
    octets = REQUEST.replace("{h}", backend.host).encode()
    for n in range(len(octets)):
        client = bench.client()
        client.send(octets[:n])
        if n % 3 == 0:
            time.sleep(0.005)
        if how == "rst":
            client.rst()
        elif how == "close":
            client.close()
        else:
            client.shut()
            assert client.take_all() == b""
            client.close()
    with bench.client() as client:
        client.send(octets)
        assert client.answer().status == 200
    assert len(backend.requests) == 1
    wait_until("no other connection to the backend is left",
               lambda: sum(peer.sock.fileno() >= 0 for peer in backend.peers) <= 1)


@pytest.mark.parametrize("how", ["rst", "close"])
def test_a_client_leaves_at_each_octet_of_the_response(bench, backend, how):
    body = b"x" * 2000

    def script(peer):
        while True:
            peer.request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n")
            for at in range(0, 2000, 500):
                peer.send(body[at:at + 500])
                time.sleep(0.002)

    backend.script = script
    for n in range(0, 2000, 50):
        client = bench.client()
        client.send(request(backend.host))
        client.take(max(n, 1))
        client.rst() if how == "rst" else client.close()
    backend.script = serve
    with bench.client() as client:
        client.send(request(backend.host))
        assert client.answer().status == 200


def test_nothing_is_left_behind(bench, client, backend):
    """After all that the gateway counts this test's connection alone."""
    client.send(request(backend.host))
    assert client.answer().status == 200

    def active():
        found = re.search(r"downstream_cx_active\S*[: ]+(\d+)", bench.lateen.admin("/stats").text)
        return found and int(found[1])

    if active() is None:
        pytest.skip("no such counter on /stats")
    wait_until("one connection is left", lambda: active() == 1)
