"""Writes zones as ED-318, strictly: what comes out validates against the published schema.

What ED-318 has no room for goes into `extendedProperties.skykeep` (see codec/ed318.py): the
feature is built from its plain members, read back, and every field that comes back different
is put there. So `read_zones` of what is written gives the same zones.

Lengths are in metres, times of day in UTC; a window in the zone's own time zone is written
without an offset, with the time zone in the extension, since its UTC time shifts in summer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from skykeep.codec.ed318 import EXTENSION, TEXT_OVERRIDES, read_feature
from skykeep.codec.zone_parts import (
    MAX_IDENTIFIER,
    MAX_KEPT_TEXT,
    PURPOSES,
    REASONS,
    VARIANTS,
    Notes,
    require_time_zone,
)
from skykeep.codec.zone_times import EARLIEST_YEAR, LATEST_YEAR, WEEKDAYS
from skykeep.core.geo import (
    Circle,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    Volume,
)
from skykeep.core.geometry import geometry_faults
from skykeep.core.schedule import needs_clock
from skykeep.core.zone import (
    Authority,
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    Zone,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, to_datetime, to_ns

#: The schema's textShortType.
_MAX_SHORT_TEXT = 200
#: Not in the schema's list of reasons, though ED-269 had it.
_REASONS = REASONS - {"FOREIGN_TERRITORY"}
#: Stands for no country: user-assigned in ISO 3166-1, "unknown" in the Unicode CLDR.
NO_COUNTRY = "ZZZ"
_LANGUAGE = "en-GB"
_DAY_S = 86_400
_EARLIEST_NS = to_ns(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC))
_LATEST_NS = to_ns(datetime(LATEST_YEAR, 1, 1, tzinfo=UTC))

_TYPES = {
    Restriction.PROHIBITED: "PROHIBITED",
    Restriction.REQ_AUTHORISATION: "REQ_AUTHORIZATION",
    Restriction.CONDITIONAL: "CONDITIONAL",
    Restriction.NO_RESTRICTION: "NO_RESTRICTION",
}
_REFERENCES: dict[type[Height], str] = {HeightAgl: "AGL", HeightAmsl: "AMSL", HeightHae: "WGS84"}

_Json = dict[str, object]


def write_ed318(
    zones: Iterable[Zone], *, name: str = "", provider: str = "", issued_ns: int | None = None
) -> bytes:
    """An ED-318 document (UTF-8 JSON) of zones, for `read_zones` and for others.

    `name` is the collection's, `provider` who answers for it, `issued_ns` when (UTC).
    Raises InputError for what must not be published: an unreadable zone, one without volume,
    a faulty outline, an identifier used twice, a pressure altitude, an unknown time zone.
    """
    zones = tuple(zones)
    metadata: _Json = {}
    if issued_ns is not None:
        metadata["issued"] = _moment(issued_ns)
    if provider:
        metadata["provider"] = _short_text(provider)
    short = _short_identifiers(zones)
    document: _Json = {"type": "FeatureCollection"}
    if name:
        document["name"] = name[:_MAX_SHORT_TEXT]
    if metadata:
        document["metadata"] = metadata
    head = json.dumps(document, ensure_ascii=False)[:-1]
    features = ",\n".join(
        json.dumps(_feature(zone, identifier, f"zones[{i}]"), ensure_ascii=False, allow_nan=False)
        for i, (zone, identifier) in enumerate(zip(zones, short, strict=True))
    )  # a zone a line: a change of one zone is a change of one line
    return f'{head}, "features": [\n{features}\n]}}\n'.encode("utf-8", "replace")


def _short_identifiers(zones: tuple[Zone, ...]) -> list[str]:
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


def _feature(zone: Zone, identifier: str, where: str) -> _Json:
    _refuse(zone, where)
    properties: _Json = {"identifier": identifier, "country": _country(zone.country)}
    if zone.name:
        properties["name"] = _short_text(zone.name)
    properties["type"] = _TYPES[zone.restriction]
    properties["variant"] = zone.variant if zone.variant in VARIANTS else VARIANTS[0]
    if zone.conditions:
        properties["restrictionConditions"] = zone.conditions
    if zone.reasons:
        known = [reason if reason in _REASONS else "OTHER" for reason in zone.reasons]
        properties["reason"] = list(dict.fromkeys(known))
    if zone.message:
        properties["message"] = _short_text(zone.message)
    properties["zoneAuthority"] = [_authority(a) for a in zone.authorities] or [
        {"purpose": "INFORMATION"}
    ]
    if zone.periods:
        clock_is_utc = zone.time_zone == "UTC"
        properties["limitedApplicability"] = [_period(p, clock_is_utc) for p in zone.periods]
    feature: _Json = {
        "type": "Feature",
        "properties": properties,
        "geometry": _geometry(zone.volumes),
    }
    extension = _extension(zone, feature, where)
    if extension:
        properties["extendedProperties"] = {EXTENSION: extension}
    return feature


def _refuse(zone: Zone, where: str) -> None:
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
        for side, height in (("lower", volume.lower), ("upper", volume.upper)):
            if height is not None and type(height) not in _REFERENCES:
                raise InputError(
                    f"{place}.{side}",
                    "ED-318 has no pressure altitude",
                    "Give the limit above ground or above mean sea level",
                )
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


def _extension(zone: Zone, feature: _Json, where: str) -> _Json:
    """What the plain members do not say, found by reading them back."""
    extension: _Json = {}
    if zone.time_zone != "UTC":
        extension["timeZone"] = zone.time_zone
    properties = feature["properties"]
    if extension and isinstance(properties, dict):
        properties["extendedProperties"] = {EXTENSION: dict(extension)}
    notes = Notes()
    read = read_feature(feature, 0, where, notes)
    if read is None or not read.readable:
        faults = notes.findings()
        raise InputError(faults[0].where, faults[0].problem, "Mend the zone")
    for member, field in TEXT_OVERRIDES.items():
        if getattr(read, field) != getattr(zone, field):
            extension[member] = str(getattr(zone, field))[:MAX_KEPT_TEXT]
    if read.reasons != zone.reasons:
        extension["reasons"] = list(zone.reasons)
    if read.authorities != zone.authorities:
        extension["authorities"] = [asdict(authority) for authority in zone.authorities]
    if read.state != zone.state:
        extension["state"] = str(zone.state)
    if zone.emergency:
        extension["emergency"] = True
    return extension


def _country(country: str) -> str:
    return country if re.fullmatch("[A-Z]{3}", country) else NO_COUNTRY


def _short_text(words: str) -> list[_Json]:
    return [{"text": words[:_MAX_SHORT_TEXT], "lang": _LANGUAGE}]


def _authority(authority: Authority) -> _Json:
    purpose = authority.purpose if authority.purpose in PURPOSES else "INFORMATION"
    written: _Json = {"purpose": purpose}
    for member, words in (
        ("name", authority.name),
        ("service", authority.service),
        ("contactName", authority.contact),
    ):
        if words:
            written[member] = _short_text(words)
    if re.fullmatch(r"https?://[^\s<>\"{}|\\^`]+", authority.site_url, re.ASCII):
        written["siteURL"] = authority.site_url
    if re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", authority.email, re.ASCII):
        written["email"] = authority.email
    if authority.phone:
        written["phone"] = authority.phone[:_MAX_SHORT_TEXT]
    if re.fullmatch(
        r"P(\d+W|(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)",
        authority.interval_before,
        re.ASCII,
    ):
        written["intervalBefore"] = authority.interval_before
    return written


def _geometry(volumes: tuple[Volume, ...]) -> _Json:
    geometries = [_layered(volume) for volume in volumes]
    if len(geometries) == 1:
        return geometries[0]
    return {"type": "GeometryCollection", "geometries": geometries}


def _layered(volume: Volume) -> _Json:
    layer: _Json = {}
    for side, height in (("upper", volume.upper), ("lower", volume.lower)):
        if height is not None:
            layer[side] = height.m
            layer[f"{side}Reference"] = _REFERENCES[type(height)]
    area = volume.area
    if isinstance(area, Circle):
        geometry: _Json = {
            "type": "Point",
            "coordinates": [area.lon_deg, area.lat_deg],
            "extent": {"subType": "Circle", "radius": area.radius_m},
        }
    else:
        rings = [[[lon, lat] for lon, lat in ring] for ring in area.rings]
        geometry = {"type": "Polygon", "coordinates": rings}
    if layer:
        geometry["layer"] = {**layer, "uom": "m"}
    return geometry


def _period(period: Period, clock_is_utc: bool) -> _Json:
    written: _Json = {}
    if period.start_ns is not None:
        written["startDateTime"] = _moment(period.start_ns)
    if period.end_ns is not None:
        written["endDateTime"] = _moment(period.end_ns)
    if period.windows:
        written["schedule"] = [_window(window, clock_is_utc) for window in period.windows]
    return written


def _window(window: DailyPeriod, clock_is_utc: bool) -> _Json:
    every_day = len(set(window.weekdays)) == len(WEEKDAYS)
    days = ["ANY"] if every_day else [WEEKDAYS[day] for day in window.weekdays]
    written: _Json = {"day": days}
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


def _moment(at_ns: int) -> str:
    whole_s, rest_ns = divmod(at_ns, NS_PER_S)
    fraction = f".{rest_ns:09}".rstrip("0") if rest_ns else ""
    return f"{to_datetime(whole_s * NS_PER_S):%Y-%m-%dT%H:%M:%S}{fraction}Z"
