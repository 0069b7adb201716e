"""What is left of a broken configuration, while the program runs and behind a restart."""
import contextlib
import json
import random
import re
import shutil
import subprocess

import pytest

from harness import BIN, Client, Manifests, TOP, free_ports, running, wait_until

GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw }
spec:
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: [ "*" ]
"""
TLS_GATEWAY = GATEWAY + """    - port: { number: 443, name: https, protocol: HTTPS }
      hosts: [ shop.example ]
      tls: { mode: SIMPLE, credentialName: shop }
"""


def service(name, body, status=200):
    return f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {name} }}
spec:
  hosts: [ {name}.example ]
  gateways: [ gw ]
  http:
    - directResponse: {{ status: {status}, body: {{ string: "{body}" }} }}
"""


def secret(folder):
    """A Secret with a new key pair for shop.example."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example", "-keyout", folder / "key",
                    "-out", folder / "crt"], check=True, capture_output=True)
    data = {"tls.crt": (folder / "crt").read_text(), "tls.key": (folder / "key").read_text()}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}, "type": "kubernetes.io/tls",
                       "stringData": data})


class World:
    """Manifests of a test's own, and a program over them that keeps its ports when it starts again."""

    def __init__(self, tmp_path, request):
        self.manifests = Manifests(tmp_path / "manifests", source=None)
        self.ports = dict(zip((80, 443), free_ports(2)))
        self.name = re.sub(r"\W+", "-", request.node.name)[:60]
        self.runs = 0

    @contextlib.contextmanager
    def run(self):
        flags = ["--dev=false", "--bind", "127.0.0.1", "--access-log", "-"]
        for number, port in self.ports.items():
            flags += ["--port", f"{number}={port}"]
        self.runs += 1
        with running(self.manifests, f"{self.name}-{self.runs}", flags, ports=()) as lateen:
            lateen.ports = self.ports
            yield lateen


@pytest.fixture
def world(tmp_path, request):
    return World(tmp_path, request)


def answers(lateen, host, scheme="http"):
    answer = lateen.get("/", scheme, host=host, cafile=False)
    return answer.status, answer.text


def has(lateen, host, status, body):
    wait_until(f"{host} answers {status} {body}", lambda: answers(lateen, host) == (status, body))


def example_of_the_manual():
    """The manifest under "When something is broken" in docs/run.md."""
    page = (TOP / "docs/run.md").read_text()
    text = page[page.index("## When something is broken"):]
    block = re.search(r"For example.*?:\n\n((?:    .*\n|\n)+)", text)[1]
    return re.sub(r"^    ", "", block, flags=re.M)


def test_the_manuals_example_of_a_broken_object(world):
    text = example_of_the_manual()
    world.manifests.write("gw.yaml", GATEWAY)
    world.manifests.write("shop.yaml", text)
    with world.run() as lateen:
        assert answers(lateen, "shop.example") == (200, "open") and answers(lateen, "help.example") == (200, "old")
        world.manifests.replace("shop.yaml", text.replace("status: 200", "status: many", 1).replace("old", "new"))
        has(lateen, "help.example", 200, "new")
        assert answers(lateen, "shop.example") == (200, "open")
        said = wait_until("it is told", lambda: re.search(
            r"reload: .*shop.yaml changed: live in .*; 1 error, the last good version of what is wrong stays\n"
            r".*shop.yaml:8:33: error: VirtualService default/shop: spec.http\[0\].directResponse.status: ", lateen.log()))
        assert said and "VirtualService default/shop: metadata: its last good version stays in effect" in lateen.log()
    with world.run() as lateen:
        assert answers(lateen, "shop.example") == (200, "open") and answers(lateen, "help.example") == (200, "new")


def test_what_never_was_good_answers_500_and_says_so(world):
    world.manifests.write("gw.yaml", GATEWAY)
    world.manifests.write("vs.yaml", service("good", "fine") + service("bad", "x", "many"))
    with world.run() as lateen:
        assert answers(lateen, "good.example") == (200, "fine")
        status, body = answers(lateen, "bad.example")
        assert status == 500 and "VirtualService default/bad is broken" in body, body
        wait_until("the log names it", lambda: ' 500 - broken_object{VirtualService/default/bad} ' in lateen.access_log())
        url = f"http://bad.example:{lateen.ports[80]}/"
        said = subprocess.run([BIN, "explain", "--admin", f"127.0.0.1:{lateen.admin_port}", url], text=True,
                              capture_output=True, timeout=60).stdout
        assert "500, for want of anything good: VirtualService default/bad is broken [broken_object{" in said, said
        assert re.search(r"vs.yaml:13:11: VirtualService default/bad", said), said
        assert "there is no good version of it to serve until it is mended" in lateen.log()


def test_a_start_without_manifests_serves_the_last_snapshot_and_then_the_files(world, tmp_path):
    world.manifests.write("gw.yaml", TLS_GATEWAY)
    world.manifests.write("secret.json", secret(tmp_path))
    world.manifests.write("vs.yaml", service("shop", "before"))
    with world.run() as lateen:
        has(lateen, "shop.example", 200, "before")
        assert answers(lateen, "shop.example", "https") == (200, "before")
    away = tmp_path / "away"
    world.manifests.folder.rename(away)
    with world.run() as lateen:
        assert lateen.admin("/ready").status == 200
        assert answers(lateen, "shop.example") == (200, "before")
        assert answers(lateen, "shop.example", "https") == (200, "before")
        assert "no manifest can be read: this is the last good configuration, written at 20" in lateen.log()
        (away / "vs.yaml").write_text(service("shop", "after"))
        away.rename(world.manifests.folder)
        has(lateen, "shop.example", 200, "after")
        assert answers(lateen, "shop.example", "https") == (200, "after")


def test_a_secret_that_breaks_while_nobody_looks_keeps_its_certificate(world, tmp_path):
    world.manifests.write("gw.yaml", TLS_GATEWAY)
    world.manifests.write("secret.json", secret(tmp_path))
    world.manifests.write("vs.yaml", service("shop", "open"))
    with world.run() as lateen:
        has(lateen, "shop.example", 200, "open")
    world.manifests.replace("secret.json", re.sub("BEGIN CERTIFICATE", "BEGIN NOTHING", world.manifests.read("secret.json")))
    with world.run() as lateen:
        with contextlib.closing(Client(lateen.ports[443], tmp_path / "crt", "shop.example", tls=True)) as client:
            assert client.get("/").text == "open"
        assert "the certificate that was in use stays" in lateen.log()


def test_a_damaged_snapshot_is_named_and_the_objects_serve(world, tmp_path):
    world.manifests.write("gw.yaml", GATEWAY)
    world.manifests.write("vs.yaml", service("shop", "before"))
    with world.run() as lateen:
        has(lateen, "shop.example", 200, "before")
    with open(lateen.state / "last-good", "r+b") as file:
        file.truncate(100)
    world.manifests.folder.rename(tmp_path / "away")
    with world.run() as lateen:
        assert re.search(r"what was last good cannot be used.*last-good.*(checksum|early)", lateen.log()), lateen.log()
        assert answers(lateen, "shop.example") == (200, "before")


def test_without_manifests_and_state_it_does_not_start(world, tmp_path):
    world.manifests.folder.rmdir()
    with pytest.raises(AssertionError, match="ended with 1:(.|\n)*no manifest can be read"):
        with world.run():
            pass


def snapshot_hash(lateen):
    return json.loads(lateen.admin("/server_info").text)["snapshot"]["hash"]


def change(folder, rng, name, step):
    """One step: a file is edited, broken, mended, removed or renamed."""
    one, two = service(name, step), service(f"{name}2", step)
    text = rng.choice([one + two, one + two, service(name, step, "many") + two, one + two + "---\nkind: [\n",
                       one + "---\n: ]\n", "a: 'open\n", two, None])
    path, other = folder / f"{name}.yaml", folder / f"{name}.yml"
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text)
    if rng.random() < 0.2 and path.exists():
        path.rename(other)
    elif other.exists():
        other.unlink()


def test_a_restart_over_a_copy_of_the_state_has_the_same_snapshot(world):
    rng = random.Random(5)
    names = ["a", "b", "c", "d"]
    world.manifests.write("gw.yaml", GATEWAY)
    for name in names:
        world.manifests.write(f"{name}.yaml", service(name, "0") + service(f"{name}2", "0"))
    state, needed = world.manifests.folder.parent / "state", 0
    for turn in range(3):
        with world.run() as lateen:
            for step in range(10):
                change(world.manifests.folder, rng, rng.choice(names), step)
                world.manifests.replace("last.yaml", service("last", f"{turn}.{step}"))
                has(lateen, "last.example", 200, f"{turn}.{step}")
            # a file that is gone is believed to be after a while: the youngest of them at last
            world.manifests.remove("last.yaml")
            wait_until("its host is gone", lambda: answers(lateen, "last.example")[0] == 404)
            hash_there = snapshot_hash(lateen)
        copy = state.rename(state.with_name("state-there"))
        shutil.copytree(copy, state)
        with world.run() as lateen:
            assert snapshot_hash(lateen) == hash_there, f"turn {turn}"
        shutil.rmtree(state)
        with world.run() as lateen:
            needed += snapshot_hash(lateen) != hash_there
        shutil.rmtree(state)
        copy.rename(state)
    assert needed > 0, "the same files alone came to the same every time: nothing was shown"
