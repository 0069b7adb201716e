"""Lives of HTTP/2 connections: reloads that leave them alone, drains that lose nothing."""
import re
import signal
import threading
import time

import pytest
from conftest import H2Backend, serve
from frames import *  # noqa: F403
from wire import GATEWAY, Gone, Manifests, running, wait_until


@pytest.fixture
def life(tmp_path):
    """A gateway of the test's own with two backends, a manifest file each."""
    manifests = Manifests(tmp_path / "manifests", source=None)
    backends = [H2Backend("one"), H2Backend("two")]
    manifests.write("gateway.yaml", GATEWAY)
    for backend in backends:
        backend.script = serve
        manifests.write(f"{backend.name}.yaml", backend.manifests())
    with running(manifests, f"h2-life-{tmp_path.name}", flags=("--workers", "1"), ports=(80,)) as lateen:
        yield lateen, manifests, backends
    for backend in backends:
        backend.socket.close()


def hold(go):
    """Answers the head at once, the rest when told; other requests at once."""
    def script(peer):
        peer.begin()
        first = None
        while True:
            if go.is_set() and first:
                peer.data(first, b"rest", end=True)
                first = None
            if peer.is_quiet(0.02):
                continue
            got = peer.frame()
            if got.kind == HEADERS and not first and not go.is_set():
                first = got.stream
                peer.headers(first, [(":status", "200")], end=False)
            elif got.kind == HEADERS:
                peer.reply(got.stream, b"ok")
    return script


def test_a_backend_that_is_removed_finishes_what_it_is_at(life):
    lateen, manifests, (one, two) = life
    go = threading.Event()
    one.script = one.to_the_end(hold(go))
    with H2Client(lateen.ports[80]) as client:
        stream = client.request(one.host)
        client.head(stream)
        manifests.remove("one.yaml")
        wait_until("the route is gone", lambda: client.get(one.host).status == 404)
        assert client.get(two.host).status == 200
        go.set()
        answer = client.answer(stream)
        assert answer.body == b"rest" and answer.reset is None
        wait_until("its connection closes", lambda: one.peers[0].goaways or one.peers[0].sock.fileno() < 0)


def test_reloads_disturb_no_stream(life):
    lateen, manifests, (one, two) = life
    go = threading.Event()
    one.script = one.to_the_end(hold(go))
    with H2Client(lateen.ports[80]) as client:
        stream = client.request(one.host)
        client.head(stream)
        for i in range(10):
            manifests.replace("two.yaml", two.manifests() + f"# {i}\n")
            assert client.get(two.host).status == 200
        go.set()
        assert client.answer(stream).body == b"rest"
    assert not client.goaways


def test_a_drain_says_goaway_twice_and_loses_nothing(life):
    lateen, _, (one, two) = life
    go = threading.Event()
    one.script = one.to_the_end(hold(go))
    with H2Client(lateen.ports[80]) as client:
        stream = client.request(one.host)
        client.head(stream)
        lateen.signal(signal.SIGTERM)
        assert client.wait(GOAWAY).last == 0x7fffffff
        late = client.request(two.host)  # was under way
        assert client.answer(late).status in (200, None) or client.answers[late].reset == REFUSED_STREAM
        time.sleep(0.2)
        go.set()
        assert client.answer(stream).body == b"rest"
        try:
            while True:
                client.frame()
        except (Gone, OSError):
            pass
        assert [got.code for got in client.goaways] == [NO_ERROR, NO_ERROR]
        assert client.goaways[1].last in (stream, late)
    wait_until("the program leaves", lambda: lateen.process.poll() is not None)
    assert lateen.process.returncode == 0


def test_a_backend_that_restarts_is_dialled_again(life):
    lateen, _, (one, _) = life
    with H2Client(lateen.ports[80]) as client:
        assert client.get(one.host).status == 200
        for i in range(3):
            one.peers[-1].sock.shutdown(2)
            assert client.get(one.host).status == 200
        assert len(one.peers) == 4


def test_full_connections_come_back_to_their_pool(life):
    """A backend that takes two streams at a time: connections are used again once they have room."""
    lateen, _, (one, _) = life

    def script(peer):
        peer.begin((MAX_STREAMS, 2))
        while True:
            peer.reply(peer.request(), b"x")

    one.script = script
    with H2Client(lateen.ports[80]) as client:
        assert client.get(one.host).status == 200
        for _ in range(30):
            streams = [client.request(one.host) for _ in range(4)]
            assert all(client.answer(s).status == 200 for s in streams)
    assert len(one.peers) <= 4


def snapshot(lateen):
    return re.search(r'"snapshot":\s*{"generation":\d+,"hash":"(\w+)"', lateen.admin("/server_info").text)[1]


def test_a_used_up_connection_finishes_its_streams(life):
    """maxRequestsPerConnection counts streams; a connection that reached it takes no more."""
    lateen, manifests, (one, _) = life
    before = snapshot(lateen)
    manifests.write("rule.yaml", """apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: one, namespace: wire }
spec:
  host: one.mesh.internal
  trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 2 } } }
""")

    def script(peer):
        peer.begin()
        streams = [peer.request(), peer.request()]
        for stream in streams:
            peer.reply(stream, b"x")
        peer.goaway(NO_ERROR)

    one.script = script
    with H2Client(lateen.ports[80]) as client:
        wait_until("the rule is live", lambda: snapshot(lateen) != before)
        streams = [client.request(one.host) for _ in range(6)]
        assert [client.answer(s).status for s in streams] == [200] * 6
    assert len(one.peers) == 3 and not one.faults, one.faults
