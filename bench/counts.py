"""What can be counted instead of timed: system calls (perf, or strace where perf may not) and user instructions (callgrind)."""
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from figures import slope

SMALL, LARGE = 500, 1500
UNDER = ("valgrind", "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=no")


def syscalls(process, load):
    """System calls per request of a running process."""
    return perf_syscalls(process, load) or strace_syscalls(process, load)


def perf_syscalls(process, load):
    """None where perf is not there or may not."""
    pids = ",".join(map(str, process.pids()))
    try:
        perf = subprocess.Popen(["perf", "stat", "-x;", "-e", "raw_syscalls:sys_enter", "-p", pids],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except OSError:
        return None
    time.sleep(0.3)
    n = load(1) if perf.poll() is None else 0
    perf.send_signal(signal.SIGINT)
    counted = re.search(r"^(\d+);", perf.communicate()[1], re.M)
    return int(counted[1]) / n if counted and n else None


def strace_syscalls(process, load):
    """The counts are exact, but batches are other ones: the traced program is slow."""
    with tempfile.NamedTemporaryFile("r") as out:
        tracer = subprocess.Popen(["strace", "-c", "-f", "-q", "-o", out.name, *(f"-p{pid}" for pid in process.pids())],
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        n = load(1)
        tracer.terminate()
        tracer.wait()
        total = next(line.split() for line in out if line.rstrip().endswith("total"))
        return int(total[3]) / n  # percent, seconds, us a call, calls, and errors where there were some


class Counted:
    """A process under callgrind, started without counting; user instructions per request are a slope of two loads."""

    def __init__(self, peer, rest=False):
        """`rest`: counts only when all that follows a start is done."""
        peer.is_counted = True
        self.files = peer.folder / "callgrind"
        self.process = peer.start((*UNDER, f"--callgrind-out-file={self.files}"), cpu=None)
        self.seen = set()
        if rest:
            self.process.wait_idle()
        self.control("-i", "on")

    def control(self, *what):
        subprocess.run(["callgrind_control", *what, str(self.process.child.pid)], check=True, capture_output=True, timeout=60)

    def dump(self):
        """Instructions by thread since the last dump."""
        self.control("-d")
        end = time.monotonic() + 60
        while True:
            fresh = {path for path in pathlib.Path(self.files.parent).glob("callgrind.*-*")} - self.seen
            texts = {path: path.read_text() for path in fresh}
            if texts and all("\ntotals:" in text for text in texts.values()):
                break
            assert time.monotonic() < end, "callgrind does not answer"
            time.sleep(0.02)
        self.seen |= fresh
        return {path.name[-2:]: int(re.search(r"^totals: (\d+)", text, re.M)[1]) for path, text in texts.items()}

    def per_request(self, load, small=SMALL, large=LARGE, whole=False):
        """Of the thread that worked most: what others do meanwhile is not a request's; or of the `whole` process.
        `load` takes a number of requests."""
        load(small)
        self.dump()
        load(small)
        few = self.dump()
        load(large)
        many = self.dump()
        if whole:
            return slope(small, sum(few.values()), large, sum(many.values()))
        thread = max(many, key=many.get)
        return slope(small, few.get(thread, 0), large, many[thread])

    def stop(self):
        self.process.stop()


def by_number(load_of, *args, **how):
    """An h2load of a number of requests instead of seconds."""
    return lambda n: load_of(*args, rate=n, **how)(1)
