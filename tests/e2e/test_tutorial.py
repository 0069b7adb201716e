"""The tutorial's files as they are, under `lateen run --dev`."""
import collections
import contextlib
import hashlib
import re
import subprocess

import pytest

from harness import HOST, TUTORIAL, virtual_service, wait_until

SCHEMES = ("http", "https")


def expect_shares(counts, weights, total):
    """Within 1 % of all requests, and nobody else answers."""
    assert set(counts) <= {version for version, weight in weights.items() if weight}
    for version, weight in weights.items():
        want = total * weight / sum(weights.values())
        assert abs(counts.get(version, 0) - want) <= total / 100, (counts, weights)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.faults
def test_2000_requests_are_split_in_halves_within_1_percent(tutorial, scheme):
    expect_shares(tutorial.versions(2000, scheme), {"v1": 50, "v2": 50}, 2000)


def test_stand_ins_answer_with_the_name_of_their_deployment(tutorial):
    names = {answer.field("Name"): answer.version for answer in (tutorial.get() for _ in range(20))}
    assert names == {"hedgus-app-v1": "v1", "hedgus-app-v2": "v2"}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("resources", (1, 2, 3))
def test_a_page_with_resources_shows_both_versions_in_each_place(tutorial, scheme, resources):
    seen = collections.defaultdict(set)
    with contextlib.closing(tutorial.client(scheme)) as browser:
        for _ in range(60):
            for place in range(1 + resources):
                seen[place].add(browser.get(f"/{place}").version)
    assert all(versions == {"v1", "v2"} for versions in seen.values()), seen


@pytest.mark.parametrize("weights", (
    {"v1": 90, "v2": 10}, {"v1": 100, "v2": 0}, {"v1": 0, "v2": 100},
    {"v1": 50, "v2": 30, "v3": 20}, {"v1": 1, "v2": 2}, {"v1": 300, "v2": 100}, {"v1": 7, "v2": 6},
), ids=lambda weights: "-".join(map(str, weights.values())))
@pytest.mark.shares
def test_other_weights_are_followed_within_1_percent(manifests, start, weights):
    if "v3" in weights:
        third = manifests.read("1-deployment-v2.yaml").replace("v2", "v3")
        manifests.write("1-deployment-v3.yaml", third)
        subset = "    - name: v3\n      labels:\n        app: hedgus-app\n        version: v3\n"
        manifests.write("4-destination-rule.yaml", manifests.read("4-destination-rule.yaml").rstrip() + "\n" + subset)
    manifests.write("5-virtual-service.yaml", virtual_service(weights))
    lateen = start()
    for scheme in SCHEMES:
        expect_shares(lateen.versions(2000, scheme), weights, 2000)


@pytest.mark.parametrize("how", ("write", "replace"))
@pytest.mark.faults
def test_a_saved_weight_is_followed_by_the_next_requests(manifests, start, how):
    lateen = start()
    save = getattr(manifests, how)
    with contextlib.closing(lateen.client()) as client:
        for weights in ({"v1": 100, "v2": 0}, {"v1": 0, "v2": 100}, {"v1": 100, "v2": 0}):
            only = next(version for version, weight in weights.items() if weight)
            save("5-virtual-service.yaml", virtual_service(weights))
            wait_until(f"{only} alone answers", lambda: all(client.get().version == only for _ in range(10)))
            assert all(client.get().version == only for _ in range(100))


def test_the_example_files_are_the_tutorials_octet_for_octet():
    octets = b"".join(path.read_bytes() for path in sorted(TUTORIAL.iterdir()))
    assert hashlib.sha256(octets).hexdigest() == (
        "9574b96ab0535db6c6954a095a1909291694e07a20e6ce609d3b23d0e78f9076"), "restore it: git checkout examples/tutorial"


def test_the_certificate_is_for_the_host_and_verifies(tutorial):
    with contextlib.closing(tutorial.client("https")) as client:
        names = [name for kind, name in client.sock.getpeercert()["subjectAltName"] if kind == "DNS"]
        assert HOST in names
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")


def chromium(tmp_path, url):
    """The page's DOM after its scripts came to rest."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}/chromium",
               "--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors",
               "--virtual-time-budget=20000", "--dump-dom", url]
    return subprocess.run(command, check=True, timeout=90, text=True, stdin=subprocess.DEVNULL,
                          capture_output=True).stdout


def url_of(lateen, scheme, path="/"):
    return f"{scheme}://{HOST}:{lateen.ports[443 if scheme == 'https' else 80]}{path}"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", SCHEMES)
def test_chromium_loads_the_page_and_shows_its_version(tutorial, tmp_path, scheme):
    page = chromium(tmp_path, url_of(tutorial, scheme))
    assert len({version for version in ("v1", "v2") if version in page}) == 1, page


PAGES = """<body><script>
const load = url => new Promise(done => {
  const image = new Image();
  image.onload = image.onerror = done;
  image.src = url;
});
(async () => {
  for (let page = 0; page < 20; page++) {
    await load(`URLplace-0?SCHEME-RESOURCES-${page}`);
    await Promise.all(Array.from({length: RESOURCES}, (_, i) => load(`URLplace-${i + 1}?SCHEME-RESOURCES-${page}`)));
  }
  document.body.append("all loaded");
})();
</script>"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("resources", (1, 2, 3))
def test_chromium_sees_both_versions_in_each_place_of_a_page(tutorial, tmp_path, scheme, resources):
    """20 loads of a page and its resources; which version served each stands in the access log, and that
    TLS means HTTP/2."""
    script = PAGES.replace("URL", url_of(tutorial, scheme)).replace("SCHEME", scheme)
    (tmp_path / "page.html").write_text(script.replace("RESOURCES", str(resources)))
    assert "all loaded" in chromium(tmp_path, f"file://{tmp_path}/page.html")
    version = "2" if scheme == "https" else "1.1"
    served = re.compile(rf'"GET /place-(\d)\?{scheme}-{resources}-\d+ HTTP/{version}" .*outbound\|80\|(v\d)\|')
    rows = wait_until("every request is logged", lambda: (
        len(found := served.findall(tutorial.access_log())) >= 20 * (1 + resources) and found))
    places = {place: {version for at, version in rows if at == place} for place, _ in rows}
    assert places == {str(place): {"v1", "v2"} for place in range(1 + resources)}
