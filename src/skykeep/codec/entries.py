"""Core values <-> entries of the record: canonical JSON facts, identities apart (and private)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from hashlib import sha256
from operator import attrgetter
from typing import Any, get_args

import msgspec
import numpy as np

from skykeep import __version__
from skykeep.codec import wire
from skykeep.core.airspace import Command, Site
from skykeep.core.casebook import CaseCommand
from skykeep.core.event import (
    AccountActed,
    AlertChanged,
    Event,
    Finding,
    FloodChanged,
    IdentityChanged,
    Looked,
    Severity,
    Tick,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.geo import F64
from skykeep.core.observation import (
    Batch,
    Claim,
    Form,
    OperatorPosition,
    Scheme,
    Signature,
    operators_of,
)
from skykeep.core.permit_book import PermitCommand
from skykeep.core.retention import EraseKeys, coarse_place
from skykeep.core.schedule import TIME_ZONE_DATA_VERSION
from skykeep.errors import InputError, RecordError
from skykeep.record.entry import LONGEST_SOURCE, Entry, Fact
from skykeep.units import BatchId, SensorId

SITE, BATCH, COMMAND, TICK, CASE = "site", "batch", "command", "tick", "case"
ERASURE, LOOK, ACCOUNT = "erasure", "look", "account"
TRACKS, VERDICT, ALERT = "tracks", "verdict", "alert"
INPUTS = frozenset({BATCH, COMMAND, TICK})
OUTPUTS = frozenset({TRACKS, VERDICT, ALERT})
ENGINE = "engine"  # the source of what the engine said

#: A track's state is by far the most frequent fact: it is written as an array in this order,
#: which the record's first entry names.
STATE_FIELDS = tuple(f.name for f in fields(TrackUpdated))
_state_values = attrgetter(*STATE_FIELDS)
_EVENTS = {kind.__name__: kind for kind in get_args(Event)}


def site_entry(site: Site, at_ns: int) -> Entry:
    """The first entry: whose record this is, and what computed it."""
    versions = {
        "skykeep": __version__,
        "time_zone_data": TIME_ZONE_DATA_VERSION,
        "TrackUpdated": STATE_FIELDS,
    }
    return Entry(SITE, at_ns, site.authority_id, (Fact(wire.encode(site)), _json(versions)))


def site_of(facts: Sequence[bytes]) -> Site:
    """The site that a record was kept for."""
    site = wire.decode(facts[0])
    if not isinstance(site, Site):
        raise RecordError("the first entry names no site")
    return site


def written_by(facts: Sequence[bytes]) -> str:
    """The version that began a record, as its first entry says; "unknown" where it does not."""
    try:
        return str(msgspec.json.decode(facts[1])["skykeep"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return "unknown"


def tick_entry(tick: Tick) -> Entry:
    """A tick says all it says by its time."""
    return Entry(TICK, tick.at_ns, "clock", ())


def command_entry(command: Command | CaseCommand, kind: str, at_ns: int) -> Entry:
    """A command; one about a permit is sealed: it names who flies."""
    private = isinstance(command, PermitCommand)
    return Entry(kind, at_ns, kind, (Fact(wire.encode(command), private=private),))


def erasure_entry(command: EraseKeys, at_ns: int) -> Entry:
    """Which keys were destroyed, by whom and why: anybody may know."""
    return Entry(ERASURE, at_ns, ERASURE, (Fact(wire.encode(command)),))


def look_entry(said: Looked) -> Entry:
    """Who looked at what, when and why: open, like every act of the authority's people."""
    return Entry(LOOK, said.until_ns, LOOK, (Fact(wire.encode(said)),))


def account_entry(said: AccountActed) -> Entry:
    """What was done with an account: open, as are looks."""
    return Entry(ACCOUNT, said.at_ns, ACCOUNT, (Fact(wire.encode(said)),))


def batch_entry(batch: Batch) -> Entry:
    """A batch: its head, its rows' kinematics, then its claims, sealed.

    InputError for one that no entry can hold.
    """
    if len(batch.sensor_id) > LONGEST_SOURCE:
        problem = f"has {len(batch.sensor_id)} characters, at most {LONGEST_SOURCE} are recorded"
        raise InputError("sensor_id", problem, "Give the sensor a shorter name.")
    try:
        return Entry(BATCH, batch.receipt_time_ns, batch.sensor_id, _batch_facts(batch))
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair in one of its texts"
        raise InputError("batch", problem, "Give text that is Unicode.") from None


def _batch_facts(batch: Batch) -> tuple[Fact, ...]:
    raw, signed = list(batch.raw_sha256), batch.signed
    # The hash of bytes that name somebody goes with what they name: a guess could be held to it.
    hidden = bool(batch.claims)
    head = {
        "batch": batch.batch_id,
        "sensor": batch.sensor_id,
        "received": batch.receipt_time_ns,
        "form": batch.form.value,
        "rows": len(batch),
        "kinds": batch.kind_likelihood is not None,
        "words": bool(batch.words),
        "claims": bool(batch.claims),
        "upstream_ids": bool(batch.upstream_ids),
        "velocity_sigmas": batch.velocity_sigmas_mps is not None,
        "raw": [] if hidden else raw,
        "signed": None
        if signed is None
        else asdict(replace(signed, value="" if hidden else signed.value)),
        "findings": [asdict(f) for f in batch.findings],
    }
    facts = [_json(head), *_rows(batch)]
    if hidden:
        with_hash = {"raw": raw} | ({} if signed is None else {"signature": signed.value})
        facts.append(_private(with_hash, brief=bool(batch.operators)))
    exact: list[Fact] = []
    for row, claim in enumerate(batch.claims):
        if claim is None:
            continue
        said: dict[str, Any] = {"row": row, **asdict(claim)}
        place = batch.operators[row] if batch.operators else None
        if place is not None:
            said["operator_near"] = [*coarse_place(place.lat_deg, place.lon_deg), place.source]
            names = {"identity": claim.identity, "transmitter": claim.transmitter}
            where = {"operator_at": [place.lat_deg, place.lon_deg]}
            exact.append(_private({"row": row, **names, **where}, brief=True))
        facts.append(_private(said))
    return (*facts, *exact)


def _private(said: dict[str, Any], brief: bool = False) -> Fact:
    return Fact(msgspec.json.encode(said), private=True, brief=brief)


def content_digest(batch: Batch, entry: Entry) -> bytes:
    """What a batch says, whenever it was received and however its bytes were laid out.

    `entry` is the batch's own: a sender that repeats itself gives the same facts. What goes
    sooner than the rest (raw bytes' hash, where exactly an operator stood) is left out.
    """
    findings = [asdict(f) for f in batch.findings]
    head = msgspec.json.encode([batch.sensor_id, batch.form.value, len(batch), findings])
    said = [f.data for f in entry.facts[1:] if not (f.brief or is_raw(f.data))]
    return sha256(b"\n".join([head, *said])).digest()


_RAW = b'{"raw":'


def is_raw(fact: bytes) -> bool:
    """Whether a sealed fact of a batch is the hash of its raw bytes."""
    return fact.startswith(_RAW)


def _rows(batch: Batch) -> list[Fact]:
    columns = [
        batch.event_time_ns.tolist(),
        _nullable(batch.values),
        _nullable(batch.sigmas),
        _nullable(batch.velocities_mps),
        batch.height_references.tolist(),
    ]
    kinds = batch.kind_likelihood
    columns.append([None] * len(batch) if kinds is None else _nullable(kinds))
    columns.append(list(batch.words) or [None] * len(batch))
    slack = batch.velocity_sigmas_mps
    if batch.upstream_ids or slack is not None:
        columns.append(list(batch.upstream_ids) or [None] * len(batch))
        columns.append([None] * len(batch) if slack is None else _nullable(slack))
    encode = msgspec.json.encode
    return [Fact(encode(row)) for row in zip(*columns, strict=True)]


def _nullable(values: F64) -> list[list[float | str]]:
    """JSON has no NaN and no infinities: null, which msgspec writes for a NaN, and their names."""
    rows: list[list[float | str]] = values.tolist()
    if np.isinf(values).any():
        return [[repr(v) if v in _INFINITE else v for v in row] for row in rows]
    return rows


_INFINITE = (math.inf, -math.inf)


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


#: A claim that is no object; a time beyond 64 bits.
_MISFITS = (AttributeError, OverflowError)


def batch_of(facts: Sequence[bytes | None]) -> Batch:
    """The batch that `batch_entry` wrote, to the last bit; RecordError if it is not one.

    None stands for a brief fact that is gone: an operator's position is then known to a cell,
    and there are no raw bytes' hashes.
    """
    try:
        said_all: list[Any] = [None if f is None else msgspec.json.decode(f) for f in facts]
        head, *rest = said_all
        count = head["rows"]
        rows, sealed = rest[:count], [said for said in rest[count:] if said is not None]
        if len(rows) != count:
            raise RecordError(f"the facts make no batch: {len(rows)} of {count} rows are there")
        claims: list[Claim | None] = [None] * count
        operators: list[OperatorPosition | None] = [None] * count
        raw, signed = head["raw"], head["signed"]
        for said in sealed:
            if "raw" in said:
                raw = said["raw"]
                if signed is not None:
                    signed["value"] = said["signature"]
                continue
            row = said.pop("row")
            if "operator_at" in said:
                lat, lon = map(float, said["operator_at"])
                operators[row] = replace(operators[row], lat_deg=lat, lon_deg=lon, exact=True)
                continue
            near = said.pop("operator_near", None)
            if near is not None:
                operators[row] = OperatorPosition(float(near[0]), float(near[1]), near[2], False)
            claims[row] = Claim(**(said | {"scheme": Scheme(said["scheme"])}))
        return Batch(
            BatchId(head["batch"]),
            SensorId(head["sensor"]),
            head["received"],
            Form(head["form"]),
            np.array([r[0] for r in rows], np.int64),
            _matrix(rows, 1, 3),
            _matrix(rows, 2, 3),
            _matrix(rows, 3, 3),
            np.array([r[4] for r in rows], np.int8),
            _matrix(rows, 5, 4) if head["kinds"] else None,
            tuple(claims) if head["claims"] else (),
            tuple(r[6] for r in rows) if head["words"] else (),
            tuple(raw),
            tuple(_finding(f) for f in head["findings"]),
            tuple(r[7] for r in rows) if head["upstream_ids"] else (),
            _matrix(rows, 8, 3) if head["velocity_sigmas"] else None,
            operators_of(operators),
            None if signed is None else Signature(**signed),
        )
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, *_MISFITS) as error:
        raise RecordError(f"the facts make no batch: {error}") from None


def _matrix(rows: list[Any], column: int, width: int) -> Any:
    values = [[_float(v) for v in row[column]] for row in rows]
    return np.array(values, np.float64).reshape(len(rows), width)


def _finding(raw: dict[str, Any]) -> Finding:
    return Finding(raw["where"], raw["problem"], raw["assumed"], Severity(raw["severity"]))


def output_entries(events: Iterable[Event], at_ns: int) -> list[Entry]:
    """What the engine said to one input: tracks and all else together, verdicts, alerts."""
    others: list[Fact] = []
    apart: list[Entry] = []
    for event in events:
        if isinstance(event, TrackUpdated):
            others.append(Fact(msgspec.json.encode(["TrackUpdated", _state_values(event)])))
            continue
        fact = Fact(wire.encode_event(event), private=isinstance(event, IdentityChanged))
        if isinstance(event, VerdictChanged):
            apart.append(Entry(VERDICT, event.at_ns, ENGINE, (fact,)))
        elif isinstance(event, AlertChanged | FloodChanged):
            apart.append(Entry(ALERT, event.at_ns, ENGINE, (fact,)))
        else:
            others.append(fact)
    return [*([Entry(TRACKS, at_ns, ENGINE, tuple(others))] if others else []), *apart]


def state_of(fact: bytes) -> TrackUpdated | None:
    """The track state that an open fact of a `tracks` entry holds, if it is one."""
    values = state_values(fact)
    if values is None:
        return None
    return msgspec.convert(dict(zip(STATE_FIELDS, values, strict=True)), TrackUpdated)


def state_values(fact: bytes) -> list[Any] | None:
    """The same as plain values in the order of `STATE_FIELDS`, for whoever makes columns of them.

    RecordError for a state that has not these fields.
    """
    if not fact.startswith(b'["TrackUpdated"'):
        return None
    try:
        values = msgspec.json.decode(fact)[1]
    except (msgspec.DecodeError, LookupError) as error:
        raise RecordError(f"the fact is no track's state: {error}") from None
    if not isinstance(values, list) or len(values) != len(STATE_FIELDS):
        raise RecordError("the fact is no track's state: it has other fields")
    return values


def identity_of(fact: bytes) -> IdentityChanged | None:
    """What a sealed fact of a `tracks` entry says of who a track is."""
    if not fact.startswith(b'["IdentityChanged"'):
        return None
    return msgspec.convert(msgspec.json.decode(fact)[1], IdentityChanged)


def event_of(fact: bytes) -> Event:
    """The event in a fact of a `tracks`, `verdict` or `alert` entry, or RecordError."""
    try:
        name, said = msgspec.json.decode(fact)
        if name == TrackUpdated.__name__:
            said = dict(zip(STATE_FIELDS, said, strict=True))
        event: Event = msgspec.convert(said, _EVENTS[name])
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"a fact is no event: {error}") from None
    return event


def _json(value: object) -> Fact:
    return Fact(msgspec.json.encode(value))
