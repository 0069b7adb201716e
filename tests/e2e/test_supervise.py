"""Keeper, control and data as processes: what a crash of each costs, and what it does not.

The backend is a process of its own, because the stand-ins of --dev live in control. LATEEN_LONG=1
asks for the figures of a quiet machine.
"""
import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import threading
import time

import pytest

from harness import BIN, HOST, PATIENCE, Client, Manifests, free_ports, running, wait_until

LONG = bool(os.environ.get("LATEEN_LONG"))
SERVES_AGAIN_MS = 100 if LONG else 1000 * PATIENCE

MANIFESTS = f"""apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: gateway, namespace: hedgus }}
spec:
  selector: {{ istio: gateway }}
  servers:
    - port: {{ number: 80, name: http, protocol: HTTP }}
      hosts: [ "*" ]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: echo, namespace: hedgus }}
spec:
  hosts: [ {HOST} ]
  gateways: [ gateway ]
  http:
    - headers: {{ request: {{ set: {{ x-edit: "EDIT" }} }} }}
      route: [ {{ destination: {{ host: echo }} }} ]
---
apiVersion: v1
kind: Service
metadata: {{ name: echo, namespace: hedgus }}
spec:
  ports: [ {{ name: http, port: 80, targetPort: PORT }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: echo, namespace: hedgus }}
subsets:
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: http, port: PORT }} ]
"""


@pytest.fixture(scope="module")
def backend():
    """`lateen echo` outside of the program; its port."""
    port = free_ports(1)[0]
    process = subprocess.Popen([BIN, "echo", "--port", str(port)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("the backend listens", lambda: can_connect(port))
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def manifests(tmp_path, backend):
    folder = Manifests(tmp_path / "manifests", source=None)
    folder.write("all.yaml", MANIFESTS.replace("PORT", str(backend)))
    return folder


def can_connect(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
        return True
    return False


def children(lateen):
    """The processes of the keeper: {"data": pid, "control": pid}; no others, no zombies."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, state, parent = re.fullmatch(r"\d+ \((.*)\) (\w) (\d+) .*\n",
                                               (folder / "stat").read_text()).groups()
            if int(parent) == lateen.process.pid and state != "Z":
                found[name.removeprefix("lateen-")] = int(folder.name)
    return found


def kill(lateen, role, number=signal.SIGKILL):
    """Ends a process; returns its id when another has its place."""
    pid = wait_until(f"{role} runs", lambda: children(lateen).get(role))
    os.kill(pid, number)
    wait_until(f"another {role} runs", lambda: children(lateen).get(role) not in (None, pid))
    return pid


def is_gone(pid):
    """No such process, or a zombie that its new parent has not fetched yet."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def content_hash(lateen):
    """Of what data serves."""
    return re.search(r'"snapshot":\s*{"generation":\d+,"hash":"(\w+)"', lateen.admin("/config_dump").text)[1]


class Asking(threading.Thread):
    """One client: a request at a time, over a connection as long as it lasts. Keeps what failed."""

    def __init__(self, lateen):
        super().__init__(daemon=True)
        self.port, self.served, self.faults, self.leave = lateen.ports[80], 0, [], threading.Event()

    def run(self):
        client = None
        while not self.leave.is_set():
            try:
                client = client or Client(self.port)
                answer = client.get("/")
                assert answer.status == 200, answer.status
                self.served += 1
            except (OSError, http.client.HTTPException, AssertionError) as fault:
                self.faults.append(repr(fault))
                client = None

    def stop(self):
        self.leave.set()
        self.join(PATIENCE)
        assert not self.is_alive()


@contextlib.contextmanager
def asking(lateen, n=4):
    clients = [Asking(lateen) for _ in range(n)]
    for client in clients:
        client.start()
    try:
        wait_until("all are served", lambda: all(client.served for client in clients))
        yield clients
    finally:
        for client in clients:
            client.stop()


def serves_after_ms(lateen, since):
    """Until a request over a new connection is answered."""
    answer = lateen.get("/")
    assert answer.status == 200, answer.text
    return (time.monotonic() - since) * 1000


def test_killing_data_loses_only_what_was_in_flight(manifests):
    times = []
    with running(manifests, "supervise-data", ["--supervise"]) as lateen, asking(lateen) as clients:
        for n in range(1, 21):
            pid = children(lateen)["data"]
            since = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            times.append(serves_after_ms(lateen, since))
            served = [client.served for client in clients]
            wait_until("all are served again",
                       lambda: all(now.served > before for now, before in zip(clients, served)))
            for client in clients:  # one request at a time: no more can be in flight
                assert len(client.faults) <= n, client.faults
                assert not [fault for fault in client.faults if "Refused" in fault], client.faults
        assert lateen.log().count("process=data signal=SIGKILL") == 20
    print(f"serves again after {statistics.median(times):.0f} ms, at most {max(times):.0f} ms")
    assert max(times) <= SERVES_AGAIN_MS, times


def test_killing_control_disturbs_no_request_and_the_same_snapshot_returns(manifests):
    with running(manifests, "supervise-control", ["--supervise"]) as lateen, asking(lateen) as clients:
        before = content_hash(lateen)
        for n in range(1, 6):
            kill(lateen, "control")
            wait_until("it is back", lambda: lateen.log().count("control is back: live") == n)
            assert content_hash(lateen) == before
        manifests.edit("all.yaml", "EDIT", "edited")
        wait_until("an edit is live", lambda: lateen.get("/").request_headers("x-edit") == ["edited"])
        assert [client.faults for client in clients] == [[]] * len(clients)
        assert content_hash(lateen) != before


def test_killing_the_keeper_ends_all(manifests):
    with pytest.raises(AssertionError, match="exit status -9"), \
            running(manifests, "supervise-keeper", ["--supervise"]) as lateen:
        pids = children(lateen)
        assert sorted(pids) == ["control", "data"]
        lateen.process.kill()
        wait_until("both are gone", lambda: all(map(is_gone, pids.values())))
        wait_until("nobody listens", lambda: not can_connect(lateen.ports[80]))


def test_a_crash_is_told_with_its_signal(manifests):
    with running(manifests, "supervise-signal", ["--supervise"]) as lateen:
        kill(lateen, "data", signal.SIGBUS)
        kill(lateen, "control", signal.SIGSYS)
        assert "process=data signal=SIGBUS" in lateen.log() and "process=control signal=SIGSYS" in lateen.log()


def test_a_role_set_by_hand_is_refused(manifests):
    for role in ("data 5 6 1", f"control 0 1 {os.getpid()}", "x"):
        out = subprocess.run([BIN, "run", "-f", manifests], env={**os.environ, "LATEEN_ROLE": role},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        assert out.returncode == 64 and "LATEEN_ROLE" in out.stderr, out
