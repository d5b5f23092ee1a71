"""Webhooks: JSON posted to one host, signed. Blocks; no retries, no redirect is followed.

Signed by the Standard Webhooks specification (symmetric, `v1`): the HMAC-SHA256 of
`ID.TIMESTAMP.BODY` in base64. The id stays the same when a message is sent again, so that it is
recognised as a repeat; it is given as `Idempotency-Key` too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from skykeep.errors import InputError

#: A host that needs longer is tried again later.
TIMEOUT_S = 10.0
#: Nobody needs to read what a webhook answers.
ANSWER_BYTES = 4_096
#: How a secret begins in a file.
SECRET_PREFIX = "whsec_"
#: Of a secret, by the specification.
SECRET_BYTES = range(24, 65)


def read_secret(path: Path) -> bytes:
    """The key in a secret file, `whsec_` and base64; InputError where there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (OSError, ValueError, binascii.Error):
        key = b""
    if len(key) not in SECRET_BYTES:
        problem = f"holds no secret of {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} bytes in base64"
        raise InputError(str(path), problem, f"Give {SECRET_PREFIX} and the bytes in base64")
    return key


def signature_headers(key: bytes, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers by which the other side knows sender, time and repeat."""
    signed = f"{message_id}.{at_s}.".encode() + body
    made = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode("ascii")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{made}",
        "Idempotency-Key": f'"{message_id}"',
    }


def post_json(url: str, body: bytes, headers: dict[str, str] | None = None) -> str:
    """Post a JSON body; empty where it was taken (2xx), else why not."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    made = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = made((parts.hostname or "").lower(), parts.port, timeout=TIMEOUT_S)
    try:
        kind = {"Content-Type": "application/json"}
        connection.request("POST", path, body, kind | (headers or {}))
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"the webhook did not take it ({type(error).__name__})"
    finally:
        connection.close()
    return "" if 200 <= answer.status < 300 else f"the webhook answered {answer.status}"
