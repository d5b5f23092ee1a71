"""A folder of files as a BagIt bag (RFC 8493, version 1.0), signed by the record's keeper.

The payload stands under `data/`; `manifest-sha256.txt` has the digest of every file of it,
`tagmanifest-sha256.txt` those of the bag's own files, and `signature.txt`, a signed note, the
digest of that. So one signature covers everything, and a bag with a file more or less is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from skykeep.record.note import Signer, sign

SIGNED_TITLE = "skykeep dossier 2"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

File = tuple[str, bytes]


def make_bag(
    folder: str, payload: Sequence[File], info: Sequence[tuple[str, str]], signer: Signer
) -> list[File]:
    """The bag's files under `folder`, in the one order in which a dossier has them.

    `info` becomes bag-info.txt (RFC 8493, section 2.2.2), with the payload's size added.
    """
    files = [(f"data/{name}", data) for name, data in payload]
    oxum = f"{sum(len(data) for _, data in files)}.{len(files)}"
    told = [*info, ("Payload-Oxum", oxum)]
    bag_info = "".join(f"{label}: {_one_line(words)}\n" for label, words in told)
    tags = [
        ("bagit.txt", DECLARATION),
        ("bag-info.txt", bag_info.encode()),
        ("manifest-sha256.txt", _manifest(files)),
    ]
    tag_manifest = _manifest(tags)
    text = f"{SIGNED_TITLE}\n{sha256(tag_manifest).hexdigest()} tagmanifest-sha256.txt\n"
    tags += [
        ("tagmanifest-sha256.txt", tag_manifest),
        ("signature.txt", sign(text, [signer]).to_bytes()),
    ]
    return [(f"{folder}/{name}", data) for name, data in (*tags, *files)]


def _manifest(files: Sequence[File]) -> bytes:
    return "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in files).encode()


def _one_line(words: str) -> str:
    return " ".join(words.split())
