"""Certificates for tests of TLS modes, made by openssl: a CA, what it issued, and what it should not have."""
import pathlib
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pem, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 3650,
                "-keyout", self.key, "-out", self.pem, "-subj", f"/O=example/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        (self.folder / f"{name}.db").write_text("")
        (self.folder / f"{name}.cnf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/{name}.db\n"
                                                 "default_md=sha256\ndefault_crl_days=30\n")

    def issue(self, name, san, usage="serverAuth", extra="", days=365):
        """The paths of a certificate and its key; days may be negative: it has expired."""
        pem, key, csr = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        config = self.folder / f"{name}.ext"
        config.write_text(f"subjectAltName={san}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n{extra}")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
                "-subj", f"/O=example/CN={name}")
        openssl("x509", "-req", "-in", csr, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-out", pem,
                "-days", days, "-extfile", config)
        return pem, key

    def revoke(self, *pems):
        """The path of a list of what is revoked."""
        config, crl = self.folder / f"{self.name}.cnf", self.folder / f"{self.name}.crl"
        for pem in pems:
            openssl("ca", "-config", config, "-revoke", pem, "-cert", self.pem, "-keyfile", self.key)
        openssl("ca", "-config", config, "-gencrl", "-out", crl, "-cert", self.pem, "-keyfile", self.key)
        return crl
