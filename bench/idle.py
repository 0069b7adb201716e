"""What an idle connection takes, and whether its memory comes back, of lateen and the others.

Each of N connections makes one request, reads its answer and stays. PSS of the proxy's processes is read before, with all of them,
and 10 s after they were closed; octets a connection is the difference divided by N. The kernel's part of a socket
(about 4.7 KB) is not in it.
"""
import resource
import socket
import ssl
import threading
import time

import figures
from loads import HOST
from peers import Haproxy, Lateen, Nghttpx, Nginx
from report import Section
from stage import say

NAME = "idle"
PEERS = (Lateen, Nginx, Haproxy, Nghttpx)
COUNT = 10000
SETTLE_S = 10  # after this long a connection counts as idle
AWAY_S = 10  # after this long the memory of closed connections has to be back
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
AUTHORITY = bytes([0x41, len(HOST)]) + HOST.encode()  # RFC 7541, 6.2.1: indexed name 1
H2_HEAD = b"\x82\x86\x84" + AUTHORITY  # GET, http, /
H2_GET = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + len(H2_HEAD).to_bytes(3, "big") + b"\1\5\0\0\0\1" + H2_HEAD)
H2_SETTINGS_ACK = b"\0\0\0\4\1\0\0\0\0"


def dial(port):
    s = socket.create_connection(("127.0.0.1", port), 10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_h1(s):
    octets = b""
    while b"\r\n\r\n" not in octets:
        octets += more(s)
    head, body = octets.split(b"\r\n\r\n", 1)
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
    while len(body) < length:
        body += more(s)
    assert b" 200 " in head.split(b"\r\n")[0], head
    return s


def more(s):
    octets = s.recv(65536)
    assert octets, "closed early"
    return octets


def read_h2(s):
    """Until a frame of stream 1 has END_STREAM; the settings are acknowledged."""
    octets = b""
    while True:
        while len(octets) >= 9 and len(octets) >= 9 + int.from_bytes(octets[:3], "big"):
            kind, flags, stream = octets[3], octets[4], int.from_bytes(octets[5:9], "big")
            octets = octets[9 + int.from_bytes(octets[:3], "big"):]
            assert kind not in (3, 7), "reset"
            if kind == 4 and not flags & 1:
                s.sendall(H2_SETTINGS_ACK)
            if kind in (0, 1) and stream == 1 and flags & 1:
                return s
        octets += more(s)


def open_h1(peer, _):
    s = dial(peer.h1)
    s.sendall(GET)
    return read_h1(s)


def open_h2c(peer, _):
    s = dial(peer.h2c)
    s.sendall(H2_GET)
    return read_h2(s)


def open_tls(peer, context):
    s = context.wrap_socket(dial(peer.tls), server_hostname=HOST)
    s.sendall(GET)
    return read_h1(s)


KINDS = {"h1": open_h1, "h2": open_h2c, "TLS": open_tls}
GOALS = {"h1": 512, "h2": 2048, "TLS": 16384}


def unchecked_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def close_all(connections):
    while connections:
        connections.pop().close()


class Measured:
    """One proxy, fresh, with idle connections of one kind: PSS in KiB at rest, full and after."""

    def __init__(self, stage, of, kind, n):
        say(f"{of.name}, {n:,} idle connections, {kind}")
        peer = of(stage)
        self.process, self.n, connections = peer.start(), n, []
        context = unchecked_tls()
        close_all([KINDS[kind](peer, context) for _ in range(8)])
        time.sleep(1)
        self.rest = self.process.pss_kib()
        try:
            for _ in range(n):
                connections.append(KINDS[kind](peer, context))
            time.sleep(SETTLE_S)
            self.full = self.process.pss_kib()
        finally:
            close_all(connections)
        self.waiting = threading.Thread(target=self.read_later)  # others are measured meanwhile
        self.waiting.start()

    def read_later(self):
        time.sleep(AWAY_S)
        self.after = self.process.pss_kib()
        self.process.stop()

    def done(self):
        self.waiting.join()
        self.each = (self.full - self.rest) * 1024 / self.n
        self.kept = self.after / self.rest
        return self


def run(stage, options):
    section = Section(NAME, "Idle connections")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    n = min(COUNT, most // 2 - 200)  # a proxy needs two descriptors for each
    kinds = [of for of in PEERS if of.name in options.peers and of.is_there()]
    begun = {(kind, of.name): Measured(stage, of, kind, n) for kind in KINDS for of in kinds}
    found = {key: one.done() for key, one in begun.items()}
    section.lines = [f"{n:,} connections, each with one request behind it: octets of user space (PSS) a connection, and PSS {AWAY_S} s after all were",
                     "closed by PSS before (in brackets, with that in MB)."]
    section.add_table(["", *(of.name for of in kinds)], [
        [kind, *(f"{one.each:,.0f} ({one.kept:.2f} of {one.rest / 1024:.1f})" for of in kinds for one in (found[kind, of.name],))]
        for kind in KINDS])
    for kind, goal in GOALS.items() if ("h1", "lateen") in found else ():
        ours = found[kind, "lateen"]
        section.goals += [figures.at_most(f"idle connection, {kind}", goal, round(ours.each), f"{ours.each:,.0f}", unit=" B"),
                          figures.at_most(f"PSS {AWAY_S} s after a burst, {kind}", 1.3, ours.kept)]
    return section
