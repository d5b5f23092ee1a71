"""A time-stamp authority of RFC 3161 on this machine: the openssl command behind HTTP."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OPENSSL = shutil.which("openssl")
CONFIGURATION = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem

signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def certificates(folder: Path, name: str) -> None:
    """A root, and a signer below it that may do nothing but stamp (RFC 3161 section 2.3)."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} root")])
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)

    def built(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(root_name)
            .public_key(public).serial_number(x509.random_serial_number())
            .not_valid_before(begin).not_valid_after(begin.replace(year=2060))
        )  # fmt: skip

    root = built(root_name, root_key.public_key())
    root = root.add_extension(x509.BasicConstraints(True, None), critical=True)
    own = built(own_name, key.public_key())
    own = own.add_extension(x509.BasicConstraints(False, None), critical=True)
    stamping = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
    own = own.add_extension(stamping, critical=True)
    pem = serialization.Encoding.PEM
    for file, one in (("root.pem", root), ("tsa.pem", own)):
        signed = one.sign(root_key, hashes.SHA256())
        (folder / file).write_bytes(signed.public_bytes(pem))
    plain, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(key.private_bytes(pem, plain, none))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))


class Authority:
    """Stamps until `close`; `change` may spoil what it answers: (status, bytes) to the same."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        certificates(folder, name)
        self.folder, self.name, self.asked = folder, name, 0
        self.roots = folder / "root.pem"
        self.change: Callable[[int, bytes], tuple[int, bytes]] = lambda status, body: (status, body)
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                authority.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, body = authority.change(200, authority.stamped(query))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def stamped(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self.openssl("-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def openssl(self, *words: str) -> str:
        assert OPENSSL is not None
        done = subprocess.run(
            [OPENSSL, "ts", *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
