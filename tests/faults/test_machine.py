"""What the machine does to the program: descriptors, ports, disk, clock and address families that are gone.
Namespaces and the false clock are the test's own; where the kernel allows none, a test is skipped by name.
"""
import contextlib
import ctypes
import http.client
import http.server
import os
import pathlib
import re
import resource
import socket
import subprocess
import threading
import time

import pytest

from harness import BIN, HOST, PATIENCE, Client, Manifests, running, serve, virtual_service, wait_until
from load import Turns

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def inside(kind, test):
    """Runs test() in a thread with a namespace of its own; the program that it starts is born there."""
    def body():
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(kind) != 0:
                ended.append(f"no namespace: {os.strerror(ctypes.get_errno())}")
                return
            test()
        except subprocess.CalledProcessError as refused:
            ended.append(f"{refused.cmd}: {refused.stderr.decode().strip()}")
        except BaseException as fault:  # whatever it is, it is the test's
            faults.append(fault)

    ended, faults = [], []
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if ended:
        pytest.skip(ended[0])
    if faults:
        raise faults[0]


def write(path, text):
    pathlib.Path(path).write_text(text)


def dropped(lateen):
    page = lateen.admin("/stats/prometheus").text
    return int(re.search(r"^lateen_access_log_dropped_total (\d+)$", page, re.M)[1])


def days_left(lateen):
    page = lateen.admin("/stats/prometheus").text
    return int(re.search(r"^envoy_server_days_until_first_cert_expiring (\d+)$", page, re.M)[1])


def test_emfile_pauses_accepting_without_a_spin_and_is_over_within_a_second(manifests, start):
    lateen = start(flags=["--workers", "1", "--access-log", "off"])
    lateen.get("/")
    pid = lateen.process.pid
    most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    least = max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1
    before = Turns(lateen).count()
    with contextlib.ExitStack() as stack:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (least, most[1]))
        clients = [stack.enter_context(contextlib.closing(Client(lateen.ports[80]))) for _ in range(30)]
        for client in clients:
            client.request("GET", "/", headers={"Host": HOST})
        time.sleep(1)  # the time in which it would spin
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)
        since = time.monotonic()
        statuses = [client.getresponse().status for client in clients]
        took = time.monotonic() - since
    assert set(statuses) <= {200, 503} and 200 in statuses
    assert took < 1 or "san" in str(BIN)
    assert Turns(lateen).count() - before < 600  # ten a second, and some for each client


def test_ports_that_are_used_up_are_503_uf_and_come_back(manifests, tmp_path):
    def test():
        run("ip", "link", "set", "lo", "up")
        write("/proc/sys/net/ipv4/ip_local_port_range", "60000 60004")
        manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1}))
        with running(manifests, "ports", ["--workers", "1"]) as lateen:
            def ask(n, path):
                client = Client.__new__(Client)
                super(Client, client).__init__("127.0.0.1", lateen.ports[80], timeout=PATIENCE)
                client.sock = socket.create_connection(("127.0.0.1", lateen.ports[80]), PATIENCE,
                                                       source_address=("127.0.0.1", 40000 + n))
                client.request("GET", path, headers={"Host": HOST})
                return client

            clients = [ask(n, "/?delay=1s") for n in range(9)]
            answers = [client.getresponse() for client in clients]
            bodies = [answer.read() for answer in answers]
            refused = [answer.status for answer in answers].count(503)
            assert 4 <= refused < 9 and refused + [answer.status for answer in answers].count(200) == 9
            assert all(b"Cannot assign requested address" in body or b"upstream connect error" in body
                       for answer, body in zip(answers, bodies) if answer.status == 503)
            wait_until("each has UF", lambda: len(re.findall(r" 503 \S*UF", lateen.access_log())) == refused)
            assert [ask(20 + n, "/").getresponse().status for n in range(9)] == [200] * 9
            for client in clients:
                client.close()

    inside(CLONE_NEWNET, test)


def test_a_full_disk_drops_and_counts_log_lines_and_serves(manifests, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()

    def test():
        run("mount", "--make-rprivate", "/")
        run("mount", "-t", "tmpfs", "-o", "size=64k", "none", disk)
        with running(manifests, "disk-full", ["--access-log", disk / "access.log"]) as lateen:
            with contextlib.suppress(OSError):
                write(disk / "filler", "x" * 65536)
            wait_until("lines are dropped", lambda: lateen.get("/").status == 200 and dropped(lateen) > 0)
            (disk / "filler").unlink()
            assert lateen.get("/after").status == 200
            wait_until("it is logged again", lambda: "GET /after" in (disk / "access.log").read_text())

    inside(CLONE_NEWNS, test)


def test_a_log_at_its_size_limit_is_counted_and_ends_nothing(manifests, start, tmp_path):
    """RLIMIT_FSIZE: EFBIG, and not SIGXFSZ."""
    log = tmp_path / "access.log"
    lateen = start(flags=["--access-log", log])
    lateen.get("/")
    wait_until("it is logged", lambda: log.stat().st_size)
    most = resource.prlimit(lateen.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(lateen.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, most[1]))
    wait_until("lines are dropped", lambda: lateen.get("/").status == 200 and dropped(lateen) > 0)
    resource.prlimit(lateen.process.pid, resource.RLIMIT_FSIZE, most)
    assert lateen.get("/after").status == 200
    wait_until("it is logged again", lambda: "GET /after" in log.read_text())


def test_a_log_pipe_without_a_reader_is_counted_and_ends_nothing(manifests, start, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    lateen = start(flags=["--access-log", pipe])
    os.close(reader)
    wait_until("lines are dropped", lambda: lateen.get("/").status == 200 and dropped(lateen) > 0)


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_clock_that_jumps_an_hour_times_nothing_out(manifests, tmp_path):
    """There and back, while connections are idle and requests under way; and a year, after which the
    certificate has expired: it is served on, with an alarm."""
    clock = tmp_path / "clock"
    write(clock, "+0\n")
    command = ("env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1",
               "FAKETIME_DONT_FAKE_MONOTONIC=1", BIN)
    with running(manifests, "clock", command=command) as lateen, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(contextlib.closing(lateen.client(scheme))) for scheme in ("http", "https") * 5]
        assert {client.get("/").status for client in idle} == {200}
        for jump, day in (("+3600", None), ("-3600", None), ("+0", None), ("+400d", "2027|2028")):
            under_way = [lateen.client() for _ in range(5)]
            for client in under_way:
                client.request("GET", "/?delay=300ms", headers={"Host": HOST})
            write(clock, f"{jump}\n")
            assert {client.getresponse().status for client in under_way} == {200}
            assert {client.get("/").status for client in idle} == {200}
            for client in under_way:
                client.close()
            assert lateen.get("/", "https", cafile=False).status == 200
            if day:
                wait_until("the clock jumped", lambda: re.search(rf"^\[({day})", lateen.access_log(), re.M))
                assert days_left(lateen) == 0
                manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1}))  # it is looked at after a change, and hourly
                wait_until("an alarm", lambda: "a certificate has expired and is served on" in lateen.log())
            else:
                assert days_left(lateen) > 0
                assert "certificates: a certificate" not in lateen.log()


def test_without_ipv6_it_listens_on_ipv4(manifests):
    def test():
        run("ip", "link", "set", "lo", "up")
        for name in ("all", "default", "lo"):
            write(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1")
        with running(manifests, "ipv4-only") as lateen:
            assert lateen.get("/").status == 200

    inside(CLONE_NEWNET, test)


V6 = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: six, namespace: six }}
spec:
  selector: {{ istio: ingressgateway }}
  servers: [ {{ port: {{ number: 80, name: http, protocol: HTTP }}, bind: "::1", hosts: [ "*" ] }} ]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: six, namespace: six }}
spec:
  hosts: [ six.internal ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ {{ number: 80, name: http, protocol: HTTP }} ]
  endpoints: [ {{ address: "::1", ports: {{ http: {port} }} }} ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: six, namespace: six }}
spec:
  hosts: [ "*" ]
  gateways: [ six ]
  http: [ {{ route: [ {{ destination: {{ host: six.internal }} }} ] }} ]
"""


class V6Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def test_clients_listeners_and_backends_at_ipv6_alone(tmp_path):
    try:
        backend = V6Server(("::1", 0), http.server.SimpleHTTPRequestHandler)
    except OSError as refused:
        pytest.skip(f"no IPv6: {refused}")
    serve(backend)
    manifests = Manifests(tmp_path / "manifests", source=None)
    manifests.write("six.yaml", V6.format(port=backend.server_address[1]))
    try:
        with running(manifests, "ipv6", ports=(80,)) as lateen:
            with contextlib.closing(http.client.HTTPConnection("::1", lateen.ports[80], timeout=PATIENCE)) as client:
                client.request("HEAD", "/", headers={"Host": "six.test"})
                assert client.getresponse().status == 200
            line = wait_until("it is logged", lambda: [line for line in lateen.access_log().splitlines() if "six.test" in line])[0]
            assert f"[::1]:{backend.server_address[1]}" in line and line.count("[::1]:") >= 3, line
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", lateen.ports[80]), PATIENCE)
    finally:
        backend.shutdown()
        backend.server_close()


def test_tls_on_a_clear_port_is_400_and_closed(tutorial):
    with contextlib.closing(socket.create_connection(("127.0.0.1", tutorial.ports[80]), PATIENCE)) as sock:
        sock.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n")
        assert sock.makefile("rb").read().startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("octets", (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
def test_clear_text_on_a_tls_port_is_closed_without_an_answer_in_clear(tutorial, octets):
    with contextlib.closing(socket.create_connection(("127.0.0.1", tutorial.ports[443]), PATIENCE)) as sock:
        sock.sendall(octets)
        with contextlib.suppress(ConnectionResetError):
            got = sock.makefile("rb").read()
            assert got == b"" or got[0] == 0x15, got  # an alert at most
    assert tutorial.get("/", "https").status == 200


@pytest.mark.parametrize("netem", ("loss 3%", "delay 20ms 10ms reorder 25%"))
def test_loss_and_reorder_lose_no_request(manifests, netem):
    def test():
        run("ip", "link", "set", "lo", "up")
        run("tc", "qdisc", "add", "dev", "lo", "root", "netem", *netem.split())
        with running(manifests, "netem") as lateen, contextlib.closing(lateen.client()) as client:
            answers = [client.get("/?size=100000") for _ in range(10)]
            assert {(answer.status, len(answer.body)) for answer in answers} == {(200, 100000)}

    inside(CLONE_NEWNET, test)
