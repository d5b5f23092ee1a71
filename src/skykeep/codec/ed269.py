"""ED-269 (EUROCAE, 2020): UAS geographical zones as plain JSON.

    title, description
    features[]
      identifier, country               at most 7 characters; ISO 3166-1 alpha-3
      name, message                     a text
      type, restriction                 COMMON or CUSTOMIZED; restriction type
      restrictionConditions             a text or a list of them
      reason[]
      applicability[]                   permanent YES or NO, startDateTime, endDateTime,
                                        schedule[] of {day[], startTime, endTime}
      zoneAuthority[]                   name, service, contactName, siteURL, email, phone,
                                        purpose, intervalBefore
      geometry[]                        uomDimensions (M, FT), lowerLimit, upperLimit,
        horizontalProjection            lowerVerticalReference, upperVerticalReference
          type Polygon, coordinates     or type Circle, center, radius (in uomDimensions)
      extendedProperties                free; "skykeep" holds what has no room

`applicability` must be there; a zone without it is taken to apply always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_extension import extension_in, override
from skykeep.codec.zone_heights import SIDES, read_limits, read_number, read_unit
from skykeep.codec.zone_parts import (
    Notes,
    as_list,
    as_object,
    authority_id_of,
    check_contact,
    language_text,
    note_hidden,
    plain_text,
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
from skykeep.core.zone import Authority, Zone
from skykeep.units import ZoneId

_VOLUME_MEND = "Write a volume with limits and a horizontalProjection"
_CIRCLE_PARTS = {".radius": ".radius", ".centre": ".center"}


def one_text(value: object, where: str, notes: Notes) -> str:
    """A text; later editions give it in languages."""
    if isinstance(value, list):
        return language_text(value, where, notes)
    return plain_text(value, where, notes)


def read_authorities(value: object, where: str, notes: Notes) -> tuple[Authority, ...]:
    """zoneAuthority, as a list or alone."""
    authorities = []
    for i, entry in enumerate(as_list(value, where, notes)):
        place = f"{where}[{i}]"
        if not isinstance(entry, dict):
            notes.warn(place, f"an authority is needed, not {shown(entry)}", "left out")
            continue
        texts = {
            name: one_text(entry.get(name), f"{place}.{name}", notes)
            for name in ("name", "service", "contactName", "email", "phone", "intervalBefore")
        }
        site = "siteUrl" if "siteURL" not in entry and "siteUrl" in entry else "siteURL"
        authorities.append(
            Authority(
                name=texts["name"],
                purpose=read_purpose(entry.get("purpose"), f"{place}.purpose", notes),
                service=texts["service"],
                contact=texts["contactName"],
                email=texts["email"],
                phone=texts["phone"],
                site_url=one_text(entry.get(site), f"{place}.{site}", notes),
                interval_before=texts["intervalBefore"],
            )
        )
    return tuple(authorities)


def read_vertical(
    volume: Mapping[str, object], where: str, metres: float, notes: Notes
) -> tuple[Height | None, Height | None]:
    """Lower and upper limit as ED-269 names them."""
    return read_limits(
        {s: (volume.get(f"{s}Limit"), volume.get(f"{s}VerticalReference")) for s in SIDES},
        {s: (f"{where}.{s}Limit", f"{where}.{s}VerticalReference") for s in SIDES},
        metres,
        notes,
    )


def _read_areas(value: object, where: str, metres: float, notes: Notes) -> list[Area]:
    projection = as_object(value, where, notes)
    if projection.get("type") != "Circle":
        return read_areas(projection, where, notes) if projection else []
    centre_name = "centre" if "center" not in projection and "centre" in projection else "center"
    centre = read_position(projection.get(centre_name), f"{where}.{centre_name}", notes)
    place = f"{where}.radius"
    radius = read_number(projection.get("radius"), place, "the radius", notes)
    if radius is not None and metres != 1.0:
        mend = "Write the volume in metres"
        notes.warn(place, "the radius could be meant in metres", "feet, as the limits", mend)
    radius_m = None if radius is None else radius * metres
    circle = read_circle(centre, radius_m, where, _CIRCLE_PARTS, notes)
    return [circle] if circle else []


def _read_volumes(value: object, where: str, notes: Notes) -> tuple[Volume, ...]:
    volumes: list[Volume] = []
    entries = as_list(value, where, notes)
    if not entries:
        notes.error(where, "the zone has no geometry", mend=_VOLUME_MEND)
    for i, entry in enumerate(entries):
        place = f"{where}[{i}]"
        if not isinstance(entry, dict):
            notes.error(place, f"a volume is needed, not {shown(entry)}", mend=_VOLUME_MEND)
            continue
        unit_place = f"{place}.uomDimensions"
        metres = read_unit(entry.get("uomDimensions"), unit_place, notes, needed=True)
        lower, upper = read_vertical(entry, place, metres, notes)
        projection_place = f"{place}.horizontalProjection"
        projections = as_list(entry.get("horizontalProjection"), projection_place, Notes())
        if not projections:
            notes.error(projection_place, "the volume has no outline", mend=_VOLUME_MEND)
        for projection in projections:
            areas = _read_areas(projection, projection_place, metres, notes)
            volumes += [Volume(area, lower, upper) for area in areas]
    return tuple(volumes)


def read_feature(value: object, index: int, where: str, notes: Notes) -> Zone:
    """One zone; an unreadable one with an error if it is no object at all."""
    if not isinstance(value, dict):
        problem = f"a zone is needed, not {shown(value)}"
        notes.error(where, problem, mend="Write a zone, or take the entry out")
        return unreadable_zone(index)
    before = notes.errors
    country = read_country(value.get("country"), f"{where}.country", notes)
    authorities = read_authorities(value.get("zoneAuthority"), f"{where}.zoneAuthority", notes)
    if not authorities:
        notes.note(f"{where}.zoneAuthority", "the zone has no authority", "its country's")
    if not value.get("applicability"):
        mend = 'Write "applicability": [{"permanent": "YES"}]'
        place = f"{where}.applicability"
        notes.warn(place, "the times of applicability are missing", "always", mend)
    extended = value.get("extendedProperties")
    extension, own_place = extension_in(extended, f"{where}.extendedProperties", notes)
    for holder, at in ((value, where), (extended, f"{where}.extendedProperties")):
        if isinstance(holder, dict):
            note_hidden(holder, at, notes)
    conditions, message = value.get("restrictionConditions"), value.get("message")
    reason = "reasons" if "reason" not in value and "reasons" in value else "reason"
    zone = Zone(
        zone_id=ZoneId(
            read_identifier(value.get("identifier"), index, f"{where}.identifier", notes)
        ),
        name=one_text(value.get("name"), f"{where}.name", notes),
        authority_id="",
        restriction=read_restriction(
            value.get("restriction"), f"{where}.restriction", notes, british=True
        ),
        volumes=_read_volumes(value.get("geometry"), f"{where}.geometry", notes),
        periods=read_periods(value.get("applicability"), f"{where}.applicability", notes, ""),
        country=country,
        variant=read_variant(value.get("type"), f"{where}.type", notes),
        reasons=read_reasons(value.get(reason), f"{where}.{reason}", notes),
        authorities=authorities,
        conditions=read_conditions(conditions, f"{where}.restrictionConditions", notes),
        message=one_text(message, f"{where}.message", notes),
    )
    zone = override(zone, extension, own_place, notes)
    if not zone.authority_id:
        zone = replace(zone, authority_id=authority_id_of(zone.authorities, zone.country))
    check_contact(zone, f"{where}.zoneAuthority", notes)
    return replace(zone, readable=notes.errors == before)
