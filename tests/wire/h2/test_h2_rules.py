"""What RFC 9113 says a receiver must do, for everything that a client can break; clear and TLS.

A case names its section, what is sent on a fresh connection, and what must come: GOAWAY with
that code and the end of the connection, or RST_STREAM with that code and a connection that
goes on. RFC 7540, 5.3.1 is there for its self-dependency.
"""
import re
import threading
import time

import pytest
from frames import *  # noqa: F403
from wire import wait_until

GONE, RESET, FINE = "goaway", "reset", "fine"


def half(c, host):
    """Opens stream 1 and leaves it open."""
    return c.request(host, "POST", "/", end=False)


def closed(c, host):
    """Stream 1, answered to its end."""
    c.get(host)
    return 1


def block(c, *pairs):
    return c.encoder.encode(list(pairs))


def head(c, host, *more, drop=(), put=None):
    pairs = [p for p in fields(host, "GET", "/", scheme=c.scheme) if p[0] not in drop]
    return c.encoder.encode((put or []) + pairs + list(more))


def bad_head(*more, drop=(), put=None):
    """A request with a malformed head: a stream error (8.1.1)."""
    def send(c, host):
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, host, *more, drop=drop, put=put)))
    return send


def extended(*names, protocol="websocket", authority=True):
    """An extended CONNECT with these of :scheme and :path; pairs as they are."""
    def send(c, host):
        known = {":scheme": c.scheme, ":path": "/"}
        c.headers(1, [(":method", "CONNECT"), (":protocol", protocol), *[(":authority", host)] * authority,
                      *[(n, known[n]) if isinstance(n, str) else n for n in names]], end=False)
    return send


CASES = {
    # frames
    "4.2 longer than SETTINGS_MAX_FRAME_SIZE": (GONE, FRAME_SIZE_ERROR, lambda c, h: (
        half(c, h), c.send(frame(DATA, 0, 1, bytes(16385))))),
    "4.2 a field block longer than that": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS, 1, bytes(16385)))),
    "4.1 an unknown type is ignored": (FINE, 0, lambda c, h: c.send(frame(0x16, 0xff, 0, b"12345678"))),
    "4.1 unknown flags are ignored": (FINE, 0, lambda c, h: c.send(frame(PING, 0x16, 0, b"12345678"))),
    "4.1 the reserved bit is ignored": (FINE, 0, lambda c, h: c.send(frame(PING, 0, 1 << 31, b"12345678"))),
    "4.3 a block that cannot be decoded": (GONE, COMPRESSION_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\xff\xff\xff\xff\xff"))),
    "4.3 a block with an index of no field": (GONE, COMPRESSION_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xfe"))),
    "4.3 a size update above the table's": (GONE, COMPRESSION_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x3f\xe1\xff\x07" + head(c, h)))),
    "4.3 a block interrupted by PRIORITY": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_STREAM, 1, head(c, h)) + frame(PRIORITY, 0, 1, bytes(5)))),
    "4.3 a block interrupted by another stream's HEADERS": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_STREAM, 1, head(c, h)) + frame(HEADERS, END_STREAM | END_HEADERS, 3, head(c, h)))),
    "4.3 a block interrupted by an unknown frame": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_STREAM, 1, head(c, h)) + frame(0x16, 0, 1, b""))),
    "4.3 a block continued in pieces is fine": (FINE, 0, lambda c, h: [c.send(frame(HEADERS, END_STREAM, 1)), *[
        c.send(frame(CONTINUATION, 0, 1, bytes([octet]))) for octet in head(c, h, ("a", "b"))[:40]]] and None),
    # streams
    "5.1 idle: DATA": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(DATA, 0, 1, b"x"))),
    "5.1 idle: RST_STREAM": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(RST_STREAM, 0, 1, u32(CANCEL)))),
    "5.1 idle: WINDOW_UPDATE": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(WINDOW_UPDATE, 0, 1, u32(1)))),
    "5.1 idle: CONTINUATION": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(CONTINUATION, END_HEADERS, 1))),
    "5.1 idle: PRIORITY is fine": (FINE, 0, lambda c, h: c.send(frame(PRIORITY, 0, 1, u32(0) + b"\x10"))),
    "5.1 half-closed: DATA": (RESET, STREAM_CLOSED, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, h, ("x-wait", "1"))) + frame(DATA, 0, 1, b"x"))),
    "5.1 half-closed: HEADERS": (RESET, STREAM_CLOSED, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, h, ("x-wait", "1"))) +
        frame(HEADERS, END_HEADERS | END_STREAM, 1, block(c, ("a", "b"))))),
    "5.1 half-closed: CONTINUATION": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, h, ("x-wait", "1"))) + frame(CONTINUATION, END_HEADERS, 1))),
    "5.1 half-closed: WINDOW_UPDATE, PRIORITY are fine": (FINE, 0, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, h)) + frame(WINDOW_UPDATE, 0, 1, u32(1)) +
        frame(PRIORITY, 0, 1, u32(0) + b"\1"))),
    "5.1 closed by RST_STREAM: DATA": (GONE, STREAM_CLOSED, lambda c, h: (
        half(c, h), c.send(frame(RST_STREAM, 0, 1, u32(CANCEL)) + frame(DATA, 0, 1, b"x")))),
    "5.1 closed by RST_STREAM: HEADERS": (GONE, STREAM_CLOSED, lambda c, h: (
        half(c, h), c.send(frame(RST_STREAM, 0, 1, u32(CANCEL)) + frame(HEADERS, END_HEADERS, 1, block(c, ("a", "b")))))),
    "5.1 closed in order: DATA": (GONE, STREAM_CLOSED, lambda c, h: (closed(c, h), c.send(frame(DATA, 0, 1, b"x")))),
    "5.1 closed in order: HEADERS": (GONE, STREAM_CLOSED, lambda c, h: (
        closed(c, h), c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, head(c, h))))),
    "5.1 closed: WINDOW_UPDATE, RST_STREAM, PRIORITY are fine": (FINE, 0, lambda c, h: (closed(c, h), c.send(
        frame(WINDOW_UPDATE, 0, 1, u32(1)) + frame(RST_STREAM, 0, 1, u32(CANCEL)) + frame(PRIORITY, 0, 1, u32(0) + b"\1")))),
    "5.1.1 an even number": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 2, head(c, h)))),
    "5.1.1 a number below the last": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS, 5, head(c, h)) + frame(HEADERS, END_HEADERS | END_STREAM, 3, head(c, h)))),
    "5.1.2 more streams than announced": (RESET, REFUSED_STREAM, lambda c, h: c.send(b"".join(
        frame(HEADERS, END_HEADERS, 2 * i + 3, head(c, h)) for i in range(100)) +
        frame(HEADERS, END_HEADERS, 203, head(c, h))) and 203),
    "7540 5.3.1 HEADERS that depend on themselves": (RESET, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, u32(1) + b"\xff" + head(c, h)))),
    "7540 5.3.1 PRIORITY on itself, open": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(PRIORITY, 0, 1, u32(1) + b"\xff"))) and None),
    "7540 5.3.1 PRIORITY on itself, idle": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(PRIORITY, 0, 1, u32(1) + b"\xff"))),
    # each frame
    "6.1 DATA on stream 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(DATA, 0, 0, b"x"))),
    "6.1 DATA with more padding than payload": (GONE, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(DATA, PADDED, 1, b"\x06test!")))),
    "6.1 DATA without its pad length": (GONE, FRAME_SIZE_ERROR, lambda c, h: (
        half(c, h), c.send(frame(DATA, PADDED, 1, b"")))),
    "6.2 HEADERS on stream 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM, 0, head(c, h)))),
    "6.2 HEADERS with more padding than payload": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\xff" + head(c, h)))),
    "6.2 HEADERS too short for its priority": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, b"\0\0"))),
    "6.3 PRIORITY on stream 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(PRIORITY, 0, 0, bytes(5)))),
    "6.3 PRIORITY of another length": (RESET, FRAME_SIZE_ERROR, lambda c, h: (
        half(c, h), c.send(frame(PRIORITY, 0, 1, bytes(4)))) and None),
    "6.4 RST_STREAM on stream 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(RST_STREAM, 0, 0, u32(0)))),
    "6.4 RST_STREAM of another length": (GONE, FRAME_SIZE_ERROR, lambda c, h: (
        half(c, h), c.send(frame(RST_STREAM, 0, 1, bytes(3))))),
    "6.4 RST_STREAM with a code that nobody knows": (FINE, 0, lambda c, h: (
        half(c, h), c.send(frame(RST_STREAM, 0, 1, u32(0xfffffff0)))) and None),
    "6.5 SETTINGS on a stream": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(SETTINGS, 0, 1, b""))),
    "6.5 an acknowledgement with content": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(
        frame(SETTINGS, ACK, 0, bytes(6)))),
    "6.5 SETTINGS that end in the middle": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(frame(SETTINGS, 0, 0, bytes(3)))),
    "6.5.2 ENABLE_PUSH of 2": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(settings((ENABLE_PUSH, 2)))),
    "6.5.2 INITIAL_WINDOW_SIZE of 2^31": (GONE, FLOW_CONTROL_ERROR, lambda c, h: c.send(
        settings((INITIAL_WINDOW, 1 << 31)))),
    "6.5.2 MAX_FRAME_SIZE below 2^14": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(settings((MAX_FRAME, 16383)))),
    "6.5.2 MAX_FRAME_SIZE of 2^24": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(settings((MAX_FRAME, 1 << 24)))),
    "6.5.2 an unknown setting is ignored": (FINE, 0, lambda c, h: c.send(settings((0xff, 1)))),
    "6.6 PUSH_PROMISE from a client": (GONE, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(PUSH_PROMISE, END_HEADERS, 1, u32(2) + head(c, h))))),
    "6.7 PING on a stream": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(PING, 0, 1, bytes(8)))),
    "6.7 PING of another length": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(frame(PING, 0, 0, bytes(6)))),
    "6.7 an unasked acknowledgement is fine": (FINE, 0, lambda c, h: c.send(frame(PING, ACK, 0, bytes(8)))),
    "6.8 GOAWAY on a stream": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(GOAWAY, 0, 1, bytes(8)))),
    "6.8 GOAWAY too short": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(frame(GOAWAY, 0, 0, bytes(7)))),
    "6.8 GOAWAY leaves what is open": (FINE, 0, lambda c, h: c.send(frame(GOAWAY, 0, 0, bytes(8) + b"bye"))),
    "6.8 GOAWAY with a code that nobody knows": (FINE, 0, lambda c, h: c.send(
        frame(GOAWAY, 0, 0, u32(0) + u32(0xfffffff0)))),
    "6.9 WINDOW_UPDATE by 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(frame(WINDOW_UPDATE, 0, 0, u32(0)))),
    "6.9 WINDOW_UPDATE by 0 on a stream": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(WINDOW_UPDATE, 0, 1, u32(0)))) and None),
    "6.9 WINDOW_UPDATE of another length": (GONE, FRAME_SIZE_ERROR, lambda c, h: c.send(
        frame(WINDOW_UPDATE, 0, 0, bytes(3)))),
    "6.9.1 a window above 2^31-1": (GONE, FLOW_CONTROL_ERROR, lambda c, h: c.send(
        2 * frame(WINDOW_UPDATE, 0, 0, u32(0x7fffffff)))),
    "6.9.1 a stream's window above 2^31-1": (RESET, FLOW_CONTROL_ERROR, lambda c, h: (
        half(c, h), c.send(2 * frame(WINDOW_UPDATE, 0, 1, u32(0x7fffffff)))) and None),
    "6.9.2 SETTINGS lift a window above 2^31-1": (GONE, FLOW_CONTROL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(WINDOW_UPDATE, 0, 1, u32(0x7fffffff - 65535)) + settings((INITIAL_WINDOW, 65536))))),
    "6.10 CONTINUATION on stream 0": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_STREAM, 1, head(c, h)) + frame(CONTINUATION, END_HEADERS, 0))),
    "6.10 CONTINUATION behind END_HEADERS": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        frame(HEADERS, END_STREAM | END_HEADERS, 1, head(c, h, ("x-wait", "1"))) + frame(CONTINUATION, END_HEADERS, 1))),
    "6.10 CONTINUATION behind DATA": (GONE, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.send(frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1)))),
    # messages
    "8.1 trailers that do not end the stream": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.headers(1, [("x-sum", "1")], end=False)) and None),
    "8.1 a pseudo-header in trailers": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.headers(1, [(":method", "GET")])) and None),
    "8.1.1 content-length above the DATA": (RESET, PROTOCOL_ERROR, lambda c, h: (
        c.headers(1, fields(h, "POST", "/", ("content-length", "2"), scheme=c.scheme), end=False),
        c.data(1, b"x", end=True)) and None),
    "8.1.1 content-length below the DATA": (RESET, PROTOCOL_ERROR, lambda c, h: (
        c.headers(1, fields(h, "POST", "/", ("content-length", "1"), scheme=c.scheme), end=False),
        c.data(1, b"xx", end=True)) and None),
    "8.1.1 content-length of a request without DATA": (RESET, PROTOCOL_ERROR, bad_head(("content-length", "1"))),
    "8.1.1 content-length and trailers": (RESET, PROTOCOL_ERROR, lambda c, h: (
        c.headers(1, fields(h, "POST", "/", ("content-length", "3"), scheme=c.scheme), end=False),
        c.data(1, b"xx"), c.headers(1, [("x-sum", "1")])) and None),
    "8.1.1 two content-lengths": (RESET, PROTOCOL_ERROR, bad_head(("content-length", "0"), ("content-length", "1"))),
    "8.1.1 a content-length with a sign": (RESET, PROTOCOL_ERROR, bad_head(("content-length", "+0"))),
    "8.2 a name in upper case": (RESET, PROTOCOL_ERROR, bad_head(("X-Test", "1"))),
    "8.2.1 an empty name": (RESET, PROTOCOL_ERROR, bad_head(("", "1"))),
    "8.2.1 a name with a space": (RESET, PROTOCOL_ERROR, bad_head(("a b", "1"))),
    "8.2.1 a name with a colon": (RESET, PROTOCOL_ERROR, bad_head(("a:b", "1"))),
    "8.2.1 a name with CR LF": (RESET, PROTOCOL_ERROR, bad_head(("a\r\nb", "1"))),
    **{f"8.2.1 a name with {octet:#x}": (RESET, PROTOCOL_ERROR, bad_head((f"a{chr(octet)}b", "1")))
       for octet in (0x00, 0x0a, 0x0d, 0x1f, 0x22, 0x2c, 0x2f, 0x40, 0x5a, 0x7b, 0x7f)},
    "8.2.1 a name with 0xff": (RESET, PROTOCOL_ERROR, bad_head((b"a\xffb", b"1"))),
    "8.2.1 a value with a bare CR": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\r2"))),
    "8.2.1 a value with a bare LF": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\n2"))),
    "8.2.1 a value with DEL": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\x7f2"))),
    "8.2.1 a value that begins with a tab": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "\t1"))),
    "8.2.1 a value that ends with a space": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1 "))),
    "8.2.1 octets above 0x7f in a value are fine": (FINE, 0, bad_head((b"x-y", b"\xc3\xa4\xff"))),
    "8.2.1 a trailer with CR LF": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.headers(1, [("x-y", "1\r\nx-z: 2")])) and None),
    "8.2.2 connection in trailers": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.headers(1, [("connection", "close")])) and None),
    "8.2.1 a value with CR LF": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\r\nx-z: 2"))),
    "8.2.1 a value with NUL": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\0"))),
    "8.2.1 a value that begins with a space": (RESET, PROTOCOL_ERROR, bad_head(("x-y", " 1"))),
    "8.2.1 a value that ends with a tab": (RESET, PROTOCOL_ERROR, bad_head(("x-y", "1\t"))),
    "8.2.2 connection": (RESET, PROTOCOL_ERROR, bad_head(("connection", "keep-alive"))),
    "8.2.2 keep-alive": (RESET, PROTOCOL_ERROR, bad_head(("keep-alive", "1"))),
    "8.2.2 proxy-connection": (RESET, PROTOCOL_ERROR, bad_head(("proxy-connection", "x"))),
    "8.2.2 transfer-encoding": (RESET, PROTOCOL_ERROR, bad_head(("transfer-encoding", "chunked"))),
    "8.2.2 upgrade": (RESET, PROTOCOL_ERROR, bad_head(("upgrade", "websocket"))),
    "8.2.2 te of another value": (RESET, PROTOCOL_ERROR, bad_head(("te", "trailers, deflate"))),
    "8.2.2 te: trailers is fine": (FINE, 0, bad_head(("te", "trailers"))),
    "8.3 an unknown pseudo-header": (RESET, PROTOCOL_ERROR, bad_head(put=[(":test", "1")])),
    "8.3 a pseudo-header of responses": (RESET, PROTOCOL_ERROR, bad_head(put=[(":status", "200")])),
    "8.3 a pseudo-header behind a field": (RESET, PROTOCOL_ERROR, bad_head((":path", "/"), drop=(":path",), put=[("a", "b")])),
    "8.3 a pseudo-header twice": (RESET, PROTOCOL_ERROR, bad_head(put=[(":path", "/")])),
    "8.3.1 no :method": (RESET, PROTOCOL_ERROR, bad_head(drop=(":method",))),
    "8.3.1 no :scheme": (RESET, PROTOCOL_ERROR, bad_head(drop=(":scheme",))),
    "8.3.1 no :path": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",))),
    "8.3.1 no authority at all": (RESET, PROTOCOL_ERROR, bad_head(drop=(":authority",))),
    "8.3.1 an empty :path": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "")])),
    "8.3.1 a :path without its slash": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "x")])),
    "8.3.1 a :path with a space": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "/a b")])),
    "8.3.1 a :path with a tab": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "/a\tb")])),
    "8.3.1 a :path of CR LF": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "/ HTTP/1.1\r\nx: y")])),
    "8.3.1 a :method with a space": (RESET, PROTOCOL_ERROR, bad_head(drop=(":method",), put=[(":method", "GET /")])),
    "8.3.1 a :scheme with a space": (RESET, PROTOCOL_ERROR, bad_head(drop=(":scheme",), put=[(":scheme", "ht tp")])),
    "8.3.1 Host says another": (RESET, PROTOCOL_ERROR, bad_head(("host", "other.test"))),
    "8.3.1 user information": (RESET, PROTOCOL_ERROR, bad_head(drop=(":authority",), put=[(":authority", "u@x.test")])),
    "8.3.1 * for another method than OPTIONS": (RESET, PROTOCOL_ERROR, bad_head(drop=(":path",), put=[(":path", "*")])),
    "8.3.1 an empty :method": (RESET, PROTOCOL_ERROR, bad_head(drop=(":method",), put=[(":method", "")])),
    "8.3.1 an empty :scheme": (RESET, PROTOCOL_ERROR, bad_head(drop=(":scheme",), put=[(":scheme", "")])),
    "8.3.1 an :authority with a space": (RESET, PROTOCOL_ERROR, bad_head(drop=(":authority",), put=[(":authority", "x y")])),
    "8.3.1 an :authority of CR LF": (RESET, PROTOCOL_ERROR, bad_head(
        drop=(":authority",), put=[(":authority", "x.test\r\nx: y")])),
    "8.3.1 Host twice": (RESET, PROTOCOL_ERROR, lambda c, h: c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, head(
        c, h, ("host", h), ("host", h), drop=(":authority",)))) and None),
    "8.5 CONNECT with :scheme": (RESET, PROTOCOL_ERROR, bad_head(
        drop=(":method", ":path"), put=[(":method", "CONNECT")])),
    "8.5 CONNECT without :authority": (RESET, PROTOCOL_ERROR, lambda c, h: c.headers(1, [(":method", "CONNECT")]) and None),
    "8.5 CONNECT with :path": (RESET, PROTOCOL_ERROR, bad_head(drop=(":method",), put=[(":method", "CONNECT")])),
    "8441 4 :protocol without CONNECT": (RESET, PROTOCOL_ERROR, bad_head(put=[(":protocol", "websocket")])),
    "8441 4 an empty :protocol": (RESET, PROTOCOL_ERROR, extended(":scheme", ":path", protocol="")),
    "8441 4 a :protocol that is no token": (RESET, PROTOCOL_ERROR, extended(":scheme", ":path", protocol="web socket")),
    "8441 4 :protocol twice": (RESET, PROTOCOL_ERROR, extended(":scheme", ":path", (":protocol", "websocket"))),
    "8441 4 :protocol behind a field": (RESET, PROTOCOL_ERROR, bad_head(
        ("a", "b"), (":protocol", "websocket"), drop=(":method",), put=[(":method", "CONNECT")])),
    "8441 4 extended CONNECT without :path": (RESET, PROTOCOL_ERROR, extended(":scheme")),
    "8441 4 extended CONNECT without :scheme": (RESET, PROTOCOL_ERROR, extended(":path")),
    "8441 4 extended CONNECT without :authority": (RESET, PROTOCOL_ERROR, extended(":scheme", ":path", authority=False)),
    "8441 4 :protocol in trailers": (RESET, PROTOCOL_ERROR, lambda c, h: (
        half(c, h), c.headers(1, [(":protocol", "websocket")])) and None),
    "8441 3 ENABLE_CONNECT_PROTOCOL of 2": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(settings((8, 2)))),
    "8441 3 ENABLE_CONNECT_PROTOCOL that is taken back": (GONE, PROTOCOL_ERROR, lambda c, h: c.send(
        settings((8, 1)) + settings((8, 0)))),
}


@pytest.mark.parametrize("protocol, status", [("websocket", 501), ("WebSocket", 501), ("h2c", 403), ("x", 403)])
def test_8441_an_extended_connect_is_answered_by_name(client, target, protocol, status):
    """It is not announced; who asks all the same gets an answer and no dead stream."""
    c = client
    c.send(frame(HEADERS, END_HEADERS, 1, block(
        c, (":method", "CONNECT"), (":protocol", protocol), (":scheme", c.scheme), (":path", "/"),
        (":authority", target.host), ("sec-websocket-version", "13"))))
    answer = c.head(1)
    assert answer.status == status
    c.data(1, b"x", end=True)
    c.next_stream = 3
    assert c.get(target.host).body == b"ok"


@pytest.fixture(scope="module")
def target(bench):
    """One HTTP/1 backend for all cases: answers whole requests, with x-wait late."""
    def script(peer):
        while True:
            request = peer.request()
            if request.get("x-wait"):
                time.sleep(0.3)
            peer.reply(b"ok")

    backend = bench.plain_backend(script)
    yield backend


@pytest.mark.parametrize("name", CASES)
def test_rule(name, client, target):
    what, code, send = CASES[name]
    stream = send(client, target.host)
    if what == GONE:
        client.goaway(code)
    elif what == RESET:
        client.rst(stream if isinstance(stream, int) else 1, code)
    elif name.startswith("4.3"):
        client.send(frame(PING, 0, 0, bytes(8)))  # still inside the block
        client.goaway(PROTOCOL_ERROR)
    else:
        client.alive()
        client.next_stream = 7
        assert client.get(target.host).body == b"ok"


def test_a_malformed_request_is_logged_and_counted(bench, target):
    def counted():
        return int(re.search(r"^http2\.rx_messaging_error: (\d+)$", bench.lateen.admin("/stats").text, re.M)[1])

    with bench.h2() as client:
        bad_head(("x-y", "1\0"))(client, target.host)
        client.rst(1, PROTOCOL_ERROR)
        before = counted()
        client.headers(3, fields(target.host, "GET", "/", ("connection", "close")))
        client.rst(3, PROTOCOL_ERROR)
    assert counted() > before
    wait_until("the log", lambda: '"- - HTTP/2" 0 DPE http2.violation.of.messaging.rule' in bench.lateen.access_log())


PREFACES = {
    "another preface": b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n",
    "HTTP/1": b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n",
}


@pytest.mark.parametrize("name", PREFACES)
def test_3_4_a_broken_preface_over_tls_ends_the_connection(bench, name):
    with bench.h2(tls=True, preface=False) as client:
        client.send(PREFACES[name])
        client.goaway(PROTOCOL_ERROR)


def test_3_4_a_broken_preface_on_a_clear_port_is_an_http_1_request(bench):
    for octets in (b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", b"PRI / HTTP/2.0\r\n\r\n"):
        with bench.client() as client:
            client.send(octets)
            assert client.answer().status == 400 and client.is_closed()


@pytest.mark.parametrize("first", [frame(PING, 0, 0, bytes(8)), frame(SETTINGS, ACK),
                                   frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82")])
@pytest.mark.parametrize("tls", [False, True])
def test_3_4_the_first_frame_is_settings(bench, tls, first):
    with bench.h2(tls=tls, preface=False) as client:
        client.send(PREFACE + first)
        client.goaway(PROTOCOL_ERROR)


def test_the_preface_may_come_octet_by_octet(bench, target):
    with bench.h2(preface=False) as client:
        client.send_slowly(PREFACE + settings())
        assert client.get(target.host).status == 200


def test_a_whole_exchange_may_come_octet_by_octet(client, target):
    block = head(client, target.host)
    client.send_slowly(frame(HEADERS, END_HEADERS | END_STREAM, 1, block), pause=0)
    assert client.answer(1).body == b"ok"


def test_6_5_3_settings_are_acknowledged_in_order(client):
    client.send(settings((INITIAL_WINDOW, 100)) + frame(PING, 0, 0, b"after---"))
    acks = 0
    while True:
        got = client.frame()
        acks += got.kind == SETTINGS and got.flags == ACK
        if got.kind == PING:
            break
    assert acks == 2 and got.flags == ACK and got.payload == b"after---"


def test_6_9_2_windows_may_become_negative(client, target):
    client.window = False
    client.send(settings((INITIAL_WINDOW, 1)))
    stream = client.request(target.host)
    while not client.answers.get(stream) or len(client.answers[stream].body) < 1:
        client.frame()
    client.send(settings((INITIAL_WINDOW, 0)))  # now at -1
    client.send(frame(WINDOW_UPDATE, 0, stream, u32(1)))
    client.alive()
    assert client.answers[stream].body == b"o"
    client.send(frame(WINDOW_UPDATE, 0, stream, u32(1)))
    assert client.answer(stream).body == b"ok"


def test_6_5_2_frames_are_no_larger_than_announced(client, bench):
    backend = bench.plain_backend(lambda peer: (peer.request(), peer.reply(b"x" * 100000)))
    stream = client.request(backend.host)
    while not (client.answers.get(stream) and client.answers[stream].ended):
        assert len(client.frame().payload) <= 16384
    assert len(client.answers[stream].body) == 100000


def test_padding_is_dropped_and_given_back(client, bench):
    backend = bench.plain_backend(lambda peer: (peer.request(), peer.reply(b"ok")))
    stream = client.request(backend.host, "POST", "/", end=False)
    for _ in range(3000):  # 768 KB of padding through a window of 256 KiB
        while min(client.room[0], client.room.setdefault(stream, client.initial)) < 257:
            client.frame()
        client.send(frame(DATA, PADDED, stream, b"\xff" + b"x" + bytes(255)))
        client.room[0] -= 257
        client.room[stream] -= 257
    client.send(frame(DATA, END_STREAM, stream))
    assert client.answer(stream).status == 200
    assert backend.requests[0].body == b"x" * 3000


def test_a_case_for_each_frame_and_section():
    sections = {name.split(" ")[0] for name in CASES}
    assert {"4.1", "4.2", "4.3", "5.1", "5.1.1", "5.1.2", "6.1", "6.2", "6.3", "6.4", "6.5", "6.5.2", "6.6",
            "6.7", "6.8", "6.9", "6.9.1", "6.9.2", "6.10", "8.1", "8.1.1", "8.2", "8.2.1", "8.2.2", "8.3",
            "8.3.1", "8.5", "7540", "8441"} <= sections


def test_6_9_1_more_data_than_the_streams_window(client, bench):
    gone = threading.Event()
    backend = bench.plain_backend(lambda peer: (peer.head(), gone.wait(10)))
    stream = client.request(backend.host, "POST", "/", end=False)
    while not (client.answers.get(stream) and client.answers[stream].reset):
        if client.room[0] > 16384:  # the connection's own window is kept
            client.send(frame(DATA, 0, stream, bytes(16384)))
            client.room[0] -= 16384
        else:
            client.frame()
    client.rst(stream, FLOW_CONTROL_ERROR)
    gone.set()
