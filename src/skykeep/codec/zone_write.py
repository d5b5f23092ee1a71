"""What every writer of zones needs: short identifiers, what is refused, ED-318's parts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime

from skykeep.codec.zone_extension import Json, extension_of
from skykeep.codec.zone_parts import MAX_IDENTIFIER, PURPOSES, Notes, require_time_zone
from skykeep.codec.zone_times import EARLIEST_YEAR, LATEST_YEAR, WEEKDAYS
from skykeep.core.event import Severity
from skykeep.core.geo import (
    Circle,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    HeightReference,
    Volume,
    height_span,
)
from skykeep.core.geometry import geometry_faults
from skykeep.core.schedule import needs_clock
from skykeep.core.zone import Authority, DailyPeriod, Period, SunEvent, TimeOfDay, Zone
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, to_datetime, to_ns

#: ED-318's textShortType; ED-269's texts are no longer.
MAX_SHORT_TEXT = 200
#: Stands for no country: user-assigned in ISO 3166-1, "unknown" in the Unicode CLDR.
NO_COUNTRY = "ZZZ"
_LANGUAGE = "en-GB"
_DAY_S = 86_400
_EARLIEST_NS = to_ns(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC))
_LATEST_NS = to_ns(datetime(LATEST_YEAR, 1, 1, tzinfo=UTC))
REFERENCE_NAMES: dict[type[Height], str] = {
    HeightAgl: "AGL",
    HeightAmsl: "AMSL",
    HeightHae: "WGS84",
}

FeatureReader = Callable[[object, int, str, Notes], Zone]


def short_identifiers(zones: tuple[Zone, ...]) -> list[str]:
    """Identifiers of at most seven characters: a zone's own, or one made from a digest of it."""
    own = [str(zone.zone_id) for zone in zones]
    taken: set[str] = set()
    for i, identifier in enumerate(own):
        if not identifier or identifier in taken:
            raise InputError(
                f"zones[{i}].zone_id",
                f"the identifier {identifier!r} is empty or used twice",
                "Give every zone an identifier of its own",
            )
        taken.add(identifier)
    short = []
    for identifier in own:
        brief, attempt = identifier, 0
        while len(brief) > MAX_IDENTIFIER or (attempt and brief in taken):
            digest = hashlib.sha256(f"{identifier}/{attempt}".encode("utf-8", "replace")).digest()
            brief, attempt = base64.b32encode(digest).decode("ascii")[:MAX_IDENTIFIER], attempt + 1
        taken.add(brief)
        short.append(brief)
    return short


def refuse(zone: Zone, where: str) -> None:
    """Raise InputError for a zone that must not be published."""
    if not zone.readable:
        raise InputError(where, f"zone {zone.zone_id} could not be read", "Mend its source first")
    if not zone.volumes:
        raise InputError(f"{where}.volumes", "the zone has no volume", "Give it an area")
    if needs_clock(zone.periods) or zone.time_zone != "UTC":
        require_time_zone(zone.time_zone, f"{where}.time_zone")
    for i, volume in enumerate(zone.volumes):
        place = f"{where}.volumes[{i}]"
        for suffix, problem in geometry_faults(volume.area)[:1]:
            raise InputError(f"{place}.area{suffix}", problem, "Draw the area anew")
    for i, period in enumerate(zone.periods):
        for name, at_ns in (("start_ns", period.start_ns), ("end_ns", period.end_ns)):
            if at_ns is not None and not _is_moment(at_ns):
                raise InputError(
                    f"{where}.periods[{i}].{name}",
                    f"the time is outside {EARLIEST_YEAR} to {LATEST_YEAR}",
                    "Give a time in UTC nanoseconds, or none",
                )


def _is_moment(at_ns: int) -> bool:
    return _EARLIEST_NS <= at_ns < _LATEST_NS


def country_code(country: str) -> str:
    """A code of three letters; one that stands for none if there is none."""
    return country if re.fullmatch("[A-Z]{3}", country) else NO_COUNTRY


def short_text(words: str) -> list[Json]:
    """A text in ED-318's form, cut to what it allows."""
    return [{"text": words[:MAX_SHORT_TEXT], "lang": _LANGUAGE}]


def authority_members(authority: Authority, one_text: bool) -> Json:
    """One zoneAuthority; its texts bare (ED-269) or in languages (ED-318)."""
    purpose = authority.purpose if authority.purpose in PURPOSES else "INFORMATION"
    written: Json = {"purpose": purpose}
    for member, words in (
        ("name", authority.name),
        ("service", authority.service),
        ("contactName", authority.contact),
    ):
        if words:
            written[member] = words[:MAX_SHORT_TEXT] if one_text else short_text(words)
    if re.fullmatch(r"https?://[^\s<>\"{}|\\^`]+", authority.site_url, re.ASCII):
        written["siteURL"] = authority.site_url
    if re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", authority.email, re.ASCII):
        written["email"] = authority.email
    if authority.phone:
        written["phone"] = authority.phone[:MAX_SHORT_TEXT]
    if re.fullmatch(
        r"P(\d+W|(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)",
        authority.interval_before,
        re.ASCII,
    ):
        written["intervalBefore"] = authority.interval_before
    return written


def layered_geometry(volumes: tuple[Volume, ...]) -> Json:
    """Volumes as ED-318 has them: an area with its layer, or a collection of such."""
    geometries = [_layered(volume) for volume in volumes]
    if len(geometries) == 1:
        return geometries[0]
    return {"type": "GeometryCollection", "geometries": geometries}


def _layered(volume: Volume) -> Json:
    layer: Json = {}
    bounds = outer_limits(volume)
    for side, height in (("upper", bounds.upper), ("lower", bounds.lower)):
        if height is not None:
            layer[side] = height.m
            layer[f"{side}Reference"] = REFERENCE_NAMES[type(height)]
    area = volume.area
    if isinstance(area, Circle):
        geometry: Json = {
            "type": "Point",
            "coordinates": [area.lon_deg, area.lat_deg],
            "extent": {"subType": "Circle", "radius": area.radius_m},
        }
    else:
        rings = [[[lon, lat] for lon, lat in ring] for ring in area.rings]
        geometry = {"type": "Polygon", "coordinates": rings}
    geometry["layer"] = {**layer, "uom": "m"}
    return geometry


def outer_limits(volume: Volume) -> Volume:
    """The volume with flight levels as heights above mean sea level, at their outermost.

    The formats know no pressure altitude. How far one can lie from its height on a day of
    extreme pressure is said in core/geo.py: the volume grows, so that nobody is misled.
    """
    lower, upper = volume.lower, volume.upper
    if isinstance(lower, HeightPressure):
        span = height_span(lower, 0.0, HeightReference.AMSL, None)
        lower = None if span is None else HeightAmsl(span.low_m)
    if isinstance(upper, HeightPressure):
        span = height_span(upper, 0.0, HeightReference.AMSL, None)
        upper = None if span is None else HeightAmsl(span.high_m)
    return Volume(volume.area, lower, upper)


def period_members(period: Period, clock_is_utc: bool) -> Json:
    """One limitedApplicability of ED-318."""
    written: Json = {}
    if period.start_ns is not None:
        written["startDateTime"] = moment_text(period.start_ns)
    if period.end_ns is not None:
        written["endDateTime"] = moment_text(period.end_ns)
    if period.windows:
        written["schedule"] = [_window(window, clock_is_utc) for window in period.windows]
    return written


def _window(window: DailyPeriod, clock_is_utc: bool) -> Json:
    every_day = len(set(window.weekdays)) == len(WEEKDAYS)
    days = ["ANY"] if every_day else [WEEKDAYS[day] for day in window.weekdays]
    written: Json = {"day": days}
    start, end = window.start, window.end
    native = TimeOfDay(0, clock_is_utc), TimeOfDay(_DAY_S, clock_is_utc)
    if (start, end) == native:
        return written  # a day without times is a whole day
    for name, moment in (("start", start), ("end", end)):
        if isinstance(moment, SunEvent):
            written[f"{name}Event"] = str(moment)
        else:
            written[f"{name}Time"] = _time(moment, clock_is_utc)
    return written


def _time(moment: TimeOfDay, clock_is_utc: bool) -> str:
    seconds = moment.seconds % _DAY_S
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return clock + ("Z" if moment.utc or clock_is_utc else "")


def moment_text(at_ns: int) -> str:
    """UTC nanoseconds in RFC 3339."""
    whole_s, rest_ns = divmod(at_ns, NS_PER_S)
    fraction = f".{rest_ns:09}".rstrip("0") if rest_ns else ""
    return f"{to_datetime(whole_s * NS_PER_S):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def read_back(feature: Json, read: FeatureReader, where: str) -> Zone:
    """The zone that others will read; InputError where they could not."""
    notes = Notes()
    zone = read(feature, 0, where, notes)
    if not zone.readable:
        fault = next(f for f in notes.findings() if f.severity is Severity.ERROR)
        raise InputError(fault.where, fault.problem, fault.mend)
    return zone


def exact_extension(zone: Zone, feature: Json, read: FeatureReader, where: str) -> Json:
    """All that a feature's plain members do not say of its zone, found by reading them back."""
    found = read_back(feature, read, where)
    extension = extension_of(zone, found)
    if found.volumes != zone.volumes:
        extension["geometry"] = layered_geometry(zone.volumes)
    else:
        extension.pop("pressureLimits", None)
    if found.periods != zone.periods:
        is_utc = zone.time_zone == "UTC"
        extension["limitedApplicability"] = [period_members(p, is_utc) for p in zone.periods]
    return extension
