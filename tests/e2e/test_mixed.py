"""Changes of all kinds while clients of all kinds are busy: no request fails, no connection that may
stay is closed, no worker is held up, and memory comes back.

wrk keeps HTTP/1 connections, h2load opens HTTP/2 ones again and again, both clear and over TLS; two
gRPC streams, a download and four single connections last from the first change to the last.
LATEEN_LONG=1 makes 1,000 changes in 60 s of it; E2E_CHANGES and E2E_SECONDS set other numbers.
"""
import contextlib
import os
import statistics
import time

import pytest

from changes import LONG_RULES, Changes, gateway
from harness import BIN, SHIM_MODE, Backend, virtual_service, wait_until
from load import (Download, GrpcBackend, GrpcTalk, H2Load, Steady, Turns, Wrk, make_certificate, resident_kib,
                  secret)

IS_LONG, SANITIZED = "LATEEN_LONG" in os.environ, "san" in str(BIN) or SHIM_MODE is not None
CHANGES = int(os.environ.get("E2E_CHANGES", 1000 if IS_LONG else 74 if SANITIZED else 148))
SECONDS = int(os.environ.get("E2E_SECONDS", 60 if IS_LONG else 8))
GROWTH_KIB = 24 << 10  # what may stay: caches of the allocator's arenas, one for each thread

pytestmark = pytest.mark.reload


def service_of_grpc(backend):
    return f"""apiVersion: v1
kind: Service
metadata: {{ name: grpc-echo, namespace: hedgus }}
spec:
  ports: [ {{ name: grpc, port: 80, targetPort: {backend.port} }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: grpc-echo, namespace: hedgus }}
subsets:
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: grpc, port: {backend.port} }} ]
"""


def load_begin(stack, lateen, pair):
    """Everything that uses the two ports: (what counts its requests, what lasts)."""
    lasting = [Steady(lateen, scheme) for scheme in ("http", "https") * 2]
    lasting += [GrpcTalk(lateen), GrpcTalk(lateen, pair)]
    loads = [Wrk(f"http://127.0.0.1:{lateen.ports[80]}/", 8), Wrk(f"https://127.0.0.1:{lateen.ports[443]}/", 8)]
    for load in loads:
        stack.callback(load.kill)
    loads += [H2Load(lateen, "http"), H2Load(lateen, "https")]
    for thread in [*lasting, *loads[2:]]:
        thread.start()
        stack.callback(thread.leave.set)
    return loads, lasting


def report(changes, took, requests, turns, memory):
    print(f"{changes.count} changes in {took:.1f} s, {sum(requests)} requests {requests}")
    print(f"{turns.count()} worker turns; by the clock 99.9 of 100 within {1000 * turns.below(0.999):g} ms; "
          f"processor time: longest {turns.cpu_max_us()} us, {turns.long()} over 5 ms; "
          f"main's longest {turns.cpu_max_us('main')} us")
    print("resident before, under load, after: {}, {}, {} KiB".format(*memory))
    for kind, seconds in changes.took.items():
        print(f"{kind}: median {1000 * statistics.median(seconds):.0f} ms, at most {1000 * max(seconds):.0f} ms")


@pytest.mark.faults
def test_changes_under_load_disturb_nobody(manifests, start, tmp_path):
    backend, grpc_backend = Backend(), GrpcBackend()
    pair = make_certificate(tmp_path, "first")
    manifests.remove("7-certificate.yaml")
    manifests.write("7-secret.yaml", secret(pair))
    manifests.write("6-gateway.yaml", gateway("hedgus-api", [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, LONG_RULES))
    manifests.write("9-trickle.yaml", backend.manifests("trickle"))
    manifests.write("9-grpc.yaml", service_of_grpc(grpc_backend))
    lateen = start(flags=["--access-log", "/dev/null"], ports=(80, 443, 8090, 8091))
    wait_until("the tutorial answers", lambda: lateen.get("/").status == 200)
    memory = [resident_kib(lateen)]
    changes = Changes(lateen, manifests, tmp_path)
    download = Download(lateen)
    download.start()
    with contextlib.ExitStack() as stack:
        loads, lasting = load_begin(stack, lateen, pair)
        took = changes.run(CHANGES, SECONDS)
        memory.append(resident_kib(lateen))
        requests = [load.stop() for load in loads] + [thread.stop(least=20) for thread in lasting]
    assert download.is_alive(), f"the download ended early: {download.fault!r}"
    backend.finish.set()
    download.join(60)
    assert download.fault is None, f"line {download.lines}: {download.fault!r}"
    assert download.lines == backend.lines and download.lines > 10
    turns = Turns(lateen)
    with contextlib.suppress(AssertionError):
        wait_until("memory is given back", lambda: resident_kib(lateen) <= memory[0] + GROWTH_KIB, 5)
    memory.append(resident_kib(lateen))
    report(changes, took, requests, turns, memory)
    backend.close()
    grpc_backend.close()
    if not SANITIZED:
        assert memory[2] <= memory[0] + GROWTH_KIB
        # Interrupts and other machines count as the thread's time: one in a while is not ours.
        assert turns.long() <= changes.count // 50, lateen.log()[-3000:]
