"""The boats through the tracker of the core: radar and lidar as plots, cameras as bearings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from bench.autoferry import measured
from bench.autoferry.loader import F64, POSITIONS, Kind, Scan
from skykeep.core.geo import Frame
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.track.columns import Plots
from skykeep.core.track.timeline import HeardBearings, HeardPlots, Timeline
from skykeep.core.track.tracker import SensorView, TrackerConfig, view_of
from skykeep.units import NS_PER_S, BatchId, SensorId

#: Everything floats: heights are all nought, known to this.
UP_SIGMA_M = 1.0
#: The dataset's origin, near Piren in Trondheim; only differences count.
SITE = Frame(63.43, 10.39, 0.0)
ALL_UP = (-89.0, 89.0)
TURN_S = {Kind.RADAR: 1.68, Kind.LIDAR: 0.5, Kind.EO: None, Kind.IR: None}
#: A camera sees as far as the shore.
CAMERA_RANGE_M = 1000.0


BOATS = TrackerConfig(
    q_horizontal_m2ps3=0.1,  # a boat changes its speed by about 0.3 m/s in a second
    q_vertical_m2ps3=1e-6,
    manoeuvres=False,
    new_sigma_horizontal_mps=3.0,  # boats here do 2 to 5 m/s
    new_sigma_vertical_mps=0.01,
    gate_sigmas=3.7,
    # The shore and both ends of a hull come again in the same place: not the chance of one turn.
    new_score=-20.0,
    first_score=-20.0,
    drop_tentative_score=-20.2,  # missed at once, forgotten
    confirm_score=9.0,
    confirm_hits=5,  # wakes and echoes of hulls last a scan or two
    score_cap=math.log(9999.0),
    drop_confirmed_score=4.0,
    coast_ns=10 * NS_PER_S,  # 25 m of way
    bearing_white_share=0.7**2 / (0.7**2 + 2.0**2),
    bearing_extent_m=measured.EXTENT_M,
    bearing_correlation_s=measured.BEARING_CORRELATION_S,
    bearing_bias_s=measured.BEARING_BIAS_TIME_S,
)
BEARING_SIGMA_RAD = math.hypot(measured.BEARING_JITTER_RAD, measured.BEARING_BIAS_RAD)


def _view(kind: Kind) -> SensorView:
    far = measured.RANGE_M.get(kind, CAMERA_RANGE_M)
    false = (
        measured.FALSE_PER_M2[kind] * math.pi * far**2
        if kind in POSITIONS
        else measured.FALSE_PER_RAD * 2.0 * math.pi
    )
    what = SensorKind.RADAR if kind is Kind.RADAR else SensorKind.POSITION
    return view_of(
        Sensor(
            SensorId(kind.name), what, *SITE.origin, Coverage(0.0, far, 0.0, 360.0, *ALL_UP),
            TURN_S[kind], measured.DETECTION[kind], false,
        ),
        SITE,
    )  # fmt: skip


@dataclass(slots=True)
class BearingCounts:
    """Bearings in all, in the gate of a track, and used for one."""

    total: int = 0
    gated: int = 0
    used: int = 0


@dataclass(slots=True)
class Fusion:
    """The core's tracker over whichever sensors it is given."""

    config: TrackerConfig = BOATS
    timeline: Timeline = field(init=False)
    counts: BearingCounts = field(default_factory=BearingCounts)
    views: dict[Kind, SensorView] = field(default_factory=lambda: {k: _view(k) for k in Kind})

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.config)

    def take(self, scan: Scan) -> None:
        """One scan of any sensor, in the order in which they come."""
        at_ns = round((scan.time_s - measured.LATENCY_S[scan.kind]) * NS_PER_S)
        view = replace(self.views[scan.kind], place=np.array([*scan.own_m, 0.0]))
        rows = tuple(range(len(scan.values)))
        if scan.kind in POSITIONS:
            plots = plots_of(scan)
            rows, given = rows[: len(plots.z)], np.zeros(len(plots.z), np.int64)
            self.timeline.hear(HeardPlots(at_ns, BatchId(""), rows, view, plots, given))
        else:
            sigma = np.full(len(rows), BEARING_SIGMA_RAD)
            azimuth = np.ascontiguousarray(scan.values[:, 0])
            self.timeline.hear(HeardBearings(at_ns, BatchId(""), rows, view, azimuth, sigma))
            self.counts.total += len(rows)
        for taken in self.timeline.settle():
            if isinstance(taken.heard, HeardBearings):
                self.counts.gated += taken.in_gate
                self.counts.used += sum(n > 0 for n in taken.numbers)

    def shown(self, time_s: float) -> F64:
        """Where the confirmed boats would be at a time (m, 2)."""
        at_ns = round(time_s * NS_PER_S)
        held = self.timeline.confirmed()
        there = held.last_ns > at_ns - self.config.coast_ns
        dt_s = (at_ns - held.time_ns[there, None]) / NS_PER_S
        where: F64 = held.x[there, :2] + dt_s * held.x[there, 3:5]
        return where


def plots_of(scan: Scan) -> Plots:
    """A turn of the radar or the lidar as plots at sea level."""
    values = scan.values
    m = len(values)
    z, r = np.zeros((m, 3)), np.zeros((m, 3, 3))
    z[:, :2] = values
    offset_m = values - scan.own_m
    across = np.column_stack([offset_m[:, 1], -offset_m[:, 0]])
    across = across * measured.POSITION_SIGMA_RAD[scan.kind]
    r[:, :2, :2] = across[:, :, None] * across[:, None, :]
    r[:, 0, 0] += measured.POSITION_SIGMA_M[scan.kind] ** 2
    r[:, 1, 1] += measured.POSITION_SIGMA_M[scan.kind] ** 2
    r[:, 2, 2] = UP_SIGMA_M**2
    # False plots float as well: as dense over the height as a boat's.
    per_m3 = measured.FALSE_PER_M2[scan.kind] / (math.sqrt(2.0 * math.pi) * UP_SIGMA_M)
    return Plots(z, r, np.full(m, math.log(per_m3)), np.zeros((m, 4)))
