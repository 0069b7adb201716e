"""`lateen explain` and `lateen analyze` as people and scripts call them; the manual's examples."""
import json
import re
import subprocess

import pytest

from harness import BIN, HOST, TOP

PAGE = (TOP / "docs/explain.md").read_text()
EXAMPLES = re.findall(r"<!-- run: lateen (.*?) -->\n```\n(.*?)```\n", PAGE, re.S)


def lateen(*args, code=None):
    done = subprocess.run([BIN, *args], cwd=TOP, capture_output=True, text=True, timeout=60)
    if code is not None:
        assert done.returncode == code, done.stderr + done.stdout
    return done


def flat_yaml(text):
    """A list of maps whose values are JSON, which YAML's flow style holds."""
    items = []
    for line in text.splitlines():
        if line.startswith("- "):
            items.append({})
        key, value = line[2:].split(": ", 1)
        items[-1][key] = json.loads(value)
    return items


@pytest.mark.parametrize("command, output", EXAMPLES)
def test_the_examples_of_the_manual_are_what_is_printed(command, output):
    assert lateen(*command.split()).stdout == output


def test_there_are_examples():
    assert len(EXAMPLES) == 2


def test_exit_codes_of_explain(tmp_path):
    lateen("explain", "-f", "examples/tutorial", f"https://{HOST}/", code=0)
    lateen("explain", "-f", "examples/tutorial", "POST", f"http://{HOST}/x", "-H", "a: b", code=0)
    lateen("explain", "-f", "examples/tutorial", "http://nobody.test/", code=1)
    lateen("explain", "-f", "examples/tutorial", "ftp://nobody.test/", code=64)
    lateen("explain", "-f", "examples/tutorial", code=64)
    lateen("explain", "-f", "examples/tutorial", "--admin", "127.0.0.1:1", "http://a/", code=64)
    lateen("explain", "--admin", "127.0.0.1:1", "http://a/", code=1)
    (tmp_path / "broken.yaml").write_text("a: [")
    done = lateen("explain", "-f", "examples/tutorial", "-f", tmp_path, f"http://{HOST}/", code=65)
    assert "broken.yaml:" in done.stderr
    done = lateen("explain", "--from", "ns/sa", "http://a/", code=64)
    assert "--from: not built yet" in done.stderr


def test_without_dev_nobody_plays_the_workloads():
    done = lateen("explain", "--dev=false", "-f", "examples/tutorial", f"http://{HOST}/", code=1)
    assert ": 503, the destination has no healthy endpoint [UH no_healthy_upstream]\n" in done.stdout


def test_explain_as_json():
    done = lateen("explain", "-o", "json", "-f", "examples/tutorial", f"https://{HOST}/", code=0)
    answer = json.loads(done.stdout)
    assert answer["answer"] == {"answered": True, "kind": "forward", "stage": "destination",
                                "details": "via_upstream", "text": "forwarded"}
    assert [step["step"] for step in answer["steps"]] == ["listener", "certificate", "host", "route"]
    assert [d["percent"] for d in answer["destinations"]] == [50, 50]
    assert answer["destinations"][0]["endpoints"][0]["version"] == "v1"
    assert answer["steps"][3]["origin"] == {
        "object": "VirtualService hedgus/hedgus-app", "field": "spec.http[0].match[0]",
        "file": "examples/tutorial/5-virtual-service.yaml", "line": 15, "column": 11}


def test_a_running_program_explains_what_it_serves(manifests, start):
    program = start()
    admin = f"127.0.0.1:{program.admin_port}"
    url = f"https://{HOST}:{program.ports[443]}/"
    done = lateen("explain", "--admin", admin, url, code=0)
    assert f"listener     127.0.0.1:{program.ports[443]} for port 443, TLS\n" in done.stdout
    assert re.search(r"endpoint   127\.0\.0\.1:\d+ of hedgus-app-v1, version v1\n", done.stdout)
    lateen("explain", "--admin", admin, f"https://{HOST}/", code=0)  # the Gateway's port
    done = lateen("explain", "--admin", admin, "-o", "json", "http://nobody.test/", code=1)
    assert json.loads(done.stdout)["answer"]["flags"] == "NR"
    done = lateen("explain", "--admin", admin, "POST", url, "-H", "Host: other.test & more",
                  code=64)
    assert "is no host" in done.stderr


def test_the_start_counts_what_is_not_effective(manifests, start):
    (manifests.folder / "late.yaml").write_text("""apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: nobody, namespace: hedgus}
spec: {hosts: [nobody.test], gateways: [hedgus-api], http: [{directResponse: {status: 200}}]}
""")
    program = start()
    said = re.search(r"manifests: 0 errors, 1 warning, 1 not applicable; worst: (.*)\n", program.log()).group(1)
    assert said.endswith("late.yaml:4:15: not applicable: VirtualService hedgus/nobody: spec.hosts: none of these hosts is one "
                         "of the Gateway's: it has no effect")


FAULTS = sorted((TOP / "tests/manifests/faults").glob("*.yaml"))


@pytest.mark.parametrize("file", FAULTS, ids=lambda path: path.stem)
def test_a_common_fault_is_told_with_its_place_what_happens_and_what_to_do(file):
    done = lateen("analyze", file)
    assert done.stdout.replace(f"{file}:", "") == file.with_name(file.name + ".expect").read_text()


def test_analyze_leaves_no_message_out(tmp_path):
    """1,500 faults are 1,500 messages, each with istioctl's code beside ours."""
    head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v%d}\n"
    rule = "spec: {hosts: [h%d.test], gateways: [gone], http: [{directResponse: {status: 200}}]}\n"
    (tmp_path / "many.yaml").write_text("---\n".join((head + rule) % (n, n) for n in range(1500)))
    done = lateen("analyze", tmp_path, code=0)
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.endswith("there is no Gateway default/gone [LAT0305] [IST0101]")]) == 1500
    assert "lateen analyze: 0 errors, 1500 warnings, " in done.stderr


def test_analyze_exits_by_its_threshold(tmp_path):
    lateen("analyze", "examples/tutorial", code=0)
    text = (TOP / "examples/tutorial/5-virtual-service.yaml").read_text()
    extra = """    - name: late
      retries: {attempts: 2, retryRemoteLocalities: true}
      route:
        - destination: {host: hedgus-app, subset: v1}
"""
    for file in (TOP / "examples/tutorial").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "5-virtual-service.yaml").write_text(text.rstrip("\n") + "\n" + extra)
    lateen("analyze", tmp_path, code=0)
    done = lateen("analyze", "--failure-threshold", "Warning", "-o", "json", tmp_path, code=79)
    items = json.loads(done.stdout)
    assert set(items[0]) - {"lateenCode"} == {"code", "level", "message", "origin", "reference", "documentationUrl"}
    assert "LAT0301" in [item["code"] for item in items]
    assert items[0]["origin"] == "VirtualService hedgus-app.hedgus"
    done = lateen("analyze", "--verdicts", "-o", "json", tmp_path, code=0)
    verdicts = {(v["object"], v["field"]): v for v in json.loads(done.stdout)}
    vs = "VirtualService hedgus/hedgus-app"
    assert verdicts[vs, "spec.http[1].retries.retryRemoteLocalities"]["verdict"] == "unsupported"
    late = verdicts[vs, "spec.http[1].route[0].destination.host"]
    assert late["verdict"] == "shadowed" and late["by"]["line"] == 15
    assert verdicts[vs, "spec.http[0].route[0].weight"]["verdict"] == "effective"
    assert [v["lateenCode"] for v in items if v["code"] == "IST0130"] == ["LAT0306"]  # said once
    lateen("analyze", "--failure-threshold", "Warning", "-S", "LAT0301=VirtualService *",
           "-S", "IST0130=VirtualService hedgus-app.hedgus", tmp_path, code=0)
    lateen("analyze", "--strict", tmp_path, code=79)
    lateen("analyze", "--strict", "examples/tutorial", code=0)
    done = lateen("analyze", "--verdicts", "-o", "yaml", tmp_path, code=0)
    assert flat_yaml(done.stdout) == list(verdicts.values())
    (tmp_path / "broken.yaml").write_text("a: [")
    lateen("analyze", tmp_path, code=65)
    assert "not built yet" in lateen("analyze", "-L", tmp_path, code=64).stderr
