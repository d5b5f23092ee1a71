"""Height limits as zone documents write them: a number with a unit and a reference, or words.

120 with M and AGL          ED-269, ED-318 and the GeoJSON made from them
99999, null, nothing        no limit; ED-269 of some countries writes the number
UNL, GND, SFC               no limit; the ground
FL 95                       a flight level: 9,500 ft in the standard atmosphere
2500 ft MSL, 300M AGL       OpenAir and the descriptions in KML
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_parts import Notes
from skykeep.core.geo import Height, HeightAgl, HeightAmsl, HeightHae, HeightPressure
from skykeep.units import METRES_PER_FOOT

#: Written for "no ceiling" in some countries' ED-269, in whatever unit.
NO_CEILING = 99_999.0
#: Nothing that flies under these rules is lower: the Dead Sea's shore lies at -440 m.
LOWEST_LIMIT_M = -1_000.0
#: The highest flight level of ICAO Annex 2, appendix 3; a higher number is no level.
HIGHEST_FLIGHT_LEVEL = 660.0

SIDES = ("lower", "upper")
#: How a finding ends that OpenAir, where limits are always words, leaves out.
IN_WORDS = "is written in words"

_UNLIMITED = frozenset({"UNL", "UNLIM", "UNLIMITED", "UNLTD", "NO LIMIT", "NONE"})
_GROUND = frozenset({"GND", "SFC", "GROUND", "SURFACE", "0 SFC", "0 GND"})
_UNITS = {
    **dict.fromkeys(("M", "MT", "MTS", "METER", "METERS", "METRE", "METRES"), 1.0),
    **dict.fromkeys(("FT", "F", "FEET", "FOOT"), METRES_PER_FOOT),
}
_NUMBERED = type[HeightAgl] | type[HeightAmsl] | type[HeightHae]
_REFERENCES: dict[str, _NUMBERED] = {
    **dict.fromkeys(("AGL", "SFC", "GND", "ASFC", "HEI"), HeightAgl),
    **dict.fromkeys(("AMSL", "MSL", "ASL", "ALT"), HeightAmsl),
    **dict.fromkeys(("WGS84", "WGS-84", "HAE", "W84"), HeightHae),
}
_STANDARD_REFERENCES = ("AGL", "AMSL", "WGS84")
_NUMBERED_TYPES = (HeightAgl, HeightAmsl, HeightHae)
_LEVEL_REFERENCES = frozenset({"FL", "STD"})

_LEVEL = re.compile(r"FL ?(\d{1,3})", re.ASCII)
_WORDS = re.compile(
    r"(?:(?P<before>[A-Z][A-Z84-]*) )??(?P<number>[+-]?\d{1,9}(?:\.\d{1,9})?)"
    rf" ?(?P<unit>{'|'.join(sorted(_UNITS, reverse=True))})?\.?"
    rf" ?(?P<after>{'|'.join(sorted(_REFERENCES, reverse=True))})?",
    re.ASCII,
)

_NUMBER_MEND = "Write a number of metres or feet above the reference"
_REFERENCE_MEND = "Write AGL, AMSL or WGS84"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a limit and its reference stand."""

    limit: str
    reference: str


def read_number(value: object, where: str, what: str, notes: Notes) -> float | None:
    """A finite number, also one that is written as a text; None with an error for others."""
    mend = f"Write {what} as a number"
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            notes.error(where, f"{what} {shown(value)} is no number", mend=mend)
            return None
        if math.isfinite(number):
            notes.warn(where, f"{what} is a text", f"the number {number:g}", mend)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        notes.error(where, f"{what} is {shown(value)}, not a number", mend=mend)
        return None
    if not math.isfinite(number):
        notes.error(where, f"{what} is not a finite number", mend=mend)
        return None
    return number


def read_unit(value: object, where: str, notes: Notes, needed: bool) -> float:
    """Metres in the unit of a zone's dimensions; a missing one is metres."""
    if value is None:
        if needed:
            notes.warn(where, "the unit is missing", "metres", "Write M or FT")
        return 1.0
    words = value.strip().upper() if isinstance(value, str) else ""
    unit = _UNITS.get(words)
    if unit is None:
        notes.error(where, f"{shown(value)} is neither metres nor feet", mend="Write M or FT")
        return 1.0
    if words not in ("M", "FT"):
        notes.note(where, f"the format does not spell the unit {words}", words[:1])
    return unit


def read_limits(
    found: Mapping[str, tuple[object, object]],
    places: Mapping[str, tuple[str, str]],
    metres: float | Mapping[str, float],
    notes: Notes,
) -> tuple[Height | None, Height | None]:
    """Lower and upper limit of a volume; None where there is none.

    `found` has (limit, reference) for "lower" and "upper", `places` their JSON paths;
    `metres` is the unit's length, or that of each side.
    """
    before = notes.errors
    limits = {}
    for side in SIDES:
        length = metres if isinstance(metres, float) else metres[side]
        value, reference = found[side]
        place = Place(*places[side])
        limits[side] = _read_limit(side, value, reference, place, length, notes)
    lower, upper = limits["lower"], limits["upper"]
    if notes.errors > before or upper is None:
        return lower, upper
    mend = "Write an upper limit above the lower one"
    if lower is not None and type(lower) is type(upper) and lower.m >= upper.m:
        problem = f"the upper limit {upper.m:g} m is not above the lower limit {lower.m:g} m"
        notes.error(places["upper"][0], problem, mend=mend)
    elif isinstance(upper, HeightAgl) and upper.m <= 0.0:
        notes.error(places["upper"][0], "nothing flies below this upper limit", mend=mend)
    return lower, upper


def _read_limit(
    side: str,
    value: object,
    reference: object,
    place: Place,
    metres: float,
    notes: Notes,
) -> Height | None:
    if value is None or value == "":
        notes.note(place.limit, f"there is no {side} limit", f"no {side} limit")
        return None
    if isinstance(value, str):
        words = " ".join(value.upper().replace(",", "").split())
        if words in _UNLIMITED and side == "upper":
            notes.note(place.limit, f"the upper limit is {words}", "no upper limit")
            return None
        if words in _GROUND:
            notes.note(place.limit, f"the {side} limit is {words}", "0 m above ground")
            return HeightAgl(0.0)
        level = _LEVEL.fullmatch(words)
        if level:
            return _flight_level(side, float(level[1]), place.limit, notes)
        match = _WORDS.fullmatch(words[:100])
        if match and (match["unit"] or match["before"] or match["after"]):
            return _from_words(side, match, reference, place, metres, notes)
    number = read_number(value, place.limit, f"the {side} limit", notes)
    if number is None:
        return None
    return _from_number(side, number, reference, place, metres, notes)


def _from_words(
    side: str,
    match: re.Match[str],
    reference: object,
    place: Place,
    metres: float,
    notes: Notes,
) -> Height | None:
    """A limit such as "2500 FT MSL": the words hold before the members beside them."""
    if match["unit"]:
        metres = _UNITS[match["unit"]]
    own = match["after"] or match["before"]
    if own:
        known = _REFERENCES.get(own)
        reference = own if known is None else _STANDARD_REFERENCES[_NUMBERED_TYPES.index(known)]
        place = Place(place.limit, place.limit)
    number = float(match["number"])
    notes.note(place.limit, f"the {side} limit {IN_WORDS}", match[0])
    return _from_number(side, number, reference, place, metres, notes)


def _from_number(
    side: str,
    number: float,
    reference: object,
    place: Place,
    metres: float,
    notes: Notes,
) -> Height | None:
    if number >= NO_CEILING:
        if side == "upper":
            problem = f"the upper limit {number:g} stands for no ceiling"
            notes.warn(place.limit, problem, "no upper limit", "Leave the upper limit out")
            return None
        problem = f"the lower limit {number:g} is beyond all flight"
        notes.error(place.limit, problem, mend=_NUMBER_MEND)
        return None
    if number * metres < LOWEST_LIMIT_M:
        problem = f"the {side} limit {number:g} is below all land"
        notes.error(place.limit, problem, mend=_NUMBER_MEND)
        return None
    words = reference.strip().upper() if isinstance(reference, str) else ""
    if words in _LEVEL_REFERENCES:
        return _flight_level(side, number, place.limit, notes)
    height = _reference(reference, number, place.reference, notes)
    return None if height is None else height(number * metres)


def _flight_level(side: str, level: float, where: str, notes: Notes) -> Height | None:
    if not 0.0 <= level <= HIGHEST_FLIGHT_LEVEL:
        mend = f"Write a flight level of 0 to {HIGHEST_FLIGHT_LEVEL:g}, or feet AMSL"
        notes.error(where, f"{level:g} is no flight level", mend=mend)
        return None
    notes.warn(
        where,
        f"the {side} limit is a flight level, which moves with the air pressure",
        f"{level * 100:g} ft in the standard atmosphere",
        "Write a height above mean sea level",
    )
    return HeightPressure(level * 100.0 * METRES_PER_FOOT)


def _reference(value: object, number: float, where: str, notes: Notes) -> _NUMBERED | None:
    words = value.strip().upper() if isinstance(value, str) else ""
    found = _REFERENCES.get(words)
    if found is None and value is None and number == 0.0:
        notes.warn(where, "the limit 0 has no reference", "AGL", _REFERENCE_MEND)
        return HeightAgl
    if found is None:
        notes.error(where, f"{shown(value)} is no reference of heights", mend=_REFERENCE_MEND)
    elif value not in _STANDARD_REFERENCES:
        notes.note(where, f"{shown(value)} is not written as the formats have it", found.__name__)
    return found
