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
from tests.reference.merkle import mth
from tests.reference.ranges import range_proof

NAME = "site.example/night"
SEED = bytes(range(32))
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
        """What stands in the dossier after the manifest."""
        proof = [str(self.start), *map(b64, range_proof(self.leaves, self.start, self.end))]
        return {
            "checkpoint": self.checkpoint(),
            "proof": "".join(f"{p}\n" for p in proof).encode(),
            "leaves": b"".join(leaf + b"\n" for leaf in self.leaves[self.start : self.end]),
            "facts": b"".join(line(f) + b"\n" for f in self.facts[self.start : self.end]),
            "reader.html": b"<p>What happened</p>\n",
        }


def manifest_text(entries: dict[str, bytes]) -> str:
    lines = [f"{sha256(c).hexdigest()} {len(c)} {n}\n" for n, c in entries.items()]
    return "skykeep dossier 1\n" + "".join(lines)


def dossier(entries: dict[str, bytes]) -> bytes:
    """The file, with a manifest that fits and is signed."""
    manifest = notes.signed(manifest_text(entries), NAME, SEED)
    return write_container([("manifest", manifest), *entries.items()])
