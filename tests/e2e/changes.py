"""Changes of all kinds to a running tutorial, none of which may disturb what uses port 80 and 443 of
its first Gateway. Each method makes one change, waits until the program says that it is live,
and looks for its effect; `cycle` is their order, so that each finds what it needs.
"""
import contextlib
import itertools
import socket
import ssl
import time

from harness import HOST, virtual_service, wait_until
from load import GRPC_PATH, make_certificate, secret

SECOND = "second.example"
LONG_RULES = """
    - match: [ { uri: { prefix: /trickle } } ]
      route: [ { destination: { host: trickle } } ]
    - match: [ { uri: { prefix: %s } } ]
      route: [ { destination: { host: grpc-echo } } ]""" % GRPC_PATH
RULE = """
    - match: [ { uri: { exact: /added-%d } } ]
      route: [ { destination: { host: hedgus-app, subset: %s } } ]"""
HEADER_RULE = """
    - match: [ { uri: { exact: /header } } ]
      timeout: %dms
      retries: { attempts: %d }
      headers: { response: { set: { x-change: "%d" } } }
      route: [ { destination: { host: hedgus-app } } ]"""


def gateway(name, servers, extra=""):
    text = f"apiVersion: networking.istio.io/v1beta1\nkind: Gateway\nmetadata: {{ name: {name}, namespace: hedgus }}\n"
    text += "spec:\n  selector: { istio: gateway }\n  servers:\n"
    for i, (number, protocol, hosts, *credential) in enumerate(servers):
        text += f"    - port: {{ number: {number}, name: p{i}, protocol: {protocol} }}\n      hosts: {hosts}\n"
        if protocol == "HTTPS":
            text += f"      tls: {{ mode: SIMPLE, credentialName: {credential[0] if credential else 'hedgus-crt'}{extra} }}\n"
    return text


class Changes:
    def __init__(self, lateen, manifests, folder):
        self.lateen, self.manifests, self.count, self.took = lateen, manifests, 0, {}
        self.weights, self.rule, self.is_swapped, self.policy = {"v1": 100, "v2": 0}, "", False, ""
        self.services = "5-virtual-service.yaml"
        self.pairs = itertools.cycle([make_certificate(folder, f"cert-{i}", [HOST, SECOND]) for i in range(3)])
        self.second_pair = make_certificate(folder, "second", [SECOND])
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.log = open(lateen.log_path, errors="replace")
        self.clients = itertools.cycle([lateen.client() for _ in range(4)])
        self.seen = ""
        self.base = [(80, "HTTP", '["*"]'), (443, "HTTPS", '["*"]')]
        self.cycle = [
            self.weights_changed, self.route_added, self.subsets_swapped, self.route_removed, self.gateway_added,
            self.certificate_replaced, self.broken_file_saved, self.broken_file_mended, self.policy_changed,
            self.route_settings_changed, self.file_renamed, self.server_added, self.weights_changed,
            self.credential_lost, self.credential_found, self.server_removed, self.endpoints_added,
            self.many_files_at_once, self.service_port_changed, self.endpoints_removed, self.unsaved_change,
            self.policy_removed, self.host_deleted, self.host_restored, self.object_moved, self.object_moved_back,
            self.conflict_added, self.weights_changed, self.conflict_removed, self.gateway_broken,
            self.gateway_mended, self.service_port_restored, self.gateway_removed, self.many_files_gone,
            self.workload_entry_added, self.workload_entry_removed, self.file_renamed_back]

    # --- how a change is seen ---

    def live(self, name):
        """Waits for the line that tells of a reload of this file; its text."""
        def told():
            self.seen += self.log.read()
            *lines, self.seen = self.seen.split("\n")
            return next((line for line in lines if line.startswith("reload: ") and name in line), None)

        return wait_until(f"{name} is taken up", told, pause=0.002)

    def save(self, name, text):
        self.manifests.replace(name, text)
        return self.live(name)

    def get(self, path, **how):
        return next(self.clients).get(path, **how)

    def handshake(self, sni):
        """The certificate (DER) that this name is given; None: the connection was closed."""
        with socket.create_connection(("127.0.0.1", self.lateen.ports[443]), 60) as raw:
            with contextlib.suppress(OSError):
                with self.tls.wrap_socket(raw, server_hostname=sni) as tls:
                    return tls.getpeercert(binary_form=True)

    def expect(self, path, version, **how):
        answer = self.get(path, **how)
        assert (answer.status, answer.version) == (200, version), f"{path}: {answer.status} {answer.text}"

    def winner(self):
        """The version that "/" is answered by: swapped subsets stand for each other's."""
        subset = next(name for name, weight in self.weights.items() if weight)
        return {"v1": "v2", "v2": "v1"}[subset] if self.is_swapped else subset

    # --- routes ---

    def text_of_services(self, extra=""):
        return virtual_service(self.weights, LONG_RULES + self.rule + extra)

    def weights_changed(self):
        self.weights = {"v1": 0, "v2": 100} if self.weights["v1"] else {"v1": 100, "v2": 0}
        self.save(self.services, self.text_of_services())
        self.expect("/", self.winner())

    def route_added(self):
        self.added = self.count
        self.rule = RULE % (self.count, "v1")
        self.save(self.services, self.text_of_services())
        self.expect(f"/added-{self.added}", "v2" if self.is_swapped else "v1")

    def route_removed(self):
        self.rule = ""
        self.save(self.services, self.text_of_services())
        self.expect(f"/added-{self.added}", self.winner())

    def route_settings_changed(self):
        self.save(self.services, self.text_of_services(HEADER_RULE % (20000 + self.count, self.count % 3, self.count)))
        assert self.get("/header").headers["x-change"] == str(self.count)

    def broken_file_saved(self):
        assert "error" in self.save(self.services, "kind: VirtualService\nspec: [ {\n")
        self.expect("/", self.winner())

    def broken_file_mended(self):
        self.weights_changed()

    def file_renamed(self, to="5-renamed.yaml"):
        (self.manifests.folder / self.services).rename(self.manifests.folder / to)
        self.services = to
        self.live(to)
        self.expect("/", self.winner())

    def file_renamed_back(self):
        self.file_renamed("5-virtual-service.yaml")

    def object_moved(self):
        """First it stands in both files, then in the new one alone."""
        second = "5-zz-moved.yaml"
        self.save(second, self.text_of_services())
        self.manifests.remove(self.services)
        self.live("files removed")
        self.services = second
        self.expect("/", self.winner())

    def object_moved_back(self):
        first, second = "5-renamed.yaml", self.services
        self.save(first, self.text_of_services())
        self.manifests.remove(second)
        self.live("files removed")
        self.services = first
        self.expect("/", self.winner())

    def unsaved_change(self):
        """The same octets again: nothing to take up."""
        self.manifests.replace(self.services, self.manifests.read(self.services))
        time.sleep(0.02)
        self.expect("/", self.winner())

    # --- destinations ---

    def text_of_destinations(self):
        text = "apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\n"
        text += "metadata: { name: hedgus-app, namespace: hedgus }\nspec:\n  host: hedgus-app\n" + self.policy + "  subsets:\n"
        for name, version in zip(("v1", "v2"), ("v2", "v1") if self.is_swapped else ("v1", "v2")):
            text += f"    - {{ name: {name}, labels: {{ app: hedgus-app, version: {version} }} }}\n"
        return text

    def subsets_swapped(self):
        self.is_swapped = not self.is_swapped
        self.save("4-destination-rule.yaml", self.text_of_destinations())
        self.expect("/", self.winner())

    def policy_changed(self):
        self.policy = f"""  trafficPolicy:
    loadBalancer: {{ simple: {("RANDOM", "ROUND_ROBIN", "LEAST_REQUEST")[self.count % 3]} }}
    connectionPool:
      tcp: {{ connectTimeout: {5 + self.count % 5}s }}
      http: {{ maxRequestsPerConnection: {50 + self.count % 50}, idleTimeout: {30 + self.count % 30}s }}
"""
        self.save("4-destination-rule.yaml", self.text_of_destinations())
        self.expect("/", self.winner())

    def policy_removed(self):
        self.policy = ""
        self.save("4-destination-rule.yaml", self.text_of_destinations())
        self.expect("/", self.winner())

    def deployments(self, replicas):
        for version in ("v1", "v2"):
            name = f"1-deployment-{version}.yaml"
            text = self.manifests.read(name)
            self.save(name, text.replace("replicas: 1" if replicas > 1 else "replicas: 3",
                                         f"replicas: {replicas}"))
        self.expect("/", self.winner())

    def endpoints_added(self):
        self.deployments(3)

    def endpoints_removed(self):
        self.deployments(1)

    def service_port_changed(self):
        """The same backends, spoken to by HTTP/2 from now on."""
        text = self.manifests.read("3-myapp-service.yaml")
        self.save("3-myapp-service.yaml", text.replace("name: http\n", "name: http2\n"))
        self.expect("/", self.winner())

    def service_port_restored(self):
        text = self.manifests.read("3-myapp-service.yaml")
        self.save("3-myapp-service.yaml", text.replace("name: http2\n", "name: http\n"))
        self.expect("/", self.winner())

    def workload_entry_added(self):
        text = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside, namespace: hedgus }
spec:
  hosts: [ outside.example ]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [ { number: 80, name: http, protocol: HTTP } ]
  endpoints: [ { address: 127.0.0.1, ports: { http: 9 } } ]
"""
        self.save("8-outside.yaml", text)
        self.expect("/", self.winner())

    def workload_entry_removed(self):
        self.manifests.remove("8-outside.yaml")
        self.live("files removed")
        self.expect("/", self.winner())

    # --- gateways, listeners, certificates ---

    def second_file(self, servers):
        routes = virtual_service({"v1": 1, "v2": 1}, name="second", hosts=(SECOND,), gateways=("second",))
        return gateway("second", servers) + "---\n" + routes

    def gateway_added(self):
        """A port of its own, and one more server on each of the ports under load."""
        self.save("8-second.yaml", self.second_file([(8090, "HTTP", f'["{SECOND}"]'), (80, "HTTP", f'["{SECOND}"]')]))
        assert self.get("/", headers={"Host": SECOND}).status == 200
        assert self.lateen.get("/", host=SECOND, number=8090).status == 200

    def server_added(self):
        """To the Gateway that the load came through, and another certificate on its port 443."""
        self.manifests.replace("8-second-crt.yaml", secret(self.second_pair, "second-crt"))
        self.save("6-gateway.yaml", gateway("hedgus-api", [*self.base, (8091, "HTTP", '["*"]'),
                                                           (443, "HTTPS", f'["{SECOND}"]', "second-crt")]))
        assert self.lateen.get("/", number=8091).status == 200
        assert self.handshake(SECOND) == ssl.PEM_cert_to_DER_cert(self.second_pair[0].decode())

    def credential_lost(self):
        """Only the server that names it has no certificate now."""
        self.manifests.remove("8-second-crt.yaml")
        self.live("files removed")
        assert self.handshake(SECOND) != ssl.PEM_cert_to_DER_cert(self.second_pair[0].decode())
        assert self.handshake(HOST)

    def credential_found(self):
        self.save("8-second-crt.yaml", secret(self.second_pair, "second-crt"))
        assert self.handshake(SECOND) == ssl.PEM_cert_to_DER_cert(self.second_pair[0].decode())

    def server_removed(self):
        self.save("6-gateway.yaml", gateway("hedgus-api", self.base))
        self.wait_closed(8091)

    def gateway_removed(self):
        self.manifests.remove("8-second.yaml")
        self.live("files removed")
        self.wait_closed(8090)
        assert self.get("/", headers={"Host": SECOND}).status == 404

    def wait_closed(self, number):
        def is_closed():
            with socket.socket() as sock:
                sock.settimeout(60)
                return sock.connect_ex(("127.0.0.1", self.lateen.ports[number])) != 0

        wait_until(f"port {number} is closed", is_closed)

    def gateway_broken(self):
        assert "error" in self.save("6-gateway.yaml", gateway("hedgus-api", self.base).replace("number: 443", "number: 70000"))
        self.expect("/", self.winner())

    def gateway_mended(self):
        self.save("6-gateway.yaml", gateway("hedgus-api", self.base, ", minProtocolVersion: TLSV1_2"))
        assert self.handshake(HOST)

    def conflict_added(self):
        """Another protocol on the port under load: the later one is dropped and named."""
        self.save("9-conflict.yaml", gateway("zz-conflict", [(80, "HTTPS", '["*"]'), (443, "HTTP", '["*"]')]))
        self.expect("/", self.winner())

    def conflict_removed(self):
        self.manifests.remove("9-conflict.yaml")
        self.live("files removed")
        self.expect("/", self.winner())

    def certificate_replaced(self):
        pair = next(self.pairs)
        self.save("7-secret.yaml", secret(pair))
        assert self.handshake(HOST) == ssl.PEM_cert_to_DER_cert(pair[0].decode())

    # --- hosts and files ---

    def other(self, i):
        return virtual_service({"v1": 1, "v2": 1}, name=f"other-{i}", hosts=(f"other-{i}.example",))

    def many_files_at_once(self):
        for i in range(20):
            self.manifests.replace(f"other-{i}.yaml", self.other(i))
        wait_until("the last of many is live", lambda: self.get("/", headers={"Host": "other-19.example"}).status == 200)

    def host_deleted(self):
        self.manifests.remove("other-0.yaml")
        self.live("files removed")
        assert self.get("/", headers={"Host": "other-0.example"}).status == 404

    def host_restored(self):
        self.save("other-0.yaml", self.other(0))
        assert self.get("/", headers={"Host": "other-0.example"}).status == 200

    def many_files_gone(self):
        for i in range(20):
            self.manifests.remove(f"other-{i}.yaml")
        wait_until("the last of many is gone", lambda: self.get("/", headers={"Host": "other-19.example"}).status == 404)

    # --- all of them ---

    def run(self, changes, seconds):
        """Whole cycles, until so many changes were made and so much time went by."""
        start = time.monotonic()
        for kind in itertools.cycle(self.cycle):
            if self.count >= changes and time.monotonic() - start >= seconds and kind == self.cycle[0]:
                break
            before = time.monotonic()
            kind()
            self.took.setdefault(kind.__name__, []).append(time.monotonic() - before)
            self.count += 1
            time.sleep(max(0, start + self.count * seconds / changes - time.monotonic()))
        self.log.close()
        return time.monotonic() - start
