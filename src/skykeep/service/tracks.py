"""Tracks with their verdicts, and the sensors that they come from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from skykeep.codec.moment import format_moment
from skykeep.core.event import RegistrationChanged
from skykeep.core.geo import Frame
from skykeep.core.picture import TrackView
from skykeep.core.track.arrival import HORIZON_S
from skykeep.core.verdict import Presence
from skykeep.runtime import Recorded
from skykeep.service.alerts import ReasonOut, reasons_out
from skykeep.service.desk import READS, needs, writer_of
from skykeep.service.looks import looked
from skykeep.service.rights import may
from skykeep.service.tokens import Holder

router = APIRouter(tags=["tracks"])


class HeightOut(BaseModel):
    """Metres in the reference in which the height is judged."""

    m: float
    reference: str


class ArrivalOut(BaseModel):
    """How likely it enters within `within_s`, and by when with 10, 50 and 90 %.

    From its uncertainty, by the tracker's model of motion; null where that is not reached.
    """

    probability: float
    within_s: float
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None


class VerdictOut(BaseModel):
    """The permission of a track in a zone where it is, or will be.

    `entry_in_s` is when it enters on its present course. `arrival` is null where it cannot
    be foreseen, or is not awaited, such as a bird.
    """

    zone: str
    presence: str
    entry_in_s: float | None
    arrival: ArrivalOut | None
    permission: str
    reasons: list[ReasonOut]
    strength: str
    permit_id: str | None


class IdentityOut(BaseModel):
    """What a track is said to be, and how far that was checked."""

    scheme: str
    identity: str
    transmitter: str
    strength: str


class TrackOut(BaseModel):
    """One track as it was last judged; `identity` is for officers only."""

    track_id: str
    at: str
    first_seen: str
    last_seen: str
    lat_deg: float
    lon_deg: float
    height: HeightOut | None
    velocity_mps: tuple[float, float, float]
    sigma_horizontal_m: float
    sigma_vertical_m: float
    probability_drone: float
    taken_for_drone: bool
    sensors: list[str]
    identity: IdentityOut | None
    identity_withheld: bool
    verdicts: list[VerdictOut]
    alert_id: str | None


class TrackList(BaseModel):
    """Tracks, oldest first."""

    tracks: list[TrackOut]


class CoverageOut(BaseModel):
    """What a sensor can see from its place; azimuths clockwise, 0 to 360 is all round."""

    range_min_m: float
    range_max_m: float
    azimuth_from_deg: float
    azimuth_to_deg: float
    elevation_min_deg: float
    elevation_max_deg: float


class BiasOut(BaseModel):
    """Measured minus true; a time stamp minus the moment."""

    range_m: float
    azimuth_deg: float
    elevation_deg: float
    time_s: float


class RegistrationOut(BaseModel):
    """How far a sensor was found to be off, when that last changed materially.

    The parts in `applied` (`range`, `azimuth`, `elevation`, `time`) are taken away from what it
    measures. It rests on so many aircraft that agree, and comparisons with their claims.
    """

    at: str
    applied: list[str]
    bias: BiasOut
    sigma: BiasOut
    aircraft: int
    comparisons: int


class SensorOut(BaseModel):
    """A registered sensor and how it does: `unknown`, `working`, `silent` or `maintenance`.

    `period_s` is how often it reports when all is well, null: only when there is something.
    """

    sensor: str
    kind: str
    lat_deg: float
    lon_deg: float
    height_hae_m: float
    words: str
    period_s: float | None
    coverage: CoverageOut
    health: str
    signs: bool
    last_heard: str | None
    registration: RegistrationOut | None


class SensorList(BaseModel):
    """Sensors in the order of their registration."""

    sensors: list[SensorOut]


@router.get("/v1/tracks", responses=READS)
async def get_tracks(
    request: Request, holder: Annotated[Holder, needs("tracks.read")]
) -> TrackList:
    """The tracks of this moment with their verdicts."""
    named = may(holder, "identity.read")
    if named:
        await looked(request, holder, "tracks")

    def look(recorded: Recorded) -> TrackList:
        airspace = recorded.runtime.airspace
        frame = airspace.site.frame
        return TrackList(tracks=[_track(t, frame, named) for t in airspace.tracks()])

    return await writer_of(request).ask(look)


@router.get("/v1/sensors", responses=READS)
async def get_sensors(
    request: Request,
    holder: Annotated[Holder, needs("sensors.read")],
) -> SensorList:
    """The registered sensors and their health."""

    def look(recorded: Recorded) -> SensorList:
        return SensorList(
            sensors=[
                SensorOut(
                    sensor=s.sensor.sensor_id,
                    kind=s.sensor.kind,
                    lat_deg=s.sensor.lat_deg,
                    lon_deg=s.sensor.lon_deg,
                    height_hae_m=s.sensor.height_hae_m,
                    words=s.sensor.words,
                    period_s=s.sensor.period_s,
                    coverage=CoverageOut(**asdict(s.sensor.coverage)),
                    health=s.health,
                    signs=bool(s.sensor.key),
                    last_heard=format_moment(s.last_ns) if s.last_ns else None,
                    registration=_registration(s.registration.said),
                )
                for s in recorded.runtime.airspace.stations()
            ]
        )

    return await writer_of(request).ask(look)


def _arrival(where: Presence) -> ArrivalOut | None:
    if where.arrival is None:
        return None
    return ArrivalOut(within_s=HORIZON_S, **asdict(where.arrival))


def _registration(said: RegistrationChanged | None) -> RegistrationOut | None:
    if said is None:
        return None
    return RegistrationOut(
        at=format_moment(said.at_ns),
        applied=list(said.applied),
        bias=BiasOut(**asdict(said.bias)),
        sigma=BiasOut(**asdict(said.sigma)),
        aircraft=said.aircraft,
        comparisons=said.comparisons,
    )


def _track(view: TrackView, frame: Frame, named: bool) -> TrackOut:
    s = view.state
    lat, lon, _ = frame.to_geodetic(s.east_mm / 1e3, s.north_mm / 1e3, s.up_mm / 1e3)
    height = None
    if s.height_mm is not None:
        height = HeightOut(m=s.height_mm / 1e3, reference=s.height_reference)
    identity = None
    if named and view.identity:
        scheme, said, transmitter, strength = view.identity[:4]
        identity = IdentityOut(
            scheme=scheme, identity=said, transmitter=transmitter, strength=strength
        )
    return TrackOut(
        track_id=view.track_id,
        at=format_moment(s.state_at_ns),
        first_seen=format_moment(view.first_ns),
        last_seen=format_moment(view.last_ns),
        lat_deg=round(lat, 7),
        lon_deg=round(lon, 7),
        height=height,
        velocity_mps=(
            s.velocity_east_mmps / 1e3,
            s.velocity_north_mmps / 1e3,
            s.velocity_up_mmps / 1e3,
        ),
        sigma_horizontal_m=s.sigma_horizontal_mm / 1e3,
        sigma_vertical_m=s.sigma_up_mm / 1e3,
        probability_drone=s.probability_drone,
        taken_for_drone=s.taken_for_drone,
        sensors=list(s.sensors),
        identity=identity,
        identity_withheld=bool(view.identity) and not named,
        verdicts=[
            VerdictOut(
                zone=zone_id,
                presence=where.what,
                entry_in_s=where.entry_in_s,
                arrival=_arrival(where),
                permission=verdict.permission,
                reasons=reasons_out(verdict.reasons, named),
                strength=verdict.strength,
                permit_id=verdict.permit_id if named else None,
            )
            for zone_id, where, verdict in view.verdicts
        ],
        alert_id=view.alert_id,
    )
