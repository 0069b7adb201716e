"""Attacks of other proxies' histories on names, sessions, logs and admin pages, each named by its CVE
(docs/security.md)."""
import contextlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import urllib.parse

import pytest

from harness import HOST, PATIENCE, Client, Manifests, running, virtual_service, wait_until

OTHER = "other.example"
FIELDS = ("%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(USER-AGENT)% %REQ(X-ANY)% %REQ(X-FORWARDED-FOR)% "
          "%REQUESTED_SERVER_NAME% %RESP(X-BACK)% %RESPONSE_CODE_DETAILS% %ROUTE_NAME% end")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two hosts with a certificate each on 443, every name on 444."""
    manifests = Manifests(tmp_path_factory.mktemp("cve") / "manifests")
    gateway = manifests.read("6-gateway.yaml").replace("hedgus-api", "other").replace(HOST, OTHER)
    certificate = manifests.read("7-certificate.yaml").replace("hedgus-com", "other").replace(HOST, OTHER)
    manifests.write("8-gateway.yaml", gateway.replace("hedgus-crt", "other-crt"))
    manifests.write("8-certificate.yaml", certificate.replace("hedgus-crt", "other-crt"))
    manifests.write("8-every.yaml", """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: every, namespace: istio-ingress }
spec:
  selector: { istio: ingressgateway }
  servers:
  - port: { number: 444, name: https-any, protocol: HTTPS }
    hosts: [ "*" ]
    tls: { mode: SIMPLE, credentialName: hedgus-crt }
""")
    manifests.write("8-routes.yaml", virtual_service({"v1": 0, "v2": 1}, name="other", hosts=(OTHER,), gateways=("other",)))
    with running(manifests, "cve", ports=(80, 443, 444), flags=("--access-log-format", FIELDS)) as lateen:
        yield lateen


# --- TLS ---

def visit(lateen, context, sni, session, number=443):
    client = Client(lateen.ports[number], host=sni)
    with contextlib.closing(client):
        client.sock = context.wrap_socket(client.sock, server_hostname=sni, session=session)
        status = client.get("/").status
        return client.sock.session, client.sock.session_reused, status


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), ids=lambda v: v.name)
def test_cve_2025_23419_a_session_opens_no_other_host(world, version):
    """A ticket of one host is nothing to another: the handshake is a full one, with its own certificate."""
    context = ssl.create_default_context(cafile=world.cafile())
    context.minimum_version = context.maximum_version = version
    session, reused, status = visit(world, context, HOST, None)
    assert not reused and status == 200
    assert visit(world, context, HOST, session)[1:] == (True, 200)
    assert visit(world, context, OTHER, session)[1:] == (False, 200)
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    unchecked.minimum_version = unchecked.maximum_version = version
    session = visit(world, unchecked, HOST, None)[0]
    assert visit(world, unchecked, HOST, session, 444)[1] is False  # another port's chain


@pytest.mark.parametrize("name", ("a" * 255, "a" * 256, "a." * 120 + "b", 'x" 200 - "y', "x\ny", "x\x1b[2J", "x%n%s", "\u00e4.example"))
def test_cve_2024_45808_a_server_name_stays_inside_its_field(world, name):
    """What a client calls the server is data to the log, however it is spelt, or no name at all."""
    before = len(world.access_log())
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{world.ports[444]}", "-servername", name, "-ign_eof"],
                   input=f"GET /sni HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode(), capture_output=True, timeout=30, check=False)
    assert world.get("/after-sni").status == 200
    log = wait_until("the next line", lambda: "/after-sni" in (new := world.access_path.read_bytes()[before:].decode()) and new)
    check_lines(log)


def test_records_without_content_are_no_way_to_stay(world):
    """Empty records, alerts and octets that are no TLS before the handshake end the connection."""
    for octets in (b"\x16\x03\x01\x00\x00", b"\x15\x03\x03\x00\x02\x01\x5a", b"\x14\x03\x03\x00\x01\x01", b"\x17\x03\x03\x00\x00"):
        with contextlib.closing(socket.create_connection(("127.0.0.1", world.ports[443]), PATIENCE)) as sock:
            with contextlib.suppress(ConnectionError):
                for _ in range(20):
                    sock.sendall(octets * 1000)
                while sock.recv(4096):
                    pass
    assert world.get("/", "https").status == 200


# --- logs ---

ODD = ["cr\rlf", 'quote"', "back\\slash\\", "esc\x1b[31m", "bell\x07", "tab\tx", "del\x7f", "c1\x9b31m", "latin\xe4", "cut\xc3", "%n%s%REQ(X)%",
       '" 200 - via_upstream - "-" 0 0 0 0 "forged', "z" * 4000, "\xff" * 1000]


def check_lines(text):
    """Each line is one of ours from its date to its end, and has no octet that a terminal obeys."""
    for line in text.splitlines():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z .* end", line), line[:300]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text[:300])


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_cve_2017_10872_no_value_of_a_client_leaves_its_line(world, value):
    start = len(world.access_path.read_bytes())
    octets = value.encode("latin1")
    with contextlib.closing(socket.create_connection(("127.0.0.1", world.ports[80]), PATIENCE)) as sock:
        sock.sendall(b"GET /odd?" + urllib.parse.quote(octets[:500]).encode() + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nUser-Agent: " + octets +
                     b"\r\nX-Any: " + octets + b"\r\nX-Forwarded-For: " + octets + b"\r\nConnection: close\r\n\r\n")
        while sock.recv(65536):
            pass
    new = wait_until("its line", lambda: re.search(rb"/odd\?|http1\.", new := world.access_path.read_bytes()[start:]) and new)
    check_lines(new.decode())


# --- addresses ---

@pytest.mark.parametrize("address", ("fe80::1%eth0", "::ffff:1.2.3.4", "[::1]:0", "1.2.3.4:0", "::", "0.0.0.0", "256.1.1.1", "1.2.3", "%", "fe80::1%",
                                     "1" * 5000, "::1%" + "x" * 300, "unix:/x", ",,,", "-"))
def test_cve_2026_26310_addresses_that_a_client_tells(tmp_path, address, trusting):
    """With trusted hops the last address is the client's if it is one; whatever it is, all goes on."""
    for _ in range(2):
        assert trusting.get("/", headers={"X-Forwarded-For": address}).status == 200
        assert trusting.get("/", headers={"X-Forwarded-For": f"{address}, 192.0.2.7"}).status == 200


@pytest.fixture(scope="module")
def trusting(tmp_path_factory):
    manifests = Manifests(tmp_path_factory.mktemp("hops") / "manifests")
    manifests.write("0-mesh.yaml", """apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } }" }
""")
    with running(manifests, "cve-hops") as lateen:
        yield lateen


# --- admin ---

PAGES = ("/", "/help", "/ready", "/server_info", "/config_dump", "/listeners", "/clusters", "/certs", "/connections", "/stats", "/stats/prometheus",
         "/memory", "/logging", "/explain?url=http://x/")
EVIL = "<script>alert(1)</script>\"'`&\r\n\x1b"


def admin_raw(lateen, path, headers=(), method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", lateen.admin_port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host=True)
        for name, value in headers or [("Host", "localhost")]:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response, response.read()


@pytest.mark.parametrize("page", PAGES)
def test_cve_2026_73546_no_page_is_html_of_a_strangers_making(world, page):
    """Names from requests and manifests come as text or JSON, which no browser runs."""
    world.get("/" + urllib.parse.quote(EVIL), headers={"User-Agent": "<script>x</script>"})
    for path in (page, f"{page}{'&' if '?' in page else '?'}filter={urllib.parse.quote(EVIL)}", f"/nosuch{urllib.parse.quote(EVIL)}"):
        response, body = admin_raw(world, path)
        kind = response.getheader("content-type", "")
        assert b"<script" not in body or kind.startswith(("text/plain", "application/json"))
        if kind.startswith("text/plain"):
            assert response.getheader("x-content-type-options") == "nosniff", path


def test_the_admin_port_is_loopbacks_alone(world):
    """It listens nowhere else, and a name that leads to loopback is not loopback."""
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    mine = [address for address in listening if int(address.split(":")[1], 16) == world.admin_port]
    assert mine and all(address.startswith("0100007F:") for address in mine)
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example"):
        response, _ = admin_raw(world, "/healthcheck/fail", [("Host", host), ("Content-Length", "0")], "POST")
        assert response.status in (400, 403), host
    response, _ = admin_raw(world, "/healthcheck/fail", [("Host", "localhost"), ("Origin", "http://evil.example"), ("Content-Length", "0")], "POST")
    assert response.status == 403
    assert world.admin("/ready").status == 200


def test_no_get_changes_anything(world):
    before = json.loads(world.admin("/server_info").text)["state"]
    for page in ("/quitquitquit", "/drain_listeners", "/healthcheck/fail", "/reopen_logs", "/logging?level=trace"):
        for method in ("GET", "HEAD"):
            world.admin(page, method)
    assert json.loads(world.admin("/server_info").text)["state"] == before == "LIVE"
    assert "trace" not in world.admin("/logging").text and world.get("/").status == 200
