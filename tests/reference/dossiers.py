"""A small dossier made by hand, with nothing of the code that makes or checks one.

Only the container is written by Skykeep's own writer, which has tests of its own.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from skykeep.dossier.container import write_container
from tests.reference import notes
from tests.reference.merkle import mth, proof
from tests.reference.ranges import range_proof

NAME = "site.example/night"
SEED = bytes(range(32))
FOLDER, TITLE = "dossier-i0001", "skykeep dossier 2"
CHECKPOINT, PROOF = "record/checkpoint.txt", "record/proof.txt"
WITNESSED, CONSISTENCY = "record/witnessed.txt", "record/consistency.txt"
LEAVES, FACTS = "record/leaves.jsonl", "record/facts.jsonl"
WITNESSES = {f"w{n}.example": bytes([n]) * 32 for n in (1, 2, 3)}
COSIGNED_S = 1_789_000_000
BY, WHY = "the duty officer", "names a person"


def b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def line(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass
class Made:
    """A record of entries with `counts` facts each, of which leaves [start, end) are shown.

    Every `hide`-th fact is withheld. Parts may be altered before `entries` puts them together.
    """

    counts: tuple[int, ...] = (2, 0, 3, 1, 5, 0, 4)
    start: int = 2
    end: int = 6
    hide: int = 3
    witnessed: int = 0
    witnesses: dict[str, bytes] = field(default_factory=lambda: dict(WITNESSES))
    leaves: list[bytes] = field(default_factory=list)
    facts: list[list[dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index, count in enumerate(self.counts):
            salted = [(bytes([index, i] * 8), b'["fact",%d,%d]' % (index, i)) for i in range(count)]
            root = mth([salt + fact for salt, fact in salted])
            source = f"radar-{index}"
            leaf = {"at": index * 10**9, "count": count, "kind": "batch", "root": root.hex()}
            self.leaves.append(line(leaf | {"source": source, "v": 1}))
            self.facts.append(
                [
                    {"by": BY, "hash": b64(mth([salt + fact])), "why": WHY}
                    if (index + i) % self.hide == self.hide - 1
                    else {"fact": fact.decode(), "salt": salt.hex()}
                    for i, (salt, fact) in enumerate(salted)
                ]
            )

    def checkpoint(self) -> bytes:
        return notes.checkpoint(NAME, len(self.leaves), mth(self.leaves), SEED)

    def entries(self) -> dict[str, bytes]:
        """The payload of the dossier, below data/."""
        hashes = [str(self.start), *map(b64, range_proof(self.leaves, self.start, self.end))]
        files = {
            "reader.html": b"<p>What happened</p>\n",
            CHECKPOINT: self.checkpoint(),
            PROOF: "".join(f"{h}\n" for h in hashes).encode(),
        }
        if self.witnessed:
            files |= {
                WITNESSED: self.cosigned(),
                CONSISTENCY: "".join(f"{b64(h)}\n" for h in self.consistency()).encode(),
            }
        return files | {
            LEAVES: b"".join(leaf + b"\n" for leaf in self.leaves[self.start : self.end]),
            FACTS: b"".join(line(f) + b"\n" for f in self.facts[self.start : self.end]),
        }

    def consistency(self) -> list[bytes]:
        """RFC 6962, section 2.1.2, from the witnessed head to the signed one."""
        return proof(self.witnessed, self.leaves)

    def cosigned(self) -> bytes:
        """The witnessed head with the cosignatures of WITNESSES, each a second later."""
        note = notes.checkpoint(NAME, self.witnessed, mth(self.leaves[: self.witnessed]), SEED)
        text = note.partition(b"\n\n")[0].decode() + "\n"
        for at_s, (name, seed) in enumerate(self.witnesses.items(), COSIGNED_S):
            note += notes.cosignature(text, name, seed, at_s)
        return note


def manifest(files: dict[str, bytes]) -> bytes:
    return "".join(f"{sha256(c).hexdigest()}  {n}\n" for n, c in files.items()).encode()


def bag(payload: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the folder: RFC 8493 by hand, then the payload."""
    files = {f"data/{name}": content for name, content in payload.items()}
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": b"Source-Organization: site.example\n",
        "manifest-sha256.txt": manifest(files),
    }
    return sealed(tags) | files


def sealed(tags: dict[str, bytes]) -> dict[str, bytes]:
    """Tag files with the tag manifest over them and the signature over that."""
    over = manifest(tags)
    text = f"{TITLE}\n{sha256(over).hexdigest()} tagmanifest-sha256.txt\n"
    return tags | {
        "tagmanifest-sha256.txt": over,
        "signature.txt": notes.signed(text, NAME, SEED),
    }


def zipped(files: dict[str, bytes]) -> bytes:
    return write_container([(f"{FOLDER}/{name}", content) for name, content in files.items()])


def dossier(payload: dict[str, bytes]) -> bytes:
    """The file, with manifests that fit and are signed."""
    return zipped(bag(payload))
