"""Raw HTTP/2 frames for both ends: a client that sends any frame as it stands and backends that
do. Field blocks by python3-hpack, layout by hand (RFC 9113, 4.1): nothing here is checked on
the way out, so that every rule can be broken."""
import socket
import ssl
import struct
import time

from hpack import Decoder, Encoder

from wire import PATIENCE, Gone, Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR,
 ENHANCE_YOUR_CALM) = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_LIST = range(1, 7)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def u32(n):
    return struct.pack(">I", n)


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def fields(host, method="GET", path="/", *more, scheme="http"):
    return [(":method", method), (":scheme", scheme), (":authority", host), (":path", path), *more]


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    def __repr__(self):
        return f"<{self.kind} flags={self.flags:x} stream={self.stream} {self.payload[:40]!r}>"

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8])[0]

    @property
    def last(self):
        return struct.unpack(">I", self.payload[:4])[0]


class Answer:
    def __init__(self):
        self.headers, self.infos, self.body, self.trailers = None, [], b"", None
        self.ended, self.reset = False, None

    @property
    def status(self):
        return int(dict(self.headers)[":status"])

    def get(self, name):
        return dict(self.headers).get(name)

    @property
    def text(self):
        return self.body.decode()


class Peer(Wire):
    """One end of a connection; keeps what arrived by stream."""

    def __init__(self, sock):
        super().__init__(sock)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.answers, self.goaways, self.next_stream = {}, [], 1
        self.room, self.initial = {0: 65535}, 65535  # what may be sent, by stream
        self.window = True  # give windows back as DATA arrives

    def frame(self):
        """The next frame; keeps the book, acknowledges SETTINGS and PING."""
        head = self.take(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        got = Frame(kind, flags, stream, self.take(size))
        if kind == SETTINGS and not flags & ACK:
            self._settle(got.payload)
            self.send(frame(SETTINGS, ACK))
        elif kind == WINDOW_UPDATE:
            self.room[stream] = self.room.get(stream, self.initial) + int.from_bytes(got.payload, "big")
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, got.payload))
        elif kind == GOAWAY:
            self.goaways.append(got)
        elif kind in (HEADERS, CONTINUATION, DATA, RST_STREAM):
            self._keep(got)
        return got

    def _settle(self, payload):
        for at in range(0, len(payload), 6):
            key, value = struct.unpack(">HI", payload[at:at + 6])
            if key == INITIAL_WINDOW:
                for stream in self.room:
                    self.room[stream] += (value - self.initial) if stream else 0
                self.initial = value

    def has_room(self, stream):
        return min(self.room[0], self.room.setdefault(stream, self.initial)) > 0

    def data_some(self, stream, octets):
        """One DATA frame, once the windows have room for it; how much of it went."""
        while not self.has_room(stream):
            self.frame()
        n = min(self.room[0], self.room[stream], 16384, len(octets))
        self.send(frame(DATA, 0, stream, octets[:n]))
        self.room[0] -= n
        self.room[stream] -= n
        return n

    def data_all(self, stream, octets):
        """As the windows allow, and END_STREAM."""
        sent = 0
        while sent < len(octets):
            sent += self.data_some(stream, octets[sent:])
        self.send(frame(DATA, END_STREAM, stream))

    def _keep(self, got):
        answer = self.answers.setdefault(got.stream, Answer())
        if got.kind == RST_STREAM:
            answer.reset, answer.ended = got.code, True
        elif got.kind == DATA:
            assert not got.flags & PADDED
            answer.body += got.payload
            if self.window and got.payload:
                self.send(frame(WINDOW_UPDATE, 0, 0, u32(len(got.payload))))
                if not got.flags & END_STREAM:
                    self.send(frame(WINDOW_UPDATE, 0, got.stream, u32(len(got.payload))))
        else:
            if got.kind == HEADERS:
                self.block, self.block_end = b"", got.flags & END_STREAM
            self.block += got.payload
            if not got.flags & END_HEADERS:
                return
            block = [(k if isinstance(k, str) else k.decode(), v if isinstance(v, str) else v.decode())
                     for k, v in self.decoder.decode(self.block)]
            if answer.headers is None and dict(block).get(":status", "200")[0] == "1":
                answer.infos.append(block)
            elif answer.headers is None:
                answer.headers = block
            else:
                answer.trailers = block
            answer.ended |= bool(self.block_end)
            return
        answer.ended |= bool(got.kind == DATA and got.flags & END_STREAM)

    def wait(self, kind, stream=None):
        """Reads up to the first frame of that kind (and stream) that follows."""
        while True:
            got = self.frame()
            if got.kind == kind and stream in (None, got.stream):
                return got

    def answer(self, stream):
        """The whole answer of a stream."""
        while not (stream in self.answers and self.answers[stream].ended):
            self.frame()
        return self.answers[stream]

    def head(self, stream):
        while self.answers.get(stream, Answer()).headers is None:
            self.frame()
        return self.answers[stream]

    def headers(self, stream, pairs, end=True, flags=END_HEADERS):
        """HEADERS in one frame."""
        block = self.encoder.encode(pairs)
        self.send(frame(HEADERS, flags | (END_STREAM if end else 0), stream, block))
        return stream

    def headers_cut(self, stream, pairs, end=True):
        """HEADERS and as many CONTINUATION as it takes."""
        block = self.encoder.encode(pairs, huffman=False)
        parts = [block[i:i + 16384] for i in range(0, len(block), 16384)]
        for i, part in enumerate(parts):
            flags = (END_HEADERS if i == len(parts) - 1 else 0) | (END_STREAM if end and i == 0 else 0)
            self.send(frame(CONTINUATION if i else HEADERS, flags, stream, part))
        return stream

    def data(self, stream, octets, end=False, step=16384):
        for at in range(0, max(len(octets), 1), step):
            last = at + step >= len(octets)
            self.send(frame(DATA, END_STREAM if end and last else 0, stream, octets[at:at + step]))
        return self

    def goaway(self, code):
        """The connection error: GOAWAY with that code, and then the end of the connection."""
        start = time.monotonic()
        try:
            got = self.wait(GOAWAY)
        except Gone:
            raise AssertionError("closed without GOAWAY") from None
        assert got.code == code, f"GOAWAY {got.code}, wanted {code}"
        while self.fill():
            pass
        assert time.monotonic() - start < PATIENCE / 2
        return got

    def rst(self, stream, code):
        """The stream error: RST_STREAM with that code, and the connection goes on."""
        while stream not in self.answers or self.answers[stream].reset is None:
            self.frame()
        assert self.answers[stream].reset == code, f"RST_STREAM {self.answers[stream].reset}"
        return self.alive()

    def alive(self):
        mark = b"isalive!"
        self.send(frame(PING, 0, 0, mark))
        while not ((got := self.frame()).kind == PING and got.flags & ACK and got.payload == mark):
            pass
        return self


class H2Client(Peer):
    def __init__(self, port, tls=None, preface=True, pairs=(), sni="x.test"):
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context(cafile=tls)
            context.check_hostname = False
            context.set_alpn_protocols(["h2"])
            sock = context.wrap_socket(sock, server_hostname=sni)
            assert sock.selected_alpn_protocol() == "h2"
        super().__init__(sock)
        self.scheme = "https" if tls else "http"
        if preface:
            self.send(PREFACE + settings(*pairs))

    def request(self, host, method="GET", path="/", *more, end=True, body=None):
        """Opens the next stream; returns its number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.headers(stream, fields(host, method, path, *more, scheme=self.scheme), end and body is None)
        if body is not None:
            self.data(stream, body, end)
        return stream

    def get(self, host, path="/", *more, **how):
        return self.answer(self.request(host, "GET", path, *more, **how))


class H2Peer(Peer):
    """A connection that the gateway opened to an HTTP/2 backend."""

    def begin(self, *pairs):
        assert self.take(len(PREFACE)) == PREFACE
        self.send(settings(*pairs))
        return self

    def request(self):
        """The next HEADERS that opens a stream; returns its number."""
        return self.wait(HEADERS).stream

    def reply(self, stream, body=b"", status="200", *more, trailers=None):
        self.headers(stream, [(":status", status), *more], end=not body and trailers is None)
        if body:
            self.data(stream, body, end=trailers is None)
        if trailers is not None:
            self.headers(stream, trailers)
        return self
