"""TLS records and messages that are allowed, or nearly, and that no browser sends: none of them keeps the worker from others."""
import contextlib
import os
import re
import socket
import subprocess
import threading

import pytest

from harness import BIN, HOST, PATIENCE
from tls_records import Records

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@pytest.fixture
def records(tutorial, tmp_path):
    with contextlib.closing(Records(tutorial.ports[443], tmp_path)) as client:
        yield client


def resident(lateen):
    with open(f"/proc/{lateen.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


def answer(client):
    got = b""
    while octets := client.tls.recv(65536):
        got += octets
    return got


def cut_after(lateen, client, make):
    """Sends what make() gives until it is cut; how many. Others are served meanwhile."""
    sent, before = 0, resident(lateen)
    with contextlib.suppress(ConnectionError):
        while sent < 2000000:
            client.send(b"".join(make() for _ in range(500)))
            sent += 500
            if sent % 5000 == 0:
                assert lateen.get("/", "https").status == 200
    assert resident(lateen) - before < 32 << 20 or "san" in str(BIN)
    return sent


def test_a_request_may_come_in_records_of_an_octet(tutorial, records):
    records.send(b"".join(records.record(GET[i:i + 1]) for i in range(len(GET))))
    assert answer(records).startswith(b"HTTP/1.1 200 ")


def test_a_few_empty_records_are_nothing(tutorial, records):
    """Padding for traffic analysis (RFC 8446, 5.1)."""
    records.send(b"".join(records.record(b"") for _ in range(20)) + records.record(GET))
    assert answer(records).startswith(b"HTTP/1.1 200 ")


def test_empty_records_without_end_are_cut(tutorial, records):
    assert cut_after(tutorial, records, lambda: records.record(b"")) < 200000


def test_key_updates_without_end_are_cut(tutorial, records):
    assert cut_after(tutorial, records, records.key_update) < 200000


def test_a_key_update_before_a_request_is_nothing(tutorial, records):
    update = records.key_update()
    records.send(update + records.record(GET))
    assert answer(records).startswith(b"HTTP/1.1 200 ")


def test_a_record_that_is_too_long_ends_the_connection(tutorial, records):
    records.send(records.record(b"x" * 16385))
    with contextlib.suppress(OSError):
        assert answer(records) == b""
    assert tutorial.get("/", "https").status == 200


def s_client(lateen, until, *flags, octets=b""):
    """What openssl said up to a match of `until`."""
    said, process = "", subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{lateen.ports[443]}", "-servername", HOST, *map(str, flags)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    try:
        process.stdin.write(octets)
        process.stdin.flush()
        while not re.search(until, said) and (octets := os.read(process.stdout.fileno(), 65536)):
            said += octets.decode(errors="replace")
    finally:
        patience.cancel()
        process.kill()
        process.communicate()
    assert re.search(until, said), said[-2000:]
    return said


def test_a_renegotiation_is_refused(tutorial):
    """TLS 1.2's (CVE-2009-3555, CVE-2011-1473): a handshake costs the server more than who asks for it."""
    assert "RENEGOTIATING" in s_client(tutorial, "no renegotiation", "-tls1_2", octets=b"R\n")
    assert tutorial.get("/", "https").status == 200


def test_early_data_is_refused(tutorial, tmp_path):
    """A request before the handshake ends could be sent again by anybody (RFC 8446, 8): no ticket offers it."""
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(GET)
    s_client(tutorial, "Max Early Data: 0", "-tls1_3", "-sess_out", session, octets=GET)
    said = s_client(tutorial, "Early data was (not sent|rejected)", "-tls1_3", "-sess_in", session, "-early_data", early)
    assert "Reused" in said


@pytest.mark.parametrize("n", (255, 256, 65000))
def test_server_names_of_any_length_are_refused_or_served(tutorial, n):
    """Python asks for no name beyond 255: a ClientHello with the extension alone, by hand (CVE-2024-32475)."""
    name = b"a" * n
    entry = b"\0" + n.to_bytes(2, "big") + name
    extension = b"\0\0" + (len(entry) + 2).to_bytes(2, "big") + len(entry).to_bytes(2, "big") + entry
    body = b"\3\3" + b"r" * 32 + b"\0" + b"\0\2\x13\x02" + b"\1\0" + len(extension).to_bytes(2, "big") + extension
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    pieces = [hello[at:at + 16384] for at in range(0, len(hello), 16384)]
    with contextlib.closing(socket.create_connection(("127.0.0.1", tutorial.ports[443]), PATIENCE)) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"".join(b"\x16\3\1" + len(piece).to_bytes(2, "big") + piece for piece in pieces))
            assert sock.recv(65536)[:1] in (b"\x15", b"")  # an alert, or the end
    assert tutorial.get("/", "https").status == 200
