"""A program under measurement: started on its core, asked for its CPU time and memory, ended by its own id."""
import os
import pathlib
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
TOOLS = pathlib.Path(os.environ.get("BENCH_BUILD", TOP / "build"))
PROXY_CPU, REST_CPU = "0", "1"
PATIENCE = 120


def pinned(cpu, *command):
    return ["taskset", "-c", cpu, *map(str, command)] if cpu else list(map(str, command))


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server of ours or a peer's. `ports` are those that it is awaited to listen on."""

    def __init__(self, name, command, ports, log):
        self.name, self.log = name, pathlib.Path(log)
        with open(log, "wb") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not all(map(is_listening, ports)):
            if self.child.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"{name} does not start: see {log}\n" + self.log.read_text()[-2000:])
            time.sleep(0.02)

    def pids(self):
        """It and its children: nginx works in a child."""
        found, at = [self.child.pid], 0
        while at < len(found):
            children = pathlib.Path(f"/proc/{found[at]}/task/{found[at]}/children")
            found += map(int, children.read_text().split())
            at += 1
        return found

    def thread_ns(self):
        """CPU time of each of its threads, exact to the nanosecond (schedstat), by thread id."""
        return {int(task.name): int((task / "schedstat").read_text().split()[0])
                for pid in self.pids() for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}

    def cpu_ns(self):
        return sum(self.thread_ns().values())

    def wait_idle(self):
        """Until it uses less than a hundredth of a core for two seconds: state written, memory given back."""
        quiet, before, end = 0, self.cpu_ns(), time.monotonic() + PATIENCE
        while quiet < 4 and time.monotonic() < end:
            time.sleep(0.5)
            now = self.cpu_ns()
            quiet, before = (quiet + 1 if now - before < 5e6 else 0), now

    def pss_kib(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(1)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
