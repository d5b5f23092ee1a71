"""Changing the log's key: the hand-over in the record, and the key files that follow it.

The new secret is on the disk first (`log.next.skey`); then one transaction holds the hand-over
and the newest head under both keys; then the files are put in place. Whatever kills the process
in between, opening the record again finishes it or has the old key as before.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import handover
from skykeep.record import note as notes
from skykeep.record.checkpoint import CheckedCheckpoint, Checkpoint
from skykeep.record.handover import HandOver
from skykeep.record.keys import (
    Ed25519Signer,
    PublicKey,
    ed25519_verifier,
    new_seed,
    parse_public,
    parse_secret,
)
from skykeep.record.keys import signer as make_signer
from skykeep.record.note import Verifier
from skykeep.store.durable import write_synced
from skykeep.store.record_files import PUBLIC_FILE, SECRET_FILE, LogKeys

NEXT_FILE = "log.next.skey"


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The log's keys, oldest first; each but the last was handed over behind a head."""

    current: PublicKey
    changes: tuple[HandOver, ...] = ()

    def verifiers(self) -> list[Verifier]:
        """What checks heads of any time; who signed when is `check`'s to ask."""
        keys = [self.current, *(change.old for change in self.changes)]
        return [ed25519_verifier(key) for key in keys]

    def check(self, note: bytes) -> Checkpoint:
        """What a head says, if a key signed it that was the log's at its size."""
        found = checkpoints.check(note, self.current.name, self.verifiers())
        if self.changes and not self._in_force(found):
            raise RecordError(
                f"the head over {found.checkpoint.size} entries is signed by a key that was not "
                "the log's then"
            )
        return found.checkpoint

    def _in_force(self, found: CheckedCheckpoint) -> bool:
        size, held = found.checkpoint.size, {one.key_id for one in found.signed.held}
        first = 0
        for change in self.changes:
            if change.old.key_id in held and first <= size <= change.head.size:
                return True
            first = change.head.size
        return self.current.key_id in held and first <= size


def documents(db: sqlite3.Connection) -> list[bytes]:
    """The hand-overs as they were signed, oldest first; RecordError for a damaged row."""
    signed = [row[0] for row in db.execute("SELECT note FROM handovers ORDER BY number")]
    if any(type(note) is not bytes for note in signed):
        raise RecordError("a hand-over is not stored as bytes")
    return signed


def settle(
    folder: Path, db: sqlite3.Connection, log: LogKeys, audit: bool
) -> tuple[LogKeys, KeyHistory]:
    """The log's key and its history; finishes a change that a crash cut short.

    RecordError where hand-overs and key files do not fit each other.
    """
    signed = documents(db)
    if not signed:
        return log, KeyHistory(log.public)
    lines = notes.parse(signed[0]).text.split("\n")
    first = parse_public(lines[4]) if len(lines) > 4 else log.public
    changes = handover.chain(signed, first)
    last = changes[-1]
    if log.public != last.new:
        following = folder / NEXT_FILE
        if log.public != last.old or log.signer is None or not following.exists():
            raise RecordError(f"{PUBLIC_FILE} is not the key that the log was handed over to")
        made = parse_secret(following.read_text(encoding="utf-8"))
        if made.key != last.new:
            raise RecordError(f"{NEXT_FILE} is not the key that the log was handed over to")
        if not audit:
            _put_in_place(folder, made)
        log = LogKeys(made.key, made)
    return log, KeyHistory(last.new, changes)


def change_key(
    folder: Path, db: sqlite3.Connection, old: Ed25519Signer, head: Checkpoint
) -> PublicKey:
    """Hand the log over to a new key behind its newest head; the record is opened anew after."""
    new = make_signer(old.name, new_seed())
    write_synced(folder / NEXT_FILE, new.to_secret_text(), 0o600)
    note = handover.sign(head, old, new).to_bytes()
    both = checkpoints.sign(head, [old, new]).to_bytes()
    with db:
        db.execute("INSERT INTO handovers (note) VALUES (?)", (note,))
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (head.size, both))
    _put_in_place(folder, new)
    return new.key


def _put_in_place(folder: Path, made: Ed25519Signer) -> None:
    """The secret half last: as long as it is the old one, this is done once more."""
    write_synced(folder / PUBLIC_FILE, made.key.to_text(), 0o644)
    write_synced(folder / SECRET_FILE, made.to_secret_text(), 0o600)
    (folder / NEXT_FILE).unlink(missing_ok=True)
