"""The GeoJSON in which national zones are passed on: ED-269 members, flattened into properties.

Two dialects are in use and may be mixed; neither is a standard:

    one (Luxembourg)                    other (Finland)
      id, name, type, restriction         identifier, name, type, restriction, country
      reasons[]                           reason[]
      lowerLimit, upperLimit, unit        lowerLimit, upperLimit, uomDimensions
      lowerReference, upperReference      lowerVerticalReference, upperVerticalReference
      authority                           zoneAuthority[]; authorityName, authorityEmail ...
      no times                            applicability[]

The geometry is a Polygon or MultiPolygon; circles come as polygons of 96 corners.
"""

from __future__ import annotations

from skykeep.codec.ed269 import one_text, read_authorities
from skykeep.codec.json_doc import shown
from skykeep.codec.zone_parts import (
    Notes,
    as_object,
    authority_id_of,
    read_conditions,
    read_country,
    read_identifier,
    read_purpose,
    read_reasons,
    read_restriction,
    read_variant,
)
from skykeep.codec.zone_shapes import read_areas, read_limits, read_unit
from skykeep.codec.zone_times import read_periods
from skykeep.core.geo import Volume
from skykeep.core.zone import Authority, Zone
from skykeep.units import ZoneId

_FLAT_AUTHORITY = ("authorityName", "authorityService", "authorityEmail", "authorityPhone")


def _named(found: dict[str, object], *names: str) -> str:
    """Which of several names of the same member is used; the first if none is."""
    return next((name for name in names if found.get(name) is not None), names[0])


def _read_volumes(
    geometry: object, found: dict[str, object], where: str, place: str, notes: Notes
) -> tuple[Volume, ...]:
    unit = _named(found, "uomDimensions", "unit")
    metres = read_unit(found.get(unit), f"{place}.{unit}", notes, needed=True)
    names = {
        side: (f"{side}Limit", _named(found, f"{side}VerticalReference", f"{side}Reference"))
        for side in ("lower", "upper")
    }
    lower, upper = read_limits(
        {side: (found.get(limit), found.get(ref)) for side, (limit, ref) in names.items()},
        {side: (f"{place}.{limit}", f"{place}.{ref}") for side, (limit, ref) in names.items()},
        metres,
        notes,
    )
    if not isinstance(geometry, dict):
        notes.error(where, f"a geometry is needed, not {shown(geometry)}")
        return ()
    return tuple(Volume(area, lower, upper) for area in read_areas(geometry, where, notes))


def _read_authorities(found: dict[str, object], place: str, notes: Notes) -> tuple[Authority, ...]:
    if found.get("zoneAuthority") is not None:
        return read_authorities(found["zoneAuthority"], f"{place}.zoneAuthority", notes)
    name = _named(found, "authority", "authorityName")
    if isinstance(found.get(name), dict):
        return read_authorities(found[name], f"{place}.{name}", notes)
    texts = [one_text(found.get(n), f"{place}.{n}", notes) for n in (name, *_FLAT_AUTHORITY[1:])]
    if not any(texts):
        return ()
    purpose = found.get("authorityPurpose")
    return (
        Authority(
            name=texts[0],
            purpose=read_purpose(purpose, f"{place}.authorityPurpose", notes) if purpose else "",
            service=texts[1],
            email=texts[2],
            phone=texts[3],
        ),
    )


def read_feature(value: object, index: int, where: str, notes: Notes) -> Zone | None:
    """One zone; None with an error if it is no feature at all."""
    if not isinstance(value, dict):
        notes.error(where, f"a feature is needed, not {shown(value)}", "left out")
        return None
    before = notes.errors
    place = f"{where}.properties"
    found = as_object(value.get("properties"), place, notes)
    if found.get("country") is None:
        country = ""
        notes.note(f"{place}.country", "the country is missing", "none")
    else:
        country = read_country(found["country"], f"{place}.country", notes)
    authorities = _read_authorities(found, place, notes)
    if not authorities:
        notes.note(f"{place}.authority", "the zone has no authority", "its country's")
    if not found.get("applicability"):
        notes.note(f"{place}.applicability", "the times of applicability are missing", "always")
    identifier, reasons = _named(found, "identifier", "id"), _named(found, "reason", "reasons")
    conditions, message = found.get("restrictionConditions"), found.get("message")
    return Zone(
        zone_id=ZoneId(
            read_identifier(found.get(identifier), index, f"{place}.{identifier}", notes)
        ),
        name=one_text(found.get("name"), f"{place}.name", notes),
        authority_id=authority_id_of(authorities, country),
        restriction=read_restriction(
            found.get("restriction"), f"{place}.restriction", notes, british=True
        ),
        volumes=_read_volumes(value.get("geometry"), found, f"{where}.geometry", place, notes),
        periods=read_periods(found.get("applicability"), f"{place}.applicability", notes, ""),
        country=country,
        variant=read_variant(found.get("type"), f"{place}.type", notes),
        reasons=read_reasons(found.get(reasons), f"{place}.{reasons}", notes),
        authorities=authorities,
        conditions=read_conditions(conditions, f"{place}.restrictionConditions", notes),
        message=one_text(message, f"{place}.message", notes),
        readable=notes.errors == before,
    )
