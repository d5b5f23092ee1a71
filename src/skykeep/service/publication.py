"""The publication of the zones: made when something changed, signed, kept for all who ask.

The engine is only asked for its versions, between two groups; writing the files, which may
take seconds for a country, happens on a thread. Files that say the same are not made again,
so their names for caches stay; the manifest says each time until when the record was known.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from skykeep.codec.ed269_write import write_ed269
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.publication import (
    CHECKPOINT_FILE,
    KEY_FILE,
    MANIFEST_FILE,
    ListedFile,
    Manifest,
    PublicZone,
    changed_ns,
    published,
    sign_manifest,
)
from skykeep.codec.publication_geojson import write_geojson
from skykeep.config import PublicSettings
from skykeep.core.airspace import Site
from skykeep.core.event import ZoneChanged
from skykeep.core.zone import Zone
from skykeep.core.zone_book import ZoneVersion
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.keys import Ed25519Signer
from skykeep.record.note import parse as parse_note
from skykeep.runtime import Recorded
from skykeep.service import log
from skykeep.service.publication_folder import write_folder
from skykeep.service.writer import Group, UnavailableError, Writer
from skykeep.units import to_datetime

ED318_FILE, ED269_FILE, GEOJSON_FILE = "zones.ed318.json", "zones.ed269.json", "zones.geojson"
#: The manifest over HTTP is no older than this.
FRESH_S = 30.0
#: An emergency ban is to be seen within 2 s; a burst of changes costs no more than this.
LEAST_S = 0.5
RETRY_S = 5.0
_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Made:
    """One file as it is given out; `changed_ns` is the last change of what it says."""

    data: bytes
    media_type: str
    changed_ns: int | None
    packed: bytes = field(repr=False)
    sha256: str

    @staticmethod
    def of(data: bytes, media_type: str, at_ns: int | None) -> Made:
        """The file with its digest and its shorter form."""
        packed = gzip.compress(data, _GZIP_LEVEL, mtime=0)
        return Made(data, media_type, at_ns, packed, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Known:
    """What the record says at one moment, as values."""

    site: Site
    versions: tuple[ZoneVersion, ...]
    at_ns: int
    checkpoint: bytes
    signer: Ed25519Signer


@dataclass(frozen=True, slots=True)
class Publication:
    """Every file by name, of one moment."""

    files: dict[str, Made]
    manifest: Manifest
    known: Known


def known_of(recorded: Recorded, checkpoint: bytes) -> Known:
    """What is published of a site at work; `checkpoint` is the signed head of now."""
    airspace = recorded.runtime.airspace
    return Known(
        airspace.site,
        airspace.zone_book.all_versions(),
        recorded.runtime.now_ns,
        checkpoint,
        recorded.store.signer,
    )


def publish(known: Known, contact: str, before: Publication | None = None) -> Publication:
    """All files; those of `before`, of the same site and contact, where nothing changed."""
    kept = before if before is not None and _same(before.known, known) else None
    changed = changed_ns(known.versions) if kept is None else kept.manifest.changed_ns
    if kept is None:
        zones = published(known.versions)
        listed, files = _zone_files(known, zones, contact, changed)
    else:
        listed, files = kept.manifest.files, dict(kept.files)
    head = checkpoints.parse(parse_note(known.checkpoint).text)
    manifest = Manifest(head.origin, head.size, head.root, known.at_ns, changed, listed)
    plain = "text/plain; charset=utf-8"
    note = sign_manifest(manifest, known.signer)
    files[MANIFEST_FILE] = Made.of(note, plain, known.at_ns)
    files[CHECKPOINT_FILE] = Made.of(known.checkpoint, plain, known.at_ns)
    key = known.signer.key.to_text() + "\n"
    files[KEY_FILE] = Made.of(key.encode(), plain, None)
    return Publication(files, manifest, known)


def _same(then: Known, now: Known) -> bool:
    """Whether the same files come out: of one site, every version is the very same value."""
    return (
        _year(then) == _year(now)
        and len(then.versions) == len(now.versions)
        and all(a is b for a, b in zip(then.versions, now.versions, strict=True))
    )


def _year(known: Known) -> int:
    return to_datetime(known.at_ns).year


def _zone_files(
    known: Known, zones: Sequence[PublicZone], contact: str, changed: int | None
) -> tuple[tuple[ListedFile, ...], dict[str, Made]]:
    site = known.site
    plain = [z.zone for z in zones]

    def ed318(told: Sequence[Zone]) -> bytes:
        return write_ed318(told, name=site.name, provider=site.authority_id, issued_ns=changed)

    def ed269(told: Sequence[Zone]) -> bytes:
        return write_ed269(told, title=site.name, description=site.authority_id)

    written = {
        ED318_FILE: (*_strictly(ed318, plain), "application/json"),
        ED269_FILE: (*_strictly(ed269, plain), "application/json"),
        GEOJSON_FILE: (
            write_geojson(zones, site, contact, changed, _year(known)),
            len(plain),
            "application/geo+json",
        ),
    }
    listed = tuple(
        ListedFile.of(name, data, told, len(plain) - told)
        for name, (data, told, _) in written.items()
    )
    return listed, {
        name: Made.of(data, media_type, changed) for name, (data, _, media_type) in written.items()
    }


def _strictly(write: Callable[[Sequence[Zone]], bytes], zones: Sequence[Zone]) -> tuple[bytes, int]:
    """A document of the zones that its format can say, and how many those are."""
    try:
        return write(zones), len(zones)
    except InputError:
        told = [zone for zone in zones if _writable(write, zone)]
        return write(told), len(told)


def _writable(write: Callable[[Sequence[Zone]], bytes], zone: Zone) -> bool:
    try:
        write((zone,))
    except InputError:
        return False
    return True


class Publisher:
    """Keeps the publication of a running site; `run` it to keep a folder up to date too."""

    def __init__(self, writer: Writer, settings: PublicSettings) -> None:
        self.settings = settings
        self._writer = writer
        self._held: Publication | None = None
        self._changes = self._made_of = 0
        self._made_s = 0.0
        self._one = asyncio.Lock()
        self._wake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, "publication")
        if settings.zones:
            writer.listeners.append(self._hear)

    def _hear(self, group: Group) -> None:
        for answer in group.answers:
            if any(isinstance(event, ZoneChanged) for event in answer.events):
                self._changes += 1
                self._wake.set()
                return

    async def current(self) -> Publication:
        """The publication; UnavailableError where there is none yet and the record is away."""
        loop = asyncio.get_running_loop()
        async with self._one:
            held, age_s = self._held, loop.time() - self._made_s
            if held is not None and self._changes != self._made_of:
                await asyncio.sleep(LEAST_S - age_s)
            elif held is not None and age_s < FRESH_S:
                return held
            changes = self._changes
            try:
                known = await self._writer.ask(lambda r: known_of(r, self._writer.checkpoint))
            except (UnavailableError, RecordError):
                if held is None:
                    raise
                return held  # its manifest says how old it is
            contact = self.settings.contact
            made = await loop.run_in_executor(self._thread, publish, known, contact, held)
            self._held, self._made_of, self._made_s = made, changes, loop.time()
            return made

    def stop(self) -> None:
        """Write nothing more."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Write the folder whenever something changed, and regularly, until `stop`."""
        try:
            while not self._stopping:
                self._wake.clear()
                wait_s = await self._round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _round(self) -> float | None:
        """One version of the folder; seconds until the next, None where there is no folder."""
        folder = self.settings.folder
        if not self.settings.zones or folder is None:
            return None
        try:
            made = await self.current()
            files = {name: file.data for name, file in made.files.items()}
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, write_folder, folder, files)
        except (UnavailableError, RecordError, InputError) as error:
            log.event(logging.WARNING, "publication.trouble", why=str(error))
            return RETRY_S
        return 0.0 if self._changes != self._made_of else self.settings.refresh_s
