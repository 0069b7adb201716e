"""Random exchanges: pipelined requests and responses of every framing, cut into random pieces,
over many connections at once. Each answer must be the one its request asked for.
"""
import random
import threading
import time

import pytest

from wire import Gone


def pieces(rng, octets):
    """Cuts octets at random places: sometimes none, sometimes every few."""
    mean = max(rng.choice([1, 7, 60, 1000, 100000]), len(octets) / 3000)
    at = 0
    while at < len(octets):
        n = max(1, int(rng.expovariate(1 / mean)))
        yield octets[at:at + n]
        at += n


def send_in_pieces(rng, wire, octets):
    for n, piece in enumerate(pieces(rng, octets)):
        wire.send(piece)
        if n < 200 and rng.random() < 0.1:
            time.sleep(0.001)


def random_body(rng):
    return rng.randbytes(rng.choice([0, 1, 2, 100, 4095, 20000, 70000]))


def chunked(rng, body, trailers):
    octets, at = b"", 0
    while at < len(body):
        n = min(len(body) - at, max(1, int(rng.expovariate(1 / rng.choice([3, 500, 20000])))))
        extension = rng.choice([b"", b"", b"", b";a=b"]) if n > 100 else b""
        octets += b"%x%s\r\n%s\r\n" % (n, extension, body[at:at + n])
        at += n
    lines = b"".join(b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in trailers)
    return octets + b"%s\r\n%s\r\n" % (rng.choice([b"0", b"00"]), lines)


class Exchange:
    """One request and the answer that it must get; known to both ends by its path."""

    def __init__(self, rng, number):
        self.path = f"/{number}"
        self.method = rng.choice(["GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"])
        self.framing = rng.choice(["none", "length", "chunked"]) if self.method in ("POST", "PUT") else "none"
        self.body = random_body(rng) if self.framing != "none" else b""
        self.trailers = [("x-t", str(number))] if self.framing == "chunked" and rng.random() < 0.3 else []
        self.status = rng.choice([200, 200, 200, 201, 204, 304, 404, 500])
        self.answer_framing = rng.choice(["length", "length", "chunked", "close"])
        self.answer_body = b"" if self.status in (204, 304) else random_body(rng)
        has_trailers = self.answer_framing == "chunked" and self.status not in (204, 304) and rng.random() < 0.3
        self.answer_trailers = [("x-u", "v")] if has_trailers else []
        self.infos = rng.choice([0, 0, 0, 1, 3])

    def request(self, rng, host, last):
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\nX-Number: {self.path}\r\n"
        body = self.body
        if self.framing == "length":
            head += f"Content-Length: {len(self.body)}\r\n"
        elif self.framing == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            body = chunked(rng, self.body, self.trailers)
        if last:
            head += "Connection: close\r\n"
        return head.encode() + b"\r\n" + body

    def response(self, rng):
        """(octets, the connection ends with it)"""
        octets = b"".join(b"HTTP/1.1 103 Early Hints\r\nx-i: 1\r\n\r\n" for _ in range(self.infos))
        head = f"HTTP/1.1 {self.status} Whatever\r\nX-Answer: {self.path}\r\n"
        body, ends = self.answer_body, False
        if self.status in (204, 304):
            pass
        elif self.answer_framing == "length":
            head += f"Content-Length: {len(body)}\r\n"
        elif self.answer_framing == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            body = chunked(rng, body, self.answer_trailers)
        elif self.method != "HEAD":
            ends = True
        if self.method == "HEAD":
            body = b""
        return octets + head.encode() + b"\r\n" + body, ends

    def check_request(self, got):
        assert (got.method, got.path) == (self.method, self.path)
        assert got.get("x-number") == self.path
        assert got.body == self.body
        assert got.trailers == self.trailers

    def check_answer(self, got):
        assert got.status == self.status, self.path
        assert got.get("x-answer") == self.path
        if self.method != "HEAD":
            assert got.body == self.answer_body
            assert got.trailers == self.answer_trailers


class Run:
    def __init__(self, backend, seed):
        self.backend, self.exchanges, self.faults = backend, {}, []
        self.seed = seed
        backend.script = self.script

    def script(self, peer):
        rng = random.Random(f"{self.seed} {peer.sock.getpeername()}")
        while True:
            got = peer.request()
            exchange = self.exchanges[got.path]
            exchange.check_request(got)
            octets, ends = exchange.response(rng)
            send_in_pieces(rng, peer, octets)
            if ends:
                return

    def connection(self, bench, number):
        """One client connection: a random train of exchanges."""
        rng = random.Random(f"{self.seed} client {number}")
        train = [Exchange(rng, f"{number}/{i}") for i in range(rng.randint(1, 12))]
        self.exchanges.update((exchange.path, exchange) for exchange in train)
        last = rng.random() < 0.5
        octets = b"".join(exchange.request(rng, self.backend.host, last and exchange is train[-1])
                          for exchange in train)
        with bench.client() as client:
            sender = threading.Thread(target=send_in_pieces, args=(rng, client, octets))
            sender.start()
            for exchange in train:
                answer = client.answer(exchange.method)
                while answer.status == 103:
                    answer = client.answer(exchange.method)
                exchange.check_answer(answer)
            sender.join()
            assert client.is_closed() if last else client.is_quiet(0.01)

    def client(self, bench, numbers):
        try:
            for number in numbers:
                self.connection(bench, number)
        except (AssertionError, Gone, OSError) as fault:
            self.faults.append((number, fault))


@pytest.mark.parametrize("seed", range(4))
def test_random_exchanges_keep_apart(bench, backend, seed):
    run = Run(backend, seed)
    threads = [threading.Thread(target=run.client, args=(bench, range(n * 100, n * 100 + 12))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not run.faults, (len(run.faults), [repr(fault)[-300:] for fault in run.faults[:3]])
    assert len(backend.requests) == len(run.exchanges)
