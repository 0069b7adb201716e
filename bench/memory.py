#!/usr/bin/env python3
"""What a running lateen takes, by the size of its configuration, and whether it comes back.

    bench/memory.py build/src/cli/lateen [ROUTES...]       by default 0, 10,000 and 100,000
    bench/memory.py --return build/src/cli/lateen [ROUTES] by default 10,000: after 500 changes of files, after
                                                           a small configuration took its place, after all is removed

The fixture is that of bench/live.py. At rest: 18 s or more after the last change, when the last-good state is written
and the snapshots before are gone. Kilobytes of /proc/PID/smaps_rollup; PSS of program and libraries
depends on who else runs them, so anonymous memory is told apart.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

from live import GATEWAY, SERVICE, connect, service, wait_live, write
from stage import free_ports

ARGS = sys.argv[1:]
REST = 18


def smaps(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+)", text, re.M)}


class Program:
    def __init__(self, binary, routes):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="lateen-memory-"))
        self.folder, self.routes, self.version = self.top / "manifests", routes, 0
        self.folder.mkdir()
        self.fill(routes)
        port, *extra = free_ports(4)
        extra = [f"127.0.0.1:{one}" for one in extra]
        self.process = subprocess.Popen(
            [binary, "run", "-f", self.folder, "--state", self.top / "state", "--port", f"80={port}", "--admin", extra[0],
             "--health", extra[1], "--metrics", extra[2], "--drain-min", "0s"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client, self.admin = connect(port), f"http://{extra[0]}/memory"

    def fill(self, routes):
        write(self.folder, "base.yaml", GATEWAY + "".join(SERVICE.format(i) for i in range(10)))
        for i in range(routes // 100):
            write(self.folder, f"v{i:05}.yaml", service(i, 0))

    def change(self, at):
        self.version += 1
        begun = write(self.folder, f"v{at:05}.yaml", service(at, self.version))
        wait_live(self.client, at, self.version, begun)

    def remove(self, keep):
        for path in self.folder.iterdir():
            if path.name not in keep:
                path.unlink()

    def allocated(self):
        return int(json.load(urllib.request.urlopen(self.admin))["allocated"])

    def rest(self):
        """On a busy machine the state may still be written after that time: until nothing moves."""
        time.sleep(REST)
        before = 0
        while abs(self.allocated() - before) > 65536:
            before = self.allocated()
            time.sleep(3)

    def tell(self, what):
        self.rest()
        pid = self.process.pid
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
        s = smaps(pid)
        used = self.allocated() // 1024
        each = "".join(f"{s[name] * 1024 / self.routes:9.0f}" for name in ("Pss", "Rss", "Pss_Anon")) if self.routes else ""
        print(f"{what:34}{s['Pss']:9}{s['Rss']:9}{s['Pss_Anon']:10}{used:9}{peak:9}{each}", flush=True)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.top)


def sizes(binary, all_routes):
    for routes in all_routes:
        program = Program(binary, routes)
        try:
            program.tell(f"{routes} routes")
        finally:
            program.close()


def comes_back(binary, routes):
    program = Program(binary, routes)
    try:
        program.tell(f"{routes} routes")
        for i in range(500):
            program.change(i * 7919 % (routes // 100))
        program.tell("after 500 changed files")
        program.remove({"base.yaml", "v00000.yaml"})
        program.tell("100 routes in their place")
        program.fill(routes)
        program.tell("all of them again")
        program.remove({})
        program.tell("nothing left")
    finally:
        program.close()


if __name__ == "__main__":
    print(f"{'KB':34}{'PSS':>9}{'RSS':>9}{'anonymous':>10}{'malloced':>9}{'peak RSS':>9}   B/route: PSS, RSS, anonymous")
    if ARGS[0] == "--return":
        comes_back(ARGS[1], int((ARGS[2:] + [10000])[0]))
    else:
        sizes(ARGS[0], [int(n) for n in ARGS[1:]] or [0, 10000, 100000])
