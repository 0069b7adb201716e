"""DestinationRule connectionPool limits: exact over all workers, and what happens at them."""
import concurrent.futures
import contextlib
import http.server
import re
import socket
import socketserver
import struct
import threading

import pytest

from harness import PATIENCE, TOP, Client, free_ports, running_echo, serve, virtual_service, wait_until

WORKERS = 4
OVERFLOW_BODY = "upstream connect error or disconnect/reset before headers. reset reason: overflow"


class Held(http.server.BaseHTTPRequestHandler):
    """Answers when the backend lets it; counts who is inside at once, and by which connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.backend.connected(1)

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()
        self.server.backend.connected(-1)

    def do_GET(self):
        backend = self.server.backend
        backend.enter()
        backend.gate.wait(PATIENCE * 2)
        backend.leave()
        body = b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Via-Port", str(self.client_address[1]))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Backend:
    def __init__(self, port=0):
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.inside = self.most = self.served = self.connections = 0

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads, request_queue_size = True, 128

        self.server = Server(("127.0.0.1", port), Held)
        self.server.backend = self
        self.port = self.server.server_address[1]
        serve(self.server)

    def connected(self, by):
        with self.lock:
            self.connections += by

    def enter(self):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def leave(self):
        with self.lock:
            self.inside -= 1
            self.served += 1

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def backend():
    one = Backend()
    yield one
    one.close()


def service(ports):
    subsets = "".join(f"""
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: http, port: {port} }} ]""" for port in ports)
    return f"""apiVersion: v1
kind: Service
metadata: {{ name: held, namespace: hedgus }}
spec:
  ports: [ {{ name: http, port: 80, targetPort: {ports[0]} }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: held, namespace: hedgus }}
subsets:{subsets}
"""


def rule(tcp="", http="", lb=""):
    pools = (f"\n      tcp: {{ {tcp} }}" if tcp else "") + (f"\n      http: {{ {http} }}" if http else "")
    pool = f"\n    connectionPool:{pools}" if pools else ""
    balance = f"\n    loadBalancer: {{ simple: {lb} }}" if lb else ""
    return f"""apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {{ name: held, namespace: hedgus }}
spec:
  host: held
  trafficPolicy:{balance or " # nothing about balancing"}{pool}
"""


ROUTE = """
    - match:
        - uri:
            prefix: /held
      route:
        - destination:
            host: held"""


def manifests_with(manifests, ports, policy):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, ROUTE))
    manifests.write("8-held.yaml", service(ports))
    manifests.write("9-rule.yaml", policy)


class Clients:
    """Requests under way, each in a thread and on a connection of its own."""

    def __init__(self, lateen):
        self.port = lateen.ports[80]
        self.pool = concurrent.futures.ThreadPoolExecutor(128)
        self.futures = []

    def one(self, times):
        with contextlib.closing(Client(self.port)) as client:
            return [client.get("/held") for _ in range(times)]

    def ask(self, n, times=1):
        new = [self.pool.submit(self.one, times) for _ in range(n)]
        self.futures += new
        return new

    def answers(self, futures=None):
        return [answer for future in futures or self.futures for answer in future.result(PATIENCE * 3)]


def stat(lateen, name):
    # "\bheld" and no subset: the one cluster of these tests
    found = re.search(rf"^cluster\.outbound\|80\|\|held\.hedgus\.svc\.cluster\.local\.{name}: (\d+)$",
                      lateen.admin(f"/stats?filter=held.*{name}").text, re.M)
    return int(found[1]) if found else 0


def check_refused(answers):
    for answer in answers:
        assert (answer.status, answer.text, answer.headers["x-envoy-overloaded"]) == (503, OVERFLOW_BODY, "true")


@pytest.mark.reload
def test_no_more_connections_than_max_connections_whatever_the_burst(manifests, start, backend):
    manifests_with(manifests, [backend.port], rule(tcp="maxConnections: 3"))
    lateen = start(flags=["--workers", str(WORKERS)])
    clients = Clients(lateen)
    clients.ask(40, times=5)
    wait_until("three requests are inside", lambda: backend.inside == 3)
    wait_until("the others wait", lambda: stat(lateen, "upstream_rq_pending_active") == 37)
    assert stat(lateen, "upstream_cx_active") == 3
    backend.gate.set()
    assert [answer.status for answer in clients.answers()] == [200] * 200
    assert backend.most <= 3 and backend.served == 200
    assert stat(lateen, "upstream_cx_active") <= 3
    assert stat(lateen, "upstream_rq_pending_active") == 0
    assert stat(lateen, "upstream_cx_overflow") > 0


def test_the_manuals_rule_has_no_field_without_effect(manifests, start, backend):
    found = re.search(r"<!-- example: rule -->\n```yaml\n(.*?)```", (TOP / "docs/limits.md").read_text(), re.S)
    manifests_with(manifests, [backend.port], found[1])
    assert "manifests: 0 errors, 0 warnings\n" in start().log()


def test_two_endpoints_share_one_connection(manifests, start, backend):
    other = Backend()
    try:
        manifests_with(manifests, [backend.port, other.port], rule(tcp="maxConnections: 1", lb="ROUND_ROBIN"))
        lateen = start(flags=["--workers", "2"])
        backend.gate.set(), other.gate.set()
        clients = Clients(lateen)
        clients.ask(10, times=4)
        assert [answer.status for answer in clients.answers()] == [200] * 40
        assert backend.served + other.served == 40 and backend.served and other.served
        assert stat(lateen, "upstream_cx_active") <= 1
    finally:
        other.close()


@pytest.mark.reload
def test_http2_shares_its_one_connection_between_workers(manifests, start):
    manifests.edit("3-myapp-service.yaml", "name: http", "name: http2")
    manifests.edit("4-destination-rule.yaml", "spec:\n", """spec:
  trafficPolicy:
    connectionPool:
      tcp: { maxConnections: 1 }
""")
    lateen = start(flags=["--workers", "2"])

    def ask(_):
        with contextlib.closing(lateen.client()) as client:
            answers = [client.get("/?delay=2ms") for _ in range(10)]
        return {(answer.status, answer.field("Protocol")) for answer in answers}

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set().union(*pool.map(ask, range(16))) == {(200, "HTTP/2")}
    for subset in ("v1", "v2"):
        name = rf"cluster\.outbound\|80\|{subset}\|.*\.upstream_cx_"
        text = lateen.admin("/stats?filter=upstream_cx_").text
        assert int(re.search(name + r"active: (\d+)", text)[1]) <= 1
        assert int(re.search(name + r"total: (\d+)", text)[1]) >= 1


def test_waiting_requests_are_limited_and_the_rest_is_refused(manifests, start, backend):
    manifests_with(manifests, [backend.port], rule(tcp="maxConnections: 2", http="http1MaxPendingRequests: 3"))
    lateen = start(flags=["--workers", str(WORKERS)])
    clients = Clients(lateen)
    inside = clients.ask(1)
    wait_until("one is inside", lambda: backend.inside == 1)
    inside += clients.ask(1)
    wait_until("both are inside", lambda: backend.inside == 2)
    waiting = clients.ask(3)
    wait_until("three wait", lambda: stat(lateen, "upstream_rq_pending_active") == 3)
    check_refused(clients.answers(clients.ask(12)))
    assert stat(lateen, "upstream_rq_pending_overflow") == 12
    lines = wait_until("12 lines", lambda: len(found := re.findall(r" 503 UO (\S+) ", lateen.access_log())) == 12 and found)
    assert set(lines) == {"upstream_reset_before_response_started{overflow}"}
    backend.gate.set()
    assert [answer.status for answer in clients.answers(inside + waiting)] == [200] * 5
    assert backend.most == 2


def test_requests_at_once_are_limited(manifests, start, backend):
    manifests_with(manifests, [backend.port], rule(http="http2MaxRequests: 4"))
    lateen = start(flags=["--workers", str(WORKERS)])
    clients = Clients(lateen)
    inside = clients.ask(4)
    wait_until("four are inside", lambda: backend.inside == 4)
    check_refused(clients.answers(clients.ask(10)))
    backend.gate.set()
    assert [answer.status for answer in clients.answers(inside)] == [200] * 4
    assert [answer.status for answer in clients.answers(clients.ask(1, times=20))] == [200] * 20
    assert backend.most == 4


def test_retries_at_once_are_limited(manifests, start, backend):
    dead = free_ports(1)[0]
    manifests_with(manifests, [backend.port, dead], rule(http="maxRetries: 1", lb="ROUND_ROBIN"))
    lateen = start(flags=["--workers", "2"])
    clients = Clients(lateen)
    asked = clients.ask(12)
    wait_until("those not let try again are answered",
               lambda: stat(lateen, "upstream_rq_retry_overflow") + backend.inside == 12)
    refused = [answer for future in asked if future.done() for answer in future.result()]
    assert refused and {answer.status for answer in refused} == {503}
    assert stat(lateen, "upstream_rq_retry") == 1
    assert " 503 UF,UO " in wait_until("a line", lambda: " 503 " in lateen.access_log() and lateen.access_log())
    backend.gate.set()
    assert {answer.status for answer in clients.answers()} == {200, 503}


def test_a_waiting_client_may_leave_and_a_raised_limit_lets_the_others_in(manifests, start, backend):
    manifests_with(manifests, [backend.port], rule(tcp="maxConnections: 1"))
    lateen = start(flags=["--workers", "2"])
    clients = Clients(lateen)
    clients.ask(1)
    wait_until("one is inside", lambda: backend.inside == 1)
    leaving = [Client(lateen.ports[80]) for _ in range(4)]
    for client in leaving:
        client.request("GET", "/held", headers={"Host": client.name})
    clients.ask(5)
    wait_until("nine wait", lambda: stat(lateen, "upstream_rq_pending_active") == 9)
    for client in leaving:  # by a reset: behind a FIN a client may still read
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    wait_until("five wait", lambda: stat(lateen, "upstream_rq_pending_active") == 5)
    manifests.write("9-rule.yaml", rule(tcp="maxConnections: 4"))
    wait_until("four are inside", lambda: backend.inside == 4)
    manifests.write("9-rule.yaml", rule(http="maxRequestsPerConnection: 0"))
    wait_until("all are inside", lambda: backend.inside == 6)
    manifests.write("9-rule.yaml", rule(tcp="maxConnections: 2"))
    backend.gate.set()
    assert [answer.status for answer in clients.answers()] == [200] * 6
    wait_until("those above the limit are closed", lambda: stat(lateen, "upstream_cx_active") <= 2)
    backend.most = 0
    clients.ask(8, times=4)
    assert {answer.status for answer in clients.answers()} == {200}
    assert backend.most <= 2


@pytest.mark.parametrize("other", ["at-rest", "in-use"])
def test_a_long_http2_stream_keeps_no_idle_connection_from_those_that_wait(manifests, start, other):
    ports = free_ports(3)
    manifests_with(manifests, ports, rule(tcp="maxConnections: 2", lb="ROUND_ROBIN"))
    manifests.edit("8-held.yaml", "name: http,", "name: http2,")
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(running_echo(f"echo-{port}", "--port", port))
        lateen = start(flags=["--workers", "1"])

        def ask(query):
            client = stack.enter_context(contextlib.closing(Client(lateen.ports[80])))
            client.request("GET", "/held" + query, headers={"Host": client.name})
            return client

        ask("?delay=1h")
        wait_until("it is on its way", lambda: stat(lateen, "upstream_cx_active") == 1)
        second = ask("" if other == "at-rest" else "?delay=500ms")
        if other == "at-rest":
            assert second.getresponse().status == 200
        else:
            wait_until("it is on its way", lambda: stat(lateen, "upstream_cx_active") == 2)
        assert ask("").getresponse().status == 200


def test_who_waits_when_the_limit_goes_keeps_his_retries(manifests, start, backend):
    manifests_with(manifests, [backend.port, free_ports(1)[0]], rule(tcp="maxConnections: 1", lb="ROUND_ROBIN"))
    lateen = start(flags=["--workers", "1"])
    Clients(lateen).ask(1)
    wait_until("one is inside", lambda: backend.inside == 1)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Client(lateen.ports[80]))) for _ in range(4)]
        for client in clients:
            client.putrequest("GET", "/held", skip_host=True)
            client.putheader("Host", client.name)
            client.putheader("Transfer-Encoding", "chunked")
            client.endheaders()
        wait_until("four wait", lambda: stat(lateen, "upstream_rq_pending_active") == 4)
        manifests.write("9-rule.yaml", rule(lb="ROUND_ROBIN"))

        def all_inside():
            for client in clients:  # octets that wake the request between two tries
                client.send(b"1\r\nx\r\n")
            return backend.inside == 5

        wait_until("all are inside", all_inside, pause=0.001)
        backend.gate.set()
        assert [client.getresponse().status for client in clients] == [200] * 4
