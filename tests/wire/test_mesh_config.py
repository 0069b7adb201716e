"""What MeshConfig sets: times (408, idle), small buffers, the normal form of paths."""
import threading
import time

import pytest

from wire import GATEWAY, Backend, Bench, Manifests, request, running, steady

MESH = """---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    pathNormalization: { normalization: DECODE_AND_MERGE_SLASHES }
    defaultConfig:
      connectionSettings:
        httpRequestHeadersTimeout: 1s
        httpIdleTimeout: 2s
        listenerPerConnectionBufferLimitBytes: 65536
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory, request):
    manifests = Manifests(tmp_path_factory.mktemp("wire") / "manifests", source=None)
    backends = [Backend(f"b{i}") for i in range(16)]
    manifests.write("gateway.yaml", GATEWAY + MESH + "".join(b.manifests() for b in backends))
    with running(manifests, f"wire-{request.module.__name__}", ports=(80,)) as lateen:
        yield Bench(lateen, backends)
    for backend in backends:
        backend.socket.close()


def test_a_head_that_does_not_arrive_in_time(client, backend):
    client.send(request(backend.host)[:-3])
    start = time.monotonic()
    answer = client.answer()
    assert time.monotonic() - start > 0.8
    assert answer.status == 408 and answer.get("connection") == "close"
    assert client.is_closed() and not backend.peers


def test_a_head_that_trickles_in_has_no_more_time(client, backend):
    try:
        for octet in request(backend.host, headers="X: " + "a" * 200 + "\r\n"):
            client.send(bytes([octet]))
            time.sleep(0.02)
    except ConnectionError:
        pass
    assert client.answer().status == 408


def test_an_idle_connection_is_closed_in_silence(bench, client, backend):
    with bench.client() as silent:
        client.send(request(backend.host))
        assert client.answer().status == 200
        start = time.monotonic()
        assert client.take_all() == b"" and silent.take_all() == b""
        assert time.monotonic() - start > 1.5


def test_an_exchange_under_way_is_not_idle(client, backend):
    def script(peer):
        peer.request()
        time.sleep(3)
        peer.reply(b"late")

    backend.script = script
    client.send(request(backend.host))
    assert client.answer().body == b"late"


def test_a_slow_upload_is_no_slow_head(client, backend):
    client.send(request(backend.host, "POST", headers="Content-Length: 10\r\n"))
    for _ in range(10):
        time.sleep(0.3)
        client.send(b"x")
    assert client.answer().status == 200
    assert backend.requests[0].body == b"x" * 10


def test_a_small_buffer_limit_holds(bench, backend):
    """A backend that does not read holds a sender back after the limit and the kernel's share."""
    go = threading.Event()

    def script(peer):
        head = peer.head()
        go.wait(100)
        peer.take(int(head.get("content-length")))
        peer.reply(b"all")

    backend.script = script
    total, sent = 32 << 20, [0]
    with bench.client() as client:
        client.send(request(backend.host, "PUT", headers=f"Content-Length: {total}\r\n"))

        def push():
            for _ in range(total >> 16):
                client.send(b"x" * 65536)
                sent[0] += 65536

        sender = threading.Thread(target=push)
        sender.start()
        assert steady(lambda: sent[0] or None) < 16 << 20
        go.set()
        assert client.answer().body == b"all"
        sender.join()


@pytest.mark.parametrize("target, path", [("//a///b/", "/a/b/"), ("/a%2Fb%5cc", "/a/b/c"), ("/a/%2F..%2Fb?//", "/a/b?//")])
def test_slashes_are_decoded_and_merged(client, backend, target, path):
    client.send(request(backend.host, path=target))
    assert client.answer().status == 200
    assert backend.requests[0].path == path
