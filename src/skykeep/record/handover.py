"""Hand-over of a log's key: the old key and the new one sign, in one note, that it changes.

    skykeep log hand-over 1
    <origin>                  the log's name, which both keys have
    <size>                    the old key signs no head of more entries
    <root base64>             the root over them
    <old verifier key>
    <new verifier key>

The old key's signature says whom to trust next; the new one's that its holder agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import Ed25519Signer, PublicKey, ed25519_verifier, parse_public
from skykeep.record.note import Note

TITLE = "skykeep log hand-over 1"
_LINES = 6


@dataclass(frozen=True, slots=True)
class HandOver:
    """A change of the log's key behind a head of the log."""

    head: Checkpoint
    old: PublicKey
    new: PublicKey

    def text(self) -> str:
        """The text to sign."""
        head = f"{self.head.size}\n{notes.encode_base64(self.head.root)}\n"
        keys = f"{self.old.to_text()}\n{self.new.to_text()}\n"
        return f"{TITLE}\n{self.head.origin}\n{head}{keys}"


def sign(head: Checkpoint, old: Ed25519Signer, new: Ed25519Signer) -> Note:
    """The hand-over under both keys; RecordError if they are one, or not the log's."""
    made = notes.sign(HandOver(head, old.key, new.key).text(), [old, new])
    check(made.to_bytes(), old.key)
    return made


def check(data: bytes, old: PublicKey) -> HandOver:
    """The hand-over in a note, if the key that is trusted now and the new one signed it."""
    note = notes.parse(data)
    lines = note.text.split("\n")[:-1]
    if len(lines) != _LINES or lines[0] != TITLE:
        raise RecordError(f"hand-over: not the {_LINES} lines that begin with {TITLE!r}")
    head = checkpoints.parse("".join(line + "\n" for line in lines[1:4]))
    said, new = parse_public(lines[4]), parse_public(lines[5])
    if said != old:
        raise RecordError(f"hand-over: it is of the key {said.key_id.hex()}, not of yours")
    if new == old or not old.name == new.name == head.origin:
        raise RecordError("hand-over: two different keys of the log's own name are due")
    held = notes.check(note, [ed25519_verifier(old), ed25519_verifier(new)]).held
    if len(held) != 2:
        raise RecordError("hand-over: both keys must have signed it")
    return HandOver(head, old, new)


def chain(documents: Sequence[bytes], first: PublicKey) -> tuple[HandOver, ...]:
    """Hand-overs one after the other, from a key that is trusted; sizes never shrink."""
    found: list[HandOver] = []
    for data in documents:
        one = check(data, found[-1].new if found else first)
        if found and one.head.size < found[-1].head.size:
            raise RecordError("hand-over: it is behind a smaller head than the one before it")
        found.append(one)
    return tuple(found)
