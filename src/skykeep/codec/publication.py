"""What the public is given of the zones: which versions, and a signed list of the files.

Published is what is in force, and what is approved and has a date; nothing of who did which
step. A version's validity is cut into its periods, so that whoever reads a file without
knowing of versions gets the same answer at every moment:

- an approved version starts on its date, and the one in force ends there;
- a version whose times all lie outside its validity is not published at all, since a zone
  without periods would hold for ever;
- an emergency ban that waits to be confirmed stays, and from the moment at which it lapses
  unless that is done, nobody can tell.

The manifest is a signed note (C2SP signed-note) by the record's key:

    skykeep zone publication v1
    record NAME OF THE LOG
    size ENTRIES                  the record's size and root when this was made, those of the
    root BASE64                   checkpoint beside it
    at RFC 3339                   until when the record knew of everything
    changed RFC 3339 | never      the last step of a published zone
    file NAME BYTES SHA-256 ZONES OMITTED

Its first line cannot be that of a checkpoint, whose first line is the log's name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.schedule import Period
from skykeep.core.zone import Zone, ZoneEvent, ZoneState
from skykeep.core.zone_book import ZoneVersion
from skykeep.errors import InputError, RecordError
from skykeep.record import note as notes
from skykeep.record.note import Signer, Verifier
from skykeep.units import ZoneId

MANIFEST_TITLE = "skykeep zone publication v1"
MANIFEST_FILE, CHECKPOINT_FILE, KEY_FILE = "manifest.txt", "checkpoint.txt", "log.vkey"
#: Names of files: nothing that leads out of a folder or needs escaping in an address.
_NAME = re.compile(r"[a-z0-9][a-z0-9.\-]{0,60}", re.ASCII)
_COUNT = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicZone:
    """A version as it is published: its periods lie within [`from_ns`, `until_ns`).

    `zone_id` is what it was called before it had to be told from another version;
    `unsure_ns` is when an emergency ban lapses unless it is confirmed.
    """

    zone: Zone
    zone_id: ZoneId
    number: int
    state: ZoneState
    from_ns: int | None = None
    until_ns: int | None = None
    unsure_ns: int | None = None


def published(versions: Iterable[ZoneVersion]) -> tuple[PublicZone, ...]:
    """The versions that are in force or will be, by zone in the order in which they came."""
    by_zone: dict[ZoneId, list[ZoneVersion]] = {}
    for version in versions:
        if version.zone.state is ZoneState.IN_FORCE or _is_coming(version):
            by_zone.setdefault(version.zone.zone_id, []).append(version)
    taken = {str(zone_id) for zone_id in by_zone}
    found: list[PublicZone] = []
    for zone_id, held in by_zone.items():
        held.sort(key=lambda v: (v.effective_ns or 0) if _is_coming(v) else 0)
        for i, version in enumerate(held):
            after = held[i + 1].effective_ns if i + 1 < len(held) else None
            name = str(zone_id)
            if i:
                name = f"{zone_id}-v{version.number}"
                while name in taken:
                    name += "-"
                taken.add(name)
            public = _public(version, ZoneId(name), after)
            if public is not None:
                found.append(public)
    return tuple(found)


def _is_coming(version: ZoneVersion) -> bool:
    return version.zone.state is ZoneState.APPROVED and version.effective_ns is not None


def _public(version: ZoneVersion, name: ZoneId, until_ns: int | None) -> PublicZone | None:
    zone, from_ns = version.zone, version.effective_ns if _is_coming(version) else None
    periods = cut(zone.periods, from_ns, until_ns)
    if periods is None:
        return None
    unsure_ns = version.confirm_by_ns
    if unsure_ns is not None and until_ns is not None and unsure_ns >= until_ns:
        unsure_ns = None
    # Its dates are in its periods: a reader that waits for a state would wait for ever.
    cut_zone = replace(zone, zone_id=name, state=ZoneState.IN_FORCE, periods=periods)
    return PublicZone(
        cut_zone, zone.zone_id, version.number, zone.state, from_ns, until_ns, unsure_ns
    )


def cut(
    periods: tuple[Period, ...], from_ns: int | None, until_ns: int | None
) -> tuple[Period, ...] | None:
    """Periods within [`from_ns`, `until_ns`) (None is open); None where nothing is left.

    No periods mean always, before and, if both bounds are open, after.
    """
    if from_ns is None and until_ns is None:
        return periods
    kept = []
    for period in periods or (Period(),):
        starts = [s for s in (period.start_ns, from_ns) if s is not None]
        ends = [e for e in (period.end_ns, until_ns) if e is not None]
        start_ns, end_ns = max(starts, default=None), min(ends, default=None)
        if start_ns is None or end_ns is None or start_ns < end_ns:
            kept.append(Period(start_ns, end_ns, period.windows))
    return tuple(kept) or None


def changed_ns(versions: Iterable[ZoneVersion]) -> int | None:
    """When something that the public sees last changed; None where it never saw anything.

    A proposal changes nothing for anybody, and tells nothing by its time either.
    """
    seen = (v for v in versions if v.since_ns is not None or _was_approved(v))
    return max((s.at_ns for v in seen for s in v.steps), default=None)


def _was_approved(version: ZoneVersion) -> bool:
    return version.effective_ns is not None and any(
        step.event is ZoneEvent.APPROVE for step in version.steps
    )


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a publication: its content's size and SHA-256, zones told and left out."""

    name: str
    size: int
    sha256: str
    zones: int
    omitted: int

    @staticmethod
    def of(name: str, data: bytes, zones: int, omitted: int) -> ListedFile:
        """The entry of a file with this content."""
        return ListedFile(name, len(data), hashlib.sha256(data).hexdigest(), zones, omitted)

    def holds(self, data: bytes) -> bool:
        """Whether this is the content that was listed."""
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a publication consists of, and of which moment of which record it is."""

    origin: str
    size: int
    root: bytes
    at_ns: int
    changed_ns: int | None
    files: tuple[ListedFile, ...]

    def text(self) -> str:
        """The text that is signed; RecordError if it would not be read back the same."""
        changed = "never" if self.changed_ns is None else format_moment(self.changed_ns)
        lines = [
            MANIFEST_TITLE,
            f"record {self.origin}",
            f"size {self.size}",
            f"root {notes.encode_base64(self.root)}",
            f"at {format_moment(self.at_ns)}",
            f"changed {changed}",
            *(f"file {f.name} {f.size} {f.sha256} {f.zones} {f.omitted}" for f in self.files),
        ]
        text = "".join(line + "\n" for line in lines)
        if parse_manifest(text) != self:
            raise RecordError("manifest: read again, it is not the same")
        return text


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """The manifest as a signed note."""
    return notes.sign(manifest.text(), [signer]).to_bytes()


def check_manifest(data: bytes, key: Verifier) -> Manifest:
    """The manifest in a note that this key signed; RecordError says what does not hold."""
    checked = notes.check(notes.parse(data), [key])
    return parse_manifest(checked.note.text)


def parse_manifest(text: str) -> Manifest:
    """A manifest from a note's text; RecordError names the line."""
    lines = text.split("\n")
    if lines.pop() or len(lines) < 6:
        raise RecordError(f"manifest: {len(lines)} lines; is it cut short?")
    if lines[0] != MANIFEST_TITLE:
        raise RecordError(f"manifest, line 1: {notes.shown(lines[0])}, not {MANIFEST_TITLE!r}")
    said = [_value(lines, i, word) for i, word in enumerate(_WORDS, start=1)]
    origin, size, root, at, changed = said
    return Manifest(
        origin,
        _count(size, "manifest, line 3 (size)"),
        notes.decode_base64(root, "manifest, line 4 (root)"),
        _moment(at, "manifest, line 5 (at)"),
        None if changed == "never" else _moment(changed, "manifest, line 6 (changed)"),
        _files(lines[6:]),
    )


_WORDS = ("record", "size", "root", "at", "changed")


def _value(lines: Sequence[str], index: int, word: str) -> str:
    name, _, value = lines[index].partition(" ")
    if name != word or not value:
        raise RecordError(f"manifest, line {index + 1}: does not say its {word}")
    return value


def _count(text: str, where: str) -> int:
    if not _COUNT.fullmatch(text):
        raise RecordError(f"{where}: {notes.shown(text)} is no decimal number")
    return int(text)


def _moment(text: str, where: str) -> int:
    try:
        return parse_moment(text, where)
    except InputError as error:
        raise RecordError(f"{where}: {error.problem}") from None


def _files(lines: Sequence[str]) -> tuple[ListedFile, ...]:
    found = []
    for number, line in enumerate(lines, start=7):
        where = f"manifest, line {number}"
        parts = line.split(" ")
        if len(parts) != 6 or parts[0] != "file" or not _NAME.fullmatch(parts[1]):
            raise RecordError(f"{where}: {notes.shown(line)} lists no file")
        if not _SHA256.fullmatch(parts[3]):
            raise RecordError(f"{where}: {notes.shown(parts[3])} is no SHA-256")
        size, zones, omitted = (_count(parts[i], where) for i in (2, 4, 5))
        found.append(ListedFile(parts[1], size, parts[3], zones, omitted))
    if len({f.name for f in found}) != len(found):
        raise RecordError("manifest: a file is listed twice")
    return tuple(found)
