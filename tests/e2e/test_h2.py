"""The tutorial over HTTP/2: curl by ALPN and by prior knowledge, and gRPC through its gateway."""
import collections
import contextlib
import queue
import re
import subprocess

import grpc
import pytest

from harness import HOST, PATIENCE, free_ports, running_echo, virtual_service, wait_until
from test_tutorial import SCHEMES, expect_shares, url_of


def curl(lateen, scheme, path="/", *flags):
    """One connection for all of a range of paths. What came, each answer behind a line of its
    version of HTTP and its status."""
    how = ["--http2", "--cacert", lateen.cafile()] if scheme == "https" else ["--http2-prior-knowledge"]
    url = url_of(lateen, scheme, path)
    port = lateen.ports[443 if scheme == "https" else 80]
    done = subprocess.run(["curl", "-sS", *how, "--resolve", f"{HOST}:{port}:127.0.0.1", *flags, "-w",
                           "%{http_version} %{http_code} %{num_connects}\n", url],
                          capture_output=True, text=True, timeout=4 * PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def many(lateen, scheme, n):
    """n requests on one connection, one after the other by curl, or side by side by nghttp: curl 7.88
    breaks off a connection by prior knowledge when it uses it again."""
    if scheme == "https":
        curl(lateen, scheme, f"/https-[1-{n}]")
        return
    urls = [f"http://127.0.0.1:{lateen.ports[80]}/http-{i}" for i in range(1, n + 1)]
    subprocess.run(["nghttp", "-n", "-H", f":authority: {HOST}", *urls], timeout=4 * PATIENCE, check=True,
                   stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.faults
def test_2000_requests_on_one_connection_are_split_in_halves(tutorial, scheme):
    many(tutorial, scheme, 2000)
    served = re.compile(rf'"GET /{scheme}-\d+ HTTP/2" 200 - via_upstream .*outbound\|80\|(v\d)\|')
    rows = wait_until("every request is logged", lambda: (
        len(found := served.findall(tutorial.access_log())) >= 2000 and found))
    expect_shares(collections.Counter(rows), {"v1": 50, "v2": 50}, 2000)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_curl_sees_both_versions(tutorial, scheme):
    seen = collections.Counter()
    for _ in range(10):
        out = curl(tutorial, scheme)
        assert out.endswith("2 200 1\n"), out
        seen.update(re.findall(r"^Version=(\S+)$", out, re.M))
    assert set(seen) == {"v1", "v2"}


def test_requests_side_by_side_are_split_too(tutorial):
    out = curl(tutorial, "https", "/[1-400]", "--parallel", "--parallel-max", "40")
    expect_shares(collections.Counter(re.findall(r"^Version=(\S+)$", out, re.M)), {"v1": 50, "v2": 50}, 400)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_saved_weight_is_followed_on_the_same_connection(manifests, start, scheme):
    """One HTTP/2 connection for all: its next streams follow, and it stays."""
    lateen = start()
    with streaming(lateen, scheme) as version:
        assert {version() for _ in range(20)} == {"v1", "v2"}
        for only in ("v1", "v2", "v1"):
            other = {"v1": "v2", "v2": "v1"}[only]
            manifests.write("5-virtual-service.yaml", virtual_service({only: 100, other: 0}))
            wait_until(f"{only} alone answers", lambda: {version() for _ in range(10)} == {only})
            assert {version() for _ in range(100)} == {only}
        served = re.findall(r"^http2\.goaway_sent: (\d+)$", lateen.admin("/stats").text, re.M)
        assert served in ([], ["0"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_errors_and_redirects_are_the_same_over_http_2(manifests, start, scheme):
    manifests.edit("6-gateway.yaml", "        protocol: HTTP\n      hosts:\n        - mk.hedgus.com\n",
                   "        protocol: HTTP\n      hosts:\n        - mk.hedgus.com\n"
                   "      tls: { httpsRedirect: true }\n")
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1}, """
    - match: [ { uri: { exact: /old } } ]
      redirect: { uri: /new }
    - match: [ { uri: { exact: /nobody } } ]
      route: [ { destination: { host: nobody } } ]"""))
    lateen = start()
    if scheme == "http":
        out = curl(lateen, scheme, "/a?b", "-D", "-")
        assert "HTTP/2 301" in out and f"location: https://{HOST}" in out and out.rstrip().endswith("2 301 1")
        return
    out = curl(lateen, scheme, "/old", "-D", "-")
    assert "HTTP/2 301" in out and re.search(r"^location: https://mk.hedgus.com\S*/new", out, re.M), out
    assert curl(lateen, scheme, "/nobody").endswith("2 503 1\n")
    assert curl(lateen, scheme, "/", "-H", "Host: other.test").endswith(" 1\n")
    wait_until("they are logged", lambda: '"GET /nobody HTTP/2" 503 NC' in lateen.access_log())


# ---- gRPC ----

def number(field, v):
    octets = bytearray([field << 3])
    while v >= 0x80:
        octets.append(v & 0x7f | 0x80)
        v >>= 7
    return bytes(octets) + bytes([v])


def text(field, s):
    octets = s.encode()
    return bytes([field << 3 | 2]) + number(0, len(octets))[1:] + octets


def ask(message="", answers=0, delay_ms=0, status=0):
    return text(1, message) + number(2, answers) + number(3, delay_ms) + number(4, status)


def fields(octets):
    """{field: number or text} of a message with fields 1 to 15."""
    found, at = {}, 0

    def varint():
        nonlocal at
        v = shift = 0
        while True:
            v |= (octets[at] & 0x7f) << shift
            at, shift = at + 1, shift + 7
            if not octets[at - 1] & 0x80:
                return v

    while at < len(octets):
        key = varint()
        v = varint()
        if key & 7:
            v, at = octets[at:at + v].decode(), at + v
        found[key >> 3] = v
    return found


class Channel:
    """grpcio through the gateway, on one connection."""

    def __init__(self, lateen, scheme):
        port = lateen.ports[443 if scheme == "https" else 80]
        options = [("grpc.default_authority", HOST), ("grpc.ssl_target_name_override", HOST),
                   ("grpc.use_local_subchannel_pool", 1)]
        if scheme == "https":
            with open(lateen.cafile(), "rb") as ca:
                self.channel = grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(ca.read()), options)
        else:
            self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)

    def call(self, kind, method, service="lateen.echo.v1.Echo"):
        return lambda *args, **how: getattr(self.channel, kind)(f"/{service}/{method}")(
            *args, timeout=PATIENCE, wait_for_ready=True, **how)

    def unary(self, *args, **how):
        return fields(self.call("unary_unary", "Unary")(ask(*args), **how))


@contextlib.contextmanager
def streaming(lateen, scheme):
    """Calls on one connection; each tells the version that answered. The stand-ins speak gRPC, too."""
    channel = Channel(lateen, scheme)
    with channel.channel:
        yield lambda: channel.unary("x")[3]


GRPC = """
    - match: [ { uri: { prefix: /lateen.echo.v1.Echo/ } }, { uri: { prefix: /grpc.health.v1.Health/ } } ]
      route: [ { destination: { host: grpc-echo } } ]"""

ECHO = """apiVersion: v1
kind: Service
metadata: {{ name: grpc-echo, namespace: hedgus }}
spec:
  ports: [ {{ name: grpc, port: 9000, targetPort: {port} }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: grpc-echo, namespace: hedgus }}
subsets:
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: grpc, port: {port} }} ]
"""


@pytest.fixture(scope="module")
def echo():
    """`lateen echo --grpc`; its port."""
    (port,) = free_ports(1)
    with running_echo("e2e-echo-grpc", "--port", port, "--grpc", "--name", "shop", "--version", "v7"):
        yield port


@pytest.fixture(params=SCHEMES)
def channel(manifests, start, echo, request):
    manifests.write("8-grpc.yaml", ECHO.format(port=echo))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1}, GRPC))
    channel = Channel(start(), request.param)
    with channel.channel:
        wait_until("the echo answers", lambda: served(channel))
        yield channel


def served(channel):
    with contextlib.suppress(grpc.RpcError):
        return channel.unary("up")[2] == "shop"
    return False


@pytest.mark.faults
def test_grpc_echoes_through_the_tutorials_gateway(channel):
    """All four shapes, metadata and trailers intact, statuses, and large messages."""
    metadata = (("x-grpc-test-echo-initial", "first"), ("x-grpc-test-echo-trailing-bin", b"\0\1\xff"))
    answer, call = channel.channel.unary_unary("/lateen.echo.v1.Echo/Unary").with_call(
        ask("hello"), metadata=metadata, timeout=PATIENCE)
    assert fields(answer) == {1: "hello", 2: "shop", 3: "v7", 5: 1, 6: 5}
    assert ("x-grpc-test-echo-initial", "first") in call.initial_metadata()
    assert ("x-grpc-test-echo-trailing-bin", b"\0\1\xff") in call.trailing_metadata()

    down = [fields(one) for one in channel.call("unary_stream", "ServerStream")(ask("n", answers=50))]
    assert [one.get(4, 0) for one in down] == list(range(50)) and {one[1] for one in down} == {"n"}

    up = fields(channel.call("stream_unary", "ClientStream")(iter([ask("ab"), ask("cde"), ask("last")])))
    assert (up[1], up[5], up[6]) == ("last", 3, 9)

    assert fields(channel.call("stream_unary", "ClientStream")(iter([]))) == {2: "shop", 3: "v7"}

    both = channel.call("stream_stream", "BidiStream")
    assert [fields(one)[1] for one in both(iter([ask(str(i), delay_ms=1) for i in range(20)]))] == [
        str(i) for i in range(20)]

    large = "x" * 3_000_000
    assert channel.unary(large)[1] == large

    with pytest.raises(grpc.RpcError) as failed:
        channel.unary("no", 0, 0, 9)
    assert failed.value.code() == grpc.StatusCode.FAILED_PRECONDITION and failed.value.details() == "as was asked"
    stream = channel.call("unary_stream", "ServerStream")(ask("x", answers=3, status=5))
    assert [fields(next(stream))[1] for _ in range(3)] == ["x"] * 3
    with pytest.raises(grpc.RpcError) as failed:
        next(stream)
    assert failed.value.code() == grpc.StatusCode.NOT_FOUND


def messages(lateen):
    """gRPC messages of requests and of responses that Istio's series count."""
    text = lateen.admin("/stats/prometheus?filter=messages", port=lateen.metrics_port).text
    return tuple(sum(map(int, re.findall(rf"^istio_{side}_messages_total{{.*grpc_response_status=\"0\".*}} (\d+)$", text, re.M)))
                 for side in ("request", "response"))


def test_grpc_messages_are_counted(manifests, start, echo):
    manifests.write("8-grpc.yaml", ECHO.format(port=echo))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1}, GRPC))
    lateen = start()
    channel = Channel(lateen, "http")
    with channel.channel:
        wait_until("the echo answers", lambda: served(channel))
        before = wait_until("it is counted", lambda: (now := messages(lateen))[1] and now)
        assert len(list(channel.call("unary_stream", "ServerStream")(ask("n", answers=50)))) == 50
        channel.call("stream_unary", "ClientStream")(iter([ask("ab"), ask("cde"), ask("last")]))
        want = (before[0] + 1 + 3, before[1] + 50 + 1)
        wait_until("all are counted", lambda: messages(lateen) == want)


@pytest.mark.faults
def test_a_conversation_goes_back_and_forth_on_one_stream(channel):
    """Each request is sent once the answer to the one before has come."""
    requests = queue.Queue()
    answers = channel.call("stream_stream", "BidiStream")(iter(requests.get, None))
    for i in range(30):
        requests.put(ask(f"{i}"))
        one = fields(next(answers))
        assert one[1] == f"{i}" and one[5] == i + 1
    requests.put(None)
    with pytest.raises(StopIteration):
        next(answers)


def test_what_breaks_a_call_has_a_status(channel):
    def code_of(kind, method, argument, **how):
        with pytest.raises(grpc.RpcError) as failed:
            answer = channel.call(kind, method, **how)(argument)
            list(answer)
        return failed.value.code()

    assert code_of("unary_unary", "None", b"") == grpc.StatusCode.UNIMPLEMENTED
    assert code_of("unary_unary", "Unary", b"\x0a\x05") == grpc.StatusCode.INVALID_ARGUMENT
    assert code_of("unary_unary", "Unary", bytes(5 << 20)) == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert code_of("stream_stream", "Unary", iter([b"", b""])) == grpc.StatusCode.INTERNAL
    assert code_of("stream_stream", "Unary", iter([])) == grpc.StatusCode.INTERNAL
    with pytest.raises(grpc.RpcError) as failed:
        channel.channel.unary_unary("/lateen.echo.v1.Echo/Unary")(
            ask("x" * 1000), timeout=PATIENCE, compression=grpc.Compression.Gzip)
    assert failed.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_health_is_answered(channel):
    check = channel.call("unary_unary", "Check", "grpc.health.v1.Health")
    assert fields(check(b"")) == {1: 1} and fields(check(text(1, "lateen.echo.v1.Echo"))) == {1: 1}
    with pytest.raises(grpc.RpcError) as failed:
        check(text(1, "nobody"))
    assert failed.value.code() == grpc.StatusCode.NOT_FOUND
    watch = channel.call("unary_stream", "Watch", "grpc.health.v1.Health")
    one, two = watch(b""), watch(text(1, "nobody"))
    assert fields(next(one)) == {1: 1} and fields(next(two)) == {1: 3}
    one.cancel()
    two.cancel()
