"""System calls that fail under the whole program (tests/shim): a request is answered whole or visibly
broken, nothing hangs, and when the calls succeed again so do the requests, with nothing left behind.
"""
import contextlib
import http.client
import itertools
import os
import re
import socket
import ssl
import subprocess

import h2.exceptions
import pytest

from harness import BIN, HOST, PATIENCE, Client, Manifests, running, wait_until
from http2 import Http2
from shim import INVISIBLE, SHIM, VISIBLE, Faults

SIZE = 20000
BODY = b"x" * 3000
NTH = 24  # more calls than an exchange makes


@pytest.fixture(scope="module")
def hurt(tmp_path_factory):
    """The tutorial, its stand-ins in the same program, and the file that says which calls fail."""
    folder = tmp_path_factory.mktemp("syscalls")
    with running(Manifests(folder / "manifests"), "syscalls", ["--workers", "2"],
                 faults=Faults(folder / "faults")) as lateen:
        yield lateen


# --- exchanges ---

class Broken(Exception):
    """Visibly: a connection refused, reset, closed, or a stream reset."""


def path(marker, n):
    """The last one ends the stand-in's connection, so that the next exchange dials."""
    return f"/?size={SIZE}&header=x-marker:{marker}-{n}{'&close=1' if n else ''}"


def http1(lateen, scheme, marker):
    with contextlib.closing(lateen.client(scheme)) as client:
        for n in range(2):  # the second on a connection in use
            answer = client.get(path(marker, n), "POST", body=BODY)
            yield answer.status, answer.headers.get("x-marker"), f"{marker}-{n}", answer.body


def h2_socket(lateen, scheme):
    sock = socket.create_connection(("127.0.0.1", lateen.ports[443 if scheme == "https" else 80]), PATIENCE)
    if scheme == "http":
        return sock
    context = ssl.create_default_context(cafile=lateen.cafile())
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(sock, server_hostname=HOST)


def http2(lateen, scheme, marker):
    with contextlib.closing(Http2(None, h2_socket(lateen, scheme))) as client:
        streams = [client.ask(path(marker, n)) for n in range(2)]
        for n, stream in enumerate(streams):
            if not client.ended(stream):
                raise Broken("closed or reset")
            answer = client.answer(stream)
            yield answer.status, answer.headers.get("x-marker"), f"{marker}-{n}", answer.body


EXCHANGES = [(kind, scheme) for kind in (http1, http2) for scheme in ("http", "https")]
FILLING = bytes(itertools.islice(itertools.cycle(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"), SIZE))
numbers = itertools.count()


def exchange(lateen, kind, scheme):
    """How each of its requests ended: 200 and the right octets, an answer of the gateway, or broken."""
    ends = []
    try:
        for status, marker, wanted, body in kind(lateen, scheme, next(numbers)):
            assert status in (200, 502, 503), (status, body)
            if status == 200:
                assert marker == wanted and body == FILLING, (marker, wanted, len(body))
            ends.append(status)
    except TimeoutError:
        raise AssertionError(f"it hangs: {lateen.faults.failed()}") from None
    except (OSError, http.client.HTTPException, h2.exceptions.ProtocolError, Broken) as why:
        ends.append(repr(why))
    return ends


def descriptors(lateen):
    return len(os.listdir(f"/proc/{lateen.process.pid}/fd"))


def check_calm(lateen):
    """Calls succeed again: so do requests, and nothing is under way any more."""
    lateen.faults.end()
    for kind, scheme in EXCHANGES:
        assert exchange(lateen, kind, scheme) == [200, 200]

    def active():
        return re.findall(r"^\S*downstream_[cr][xq]_active: ([1-9]\d*)$", lateen.admin("/stats").text, re.M)

    wait_until("nobody is connected", lambda: not active())


# --- tests ---

MOVING = {"read", "readv", "pread", "preadv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "pwrite",
          "pwritev", "send", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice", "tee", "vmsplice", "copy_file_range",
          "accept", "accept4", "socket", "connect", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
          "select", "pselect", "io_uring_enter"}


def moving(path, kinds):
    """Symbols by their very names: pread64 and __recv_chk are others than pread and recv."""
    out = subprocess.run(["nm", "-D", path], capture_output=True, text=True, check=True).stdout
    names = re.findall(rf"^[0-9a-f ]*[{kinds}] (\w+)", out, re.M)
    return {name for name in names if re.sub(r"^__|64$|(64)?_chk$", "", name) in MOVING}


def test_every_call_that_moves_octets_can_be_made_to_fail():
    """Otherwise these tests would see less than they say. OpenSSL moves none itself: tls/engine.c gives it a BIO."""
    used = moving(BIN, "U")
    assert {"recv", "send", "sendmsg", "accept4", "connect", "epoll_wait"} <= used
    assert used - moving(SHIM, "T") == set()


@pytest.mark.parametrize("mode", (*INVISIBLE, *VISIBLE))
def test_one_call_in_a_few_fails(hurt, mode):
    before, ends = descriptors(hurt), []
    hurt.faults.begin(mode, every=3)
    for _ in range(6):
        for kind, scheme in EXCHANGES:
            ends += exchange(hurt, kind, scheme)
    failed = hurt.faults.failed()
    check_calm(hurt)
    assert failed, "no call failed"
    if mode in INVISIBLE:
        assert set(ends) == {200}, ends
    wait_until("descriptors are back", lambda: descriptors(hurt) <= before + 16)


@pytest.mark.parametrize("kind, scheme", EXCHANGES, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("mode", ("short", "again", "reset", "pipe", "buffers", "descriptors"))
def test_the_nth_call_fails(hurt, mode, kind, scheme):
    """One call of one exchange at a time, whichever it is."""
    struck = 0
    for nth in range(1, NTH + 1):
        hurt.faults.begin(mode, every=0, nth=nth)
        ends = exchange(hurt, kind, scheme)
        assert mode not in INVISIBLE or ends == [200, 200], (nth, ends)
        struck += len(hurt.faults.failed())
        hurt.faults.end()
    check_calm(hurt)
    assert struck >= 3
