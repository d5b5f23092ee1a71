"""The GeoJSON in which national zones are passed on: ED-269 members, flattened into properties.

Three dialects are in use and may be mixed; none is a standard:

    one (Luxembourg)                    other (Finland)
      id, name, type, restriction         identifier, name, type, restriction, country
      reasons[]                           reason[]
      lowerLimit, upperLimit, unit        lowerLimit, upperLimit, uomDimensions
      lowerReference, upperReference      lowerVerticalReference, upperVerticalReference
      authority                           zoneAuthority[]; authorityName, authorityEmail ...
      no times                            applicability[]

    third (Germany, and whoever else publishes a map layer)
      external_reference, name            no restriction: PROHIBITED is assumed
      lower_limit_altitude, lower_limit_unit, lower_limit_alt_ref, the same with upper_
      legal_ref

The other names that are understood are in codec/zone_names.py. The geometry is a Polygon, a
MultiPolygon, a GeometryCollection of them, or a Point with a radius; circles often come as
polygons of 96 corners and stay what they are.
"""

from __future__ import annotations

from dataclasses import replace

from skykeep.codec.ed269 import one_text, read_authorities
from skykeep.codec.json_doc import shown
from skykeep.codec.zone_extension import extension_in, override
from skykeep.codec.zone_heights import SIDES, read_limits, read_number, read_unit
from skykeep.codec.zone_names import Flat, flatten
from skykeep.codec.zone_parts import (
    Notes,
    as_object,
    authority_id_of,
    check_contact,
    note_hidden,
    read_conditions,
    read_country,
    read_identifier,
    read_purpose,
    read_reasons,
    read_restriction,
    read_variant,
    unreadable_zone,
)
from skykeep.codec.zone_shapes import read_areas, read_circle, read_position
from skykeep.codec.zone_times import read_periods
from skykeep.core.geo import Area, Height, Volume
from skykeep.core.zone import Authority, Restriction, Zone
from skykeep.units import ZoneId

_CIRCLE_PARTS = {".radius": "", ".centre": ".coordinates"}
_GEOMETRY_MEND = "Write a Polygon or a MultiPolygon in degrees"


def _read_heights(flat: Flat, notes: Notes) -> tuple[Height | None, Height | None]:
    values = {side: flat.get(f"{side}Limit") for side in SIDES}
    numbers = [side for side in SIDES if isinstance(values[side], int | float)]
    own = {side: f"{side}Unit" for side in SIDES if flat.get(f"{side}Unit") is not None}
    levels = {side for side, unit in own.items() if str(flat.get(unit)).strip().upper() == "FL"}
    shared = 1.0
    if len(own) < len(SIDES):
        needed = any(side not in own for side in numbers)
        shared = read_unit(flat.get("uomDimensions"), flat.at("uomDimensions"), notes, needed)
    metres = {
        side: read_unit(flat.get(own[side]), flat.at(own[side]), notes, needed=False)
        if side in own and side not in levels
        else shared
        for side in SIDES
    }
    names = {side: (f"{side}Limit", f"{side}VerticalReference") for side in SIDES}
    return read_limits(
        {
            side: (flat.get(limit), "FL" if side in levels else flat.get(ref))
            for side, (limit, ref) in names.items()
        },
        {side: (flat.at(limit), flat.at(ref)) for side, (limit, ref) in names.items()},
        metres,
        notes,
    )


def _read_areas(flat: Flat, notes: Notes) -> list[Area]:
    geometry, where = flat.geometry, flat.geometry_where
    if not isinstance(geometry, dict):
        problem = f"a geometry is needed, not {shown(geometry)}"
        notes.error(where, problem, mend=_GEOMETRY_MEND)
        return []
    if geometry.get("type") == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list) or not members:
            notes.error(f"{where}.geometries", "the collection is empty", mend=_GEOMETRY_MEND)
            return []
        areas: list[Area] = []
        for i, member in enumerate(members):
            place = f"{where}.geometries[{i}]"
            if isinstance(member, dict):
                areas += read_areas(member, place, notes)
            else:
                notes.error(place, "an area is needed here", mend=_GEOMETRY_MEND)
        return areas
    if geometry.get("type") == "Point" and "extent" not in geometry and flat.get("radius"):
        place = flat.at("radius")
        radius_m = read_number(flat.get("radius"), place, "the radius", notes)
        centre = read_position(geometry.get("coordinates"), f"{where}.coordinates", notes)
        parts = {**_CIRCLE_PARTS, ".centre": ""}
        circle = read_circle(centre, radius_m, place, parts, notes)
        notes.warn(place, "the radius has no unit", "metres", "Write the radius in metres")
        return [circle] if circle else []
    return read_areas(geometry, where, notes)


def _read_authorities(flat: Flat, notes: Notes) -> tuple[Authority, ...]:
    for name in ("zoneAuthority", "authority"):
        if isinstance(flat.get(name), list | dict):
            return read_authorities(flat.get(name), flat.at(name), notes)
    names = ("authority", "authorityService", "authorityEmail", "authorityPhone", "authorityUrl")
    texts = [one_text(flat.get(name), flat.at(name), notes) for name in names]
    if not any(texts):
        return ()
    purpose = flat.get("authorityPurpose")
    return (
        Authority(
            name=texts[0],
            purpose=read_purpose(purpose, flat.at("authorityPurpose"), notes) if purpose else "",
            service=texts[1],
            email=texts[2],
            phone=texts[3],
            site_url=texts[4],
        ),
    )


def _read_restriction(flat: Flat, notes: Notes) -> Restriction:
    value = flat.get("restriction")
    if value is not None or "restriction" in flat.found:
        return read_restriction(value, flat.at("restriction"), notes, british=True)
    notes.warn(
        flat.at("restriction"),
        "the document does not say how strict the zone is",
        "PROHIBITED, the strictest",
        "Write PROHIBITED, REQ_AUTHORISATION, CONDITIONAL or NO_RESTRICTION",
    )
    return Restriction.PROHIBITED


def read_flat(flat: Flat, index: int, notes: Notes) -> Zone:
    """A zone from flat members; what is missing is assumed, strictest first."""
    before = notes.errors
    if flat.get("country") is None:
        country = ""
        notes.note(flat.at("country"), "the country is missing", "none")
    else:
        country = read_country(flat.get("country"), flat.at("country"), notes)
    authorities = _read_authorities(flat, notes)
    if not authorities:
        notes.note(flat.at("authority"), "the zone has no authority", "its country's")
    if not flat.get("applicability"):
        notes.note(flat.at("applicability"), "the times of applicability are missing", "always")
    note_hidden(flat.found, flat.root, notes)
    extension, own_place = extension_in(flat.found, flat.root, notes)
    lower, upper = _read_heights(flat, notes)
    type_ = flat.get("type")
    zone = Zone(
        zone_id=ZoneId(
            read_identifier(flat.get("identifier"), index, flat.at("identifier"), notes)
        ),
        name=one_text(flat.get("name"), flat.at("name"), notes),
        authority_id="",
        restriction=_read_restriction(flat, notes),
        volumes=tuple(Volume(area, lower, upper) for area in _read_areas(flat, notes)),
        periods=read_periods(flat.get("applicability"), flat.at("applicability"), notes, ""),
        country=country,
        variant="COMMON" if type_ is None else read_variant(type_, flat.at("type"), notes),
        reasons=read_reasons(flat.get("reason"), flat.at("reason"), notes),
        authorities=authorities,
        conditions=read_conditions(
            flat.get("restrictionConditions"), flat.at("restrictionConditions"), notes
        ),
        message=one_text(flat.get("message"), flat.at("message"), notes),
        legal_basis=one_text(flat.get("legalRef"), flat.at("legalRef"), notes),
    )
    zone = override(zone, extension, own_place, notes)
    if not zone.authority_id:
        zone = replace(zone, authority_id=authority_id_of(zone.authorities, zone.country))
    check_contact(zone, flat.at("zoneAuthority"), notes)
    return replace(zone, readable=notes.errors == before)


def read_feature(value: object, index: int, where: str, notes: Notes) -> Zone:
    """One zone; an unreadable one with an error if it is no feature at all."""
    if not isinstance(value, dict):
        problem = f"a feature is needed, not {shown(value)}"
        notes.error(where, problem, mend="Write a feature, or take the entry out")
        return unreadable_zone(index)
    before = notes.errors
    place = f"{where}.properties"
    found = as_object(value.get("properties"), place, notes)
    flat = flatten(found, place, value.get("geometry"), f"{where}.geometry")
    if flat.get("identifier") is None and value.get("id") is not None:
        flat = replace(
            flat,
            found={**flat.found, "identifier": value["id"]},
            places={**flat.places, "identifier": f"{where}.id"},
        )
    zone = read_flat(flat, index, notes)
    return replace(zone, readable=notes.errors == before)
