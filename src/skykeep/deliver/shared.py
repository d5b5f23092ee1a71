"""What a recipient may know of a track: permission and confirmation, on a grid, and no more.

Nothing here says who an aircraft is, what it may want, or what somebody should do about it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skykeep.core.casebook import Conclusion, Incident
from skykeep.core.event import Permission
from skykeep.core.geo import Frame
from skykeep.core.picture import TrackView
from skykeep.core.verdict import GONE
from skykeep.units import TrackId

#: Where several named persons conclude differently.
DISPUTED = "disputed"
#: The gravest first: what a track is told to be over all zones.
GRAVEST = (
    Permission.NOT_PERMITTED,
    Permission.UNDETERMINED,
    Permission.PERMITTED,
    Permission.NOT_SUBJECT,
)


@dataclass(frozen=True, slots=True)
class SharedTrack:
    """One track as it is told outside; `uid` stays the same as long as the track.

    `height_hae_m` is None where no height is known. `ce_m` and `le_m` are one standard deviation,
    horizontally (of the largest axis) and up, the grid's share included.
    """

    uid: str
    track_id: str
    at_ns: int
    lat_deg: float
    lon_deg: float
    height_hae_m: float | None
    ce_m: float
    le_m: float | None
    speed_mps: float
    course_deg: float
    permission: Permission
    confirmation: str
    zones: tuple[str, ...]
    exercise: bool


def uid_of(authority_id: str, track_id: str) -> str:
    """One name for one track everywhere."""
    return f"skykeep.{authority_id}.{track_id}"


def shared(
    view: TrackView, frame: Frame, authority_id: str, precision_m: float, confirmation: str,
    exercise: bool,
) -> SharedTrack:  # fmt: skip
    """A track on the recipient's grid (metres; 0: as it is)."""
    state = view.state
    east_m, north_m, up_m = (v / 1_000.0 for v in (state.east_mm, state.north_mm, state.up_mm))
    east_m, north_m, up_m = (_on_grid(v, precision_m) for v in (east_m, north_m, up_m))
    lat, lon, hae_m = frame.to_geodetic(east_m, north_m, up_m)
    # A place that is uniform over a cell of g adds g/sqrt(12) of standard deviation on each axis.
    grid_sigma_m = precision_m / math.sqrt(12.0)
    v_east, v_north = state.velocity_east_mmps / 1e3, state.velocity_north_mmps / 1e3
    known = state.height_mm is not None
    verdicts = [(zone_id, v) for zone_id, where, v in view.verdicts if where.what != GONE]
    said = {verdict.permission for _, verdict in verdicts}
    permission = next((p for p in GRAVEST if p in said), Permission.UNDETERMINED)
    return SharedTrack(
        uid_of(authority_id, view.track_id),
        view.track_id,
        state.state_at_ns,
        round(lat, 7),
        round(lon, 7),
        round(hae_m, 1) if known else None,
        round(math.hypot(state.sigma_horizontal_mm / 1e3, grid_sigma_m), 1),
        round(math.hypot(state.sigma_up_mm / 1e3, grid_sigma_m), 1) if known else None,
        round(math.hypot(v_east, v_north), 1),
        round(math.degrees(math.atan2(v_east, v_north)) % 360.0) % 360,
        permission,
        confirmation,
        tuple(zone_id for zone_id, _ in verdicts),
        exercise,
    )


def _on_grid(metres: float, precision_m: float) -> float:
    return round(metres / precision_m) * precision_m if precision_m > 0.0 else metres


def confirmations(incidents: Iterable[Incident]) -> Mapping[TrackId, str]:
    """What named persons have concluded about each track's incidents; absent: nobody has."""
    said: dict[TrackId, set[str]] = {}
    for incident in incidents:
        newest = {a.author.name: a.conclusion.value for a in incident.assessments}
        for track_id in incident.tracks:
            said.setdefault(track_id, set()).update(newest.values())
    return {
        track_id: next(iter(found)) if len(found) == 1 else DISPUTED
        for track_id, found in said.items()
        if found
    }


def confirmation_of(track_id: TrackId, known: Mapping[TrackId, str]) -> str:
    """The confirmation of one track in a word."""
    return known.get(track_id, Conclusion.UNVERIFIED.value)


def gravest_first(tracks: Sequence[SharedTrack]) -> list[SharedTrack]:
    """In the order in which they are told where not all can be."""
    return sorted(tracks, key=lambda t: (GRAVEST.index(t.permission), t.uid))
