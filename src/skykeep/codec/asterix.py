"""ASTERIX (EUROCONTROL-SPEC-0149, part 1, edition 3.1): data blocks, records, items.

    data block   CAT (1 octet), LEN (2 octets, with these three), records
    record       FSPEC: a bit for each field of the category's profile (UAP), in octets of seven
                 bits and one that says whether another follows; then the fields that are there

Here are the profiles of what Skykeep reads: CAT 021 edition 2.6 (ADS-B), 034 edition 1.29 and 048
edition 1.32 (radar), 062 edition 1.20 (system tracks). Each item is measured, so that the next
record is found; what the items mean is in `asterix_radar`, `asterix_adsb` and `asterix_tracks`.
An item's number is its key: 40 is I048/040; `EXPANSION` and `SPECIAL` are the two without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

#: Keys of the reserved expansion field and the special purpose field.
EXPANSION, SPECIAL = 1_001, 1_002
#: More octets of FSPEC than the longest profile (CAT 021, 49 fields) fills make no sense.
MAX_FSPEC_BYTES = 7
#: Different FSPECs remembered; an honest radar sends some dozens.
_MAX_PLANS = 1_024
TICKS_PER_S = 128
TICKS_PER_DAY = 86_400 * TICKS_PER_S
_DAY_NS = 86_400 * NS_PER_S
_TICK_NS = NS_PER_S // TICKS_PER_S
#: ICAO Annex 10 vol. III, 3.1.2.9.1.2, table 3-9: six-bit characters.
CHARACTERS = "?ABCDEFGHIJKLMNOPQRSTUVWXYZ????? ???????????????0123456789??????"
HEAD_BYTES = 3

#: The octet after an item that begins at `at`; beyond the data where the item is cut short.
_Skip = Callable[[bytes, int], int]


class Record(NamedTuple):
    """One record: its category, its items by their numbers, its bytes, where it begins."""

    category: int
    items: Mapping[int, bytes]
    raw: bytes
    offset: int


@dataclass(frozen=True, slots=True)
class _Field:
    item: int
    size: int
    skip: _Skip | None


def _variable(part: int = 1) -> _Skip:
    def skip(data: bytes, at: int) -> int:
        while (at := at + part) <= len(data):
            if not data[at - 1] & 1:
                return at
        return at

    return skip


def _repeated(part: int) -> _Skip:
    return lambda data, at: at + 1 + part * data[at] if at < len(data) else at + 1


def _explicit(data: bytes, at: int) -> int:
    """A length that counts itself; 0 cannot be."""
    return at + data[at] if at < len(data) and data[at] else len(data) + 1


def _compound(*parts: int | _Skip | None) -> _Skip:
    def skip(data: bytes, at: int) -> int:
        found = subfields(data, at, parts)
        return len(data) + 1 if found is None else found[1]

    return skip


def subfields(
    data: bytes, at: int, parts: tuple[int | _Skip | None, ...]
) -> tuple[dict[int, bytes], int] | None:
    """A compound item's subfields by their numbers (from 1) and where it ends; None: broken.

    `parts` are their sizes, or how each is measured; None for a spare one.
    """
    numbers, number = [], 0
    while True:
        if at >= len(data):
            return None
        octet = data[at]
        at += 1
        numbers += [number + k for k in range(1, 8) if octet & (0x100 >> k)]
        number += 7
        if not octet & 1:
            break
    found = {}
    for number in numbers:
        part = parts[number - 1] if number <= len(parts) else None
        if part is None:
            return None
        end = at + part if isinstance(part, int) else part(data, at)
        if end > len(data):
            return None
        found[number] = data[at:end]
        at = end
    return found, at


_TRENDS = _repeated(15)
#: Subfields of I062/380, aircraft derived data, and of I062/500, estimated accuracies.
DERIVED = (
    3, 6, 2, 2, 2, 2, 2, _variable(), _TRENDS, 2, 2, 7, 2, 2, 2, 2, 2, 2, 1, 8, 1, 6, 2, 1,
    _repeated(8), 2, 2, 2,
)  # fmt: skip
ACCURACIES = (4, 2, 4, 1, 1, 2, 2, 1)
#: Subfields of I034/050, system configuration and status.
STATUS = (1, None, None, 1, 1, 2)

_PLAN = (2, 7, 4, 1, 4, 1, 4, 4, 3, 2, 2, _repeated(4), 6, 1, 7, 7, 2, 7)
_PROFILES: dict[int, tuple[tuple[int, int | _Skip] | None, ...]] = {
    21: (
        (10, 2), (40, _variable()), (161, 2), (15, 1), (71, 3), (130, 6), (131, 8),
        (72, 3), (150, 2), (151, 2), (80, 3), (73, 3), (74, 4), (75, 3),
        (76, 4), (140, 2), (90, _variable()), (210, 1), (70, 2), (230, 2), (145, 2),
        (152, 2), (200, 1), (155, 2), (157, 2), (160, 4), (165, 2), (77, 3),
        (170, 6), (20, 1), (220, _compound(2, 2, 2, 1)), (146, 2), (148, 2),
        (110, _compound(_variable(), _TRENDS)), (16, 1),
        (8, 1), (271, _variable()), (132, 1), (250, _repeated(8)), (260, 7), (400, 1),
        (295, _compound(*(1,) * 23)),
        None, None, None, None, None, (EXPANSION, _explicit), (SPECIAL, _explicit),
    ),
    34: (
        (10, 2), (0, 1), (30, 3), (20, 1), (41, 2), (50, _compound(*STATUS)),
        (60, _compound(1, None, None, 1, 1, 1)),
        (70, _repeated(2)), (100, 8), (110, 1), (120, 8), (90, 2),
        (EXPANSION, _explicit), (SPECIAL, _explicit),
    ),
    48: (
        (10, 2), (140, 3), (20, _variable()), (40, 4), (70, 2), (90, 2),
        (130, _compound(*(1,) * 7)),
        (220, 3), (240, 6), (250, _repeated(8)), (161, 2), (42, 4), (200, 4), (170, _variable()),
        (210, 4), (30, _variable()), (80, 2), (100, 4), (110, 2),
        (120, _compound(2, _repeated(6))), (230, 2),
        (260, 7), (55, 1), (50, 2), (65, 1), (60, 2), (SPECIAL, _explicit),
        (EXPANSION, _explicit),
    ),
    62: (
        (10, 2), None, (15, 1), (70, 3), (105, 8), (100, 6), (185, 4),
        (210, 2), (60, 2), (245, 7), (380, _compound(*DERIVED)), (40, 2), (80, _variable()),
        (290, _compound(1, 1, 1, 1, 2, 1, 1, 1, 1, 1)),
        (200, 1), (295, _compound(*(1,) * 31)), (136, 2), (130, 2), (135, 2), (220, 2),
        (390, _compound(*_PLAN)),
        (270, _variable()), (300, 1), (110, _compound(1, 4, 6, 2, 2, 1, 1)), (120, 2),
        (510, _variable(3)), (500, _compound(*ACCURACIES)),
        (340, _compound(2, 4, 2, 2, 2, 1)),
        None, None, None, None, None, (EXPANSION, _explicit), (SPECIAL, _explicit),
    ),
}  # fmt: skip
CATEGORIES = frozenset(_PROFILES)


class Splitter:
    """Cuts data blocks into records; it remembers what FSPECs mean, a bounded number of them."""

    def __init__(self) -> None:
        self._plans: dict[tuple[int, bytes], tuple[tuple[int, int, _Skip | None], ...]] = {}

    def split(self, data: bytes) -> tuple[list[Record], list[Finding]]:
        """The records of a datagram in their order, and what could not be read, where.

        A broken record costs the rest of its block; a broken length the rest of the datagram.
        Categories that have no profile here are passed over.
        """
        records: list[Record] = []
        found: list[Finding] = []
        at, size = 0, len(data)
        while at < size:
            length = int.from_bytes(data[at + 1 : at + HEAD_BYTES], "big")
            end = at + length
            if length < HEAD_BYTES or end > size:
                problem = f"a length of {length} with {size - at} octets left"
                found.append(_lost(at, "block", problem, "the rest of the datagram"))
                break
            if data[at] in _PROFILES:
                try:
                    records += self._records(data[at], data, at + HEAD_BYTES, end)
                except InputError as error:
                    found.append(
                        _lost(at, f"category {data[at]}", str(error), "the rest of the block")
                    )
            at = end
        return records, found

    def _records(self, category: int, data: bytes, at: int, end: int) -> Iterator[Record]:
        block = data[:end]
        while at < end:
            begun = at
            while at < end and block[at] & 1:
                at += 1
            at += 1
            if at > end:
                raise InputError(f"octet {begun}", "an FSPEC that does not end", "Send it whole")
            fspec = block[begun:at]
            plan = self._plans.get((category, fspec)) or self._plan(category, fspec, begun)
            items = {}
            for item, size, skip in plan:
                after = at + size if skip is None else skip(block, at)
                if after > end:
                    where = f"octet {at}: {name_of(category, item)}"
                    raise InputError(where, "is cut short or broken", "Send it whole")
                items[item] = block[at:after]
                at = after
            yield Record(category, items, block[begun:at], begun)

    def _plan(
        self, category: int, fspec: bytes, begun: int
    ) -> tuple[tuple[int, int, _Skip | None], ...]:
        where = f"octet {begun}: FSPEC"
        if len(fspec) > MAX_FSPEC_BYTES:
            raise InputError(where, f"{len(fspec)} octets", f"At most {MAX_FSPEC_BYTES} make sense")
        profile, plan = _PROFILES[category], []
        for octet, bits in enumerate(fspec):
            for k in range(7):
                if not bits & (0x80 >> k):
                    continue
                number = octet * 7 + k
                field = profile[number] if number < len(profile) else None
                if field is None:
                    raise InputError(where, f"names spare field {number + 1}", "Which edition?")
                item, size = field
                plan.append((item, size, None) if isinstance(size, int) else (item, 0, size))
        if not plan:
            raise InputError(where, "names no item", "Send records that say something")
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        made = self._plans[category, fspec] = tuple(plan)
        return made


def join(category: int, records: list[Mapping[int, bytes]]) -> bytes:
    """A data block of some records' items, as they are; InputError for an item of no profile."""
    profile = _PROFILES[category]
    order = {field[0]: number for number, field in enumerate(profile) if field is not None}
    body = b""
    for items in records:
        if unknown := items.keys() - order.keys():
            problem = f"has no item {min(unknown)}"
            raise InputError(f"category {category}", problem, "Leave it out")
        numbers = sorted(order[item] for item in items)
        fspec = bytearray((numbers[-1] if numbers else 0) // 7 + 1)
        for number in numbers:
            fspec[number // 7] |= 0x80 >> number % 7
        for octet in range(len(fspec) - 1):
            fspec[octet] |= 1
        body += bytes(fspec) + b"".join(items[profile[n][0]] for n in numbers)  # type: ignore[index]
    length = HEAD_BYTES + len(body)
    if length > 0xFFFF:
        raise InputError(f"category {category}", f"{length} octets", "Make more than one block")
    return bytes([category]) + length.to_bytes(2, "big") + body


def name_of(category: int, item: int) -> str:
    """An item as the specification calls it."""
    words = {EXPANSION: "RE", SPECIAL: "SP"}.get(item, f"{item:03d}")
    return f"I{category:03d}/{words}"


def moment_of(ticks: int, receipt_ns: int) -> int:
    """When a time of day (1/128 s since midnight, UTC) was: on the day that brings it closest.

    InputError for more than a day.
    """
    if ticks >= TICKS_PER_DAY:
        raise InputError("time of day", f"{ticks / TICKS_PER_S:.1f} s", "A day has 86400")
    within_ns = receipt_ns % _DAY_NS
    at_ns = receipt_ns - within_ns + ticks * _TICK_NS
    apart_ns = at_ns - receipt_ns
    if apart_ns > _DAY_NS // 2:
        return at_ns - _DAY_NS
    return at_ns + _DAY_NS if apart_ns < -_DAY_NS // 2 else at_ns


def callsign_of(data: bytes) -> str:
    """Eight characters of six bits, without blanks around; empty where one is not assigned."""
    bits = int.from_bytes(data, "big")
    text = "".join([CHARACTERS[bits >> shift & 63] for shift in range(42, -1, -6)]).strip()
    return "" if "?" in text else text


def callsign_bytes(text: str) -> bytes:
    """The six octets of a callsign; InputError for what they cannot hold."""
    if len(text) > 8 or any(c not in CHARACTERS or c == "?" for c in text):
        raise InputError("callsign", f"cannot be {text!r}", "Up to 8 of A-Z, 0-9 and blank")
    bits = 0
    for character in text.ljust(8):
        bits = bits << 6 | CHARACTERS.index(character)
    return bits.to_bytes(6, "big")


def _lost(at: int, what: str, problem: str, lost: str) -> Finding:
    return Finding(f"octet {at}: {what}", problem, f"{lost} left out", Severity.ERROR)
