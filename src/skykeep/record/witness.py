"""What a witness is asked, and what it answers (C2SP tlog-witness, add-checkpoint).

    old <size of the head that the witness cosigned last>
    <base64>                     the consistency proof, a hash a line, at most 63

    <checkpoint>                 signed by the log

`judge` is the whole decision, over values: whoever keeps the state sees to it that nothing
comes between reading the old head and having the new one on the disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.merkle import MAX_SIZE, verify_consistency
from skykeep.record.note import (
    MAX_NOTE_BYTES,
    CheckedNote,
    Note,
    Verifier,
    decode_base64,
    encode_base64,
    shown,
)

#: tlog-witness: "The client MUST NOT send more than 63 consistency proof lines."
MAX_PROOF_LINES = 63
#: A proof of 63 lines and a note with some post-quantum signatures.
MAX_REQUEST_BYTES = 200_000
#: The media type of the answer 409 that tells the size the witness has.
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A log's request: the size the witness should have, the proof from there, the new head."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(encode_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.note


@dataclass(frozen=True, slots=True)
class Accepted:
    """The head continues what was seen; `note` has the log's own signatures alone."""

    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, with its HTTP status.

    `size` is what the witness has, where the log should prove from there. `signed` is the head
    if the log did sign it: something that the log may have to answer for.
    """

    status: int
    problem: str
    size: int | None = None
    signed: Accepted | None = None


def parse(data: bytes) -> AddCheckpoint:
    """A request from bytes; RecordError names the line."""
    if len(data) > MAX_NOTE_BYTES:
        raise RecordError(f"request: {len(data)} bytes are too many")
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise RecordError(f"request: byte {error.start} is not ASCII") from error
    if not gap:
        raise RecordError("request: no empty line in front of the checkpoint")
    found = _OLD.fullmatch(lines[0])
    if found is None or int(found[1]) > MAX_SIZE:
        raise RecordError(f"request, line 1: {shown(lines[0])} is not the word old and a size")
    if len(lines) - 1 > MAX_PROOF_LINES:
        raise RecordError(f"request: {len(lines) - 1} hashes, at most {MAX_PROOF_LINES} are read")
    proof = [
        decode_base64(line, f"request, line {at} (hash)") for at, line in enumerate(lines[1:], 2)
    ]
    return AddCheckpoint(int(found[1]), tuple(proof), note)


def origin_of(data: bytes) -> str:
    """Which log's a request says it is; RecordError if it is no request with a checkpoint."""
    return checkpoints.parse(notes.parse(parse(data).note).text).origin


def judge(
    data: bytes, logs: Mapping[str, Sequence[Verifier]], held: Checkpoint | None
) -> Accepted | Refused:
    """What becomes of a request, `held` being the head of its log that was cosigned last.

    The statuses are those of tlog-witness, in its order: 400, 404, 403, 400, 409, 422, 409.
    """
    try:
        request = parse(data)
        note = notes.parse(request.note)
        head = checkpoints.parse(note.text)
    except RecordError as error:
        return Refused(400, str(error))
    if head.origin not in logs:
        return Refused(404, f"the log {shown(head.origin)} is not known here")
    try:
        signed: CheckedNote = checkpoints.check(request.note, head.origin, logs[head.origin]).signed
    except RecordError as error:
        return Refused(403, str(error))
    accepted = Accepted(head, Note(note.text, signed.held))
    if request.old > head.size:
        problem = f"the old size {request.old} is above the checkpoint's, {head.size}"
        return Refused(400, problem, signed=accepted)
    size = 0 if held is None else held.size
    if request.old != size:
        problem = f"{size} entries were cosigned last, not {request.old}"
        return Refused(409, problem, size, accepted)
    return _continued(request, held, accepted)


def _continued(
    request: AddCheckpoint, held: Checkpoint | None, accepted: Accepted
) -> Accepted | Refused:
    head = accepted.checkpoint
    if held is None or held.size == 0:
        # Every tree begins with the empty one (RFC 9162 section 2.1.4).
        if request.proof:
            return Refused(422, "from an empty log there is nothing to prove", signed=accepted)
        return accepted
    if head.size == held.size and head.root != held.root:
        problem = f"another root over {held.size} entries was cosigned before"
        return Refused(409, problem, signed=accepted)
    try:
        verify_consistency(held.size, head.size, held.root, head.root, request.proof)
    except RecordError as error:
        return Refused(422, str(error), signed=accepted)
    return accepted
