"""A proposition: one checkable sentence with a place, a span of time and a predicate.

Several statements may share one. Why somebody flew, who ordered it and who is guilty is said by
people and measured by nothing: such sentences can be written down and are never measurable.
"""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass

from skykeep.errors import InputError
from skykeep.units import TrackId

#: A sentence that takes longer says more than one thing.
LONGEST_WORDS = 300
LARGEST_RADIUS_M = 1_000_000.0
#: An end of a sentence that another one follows.
_NEXT_SENTENCE = re.compile(r"[.!?;]\s+\S")


class Predicate(enum.StrEnum):
    """What a proposition says."""

    PRESENT = "present"
    AT_TIME = "at_time"
    HOW_MANY = "how_many"
    CAME_FROM = "came_from"
    BROUGHT_DOWN = "brought_down_by"
    FELL_AT = "fell_at"
    PERMITTED = "permitted"
    CAUSED_HARM = "caused_harm"
    WARNED = "warned"
    MOTIVE = "motive"
    ORDER = "order"
    GUILT = "guilt"


#: No sensor measures what people meant, ordered or are to blame for.
NEVER_MEASURABLE = frozenset({Predicate.MOTIVE, Predicate.ORDER, Predicate.GUILT})


@dataclass(frozen=True, slots=True)
class Place:
    """A circle on the ground (WGS84), and what it is called."""

    lat_deg: float
    lon_deg: float
    radius_m: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Sector:
    """Directions from a place, clockwise from true north from one to the other."""

    from_deg: float
    to_deg: float


@dataclass(frozen=True, slots=True)
class Proposition:
    """One checkable sentence.

    `from_ns` until before `to_ns` is its time. `negated`: it says that the predicate does not
    hold. `origin`, a circle, or `sector`, directions, belongs to CAME_FROM; `least` and
    `most`, how many, to HOW_MANY (`most` None: or more).
    """

    proposition_id: str
    words: str
    predicate: Predicate
    place: Place
    from_ns: int
    to_ns: int
    negated: bool = False
    origin: Place | None = None
    sector: Sector | None = None
    least: int = 1
    most: int | None = None

    @property
    def measurable(self) -> bool:
        """Whether any record could ever speak for or against it."""
        return self.predicate not in NEVER_MEASURABLE


class Outcome(enum.StrEnum):
    """What the record says of a proposition."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_MEASURED = "not_measured"


class Why(enum.StrEnum):
    """Why a proposition is not measured."""

    NO_COVERAGE = "no_coverage"
    OUTAGE = "outage"
    BELOW_THRESHOLD = "below_threshold"
    SENSORS_DISAGREE = "sensors_disagree"
    NOT_MEASURABLE = "not_measurable"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the record says of a proposition, in words, with the tracks and the coverage.

    `probability`: of an absence, that a drone would have been seen; of a place, the share of a
    region in it; None where no such number carries the finding.
    """

    proposition_id: str
    outcome: Outcome
    why: Why | None
    words: str
    tracks: tuple[TrackId, ...] = ()
    coverage: tuple[str, ...] = ()
    probability: float | None = None


def check(p: Proposition) -> Proposition:
    """The proposition, if it is one; InputError names what is not."""
    _need(bool(p.proposition_id), "proposition_id", "is empty", "Give it a name")
    _need(bool(p.words.strip()), "words", "is empty", "Write one checkable sentence")
    _need(len(p.words) <= LONGEST_WORDS, "words", f"has over {LONGEST_WORDS} letters", "Shorten it")
    _need(
        _NEXT_SENTENCE.search(p.words) is None, "words", "is more than one sentence",
        "Make a proposition of each",
    )  # fmt: skip
    _need(p.from_ns < p.to_ns, "from", "is not before `to`", "Give a span of time")
    _check_place(p.place, "place")
    came_from = p.predicate is Predicate.CAME_FROM
    given = (p.origin is not None) + (p.sector is not None)
    _need(given == came_from, "origin", "or `sector` belongs to came_from, and there only",
          "Say where from in one way, or leave it out")  # fmt: skip
    if p.origin is not None:
        _check_place(p.origin, "origin")
    if p.sector is not None:
        ends = (p.sector.from_deg, p.sector.to_deg)
        _need(all(0.0 <= e <= 360.0 for e in ends), "sector", "is no direction", "0 to 360 degrees")
    _need(p.least >= 0 and (p.most is None or p.most >= p.least), "least", "is above `most`",
          "Give a number or a range")  # fmt: skip
    return p


def _check_place(place: Place, where: str) -> None:
    numbers = (place.lat_deg, place.lon_deg, place.radius_m)
    _need(all(math.isfinite(n) for n in numbers), where, "is no place", "Give finite numbers")
    _need(abs(place.lat_deg) <= 90.0, f"{where}.lat_deg", "is no latitude", "-90 to 90 degrees")
    _need(abs(place.lon_deg) <= 180.0, f"{where}.lon_deg", "is no longitude", "-180 to 180 degrees")
    _need(
        0.0 < place.radius_m <= LARGEST_RADIUS_M, f"{where}.radius_m", "is no radius",
        f"More than 0, up to {LARGEST_RADIUS_M:g} m",
    )  # fmt: skip


def _need(holds: bool, where: str, problem: str, mend: str) -> None:
    if not holds:
        raise InputError(f"proposition.{where}", problem, mend)
