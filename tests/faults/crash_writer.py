"""Writes every durable file there is while it is traced: `python crash_writer.py FOLDER SEED`.

Says in FOLDER/said, a JSON line each, what it is about to make durable ("try") and what it was told
is durable ("done"). After an error it opens all anew, as the service does, or starts anew as a
service that was killed: then SQLite closes nothing. Further arguments:

    STEPS                     how many steps to take (default 60)
    public                    also write a published folder (slower: the service is imported)
    synchronous=OFF|NORMAL    a planted fault: the databases' commits are not synced
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from skykeep.commands.atomic import write_atomically
from skykeep.errors import RecordError, SkykeepError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.entry import Entry, Fact, hour_of
from skykeep.record.keys import ed25519_verifier, parse_public
from skykeep.record.witness import AddCheckpoint
from skykeep.service.permit_keys import CARD_KEY_FILE, LINK_KEY_FILE, open_keys
from skykeep.store import record_files
from skykeep.store.durable import make_folder
from skykeep.store.holds import HeldFact
from skykeep.store.record_files import PUBLIC_FILE
from skykeep.store.record_store import RecordStore
from skykeep.store.witness_heads import CosignedHead, WitnessHeads
from skykeep.store.witness_state import WitnessState, make_witness

ORIGIN, WITNESS = "city/skykeep", "w.example/1"
SAID = "said"
RECORD, COSIGNING, PUBLISHED = "data", "witness", "public"
TOKENS = "tokens.json"
STEPS = 60
#: Pages in a write-ahead log before it is moved into the database: many times in one trace.
WAL_PAGES = 12
HOUR_NS = 3_600_000_000_000
#: Entries of one hour: keys are of an hour, and are destroyed while others are made.
PER_HOUR = 20


def meant(index: int) -> Entry:
    """What the writer records as entry `index`, whatever happened before."""
    facts = [Fact(b"open %d" % index)]
    if index % 3:
        facts.append(Fact(b"private %d " % index + b"." * (index * 37 % 900), private=True))
    at_ns = index // PER_HOUR * HOUR_NS + index
    return Entry("fact", at_ns, f"sensor-{index % 2}", tuple(facts))


def log_of(data: Path) -> dict[str, list[Any]]:
    """The log's key, as a witness is told it."""
    key = parse_public((data / PUBLIC_FILE).read_text())
    return {ORIGIN: [ed25519_verifier(key)]}


class Scribe:
    """The steps that it can take, in the order of their chance."""

    def __init__(self, folder: Path, seed: int, public: bool) -> None:
        self.folder, self.data = folder, folder / RECORD
        self.chance, self.public = random.Random(seed), public
        self.said = os.open(folder / SAID, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.store: RecordStore | None = None
        self.witness: WitnessState | None = None
        self.heads: WitnessHeads | None = None
        self.cosigned = self.hold = self.version = 0

    def say(self, how: str, what: str, *values: Any) -> None:
        os.write(self.said, json.dumps([how, what, *values]).encode() + b"\n")

    # -- opening --------------------------------------------------------------------------

    def open(self) -> RecordStore:
        if self.store is None:
            self.store = RecordStore(self.data, ORIGIN)
            self.say("done", "record", self.store.size, self.store.frontier.root().hex())
        return self.store

    def shut(self) -> None:
        """Nothing stays open: what was not durable is not remembered."""
        for one in (self.store, self.witness, self.heads):
            if one is not None:
                one.close()
        self.store = self.witness = self.heads = None

    # -- steps ----------------------------------------------------------------------------

    def append(self, snapshot: bool = False, erase: tuple[tuple[str, int], ...] = ()) -> None:
        store = self.open()
        count = self.chance.choice((1, 1, 2, 5, 12))
        made = [meant(i) for i in range(store.size, store.size + count)]
        keys = [store._key_of(*one) for one in erase]
        batches = [(f"b{store.size}", 0, sha256(b"%d" % store.size).digest())]
        staged = store.stage(made, batches, b"state" * 50 if snapshot else None, erase)
        said = (staged.group.end, staged.frontier.root().hex())
        self.say("try", "record", *said)
        store.commit(staged)
        self.say("done", "record", *said)
        for one, key in zip(erase, keys, strict=True):
            assert key is not None
            self.say("done", "destroyed", *one, key.data.hex())

    def snapshot(self) -> None:
        self.append(snapshot=True)

    def erase(self) -> None:
        """Destroy the oldest keys that there are."""
        keys = sorted(self.open().sealing_keys(), key=lambda one: (one[1], one[0]))
        # The newest hour's stay: entries under them are still to come.
        old = [one for one in keys if one[1] < hour_of(meant(self.open().size).at_ns)]
        if old:
            self.append(snapshot=True, erase=tuple(old[:2]))

    def keep(self) -> None:
        """Hold a fact, or let the last hold go."""
        store = self.open()
        if store.holds():
            name = store.holds()[0]
            self.say("try", "hold", "")
            store.release(name)
            self.say("done", "hold", "")
            return
        self.hold += 1
        self.say("try", "hold", f"h{self.hold}")
        store.hold(f"h{self.hold}", [HeldFact(0, 0, bytes(32), b"held %d" % self.hold)])
        self.say("done", "hold", f"h{self.hold}")

    def reopen(self) -> None:
        self.shut()
        self.open()

    def change_key(self) -> None:
        store = self.open()
        if not store.size:
            return
        self.say("try", "key", "")
        key = store.hand_over()
        self.say("done", "key", key.to_text())
        self.shut()

    def cosign(self) -> None:
        """A witness sees the newest head; what it says is kept beside the record."""
        store = self.open()
        if not store.size:
            return
        if self.witness is None:
            folder = self.folder / COSIGNING
            if not folder.exists():
                self.say("try", "witness made")
                try:
                    make_witness(folder, WITNESS)
                except RecordError:
                    shutil.rmtree(folder, ignore_errors=True)  # as the error says
                    raise
                self.say("done", "witness made")
            self.witness = WitnessState(folder, log_of(self.data))
        self.witness.logs = log_of(self.data)
        note, size, root = store.checkpoint(), store.size, store.frontier.root().hex()
        held = self.witness.heads().get(ORIGIN)
        old = 0 if held is None else checkpoints.parse(held.split(b"\n\n")[0].decode() + "\n").size
        proof = store.tree().consistency_proof(old, size) if 0 < old < size else ()
        self.say("try", "witness", size, root)
        line = self.witness.add(AddCheckpoint(old, proof, note).to_bytes(), lambda: 1_000 + size)
        assert isinstance(line, bytes), line
        self.say("done", "witness", size, root)
        if self.heads is None:
            self.heads = WitnessHeads(self.data)
        self.say("try", "published", size, root)
        self.heads.keep({self.witness.vkey: CosignedHead(size, note + line)}, note + line)
        self.say("done", "published", size, root)

    def files(self) -> None:
        """Tokens, the permit office's keys, and a published folder."""
        self.version += 1
        data = b"version %d\n" % self.version * 40
        self.say("try", "file", TOKENS, sha256(data).hexdigest())
        write_atomically(self.folder / TOKENS, data)
        self.say("done", "file", TOKENS, sha256(data).hexdigest())
        make_folder(self.data)
        open_keys(self.data)
        for name in (LINK_KEY_FILE, CARD_KEY_FILE):
            digest = sha256((self.data / name).read_bytes()).hexdigest()
            self.say("done", "file", f"{RECORD}/{name}", digest)
        if self.public:
            self.publish(data)

    def publish(self, data: bytes) -> None:
        from skykeep.codec.publication import MANIFEST_FILE
        from skykeep.service.publication_folder import write_folder

        made = {name: name.encode() + data for name in (MANIFEST_FILE, "zones.json")}
        for how in ("try", "done"):
            if how == "done":
                write_folder(self.folder / PUBLISHED, made, None)
            for name, content in made.items():
                self.say(how, "file", f"{PUBLISHED}/{name}", sha256(content).hexdigest())

    def step(self) -> None:
        steps = (self.append, self.snapshot, self.erase, self.keep, self.reopen, self.cosign,
                 self.change_key, self.files)  # fmt: skip
        weights = (40, 10, 8, 8, 6, 16, 3, 9)
        self.chance.choices(steps, weights)[0]()


def weakened(synchronous: str) -> None:
    """Plant a fault: what the store asks of SQLite is not what SQLite does."""

    class Weak(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql.startswith("PRAGMA synchronous"):
                super().execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
                sql = f"PRAGMA synchronous = {synchronous}"
            return super().execute(sql, *rest)

    record_files.sqlite3.connect = partial(sqlite3.connect, factory=Weak)  # type: ignore


def main() -> None:
    """See the module's words."""
    folder, seed, more = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    steps = next((int(one) for one in more if one.isdecimal()), STEPS)
    asked = [one.partition("=")[2] for one in more if one.startswith("synchronous=")]
    weakened(asked[0] if asked else "FULL")
    scribe = Scribe(folder, seed, "public" in more)
    while steps:
        steps -= 1
        try:
            scribe.step()
        except (SkykeepError, OSError) as error:
            scribe.say("failed", type(error).__name__, str(error))
            if scribe.chance.random() < 0.5:
                rest = [one for one in more if not one.isdecimal()]
                again = [str(folder), str(seed + 1_000), str(steps), *rest]
                os.execv(sys.executable, [sys.executable, __file__, *again])
            scribe.shut()
    scribe.shut()


if __name__ == "__main__":
    main()
