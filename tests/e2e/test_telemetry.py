"""What a running program tells of itself: access log, metrics, admin pages."""
import json
import re
import subprocess

from harness import BIN, HOST, TUTORIAL, virtual_service, wait_until

SERVED = re.compile(r'^istio_requests_total\{.*destination_version="(v\d)".*response_code="200".*\} (\d+)$', re.M)


def served(lateen):
    """Requests answered 200, by the version that served them."""
    text = lateen.admin("/stats/prometheus", port=lateen.metrics_port).text
    return {version: int(count) for version, count in SERVED.findall(text)}


def test_json_lines_stay_whole_whatever_a_client_sends(manifests, start):
    lateen = start(flags=["--access-log-format", "json"])
    agents = ['plain', 'say "hi"', "back\\slash\\", "caf\u00e9", "\u00ff\u0080", '","response_code":1,"x":"']
    for i, agent in enumerate(agents):
        lateen.get(f"/{i}", headers={"User-Agent": agent.encode("latin-1")})
    lines = wait_until("all lines", lambda: len(found := lateen.access_log().splitlines()) >= len(agents) and found)
    entries = {entry["path"]: entry for entry in map(json.loads, lines)}
    seen = [entries[f"/{i}"]["user_agent"] for i in range(len(agents))]
    assert seen[:4] == ["plain", 'say "hi"', "back\\slash\\", "caf\ufffd"]
    assert seen[5] == agents[5]
    assert all(e["response_code"] == 200 and e["authority"] == HOST for e in entries.values())
    assert entries["/0"]["requested_server_name"] is None


def test_an_unknown_operator_is_named_at_start(tmp_path):
    done = subprocess.run([BIN, "run", "--dev", "-f", TUTORIAL, "--state", tmp_path, "--admin", "127.0.0.1:0",
                           "--health", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--port", "80=0", "--port", "443=0",
                           "--access-log-format", "%NOSUCH%"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "operator %NOSUCH% is not known" in done.stderr


def test_counters_follow_requests_and_survive_a_change(manifests, start):
    lateen = start()
    lateen.versions(40)
    lateen.versions(20, scheme="https")
    wait_until("60 counted", lambda: sum(served(lateen).values()) == 60)
    assert served(lateen).keys() == {"v1", "v2"}
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}))
    wait_until("only v1", lambda: lateen.versions(10) == {"v1": 10})
    after = wait_until("70 counted", lambda: sum((now := served(lateen)).values()) >= 70 and now)
    assert after["v2"] >= 25  # nothing began anew


def test_pages_that_change_something_want_a_post(manifests, start):
    lateen = start()
    assert lateen.admin("/quitquitquit").status == 405
    assert lateen.admin("/healthcheck/fail", "POST").status == 200
    assert lateen.admin("/healthz/ready", port=lateen.health_port).status == 503
    assert lateen.admin("/healthcheck/ok", "POST").status == 200
    assert lateen.admin("/healthz/ready", port=lateen.health_port).status == 200
    assert lateen.admin("/quitquitquit", "POST").status == 200
    assert lateen.process.wait(60) == 0
