"""Who asks: wrk, h2load and bench-handshakes, on the core that is not the proxy's. Each load is a function that
takes seconds and returns how many requests were answered; one wrong answer fails the run.

All clients offer TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519 alone, so that every proxy does the same
cryptography whatever it would prefer.
"""
import os
import re
import subprocess

from process import REST_CPU, TOOLS, pinned

HOST, RSA_HOST = "bench.test", "rsa.bench.test"
OFFER = """openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = offer
[offer]
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
"""
ENVIRONMENT = dict(os.environ)


def settle_offer(folder):
    (folder / "clients.cnf").write_text(OFFER)
    ENVIRONMENT["OPENSSL_CONF"] = str(folder / "clients.cnf")


def output_of(command, cpu=REST_CPU):
    done = subprocess.run(pinned(cpu, *command), capture_output=True, text=True, timeout=300, check=False, env=ENVIRONMENT)
    return done.stdout + done.stderr


def wrk(port, connections, path="/", scheme="http", headers=(), misses=False, cpu=REST_CPU):
    """Closed loop. `misses`: each answer has to be an error (404), else none may be."""
    def load(seconds):
        asked = [word for header in headers for word in ("-H", header)]
        text = output_of(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", *asked,
                          f"{scheme}://127.0.0.1:{port}{path}"], cpu)
        n = int(re.search(r"(\d+) requests in", text)[1])
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        assert "Socket errors" not in text and (int(wrong[1]) if wrong else 0) == (n if misses else 0), text
        return n
    return load


def h2load(port, connections, streams, scheme="http", rate=20000, h1=False, body=None, rps=None, cpu=REST_CPU, host=HOST,
           path="/", headers=(), misses=False):
    """`rate`: how many requests make a second of load; `rps`: no more a second over all connections."""
    def load(seconds):
        n = max(int(rate * seconds), connections)
        text = output_of(["h2load", *(["--h1"] if h1 else []), *(["-d", body] if body else []),
                          *([f"--rps={rps / connections}"] if rps else []), "-t1", f"-c{connections}", f"-m{streams}", f"-n{n}",
                          *(word for header in (f":authority: {host}", *headers) for word in ("-H", header)),
                          f"{scheme}://127.0.0.1:{port}{path}"], cpu)
        wanted = rf"status codes: 0 2xx, 0 3xx, {n} 4xx" if misses else rf"{n} succeeded, 0 failed, 0 errored[^$]*status codes: {n} 2xx"
        assert re.search(wanted, text), text[-600:]
        return n
    return load


def handshakes(port, kind, name=HOST, rate=600):
    """`rate`: how many make a second of load."""
    def load(seconds):
        n = max(int(rate * seconds), 10)
        text = output_of([TOOLS / "bench/bench-handshakes", port, name, n, kind])
        done = re.search(r"(\d+) handshakes, (\d+) resumed", text)
        assert done and int(done[1]) == n, text
        assert (int(done[2]) >= n - 1) == (kind == "resumed"), f"{text}: not {kind}"
        return n
    return load
