"""ED-318 (EUROCAE, 2023): UAS geographical zones as GeoJSON features with layered geometry.

    FeatureCollection
      metadata                          validFrom, validTo, issued, provider ...
      features[]
        geometry                        Polygon, or Point with extent {subType Circle, radius m},
          layer                         lower, upper, lowerReference, upperReference, uom (m, ft)
                                        or a GeometryCollection of such
        properties
          identifier, country           at most 7 characters; ISO 3166-1 alpha-3
          type, variant                 restriction; COMMON or CUSTOMIZED
          name[], message[]             {text, lang}
          reason[], restrictionConditions
          zoneAuthority[]               name[], service[], contactName[], siteURL, email, phone,
                                        purpose, intervalBefore
          limitedApplicability[]        startDateTime, endDateTime, schedule[] of
                                        {day[], startTime | startEvent, endTime | endEvent}
          extendedProperties            free; "skykeep" holds what has no room
          region, otherReasonInfo, regulationExemption, dataSource: not used

Source: the JSON Schema of the UASGeoZones/ED-318 project. A bare Feature is read as well.

`extendedProperties.skykeep` overrides the plain members (codec/zone_extension.py).
"""

from __future__ import annotations

from dataclasses import replace

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_extension import extension_in, override, read_time_zone
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
from skykeep.codec.zone_shapes import read_layered
from skykeep.codec.zone_times import read_moment, read_periods
from skykeep.core.zone import Authority, Zone
from skykeep.units import ZoneId

_KNOWN = frozenset(
    {
        "identifier",
        "country",
        "name",
        "type",
        "variant",
        "restrictionConditions",
        "region",
        "reason",
        "otherReasonInfo",
        "regulationExemption",
        "message",
        "zoneAuthority",
        "limitedApplicability",
        "dataSource",
        "extendedProperties",
    }
)


def read_metadata(value: object, where: str, notes: Notes) -> None:
    """The collection's own data: only looked at for faults, no zone depends on them."""
    if value is None:
        return
    if not isinstance(value, dict):
        notes.warn(where, f"an object is needed, not {shown(value)}", "no metadata")
        return
    for name in ("validFrom", "validTo", "issued"):
        if value.get(name) is None:
            continue
        trial = Notes()
        read_moment(value[name], f"{where}.{name}", trial)
        if trial.errors:
            notes.warn(f"{where}.{name}", f"{shown(value[name])} is no date and time", "not known")


def read_authority(value: object, where: str, notes: Notes) -> Authority | None:
    """One zoneAuthority; None with a warning if it is no object."""
    if not isinstance(value, dict):
        notes.warn(where, f"an authority is needed, not {shown(value)}", "left out")
        return None
    return Authority(
        name=language_text(value.get("name"), f"{where}.name", notes),
        purpose=read_purpose(value.get("purpose"), f"{where}.purpose", notes),
        service=language_text(value.get("service"), f"{where}.service", notes),
        contact=language_text(value.get("contactName"), f"{where}.contactName", notes),
        email=plain_text(value.get("email"), f"{where}.email", notes),
        phone=plain_text(value.get("phone"), f"{where}.phone", notes),
        site_url=plain_text(value.get("siteURL"), f"{where}.siteURL", notes),
        interval_before=plain_text(value.get("intervalBefore"), f"{where}.intervalBefore", notes),
    )


def read_feature(value: object, index: int, where: str, notes: Notes) -> Zone:
    """One zone; an unreadable one with an error if it is no feature at all."""
    if not isinstance(value, dict):
        problem = f"a feature is needed, not {shown(value)}"
        notes.error(where, problem, mend="Write a feature, or take the entry out")
        return unreadable_zone(index)
    before = notes.errors
    place = f"{where}.properties"
    found = as_object(value.get("properties") or None, place, notes)
    if not found:
        volumes = read_layered(value.get("geometry"), f"{where}.geometry", notes)
        return replace(unreadable_zone(index), volumes=volumes)
    extended = found.get("extendedProperties")
    extension, own_place = extension_in(extended, f"{place}.extendedProperties", notes)
    for holder, at in ((found, place), (extended, f"{place}.extendedProperties")):
        if isinstance(holder, dict):
            note_hidden(holder, at, notes)
    time_zone = read_time_zone(extension, own_place, Notes())
    zone = _read_plain(found, index, place, notes)
    zone = replace(
        zone,
        volumes=read_layered(value.get("geometry"), f"{where}.geometry", notes),
        periods=read_periods(
            found.get("limitedApplicability"), f"{place}.limitedApplicability", notes, time_zone
        ),
    )
    zone = override(zone, extension, own_place, notes)
    if not zone.authority_id:
        zone = replace(zone, authority_id=authority_id_of(zone.authorities, zone.country))
    check_contact(zone, f"{place}.zoneAuthority", notes)
    return replace(zone, readable=notes.errors == before)


def _read_plain(found: dict[str, object], index: int, place: str, notes: Notes) -> Zone:
    """A zone's own members, without volumes and periods."""
    for name in found:
        if name not in _KNOWN:
            notes.note(place, f"the format has no property {shown(name)}", "left out")
    for name in ("country", "variant", "zoneAuthority"):
        if found.get(name) is None:
            notes.warn(f"{place}.{name}", "the property is missing", "none")
    entries = as_list(found.get("zoneAuthority"), f"{place}.zoneAuthority", notes)
    read = [
        read_authority(entry, f"{place}.zoneAuthority[{i}]", notes)
        for i, entry in enumerate(entries)
    ]
    country, variant = found.get("country"), found.get("variant")
    conditions = found.get("restrictionConditions")
    return Zone(
        zone_id=ZoneId(
            read_identifier(found.get("identifier"), index, f"{place}.identifier", notes)
        ),
        name=language_text(found.get("name"), f"{place}.name", notes),
        authority_id="",
        restriction=read_restriction(found.get("type"), f"{place}.type", notes, british=False),
        volumes=(),
        country="" if country is None else read_country(country, f"{place}.country", notes),
        variant="COMMON" if variant is None else read_variant(variant, f"{place}.variant", notes),
        reasons=read_reasons(found.get("reason"), f"{place}.reason", notes),
        authorities=tuple(authority for authority in read if authority),
        conditions=read_conditions(conditions, f"{place}.restrictionConditions", notes),
        message=language_text(found.get("message"), f"{place}.message", notes),
    )
