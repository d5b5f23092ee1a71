"""The site as it was between two groups: values alone, to be told of without haste."""

from __future__ import annotations

from dataclasses import dataclass

from skykeep.core.alert import Alert
from skykeep.core.casebook import Incident
from skykeep.core.handover import Handover
from skykeep.core.permit import Permit
from skykeep.core.picture import TrackView
from skykeep.core.stations import StationSnapshot
from skykeep.core.zone import Zone
from skykeep.runtime import Recorded


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What the record holds for certain at `at_ns`, the site's time."""

    at_ns: int
    tracks: tuple[TrackView, ...]
    alerts: tuple[Alert, ...]
    zones: tuple[Zone, ...]
    permits: tuple[Permit, ...]
    stations: tuple[StationSnapshot, ...]
    incidents: tuple[Incident, ...]
    too_late: int
    handovers: tuple[Handover, ...] = ()
    exercise_until_ns: int = 0
    flood: tuple[bool, int] = (False, 0)


def moment_of(recorded: Recorded, at_ns: int) -> Moment:
    """Everything that a view is made of; nothing in it changes later."""
    airspace = recorded.runtime.airspace
    return Moment(
        at_ns,
        airspace.tracks(),
        airspace.alerts(),
        airspace.zones(),
        airspace.permits(),
        airspace.stations(),
        tuple(recorded.runtime.casebook.incidents.values()),
        airspace.too_late,
        tuple(airspace.handovers.handovers.values()),
        airspace.handovers.exercise_until_ns,
        airspace.flood(),
    )
