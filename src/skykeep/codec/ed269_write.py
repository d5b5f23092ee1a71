"""Writes zones as ED-269, strictly, for the many programs that read nothing newer.

ED-269 knows whole metres, times of day in UTC and no sun events. What it cannot say exactly is
written wider, so that nobody who reads only the plain members is misled: limits are rounded
outwards, a window with a sun event or in local time becomes the whole day. The exact zone
stands beside it in `extendedProperties.skykeep` (codec/zone_extension.py), found by reading the
plain members back, so that `read_zones` of what is written gives the same zones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from skykeep.codec.ed269 import read_feature
from skykeep.codec.zone_extension import EXTENSION, Json
from skykeep.codec.zone_parts import REASONS, VARIANTS
from skykeep.codec.zone_write import (
    MAX_SHORT_TEXT,
    REFERENCE_NAMES,
    authority_members,
    country_code,
    exact_extension,
    moment_text,
    outer_limits,
    period_members,
    read_back,
    refuse,
    short_identifiers,
)
from skykeep.core.geo import Circle, Volume
from skykeep.core.zone import DailyPeriod, Period, SunEvent, Zone

#: ED-269's ConditionExpressionType.
_MAX_CONDITIONS = 10_000
_REASONS = REASONS - {"DAR"}  # newer than ED-269
#: RFC 3339 has no 24:00; readers, ours too, take the day's last second for its end.
_WHOLE_DAY: Json = {"startTime": "00:00:00Z", "endTime": "23:59:59Z"}


def write_ed269(zones: Iterable[Zone], *, title: str = "", description: str = "") -> bytes:
    """An ED-269 document (UTF-8 JSON) of zones, for `read_zones` and for others.

    Raises InputError for what must not be published: an unreadable zone, one without volume,
    a faulty outline, an identifier used twice, an unknown time zone.
    """
    zones = tuple(zones)
    short = short_identifiers(zones)
    document: Json = {"title": title[:MAX_SHORT_TEXT], "description": description[:MAX_SHORT_TEXT]}
    head = json.dumps(document, ensure_ascii=False)[:-1]
    features = ",\n".join(
        json.dumps(_feature(zone, identifier, f"zones[{i}]"), ensure_ascii=False, allow_nan=False)
        for i, (zone, identifier) in enumerate(zip(zones, short, strict=True))
    )  # a zone a line: a change of one zone is a change of one line
    return f'{head}, "features": [\n{features}\n]}}\n'.encode("utf-8", "replace")


def _feature(zone: Zone, identifier: str, where: str) -> Json:
    refuse(zone, where)
    feature: Json = {"identifier": identifier, "country": country_code(zone.country)}
    if zone.name:
        feature["name"] = zone.name[:MAX_SHORT_TEXT]
    feature["type"] = zone.variant if zone.variant in VARIANTS else VARIANTS[0]
    feature["restriction"] = str(zone.restriction)
    if zone.conditions:
        feature["restrictionConditions"] = [zone.conditions[:_MAX_CONDITIONS]]
    if zone.reasons:
        known = [reason if reason in _REASONS else "OTHER" for reason in zone.reasons]
        feature["reason"] = list(dict.fromkeys(known))
    if zone.message:
        feature["message"] = zone.message[:MAX_SHORT_TEXT]
    authorities = [authority_members(a, one_text=True) for a in zone.authorities]
    feature["zoneAuthority"] = authorities or [{"purpose": "INFORMATION"}]
    feature["applicability"] = [_period(p) for p in zone.periods] or [{"permanent": "YES"}]
    feature["geometry"] = [_volume(volume) for volume in zone.volumes]
    extension = exact_extension(zone, feature, read_feature, where)
    if extension:
        feature["extendedProperties"] = {EXTENSION: extension}
        read_back(feature, read_feature, where)
    return feature


def _volume(volume: Volume) -> Json:
    bounds = outer_limits(volume)
    written: Json = {"uomDimensions": "M"}
    if bounds.lower is not None:
        written["lowerLimit"] = math.floor(bounds.lower.m)
        written["lowerVerticalReference"] = REFERENCE_NAMES[type(bounds.lower)]
    if bounds.upper is not None:
        written["upperLimit"] = math.ceil(bounds.upper.m)
        written["upperVerticalReference"] = REFERENCE_NAMES[type(bounds.upper)]
    area = volume.area
    if isinstance(area, Circle):
        written["horizontalProjection"] = {
            "type": "Circle",
            "center": [area.lon_deg, area.lat_deg],
            "radius": area.radius_m,
        }
    else:
        rings = [[[lon, lat] for lon, lat in ring] for ring in area.rings]
        written["horizontalProjection"] = {"type": "Polygon", "coordinates": rings}
    return written


def _period(period: Period) -> Json:
    is_permanent = period.end_ns is None and period.start_ns is None
    written: Json = {"permanent": "YES" if is_permanent else "NO"}
    if period.start_ns is not None:
        written["startDateTime"] = moment_text(period.start_ns)
    if period.end_ns is not None:
        written["endDateTime"] = moment_text(period.end_ns)
    if period.windows:
        written["schedule"] = [_window(window) for window in period.windows]
    return written


def _window(window: DailyPeriod) -> Json:
    plain = period_members(Period(windows=(window,)), clock_is_utc=True)["schedule"]
    daily: Json = plain[0] if isinstance(plain, list) else {}
    in_utc = all(
        not isinstance(moment, SunEvent) and moment.utc for moment in (window.start, window.end)
    )
    if in_utc and "startTime" in daily:
        return daily
    if in_utc:
        return {**daily, **_WHOLE_DAY}
    # Local time and sun run over a UTC day's border: every day, all day, holds them all.
    return {"day": ["ANY"], **_WHOLE_DAY}
