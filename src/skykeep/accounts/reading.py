"""What a record or a dossier has to hold propositions against, gathered from its entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.casebook import FileReport, ResponderReport
from skykeep.core.coverage import WatchBook
from skykeep.core.event import (
    AlertChanged,
    SensorChanged,
    SensorNumbered,
    TrackContinued,
    TrackUpdated,
    VerdictChanged,
    WarningChanged,
)
from skykeep.core.evidence import Evidence, TrackSeen
from skykeep.core.geo import F64
from skykeep.errors import InputError
from skykeep.record.entry import Leaf
from skykeep.units import TrackId

Read = tuple[Leaf, Sequence[bytes | None]]
"""An entry's leaf and its facts; None stands for one that is withheld or gone."""

#: An hour of a busy sky has about 100,000 states; what is held against sentences is a night.
MOST_STATES = 3_000_000
_HEARD = (b'["SensorChanged"', b'["SensorNumbered"', b'["VerdictChanged"', b'["TrackContinued"',
          b'["AlertChanged"', b'["WarningChanged"')  # fmt: skip


@dataclass(slots=True)
class _Gathered:
    book: WatchBook
    states: dict[TrackId, list[TrackUpdated]] = field(default_factory=dict)
    verdicts: dict[TrackId, list[VerdictChanged]] = field(default_factory=dict)
    earlier: dict[TrackId, TrackId] = field(default_factory=dict)
    alerts: list[AlertChanged] = field(default_factory=list)
    warnings: list[WarningChanged] = field(default_factory=list)
    reports: list[ResponderReport] = field(default_factory=list)
    count: int = 0


def gather(
    site: Site, read: Iterable[Read], span: tuple[int, int], reports: Sequence[ResponderReport] = ()
) -> Evidence:
    """The evidence of a span of time; InputError where there is more than can be held.

    `reports` are those that stand in an incident already; without them the record's own count.
    """
    found = _Gathered(WatchBook(*span))
    for leaf, facts in read:
        if leaf.kind == entries.SITE:  # written before the clock was asked
            continue
        found.book.written(leaf.at_ns)
        _take(found, leaf, [f for f in facts if f is not None])
    return Evidence(
        site.frame,
        found.book.sensors(),
        tuple(_track(found, track_id) for track_id in found.states),
        tuple(found.alerts),
        tuple(found.warnings),
        tuple(reports) or tuple(found.reports),
    )


def _take(found: _Gathered, leaf: Leaf, facts: list[bytes]) -> None:
    if leaf.kind == entries.BATCH:
        found.book.heard(leaf.source, leaf.at_ns)
    elif leaf.kind in entries.OUTPUTS:
        for fact in facts:
            _hear(found, fact)
    elif leaf.kind in (entries.COMMAND, entries.CASE) and facts:
        command = wire.decode(facts[0])
        if isinstance(command, RegisterSensor):
            found.book.registered(command.sensor, leaf.at_ns)
        elif isinstance(command, FileReport):
            found.reports.append(
                ResponderReport(
                    leaf.at_ns,
                    command.actor,
                    command.words,
                    command.parts,
                    command.injuries,
                    command.damage,
                )
            )


def _hear(found: _Gathered, fact: bytes) -> None:
    state = entries.state_of(fact)
    if state is not None:
        found.count += 1
        if found.count > MOST_STATES:
            raise InputError("record", f"has over {MOST_STATES} states", "Give a shorter span")
        found.states.setdefault(state.track_id, []).append(state)
        return
    if not fact.startswith(_HEARD):
        return
    said = entries.event_of(fact)
    match said:
        case SensorChanged():
            found.book.changed(said)
        case SensorNumbered():
            found.book.numbered(said)
        case VerdictChanged():
            found.verdicts.setdefault(said.track_id, []).append(said)
        case TrackContinued():
            found.earlier[said.track_id] = said.earlier
        case AlertChanged():
            found.alerts.append(said)
        case WarningChanged():
            found.warnings.append(said)


def _track(found: _Gathered, track_id: TrackId) -> TrackSeen:
    states = sorted(found.states[track_id], key=lambda s: s.state_at_ns)
    return TrackSeen(
        track_id,
        np.array([s.state_at_ns for s in states], np.int64),
        _metres([(s.east_mm, s.north_mm, s.up_mm) for s in states]),
        _metres(
            [(s.velocity_east_mmps, s.velocity_north_mmps, s.velocity_up_mmps) for s in states]
        ),
        _metres([s.sigma_horizontal_mm for s in states]),
        _metres([s.sigma_up_mm for s in states]),
        np.array([s.taken_for_drone for s in states]),
        np.array([s.probability_drone for s in states]),
        tuple(dict.fromkeys(str(name) for s in states for name in s.sensors)),
        tuple(found.verdicts.get(track_id, ())),
        found.earlier.get(track_id),
    )


def _metres(values: list[tuple[int, int, int]] | list[int]) -> F64:
    return np.array(values, np.float64) / 1e3
