"""Fixtures for tests of the whole program: the tutorial running for a module's reading tests, or a test's own for changes."""
import re

import pytest

from harness import DRAIN, Manifests, running


def plain(name):
    return re.sub(r"\W+", "-", name).strip("-")[:80]


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory, request):
    """The tutorial's files as they are, running. Tests do not change them."""
    manifests = Manifests(tmp_path_factory.mktemp("tutorial") / "manifests")
    with running(manifests, plain(request.module.__name__)) as lateen:
        yield lateen


@pytest.fixture
def manifests(tmp_path):
    return Manifests(tmp_path / "manifests")


@pytest.fixture
def start(manifests, request):
    """start(flags, ports, drain): runs the test's own manifests, stopped and checked at its end."""
    stack = []

    def begin(flags=(), ports=(80, 443), drain=DRAIN):
        context = running(manifests, plain(request.node.name), flags, ports, drain)
        lateen = context.__enter__()
        stack.append(context)
        return lateen

    yield begin
    for context in reversed(stack):
        context.__exit__(None, None, None)
