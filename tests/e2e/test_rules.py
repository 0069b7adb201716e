"""Manifests beyond the tutorial: own replies and their flags, matches, hosts and certificates,
what is said about manifests, the other ways of saving them."""
import contextlib
import json
import re
import ssl
import subprocess

import pytest

from harness import BIN, HOST, Client, Manifests, running, virtual_service, wait_until

RULES = """
    - match: [ { uri: { prefix: /lonely } } ]
      route: [ { destination: { host: lonely } } ]
    - match: [ { uri: { prefix: /slow } } ]
      timeout: 0.3s
      route: [ { destination: { host: hedgus-app, subset: v1 } } ]
    - match: [ { uri: { exact: /nowhere } } ]
      route: [ { destination: { host: nosuch } } ]
    - match: [ { uri: { regex: "/id/[0-9]+" } } ]
      route: [ { destination: { host: hedgus-app, subset: v1 } } ]
    - match: [ { uri: { prefix: /id/ } } ]
      route: [ { destination: { host: hedgus-app, subset: v2 } } ]
    - match: [ { uri: { prefix: /id/12 } } ]
      route: [ { destination: { host: nosuch } } ]"""
LONELY = "apiVersion: v1\nkind: Service\nmetadata: { name: lonely, namespace: hedgus }\nspec: { ports: [ { name: http, port: 80 } ] }\n"
FAR = """
    - match: [ { uri: { prefix: /far } } ]
      retries: { attempts: 2, retryRemoteLocalities: true }
      route: [ { destination: { host: hedgus-app, subset: v1 } } ]"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    manifests = Manifests(tmp_path_factory.mktemp("rules") / "manifests")
    manifests.write("8-lonely.yaml", LONELY)
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 1}, RULES))
    with running(manifests, "rules") as lateen:
        yield lateen


# --- own replies, as Envoy's ---

@pytest.mark.parametrize("path, host, status, body, flag, details", (
    ("/lonely", HOST, 503, "no healthy upstream", "UH", "no_healthy_upstream"),
    ("/slow?delay=5s", HOST, 504, "upstream request timeout", "UT", "response_timeout"),
    ("/nowhere", HOST, 503, "", "NC", "cluster_not_found"),
    ("/nobody", "other.example", 404, "", "NR", "route_not_found"),
))
def test_own_replies_have_envoys_status_body_and_flag(rules, path, host, status, body, flag, details):
    answer = rules.get(path, host=host)
    assert (answer.status, answer.text) == (status, body)
    assert answer.headers["server"] == "istio-envoy"
    wait_until("it is logged", lambda: f'"GET {path} HTTP/1.1" {status} {flag} {details} ' in rules.access_log())


def test_the_connection_goes_on_after_own_replies(rules):
    with contextlib.closing(rules.client()) as client:
        for path in ("/lonely", "/nowhere", "/slow?delay=5s"):
            assert client.get(path).status in (503, 504)
        assert client.get("/").status == 200


def test_the_first_rule_that_matches_wins_and_a_regex_matches_the_whole_path(rules):
    want = {"/id/12": "v1", "/id/12/x": "v2", "/id/x": "v2", "/id/": "v2"}
    for path, version in want.items():
        assert [rules.get(path).version for _ in range(4)] == [version] * 4, path
    assert {rules.get("/idle").version for _ in range(20)} == {"v1", "v2"}


# --- hosts and certificates ---

def test_two_gateways_share_a_port_and_each_host_has_its_own_certificate(manifests, start):
    gateway = manifests.read("6-gateway.yaml").replace("hedgus-api", "other").replace(HOST, "other.example")
    certificate = manifests.read("7-certificate.yaml").replace("hedgus-com", "other").replace(HOST, "other.example")
    manifests.write("8-gateway.yaml", gateway.replace("hedgus-crt", "other-crt"))
    manifests.write("8-certificate.yaml", certificate.replace("hedgus-crt", "other-crt"))
    manifests.write("8-routes.yaml", virtual_service({"v1": 0, "v2": 1}, name="other", hosts=("other.example",),
                                                     gateways=("other",)))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    lateen = start()
    for host, version in ((HOST, "v1"), ("other.example", "v2")):
        for scheme in ("http", "https"):
            assert lateen.get("/", scheme, host=host).version == version
        with contextlib.closing(lateen.client("https", host=host)) as client:
            assert ("DNS", host) in client.sock.getpeercert()["subjectAltName"]
    with contextlib.closing(lateen.client("https", sni=HOST, host="other.example", cafile=False)) as client:
        assert client.get("/").status == 421


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), ids=lambda v: v.name)
def test_sessions_are_resumed_by_whichever_worker_accepts(rules, version):
    context = ssl.create_default_context(cafile=rules.cafile())
    context.minimum_version = context.maximum_version = version

    def visit(session):
        client = Client(rules.ports[443])
        client.sock = context.wrap_socket(client.sock, server_hostname=HOST, session=session)
        assert client.get("/").status == 200
        with contextlib.closing(client):
            return client.sock.session, client.sock.session_reused

    session, reused = visit(None)
    assert not reused
    assert all(visit(session)[1] for _ in range(12))


def test_tls_1_1_is_refused(rules):
    out = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-servername", HOST,
                          "-connect", f"127.0.0.1:{rules.ports[443]}"], stdin=subprocess.DEVNULL, text=True,
                         capture_output=True, timeout=30)
    assert out.returncode != 0 and "alert" in out.stderr, out


# --- what is said about manifests ---

def test_a_field_not_carried_out_is_said_with_its_place_and_strict_refuses_it(manifests, start):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 1}, FAR))
    line = next(n for n, text in enumerate(manifests.read("5-virtual-service.yaml").splitlines(), 1) if "retryRemote" in text)
    lateen = start()
    said = rf"5-virtual-service\.yaml:{line}:\d+: warning: VirtualService hedgus/hedgus-app: spec\.http\[0\]\.retries\.retryRemoteLocalities: "
    assert re.search(said, lateen.log()), lateen.log()
    assert lateen.get("/far").version == "v1"
    out = subprocess.run([BIN, "run", "--dev", "--strict", "-f", manifests, "--state", lateen.state, "--admin", "off",
                          "--health", "off", "--metrics", "off", "--port", "80=0", "--port", "443=0"], text=True,
                         capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    assert out.returncode == 1 and re.search(said, out.stderr), out


def test_of_two_objects_of_one_name_the_first_serves_and_the_second_is_an_error(manifests, start):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    manifests.write("9-again.yaml", virtual_service({"v1": 0, "v2": 1}))
    lateen = start()
    assert re.search(r"9-again\.yaml:\d+:\d+: error: VirtualService hedgus/hedgus-app", lateen.log()), lateen.log()
    assert lateen.versions(8) == {"v1": 8}


def test_a_yaml_error_in_one_of_50_files_touches_nobody_else(manifests, start):
    for n in range(50):
        rule = virtual_service({"v1": n % 2, "v2": 1 - n % 2}, name=f"vs-{n}", hosts=(f"h{n}.example",))
        manifests.write(f"vs-{n}.yaml", rule)
    manifests.edit("6-gateway.yaml", f"      hosts:\n        - {HOST}\n", '      hosts: [ "*" ]\n')
    lateen = start()
    manifests.replace("vs-7.yaml", "kind: [ {\n")
    wait_until("it is reported", lambda: re.search(r"vs-7\.yaml:\d+:\d+: error", lateen.log()))
    manifests.replace("vs-8.yaml", virtual_service({"v1": 1, "v2": 0}, name="vs-8", hosts=("h8.example",)))
    wait_until("the others still follow their files", lambda: lateen.get("/", host="h8.example").version == "v1")
    for n in set(range(50)) - {8}:
        assert lateen.get("/", host=f"h{n}.example").version == ("v1" if n % 2 else "v2"), n


def test_a_directory_replaced_as_a_whole_is_followed(manifests, start, tmp_path):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    lateen = start()
    assert lateen.versions(4) == {"v1": 4}
    subprocess.run(["cp", "-r", manifests, tmp_path / "fresh"], check=True)
    (tmp_path / "fresh/5-virtual-service.yaml").write_text(virtual_service({"v1": 0, "v2": 1}))
    manifests.folder.rename(tmp_path / "old")
    (tmp_path / "fresh").rename(manifests.folder)
    wait_until("v2 alone answers", lambda: lateen.versions(4) == {"v2": 4})


def test_a_missing_directory_keeps_the_last_good_configuration(manifests, start, tmp_path):
    lateen = start()
    manifests.folder.rename(tmp_path / "away")
    wait_until("it is reported", lambda: "manifests" in lateen.log().split("manifests: 0 errors")[-1])
    assert lateen.get("/").status == 200
    (tmp_path / "away").rename(manifests.folder)
    manifests.replace("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    wait_until("it is followed again", lambda: lateen.versions(4) == {"v1": 4})


# --- logs ---

def test_the_json_access_log_has_istios_keys_and_types(manifests, start):
    lateen = start(flags=["--access-log-format", "json"])
    lateen.get("/logged", headers={"User-Agent": "e2e"})
    lateen.get("/", host="other.example")
    rows = wait_until("two lines", lambda: (
        len(found := [json.loads(line) for line in lateen.access_log().splitlines() if line.startswith("{")]) >= 2 and found))
    # Two workers may have answered: their lines come in any order.
    first, second = sorted(rows, key=lambda row: row["path"] != "/logged")
    assert set(first) == set("""start_time route_name method path protocol response_code response_flags
        response_code_details connection_termination_details bytes_received bytes_sent duration upstream_service_time
        x_forwarded_for user_agent request_id authority upstream_host upstream_cluster upstream_local_address
        downstream_local_address downstream_remote_address requested_server_name
        upstream_transport_failure_reason""".split())
    assert first["response_code"] == 200 and first["path"] == "/logged" and first["user_agent"] == "e2e"
    assert isinstance(first["duration"], int) and first["bytes_received"] == 0 and first["requested_server_name"] is None
    assert second["response_code"] == 404 and second["response_flags"] == "NR" and second["upstream_host"] is None


def test_a_file_written_in_place_a_thousand_times_is_never_taken_for_empty(manifests, start):
    """Each write truncates first: what is read in between must not remove the routes."""
    lateen = start()
    for n in range(1000):
        manifests.write("5-virtual-service.yaml", virtual_service({"v1": n % 7 + 1, "v2": 3}))
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 1, "v2": 0}))
    wait_until("the last one is live", lambda: lateen.versions(4) == {"v1": 4})
    assert "answered 404" not in lateen.log()


def test_a_file_that_is_emptied_for_good_is_believed(manifests, start):
    lateen = start()
    manifests.write("5-virtual-service.yaml", "")
    wait_until("404", lambda: lateen.get("/").status == 404)
