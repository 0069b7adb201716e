"""`lateen echo`: the stand-in workload alone (surface.md, section 3)."""
import contextlib
import http.client
import json
import time

import pytest

from harness import Client, free_ports, running_echo, wait_until


@pytest.fixture(scope="module")
def echo():
    (port,) = free_ports(1)

    def is_up():
        with contextlib.suppress(OSError):
            Client(port).close()
            return True
        return False

    with running_echo("e2e-echo", "--port", port, "--name", "shop", "--version", "v7"):
        wait_until("echo listens", is_up)
        yield lambda path="/", **how: ask(port, path, **how)


def ask(port, path, **how):
    with contextlib.closing(Client(port, host="shop.example")) as client:
        return client.get(path, **how)


def test_the_answer_says_what_was_asked(echo):
    answer = echo("/a?b=c", method="POST", body=b"12345", headers={"X-Mine": "1"})
    lines = answer.text.splitlines()
    for line in ("Name=shop", "Version=v7", "Method=POST", "Path=/a?b=c", "Protocol=HTTP/1.1", "Host=shop.example",
                 "Body octets=5"):
        assert line in lines, answer.text
    assert answer.request_headers("x-mine") == ["1"]
    assert answer.field("RemoteAddress").startswith("127.0.0.1")


def test_json_and_html_are_given_to_who_accepts_them(echo):
    text = echo("/", headers={"Accept": "application/json"}).text
    assert "v7" in json.dumps(json.loads(text)), text
    page = echo("/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html") and "v7" in page.text and "<" in page.text


def test_the_query_steers_status_header_size_delay_and_close(echo):
    assert echo("/?status=503").status == 503
    assert echo("/?header=x-a:b").headers["x-a"] == "b"
    assert len(echo("/?size=1Mi").body) >= 1024 * 1024
    before = time.monotonic()
    assert echo("/?delay=200ms").status == 200 and time.monotonic() - before >= 0.2
    assert echo("/?close=1").headers["Connection"] == "close"
    with pytest.raises((OSError, http.client.HTTPException)):
        echo("/?reset=after-head")
