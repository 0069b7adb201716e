"""Fixtures: one gateway for each module, one backend for each test."""
import pytest

from wire import GATEWAY, Backend, Bench, Manifests, running
from harness import choose_chaos  # behind wire, which finds its folder

BACKENDS = 128  # of one module
TIMEOUT = ", timeout: 1s"


def pytest_configure(config):
    config.addinivalue_line("markers", "chaos: long or strict, run by make chaos alone")
    config.addinivalue_line("markers", "attack: short here, strict and long in make chaos")


def pytest_collection_modifyitems(config, items):
    choose_chaos(config, items)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, request):
    manifests = Manifests(tmp_path_factory.mktemp("wire") / "manifests", source=None)
    backends = [Backend(f"b{i}") for i in range(BACKENDS)]
    backends += [Backend(f"t{i}", TIMEOUT) for i in range(8)]
    manifests.write("gateway.yaml", GATEWAY + "".join(b.manifests() for b in backends))
    with running(manifests, f"wire-{request.module.__name__}", ports=(80,)) as lateen:
        yield Bench(lateen, backends)
    for backend in backends:
        backend.socket.close()


@pytest.fixture
def backend(bench):
    """This test's backend. An assertion that failed in its script fails the test."""
    backend = bench.backend()
    yield backend
    assert not backend.faults, backend.faults


@pytest.fixture
def impatient(bench):
    """A backend whose route has a timeout of 1 s."""
    backend = bench.backend(TIMEOUT)
    yield backend
    assert not backend.faults, backend.faults


@pytest.fixture
def client(bench):
    with bench.client() as client:
        yield client
