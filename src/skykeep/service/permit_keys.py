"""The site's own secrets, beside the record: the key of all links, that of permits' cards.

A link's secret is derived from what it leads to, a permit's or a hand-over's id: nothing of it
stands in the record, and a new key ends all links at once.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from skykeep.errors import InputError
from skykeep.record.keys import new_seed
from skykeep.store.durable import write_synced

LINK_KEY_FILE, CARD_KEY_FILE = "permit-links.key", "permit-cards.key"
#: 128 bits of the derived value: not to be guessed, and short enough for a text message.
SECRET_BYTES = 16
_LINK_LABEL = b"skykeep permit page 1\n"
HANDOVER_LABEL = b"skykeep hand-over page 1\n"


@dataclass(frozen=True, slots=True)
class PermitKeys:
    """Both keys, 32 bytes each; the repr shows neither."""

    link: bytes = field(repr=False)
    card_seed: bytes = field(repr=False)

    def secret_of(self, thing_id: str, label: bytes = _LINK_LABEL) -> str:
        """What a link carries beside the id; `label` says of what kind of thing."""
        named = label + thing_id.encode("utf-8", "surrogatepass")
        made = hmac.new(self.link, named, sha256).digest()[:SECRET_BYTES]
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")

    def opens(self, thing_id: str, secret: str, label: bytes = _LINK_LABEL) -> bool:
        """Whether a secret is that of a thing; takes as long whether or not."""
        made = self.secret_of(thing_id, label).encode("ascii")
        return hmac.compare_digest(made, secret.encode("utf-8", "replace"))


def open_keys(folder: Path) -> PermitKeys:
    """The keys in a data folder, made where there are none; InputError for one that is none."""
    return PermitKeys(_key(folder / LINK_KEY_FILE), _key(folder / CARD_KEY_FILE))


def _key(path: Path) -> bytes:
    if not path.exists():
        try:
            write_synced(path, new_seed().hex(), 0o600)
        except OSError as error:
            problem = f"cannot be made ({error.strerror})"
            raise InputError(str(path), problem, "Check the data folder") from None
    return read_key(path)


def read_key(path: Path) -> bytes:
    """32 bytes in hexadecimal; InputError where the file holds something else."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != 32:
        raise InputError(str(path), "holds no key of 32 bytes in hexadecimal", "Restore it")
    return key
