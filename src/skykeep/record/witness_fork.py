"""Proof that a log went two ways: two heads that it signed and that cannot both be true.

JSON that anybody can check offline with the log's public key:

    {"format": "skykeep fork 1", "older": NOTE, "newer": NOTE, "prefix": ROOT, "proof": [HASH]}

Of one size, two roots are enough: `prefix` and `proof` are left out. Else `proof` shows that
the newer head's tree begins with `prefix` over as many entries as the older head has, and that
is not the older head's root. The tree of a root has one beginning only (SHA-256).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import CheckedCheckpoint, Checkpoint
from skykeep.record.merkle import StoredTree, verify_consistency
from skykeep.record.note import MAX_NOTE_BYTES, Verifier, decode_base64, encode_base64
from skykeep.record.witness import MAX_PROOF_LINES

FORMAT = "skykeep fork 1"
MAX_FORK_BYTES = 3 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes of one log that do not agree; not yet checked."""

    older: bytes
    newer: bytes
    prefix: bytes | None = None
    proof: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """The file, JSON in ASCII."""
        said: dict[str, object] = {"format": FORMAT}
        said["older"], said["newer"] = self.older.decode(), self.newer.decode()
        if self.prefix is not None:
            said["prefix"] = encode_base64(self.prefix)
            said["proof"] = list(map(encode_base64, self.proof))
        return json.dumps(said, indent=1).encode() + b"\n"


def parse(data: bytes) -> Fork:
    """A fork from its file; RecordError says what does not fit."""
    if len(data) > MAX_FORK_BYTES:
        raise RecordError(f"fork: {len(data)} bytes are too many")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"fork: not JSON ({type(error).__name__})") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise RecordError(f"fork: not of the format {FORMAT!r}")
    proof = said.get("proof", [])
    texts = [said.get("older"), said.get("newer"), said.get("prefix", ""), *_list(proof)]
    if not all(isinstance(text, str) for text in texts):
        raise RecordError("fork: older and newer must be notes, prefix and proof base64")
    prefix = said.get("prefix")
    try:
        older, newer = said["older"].encode(), said["newer"].encode()
    except UnicodeEncodeError:
        raise RecordError("fork: a note with half of a surrogate pair") from None
    return Fork(
        older,
        newer,
        None if prefix is None else decode_base64(prefix, "fork, prefix"),
        tuple(decode_base64(text, f"fork, proof[{at}]") for at, text in enumerate(proof)),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_PROOF_LINES:
        raise RecordError(f"fork: proof must be a list of at most {MAX_PROOF_LINES} hashes")
    return value


def check(fork: Fork, origin: str, log_keys: Sequence[Verifier]) -> tuple[Checkpoint, Checkpoint]:
    """The two heads, if the log signed both and they cannot both be true; else RecordError."""
    older, newer = (
        _signed(note, what, origin, log_keys).checkpoint
        for note, what in ((fork.older, "older"), (fork.newer, "newer"))
    )
    if older.size == newer.size:
        if older.root == newer.root:
            raise RecordError(f"both heads are the same: {older.size} entries, one root")
        return older, newer
    if older.size > newer.size or fork.prefix is None:
        raise RecordError("the older head is the larger one, or there is no prefix")
    verify_consistency(older.size, newer.size, fork.prefix, newer.root, fork.proof)
    if fork.prefix == older.root:
        raise RecordError(f"the log of {newer.size} entries continues that of {older.size}")
    return older, newer


def _signed(note: bytes, what: str, origin: str, log_keys: Sequence[Verifier]) -> CheckedCheckpoint:
    try:
        return checkpoints.check(note, origin, log_keys)
    except RecordError as error:
        raise RecordError(f"the {what} head: {error}") from None


def between(
    one: bytes, other: bytes, origin: str, log_keys: Sequence[Verifier], tree: StoredTree | None
) -> Fork | None:
    """The proof that two signed heads do not agree, or none if they do.

    `tree` has the leaves of the larger head; without it only heads of one size can be held
    against each other. RecordError if a head is not the log's, or the tree not the larger's.
    """
    pair = [(_signed(n, "given", origin, log_keys).checkpoint, n) for n in (one, other)]
    (old, older), (new, newer) = sorted(pair, key=lambda found: found[0].size)
    if old.size == new.size:
        return None if old.root == new.root else Fork(older, newer)
    if old.size == 0:
        return None
    if tree is None or tree.root(new.size) != new.root:
        raise RecordError(f"the tree at hand is not that of the head over {new.size} entries")
    prefix = tree.root(old.size)
    if prefix == old.root:
        return None
    return Fork(older, newer, prefix, tree.consistency_proof(old.size, new.size))
