"""An HTTP/2 client for tests that look at one connection: python3-h2 over a socket."""
import contextlib
import socket
import types

import h2.config
import h2.connection
import h2.events

from harness import HOST, PATIENCE, Answer

GOAWAY = 7


class Http2:
    """One connection, clear unless a socket is given; what came is kept as events. GOAWAY is kept from the library, which
    would end its connection by it; `goaways` are the last streams that they name."""

    def __init__(self, port, sock=None):
        self.sock = sock or socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events, self.goaways, self.got, self.is_closed = [], [], b"", False

    def ask(self, path, host=HOST):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", path)],
                             end_stream=True)
        self.sock.sendall(self.h2.data_to_send())
        return stream

    def take(self):
        octets = self.sock.recv(65536)
        self.is_closed = not octets
        self.got += octets
        while len(self.got) >= 9 and len(self.got) >= 9 + int.from_bytes(self.got[:3], "big"):
            n = 9 + int.from_bytes(self.got[:3], "big")
            frame, self.got = self.got[:n], self.got[n:]
            if frame[3] == GOAWAY:
                self.goaways.append(int.from_bytes(frame[9:13], "big"))
            else:
                self.events += self.h2.receive_data(frame)
        with contextlib.suppress(OSError):
            self.sock.sendall(self.h2.data_to_send())

    def goaway(self):
        """The last stream of the next GOAWAY."""
        while not self.goaways and not self.is_closed:
            self.take()
        return self.goaways.pop(0)

    def get(self, path, host=HOST):
        """The whole answer, as harness.Answer has it."""
        stream = self.ask(path, host)
        assert self.ended(stream), "the connection ended"
        return self.answer(stream)

    def answer(self, stream):
        """Of a stream that has ended."""
        own = [event for event in self.events if getattr(event, "stream_id", None) == stream]
        head = next(event for event in own if isinstance(event, h2.events.ResponseReceived))
        response = types.SimpleNamespace(status=int(dict(head.headers)[":status"]), headers=dict(head.headers))
        return Answer(response, b"".join(event.data for event in own if isinstance(event, h2.events.DataReceived)))

    def begun(self, stream):
        return self.wait(h2.events.DataReceived, stream)

    def ended(self, stream):
        return self.wait(h2.events.StreamEnded, stream)

    def wait(self, kind, stream):
        """True once that came for the stream, False if it is reset or the connection ends before."""
        def came(*kinds):
            return any(isinstance(event, kinds) and event.stream_id == stream for event in self.events)

        while not came(kind):
            if self.is_closed or came(h2.events.StreamReset):
                return False
            self.take()
        return True

    def close(self):
        self.sock.close()
