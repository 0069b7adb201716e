"""TLS modes with real certificates: what a Gateway demands of clients, and a DestinationRule of backends."""
import contextlib
import http.server
import json
import socketserver
import ssl
import subprocess
import urllib.parse

import pytest

from certs import Authority
from harness import Manifests, running, serve, wait_until

GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: ns}}
spec:
  servers:
  - {{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}
{servers}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs, namespace: ns}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
{rules}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: se, namespace: ns}}
spec:
  hosts: [{hosts}]
  ports: [{{number: 443, name: http, protocol: HTTP, targetPort: {port}}}]
  resolution: STATIC
  endpoints: [{{address: 127.0.0.1}}]
"""
SERVER = '  - {{port: {{number: 443, name: {name}, protocol: HTTPS}}, hosts: ["{name}.test"], tls: {{mode: {tls}}}}}'
FILES = "serverCertificate: {pki}/edge.pem, privateKey: {pki}/edge.key"
# name -> what its Gateway server demands
SERVERS = {
    "mutual": "MUTUAL, caCertificates: {pki}/ca.pem, " + FILES,
    "optional": "OPTIONAL_MUTUAL, caCertificates: {pki}/ca.pem, " + FILES,
    "named": "MUTUAL, caCertificates: {pki}/ca.pem, subjectAltNames: ['spiffe://td/ns/a/sa/b'], " + FILES,
    "pinned": "MUTUAL, caCertificates: {pki}/ca.pem, verifyCertificateHash: ['{hash}'], " + FILES,
    "revoking": "MUTUAL, caCertificates: {pki}/ca.pem, caCrl: {pki}/ca.crl, " + FILES,
    "secret": "MUTUAL, credentialName: edge",
    "listed": "MUTUAL, caCertificates: {pki}/ca.pem, tlsCertificates: [{{" + FILES + "}}]",
}
# name -> (what its DestinationRule says, what its request is answered: a word of the answer or of the reason)
BACKENDS = {
    "simple": ("mode: SIMPLE, caCertificates: {pki}/ca.pem", 'sni: simple.test'),
    "sni": ("mode: SIMPLE, caCertificates: {pki}/ca.pem, sni: simple.test", "sni: simple.test"),
    "othername": ("mode: SIMPLE, caCertificates: {pki}/ca.pem, sni: nobody.test", "verify_SAN_list"),
    "san": ("mode: SIMPLE, caCertificates: {pki}/ca.pem, sni: nobody.test, subjectAltNames: [simple.test]",
            "sni: nobody.test"),
    "wrongca": ("mode: SIMPLE, caCertificates: {pki}/other.pem", "self-signed_certificate_in_certificate_chain"),
    "system": ("mode: SIMPLE", "CERTIFICATE_VERIFY_FAILED"),
    "skip": ("mode: SIMPLE, insecureSkipVerify: true", "sni: skip.test"),
    "shown": ("mode: MUTUAL, caCertificates: {pki}/ca.pem, clientCertificate: {pki}/client.pem, "
              "privateKey: {pki}/client.key, sni: shown.test", "client: client"),
    "fromsecret": ("mode: MUTUAL, credentialName: edge", "client: edge"),
    "missing": ("mode: SIMPLE, caCertificates: {pki}/none.pem", "Secret is not supplied by SDS"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        subject = dict(pair[0] for pair in (self.connection.getpeercert() or {}).get("subject", ()))
        told = {"sni": getattr(self.connection, "sni", None), "client": subject.get("commonName"),
                "reused": self.connection.session_reused, "xfcc": self.headers["x-forwarded-client-cert"]}
        body = json.dumps(told).replace('"', "").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", self.headers.get("x-end", "keep-alive"))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class TlsServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # handshakes that fail are what the tests want


@contextlib.contextmanager
def tls_backend(pki):
    """A server that asks for a certificate, takes none, and tells what it was shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "simple.pem", pki / "simple.key")
    context.load_verify_locations(pki / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.sni_callback = lambda connection, name, _: setattr(connection, "sni", name)
    server = TlsServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    serve(server)
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def indented(path):
    return path.read_text().replace("\n", "\n    ")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    ca, other = Authority(folder), Authority(folder, "other")
    hosts = ",".join(f"DNS:{name}.test" for name in SERVERS)
    ca.issue("edge", hosts, "serverAuth,clientAuth")
    ca.issue("simple", "DNS:simple.test,DNS:shown.test,DNS:fromsecret.test")
    ca.issue("client", "URI:spiffe://td/ns/a/sa/b,DNS:client.test", "clientAuth")
    ca.issue("plain", "DNS:plain.test", "clientAuth")
    ca.issue("server", "DNS:server.test", "serverAuth")
    ca.issue("expired", "DNS:expired.test", "clientAuth", days=-1)
    other.issue("stranger", "DNS:stranger.test", "clientAuth")
    revoked, _ = ca.issue("revoked", "DNS:revoked.test", "clientAuth")
    ca.revoke(revoked)
    return folder


@pytest.fixture(scope="module")
def lateen(pki, tmp_path_factory):
    with tls_backend(pki) as port:
        digest = subprocess.run(["openssl", "x509", "-in", pki / "client.pem", "-noout", "-fingerprint", "-sha256"],
                                check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
        servers = "\n".join(SERVER.format(name=name, tls=tls.format(pki=pki, hash=digest))
                            for name, tls in SERVERS.items())
        rules = "\n".join(f'  - {{match: [{{authority: {{prefix: {name}.test}}}}], route: [{{destination: '
                          f'{{host: {name}.test, port: {{number: 443}}}}}}]}}' for name in BACKENDS)
        rules += "\n  - {route: [{destination: {host: shown.test, port: {number: 443}}}]}"
        text = GATEWAY.format(servers=servers, rules=rules, port=port, hosts=", ".join(f"{n}.test" for n in BACKENDS))
        for name, (tls, _) in BACKENDS.items():
            text += ("---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
                     f"metadata: {{name: {name}, namespace: ns}}\n"
                     f"spec: {{host: {name}.test, trafficPolicy: {{tls: {{{tls.format(pki=pki)}}}}}}}\n")
        text += ("---\napiVersion: v1\nkind: Secret\nmetadata: {name: edge, namespace: ns}\nstringData:\n"
                 + "".join(f"  {key}: |\n    {indented(pki / name)}\n" for key, name in
                           (("tls.crt", "edge.pem"), ("tls.key", "edge.key"), ("ca.crt", "ca.pem"))))
        manifests = Manifests(tmp_path_factory.mktemp("modes") / "manifests", source=None)
        manifests.write("all.yaml", text)
        with running(manifests, "tls-modes") as program:
            yield program


def curl(lateen, pki, host, client=None, *more):
    """What is answered, or curl's words for why nothing is."""
    port = lateen.ports[443]
    shown = ["--cert", pki / f"{client}.pem", "--key", pki / f"{client}.key"] if client else []
    done = subprocess.run(["curl", "-sS", "--max-time", "10", "--cacert", str(pki / "ca.pem"), *map(str, shown),
                           "--resolve", f"{host}:{port}:127.0.0.1", *more, f"https://{host}:{port}/"],
                          capture_output=True, text=True, timeout=30)
    return done.stdout or done.stderr


@pytest.mark.parametrize("host, client, holds", [
    ("mutual", "client", True), ("mutual", None, False), ("mutual", "stranger", False), ("mutual", "expired", False),
    ("mutual", "server", False), ("mutual", "ca", False),
    ("optional", "client", True), ("optional", None, True), ("optional", "stranger", False),
    ("named", "client", True), ("named", "plain", False),
    ("pinned", "client", True), ("pinned", "plain", False),
    ("revoking", "client", True), ("revoking", "revoked", False),
    ("listed", "client", True), ("secret", "client", True), ("secret", None, False), ("secret", "stranger", False),
])
def test_only_clients_with_the_right_certificate_get_in(lateen, pki, host, client, holds):
    answer = curl(lateen, pki, f"{host}.test", client)
    assert ("client: client" in answer) is holds, answer


def test_the_backend_is_told_who_the_client_is_and_nothing_that_the_client_says(lateen, pki):
    told = curl(lateen, pki, "mutual.test", "client", "-H", "x-forwarded-client-cert: Hash=forged")
    assert "forged" not in told
    assert ";Subject=\\CN=client,O=example\\;URI=spiffe://td/ns/a/sa/b;DNS=client.test" in told
    pem = urllib.parse.unquote(told.split("Cert=\\")[1].split("\\;")[0])
    assert pem == "-----BEGIN" + (pki / "client.pem").read_text().split("-----BEGIN")[1]
    assert "xfcc: null" in curl(lateen, pki, "optional.test", None, "-H", "x-forwarded-client-cert: Hash=forged")


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_is_spoken_to_as_its_rule_says(lateen, name):
    answer = lateen.get(host=f"{name}.test")
    assert BACKENDS[name][1] in answer.text, answer.text
    assert (answer.status == 200) is ("sni:" in answer.text), answer.text
    if answer.status != 200:
        assert answer.status == 503


def test_the_dump_shows_what_a_backend_must_be(lateen, pki):
    clusters = [c["cluster"] for c in json.loads(lateen.admin("/config_dump?resource=dynamic_active_clusters").body)["configs"]]
    tls = next(c["transport_socket"]["typed_config"] for c in clusters if c["name"] == "outbound|443||san.test")
    common = tls["common_tls_context"]["combined_validation_context"]
    assert tls["sni"] == "nobody.test"
    assert common["default_validation_context"]["match_subject_alt_names"] == ["simple.test"]
    assert common["validation_context_sds_secret_config"]["name"] == f"file-root:{pki}/ca.pem"


def test_sessions_with_backends_are_resumed(lateen):
    told = [lateen.get(host="simple.test", headers={"x-end": "close"}).text for _ in range(6)]
    assert any("reused: true" in text for text in told), told


def test_a_certificate_file_that_changes_is_read_again(lateen, pki):
    """Last: from now on the backend is not trusted by this rule any more."""
    (pki / "ca.pem.other").write_text((pki / "other.pem").read_text())
    kept = (pki / "ca.pem").read_text()
    (pki / "ca.pem.other").rename(pki / "ca.pem")
    try:
        wait_until("the CA is another one", lambda: lateen.get(host="simple.test").status == 503)
        assert "client: client" not in curl(lateen, pki, "mutual.test", "client", "-k")
    finally:
        (pki / "ca.pem").write_text(kept)
    wait_until("and the old one again", lambda: lateen.get(host="simple.test").status == 200)
