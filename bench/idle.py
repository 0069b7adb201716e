#!/usr/bin/env python3
"""What an idle connection takes, and whether its memory comes back: lateen beside the others.

    bench/idle.py [--connections N] [--peers NAME,...] [--kinds h1,h2c,tls] [--burst]

Each of N connections (4,000 by default) makes one request, reads its answer and stays. Printed: PSS of the
proxy's processes before, with all of them and 10 s after they were closed; octets a connection is the
difference divided by N. The kernel's part of a socket (about 4.7 KB) is not in it. A connection more than
the descriptors allow (RLIMIT_NOFILE) is not tried. `--burst`: 10,000 connections, for the memory that comes back.
"""
import argparse
import contextlib
import importlib.machinery
import importlib.util
import pathlib
import resource
import socket
import ssl
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests/e2e")]
import peers  # noqa: E402
from harness import free_ports  # noqa: E402
from peers import HOST, REST_CPU, TOOLS, pinned  # noqa: E402

_loader = importlib.machinery.SourceFileLoader("bench_run", str(HERE / "run"))
bench_run = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", _loader))
_loader.exec_module(bench_run)

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


KINDS = {"h1": open_h1, "h2c": open_h2c, "tls": open_tls}


def unchecked_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def close_all(connections):
    while connections:
        connections.pop().close()


def measure(peer, process, kind, n):
    """(PSS at rest, with n idle connections, after), KiB."""
    context, connections = unchecked_tls(), []
    close_all([KINDS[kind](peer, context) for _ in range(8)])
    time.sleep(1)
    rest = process.pss_kib()
    try:
        for _ in range(n):
            connections.append(KINDS[kind](peer, context))
        time.sleep(2)
        full = process.pss_kib()
    finally:
        close_all(connections)
    time.sleep(AWAY_S)
    return rest, full, process.pss_kib()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=4000)
    parser.add_argument("--peers", default="lateen,nginx,haproxy,nghttpx")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--burst", action="store_true")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(10000 if options.burst else options.connections, hard - 100)
    print(f"{'':10}{'kind':5}{'N':>7}{'at rest KiB':>13}{'with N':>9}{'octets each':>13}{'10 s after':>12}{'/ at rest':>11}")
    with tempfile.TemporaryDirectory() as top, contextlib.ExitStack() as stack:
        folder = pathlib.Path(top)
        bench_run.make_certificate(folder)
        sink_port, = free_ports(1)
        stack.callback(peers.Process("bench-sink", pinned(REST_CPU, TOOLS / "bench/bench-sink", sink_port), [sink_port], folder / "log").stop)
        for name in options.peers.split(","):
            for kind in options.kinds.split(","):  # a fresh process each: what one kind left is not the next one's rest
                where = folder / f"{name}-{kind}"
                where.mkdir()
                peer = next(one for one in peers.ALL if one.name == name)(where, free_ports(4), sink_port, sink_port, folder)
                process = peer.start()
                try:
                    rest, full, after = measure(peer, process, kind, n)
                finally:
                    process.stop()
                print(f"{name:10}{kind:5}{n:7}{rest:13}{full:9}{(full - rest) * 1024 / n:13.0f}{after:12}{after / rest:11.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
