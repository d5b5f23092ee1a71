"""The log's side of C2SP tlog-witness: one head, one witness, one cosignature or why not."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from skykeep.config import WitnessPlace
from skykeep.errors import RecordError
from skykeep.record import note as notes
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.cosignature import check_cosigned
from skykeep.record.keys import PublicKey
from skykeep.record.note import Verifier
from skykeep.record.witness import SIZE_TYPE, AddCheckpoint

#: A witness that needs longer is counted out of this round.
TIMEOUT_S = 3.0
#: Some cosignature lines, also post-quantum ones.
MAX_ANSWER_BYTES = 50_000
_SHOWN_CHARACTERS = 200
Proof = Callable[[int, int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: the size that the witness has, the head under its cosignature if it
    gave one, else the problem. `retired`: it has forgotten what it had cosigned."""

    size: int
    note: bytes | None = None
    problem: str = ""
    retired: bool = False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A witness is where the site's file says, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


#: No proxy of the environment: the address is the operator's own word.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def ask(
    place: WitnessPlace, log: Verifier, note: bytes, head: Checkpoint, known: int, prove: Proof
) -> Asked:
    """Ask for a cosignature over `head`, the witness having cosigned `known` entries before.

    `prove(old, new)` gives the proof that the log has grown from one size to the other.
    """
    old = known
    for _ in range(2):  # a witness that another copy of us has asked says once where it is
        try:
            if old > head.size:
                problem = f"it has cosigned {old} entries, the record has {head.size}"
                return Asked(old, problem=f"{problem}: the record has gone back")
            proof = tuple(prove(old, head.size)) if old else ()
            status, kind, body = post(
                f"{place.url}/add-checkpoint", AddCheckpoint(old, proof, note).to_bytes(),
                "text/plain; charset=utf-8",
            )  # fmt: skip
            if status == 409 and kind == SIZE_TYPE:
                said = _size(body)
                if said < known:
                    problem = f"it has cosigned {known} entries and knows only of {said}"
                    return Asked(known, problem=problem, retired=True)
                old = said
                continue
            if status != 200:
                words = body[:_SHOWN_CHARACTERS].decode(errors="replace").strip()
                return Asked(old, problem=f"it answered {status}: {words}")
            return Asked(head.size, _cosigned(note, body, place.key, log, head))
        except RecordError as error:
            return Asked(old, problem=str(error))
    return Asked(old, problem="it is asked by somebody else too, from another size")


def _cosigned(note: bytes, body: bytes, key: PublicKey, log: Verifier, head: Checkpoint) -> bytes:
    """The head under the log's signature and this witness's alone; others' are left out."""
    lines = b"".join(body.splitlines(keepends=True)[:16])
    found = check_cosigned(note + lines, head.origin, [log], [key], 1)
    # The line that was checked, if it gave several: the first of this key.
    signed = found.note.signatures
    ours = next(one for one in signed if (one.name, one.key_id) == (log.name, log.key_id))
    theirs = next(one for one in signed if (one.name, one.key_id) == (key.name, key.key_id))
    return notes.Note(found.note.text, (ours, theirs)).to_bytes()


def _size(body: bytes) -> int:
    text = body.removesuffix(b"\n")
    if not (text.isdigit() and len(text) < 20 and str(int(text)).encode() == text):
        raise RecordError(f"it answered 409 with {body[:40]!r}, which is no size")
    return int(text)


def post(
    url: str, body: bytes, kind: str, timeout_s: float = TIMEOUT_S, most: int = MAX_ANSWER_BYTES
) -> tuple[int, str, bytes]:
    """Status, media type and body of the answer to a body of a kind; RecordError without one."""
    request = urllib.request.Request(url, body, {"Content-Type": kind})
    try:
        try:
            answer = _opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            data: bytes = answer.read(most + 1)
            media = answer.headers.get_content_type()
            status: int = answer.status
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise RecordError(f"it does not answer ({reason})") from None
    if len(data) > most:
        raise RecordError(f"its answer is over {most} bytes")
    return status, media, data
