"""A sensor that signs: all that it takes, with any Ed25519 (docs/signing-sensors.md)."""

import base64
import json
import urllib.request
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Sensor:
    """One start of a sensor; `session` must be higher at each start: a counter, or the time."""

    def __init__(self, url: str, token: str, name: str, seed: bytes, session: int) -> None:
        self.url, self.token, self.name, self.session = url, token, name, session
        self.key, self.sequence = Ed25519PrivateKey.from_private_bytes(seed), 0

    def sealed(self, observations: list[dict[str, object]]) -> bytes:
        self.sequence += 1
        batch = {"batch_id": f"{self.name}:{self.session}:{self.sequence}", "sensor": self.name}
        payload = json.dumps(batch | {"observations": observations})
        digest = sha256(payload.encode()).hexdigest()
        lines = ("skykeep-batch/1", self.name, self.session, self.sequence, digest, "")
        signature = self.key.sign("\n".join(map(str, lines)).encode())
        head = {"session": self.session, "sequence": self.sequence, "payload": payload}
        return json.dumps(head | {"signature": base64.b64encode(signature).decode()}).encode()

    def send(self, body: bytes) -> dict[str, object]:
        """Send what `sealed` gave; send the same bytes again until they are answered."""
        request = urllib.request.Request(f"{self.url}/v1/batches", body)
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))
