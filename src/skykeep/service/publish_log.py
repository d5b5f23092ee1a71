"""Publishing: every few seconds the newest head goes to the witnesses, and what a quorum of
them has cosigned becomes the published head.

The record does not wait for it: what is answered is durable here, and published a little later.
A site without witnesses publishes what it signs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from skykeep.config import WitnessPlace
from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.cosignature import Cosigned, check_cosigned, majority
from skykeep.record.keys import PublicKey, ed25519_verifier
from skykeep.record.merkle import StoredTree
from skykeep.service import log
from skykeep.service.tiles import LogTiles
from skykeep.service.witness_client import Asked, ask
from skykeep.service.writer import UnavailableError, Writer, error_of, told
from skykeep.store.key_handover import KeyHistory
from skykeep.store.record_store import RecordStore
from skykeep.store.witness_heads import CosignedHead, WitnessHeads
from skykeep.units import NS_PER_S

#: "Every few seconds": a head is published at most this long, and a round, after it was signed.
PERIOD_S = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round is about: the log's keys, its newest head, and its tree."""

    key: PublicKey
    history: KeyHistory
    head: Checkpoint
    note: bytes
    tree: StoredTree


class LogPublisher:
    """Asks the witnesses of one site; without any it does nothing."""

    def __init__(self, writer: Writer, tiles: LogTiles, places: Sequence[WitnessPlace]) -> None:
        self.places = tuple(places)
        self.quorum = majority(len(self.places))
        #: Why nothing new is published; empty while all is well.
        self.problem = ""
        self.problems: dict[str, str] = {}
        self.published: Cosigned | None = None
        self.heads: dict[str, CosignedHead] = {}
        self._published_ns = 0
        self._writer, self._tiles = writer, tiles
        self._kept: WitnessHeads | None = None
        self._own_checked = False
        self._stopping = asyncio.Event()
        self._threads = ThreadPoolExecutor(max(1, len(self.places)), "witness")

    @property
    def size(self) -> int:
        """How many entries are published."""
        if not self.places:
            return self._writer.size
        return 0 if self.published is None else self.published.checkpoint.size

    @property
    def note(self) -> bytes:
        """The published head; UnavailableError while there is none."""
        if not self.places:
            return self._writer.checkpoint
        if self.published is None:
            raise UnavailableError("no head is published yet: the witnesses have not cosigned one")
        return self.published.note.to_bytes()

    def lag_s(self) -> float:
        """How long ago the published head was the newest; 0 where there are no witnesses."""
        if not self.places or self.size == self._writer.size:
            return 0.0
        return max(0.0, (self._writer.now_ns() - self._published_ns) / NS_PER_S)

    async def run(self) -> None:
        """Round after round until `stop`; a fault of one is named, and the next comes."""
        try:
            while self.places and not self._stopping.is_set():
                error = await error_of(self.round())
                if error is not None:
                    self.problem = str(told(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD_S):
                        await self._stopping.wait()
        finally:
            self.close()

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the file and the threads."""
        self._threads.shutdown(cancel_futures=True)
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    async def round(self) -> None:
        """Ask every witness once; publish as soon as a quorum has cosigned."""
        begun_ns = self._writer.now_ns()
        now = await self._tiles.read(self._newest)
        if not self._own_checked:
            await self._check_own(now)
        cosigned: list[bytes] = []
        for asking in asyncio.as_completed([self._ask(place, now) for place in self.places]):
            place, found = await asking
            self._hear(place.key.to_text(), place.key.name, found)
            if found.note is not None:
                cosigned.append(found.note)
                await self._publish(now, cosigned, begun_ns)
        if len(cosigned) < self.quorum:
            names = {place.key.to_text(): place.key.name for place in self.places}
            words = "; ".join(f"{names[key]}: {why}" for key, why in self.problems.items())
            self.problem = f"{len(cosigned)} of {len(self.places)} witnesses cosigned: {words}"
            await self._publish(now, cosigned, begun_ns)  # also who is retired

    def _newest(self, store: RecordStore) -> Round:
        note = store.checkpoint()
        key = store.public_key
        head = checkpoints.check(note, key.name, [ed25519_verifier(key)]).checkpoint
        return Round(key, store.history, head, note, self._tiles.tree(store, head.size, whole=True))

    async def _ask(self, place: WitnessPlace, now: Round) -> tuple[WitnessPlace, Asked]:
        known = self.heads.get(place.key.to_text(), CosignedHead(0, b""))
        if known.retired:
            return place, Asked(known.size, problem=known.retired)
        prove, verifier = now.tree.consistency_proof, ed25519_verifier(now.key)
        asked = partial(ask, place, verifier, now.note, now.head, known.size, prove)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, asked)
        except sqlite3.Error:
            found = Asked(known.size, problem="the record was closed while it was asked")
        return place, found

    def _hear(self, vkey: str, name: str, found: Asked) -> None:
        """Keep what one witness said."""
        if found.note is not None:
            self.problems.pop(vkey, None)
            self.heads[vkey] = CosignedHead(found.size, found.note)
            return
        if self.problems.get(vkey) != found.problem:
            log.event(logging.WARNING, "witness.problem", witness=name, problem=found.problem)
        self.problems[vkey] = found.problem
        before = self.heads.get(vkey)
        if found.retired and before is not None:
            self.heads[vkey] = replace(before, retired=found.problem)

    async def _publish(self, now: Round, cosigned: Sequence[bytes], begun_ns: int) -> None:
        """Keep what was cosigned, and then, if it is a quorum, show it."""
        merged = None
        if len(cosigned) >= self.quorum:
            lines = [notes.parse(note).signatures[-1] for note in cosigned]
            own = notes.parse(now.note)
            merged = notes.Note(own.text, (*own.signatures, *lines)).to_bytes()
        kept = self._kept
        if kept is None:
            raise RecordError("the service is stopping")
        await asyncio.to_thread(kept.keep, dict(self.heads), merged)
        if merged is not None:
            self.published, self._published_ns = self._cosigned(now.key, merged), begun_ns
            self.problem = ""

    def _cosigned(self, key: PublicKey, note: bytes) -> Cosigned:
        keys = [place.key for place in self.places]
        return check_cosigned(note, key.name, [ed25519_verifier(key)], keys, self.quorum)

    async def _check_own(self, now: Round) -> None:
        """What was published before the start must be the beginning of the record.

        It is not if the record was restored from an old copy, or rewritten: then nothing more
        is published, and what was stays to be held against it.
        """
        if self._kept is None:
            self._kept = await asyncio.to_thread(WitnessHeads, self._writer.folder)
            self.heads = self._kept.cosigned()
        note = self._kept.published()
        if note is not None:
            own = now.history.verifiers()
            # Of the quorum of then: the site may have other witnesses now.
            found = check_cosigned(note, now.key.name, own, [p.key for p in self.places], 0)
            self.published, old = found, found.checkpoint
            if old.size > now.head.size:
                raise RecordError(
                    f"{old.size} entries were published, the record has {now.head.size}: it has "
                    "gone back. Publish nothing from it; see docs/witnesses.md"
                )
            if await asyncio.to_thread(now.tree.root, old.size) != old.root:
                raise RecordError(
                    f"the first {old.size} entries are not those that were published: the record "
                    "was altered. Publish nothing from it; see docs/witnesses.md"
                )
            self._published_ns = max((at_s for _, at_s in found.cosigners), default=0) * NS_PER_S
        self._own_checked = True

    def told(self) -> dict[str, Any]:
        """How publishing does, for health: nothing secret."""
        names = {place.key.to_text(): place.key.name for place in self.places}
        return {
            "entries": self.size,
            "lag_s": round(self.lag_s(), 1),
            "quorum": self.quorum,
            "witnesses": {
                names[key]: self.heads[key].size if key in self.heads else 0 for key in names
            },
            "problem": self.problem,
        }

    def shown(self) -> dict[str, Any]:
        """Every witness's newest head, for everybody."""
        found = {}
        for place in self.places:
            vkey = place.key.to_text()
            head = self.heads.get(vkey)
            found[vkey] = {
                "url": place.url,
                "note": None if head is None else head.note.decode(),
                "problem": self.problems.get(vkey, ""),
            }
        return {"quorum": self.quorum, "witnesses": found}
