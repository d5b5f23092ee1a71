"""Skykeep's JSON lines from a file, as batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from skykeep.codec.jsonl import MAX_LINE_BYTES, decode_line
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Form, Observation, batch_of
from skykeep.errors import InputError
from skykeep.feed.findings import FindingLog
from skykeep.feed.lines import empty_batch, read_lines, too_long
from skykeep.units import BatchId, SensorId

#: Rows of one batch: a radar scan with its clutter fits, memory stays small.
MAX_GROUP = 1_000


def read_file(path: Path) -> Iterator[Batch]:
    """The observations of a file in its own order.

    Lines in a row with the same sensor, time and form are one batch (up to `MAX_GROUP`).
    A broken line becomes a finding of the next batch. A file without a usable line is one
    batch without rows, of a sensor named like the file, received at 0. Raises InputError
    when the file cannot be read.
    """
    log = FindingLog()
    group: list[Observation] = []
    batches = 0
    for number, line in read_lines(path, MAX_LINE_BYTES):
        if line is not None and not line.strip():
            continue
        row = _observation(path, number, line, log)
        if row is None:
            continue
        if group and (_key(group[0]) != _key(row) or len(group) >= MAX_GROUP):
            batches += 1
            yield _batch(group, batches, log.drain())
            group = []
        group.append(row)
    findings = log.close(path.name)
    if group:
        yield _batch(group, batches + 1, findings)
    elif findings:
        sensor = SensorId(path.name)
        yield empty_batch(BatchId(f"{sensor}:0:0"), sensor, 0, Form.POSITION, findings)


def _observation(
    path: Path, number: int, line: bytes | None, log: FindingLog
) -> Observation | None:
    place = f"line {number}: "
    try:
        if line is None:
            raise too_long(MAX_LINE_BYTES)
        parsed = decode_line(line, number)
    except InputError as e:
        field = e.where.removeprefix(place)
        log.refuse(f"{path.name} line {number}", InputError(field, e.problem, e.mend))
        return None
    if not parsed.has_receipt:
        where, problem = f"{path.name} line {number}: $.received", "no receipt time"
        log.once(Finding(where, problem, "received when it happened", Severity.NOTE))
    return replace(parsed.observation, raw_sha256=hashlib.sha256(line).hexdigest())


def _key(o: Observation) -> tuple[SensorId, int, int, Form, bool]:
    """What the rows of one batch share; likelihoods are a column that all rows have or none."""
    with_kind = o.kind_likelihood is not None
    return o.sensor_id, o.event_time_ns, o.receipt_time_ns, o.form, with_kind


def _batch(group: list[Observation], number: int, findings: tuple[Finding, ...]) -> Batch:
    first = group[0]
    batch_id = BatchId(f"{first.sensor_id}:{first.receipt_time_ns}:{number}")
    rows = [replace(o, batch_id=batch_id, row=i) for i, o in enumerate(group)]
    return batch_of(rows, findings)
