"""Limits on client connections: of a listener, of all listeners, of an address. One too many is
accepted and closed; those that are open stay, and one that leaves makes room."""
import contextlib
import json
import re

import pytest

from wire import GATEWAY, Backend, Bench, Manifests, request, running, wait_until

WORKERS = 3
MESH = """---
apiVersion: v1
kind: ConfigMap
metadata: {{ name: istio, namespace: istio-system }}
data:
  mesh: |
    defaultConfig: {{ connectionSettings: {{ {settings} }} }}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory, request):
    manifests = Manifests(tmp_path_factory.mktemp("wire") / "manifests", source=None)
    backends = [Backend(f"b{i}") for i in range(8)]
    manifests.write("gateway.yaml", GATEWAY + "".join(b.manifests() for b in backends))
    flags = ("--workers", WORKERS, "--connections-per-address", 20)
    with running(manifests, f"wire-{request.module.__name__}", flags, ports=(80,)) as lateen:
        yield Bench(lateen, backends)
    for backend in backends:
        backend.socket.close()


def generation(bench):
    return json.loads(bench.lateen.admin("/server_info").text)["snapshot"]["generation"]


def set_limits(bench, settings):
    before = generation(bench)
    (bench.lateen.manifests / "mesh.yaml").write_text(MESH.format(settings=settings))
    wait_until("the limit is live", lambda: generation(bench) > before)


def refused(bench, what):
    found = re.search(rf"{what}: (\d+)", bench.lateen.admin(f"/stats?filter={what}").text)
    return int(found[1]) if found else 0


def open_connections(bench, n):
    """Those of n new connections that are served, and how many were closed instead."""
    stay, closed = [], 0
    for _ in range(n):
        client = bench.client()
        client.send(request("nobody.example"))
        with contextlib.suppress(ConnectionError):
            if client.is_readable(10) and client.fill():
                assert client.answer().status == 404
                stay.append(client)
                continue
        closed += 1
        client.close()
    return stay, closed


def one_more(bench):
    stay, _ = open_connections(bench, 1)
    for client in stay:
        client.close()
    return bool(stay)


def let_go(bench, clients):
    for client in clients:
        client.close()
    wait_until("the connections are gone", lambda: "downstream_cx_active: 0" in bench.lateen.admin(
        "/stats?filter=listener.*downstream_cx_active").text)


@pytest.mark.parametrize("settings,what", [("listenerConnectionLimit: 7", "downstream_cx_overflow"),
                                           ("globalDownstreamConnectionLimit: 7", "downstream_global_cx_overflow")])
def test_a_listener_serves_as_many_as_it_may(bench, settings, what):
    early, closed = open_connections(bench, 4)
    assert closed == 0
    set_limits(bench, settings)
    before = refused(bench, what)
    late, closed = open_connections(bench, 10)  # those from before the limit count
    assert len(late) == 3 and closed == 7
    assert refused(bench, what) == before + 7
    for client in early + late:
        assert client.send(request("nobody.example")).answer().status == 404
    early.pop().close()
    wait_until("there is room again", lambda: one_more(bench))
    let_go(bench, early + late)
    set_limits(bench, "httpIdleTimeout: 1h")
    many, closed = open_connections(bench, 15)
    assert closed == 0
    let_go(bench, many)


def test_an_address_has_as_many_as_it_may(bench):
    before = refused(bench, "downstream_address_overflow")
    stay, closed = open_connections(bench, 25)
    assert len(stay) == 20 and closed == 5
    assert refused(bench, "downstream_address_overflow") == before + 5
    stay.pop().close()
    wait_until("there is room again", lambda: one_more(bench))
    let_go(bench, stay)
