"""What lives longer than a snapshot: a change that does not concern a service leaves its connections, numbers and limits alone."""
import re
import threading

import pytest

from harness import virtual_service, wait_until
from test_limits import Backend as Held
from test_limits import manifests_with, rule, service

OTHER = """apiVersion: v1
kind: Service
metadata: { name: other, namespace: hedgus }
spec:
  ports: [ { name: http, port: 80, targetPort: 1 } ]
"""
ROUTES = """
    - match:
        - uri:
            prefix: /held
      route:
        - destination:
            host: held"""


def rewritten(weights):
    return virtual_service(weights, ROUTES)


CHANGES = {
    "a weight": lambda m: m.write("5-virtual-service.yaml", rewritten({"v1": 10, "v2": 90})),
    "another service": lambda m: m.write("9-other.yaml", OTHER),
    "a host is added": lambda m: m.write("5-virtual-service.yaml", virtual_service(
        {"v1": 100, "v2": 0}, ROUTES, hosts=("mk.hedgus.com", "hedgus-app", "added.test"))),
    "a host is removed": lambda m: m.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, ROUTES,
                                                                                    hosts=("mk.hedgus.com",))),
    "its own balancing": lambda m: m.write("9-rule.yaml", rule(tcp="maxConnections: 2", lb="RANDOM")),
}


def generation(lateen):
    return int(re.search(r'"generation":(\d+)', lateen.admin("/server_info").text)[1])


def change(lateen, act):
    before = generation(lateen)
    act()
    wait_until("the change is served", lambda: generation(lateen) > before)


def numbers(lateen):
    text = lateen.admin("/stats?filter=held.*upstream_(cx|rq)_").text
    return dict(re.findall(r"\.(\w+): (\d+)$", text, re.M))


def by_connection(lateen):
    """From which port of the gateway the backend was asked."""
    return lateen.get("/held").headers["Via-Port"]


@pytest.mark.reload
def test_what_does_not_concern_a_service_leaves_its_connection_and_numbers(manifests, start):
    backend = Held()
    backend.gate.set()
    manifests_with(manifests, [backend.port], rule(tcp="maxConnections: 2"))
    manifests.write("5-virtual-service.yaml", rewritten({"v1": 100, "v2": 0}))
    manifests.edit("6-gateway.yaml", "protocol: HTTP\n      hosts:\n        - mk.hedgus.com", 'protocol: HTTP\n      hosts: ["*"]')
    lateen = start(flags=["--workers", "1"])
    try:
        port = by_connection(lateen)
        asked = 1
        for name, act in CHANGES.items():
            change(lateen, lambda: act(manifests))
            assert by_connection(lateen) == port, name
            asked += 1
            after = wait_until("it is counted", lambda: (now := numbers(lateen))["upstream_rq_total"] == str(asked) and now)
            assert (after["upstream_cx_total"], after["upstream_cx_active"], after["upstream_rq_2xx"]) == ("1", "1", str(asked)), name
    finally:
        backend.close()


def test_only_the_connections_of_a_removed_endpoint_end(manifests, start):
    stays, goes, comes = Held(), Held(), Held()
    everyone = [stays, goes, comes]
    try:
        for each in everyone:
            each.gate.set()
        manifests_with(manifests, [stays.port, goes.port], rule(lb="ROUND_ROBIN"))
        lateen = start(flags=["--workers", "1"])
        ports = {by_connection(lateen) for _ in range(4)}
        assert (len(ports), stays.connections, goes.connections) == (2, 1, 1)
        change(lateen, lambda: manifests.write("8-held.yaml", service([stays.port, comes.port])))
        wait_until("the removed endpoint's connection ends", lambda: goes.connections == 0)
        after = {by_connection(lateen) for _ in range(4)}
        assert (len(after & ports), stays.connections, comes.connections) == (1, 1, 1)
        assert numbers(lateen)["upstream_cx_total"] == "3"
    finally:
        for each in everyone:
            each.close()


def test_a_connection_stays_as_long_as_any_service_names_its_endpoint(manifests, start):
    shared, comes = Held(), Held()
    also = service([shared.port]).replace("name: held,", "name: also,")
    try:
        shared.gate.set()
        comes.gate.set()
        manifests_with(manifests, [shared.port], rule())
        manifests.write("9-also.yaml", also)
        manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, ROUTES + ROUTES.replace("held", "also")))
        lateen = start(flags=["--workers", "1"])
        port = lateen.get("/also").headers["Via-Port"]
        change(lateen, lambda: manifests.write("8-held.yaml", service([comes.port])))
        assert lateen.get("/also").headers["Via-Port"] == port
        change(lateen, lambda: manifests.write("9-also.yaml", also.replace(str(shared.port), str(comes.port))))
        wait_until("nobody names it: its connection ends", lambda: shared.connections == 0)
    finally:
        shared.close()
        comes.close()


def test_a_request_of_a_removed_endpoint_is_answered_first(manifests, start):
    stays, goes = Held(), Held()
    answers = []
    try:
        stays.gate.set()
        manifests_with(manifests, [goes.port], rule())
        lateen = start(flags=["--workers", "1"])
        client = lateen.client()
        asking = threading.Thread(target=lambda: answers.append(client.get("/held")))
        asking.start()
        wait_until("it is inside", lambda: goes.inside == 1)
        change(lateen, lambda: manifests.write("8-held.yaml", service([stays.port])))
        assert lateen.get("/held").status == 200 and stays.served == 1
        assert goes.connections == 1
        goes.gate.set()
        asking.join()
        assert answers[0].status == 200
        wait_until("then its connection ends", lambda: goes.connections == 0)
    finally:
        stays.close()
        goes.close()
