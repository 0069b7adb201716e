"""A request in flight keeps what it started with, whatever changes meanwhile; the next request on
the same connection follows the new configuration."""
import contextlib
import threading
import time

import pytest

from harness import HOST, Backend, virtual_service, wait_until

pytestmark = pytest.mark.reload

RULE = """
    - match: [ { uri: { prefix: /trickle } } ]
      route: [ { destination: { host: trickle } } ]"""


def routes_gone(manifests):
    manifests.remove("5-virtual-service.yaml")


def subset_gone(manifests):
    manifests.replace("4-destination-rule.yaml", manifests.read("4-destination-rule.yaml").replace("name: v1", "name: v0"))


def service_gone(manifests):
    manifests.remove("9-trickle.yaml")


def certificate_gone(manifests):
    manifests.remove("7-certificate.yaml")


def gateway_gone(manifests):
    manifests.remove("6-gateway.yaml")


def everything_gone(manifests):
    for name in ("4-destination-rule.yaml", "5-virtual-service.yaml", "6-gateway.yaml", "9-trickle.yaml"):
        manifests.remove(name)


CHANGES = (routes_gone, subset_gone, service_gone, certificate_gone, gateway_gone, everything_gone)


@pytest.mark.parametrize("scheme", ("http", "https"))
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_request_in_flight_ends_as_it_began(manifests, start, scheme, change):
    backend = Backend()
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 1}, RULE))
    manifests.write("9-trickle.yaml", backend.manifests("trickle"))
    lateen = start()
    with contextlib.closing(backend), contextlib.closing(lateen.client(scheme)) as client:
        client.request("GET", "/trickle", headers={"Host": HOST})
        response = client.getresponse()
        assert response.status == 200 and response.readline() == b"line 0\n"
        at = len(lateen.log())
        change(manifests)
        wait_until("the change is live", lambda: "reload:" in lateen.log()[at:])
        line = int(response.readline().split()[1])
        backend.finish.set()
        rest = response.read().splitlines()  # raises if it is cut
        assert line >= 1 and all(b"line %d" % n == text for n, text in enumerate(rest, line + 1))


@pytest.mark.faults
def test_a_body_on_its_way_reaches_the_backend_it_started_for(manifests, start):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    lateen = start()
    changed = threading.Event()

    def body():
        for _ in range(20):
            yield b"x" * 10_000
        manifests.replace("5-virtual-service.yaml", virtual_service({"v1": 0, "v2": 1}))
        wait_until("the change is live", lambda: lateen.get("/").version == "v2")
        changed.set()
        for _ in range(20):
            yield b"y" * 10_000

    with contextlib.closing(lateen.client()) as client:
        answer = client.get("/", method="POST", body=body())
        assert changed.is_set()
        assert answer.version == "v1" and answer.field("Body octets") == "400000"
        wait_until("the connection's worker follows, too", lambda: client.get("/").version == "v2")


def test_a_client_that_leaves_midway_harms_nobody(manifests, start):
    lateen = start()
    for _ in range(30):
        client = lateen.client()
        client.request("GET", "/?size=8Mi", headers={"Host": HOST})
        client.sock.recv(1000)
        client.close()
        client = lateen.client()
        client.sock.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\nabc".encode())
        client.close()
    assert lateen.versions(20).keys() == {"v1", "v2"}


def test_a_slow_reader_gets_all_of_a_large_answer_and_memory_stays_small(manifests, start):
    """64 MiB through one connection that is read slowly at first: back-pressure, not a buffer."""
    lateen = start(flags=["--access-log", "off"])
    with contextlib.closing(lateen.client()) as client:
        client.request("GET", "/?size=64Mi", headers={"Host": HOST})
        time.sleep(1)
        with open(f"/proc/{lateen.process.pid}/status") as status:
            resident_kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        response = client.getresponse()
        assert sum(len(part) for part in iter(lambda: response.read(1 << 20), b"")) >= 64 << 20
    assert resident_kib < 64 * 1024 or "san" in str(lateen.process.args[0])
