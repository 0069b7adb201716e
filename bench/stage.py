"""What one run of the benchmarks shares: a folder of its own, certificates, backends; all of it ends with the run."""
import contextlib
import pathlib
import random
import subprocess
import sys
import tempfile

import loads
from process import REST_CPU, TOOLS, Process, pinned

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))
from harness import free_ports  # noqa: E402

MB = 1 << 20


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


class Stage(contextlib.ExitStack):
    """`certs` holds ec.crt, ec.key, rsa.crt and rsa.key; `sink` answers HTTP/1.1 and `h2_sink` HTTP/2."""

    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self.certs, self.body = self.folder, self.folder / "1m"
        loads.settle_offer(self.folder)
        self.make_certificate("ec", loads.HOST, "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.make_certificate("rsa", loads.RSA_HOST, "rsa:2048")
        self.body.write_bytes(b"x" * MB)
        web = self.folder / "web"
        web.mkdir()
        (web / "index.html").write_text("x" * 100)
        self.sink, self.h2_sink = free_ports(2)
        self.run("bench-sink", pinned(REST_CPU, TOOLS / "bench/bench-sink", self.sink), [self.sink])
        self.run("nghttpd", pinned(REST_CPU, "nghttpd", "--no-tls", "-d", web, "-m", "256", self.h2_sink), [self.h2_sink])

    def make_certificate(self, name, host, *kind):
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-subj", f"/CN={host}",
                        "-addext", f"subjectAltName=DNS:{host}", "-keyout", self.folder / f"{name}.key",
                        "-out", self.folder / f"{name}.crt"], check=True, capture_output=True)

    def make_folder(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def run(self, name, command, ports):
        process = Process(name, command, ports, self.make_folder(name) / "log")
        self.callback(process.stop)
        return process


def shuffled(things):
    return random.sample(list(things), len(things))
