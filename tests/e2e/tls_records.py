"""A TLS 1.3 client that writes its own records (RFC 8446, 5 and 7) behind a handshake of Python's: what no library sends."""
import hashlib
import hmac
import pathlib
import socket
import ssl

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness import HOST, PATIENCE

HANDSHAKE, DATA = 22, 23
KEY_UPDATE = bytes([24, 0, 0, 1, 0])  # update_not_requested
HASH = hashlib.sha256  # TLS_AES_128_GCM_SHA256, which Lateen takes first


def expand(secret, label, n):
    """HKDF-Expand-Label without a context."""
    label = b"tls13 " + label
    info = n.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    out, block, i = b"", b"", 1
    while len(out) < n:
        block = hmac.new(secret, block + info + bytes([i]), HASH).digest()
        out, i = out + block, i + 1
    return out[:n]


class Records:
    """Connected, the handshake done. What is received stays with `sock`, as it came."""

    def __init__(self, port, folder, host=HOST):
        log = pathlib.Path(folder) / "keys.log"
        log.unlink(missing_ok=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version, context.keylog_filename = ssl.TLSVersion.TLSv1_3, str(log)
        self.tls = context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE), server_hostname=host)
        assert self.tls.cipher()[0] == "TLS_AES_128_GCM_SHA256"
        lines = [line.split() for line in log.read_text().splitlines()]
        self.start(next(bytes.fromhex(line[2]) for line in lines if line[0] == "CLIENT_TRAFFIC_SECRET_0"))

    def start(self, secret):
        self.secret, self.sequence = secret, 0
        self.key, self.iv = AESGCM(expand(secret, b"key", 16)), expand(secret, b"iv", 12)

    def record(self, octets, kind=DATA):
        """Its octets, encrypted with the next number."""
        header = bytes([DATA, 3, 3]) + (len(octets) + 17).to_bytes(2, "big")
        nonce = (int.from_bytes(self.iv, "big") ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return header + self.key.encrypt(nonce, octets + bytes([kind]), header)

    def key_update(self):
        record = self.record(KEY_UPDATE, HANDSHAKE)
        self.start(expand(self.secret, b"traffic upd", 32))
        return record

    def send(self, octets):
        """Past the library."""
        with socket.socket(fileno=self.tls.fileno()) as raw:
            try:
                raw.sendall(octets)
            finally:
                raw.detach()

    def close(self):
        self.tls.close()
