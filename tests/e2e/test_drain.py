"""The end in order: not ready first, then no more connections, then the last answer; and the same
without leaving, as POST /drain_listeners asks for it."""
import contextlib
import http.client
import signal
import socket
import time

import pytest

from harness import HOST, PATIENCE, Backend, virtual_service, wait_until
from http2 import Http2

TRICKLE_RULE = """
    - match: [ { uri: { prefix: /trickle } } ]
      route: [ { destination: { host: trickle } } ]"""
LONG = ["--drain-min", "600s", "--drain", "600s"]


@pytest.fixture
def backend(manifests):
    """An answer that lasts until the test ends it: /trickle."""
    backend = Backend()
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 1}, TRICKLE_RULE))
    manifests.write("9-trickle.yaml", backend.manifests("trickle"))
    yield backend
    backend.close()


def trickle(lateen):
    """A request that is under way: (its connection, its response)."""
    client = lateen.client()
    client.request("GET", "/trickle", headers={"Host": HOST})
    response = client.getresponse()
    assert response.status == 200 and response.readline() == b"line 0\n"
    return client, response


def status_of(lateen, port=None):
    return lateen.admin("/healthz/ready" if port else "/ready", port=port).status


def live(lateen):
    return "\nserver.live: 1\n" in "\n" + lateen.admin("/stats").text


def ends(answer):
    return answer.headers.get("Connection", "").lower() == "close"


def refused(lateen):
    with socket.socket() as sock:
        sock.settimeout(PATIENCE)
        return sock.connect_ex(("127.0.0.1", lateen.ports[80])) != 0


def still_serves(lateen):
    """New connections are taken, and each is told to go behind its answer."""
    for scheme in ("http", "https"):
        with contextlib.closing(lateen.client(scheme)) as client:
            answer = client.get("/")
            assert answer.status == 200 and ends(answer)
    fresh = Http2(lateen.ports[80])
    assert fresh.ended(fresh.ask("/")) and fresh.goaway() == 0x7fffffff
    fresh.close()


@pytest.mark.faults
def test_after_term_it_is_not_ready_but_serves_and_a_second_signal_leaves(manifests, start):
    lateen = start(flags=LONG)
    assert (status_of(lateen), status_of(lateen, lateen.health_port)) == (200, 200) and live(lateen)
    kept, idle, two = lateen.client(), lateen.client("https"), Http2(lateen.ports[80])
    assert not ends(kept.get("/")) and not ends(idle.get("/"))
    assert two.ended(two.ask("/")) and not two.goaways
    lateen.signal(signal.SIGTERM)
    wait_until("it is not ready", lambda: status_of(lateen) == 503)
    assert status_of(lateen, lateen.health_port) == 503 and not live(lateen)
    for _ in range(3):
        still_serves(lateen)
    assert two.goaway() == 0x7fffffff
    late = two.ask("/late")  # as if it had been under way
    assert two.ended(late)
    answer = kept.get("/")
    assert answer.status == 200 and ends(answer)
    assert lateen.process.poll() is None
    lateen.signal(signal.SIGTERM)
    assert lateen.process.wait(PATIENCE) == 0
    assert "leaving at once" in lateen.log()
    for client in (kept, idle, two):
        client.close()


@pytest.mark.faults
def test_listeners_accept_for_the_least_time_and_what_is_under_way_ends(manifests, start, backend):
    lateen = start(flags=["--drain-min", "1s", "--drain", "600s"])
    two, idle = Http2(lateen.ports[80]), lateen.client()
    assert idle.get("/").status == 200
    one, response = trickle(lateen)
    slow = two.ask("/trickle")
    assert two.begun(slow)
    before = time.monotonic()
    lateen.signal(signal.SIGTERM)
    wait_until("no connection is accepted", lambda: refused(lateen))
    assert time.monotonic() - before >= 1
    assert idle.sock.recv(1) == b""  # closed: nothing was under way on it
    backend.finish.set()
    response.read()  # raises if it is cut
    assert two.ended(slow) and two.goaway() == 0x7fffffff and two.goaway() == slow
    assert lateen.process.wait(PATIENCE) == 0
    for client in (one, two, idle):
        client.close()


def test_what_does_not_end_is_cut_off_after_the_most_time(manifests, start):
    lateen = start(flags=["--drain-min", "0s", "--drain", "1s"])
    with contextlib.closing(lateen.client()) as client:
        client.request("GET", "/?delay=600s", headers={"Host": HOST})
        wait_until("it is under way", lambda: "downstream_rq_active: 1" in lateen.admin("/stats").text)
        before = time.monotonic()
        lateen.signal(signal.SIGTERM)
        assert lateen.process.wait(PATIENCE) == 0
        assert time.monotonic() - before >= 1
        with pytest.raises((OSError, http.client.HTTPException)):
            client.getresponse()


def test_by_default_listeners_accept_for_5_s_and_requests_have_30(manifests, start):
    lateen = start(drain=())
    lateen.signal(signal.SIGTERM)
    wait_until("it drains", lambda: "least_ms=5000 most_ms=30000" in lateen.log())
    lateen.signal(signal.SIGINT)
    assert lateen.process.wait(PATIENCE) == 0


# --- POST /drain_listeners ---

def drain_listeners(lateen, query):
    return lateen.admin("/drain_listeners" + query, "POST")


def test_draining_gracefully_without_exit_only_tells_clients_to_go(manifests, start):
    lateen = start(flags=LONG, ports=(80, 443, 8090))
    assert drain_listeners(lateen, "?skip_exit").status == 400
    assert drain_listeners(lateen, "?inboundonly&graceful").status == 200
    assert status_of(lateen) == 200 and not ends(lateen.get("/"))
    assert drain_listeners(lateen, "?graceful&skip_exit").status == 200
    assert status_of(lateen) == 503
    wait_until("all workers tell clients to go", lambda: all(ends(lateen.get("/")) for _ in range(8)))
    still_serves(lateen)
    manifests.edit("6-gateway.yaml", "number: 80\n", "number: 8090\n")
    wait_until("a changed listener serves", lambda: not refused_at(lateen, 8090))
    lateen.signal(signal.SIGTERM)  # which still drains and leaves
    wait_until("it drains", lambda: "draining" in lateen.log())
    assert lateen.get("/", number=8090).status == 200
    lateen.signal(signal.SIGTERM)
    assert lateen.process.wait(PATIENCE) == 0


def refused_at(lateen, number):
    with contextlib.suppress(OSError):
        return lateen.get("/", number=number).status != 200
    return True


@pytest.mark.parametrize("query", ("", "?graceful"))
def test_draining_listeners_closes_them_and_stays(manifests, start, backend, query):
    lateen = start(flags=["--drain-min", "600s" if not query else "0s", "--drain", "600s"])
    client, response = trickle(lateen)
    assert drain_listeners(lateen, query).status == 200
    wait_until("no connection is accepted", lambda: refused(lateen))
    backend.finish.set()
    response.read()  # raises if it is cut
    client.close()
    assert status_of(lateen) == 503 and lateen.process.poll() is None
    lateen.signal(signal.SIGTERM)
    assert lateen.process.wait(PATIENCE) == 0
