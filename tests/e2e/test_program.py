"""The program as its user meets it: commands, signals, own replies, logs, service ports."""
import contextlib
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import termios
import time

import pytest

from harness import BIN, HOST, TOP, TUTORIAL, virtual_service, wait_until


def lateen(*arguments):
    return subprocess.run([BIN, *map(str, arguments)], text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)


# --- commands ---

def test_version_names_the_program_and_its_version():
    for how in ("--version", "version"):
        out = lateen(how)
        assert out.returncode == 0 and out.stdout.startswith("lateen 0.1.0 ("), out


def test_help_lists_the_commands():
    out = lateen("help")
    assert out.returncode == 0
    for command in ("run", "validate", "echo", "version"):
        assert command in out.stdout


@pytest.mark.parametrize("arguments", (["nonsense"], ["run"], ["run", "--nonsense"], ["diff", "a", "b"],
                                       ["run", "--port", "x=y", "-f", "."], []), ids=" ".join)
def test_a_wrong_or_unbuilt_command_line_exits_64_and_says_why(arguments):
    out = lateen(*arguments)
    assert out.returncode == 64 and out.stderr, out


def test_validate_accepts_the_tutorial():
    for arguments in (["-f", TUTORIAL], [TUTORIAL]):
        out = lateen("validate", *arguments)
        assert out.returncode == 0, out


def test_validate_says_file_line_column_and_field(tmp_path):
    bad = tmp_path / "vs.yaml"
    bad.write_text(virtual_service({"v1": 50, "v2": 50}).replace("weight: 50", "wieght: 50", 1))
    line = next(n for n, text in enumerate(bad.read_text().splitlines(), 1) if "wieght" in text)
    out = lateen("validate", "-f", bad)
    said = out.stdout + out.stderr
    assert out.returncode == 1 and re.search(rf"vs\.yaml:{line}:11: error: .*wieght", said), said
    assert "VirtualService hedgus/hedgus-app" in said and "weight" in said.replace("wieght", "")


def test_validate_of_what_is_no_yaml_exits_65(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [ {\n")
    out = lateen("validate", "-f", bad)
    assert out.returncode == 65 and "bad.yaml:" in out.stdout + out.stderr, out


# --- what a client sees ---

@pytest.mark.parametrize("scheme", ("http", "https"))
def test_a_host_of_nobody_is_404_without_a_body(tutorial, scheme):
    answer = tutorial.get("/", scheme, sni=HOST, host="other.example")
    assert answer.status == 404 and answer.body == b"" if scheme == "http" else answer.status in (404, 421)


def test_a_foreign_sni_is_closed(tutorial):
    with pytest.raises(OSError):
        tutorial.client("https", host="other.example", cafile=False)


def test_host_is_matched_with_any_port_and_in_any_case(tutorial):
    for host in (HOST, HOST.upper(), f"{HOST}:80", f"{HOST}:12345"):
        assert tutorial.get("/", host=host).status == 200, host


def test_head_has_no_body_and_the_connection_goes_on(tutorial):
    with contextlib.closing(tutorial.client()) as client:
        assert client.get("/", method="HEAD").body == b""
        assert client.get("/").version in ("v1", "v2")


@pytest.mark.parametrize("how", ("length", "chunked"))
def test_a_body_reaches_the_backend_whole(tutorial, how):
    body = os.urandom(3 * 1024 * 1024 + 1)
    sent = body if how == "length" else (body[at:at + 70_000] for at in range(0, len(body), 70_000))
    with contextlib.closing(tutorial.client()) as client:
        answer = client.get("/", method="POST", body=sent)
        assert answer.status == 200 and re.search(rf"Body.*{len(body)}", answer.text), answer.text


@pytest.mark.faults
def test_a_large_answer_arrives_whole_on_both_schemes(tutorial):
    for scheme in ("http", "https"):
        assert len(tutorial.get("/?size=5Mi", scheme).body) >= 5 * 1024 * 1024


def test_the_backend_sees_istios_headers(tutorial):
    for scheme in ("http", "https"):
        answer = tutorial.get("/x", scheme, headers={"X-Forwarded-Proto": "gopher", "Connection": "x-mine, keep-alive",
                                                     "X-Mine": "1", "X-Envoy-Internal": "true"})
        assert answer.request_headers("x-forwarded-proto") == [scheme]
        assert answer.request_headers("x-forwarded-for") == ["127.0.0.1"]
        assert len(answer.request_headers("x-request-id")) == 1
        assert answer.request_headers("x-mine") == [] and answer.request_headers("connection") == []
        assert answer.headers["server"] == "istio-envoy"


def test_paths_are_normalised_before_the_backend_sees_them(tutorial):
    assert tutorial.get("/a/./b/../c%7E?q=%2e").field("Path") == "/a/c~?q=%2e"


# --- changes ---

def test_a_broken_file_keeps_the_last_good_objects(manifests, start):
    lateen = start()
    at = len(lateen.log())
    manifests.replace("5-virtual-service.yaml", "apiVersion: networking.istio.io/v1\nkind: [ {\n")
    wait_until("it is reported", lambda: re.search(r"5-virtual-service\.yaml:\d+:\d+: error", lateen.log()[at:]))
    assert lateen.versions(20).keys() == {"v1", "v2"}
    manifests.replace("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    wait_until("the mended file is live", lambda: lateen.versions(8) == {"v1": 8})


def test_a_removed_virtual_service_is_404_and_comes_back(manifests, start):
    lateen = start()
    text = manifests.read("5-virtual-service.yaml")
    manifests.remove("5-virtual-service.yaml")
    wait_until("404", lambda: lateen.get("/").status == 404)
    manifests.write("5-virtual-service.yaml", text)
    wait_until("200", lambda: lateen.get("/").status == 200)


def test_a_swapped_symlink_is_followed_as_configmaps_do_it(tmp_path, manifests, start):
    """..data -> ..1 is swapped to ..2 by rename, and each file is a link through ..data."""
    folder = pathlib.Path(manifests.folder)
    first, second = folder / "..1", folder / "..2"
    for data, weights in ((first, {"v1": 1, "v2": 0}), (second, {"v1": 0, "v2": 1})):
        data.mkdir()
        (data / "vs.yaml").write_text(virtual_service(weights))
    manifests.remove("5-virtual-service.yaml")
    (folder / "..data").symlink_to("..1")
    (folder / "vs.yaml").symlink_to("..data/vs.yaml")
    lateen = start()
    assert lateen.versions(8) == {"v1": 8}
    (folder / "..fresh").symlink_to("..2")
    (folder / "..fresh").rename(folder / "..data")
    wait_until("v2 alone answers", lambda: lateen.versions(8) == {"v2": 8})


def test_without_watching_only_sighup_reads_again(manifests, start):
    lateen = start(flags=["--watch=false"])
    manifests.replace("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    time.sleep(0.5)
    assert lateen.versions(20).keys() == {"v1", "v2"}
    lateen.signal(signal.SIGHUP)
    wait_until("v1 alone answers", lambda: lateen.versions(8) == {"v1": 8})


# --- signals, logs, service ports ---

def test_usr1_reopens_the_access_log(manifests, start, tmp_path):
    log = tmp_path / "access.log"
    lateen = start(flags=["--access-log", log])
    lateen.get("/before")
    wait_until("a line is written", lambda: log.exists() and "/before" in log.read_text())
    log.rename(tmp_path / "access.log.1")
    lateen.signal(signal.SIGUSR1)
    wait_until("the file is there again", log.exists)
    lateen.get("/after")
    wait_until("the new file gets the line", lambda: "/after" in log.read_text())
    assert "/after" not in (tmp_path / "access.log.1").read_text()


def test_term_finishes_the_request_in_flight_and_leaves_with_0(manifests, start):
    lateen = start()
    with contextlib.closing(lateen.client()) as client:
        client.request("GET", "/?delay=1s", headers={"Host": HOST})
        time.sleep(0.3)
        lateen.signal(signal.SIGTERM)
        response = client.getresponse()
        assert response.status == 200 and response.headers.get("Connection", "").lower() == "close"
        response.read()
    assert lateen.process.wait(20) == 0


def test_the_access_log_is_istios_default_format(tutorial):
    tutorial.get("/logged?x=1", headers={"User-Agent": "e2e"})
    line = wait_until("the line", lambda: re.search(r'^.*"GET /logged\?x=1 HTTP/1\.1".*$', tutorial.access_log(), re.M))[0]
    assert re.fullmatch(
        r'\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "GET /logged\?x=1 HTTP/1\.1" 200 - via_upstream - "-" '
        r'0 \d+ \d+ \d+ "127\.0\.0\.1" "e2e" "[0-9a-f-]{36}" "' + re.escape(HOST) + r'" "127\.0\.0\.1:\d+" '
        r'outbound\|80\|v[12]\|hedgus-app\.hedgus\.svc\.cluster\.local;? 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ '
        r'127\.0\.0\.1:\d+ - (-|default)', line), line


def test_ready_health_and_metrics_answer_on_their_ports(tutorial):
    assert tutorial.admin("/ready").status == 200
    assert tutorial.admin("/healthz/ready", port=tutorial.health_port).status == 200
    tutorial.get("/counted")

    def counted():
        page = tutorial.admin("/stats/prometheus", port=tutorial.metrics_port)
        return page.status == 200 and re.search(r'^istio_requests_total\{[^}]*response_code="200"[^}]*\} [1-9]',
                                                page.text, re.M)

    wait_until("istio_requests_total counts", counted)


@pytest.mark.parametrize("how", ("--supervise=false", "--supervise"))
def test_a_start_that_waits_for_standard_input_ends_by_a_signal(tmp_path, how):
    command = [BIN, "run", "--dev", how, "-f", "-", "--state", tmp_path / "state", "--admin", "off", "--health", "off",
               "--metrics", "off"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            process.stdin.write(b"# and more to come\n")
            process.stdin.flush()
            wait_until("it reads its input", lambda: fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)) == bytes(4))
            process.terminate()
            assert process.wait(30) == -signal.SIGTERM
        finally:
            process.kill()
