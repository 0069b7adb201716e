"""Certificates whose issuers this program is: no --dev, nothing else installed (docs/certificates.md)."""
import re
import subprocess

import pytest

from harness import Manifests, TOP, running, wait_until

MANUAL = TOP / "docs/certificates.md"
HOST = "shop.example"


def example():
    """The manifests of the manual's page."""
    return "---\n".join(re.findall(r"```yaml\n(.*?)```", MANUAL.read_text(), re.DOTALL))


def root_of(state, folder):
    """ca.crt of the Secret that was issued, as a file for clients."""
    text = (state / "certificates/istio-ingress.shop-tls.yaml").read_text()
    pem = re.search(r"ca\.crt: \|\n((?:    .*\n)+)", text).group(1)
    path = folder / "root.pem"
    path.write_text(re.sub("(?m)^    ", "", pem))
    return path


def served(lateen, root, names=(HOST,)):
    """Serial number of the certificate that is served, or None; the client trusts the root alone."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{lateen.ports[443]}", "-servername", HOST,
                            "-verify_return_error", "-verify_hostname", names[-1], "-CAfile", root],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    if "BEGIN CERTIFICATE" not in shown.stdout:
        return None
    assert "Verification: OK" in shown.stdout, shown.stdout + shown.stderr
    serial = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown.stdout, capture_output=True, text=True, check=True)
    return serial.stdout.strip()


@pytest.fixture
def manifests(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    folder = Manifests(tmp_path / "m", empty)
    folder.write("a.yaml", example())
    return folder


def start(manifests, tmp_path):
    return running(manifests, f"certificates-{tmp_path.name}", flags=("--dev=false", "--bind", "127.0.0.1"), ports=(443,))


def test_the_manuals_example_is_served_and_its_certificate_outlives_the_program(manifests, tmp_path):
    with start(manifests, tmp_path) as lateen:
        root = root_of(tmp_path / "state", tmp_path)
        answer = subprocess.run(["curl", "-sS", "--cacert", root, "--connect-to", f"{HOST}:443:127.0.0.1:{lateen.ports[443]}",
                                 f"https://{HOST}/"], capture_output=True, text=True, timeout=20, check=True)
        assert answer.stdout == "open\n"
        serial = served(lateen, root)
        for path in (tmp_path / "state/certificates").iterdir():
            assert path.stat().st_mode & 0o777 == 0o600
    with start(manifests, tmp_path) as lateen:
        assert served(lateen, root) == serial


def test_a_name_more_is_issued_and_served_without_a_restart(manifests, tmp_path):
    with start(manifests, tmp_path) as lateen:
        root = root_of(tmp_path / "state", tmp_path)
        serial = served(lateen, root)
        manifests.edit("a.yaml", "dnsNames: [ shop.example ]", "dnsNames: [ shop.example, new.example ]")
        wait_until("the new certificate", lambda: served(lateen, root) != serial)
        served(lateen, root, names=("new.example",))


def test_an_issuer_that_is_missing_is_said_by_name_and_the_others_serve(manifests, tmp_path):
    manifests.edit("a.yaml", "issuerRef: { name: shop-ca }", "issuerRef: { name: nobody }")
    with start(manifests, tmp_path) as lateen:
        assert 'spec.issuerRef: there is no Issuer "nobody"' in lateen.log()
        assert not (tmp_path / "state/certificates/istio-ingress.shop-tls.yaml").exists()
        assert (tmp_path / "state/certificates/istio-ingress.shop-ca.yaml").exists()
        manifests.edit("a.yaml", "issuerRef: { name: nobody }", "issuerRef: { name: shop-ca }")
        wait_until("the certificate", (tmp_path / "state/certificates/istio-ingress.shop-tls.yaml").exists)
        root = root_of(tmp_path / "state", tmp_path)
        wait_until("it is served", lambda: served(lateen, root))
