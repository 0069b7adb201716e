"""Load for tests that change things under it: generators that keep what went wrong, backends
whose streams last as long as the test, and what the program says of its own turns."""
import base64
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from concurrent import futures

import grpc

from harness import HOST, wait_until

GRPC_PATH = "/mixed.Echo/Talk"


def make_certificate(folder, name, hosts=(HOST,)):
    """A self-signed certificate for the hosts; returns (PEM chain, PEM key)."""
    key, chain = folder / f"{name}.key", folder / f"{name}.crt"
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", chain, "-days", "30", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={names}"], check=True, capture_output=True)
    return chain.read_bytes(), key.read_bytes()


def secret(pair, name="hedgus-crt"):
    crt, key = (base64.b64encode(part).decode() for part in pair)
    return (f"apiVersion: v1\nkind: Secret\nmetadata: {{ name: {name}, namespace: istio-ingress }}\n"
            f"type: kubernetes.io/tls\ndata:\n  tls.crt: {crt}\n  tls.key: {key}\n")


class Wrk:
    """wrk until stop(); then what it counted."""

    def __init__(self, url, connections):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", "-d600s", "--timeout", "60s", "-H", f"Host: {HOST}", url],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        wait_until("wrk is connected", lambda: self.sockets() >= connections)
        wait_until("wrk's sockets are all of it", self.is_steady, pause=0)
        self.at_start = self.links()

    def links(self):
        """The sockets it holds, by inode: one that was closed and dialled again is another."""
        links = []
        for fd in os.listdir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(OSError):
                links.append(os.readlink(f"/proc/{self.process.pid}/fd/{fd}"))
        return {link for link in links if link.startswith("socket:")}

    def sockets(self):
        return len(self.links())

    def is_steady(self):
        before = self.links()
        time.sleep(0.3)
        return self.links() == before

    def stop(self):
        assert self.links() == self.at_start, "wrk had to dial again: a connection was closed"
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate(timeout=60)[0]
        assert "Socket errors" not in out and "Non-2xx" not in out, out
        requests = int(re.search(r"(\d+) requests in", out)[1])
        assert requests > 100, out
        return requests

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Looped(threading.Thread):
    """A thread that does the same again and again; what went wrong is kept."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done, self.fault, self.leave = 0, None, threading.Event()

    def run(self):
        try:
            while not self.leave.is_set():
                self.once()
                self.done += 1
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test shows it
            self.fault = fault
        self.close()

    def close(self):
        pass

    def stop(self, least=1):
        self.leave.set()
        self.join(120)
        assert self.fault is None and not self.is_alive(), f"{type(self).__name__}, round {self.done}: {self.fault!r}"
        assert self.done >= least, f"{type(self).__name__}: {self.done} rounds"
        return self.done


class H2Load(Looped):
    """h2load again and again; each run has its connections to the end and counts what failed."""

    REQUESTS = 5000

    def __init__(self, lateen, scheme):
        super().__init__()
        port = lateen.ports[443 if scheme == "https" else 80]
        self.command = ["h2load", "-n", str(self.REQUESTS), "-c", "2", "-m", "4", "-H", f":authority: {HOST}",
                        f"{scheme}://127.0.0.1:{port}/"]

    def once(self):
        out = subprocess.run(self.command, text=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
        assert f"{self.REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout" in out and f"{self.REQUESTS} 2xx" in out, out

    def stop(self, least=1):
        return self.REQUESTS * super().stop(least)


class Steady(Looped):
    """One connection that asks again and again, and is never told to go."""

    def __init__(self, lateen, scheme):
        super().__init__()
        self.client = lateen.client(scheme, cafile=False)

    def once(self):
        answer = self.client.get("/steady")
        assert answer.status == 200, f"{answer.status} {answer.text}"
        assert answer.headers.get("Connection", "").lower() != "close"
        self.leave.wait(0.02)

    def close(self):
        self.client.close()


class Download(threading.Thread):
    """A chunked answer that lasts as long as the test (harness.Backend gives it)."""

    def __init__(self, lateen):
        super().__init__(daemon=True)
        self.client, self.lines, self.fault = lateen.client(), 0, None

    def run(self):
        try:
            self.client.request("GET", "/trickle", headers={"Host": HOST})
            response = self.client.getresponse()
            assert response.status == 200 and response.headers["Transfer-Encoding"] == "chunked"
            while line := response.readline():
                assert line == b"line %d\n" % self.lines, line
                self.lines += 1
        except Exception as fault:  # noqa: BLE001
            self.fault = fault


class GrpcBackend(grpc.GenericRpcHandler):
    """A service whose one method sends back what it is sent, with trailing metadata."""

    def __init__(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        self.server.add_generic_rpc_handlers((self,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(self.talk) if details.method == GRPC_PATH else None

    def talk(self, messages, context):
        n = 0
        for message in messages:
            n += 1
            yield message
        context.set_trailing_metadata((("messages", str(n)),))

    def close(self):
        self.server.stop(0).wait()


class GrpcTalk(Looped):
    """One stream over one connection: each message must come back before the next is sent."""

    def __init__(self, lateen, pair=None):
        super().__init__()
        options = [("grpc.default_authority", HOST), ("grpc.enable_retries", 0)]
        if pair:
            self.channel = grpc.secure_channel(f"127.0.0.1:{lateen.ports[443]}", grpc.ssl_channel_credentials(pair[0]),
                                               [*options, ("grpc.ssl_target_name_override", HOST)])
        else:
            self.channel = grpc.insecure_channel(f"127.0.0.1:{lateen.ports[80]}", options)
        self.turn, self.sent, self.answered = threading.Semaphore(1), 0, None
        self.call = self.channel.stream_stream(GRPC_PATH)(self.messages())
        self.answers = iter(self.call)
        self.once()

    def messages(self):
        while not self.leave.is_set():
            if self.turn.acquire(timeout=0.1):
                self.sent += 1
                yield b"message %d" % self.sent

    def once(self):
        message = next(self.answers)
        assert message == b"message %d" % self.sent, message
        self.leave.wait(0.02)
        self.turn.release()

    def close(self):
        if self.fault:
            return
        try:
            for _ in self.answers:  # one that was sent as the end was decided
                pass
            assert self.call.code() == grpc.StatusCode.OK, self.call.code()
            assert dict(self.call.trailing_metadata())["messages"] == str(self.sent)
        except Exception as fault:  # noqa: BLE001
            self.fault = fault
        self.channel.close()


class Turns:
    """What the program says of its threads' turns: lateen_turn_seconds and the CPU time over 5 ms."""

    def __init__(self, lateen):
        self.stats = dict(re.findall(r"^(turns\.\S+): (\d+)$", lateen.admin("/stats").text, re.M))
        page = lateen.admin("/stats/prometheus").text
        found = re.findall(r'^lateen_turn_seconds_bucket\{thread="worker",le="([^"]+)"\} (\d+)$', page, re.M)
        self.buckets = [(float(bound), int(count)) for bound, count in found]

    def long(self, thread="worker"):
        return int(self.stats[f"turns.{thread}.over_5ms_cpu"])

    def cpu_max_us(self, thread="worker"):
        return int(self.stats[f"turns.{thread}.cpu_max_us"])

    def count(self):
        return self.buckets[-1][1]

    def below(self, share):
        """The bucket's bound, in seconds, that this share of the turns did not exceed by the clock."""
        return next(bound for bound, count in self.buckets if count >= share * self.count())


def resident_kib(lateen):
    with open(f"/proc/{lateen.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
