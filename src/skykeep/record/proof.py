"""Proofs that an entry is in the log, checkable offline (C2SP tlog-proof).

c2sp.org/tlog-proof@v1
extra <base64>              at will; nothing vouches for it
index <decimal>
<base64>                    the inclusion proof, a hash a line, the leaf's neighbour first

<checkpoint>                as the log and the witnesses signed it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record.cosignature import Cosigned, check_cosigned
from skykeep.record.keys import PublicKey
from skykeep.record.merkle import MAX_SIZE, leaf_hash, verify_inclusion
from skykeep.record.note import (
    MAX_NOTE_BYTES,
    Verifier,
    decode_base64,
    encode_base64,
    shown,
)

FIRST_LINE = "c2sp.org/tlog-proof@v1"
#: A tree of 2**63 leaves has no longer proof.
MAX_HASHES = 63
#: Beside the checkpoint: a receipt shows the facts of one entry.
MAX_EXTRA_CHARACTERS = 40_000_000
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """That the entry at `index` is in the tree of the checkpoint `note`."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """The proof as a file; RecordError if it would not be read back as this one."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines += [f"index {self.index}", *map(encode_base64, self.hashes), "", ""]
        data = "\n".join(lines).encode() + self.note
        if parse(data) != self:
            raise RecordError("proof: read again, it is not the same")
        return data


def parse(data: bytes) -> Proof:
    """A proof from bytes; says nothing about what it proves. RecordError names the line."""
    if len(data) > MAX_NOTE_BYTES + MAX_EXTRA_CHARACTERS:
        raise RecordError(f"proof: {len(data)} bytes are too many")
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise RecordError(f"proof: byte {error.start} is not ASCII") from error
    if not gap or not note:
        raise RecordError("proof: no empty line and checkpoint in it; is it cut short?")
    if lines.pop(0) != FIRST_LINE:
        raise RecordError(f"proof, line 1: not {FIRST_LINE}")
    number, extra = 2, None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0)[len("extra ") :], "proof, line 2 (extra)")
        number = 3
    found = _INDEX.fullmatch(lines[0]) if lines else None
    if found is None or int(found[1]) >= MAX_SIZE:
        said = shown(lines[0] if lines else "")
        raise RecordError(f"proof, line {number}: {said} is not the word index and a number")
    if len(lines) - 1 > MAX_HASHES:
        raise RecordError(f"proof: {len(lines) - 1} hashes, at most {MAX_HASHES} are read")
    hashes = [
        decode_base64(line, f"proof, line {at} (hash)")
        for at, line in enumerate(lines[1:], number + 1)
    ]
    return Proof(int(found[1]), tuple(hashes), note, extra)


def check(
    proof: Proof,
    leaf: bytes,
    origin: str,
    log_keys: Iterable[Verifier],
    witnesses: Sequence[PublicKey] = (),
    quorum: int = 0,
) -> Cosigned:
    """The head that the leaf is under; RecordError says what does not hold."""
    head = check_cosigned(proof.note, origin, log_keys, witnesses, quorum)
    size, root = head.checkpoint.size, head.checkpoint.root
    verify_inclusion(leaf_hash(leaf), proof.index, size, proof.hashes, root)
    return head
