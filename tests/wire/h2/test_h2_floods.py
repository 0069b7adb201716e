"""Floods (reliability.md 4.2): the connection ends within a second, others are served meanwhile,
and memory does not grow. Seconds are of processor time, of the gateway and of this attacker:
what else the machine does is no matter."""
import fcntl
import os
import pathlib
import re
import struct
import termios
import time

import pytest
from frames import *  # noqa: F403
from harness import BIN
from wire import PATIENCE, wait_until

CUT_S = 5.0 if "san" in str(BIN) else 1.0
GROWTH = 32 << 20


def rss(bench):
    if "san" in str(BIN):
        return 0  # freed memory stays with the sanitizer
    status = pathlib.Path(f"/proc/{bench.lateen.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def head(c, host, i=0, *more):
    return c.encoder.encode(fields(host, "GET", "/", *more, scheme=c.scheme))


def rapid_reset(c, host):
    for i in range(20000):
        c.headers(2 * i + 1, fields(host, scheme=c.scheme))
        yield frame(RST_STREAM, 0, 2 * i + 1, u32(CANCEL))


def made_you_reset(c, host):
    """Each frame makes the gateway reset (CVE-2025-8671)."""
    for i in range(20000):
        c.headers(2 * i + 1, fields(host, scheme=c.scheme))
        yield frame(WINDOW_UPDATE, 0, 2 * i + 1, u32(0))


def malformed(c, host):
    for i in range(20000):
        yield frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, b"\x82")


def continuations(c, host):
    block = head(c, host)
    yield frame(HEADERS, END_STREAM, 1, block)
    while True:
        yield frame(CONTINUATION, 0, 1, b"")


def large_continuations(c, host):
    yield frame(HEADERS, END_STREAM, 1, head(c, host))
    while True:
        yield frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 1000)


def hpack_bomb(c, host):
    """A name of 4,000 octets in the table, named in three octets each."""
    c.encoder.huffman = False
    bomb = b"\x40" + b"\x7f" + b"\x9f\x1e" + b"n" * (127 + 3871) + b"\x01v"
    for i in range(2000):
        block = head(c, host) + (bomb if i == 0 else b"") + b"\x0f\x2f\x00" * 5000
        yield frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, block[:16384 if i else 16384])


def cookie_bomb(c, host):
    """A cookie of 4,000 octets in the table, named thousands of times in an octet each: what is
    counted is what it becomes."""
    c.encoder.huffman = False
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, host, 0, ("cookie", "c" * 4000))))
    crumb = c.encoder.encode([("cookie", "c" * 4000)])
    assert len(crumb) == 1
    for i in range(1, 20000):
        yield frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, head(c, host) + crumb * 16000)


def empty_names(c, host):
    for i in range(20000):
        yield frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, head(c, host) + b"\x00\x00\x00" * 4000)


def pings(c, host):
    while True:
        yield frame(PING, 0, 0, bytes(8))


def many_settings(c, host):
    while True:
        yield settings((INITIAL_WINDOW, 1000), (INITIAL_WINDOW, 2000))


def acks(c, host):
    while True:
        yield frame(SETTINGS, ACK)


def priorities(c, host):
    while True:
        yield frame(PRIORITY, 0, 1, u32(3) + b"\1")


def window_updates(c, host):
    c.request(host, "POST", end=False)
    while True:
        yield frame(WINDOW_UPDATE, 0, 1, u32(1))


def empty_data(c, host):
    c.request(host, "POST", end=False)
    while True:
        yield frame(DATA, 0, 1)


def padding(c, host):
    c.request(host, "POST", end=False)
    while True:
        yield frame(DATA, PADDED, 1, b"\x00")


def resets_of_closed(c, host):
    c.get(host)
    while True:
        yield frame(RST_STREAM, 0, 1, u32(CANCEL))


def unknown(c, host):
    while True:
        yield frame(0x55, 0, 0, b"")


def goaways(c, host):
    while True:
        yield frame(GOAWAY, 0, 0, bytes(8))


# Each with the limit that cuts it: its name in /stats, and behind "http2." in the access log.
FLOODS = {
    rapid_reset: "too_many_premature_resets", made_you_reset: "too_many_premature_resets",
    malformed: "too_many_premature_resets", hpack_bomb: "too_many_premature_resets",
    cookie_bomb: "too_many_premature_resets", empty_names: "too_many_premature_resets",
    continuations: "inbound_continuation_frames_flood", large_continuations: "header_overflow",
    pings: "inbound_control_frames_flood", many_settings: "inbound_control_frames_flood",
    acks: "inbound_control_frames_flood", resets_of_closed: "inbound_control_frames_flood",
    unknown: "inbound_control_frames_flood", goaways: "inbound_control_frames_flood",
    priorities: "inbound_priority_frames_flood", window_updates: "inbound_window_update_frames_flood",
    empty_data: "inbound_empty_frames_flood", padding: "inbound_empty_frames_flood",
}
CVE = {  # which other proxies have had
    rapid_reset: "cve_2023_44487_rapid_reset", made_you_reset: "cve_2025_8671_made_you_reset",
    malformed: "cve_2019_9514_malformed", cookie_bomb: "cve_2026_47774_cookie_bomb",
    empty_names: "cve_2019_9516_empty_names", continuations: "cve_2024_27919_continuations",
    large_continuations: "cve_2024_30255_large_continuations", pings: "cve_2019_9512_pings",
    many_settings: "cve_2019_9515_many_settings", priorities: "cve_2019_9513_priorities",
    empty_data: "cve_2019_9518_empty_data",
}
LEAVE_A_STREAM_OPEN = (window_updates, empty_data, padding)


def stat(bench, name):
    found = re.search(rf"^{re.escape(name)}: (\d+)$", bench.lateen.admin("/stats").text, re.M)
    return int(found[1]) if found else 0


def ended(bench):
    """Connections of clients that broke a rule or a limit."""
    return sum(map(int, re.findall(r"^http\..*\.downstream_cx_protocol_error: (\d+)$",
                                   bench.lateen.admin("/stats").text, re.M)))


def spent(bench):
    """Processor time of the gateway and of this thread so far."""
    fields = pathlib.Path(f"/proc/{bench.lateen.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.thread_time()


def attack(client, frames):
    """Sends until the gateway ends it; how many octets that took."""
    start, sent, batch = time.monotonic(), 0, b""
    try:
        for one in frames:
            batch += one
            if len(batch) > 1000:
                client.send(batch)
                sent, batch = sent + len(batch), b""
            assert time.monotonic() - start < PATIENCE, f"goes on after {sent} octets"
        client.send(batch)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize("flood", FLOODS, ids=lambda f: CVE.get(f, f.__name__))
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_flood(bench, plain, flood, tls):
    with bench.h2() as other, bench.h2(tls=tls) as client:
        assert other.get(plain.host).status == 200
        before, counted, over = rss(bench), stat(bench, f"http2.{FLOODS[flood]}"), ended(bench)
        start = spent(bench)
        sent = attack(client, flood(client, plain.host))
        assert spent(bench) - start < CUT_S, f"{spent(bench) - start:.2f} s, {sent} octets"
        assert other.get(plain.host).status == 200
        assert rss(bench) - before < GROWTH
        client.sock.settimeout(2)
        try:
            while client.fill():
                pass
        except OSError:
            pass
        assert bytes(client.got).find(u32(ENHANCE_YOUR_CALM)) >= 0 or client.reset
    assert stat(bench, f"http2.{FLOODS[flood]}") > counted and ended(bench) > over
    if flood in LEAVE_A_STREAM_OPEN:
        wait_until("its request is logged", lambda: re.search(
            rf'"POST / HTTP/2" 0 DPE http2\.{FLOODS[flood]} .* "{plain.host}"', bench.lateen.access_log()))


def endless(*one):
    def send(peer, stream):
        octets = frame(*[stream if part is None else part for part in one])
        while True:
            peer.send(octets * 50)
    return send


def endless_continuations(peer, stream):
    peer.send(frame(HEADERS, 0, stream, b"\x88"))
    endless(CONTINUATION, 0, None, b"")(peer, stream)


def endless_empty_data(peer, stream):
    peer.headers(stream, [(":status", "200")], end=False)
    endless(DATA, 0, None)(peer, stream)


BACKEND_FLOODS = {
    "pings": (endless(PING, 0, 0, bytes(8)), "inbound_control_frames_flood"),
    "settings": (endless(SETTINGS), "inbound_control_frames_flood"),
    "goaways": (endless(GOAWAY, 0, 0, b"\x7f\xff\xff\xff" + bytes(4)), "inbound_control_frames_flood"),
    "unknown": (endless(0x55), "inbound_control_frames_flood"),
    "priorities": (endless(PRIORITY, 0, None, bytes(5)), "inbound_priority_frames_flood"),
    "window_updates": (endless(WINDOW_UPDATE, 0, None, u32(1)), "inbound_window_update_frames_flood"),
    "continuations": (endless_continuations, "inbound_continuation_frames_flood"),
    "empty_data": (endless_empty_data, "inbound_empty_frames_flood"),
}


@pytest.mark.parametrize("name", BACKEND_FLOODS)
def test_flood_of_a_backend(bench, backend, plain, name):
    """It harms the requests to that backend and nobody else."""
    flood, limit = BACKEND_FLOODS[name]

    def script(peer):
        peer.begin()
        try:
            flood(peer, peer.request())
        except OSError:
            pass

    backend.script = script
    with bench.h2() as client:
        assert client.get(plain.host).status == 200
        before, start = rss(bench), spent(bench)
        answer = client.get(backend.host)
        assert spent(bench) - start < CUT_S
        assert answer.status in (502, 503) or answer.reset is not None
        assert client.get(plain.host).status == 200
        assert rss(bench) - before < GROWTH
    cluster = re.escape(backend.host.split(".")[0])
    assert re.search(rf"^cluster\..*{cluster}\..*\.http2\.{limit}: [1-9]", bench.lateen.admin("/stats").text, re.M)
    wait_until("the reason is logged", lambda: re.search(
        rf'"GET / HTTP/2" \d+ UPE \S+ - "http2.{limit}" .*{cluster}', bench.lateen.access_log()))


def test_answers_to_control_frames_wait_up_to_a_limit(bench, plain):
    """A client with the budget for many PINGs, whose kernel is full of content that it does not read."""
    plain.script = lambda peer: [peer.reply(b"x" * (64 << 20) if peer.request().path == "/big" else b"ok")
                                 for _ in range(401)]
    with bench.h2(pairs=((INITIAL_WINDOW, 0x7fffffff),)) as client:
        client.send(frame(WINDOW_UPDATE, 0, 0, u32(0x7fffffff - 65535)))
        for _ in range(400):
            assert client.get(plain.host).status == 200
        counted = stat(bench, "http2.outbound_control_flood")
        client.head(client.request(plain.host, "GET", "/big"))
        wait_until("nothing more comes through", lambda: not grows(bench, plain))
        try:
            client.send(frame(PING, 0, 0, bytes(8)) * 1500)
        except OSError:
            pass
        wait_until("the limit", lambda: stat(bench, "http2.outbound_control_flood") > counted)


def grows(bench, plain):
    """Does the gateway's connection to the backend still take something?"""
    def queued():
        return plain.peers[-1].sock.fileno(), unsent(plain.peers[-1].sock)
    before = queued()
    time.sleep(0.1)
    return queued() != before or not before[1]


def unsent(sock):
    """Octets in the kernel that the other end has not taken."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


def test_answers_that_are_never_read_end_the_connection(bench, plain):
    with bench.h2() as client:
        client.sock.setblocking(False)
        before, start = rss(bench), time.monotonic()
        octets, closed = frame(PING, 0, 0, bytes(8)) * 1000, False
        while not closed and time.monotonic() - start < PATIENCE:
            try:
                client.sock.send(octets)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                closed = True
        assert closed and rss(bench) - before < GROWTH


def test_cve_2019_9511_one_octet_of_window_at_a_time_costs_little(bench, plain):
    """Each window of one octet makes one DATA frame: memory follows octets, not frames."""
    def script(peer):
        peer.request()
        peer.reply(b"x" * 100000)

    plain.script = script
    with bench.h2(pairs=((INITIAL_WINDOW, 0),)) as client:
        client.window = False
        stream = client.request(plain.host)
        client.head(stream)
        before = rss(bench)
        for at in range(15, 20000, 15):  # which the gateway may answer by one frame
            client.send(frame(WINDOW_UPDATE, 0, stream, u32(1)) * 15)
            while len(client.answers[stream].body) < at:
                client.frame()
        assert rss(bench) - before < GROWTH / 4


def test_keep_alive_pings_of_a_long_stream_are_no_flood(bench, plain):
    """gRPC sends a PING for each burst of DATA it gets."""
    def script(peer):
        peer.request()
        peer.reply(b"x" * (2 << 20))

    plain.script = script
    with bench.h2() as client:
        stream = client.request(plain.host)
        pings = 0
        while not (client.answers.get(stream) and client.answers[stream].ended):
            if client.frame().kind == DATA:
                client.send(frame(PING, 0, 0, bytes(8)))
                pings += 1
        assert client.answers[stream].reset is None and len(client.answers[stream].body) == 2 << 20
        client.alive()


def test_half_of_all_streams_may_be_cancelled(bench, plain):
    with bench.h2() as client:
        for i in range(300):
            stream = client.request(plain.host)
            if i % 3 == 0:
                client.send(frame(RST_STREAM, 0, stream, u32(CANCEL)))
            else:
                assert client.answer(stream).status == 200
