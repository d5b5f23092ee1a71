"""A batch of observations as it is posted: one JSON object, its rows as in codec/jsonl.

    {"batch_id": "radar-1:2026-09-12T00:27:00Z", "sensor"?: "radar-1",
     "observations": [{"sensor": "radar-1", "time": .., "polar": {..}}, ...]}

All rows are of one sensor and one form; `kind` stands in all of them or in none. A row that
cannot be read is left out and named, the rows beside it are kept. A turn in which nothing was
seen has no rows and names its `sensor`, so that the sensor does not count as silent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec
import numpy as np

from skykeep.codec.jsonl import Line, Name, Row, row_of
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Form, Signature, operators_of
from skykeep.errors import InputError
from skykeep.units import BatchId, SensorId

#: A radar turn has hundreds of plots; a sender that gathers more sends them in pieces.
MAX_ROWS = 5_000
#: Rows that are named one by one in answer and record; the rest are counted.
FAULTS_NAMED = 100
_ROWS = "$.observations"
_SEE = "See the format's fields and limits."


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that was left out: its place in `observations` (-1: several), field and why."""

    row: int
    field: str
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """What could be read; `places` are the kept rows' places in `observations`."""

    batch: Batch
    places: tuple[int, ...]
    rejected: tuple[RowFault, ...]


class _Post(msgspec.Struct, forbid_unknown_fields=True):
    batch_id: Name
    observations: list[Line]
    sensor: Name | None = None


class _RawPost(msgspec.Struct, forbid_unknown_fields=True):
    batch_id: Name
    observations: list[msgspec.Raw]
    sensor: Name | None = None


_DECODER = msgspec.json.Decoder(_Post)
_RAW_DECODER = msgspec.json.Decoder(_RawPost)
_LINE_DECODER = msgspec.json.Decoder(Line)


def decode_posted(body: bytes, receipt_ns: int, signed: Signature | None = None) -> Posted:
    """The batch of a body received at `receipt_ns` (UTC); `signed` holds over it.

    Raises InputError where the whole is not a batch: broken JSON, no usable row, rows of
    several sensors or forms, too many rows.
    """
    post, lines, faults = _read(body)
    if not lines and not faults:
        return Posted(replace(_empty(post, body, receipt_ns), signed=signed), (), ())
    places, rows = [], []
    for place, line in lines:
        try:
            rows.append(row_of(line, ""))
            places.append(place)
        except InputError as error:
            faults.append(RowFault(place, error.where, error.problem))
    faults.sort(key=lambda fault: fault.row)
    if not rows:
        first = faults[0]
        problem = f"{first.problem}; no row can be used"
        raise InputError(f"{_ROWS}[{first.row}]{first.field[1:]}", problem, _SEE)
    _check_alike(post, lines, places, rows)
    named = _named(faults)
    findings = tuple(
        Finding(f"{_ROWS}[{f.row}]{f.field[1:]}" if f.row >= 0 else _ROWS, f.problem, "left out",
                Severity.ERROR)
        for f in named
    )  # fmt: skip
    sensor = SensorId(lines[0][1].sensor)
    batch = _columns(BatchId(post.batch_id), sensor, receipt_ns, rows, body, findings)
    return Posted(replace(batch, signed=signed), tuple(places), named)


def _read(body: bytes) -> tuple[_Post | _RawPost, list[tuple[int, Line]], list[RowFault]]:
    """All rows at once; only where one is at fault, one by one."""
    faults: list[RowFault] = []
    try:
        post = _DECODER.decode(body)
        _check_count(post.observations)
        return post, list(enumerate(post.observations)), faults
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError("$", f"broken JSON ({str(error)[:200]})", "Send a batch.") from None
    try:
        raw = _RAW_DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        problem, _, path = str(error).partition(" - at `")
        raise InputError(path.rstrip("`") or "$", problem[:200], _SEE) from None
    _check_count(raw.observations)
    lines: list[tuple[int, Line]] = []
    for place, row in enumerate(raw.observations):
        try:
            lines.append((place, _LINE_DECODER.decode(row)))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            problem, _, path = str(error).partition(" - at `")
            faults.append(RowFault(place, path.rstrip("`") or "$", problem[:200]))
    return raw, lines, faults


def _check_count(rows: Sequence[object]) -> None:
    if len(rows) > MAX_ROWS:
        problem = f"has {len(rows)} rows, more than {MAX_ROWS}"
        raise InputError(_ROWS, problem, "Send them as several batches.")


def _named(faults: list[RowFault]) -> tuple[RowFault, ...]:
    more = len(faults) - FAULTS_NAMED
    if more <= 0:
        return tuple(faults)
    rest = RowFault(-1, "$", f"{more} more rows cannot be used")
    return (*faults[:FAULTS_NAMED], rest)


def _check_alike(
    post: _Post | _RawPost, lines: list[tuple[int, Line]], places: list[int], rows: list[Row]
) -> None:
    """One sensor, one form, likelihoods in all rows or in none."""
    sensor = post.sensor or lines[0][1].sensor
    for place, line in lines:
        if line.sensor != sensor:
            where = f"{_ROWS}[{place}].sensor"
            problem = f"{line.sensor!r} in a batch of {sensor!r}"
            raise InputError(where, problem, "Send a batch for each sensor.")
    form, with_kind = rows[0].form, rows[0].kind is not None
    for place, row in zip(places, rows, strict=True):
        if row.form is not form:
            problem = f"{row.form} in a batch of {form}"
            raise InputError(f"{_ROWS}[{place}]", problem, "Send a batch for each form.")
        if (row.kind is not None) != with_kind:
            problem = "kind stands in some rows only"
            raise InputError(f"{_ROWS}[{place}].kind", problem, "Give it in all rows or in none.")


def _columns(
    batch_id: BatchId,
    sensor: SensorId,
    receipt_ns: int,
    rows: list[Row],
    body: bytes,
    findings: tuple[Finding, ...],
) -> Batch:
    (
        times, _, forms, values, sigmas, velocities, references, kinds, claims, words, ids, slack,
        operators,
    ) = zip(*rows, strict=True)  # fmt: skip
    tracks = forms[0] is Form.TRACK
    return Batch(
        batch_id,
        sensor,
        receipt_ns,
        forms[0],
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(sigmas, np.float64),
        np.array(velocities, np.float64),
        np.array(references, np.int8),
        None if kinds[0] is None else np.array(kinds, np.float64),
        () if claims.count(None) == len(claims) else claims,
        words if any(words) else (),
        (sha256(body).hexdigest(),),
        findings,
        ids if tracks else (),
        np.array(slack, np.float64) if tracks else None,
        operators_of(operators),
    )


def _empty(post: _Post | _RawPost, body: bytes, receipt_ns: int) -> Batch:
    if post.sensor is None:
        raise InputError("$.sensor", "missing, and there are no rows", "Name the sensor.")
    nothing = np.full((0, 3), math.nan)
    return Batch(
        BatchId(post.batch_id),
        SensorId(post.sensor),
        receipt_ns,
        Form.POSITION,
        np.zeros(0, np.int64),
        nothing,
        nothing,
        nothing,
        np.zeros(0, np.int8),
        raw_sha256=(sha256(body).hexdigest(),),
    )
