"""A permits file: one authority's permits and standing exemptions, as JSON.

    {"authority": "city",
     "permits": [{
        "id": "P-1", "holder": "Survey Ltd", "serials": ["1596A0123456789"], "zones": ["Z1"],
        "volumes": [{"area": {"type": "Polygon", "coordinates": [[[lon, lat], ...]]}
                           | {"circle": {"lat_deg": .., "lon_deg": .., "radius_m": ..}},
                     "lower": {"m": 0, "reference": "AGL"} | null,
                     "upper": {"m": 120, "reference": "AMSL" | "HAE" | "AGL" | "PRESSURE"} | null,
                     "start": "2026-09-12T00:00:00Z" | null, "end": ... | null}],
        "state": "granted", "must_broadcast"?: true, "conditions"?: [".."],
        "state_why"?: "..", "state_since"?: "2026-09-11T10:00:00Z"}],
     "exemptions": [{... the same, and "class": "police"; "zones" may be missing for all}]}

Polygons are GeoJSON (RFC 7946 section 3.1.6), times RFC 3339 with a zone; null is no limit,
and a limit must be stated, be it as null. A fault never makes a permit wider: what cannot be
read opens nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from skykeep.codec.json_doc import load_json, shown
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import (
    Area,
    Circle,
    Height,
    HeightReference,
    Polygon,
    Volume,
    Volume4D,
    height_of,
    reference_of,
)
from skykeep.core.geometry import MAX_RADIUS_M, geometry_faults
from skykeep.core.identifiers import serial_fault
from skykeep.core.permit import Permit, PermitState
from skykeep.errors import InputError
from skykeep.units import PermitId, ZoneId

#: Far more than one authority issues in a year.
MAX_PERMITS = 10_000
#: Nothing that a permit is for flies higher; the lowest land lies at -430 m.
HEIGHT_RANGE_M = (-1_000.0, 100_000.0)
MAX_TEXT = 2_000

_FILE_FIELDS = frozenset({"authority", "permits", "exemptions"})
_PERMIT_FIELDS = frozenset(
    {"id", "holder", "serials", "zones", "volumes", "state", "must_broadcast", "conditions"}
) | {"state_why", "state_since"}
_EXEMPTION_FIELDS = _PERMIT_FIELDS | {"class"}
_VOLUME_FIELDS = frozenset({"area", "lower", "upper", "start", "end"})
_NAMED_REFERENCES = ("AMSL", "HAE", "AGL", "PRESSURE")

_CIRCLE_BOUNDS = {
    "lat_deg": (-90.0, 90.0),
    "lon_deg": (-180.0, 180.0),
    "radius_m": (0.0, MAX_RADIUS_M),
}

_Object = dict[str, object]


@dataclass(frozen=True, slots=True)
class PermitFile:
    """One authority's permits and exemptions (those with a class), by id, and what was amiss."""

    authority_id: str
    permits: tuple[Permit, ...]
    findings: tuple[Finding, ...] = ()


def decode_permits(data: bytes, source: str) -> PermitFile:
    """The permits of a file as far as they make sense.

    A permit that cannot be read is left out, a volume that cannot be read is not opened,
    each with an ERROR finding at its JSON path; so is an id that occurs twice. Raises
    InputError, naming `source`, where the whole is no permits file.
    """
    document, found = load_json(data, source)
    reader = _Reader(list(found))
    if not isinstance(document, dict):
        raise InputError(f"{source}: $", "not an object", "Give a permits file.")
    fields = cast(_Object, document)
    authority = fields.get("authority")
    if not isinstance(authority, str) or not authority.strip():
        raise InputError(f"{source}: $.authority", "missing", "Name the issuing authority.")
    reader.unknown("$", fields, _FILE_FIELDS)
    permits: list[tuple[str, Permit]] = []
    for name in ("permits", "exemptions"):
        records = fields.get(name, [])
        if not isinstance(records, list) or len(records) > MAX_PERMITS:
            raise InputError(
                f"{source}: $.{name}", f"not a list of up to {MAX_PERMITS}", "Mend or split it."
            )
        for i, record in enumerate(records):
            where = f"$.{name}[{i}]"
            permit = reader.permit(where, record, authority.strip(), name == "exemptions")
            if permit is not None:
                permits.append((where, permit))
    kept = reader.without_doubles(permits)
    kept.sort(key=lambda p: p.permit_id)
    return PermitFile(authority.strip(), tuple(kept), tuple(reader.findings))


class _Reader:
    """Reads records and gathers what is amiss."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def error(self, where: str, problem: str, assumed: str) -> None:
        self.findings.append(Finding(where, problem, assumed, Severity.ERROR))

    def warn(self, where: str, problem: str, assumed: str) -> None:
        self.findings.append(Finding(where, problem, assumed, Severity.WARNING))

    def unknown(self, where: str, fields: _Object, known: Iterable[str]) -> None:
        for name in fields:
            if name not in known:
                self.error(where, f"{shown(name)} is no field of this format", "not read")

    def without_doubles(self, permits: list[tuple[str, Permit]]) -> list[Permit]:
        count = Counter(p.permit_id for _, p in permits)
        for where, p in permits:
            if count[p.permit_id] > 1:
                problem = f"the id {shown(str(p.permit_id))} occurs {count[p.permit_id]} times"
                self.error(f"{where}.id", problem, "all of them left out")
        return [p for _, p in permits if count[p.permit_id] == 1]

    def permit(self, where: str, record: object, authority: str, exempt: bool) -> Permit | None:
        """One record, or None with an ERROR finding."""
        try:
            fields = _object(where, record)
            self.unknown(where, fields, _EXEMPTION_FIELDS if exempt else _PERMIT_FIELDS)
            permit = Permit(
                permit_id=PermitId(_text(where, fields, "id")),
                authority_id=authority,
                holder=_text(where, fields, "holder", ""),
                serials=self._serials(where, fields),
                zones=tuple(ZoneId(z) for z in _texts(where, fields, "zones", not exempt)),
                volumes=self._volumes(f"{where}.volumes", fields.get("volumes")),
                state=_state(where, fields),
                exemption_class=_text(where, fields, "class") if exempt else "",
                must_broadcast=_flag(where, fields, "must_broadcast", True),
                conditions=_texts(where, fields, "conditions", False),
                state_why=_text(where, fields, "state_why", ""),
                state_since_ns=_moment(where, fields, "state_since", None) or 0,
            )
        except InputError as e:
            self.error(e.where, e.problem, f"left out: {where}. {e.mend}")
            return None
        for name, values in (("serials", permit.serials), ("volumes", permit.volumes)):
            if not values:
                self.warn(f"{where}.{name}", "nothing in it", "this permit opens nothing")
        if not permit.zones and not exempt:
            self.warn(f"{where}.zones", "nothing in it", "this permit opens nothing")
        return permit

    def _serials(self, where: str, fields: _Object) -> tuple[str, ...]:
        serials = _texts(where, fields, "serials", True)
        for i, serial in enumerate(serials):
            fault = serial_fault(serial)
            if fault is not None:
                finding = Finding(
                    f"{where}.serials[{i}]",
                    f"{shown(serial)} {fault} (ANSI/CTA-2063-A)",
                    "kept as it is",
                    Severity.NOTE,
                )
                self.findings.append(finding)
        return serials

    def _volumes(self, where: str, value: object) -> tuple[Volume4D, ...]:
        if not isinstance(value, list):
            raise InputError(where, "not a list", "List the volumes.")
        volumes = []
        for i, record in enumerate(value):
            try:
                fields = _object(f"{where}[{i}]", record)
                self.unknown(f"{where}[{i}]", fields, _VOLUME_FIELDS)
                volumes.append(_volume(f"{where}[{i}]", fields))
            except InputError as e:
                self.error(e.where, e.problem, f"volume not opened. {e.mend}")
        return tuple(volumes)


def _object(where: str, value: object) -> _Object:
    if not isinstance(value, dict):
        raise InputError(where, "not an object", "See the format.")
    return cast(_Object, value)


def _text(where: str, fields: _Object, name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    text = value.strip() if isinstance(value, str) else ""
    if not isinstance(value, str) or (not text and default is None):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give a text.")
    if len(text) > MAX_TEXT or any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(
            f"{where}.{name}", f"over {MAX_TEXT} characters or not Unicode", "Shorten it."
        )
    return text


def _texts(where: str, fields: _Object, name: str, needed: bool) -> tuple[str, ...]:
    """A list of texts; one that is none spoils the list, since an empty list may mean "all"."""
    value = fields.get(name)
    if value is None and not needed:
        return ()
    if not isinstance(value, list):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give a list of texts.")
    return tuple(_text(f"{where}.{name}", {f"[{i}]": v}, f"[{i}]") for i, v in enumerate(value))


def _flag(where: str, fields: _Object, name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give true or false.")
    return value


def _state(where: str, fields: _Object) -> PermitState:
    value = fields.get("state")
    if value not in list(PermitState):
        states = ", ".join(PermitState)
        raise InputError(f"{where}.state", f"cannot be {shown(value)}", f"Give one of {states}.")
    return PermitState(str(value))


def _moment(where: str, fields: _Object, name: str, default: object = ...) -> int | None:
    """A time or null; without `default` the field must be there."""
    value = fields.get(name, default)
    if value is None:
        return None
    if not isinstance(value, str):
        shape = "missing" if value is ... else f"cannot be {shown(value)}"
        raise InputError(f"{where}.{name}", shape, "Give a time with a zone, or null.")
    return parse_moment(value, f"{where}.{name}")


def _volume(where: str, fields: _Object) -> Volume4D:
    area = _area(f"{where}.area", fields.get("area"))
    lower, upper = _height(where, fields, "lower"), _height(where, fields, "upper")
    if lower and upper and reference_of(lower) is reference_of(upper) and lower.m >= upper.m:
        raise InputError(f"{where}.upper", "not above the lower limit", "Mend the limits.")
    start, end = _moment(where, fields, "start"), _moment(where, fields, "end")
    if start is not None and end is not None and start >= end:
        raise InputError(f"{where}.end", "not after the start", "Mend the times.")
    return Volume4D(Volume(area, lower, upper), start, end)


def _number(where: str, value: object, bounds: tuple[float, float]) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not bounds[0] <= cast(float, value) <= bounds[1]:
        mend = f"Give a number from {bounds[0]:g} to {bounds[1]:g}."
        raise InputError(where, f"cannot be {shown(value)}", mend)
    return float(cast(float, value))


def _height(where: str, fields: _Object, name: str) -> Height | None:
    where = f"{where}.{name}"
    if name not in fields:
        raise InputError(where, "missing", "Give a height, or null for no limit.")
    if fields[name] is None:
        return None
    height = _object(where, fields[name])
    reference = height.get("reference")
    if reference not in _NAMED_REFERENCES or set(height) != {"m", "reference"}:
        mend = f'Give {{"m": .., "reference": one of {", ".join(_NAMED_REFERENCES)}}}.'
        raise InputError(where, f"cannot be {shown(reference)} or has other fields", mend)
    metres = _number(f"{where}.m", height.get("m"), HEIGHT_RANGE_M)
    return height_of(metres, HeightReference[reference])


def _area(where: str, value: object) -> Area:
    fields = _object(where, value)
    area: Area
    if "circle" in fields:
        place = f"{where}.circle"
        circle = _object(place, fields["circle"])
        area = Circle(
            *(
                _number(f"{place}.{name}", circle.get(name), bounds)
                for name, bounds in _CIRCLE_BOUNDS.items()
            )
        )
    elif fields.get("type") == "Polygon":
        place = f"{where}.coordinates"
        area = _polygon(place, fields.get("coordinates"))
    else:
        raise InputError(where, "neither a Polygon nor a circle", "Give one of them.")
    for inner, problem in geometry_faults(area):
        raise InputError(f"{place}{inner}", problem, "Mend the outline.")
    return area


def _polygon(where: str, value: object) -> Polygon:
    if not isinstance(value, list):
        raise InputError(where, "not a list of rings", "Give GeoJSON coordinates.")
    rings = []
    for i, ring in enumerate(value):
        if not isinstance(ring, list):
            raise InputError(f"{where}[{i}]", "not a list of positions", "Give [lon, lat] pairs.")
        rings.append(tuple(_position(f"{where}[{i}][{j}]", p) for j, p in enumerate(ring)))
    return Polygon(tuple(rings))


def _position(where: str, value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) not in {2, 3}:
        raise InputError(where, "not a position", "Give [lon, lat].")
    lon = _number(f"{where}[0]", value[0], (-180.0, 180.0))
    return lon, _number(f"{where}[1]", value[1], (-90.0, 90.0))


def encode_permits(authority_id: str, permits: Iterable[Permit]) -> bytes:
    """The file of some permits in its one canonical form: by id, fixed fields, UTC times.

    Raises InputError for what would not be read back exactly as it is.
    """
    ordered = sorted(permits, key=lambda p: p.permit_id)
    document = {
        "authority": authority_id,
        "permits": [permit_record(p) for p in ordered if not p.exemption_class],
        "exemptions": [permit_record(p) for p in ordered if p.exemption_class],
    }
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        data = text.encode("utf-8") + b"\n"
    except ValueError as e:
        raise InputError("permits", f"cannot be written ({e})", "Mend the permit.") from None
    back = decode_permits(data, "permits")
    lost = next((f for f in back.findings if f.severity is Severity.ERROR), None)
    if lost is not None:
        raise InputError(lost.where, lost.problem, "Mend the permit.")
    if back.permits != tuple(ordered):
        raise InputError("permits", "would not be read back as they are", "Mend the permit.")
    return data


def permit_record(permit: Permit) -> dict[str, object]:
    """A permit as it stands in a file, as plain values."""
    record: dict[str, object] = {"id": permit.permit_id}
    if permit.exemption_class:
        record["class"] = permit.exemption_class
    return record | {
        "holder": permit.holder,
        "serials": list(permit.serials),
        "zones": list(permit.zones),
        "volumes": [_volume_record(v) for v in permit.volumes],
        "state": str(permit.state),
        "must_broadcast": permit.must_broadcast,
        "conditions": list(permit.conditions),
        "state_why": permit.state_why,
        "state_since": format_moment(permit.state_since_ns) if permit.state_since_ns else None,
    }


def _volume_record(volume4d: Volume4D) -> dict[str, object]:
    volume = volume4d.volume
    return {
        "area": _area_record(volume.area),
        "lower": _height_record(volume.lower),
        "upper": _height_record(volume.upper),
        "start": None if volume4d.start_ns is None else format_moment(volume4d.start_ns),
        "end": None if volume4d.end_ns is None else format_moment(volume4d.end_ns),
    }


def _area_record(area: Area) -> dict[str, object]:
    if isinstance(area, Circle):
        circle = {"lat_deg": area.lat_deg, "lon_deg": area.lon_deg, "radius_m": area.radius_m}
        return {"circle": circle}
    rings = [[list(position) for position in ring] for ring in area.rings]
    return {"type": "Polygon", "coordinates": rings}


def _height_record(height: Height | None) -> dict[str, object] | None:
    if height is None:
        return None
    return {"m": height.m, "reference": reference_of(height).name}
