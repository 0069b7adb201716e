"""The admin pages of a running program, and the manual's examples of them (docs/admin.md)."""
import base64
import json
import re
import subprocess

import pytest

from harness import PATIENCE, TOP, virtual_service, wait_until

MANUAL = (TOP / "docs/admin.md").read_text()
ROWS = re.findall(r"^\| (`/[^|]*) \| ([^|]*)\|", MANUAL, re.M)
PAGES = {page: what.startswith("POST") for pages, what in ROWS for page in re.findall(r"`(\S+)`", pages)}
VARIABLE = [  # what differs from one run to the next
    (r"127\.0\.0\.1:\d+::", "127.0.0.1:40000::"), (r'_epoch(s?)":"\d+s"', r'_epoch\1":"12s"'),
    (r'"hash":"\w{16}"', '"hash":"H"'), (r'"version_info":"\w{16}"', '"version_info":"H"'),
    (r'"at":"[^"]*?([^/"]+)"', r'"at":"\1"')]


def plain(text):
    for pattern, instead in VARIABLE:
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.parametrize("name", re.findall(r"<!-- example: (\w+) -->", MANUAL))
def test_the_manuals_examples(tutorial, name):
    block = re.search(rf"<!-- example: {name} -->\n```\n\$ (.*?)\n(.*?)```", MANUAL, re.S)
    command = block[1].replace("localhost:15000", f"localhost:{tutorial.admin_port}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert plain(done.stdout) == plain(block[2])
    tutorial.admin("/logging?level=info", "POST")


def everything(lateen):
    """What all pages and their forms say."""
    forms = ["?include_eds", "?format=json", "?resource=dynamic_active_secrets", "?resource=bootstrap", "?format=prometheus"]
    return "\n".join(lateen.admin(page + form).text for page in ["/", "/help", *PAGES] for form in ["", *forms])


def test_no_page_shows_a_key_or_a_secret(manifests, start, tmp_path):
    key, cert = tmp_path / "key", tmp_path / "cert"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "3", "-subj", "/CN=mk.hedgus.com", "-addext", "subjectAltName=DNS:mk.hedgus.com"],
                   check=True, capture_output=True)
    manifests.remove("7-certificate.yaml")
    encoded = {name: base64.b64encode(path.read_bytes()).decode() for name, path in (("key", key), ("crt", cert))}
    manifests.write("7-secret.yaml", f"""apiVersion: v1
kind: Secret
metadata: {{ name: hedgus-crt, namespace: istio-ingress }}
type: kubernetes.io/tls
data: {{ tls.crt: {encoded["crt"]}, tls.key: {encoded["key"]} }}
""")
    lateen = start()
    assert lateen.get("/", scheme="https", cafile=False).status == 200
    text = everything(lateen)
    assert "hedgus-crt" in text
    lines = [line for line in key.read_text().splitlines() if "-----" not in line]
    for secret in ["PRIVATE KEY", *lines, encoded["key"], encoded["crt"]]:
        assert secret not in text


def names_of(dump):
    return {config["@type"].rsplit(".", 1)[1]: config for config in dump["configs"]}


def test_the_dump_is_whole_and_in_envoys_order(tutorial):
    dump = json.loads(tutorial.admin("/config_dump?include_eds").text)
    assert [config["@type"].rsplit(".", 1)[1] for config in dump["configs"]] == [
        "BootstrapConfigDump", "ClustersConfigDump", "EndpointsConfigDump", "ListenersConfigDump", "RoutesConfigDump",
        "SecretsConfigDump"]
    sections = names_of(dump)
    clusters = {entry["cluster"]["name"] for entry in sections["ClustersConfigDump"]["dynamic_active_clusters"]}
    routes = sections["RoutesConfigDump"]["dynamic_route_configs"]
    listeners = sections["ListenersConfigDump"]["dynamic_listeners"]
    for entry in routes:
        for route in entry["route_config"]["virtual_hosts"][0]["routes"]:
            assert {c["name"] for c in route["route"]["weighted_clusters"]["clusters"]} <= clusters
    managers = [chain["filters"][0]["typed_config"] for entry in listeners
                for chain in entry["active_state"]["listener"]["filter_chains"]]
    assert {m["rds"]["route_config_name"] for m in managers} == {entry["route_config"]["name"] for entry in routes}
    assert "EndpointsConfigDump" not in names_of(json.loads(tutorial.admin("/config_dump").text))


def test_connections_are_shown_while_they_are_open(tutorial):
    client = tutorial.client()
    client.get("/")
    port = client.local_port()
    shown = json.loads(tutorial.admin("/connections").text)
    mine = [c for c in shown["connections"] if c.get("remote") == f"127.0.0.1:{port}"]
    assert [(c["side"], c["requests"]) for c in mine] == [("downstream", 1)]
    assert any(c["side"] == "upstream" and "hedgus-app" in c["cluster"] for c in shown["connections"])
    client.close()
    wait_until("it is gone", lambda: f"127.0.0.1:{port}" not in tutorial.admin("/connections").text)


def test_connections_shows_the_addresses_of_one_that_naps(tutorial):
    client = tutorial.client()
    client.get("/")
    port = client.local_port()

    def mine():
        return [c for c in json.loads(tutorial.admin("/connections").text)["connections"]
                if c.get("remote") == f"127.0.0.1:{port}"]

    before, = mine()
    asleep, = wait_until("it naps", lambda: [c for c in mine() if c.get("napping")])
    assert asleep == before | {"napping": True}
    assert client.get("/").status == 200
    awake, = mine()
    assert awake == before | {"requests": 2}
    client.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_long_connections_are_even_between_two_workers(start, scheme):
    lateen = start(flags=["--workers", "2"]).wait_ready()
    for _ in range(8):  # by chance alone each round would be uneven in 29 of 100
        clients = [lateen.client(scheme) for _ in range(8)]
        for client in clients:
            assert client.get("/").status == 200
        shown = json.loads(lateen.admin("/connections").text)["connections"]
        mine = {f"127.0.0.1:{client.local_port()}" for client in clients}
        workers = [c["worker"] for c in shown if c.get("remote") in mine]
        assert len(workers) == 8 and 3 <= workers.count(0) <= 5, workers
        for client in clients:
            client.close()
        wait_until("all are gone", lambda: not any(c["side"] == "downstream" for c in json.loads(
            lateen.admin("/connections").text)["connections"]))


def snapshot(lateen):
    return json.loads(lateen.admin("/server_info").text)["snapshot"]


def test_generation_and_hash_follow_what_is_served(manifests, start):
    lateen = start()
    first = snapshot(lateen)
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 90, "v2": 10}))
    second = wait_until("another snapshot", lambda: (now := snapshot(lateen))["hash"] != first["hash"] and now)
    assert second["generation"] > first["generation"]
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 50, "v2": 50}))
    third = wait_until("the next", lambda: (now := snapshot(lateen))["generation"] > second["generation"] and now)
    assert third["hash"] != second["hash"]


def test_methods_are_kept_apart(tutorial):
    assert len(PAGES) == 17
    for page, changes in PAGES.items():
        answer = tutorial.admin(page, "GET" if changes else "PUT")
        assert answer.status == 405, page
        assert answer.headers["Allow"] == ("POST" if changes else "GET, HEAD"), page
