"""Writes zones as ED-318, strictly: what comes out validates against the published schema.

What ED-318 has no room for goes into `extendedProperties.skykeep` (codec/zone_extension.py): the
feature is built from its plain members, read back, and every field that comes back different
is put there. So `read_zones` of what is written gives the same zones.

Lengths are in metres, times of day in UTC; a window in the zone's own time zone is written
without an offset, with the time zone in the extension, since its UTC time shifts in summer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from skykeep.codec.ed318 import read_feature
from skykeep.codec.zone_extension import EXTENSION, Json, extension_of
from skykeep.codec.zone_parts import REASONS, VARIANTS
from skykeep.codec.zone_write import (
    MAX_SHORT_TEXT,
    NO_COUNTRY,
    authority_members,
    country_code,
    layered_geometry,
    moment_text,
    period_members,
    read_back,
    refuse,
    short_identifiers,
    short_text,
)
from skykeep.core.zone import Restriction, Zone

__all__ = ["NO_COUNTRY", "write_ed318"]

#: Not in the schema's list of reasons, though ED-269 had it.
_REASONS = REASONS - {"FOREIGN_TERRITORY"}

_TYPES = {
    Restriction.PROHIBITED: "PROHIBITED",
    Restriction.REQ_AUTHORISATION: "REQ_AUTHORIZATION",
    Restriction.CONDITIONAL: "CONDITIONAL",
    Restriction.NO_RESTRICTION: "NO_RESTRICTION",
}


def write_ed318(
    zones: Iterable[Zone], *, name: str = "", provider: str = "", issued_ns: int | None = None
) -> bytes:
    """An ED-318 document (UTF-8 JSON) of zones, for `read_zones` and for others.

    `name` is the collection's, `provider` who answers for it, `issued_ns` when (UTC).
    Raises InputError for what must not be published: an unreadable zone, one without volume,
    a faulty outline, an identifier used twice, an unknown time zone.
    """
    zones = tuple(zones)
    metadata: Json = {}
    if issued_ns is not None:
        metadata["issued"] = moment_text(issued_ns)
    if provider:
        metadata["provider"] = short_text(provider)
    short = short_identifiers(zones)
    document: Json = {"type": "FeatureCollection"}
    if name:
        document["name"] = name[:MAX_SHORT_TEXT]
    if metadata:
        document["metadata"] = metadata
    head = json.dumps(document, ensure_ascii=False)[:-1]
    features = ",\n".join(
        json.dumps(_feature(zone, identifier, f"zones[{i}]"), ensure_ascii=False, allow_nan=False)
        for i, (zone, identifier) in enumerate(zip(zones, short, strict=True))
    )  # a zone a line: a change of one zone is a change of one line
    return f'{head}, "features": [\n{features}\n]}}\n'.encode("utf-8", "replace")


def _feature(zone: Zone, identifier: str, where: str) -> Json:
    refuse(zone, where)
    properties: Json = {"identifier": identifier, "country": country_code(zone.country)}
    if zone.name:
        properties["name"] = short_text(zone.name)
    properties["type"] = _TYPES[zone.restriction]
    properties["variant"] = zone.variant if zone.variant in VARIANTS else VARIANTS[0]
    if zone.conditions:
        properties["restrictionConditions"] = zone.conditions
    if zone.reasons:
        known = [reason if reason in _REASONS else "OTHER" for reason in zone.reasons]
        properties["reason"] = list(dict.fromkeys(known))
    if zone.message:
        properties["message"] = short_text(zone.message)
    authorities = [authority_members(a, one_text=False) for a in zone.authorities]
    properties["zoneAuthority"] = authorities or [{"purpose": "INFORMATION"}]
    if zone.periods:
        clock_is_utc = zone.time_zone == "UTC"
        properties["limitedApplicability"] = [period_members(p, clock_is_utc) for p in zone.periods]
    feature: Json = {
        "type": "Feature",
        "properties": properties,
        "geometry": layered_geometry(zone.volumes),
    }
    extension = _extension(zone, feature, where)
    if extension:
        properties["extendedProperties"] = {EXTENSION: extension}
    return feature


def _extension(zone: Zone, feature: Json, where: str) -> Json:
    """What the plain members do not say, found by reading them back."""
    properties = feature["properties"]
    if zone.time_zone != "UTC" and isinstance(properties, dict):
        properties["extendedProperties"] = {EXTENSION: {"timeZone": zone.time_zone}}
    return extension_of(zone, read_back(feature, read_feature, where))
