"""Other people's HTTP/2: curl, nghttp, h2load, nghttpd, python3-h2, grpcio."""
import contextlib
import re
import subprocess
import time
from concurrent import futures

import grpc
import h2.config
import h2.connection
import h2.events
import pytest
from wire import PATIENCE, wait_until


def run(*command, timeout=60):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def url(bench, host, tls, path="/"):
    return f"https://x.test:{bench.tls_port}{path}" if tls else f"http://{host}:{bench.port}{path}"


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_curl(bench, plain, backend, tls):
    for target in (plain, backend):
        flags = ["--http2"] if tls else ["--http2-prior-knowledge"]
        if tls:
            flags += ["--cacert", bench.lateen.cafile(), "--resolve", f"x.test:{bench.tls_port}:127.0.0.1"]
        else:
            flags += ["--resolve", f"{target.host}:{bench.port}:127.0.0.1"]
        out = run("curl", "-sS", *flags, "-H", f"Host: {target.host}", "-w", " %{http_version} %{http_code}",
                  url(bench, target.host, tls))
        assert out == "1 2 200"


def test_nghttp_uploads(bench, plain, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(3 << 20))
    out = run("nghttp", "-v", "-d", body, "-H", f":authority: {plain.host}", f"http://127.0.0.1:{bench.port}/")
    assert ":status: 200" in out and len(plain.requests[0].body) == 3 << 20


@contextlib.contextmanager
def site(tmp_path, bench, *flags):
    """nghttpd over a folder in the place of an HTTP/2 backend; yields the host."""
    backend = bench.backend()
    backend.refuse()
    server = subprocess.Popen(["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", str(tmp_path), *flags,
                               str(backend.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (tmp_path / "ready").write_text("yes")
    (tmp_path / "index.html").write_text("index")
    try:
        def answers():
            with bench.h2() as client:
                return client.get(backend.host, "/ready").status == 200
        wait_until("nghttpd answers", answers)
        yield backend.host
    finally:
        server.kill()
        server.wait()


def test_nghttpd_serves_megabytes_upstream(bench, tmp_path):
    (tmp_path / "big").write_bytes(bytes(range(256)) * 20000)
    with site(tmp_path, bench, "--trailer", "x-sum: 1", "--echo-upload") as host, bench.h2() as client:
        answer = client.get(host, "/big")
        assert answer.body == bytes(range(256)) * 20000 and answer.trailers == [("x-sum", "1")]
        stream = client.request(host, "POST", "/", end=False)
        client.data_all(stream, answer.body)
        assert client.answer(stream).body == answer.body


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("kind", ["h1", "h2"])
def test_h2load_sees_no_failure(bench, plain, tmp_path, tls, kind):
    base = f"https://x.test:{bench.tls_port}/" if tls else f"http://x.test:{bench.port}/"
    port = bench.tls_port if tls else bench.port
    with site(tmp_path, bench) as host:
        target = host if kind == "h2" else plain.host
        out = run("h2load", "-n", 3000, "-c", 4, "-m", 50, "-H", f":authority: {target}",
                  "--connect-to", f"127.0.0.1:{port}", base)
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in out and "3000 2xx" in out, out


def test_python_h2_finds_nothing_to_object_to(bench, plain):
    """A client that checks what it gets: every event up to the end, windows by acknowledgement."""
    plain.script = lambda peer: (peer.request(), peer.reply(b"z" * 300000))
    with bench.h2(preface=False) as wire:
        conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        conn.initiate_connection()
        conn.send_headers(1, [(":method", "GET"), (":scheme", "http"), (":authority", plain.host), (":path", "/")], True)
        body, ended, end = b"", False, time.monotonic() + PATIENCE
        while not ended and time.monotonic() < end:
            wire.send(conn.data_to_send())
            for event in conn.receive_data(wire.sock.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                    conn.acknowledge_received_data(event.flow_controlled_length, 1)
                ended |= isinstance(event, h2.events.StreamEnded)
        assert body == b"z" * 300000


# ---- gRPC ----

class Service(grpc.GenericRpcHandler):
    """Messages are plain octets."""

    def service(self, details):
        kinds = {"Unary": grpc.unary_unary_rpc_method_handler(self.unary),
                 "Down": grpc.unary_stream_rpc_method_handler(self.down),
                 "Up": grpc.stream_unary_rpc_method_handler(self.up),
                 "Both": grpc.stream_stream_rpc_method_handler(self.both),
                 "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
                 "Slow": grpc.unary_unary_rpc_method_handler(self.slow)}
        return kinds.get(details.method.rsplit("/", 1)[1])

    def unary(self, request, context):
        context.send_initial_metadata([("x-first", "1")])
        context.set_trailing_metadata([("x-last", "2"), ("x-last-bin", b"\0\1\2")])
        return request

    def down(self, request, context):
        for i in range(int(request)):
            yield b"%d" % i

    def up(self, requests, context):
        return b"%d" % sum(len(one) for one in requests)

    def both(self, requests, context):
        for one in requests:
            yield one.upper()

    def fail(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no: ä%")

    def slow(self, request, context):
        time.sleep(1)
        return request


@pytest.fixture
def channel(bench):
    backend = bench.backend()
    backend.refuse()
    server = grpc.server(futures.ThreadPoolExecutor(8), (Service(),), options=[("grpc.so_reuseport", 0)])
    assert server.add_insecure_port(f"127.0.0.1:{backend.port}") == backend.port
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{bench.port}", [("grpc.default_authority", backend.host),
                                                           ("grpc.enable_http_proxy", 0)]) as channel:
        yield channel
    server.stop(0).wait()


def test_grpc_unary_with_metadata_and_trailers(channel):
    call = channel.unary_unary("/t.S/Unary")
    for body in (b"", b"hello", bytes(3 << 20)):
        answer, info = call.with_call(body, metadata=[("x-bin", b"v")], timeout=PATIENCE)
        assert answer == body
        assert ("x-first", "1") in info.initial_metadata()
        assert ("x-last", "2") in info.trailing_metadata() and ("x-last-bin", b"\0\1\2") in info.trailing_metadata()


def test_grpc_streams_down_up_and_both_ways(channel):
    assert [int(one) for one in channel.unary_stream("/t.S/Down")(b"2000", timeout=PATIENCE)] == list(range(2000))
    assert channel.stream_unary("/t.S/Up")((bytes(10000) for _ in range(300)), timeout=PATIENCE) == b"3000000"
    calls = channel.stream_stream("/t.S/Both")

    def words():
        for i in range(50):
            yield b"w%d" % i
            time.sleep(0.002)

    assert list(calls(words(), timeout=PATIENCE)) == [b"W%d" % i for i in range(50)]


def test_grpc_status_and_message_come_through(channel):
    for method, code in (("Fail", grpc.StatusCode.FAILED_PRECONDITION), ("None", grpc.StatusCode.UNIMPLEMENTED)):
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/t.S/{method}")(b"x", timeout=PATIENCE)
        assert caught.value.code() == code
        assert code != grpc.StatusCode.FAILED_PRECONDITION or caught.value.details() == "no: ä%"


def test_grpc_deadlines_and_cancels_leave_the_channel(channel):
    slow = channel.unary_unary("/t.S/Slow")
    with pytest.raises(grpc.RpcError) as caught:
        slow(b"x", timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    future = slow.future(b"x")
    time.sleep(0.1)
    future.cancel()
    assert channel.unary_unary("/t.S/Unary")(b"y", timeout=PATIENCE) == b"y"


def test_grpc_unary_many_times_at_once(channel):
    call = channel.unary_unary("/t.S/Unary")
    pending = [(b"%d" % i, call.future(b"%d" % i, timeout=PATIENCE)) for i in range(500)]
    assert all(future.result() == body for body, future in pending)
