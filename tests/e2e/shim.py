"""System calls that fail on purpose: tests/shim/faults.c under a program, told what to do through a file
that the test shares with all its processes. Seeded; what failed is counted.
"""
import errno
import mmap
import os
import pathlib
import struct

SHIM = pathlib.Path(os.environ.get("LATEEN_SHIM_SO", pathlib.Path(__file__).resolve().parents[2] / "build/tests/shim/faults.so"))
CALLS = ("read", "write", "accept", "socket", "connect", "wait")  # enum call, enum scope
SCOPES = ("tcp", "octets", "all")
FIELDS = ("calls", "error", "every", "nth", "scope", "seed", "drawn")
SEED = int(os.environ.get("LATEEN_SHIM_SEED", "1"))

# What no user may notice: mode -> (calls, errno or 0 for one octet, descriptors).
INVISIBLE = {
    "eintr": (("read", "write", "accept", "wait"), errno.EINTR, "all"),
    "short": (("read", "write"), 0, "octets"),
    "again": (("read", "write", "accept"), errno.EAGAIN, "tcp"),
    "aborted": (("accept",), errno.ECONNABORTED, "tcp"),
}
# What ends a connection or has an answer of its own, and nothing else.
VISIBLE = {
    "reset": (("read", "write"), errno.ECONNRESET, "tcp"),
    "pipe": (("write",), errno.EPIPE, "tcp"),
    "buffers": (("read", "write", "accept", "socket", "connect"), errno.ENOBUFS, "tcp"),
    "memory": (("read", "write", "accept", "socket"), errno.ENOMEM, "tcp"),
    "descriptors": (("accept", "socket"), errno.EMFILE, "tcp"),
    "table": (("accept", "socket"), errno.ENFILE, "tcp"),
    "ports": (("connect",), errno.EADDRNOTAVAIL, "tcp"),
    "refused": (("connect",), errno.ECONNREFUSED, "tcp"),
}
MODES = {**INVISIBLE, **VISIBLE}


class Faults:
    """The file. Nothing fails before begin()."""

    def __init__(self, path):
        self.path = path
        self.size = 8 * (len(FIELDS) + len(CALLS))
        pathlib.Path(path).write_bytes(bytes(self.size))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), self.size)

    def env(self):
        return {"LD_PRELOAD": str(SHIM), "LATEEN_FAULTS": str(self.path)}

    def _at(self, field):
        return 8 * (FIELDS + CALLS).index(field)

    def set(self, field, value):
        struct.pack_into("=Q", self.map, self._at(field), value)

    def get(self, field):
        return struct.unpack_from("=Q", self.map, self._at(field))[0]

    def begin(self, mode, every=2, nth=0, seed=SEED):
        calls, error, scope = MODES[mode]
        self.end()
        for field, value in (("error", error), ("every", every), ("nth", nth), ("seed", seed),
                             ("scope", SCOPES.index(scope)), ("drawn", 0)):
            self.set(field, value)
        for call in CALLS:
            self.set(call, 0)
        self.set("calls", sum(1 << CALLS.index(call) for call in calls))
        return self

    def end(self):
        self.set("calls", 0)

    def failed(self):
        """{call: how many failed} since begin()."""
        return {call: self.get(call) for call in CALLS if self.get(call)}
