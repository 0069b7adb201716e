"""What can be counted instead of timed: system calls (perf, or strace where perf may not) and user instructions (callgrind)."""
import contextlib
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from figures import slope

SMALL, LARGE = 500, 1500
UNDER = ("valgrind", "--tool=callgrind", "--separate-threads=yes")


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

    def __init__(self, peer, rest=False, named=False):
        """`rest`: counts only when all that follows a start is done. `named`: for a profile, which needs to see the start, too."""
        peer.is_counted = True
        self.files = peer.folder / "callgrind"
        self.process = peer.start((*UNDER, f"--instr-atstart={'yes' if named else 'no'}", f"--callgrind-out-file={self.files}"), cpu=None)
        self.seen = set()
        if rest:
            self.process.wait_idle()
        if not named:
            self.control("-i", "on")

    def control(self, *what):
        subprocess.run(["callgrind_control", *what, str(self.process.child.pid)], check=True, capture_output=True, timeout=60)

    def dump(self):
        """Instructions by thread since the last dump."""
        texts = self.dump_files()
        return {path.name[-2:]: total_of(text) for path, text in texts.items()}

    @staticmethod
    def warm(load, n):
        """Until one load is answered in full: while valgrind translates code for the first time a worker is so slow that it refuses."""
        for _ in range(5):
            with contextlib.suppress(AssertionError):
                load(n)
                return
        load(n)

    def profile(self, load, n=4 * LARGE):
        """Of the thread that worked most: {function: instructions of itself by request}; the few handshakes are in it."""
        self.warm(load, SMALL)
        self.dump()
        load(n)
        return {name: spent / n for name, spent in by_function(max(self.dump_files().values(), key=total_of)).items()}

    def dump_files(self):
        """{path: text} of a dump, a file a thread."""
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
        return texts

    def per_request(self, load, small=SMALL, large=LARGE, whole=False):
        """Of the thread that worked most: what others do meanwhile is not a request's; or of the `whole` process.
        `load` takes a number of requests."""
        self.warm(load, small)
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


def total_of(dump):
    return int(re.search(r"^totals: (\d+)", dump, re.M)[1])


def by_function(dump):
    """Instructions of each function itself, from callgrind's format: a line of costs belongs to the last `fn=`, but that behind
    `calls=` is the callee's. A name stands where its number is first used."""
    names, spent, function, is_call = {}, {}, "?", False
    for line in dump.splitlines():
        named = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
        if named:
            names.setdefault(named[2], named[3])
            function = named[2] if named[1] == "fn" else function
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[+*\d-]", line):
            spent[function] = spent.get(function, 0) + (0 if is_call else int(line.split()[1]))
            is_call = False
    return {names.get(number) or number: cost for number, cost in spent.items()}


def by_number(load_of, *args, **how):
    """An h2load of a number of requests instead of seconds."""
    return lambda n: load_of(*args, rate=n, **how)(1)
