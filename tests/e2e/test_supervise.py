"""Keeper, control and data as processes: what a crash of each costs, and what it does not.

The backend is a process of its own, because the stand-ins of --dev live in control. LATEEN_LONG=1
asks for the figures of a quiet machine.
"""
import contextlib
import fcntl
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
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


def children(keeper):
    """The processes of the keeper: {"data": pid, "control": pid}; no others, no zombies."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, state, parent = re.fullmatch(r"\d+ \((.*)\) (\w) (\d+) .*\n",
                                               (folder / "stat").read_text()).groups()
            if int(parent) == keeper.pid and state != "Z":
                found[name.removeprefix("lateen-")] = int(folder.name)
    return found


def kill(keeper, role, number=signal.SIGKILL):
    """Ends a process; returns when another has its place."""
    pid = wait_until(f"{role} runs", lambda: children(keeper).get(role))
    os.kill(pid, number)
    wait_until(f"another {role} runs", lambda: children(keeper).get(role) not in (None, pid))


def is_gone(pid):
    """No such process, or a zombie that its new parent has not fetched yet."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def content_hash(lateen):
    """Of what data serves."""
    return re.search(r'"snapshot":\s*{"generation":\d+,"hash":"(\w+)"', lateen.admin("/server_info").text)[1]


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


def cpu_ms(pid):
    """What a process has used so far, whatever else the machine does."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def serves_after_ms(lateen, since):
    """Until a request over a new connection is answered. A dying process may still have accepted the
    first; none is refused."""
    for _ in range(2):
        try:
            assert lateen.get("/").status == 200
            break
        except (ConnectionResetError, http.client.RemoteDisconnected):
            pass
    return (time.monotonic() - since) * 1000


@pytest.mark.faults
def test_killing_data_loses_only_what_was_in_flight(manifests):
    times, cpu = [], []
    with running(manifests, "supervise-data", ["--supervise"]) as lateen, asking(lateen) as clients:
        for n in range(1, 21):
            pid = children(lateen.process)["data"]
            since = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            times.append(serves_after_ms(lateen, since))
            cpu.append(cpu_ms(children(lateen.process)["data"]))
            served = [client.served for client in clients]
            wait_until("all are served again",
                       lambda: all(now.served > before for now, before in zip(clients, served)))
            for client in clients:  # one request at a time: no more can be in flight
                assert len(client.faults) <= n, client.faults
                assert not [fault for fault in client.faults if "Refused" in fault], client.faults
        assert lateen.log().count("process=data signal=SIGKILL") == 20
    print(f"serves again after {statistics.median(times):.0f} ms, at most {max(times):.0f} ms; "
          f"its CPU time {statistics.median(cpu):.0f} ms, at most {max(cpu):.0f} ms")
    assert max(times) <= SERVES_AGAIN_MS, times


@pytest.mark.faults
def test_killing_control_disturbs_no_request_and_the_same_snapshot_returns(manifests):
    with running(manifests, "supervise-control", ["--supervise"]) as lateen, asking(lateen) as clients:
        before = content_hash(lateen)
        for n in range(1, 6):
            kill(lateen.process, "control")
            wait_until("it is back", lambda: lateen.log().count("control is back: live") == n)
            assert content_hash(lateen) == before
        manifests.edit("all.yaml", "EDIT", "edited")
        wait_until("an edit is live", lambda: lateen.get("/").request_headers("x-edit") == ["edited"])
        assert [client.faults for client in clients] == [[]] * len(clients)
        assert content_hash(lateen) != before


def test_what_is_removed_while_control_is_gone_is_gone_when_it_is_back(manifests):
    with running(manifests, "supervise-removed", ["--supervise"]) as lateen:
        os.kill(children(lateen.process)["control"], signal.SIGSTOP)
        manifests.remove("all.yaml")
        kill(lateen.process, "control")
        wait_until("nobody listens", lambda: not can_connect(lateen.ports[80]))


def test_killing_the_keeper_ends_all(manifests):
    with pytest.raises(AssertionError, match="exit status -9"), \
            running(manifests, "supervise-keeper", ["--supervise"]) as lateen:
        pids = children(lateen.process)
        assert sorted(pids) == ["control", "data"]
        lateen.process.kill()
        wait_until("both are gone", lambda: all(map(is_gone, pids.values())))
        wait_until("nobody listens", lambda: not can_connect(lateen.ports[80]))


def test_a_crash_is_told_with_its_signal(manifests):
    with running(manifests, "supervise-signal", ["--supervise"]) as lateen:
        kill(lateen.process, "data", signal.SIGXCPU)
        kill(lateen.process, "control", signal.SIGSYS)
        assert "process=data signal=SIGXCPU" in lateen.log() and "process=control signal=SIGSYS" in lateen.log()


def test_a_role_set_by_hand_is_refused(manifests):
    for role in ("data 5 6 1", f"control 0 1 {os.getpid()}", "x"):
        out = subprocess.run([BIN, "run", "-f", manifests], env={**os.environ, "LATEEN_ROLE": role},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        assert out.returncode == 64 and "LATEEN_ROLE" in out.stderr, out


def thread_states(pid):
    return [path.read_text().rsplit(")", 1)[1].split()[0] for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.skipif(os.geteuid() != 0, reason="of processes that cannot be dumped only root sees the descriptors")
def test_no_descriptor_is_left_behind_by_twenty_crashes(manifests):
    with running(manifests, "supervise-descriptors", ["--supervise"]) as lateen:
        def counts():
            """At rest; with the one connection to the backend that a request leaves open."""
            assert lateen.get("/").status == 200
            pids = children(lateen.process)
            seen = []
            while len(seen) < 60 or seen[-60:] != seen[-1:] * 60:
                seen.append([descriptors(pid) for pid in (lateen.process.pid, pids["data"], pids["control"])])
                time.sleep(0.01)
                assert len(seen) < 2000, seen
            return seen[-1]

        before = counts()
        for n in range(1, 21):
            kill(lateen.process, "control" if n % 4 == 0 else "data")
            wait_until("control is back", lambda: lateen.log().count("control is back: live") == n // 4)
        kill(lateen.process, "data")
        assert counts() == before


def status_of(pid, field):
    return re.search(rf"^{field}:\s+(\w+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]


def test_data_has_no_capability_and_gets_none(manifests):
    with running(manifests, "supervise-rights", ["--supervise"]) as lateen:
        data = children(lateen.process)["data"]
        threads = os.listdir(f"/proc/{data}/task")
        for thread in threads:
            assert [int(status_of(thread, field), 16) for field in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
            assert status_of(thread, "NoNewPrivs") == "1"
        assert len(threads) > 3


def free_low_port():
    """Below 1024, where only the right to it helps."""
    for port in random.sample(range(600, 1024), 50):
        with contextlib.closing(socket.socket()) as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port below 1024 is free")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand the right to bind low ports to another user")
def test_the_keeper_binds_a_low_port_that_is_added_later_and_data_cannot(backend):
    """As under the unit of systemd: a user without rights but this one, which data gives up."""
    port = free_low_port()
    with tempfile.TemporaryDirectory(prefix="lateen-") as top:
        os.chmod(top, 0o755)
        manifests = Manifests(f"{top}/manifests", source=None)
        manifests.write("all.yaml", MANIFESTS.replace("PORT", str(backend)))
        os.mkdir(f"{top}/state")
        os.chown(f"{top}/state", 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+net_bind_service",
                   "--ambient-caps=+net_bind_service", shutil.copy(BIN, top)]
        binds_a_low_port(manifests, port, command)


def binds_a_low_port(manifests, port, command):
    with running(manifests, "supervise-low", ["--supervise", "--port", f"81={port}"], command=command) as lateen:
        data = children(lateen.process)["data"]
        assert int(status_of(lateen.process.pid, "CapEff"), 16) == 1 << 10
        assert int(status_of(data, "CapEff"), 16) == 0 and int(status_of(data, "CapAmb"), 16) == 0
        manifests.edit("all.yaml", "    - port: {", "    - port: { number: 81, name: low, protocol: HTTP }\n"
                       '      hosts: [ "*" ]\n    - port: {')
        wait_until("the port is served", lambda: can_connect(port))
        with contextlib.closing(Client(port)) as client:
            assert client.get("/").status == 200


def test_crashes_in_a_row_are_named_and_do_not_spin(manifests):
    with running(manifests, "supervise-loop", ["--supervise"]) as lateen:
        end = time.monotonic() + PATIENCE
        while "crashes again and again" not in lateen.log():
            assert time.monotonic() < end
            kill(lateen.process, "data")
        assert re.search(r"again and again.*process=data wait_ms=100\n", lateen.log())
        assert lateen.get("/").status == 200


@pytest.mark.faults
def test_a_new_data_process_serves_the_last_of_many_changes(manifests):
    """An image, and the changes behind it. The state directory is in another's hands, so that no image is
    made for it; control makes one after 64 changes."""
    state = pathlib.Path(manifests.folder).parent / "state"
    state.mkdir()
    with open(state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(manifests, "supervise-changes", ["--supervise"]) as lateen:
            def live(edit):
                return lateen.get("/").request_headers("x-edit") == [edit]

            before = "EDIT"
            for n in range(1, 70):
                manifests.edit("all.yaml", f'"{before}"', f'"edit-{n}"')
                before = f"edit-{n}"
                wait_until("it is live", lambda: live(before))
                if n in (3, 69):
                    kill(lateen.process, "data")
                    assert live(before), lateen.log()
            kill(lateen.process, "control")
            wait_until("control is back", lambda: "control is back: live" in lateen.log())
            assert live(before) and "is no message" not in lateen.log()


def test_a_log_level_set_at_the_admin_port_holds_for_all_processes(manifests):
    with running(manifests, "supervise-level", ["--supervise", "--log-format", "json"]) as lateen:
        assert lateen.admin("/logging?level=error", "POST").status == 200
        kill(lateen.process, "data")
        kill(lateen.process, "control")
        manifests.edit("all.yaml", "EDIT", "edited")
        wait_until("an edit is live", lambda: lateen.get("/").request_headers("x-edit") == ["edited"])
        assert "error" in lateen.admin("/logging").text
        assert "control is back" not in lateen.log()  # which is no error


def test_connections_made_while_data_is_gone_wait_for_the_next(manifests):
    with running(manifests, "supervise-queue", ["--supervise"]) as lateen:
        data = children(lateen.process)["data"]
        os.kill(data, signal.SIGSTOP)
        wait_until("it accepts nothing any more", lambda: set(thread_states(data)) == {"T"})
        clients = [lateen.client() for _ in range(20)]
        for client in clients:
            client.request("GET", "/", headers={"Host": HOST})
        kill(lateen.process, "data")
        assert [client.getresponse().status for client in clients] == [200] * 20


def test_a_drained_gateway_stays_drained_when_data_crashes(manifests):
    with running(manifests, "supervise-drained", ["--supervise"]) as lateen:
        assert lateen.admin("/drain_listeners", "POST").status == 200
        wait_until("listeners are closed", lambda: not can_connect(lateen.ports[80]))
        kill(lateen.process, "data")
        wait_until("the admin port is back", lambda: lateen.admin("/server_info").status == 200)
        wait_until("it says so", lambda: lateen.admin("/ready").status == 503)
        assert not can_connect(lateen.ports[80])
        assert "cannot listen" not in lateen.log()


def in_flight(lateen, delay="60s"):
    """A client that waits for its answer."""
    client = lateen.client()
    client.request("GET", f"/?delay={delay}", headers={"Host": HOST})
    wait_until("it is in flight", lambda: re.search(r"downstream_rq_active\S* 1\b", lateen.admin("/stats").text))
    return client


@pytest.mark.faults
def test_term_finishes_the_request_in_flight_and_leaves_nothing_behind(manifests):
    with running(manifests, "supervise-term", ["--supervise"]) as lateen, \
            contextlib.closing(in_flight(lateen, "2s")) as client:
        pids = children(lateen.process)
        for pid in (*pids.values(), lateen.process.pid):  # as systemd and terminals do it
            os.kill(pid, signal.SIGTERM)
        assert client.getresponse().status == 200
        assert lateen.process.wait(PATIENCE) == 0
        assert all(map(is_gone, pids.values()))
        assert "crash" not in lateen.log()


def test_a_second_term_leaves_at_once(manifests):
    with running(manifests, "supervise-twice", ["--supervise", "--drain", "300s"]) as lateen, \
            contextlib.closing(in_flight(lateen)):
        lateen.signal(signal.SIGTERM)
        wait_until("it drains", lambda: "draining" in lateen.log())
        lateen.signal(signal.SIGTERM)
        assert lateen.process.wait(PATIENCE) == 0


def test_data_that_crashes_while_it_drains_is_not_replaced(manifests):
    with pytest.raises(AssertionError, match="exit status 1"), \
            running(manifests, "supervise-draining", ["--supervise", "--drain", "300s"]) as lateen, \
            contextlib.closing(in_flight(lateen)):
        lateen.signal(signal.SIGTERM)
        wait_until("it drains", lambda: "draining" in lateen.log())
        os.kill(children(lateen.process)["data"], signal.SIGKILL)
        assert lateen.process.wait(PATIENCE) == 1


@pytest.mark.faults
def test_manifests_from_standard_input_outlive_control(manifests, tmp_path):
    command = [BIN, "run", "--dev", "--supervise", "-f", "-", "--state", tmp_path / "state", "--port", "80=0",
               "--admin", "off", "--health", "off", "--metrics", "off", "--drain-min", "0s"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        process.stdin.write(manifests.read("all.yaml"))
        process.stdin.close()
        lines = iter(process.stderr.readline, "")
        port = next(int(found[1]) for line in lines if (found := re.search(r"http +127.0.0.1:(\d+)", line)))
        next(line for line in lines if line.startswith("try"))
        assert os.readlink(f"/proc/{children(process)['data']}/fd/0") == "/dev/null"

        kill(process, "control")
        told = next(line for line in lines if "control is back" in line)
        assert "live" in told
        with contextlib.closing(Client(port)) as client:
            assert client.get("/").status == 200
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_under_systemd_it_supervises_and_speaks_for_all(manifests, tmp_path):
    """READY comes from the process that systemd knows, RELOADING and READY around a reload, and
    the watchdog's sign as often as asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        systemd.settimeout(PATIENCE)
        process = subprocess.Popen(
            [BIN, "run", "-f", manifests, "--state", tmp_path / "state", "--port", "80=0", "--admin", "off",
             "--health", "off", "--metrics", "off", "--drain-min", "0s"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})

        def hear(wanted):
            """All up to `wanted`; the sender of each is the keeper."""
            while True:
                text, rights, _, _ = systemd.recvmsg(4096, 1024)
                assert int.from_bytes(rights[0][2][:4], "little") == process.pid
                if wanted in text.decode():
                    return

        try:
            hear("READY=1")
            hear("WATCHDOG=1")
            hear("WATCHDOG=1")
            assert sorted(children(process)) == ["control", "data"]
            process.send_signal(signal.SIGHUP)
            hear("RELOADING=1\nMONOTONIC_USEC=")
            hear("READY=1")
        finally:
            process.terminate()
            hear("STOPPING=1")
            assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("flags, words", ((["--strict"], "refused (--strict)"),
                                          (["--access-log", "/nowhere/at/all"], "access log /nowhere/at/all"),
                                          (["--state", "/dev/null/x"], "/dev/null/x")), ids=lambda x: str(x)[:20])
def test_a_start_that_is_refused_is_told_and_exits_1(manifests, tmp_path, flags, words):
    if "--strict" in flags:
        manifests.edit("all.yaml", "kind: Gateway", "kind: Gateway\nnonsense: 1")
    out = subprocess.run([BIN, "run", "--supervise", "-f", manifests, "--state", tmp_path / "state", "--port", "80=0",
                          "--admin", "off", "--health", "off", "--metrics", "off", *flags],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert out.returncode == 1 and words in out.stderr and "crash" not in out.stderr, out
