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
        "state_why"?: "..", "state_since"?: "2026-09-11T10:00:00Z",
        "procedure"?: {..}, "application"?: {..}}],   (codec/permit_procedure)
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
from skykeep.codec.moment import format_moment
from skykeep.codec.permit_fields import (
    VOLUME_FIELDS,
    Object,
    flag_of,
    moment_of,
    object_of,
    text_of,
    texts_of,
    volume_of,
    volume_record,
)
from skykeep.codec.permit_procedure import (
    application_of,
    application_record,
    procedure_of,
    procedure_record,
)
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import Volume4D
from skykeep.core.identifiers import serial_fault
from skykeep.core.permit import ExemptionClass, Permit, PermitState, Procedure
from skykeep.errors import InputError
from skykeep.units import PermitId, ZoneId

#: Far more than one authority issues in a year.
MAX_PERMITS = 10_000
_FILE_FIELDS = frozenset({"authority", "permits", "exemptions"})
_PERMIT_FIELDS = frozenset(
    {"id", "holder", "serials", "zones", "volumes", "state", "must_broadcast", "conditions"}
) | {"state_why", "state_since", "procedure", "application"}
_EXEMPTION_FIELDS = _PERMIT_FIELDS | {"class"}


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
    fields = cast(Object, document)
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

    def unknown(self, where: str, fields: Object, known: Iterable[str]) -> None:
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
            fields = object_of(where, record)
            self.unknown(where, fields, _EXEMPTION_FIELDS if exempt else _PERMIT_FIELDS)
            permit = Permit(
                permit_id=PermitId(text_of(where, fields, "id")),
                authority_id=authority,
                holder=text_of(where, fields, "holder", ""),
                serials=self._serials(where, fields),
                zones=tuple(ZoneId(z) for z in texts_of(where, fields, "zones", not exempt)),
                volumes=self._volumes(f"{where}.volumes", fields.get("volumes")),
                state=_state(where, fields),
                exemption_class=text_of(where, fields, "class") if exempt else "",
                must_broadcast=flag_of(where, fields, "must_broadcast", True),
                conditions=texts_of(where, fields, "conditions", False),
                state_why=text_of(where, fields, "state_why", ""),
                state_since_ns=moment_of(where, fields, "state_since", None) or 0,
                procedure=procedure_of(f"{where}.procedure", fields.get("procedure")),
                application=application_of(
                    f"{where}.application", fields.get("application"), self.findings
                ),
            )
        except InputError as e:
            self.error(e.where, e.problem, f"left out: {where}. {e.mend}")
            return None
        if exempt and permit.exemption_class not in list(ExemptionClass):
            classes = ", ".join(ExemptionClass)
            self.warn(f"{where}.class", f"is none of {classes}", "kept as it is")
        for name, values in (("serials", permit.serials), ("volumes", permit.volumes)):
            if not values:
                self.warn(f"{where}.{name}", "nothing in it", "this permit opens nothing")
        if not permit.zones and not exempt:
            self.warn(f"{where}.zones", "nothing in it", "this permit opens nothing")
        return permit

    def _serials(self, where: str, fields: Object) -> tuple[str, ...]:
        serials = texts_of(where, fields, "serials", True)
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
                fields = object_of(f"{where}[{i}]", record)
                self.unknown(f"{where}[{i}]", fields, VOLUME_FIELDS)
                volumes.append(volume_of(f"{where}[{i}]", fields))
            except InputError as e:
                self.error(e.where, e.problem, f"volume not opened. {e.mend}")
        return tuple(volumes)


def _state(where: str, fields: Object) -> PermitState:
    value = fields.get("state")
    if value not in list(PermitState):
        states = ", ".join(PermitState)
        raise InputError(f"{where}.state", f"cannot be {shown(value)}", f"Give one of {states}.")
    return PermitState(str(value))


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
    more: dict[str, object] = {}
    if permit.procedure != Procedure():
        more["procedure"] = procedure_record(permit.procedure)
    if permit.application is not None:
        more["application"] = application_record(permit.application)
    return record | {
        "holder": permit.holder,
        "serials": list(permit.serials),
        "zones": list(permit.zones),
        "volumes": [volume_record(v) for v in permit.volumes],
        "state": str(permit.state),
        "must_broadcast": permit.must_broadcast,
        "conditions": list(permit.conditions),
        "state_why": permit.state_why,
        "state_since": format_moment(permit.state_since_ns) if permit.state_since_ns else None,
        **more,
    }
