"""The manual's examples of HTTP/2 (docs/http.md), as they stand there."""
import re
import subprocess

from harness import HOST, PATIENCE, TOP


def examples(name):
    """(command, its output) of one marked block."""
    text = (TOP / "docs/http.md").read_text()
    block = re.search(rf"<!-- example: {name} -->\n```\n(.*?)```", text, re.S)[1]
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)


def test_the_manuals_examples(tutorial):
    found = examples("versions")
    assert len(found) == 3
    curl = f'curl() {{ command curl --cacert "{tutorial.cafile()}" --connect-to "{HOST}:443:127.0.0.1:{tutorial.ports[443]}" "$@"; }}\n'
    for command, output in found:
        done = subprocess.run(["bash", "-c", curl + command], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.stdout == output, (command, done.stdout, done.stderr)
