"""`lateen echo` over HTTP/2: by prior knowledge and by ALPN."""
import contextlib
import subprocess

import pytest
from frames import *  # noqa: F403
from harness import free_ports, running_echo
from wire import wait_until


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("echo")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "1", "-subj", "/CN=x.test",
                    "-addext", "subjectAltName=DNS:x.test"], check=True, capture_output=True)
    clear, tls = free_ports(2)

    def is_up():
        with contextlib.suppress(OSError):
            H2Client(tls, str(folder / "cert.pem")).close()
            return True
        return False

    with running_echo("h2-echo", "--port", clear, "--tls-port", tls, "--cert", folder / "cert.pem", "--key",
                      folder / "key.pem", "--name", "shop", "--grpc"):
        wait_until("echo listens", is_up)
        yield {"clear": lambda: H2Client(clear), "tls": lambda: H2Client(tls, str(folder / "cert.pem"))}


@pytest.fixture(params=["clear", "tls"])
def client(echo, request):
    with echo[request.param]() as client:
        yield client


def test_the_answer_says_http_2(client):
    answer = client.get("shop.test", "/a?b=c", ("x-y", "z"))
    assert answer.status == 200
    for line in ("Name=shop", "Protocol=HTTP/2", "Path=/a?b=c", "Host=shop.test", "RequestHeader=x-y: z"):
        assert line in answer.text.splitlines()


def test_the_query_steers_as_over_http_1(client):
    assert client.get("x", "/?status=503").status == 503
    assert client.get("x", "/?trailer=x-sum:7").trailers == [("x-sum", "7")]
    assert client.get("x", "/?header=x-one:2").get("x-one") == "2"
    assert len(client.get("x", "/?size=3Mi").body) == 3 << 20
    broken = client.get("x", "/?size=1Mi&reset=after-head")
    assert broken.reset is not None and broken.status == 200
    client.alive()


def test_a_body_is_counted(client):
    stream = client.request("x", "POST", "/", end=False)
    client.data_all(stream, bytes(1 << 20))
    assert "Body octets=1048576" in client.answer(stream).text


def test_streams_are_answered_side_by_side(client):
    slow = client.request("x", "GET", "/?delay=300ms")
    assert client.get("x", "/").status == 200
    assert not client.answers.get(slow)
    assert client.answer(slow).status == 200


# ---- gRPC ----

def message(text, flag=0):
    octets = b"\x0a" + bytes([len(text)]) + text
    return bytes([flag]) + u32(len(octets)) + octets


def call(client, method, *pieces, end=True):
    stream = client.request("x", "POST", f"/lateen.echo.v1.Echo/{method}", ("content-type", "application/grpc"),
                            ("te", "trailers"), end=False)
    for i, piece in enumerate(pieces):
        client.data(stream, piece, end=end and i == len(pieces) - 1)
    return client.answer(stream)


def test_grpc_messages_may_come_in_any_pieces(client):
    body = message(b"ab") + message(b"") + message(b"cde")
    whole = call(client, "BidiStream", body)
    assert whole.trailers == [("grpc-status", "0")] and whole.get("content-type") == "application/grpc"
    assert whole.body.count(b"shop") == 3 and b"\x0a\x02ab" in whole.body and b"\x0a\x03cde" in whole.body
    assert call(client, "BidiStream", *[bytes([octet]) for octet in body]).body == whole.body
    for cut in range(1, len(body)):
        assert call(client, "BidiStream", body[:cut], body[cut:]).body == whole.body


def test_grpc_calls_that_break_off_have_a_status(client):
    for pieces, status in (([message(b"ab")[:-1]], "13"), ([b"\0"], "13"), ([message(b"x", flag=1)], "12"),
                           ([b"\0\x7f\xff\xff\xff"], "8"), ([message(b"a"), message(b"b")], "13"), ([b""], "13")):
        answer = call(client, "Unary", *pieces)
        assert (answer.get("grpc-status") or dict(answer.trailers)["grpc-status"]) == status, pieces
    assert call(client, "Nothing", message(b"x")).get("grpc-status") == "12"
    early = call(client, "Unary", message(b"x", flag=1), end=False)  # before the request has ended
    assert early.get("grpc-status") == "12"
    client.alive()


def test_other_requests_are_answered_as_before(client):
    stream = client.request("x", "POST", "/", ("content-type", "application/grpc-web"), end=False, body=b"x")
    client.send(frame(DATA, END_STREAM, stream))
    assert "Body octets=1" in client.answer(stream).text
