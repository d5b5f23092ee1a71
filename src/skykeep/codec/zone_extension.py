"""What Skykeep knows of a zone and a format has no room for, as an object named `skykeep`.

It stands in ED-318's and ED-269's `extendedProperties` and among the properties of our plain
GeoJSON. Each member overrides what the plain ones say; none of them has to be there:

    zoneId, authorityId, name, country, variant, conditions, message, legalBasis    texts
    state, emergency, reasons[], authorities[], references[]
    timeZone                      of times of day without an offset
    limitedApplicability[]        times of applicability as ED-318 writes them
    geometry                      volumes as ED-318 writes them
    pressureLimits[]              of each volume [lower, upper] in metres of the standard
                                  atmosphere, null where the limit is of another kind
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_heights import read_number
from skykeep.codec.zone_parts import (
    MAX_KEPT_TEXT,
    Notes,
    as_list,
    as_object,
    plain_text,
    require_time_zone,
)
from skykeep.codec.zone_shapes import read_layered
from skykeep.codec.zone_times import read_periods
from skykeep.core.geo import Height, HeightPressure, Volume
from skykeep.core.zone import Authority, Zone, ZoneState
from skykeep.errors import InputError
from skykeep.units import ZoneId

EXTENSION = "skykeep"

#: Members of the extension that are texts, and the zone's fields that they are.
TEXT_OVERRIDES = {
    "zoneId": "zone_id",
    "authorityId": "authority_id",
    "name": "name",
    "country": "country",
    "variant": "variant",
    "conditions": "conditions",
    "message": "message",
    "legalBasis": "legal_basis",
}
_AUTHORITY = tuple(field.name for field in fields(Authority))
_STATE_MEND = f"Write one of {', '.join(ZoneState)}"

Json = dict[str, object]


def extension_in(holder: object, where: str, notes: Notes) -> tuple[Json, str]:
    """The extension in an object that may hold one, and its JSON path."""
    place = f"{where}.{EXTENSION}"
    own = holder.get(EXTENSION) if isinstance(holder, dict) else None
    return ({} if own is None else as_object(own, place, notes)), place


def read_time_zone(extension: Mapping[str, object], where: str, notes: Notes) -> str:
    """The zone's own time zone; empty if none is given."""
    value = extension.get("timeZone")
    if value is None:
        return ""
    place = f"{where}.timeZone"
    try:
        return require_time_zone(value if isinstance(value, str) else "", place)
    except InputError as error:
        notes.error(place, error.problem, mend=error.mend)
        return ""


def override(zone: Zone, extension: Mapping[str, object], where: str, notes: Notes) -> Zone:
    """The zone with what its extension says in place of the plain members."""
    if not extension:
        return zone
    texts = {
        field: plain_text(extension[member], f"{where}.{member}", notes)
        for member, field in TEXT_OVERRIDES.items()
        if member in extension
    }
    state = zone.state
    if "state" in extension:
        place = f"{where}.state"
        try:
            state = ZoneState(plain_text(extension["state"], place, notes))
        except ValueError:
            problem = f"{shown(extension['state'])} is no state of a zone"
            notes.error(place, problem, mend=_STATE_MEND)
    emergency = extension.get("emergency", zone.emergency)
    if not isinstance(emergency, bool):
        problem = f"{shown(emergency)} is neither true nor false"
        notes.error(f"{where}.emergency", problem, mend="Write true or false")
    time_zone = read_time_zone(extension, where, notes)
    volumes, periods = zone.volumes, zone.periods
    if "geometry" in extension:
        volumes = read_layered(extension["geometry"], f"{where}.geometry", notes)
    if "limitedApplicability" in extension:
        place = f"{where}.limitedApplicability"
        periods = read_periods(extension["limitedApplicability"], place, notes, time_zone)
    if "pressureLimits" in extension:
        place = f"{where}.pressureLimits"
        volumes = _with_pressure(volumes, extension["pressureLimits"], place, notes)
    return replace(
        zone,
        zone_id=ZoneId(texts.get("zone_id", zone.zone_id) or zone.zone_id),
        name=texts.get("name", zone.name),
        authority_id=texts.get("authority_id", zone.authority_id),
        country=texts.get("country", zone.country),
        variant=texts.get("variant", zone.variant),
        conditions=texts.get("conditions", zone.conditions),
        message=texts.get("message", zone.message),
        legal_basis=texts.get("legal_basis", zone.legal_basis),
        state=state,
        emergency=emergency is True,
        time_zone=time_zone or zone.time_zone,
        reasons=_texts(zone.reasons, extension, "reasons", where, notes),
        references=_texts(zone.references, extension, "references", where, notes),
        authorities=_authorities(zone, extension, f"{where}.authorities", notes),
        volumes=volumes,
        periods=periods,
    )


def _texts(
    own: tuple[str, ...], extension: Mapping[str, object], name: str, where: str, notes: Notes
) -> tuple[str, ...]:
    if name not in extension:
        return own
    place = f"{where}.{name}"
    entries = as_list(extension[name], place, notes)
    return tuple(plain_text(e, f"{place}[{i}]", notes) for i, e in enumerate(entries))


def _authorities(
    zone: Zone, extension: Mapping[str, object], where: str, notes: Notes
) -> tuple[Authority, ...]:
    if "authorities" not in extension:
        return zone.authorities
    listed = [
        as_object(entry, f"{where}[{i}]", notes)
        for i, entry in enumerate(as_list(extension["authorities"], where, notes))
    ]
    return tuple(
        Authority(
            **{name: plain_text(a.get(name), f"{where}.{name}", notes) for name in _AUTHORITY}
        )
        for a in listed
    )


def _with_pressure(
    volumes: tuple[Volume, ...], value: object, where: str, notes: Notes
) -> tuple[Volume, ...]:
    entries = as_list(value, where, notes)
    if len(entries) != len(volumes):
        problem = f"there are {len(entries)} pairs of limits for {len(volumes)} volumes"
        notes.error(where, problem, mend="Write one pair for each volume")
        return volumes
    changed = []
    for i, (volume, pair) in enumerate(zip(volumes, entries, strict=True)):
        place = f"{where}[{i}]"
        if not isinstance(pair, list) or len(pair) != 2:
            notes.error(place, "a pair of limits is needed", mend="Write [lower, upper]")
            return volumes
        limits: list[Height | None] = []
        for j, own in enumerate((volume.lower, volume.upper)):
            number = (
                None
                if pair[j] is None
                else read_number(pair[j], f"{place}[{j}]", "the limit", notes)
            )
            limits.append(own if number is None else HeightPressure(number))
        changed.append(replace(volume, lower=limits[0], upper=limits[1]))
    return tuple(changed)


def extension_of(zone: Zone, read: Zone) -> Json:
    """What the plain members do not say: each field that came back different from them.

    `limitedApplicability` and `geometry` are the writers' matter, which know ED-318.
    """
    extension: Json = {}
    if zone.time_zone != "UTC":
        extension["timeZone"] = zone.time_zone
    for member, field in TEXT_OVERRIDES.items():
        if getattr(read, field) != getattr(zone, field):
            extension[member] = str(getattr(zone, field))[:MAX_KEPT_TEXT]
    if read.reasons != zone.reasons:
        extension["reasons"] = list(zone.reasons)
    if read.references != zone.references:
        extension["references"] = list(zone.references)
    if read.authorities != zone.authorities:
        extension["authorities"] = [asdict(authority) for authority in zone.authorities]
    if read.state != zone.state:
        extension["state"] = str(zone.state)
    if zone.emergency:
        extension["emergency"] = True
    pressure = [[_pressure_m(v.lower), _pressure_m(v.upper)] for v in zone.volumes]
    if any(limit is not None for pair in pressure for limit in pair):
        extension["pressureLimits"] = pressure
    return extension


def _pressure_m(height: Height | None) -> float | None:
    return height.m if isinstance(height, HeightPressure) else None
