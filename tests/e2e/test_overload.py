"""What holds when there is too much of everything: a memory limit under bodies that nobody
reads, a service that cannot keep up, and a processor that is too slow. LATEEN_LONG=1 runs the load for 30 s
and takes the goal of 95 % at its word; a busy machine is allowed more otherwise."""
import asyncio
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

from harness import BIN, DRAIN, TOP, Manifests, free_ports, running, wait_until
from quota import cpu_quota, throttled

LONG = bool(os.environ.get("LATEEN_LONG"))
SECONDS, KEPT = (30, 0.95) if LONG else (4, 0.6)
PARALLEL, DELAY = 10, 0.02  # of the service: 500 answers a second

ROUTES = """---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: edge, namespace: busy }}
spec:
  selector: {{ istio: ingressgateway }}
  servers: [ {{ port: {{ number: 80, name: http, protocol: HTTP }}, hosts: [ "*" ] }} ]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: busy, namespace: busy }}
spec:
  hosts: [ busy.internal ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ {{ number: 80, name: http, protocol: HTTP }} ]
  endpoints: [ {{ address: 127.0.0.1, ports: {{ http: {port} }} }} ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: busy, namespace: busy }}
spec:
  hosts: [ "*" ]
  gateways: [ edge ]
  http: [ {{ route: [ {{ destination: {{ host: busy.internal }} }} ], retries: {{ attempts: 0 }} }} ]
"""
LIMITS = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{ name: busy, namespace: busy }}
spec:
  host: busy.internal
  trafficPolicy:
    connectionPool:
      tcp: {{ maxConnections: {most} }}
      http: {{ http1MaxPendingRequests: {most} }}
"""


class Service:
    """Answers PARALLEL requests at once, each after DELAY; reads no body before `gate`."""

    def __init__(self):
        self.loop, self.port = asyncio.new_event_loop(), free_ports(1)[0]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.until_stopped())

    async def until_stopped(self):
        self.room, self.gate, self.stopped = asyncio.Semaphore(PARALLEL), asyncio.Event(), asyncio.Event()
        async with await asyncio.start_server(self.serve, "127.0.0.1", self.port):
            await self.stopped.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"POST"):
                    await self.gate.wait()
                async with self.room:
                    await asyncio.sleep(DELAY)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
                if head.startswith(b"POST"):
                    break
        writer.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(10)


@pytest.fixture
def service():
    service = Service()
    yield service
    service.stop()


def number(lateen, name):
    found = re.search(rf"^{name}: (\d+)", lateen.admin(f"/stats?filter={name}").text, re.M)
    return int(found[1]) if found else 0


def resident(lateen):
    pages = pathlib.Path(f"/proc/{lateen.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


@contextlib.contextmanager
def gateway(tmp_path, service, name, flags=(), limits="", drain=DRAIN):
    manifests = Manifests(tmp_path / name / "manifests", source=None)
    manifests.write("busy.yaml", ROUTES.format(port=service.port) + limits)
    with running(manifests, f"overload-{name}", flags, ports=(80,), drain=drain) as lateen:
        yield lateen


def upload(lateen):
    """A connection that sends octets of a body until nobody takes them any more."""
    client = socket.create_connection(("127.0.0.1", lateen.ports[80]), timeout=5)
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionError):
        client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n")
        while True:
            client.send(bytes(65536))
    return client


def push_on(clients):
    for client in clients:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                client.send(bytes(65536))


def test_bodies_that_nobody_reads_leave_room_for_others(tmp_path, service):
    with gateway(tmp_path, service, "base") as lateen:
        base = resident(lateen)
    limit = base + (64 << 20)
    at_once = ("--drain-min", "0s", "--drain", "100ms")  # the bodies will never end
    with gateway(tmp_path, service, "bodies", ("--workers", 1, "--memory-limit", limit), drain=at_once) as lateen:
        clients, most = [], 0
        for _ in range(40):
            clients += [upload(lateen) for _ in range(5)]
            push_on(clients)
            most = max(most, resident(lateen))
            assert lateen.get("/").status == 200
        assert number(lateen, "overload.memory_limit") == limit
        assert most <= limit, f"{most} of {limit}"
        for client in clients:
            client.close()
        wait_until("the level is 0", lambda: number(lateen, "overload.level") == 0)
        assert lateen.get("/").status == 200


@pytest.mark.parametrize("share,levels", [(1.0 / 0.935, (1, 2)), (1.0 / 0.99, (2, 3))])
def test_near_the_limit_connections_and_requests_are_refused(tmp_path, service, share, levels):
    with gateway(tmp_path, service, "base") as lateen:
        assert lateen.get("/").status == 200
        base = resident(lateen)
    with gateway(tmp_path, service, "near", ("--memory-limit", int(base * share))) as lateen:
        level = wait_until("there is pressure", lambda: number(lateen, "overload.level"))
        if level not in levels:
            pytest.skip(f"this start took another amount of memory: level {level}")
        answer = None
        with contextlib.suppress(OSError):
            answer = lateen.get("/")
        if level == 1:
            assert answer.status == 200 and answer.headers["connection"] == "close"
        elif level == 2:
            assert answer.status == 503 and answer.headers["x-envoy-local-overloaded"] == "true"
            assert answer.headers["connection"] == "close" and answer.text == "envoy overloaded"
        else:
            assert answer is None
        assert "memory runs short" in lateen.log()
        assert lateen.admin("/ready").status == 200


def load(port, *flags):
    """Answers with 200, and all others, a second."""
    run = subprocess.run(["h2load", "-D", str(SECONDS), *flags, f"http://127.0.0.1:{port}/"],
                         capture_output=True, text=True, timeout=SECONDS * 3 + 30, check=False)
    found = re.search(r"status codes: (\d+) 2xx, \d+ 3xx, (\d+) 4xx, (\d+) 5xx", run.stdout)
    assert found, run.stdout + run.stderr
    return int(found[1]) / SECONDS, (int(found[2]) + int(found[3])) / SECONDS


def test_ten_times_too_much_takes_nothing_from_what_a_service_can_do(tmp_path, service):
    with gateway(tmp_path, service, "load", limits=LIMITS.format(most=PARALLEL)) as lateen:
        alone, refused = load(lateen.ports[80], "-c", str(PARALLEL), "-m", "1")
        assert refused == 0
        before = resident(lateen)
        good, refused = load(lateen.ports[80], "-c", "50", "-m", "100", "--rps", "100")
        assert refused > 4 * good, f"{good} answered, {refused} refused a second: that was no overload"
        print(f"{good:.0f} answers a second beside {refused:.0f} refused; {alone:.0f} alone")
        assert good >= KEPT * alone, f"{good} answers a second beside {refused} refused; {alone} alone"
        assert resident(lateen) < before + (32 << 20)
        assert lateen.get("/").status == 200


# ---- a processor that is too slow ----

@contextlib.contextmanager
def sink():
    """A backend that costs little, outside of the quota."""
    port = free_ports(1)[0]
    process = subprocess.Popen([TOP / "build/bench/bench-sink", str(port)], stdin=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def surge(lateen, rate, seconds=SECONDS):
    """Clients that come at a rate whatever becomes of those before, and wait a second: what they got, by name."""
    run = subprocess.run([TOP / "build/bench/bench-surge", str(lateen.ports[80]), str(rate), str(seconds), "1000"],
                         capture_output=True, text=True, timeout=seconds + 30, check=True)
    words = run.stdout.split()
    return dict(zip(words[::2], map(float, words[1::2])))


@pytest.mark.skipif("san" in str(BIN), reason="a sanitizer's speed says nothing")
def test_a_tenth_of_a_processor_does_as_much_under_ten_times_too_much(tmp_path):
    """The worker is the bottleneck: who waits too long is refused, most are not even let in, and the rest is served in
    time. Without that all are served too late."""
    manifests = Manifests(tmp_path / "manifests", source=None)
    with sink() as port:
        manifests.write("busy.yaml", ROUTES.format(port=port))
        with running(manifests, "overload-quota", ("--workers", 1, "--access-log", "/dev/null"), ports=(80,)) as lateen:
            with cpu_quota(lateen.process.pid, 10) as group:
                most, _ = load(lateen.ports[80], "-c", "10", "-m", "1")
                rate = int(most / 2)  # many clients cost more than ten
                alone = surge(lateen, rate, 3)
                before = throttled(group)
                got = surge(lateen, rate * 10)
                periods, used_up = (now - then for now, then in zip(throttled(group), before))
                if used_up < 0.8 * periods:
                    pytest.skip(f"others took the processor: the quota was used up in {used_up} of {periods} periods")
                good = got["good"] / SECONDS
                print(f"{good:.0f} answered in time of {rate * 10} a second; {alone['good'] / 3:.0f} of {rate}\n{got}")
                assert good >= KEPT * alone["good"] / 3, (alone, got)
                assert "a worker cannot keep up" in lateen.log()
                wait_until("it keeps up again", lambda: number(lateen, "overload.workers_behind") == 0)
                calm = surge(lateen, rate // 2, 2)
                assert calm["good"] >= 0.9 * calm["asked"], calm
        assert "a worker keeps up again" in lateen.log()
