"""Checkpoints: how many entries the record has and what their root is, signed.

C2SP tlog-checkpoint v1.0.0, a signed note whose text is

    origin, the name of the log
    size, decimal
    root, base64
    extension lines, if any

RecordError says which line is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record import note as notes
from skykeep.record.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from skykeep.record.note import CheckedNote, Note, Signer, Verifier, shown

# Digits of the largest size; a longer number is not even converted.
_SIZE = re.compile(rf"0|[1-9][0-9]{{0,{len(str(MAX_SIZE)) - 1}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, its count of leaves, their root (32 bytes).

    Extension lines are signed, but cosigners vouch for the first three lines only.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text to sign; RecordError if it would not be read back as this checkpoint."""
        lines = (self.origin, str(self.size), notes.encode_base64(self.root), *self.extensions)
        text = "".join(line + "\n" for line in lines)
        if parse(text) != self:
            raise RecordError("checkpoint: read again, it is not the same")
        return text


@dataclass(frozen=True, slots=True)
class CheckedCheckpoint:
    """A checkpoint that the log signed, and the note that says so."""

    checkpoint: Checkpoint
    signed: CheckedNote


def parse(text: str) -> Checkpoint:
    """A checkpoint from a note's text; RecordError names the line."""
    lines = text.split("\n")
    if lines.pop():
        raise RecordError("checkpoint: the last line has no end; is it cut short?")
    if len(lines) < 3:
        raise RecordError(f"checkpoint: {len(lines)} lines; origin, size and root are needed")
    origin, size, root, *extensions = lines
    for number, line in enumerate(lines, start=1):
        if not line:
            raise RecordError(f"checkpoint, line {number}: empty")
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise RecordError(
            f"checkpoint, line 2 (size): {shown(size)} is not a decimal number "
            f"up to {MAX_SIZE} without leading zeros"
        )
    where = "checkpoint, line 3 (root)"
    root_hash = notes.decode_base64(root, where)
    if len(root_hash) != HASH_BYTES:
        raise RecordError(f"{where}: {len(root_hash)} bytes, not {HASH_BYTES}")
    if size == "0" and root_hash != EMPTY_ROOT:
        raise RecordError(f"{where}: not the root of an empty tree, though the size is 0")
    return Checkpoint(origin, int(size), root_hash, tuple(extensions))


def sign(checkpoint: Checkpoint, signers: Sequence[Signer]) -> Note:
    """The checkpoint under the signatures of all signers.

    That it continues every checkpoint signed before is the caller's to see to.
    """
    return notes.sign(checkpoint.text(), signers)


def check(
    data: bytes, origin: str, log_keys: Iterable[Verifier], others: Iterable[Verifier] = ()
) -> CheckedCheckpoint:
    """The checkpoint in these bytes, if it is the log `origin`'s and one of its keys signed it.

    `others` (witnesses) are checked too where they have signed; a false signature of any
    given key fails, but none of theirs can stand in for the log's. RecordError says what
    does not hold.
    """
    log = tuple(log_keys)
    note = notes.parse(data)
    signed = notes.check(note, (*log, *others))
    log_ids = {(key.name, key.key_id) for key in log}
    if not any((one.name, one.key_id) in log_ids for one in signed.held):
        raise RecordError(f"checkpoint: no key of the log {shown(origin)} has signed it")
    checkpoint = parse(note.text)
    if checkpoint.origin != origin:
        raise RecordError(
            f"checkpoint, line 1 (origin): it is of {shown(checkpoint.origin)}, "
            f"not of {shown(origin)}"
        )
    return CheckedCheckpoint(checkpoint, signed)
