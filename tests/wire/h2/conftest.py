"""Fixtures: one gateway with a clear and a TLS port for each module; HTTP/1 and HTTP/2 backends."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from frames import H2Client, H2Peer, settings  # noqa: E402
from wire import GATEWAY, Backend, Bench, Manifests, running  # noqa: E402

TLS = """---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: secure, namespace: wire }
spec:
  selector: { istio: ingressgateway }
  servers:
  - port: { number: 443, name: https, protocol: HTTPS }
    hosts: [ "*.test" ]
    tls: { mode: SIMPLE, credentialName: wire }
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: wire, namespace: istio-ingress }
spec:
  secretName: wire
  dnsNames: [ x.test ]
  issuerRef: { name: ca, kind: ClusterIssuer }
"""


def serve(peer):
    """The plain script: answers each request with 200 and its stream's number."""
    peer.begin()
    while True:
        stream = peer.request()
        if not peer.answers[stream].ended:
            peer.answer(stream)
        peer.reply(stream, b"%d" % stream)


class H2Backend(Backend):
    """A host of its own behind the gateway, reached by HTTP/2."""

    def __init__(self, name):
        super().__init__(name)
        self.script = serve

    def _run(self, peer):
        peer.__class__ = H2Peer
        H2Peer.__init__(peer, peer.sock)
        super()._run(peer)

    def to_the_end(self, script):
        """Reads on behind the script: closing with octets unread would reset."""
        def run(peer):
            script(peer)
            while True:
                peer.frame()
        return run

    def manifests(self):
        return super().manifests().replace("name: http, protocol: HTTP }", "name: http, protocol: HTTP2 }")


class H2Bench(Bench):
    def __init__(self, lateen, backends, plain):
        super().__init__(lateen, backends)
        self.plain = plain
        self.tls_port, self.ca = lateen.ports[443], None

    def h2(self, tls=False, **how):
        if tls and not self.ca:
            self.ca = self.lateen.cafile()
        return H2Client(self.tls_port if tls else self.port, self.ca if tls else None, **how)

    def backend(self, script=serve):
        backend = self.left.pop()
        backend.script = backend.to_the_end(script)
        return backend

    def plain_backend(self, script=None):
        backend = self.plain.pop()
        if script:
            backend.script = script
        return backend


@pytest.fixture(scope="module")
def bench(tmp_path_factory, request):
    manifests = Manifests(tmp_path_factory.mktemp("h2") / "manifests", source=None)
    backends = [H2Backend(f"h{i}") for i in range(96)]
    plain = [Backend(f"p{i}") for i in range(64)]
    gateway = GATEWAY + TLS
    text = "".join(b.manifests() for b in backends + plain)
    manifests.write("all.yaml", gateway + text.replace("gateways: [ wire ]", "gateways: [ wire, secure ]"))
    with running(manifests, f"h2-{request.module.__name__}", flags=("--workers", "1")) as lateen:
        yield H2Bench(lateen, backends, plain)
    for backend in backends + plain:
        backend.socket.close()


@pytest.fixture
def backend(bench):
    """This test's HTTP/2 backend. An assertion that failed in its script fails the test."""
    backend = bench.backend(serve)
    yield backend
    assert not backend.faults, backend.faults


@pytest.fixture
def plain(bench):
    backend = bench.plain_backend()
    yield backend
    assert not backend.faults, backend.faults


@pytest.fixture(params=["clear", "tls"])
def client(bench, request):
    with bench.h2(tls=request.param == "tls") as client:
        yield client
