"""Two radars over one area, one of them turned out of true.

Two hundred drones over ten kilometres square, seen once a second by either radar in range,
azimuth and elevation, with false plots. The second radar's azimuths are all off by the same
angle. Ten of the drones say by radio where they are: what a site can find the error by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.figure import Figure
from bench.tracking import batches, scenario
from bench.tracking.result import ScanTracks
from bench.tracking.scenario import BOX_HEIGHT_M, DETECTION_PROBABILITY, F64, PERIOD_S
from bench.tracking.score import score
from skykeep.core.geo import Frame, axes_between
from skykeep.core.observation import Batch, Claim, Coverage, Scheme, Sensor, SensorKind
from skykeep.units import SensorId

DRONES = 200
COOPERATIVE = 10
SCANS = 90
SEED = 1
BIASES_DEG = (0.5, 1.0, 2.0, 3.0)
SIGMAS = (5.0, 0.15, 0.3)  # m, degrees, degrees: of a plot
BROADCAST_SIGMAS_M = (3.0, 3.0, 3.0)
FALSE_PLOTS = 50.0  # mean a scan and radar, uniform over the area
#: Where the radars stand, as shares of the area's side; both on its ground.
PLACES = ((0.2, 0.5), (0.8, 0.5))
RADARS = (SensorId("radar-true"), SensorId("radar-turned"))
RECEIVER = SensorId("receiver")
RANGE_M = 15_000.0  # farther than any corner is from either radar
#: Before this the error is still being found, and does not count.
SETTLED_SCANS = 45


@dataclass(frozen=True, slots=True, eq=False)
class TwoRadars:
    """What was really there, and what was seen of it.

    `truth` (scans, drones, 6) as in `scenario`; `plots` for each radar one (n, 3) array a scan,
    of range in m, azimuth and elevation in degrees; `broadcasts` (scans, COOPERATIVE, 3) in m, NaN
    while not flying: they come from the first drones of `truth`. Lengths in the frame
    `batches.SITE`.
    """

    seed: int
    bias_deg: float
    truth: F64
    plots: tuple[tuple[F64, ...], ...]
    broadcasts: F64
    sensors: tuple[Sensor, ...]

    @property
    def scans(self) -> int:
        """How many scans there are, `PERIOD_S` apart."""
        return len(self.truth)

    def batches(self) -> list[Batch]:
        """All that is received, in order: in each second the broadcasts, then either radar."""
        found = []
        for scan in range(self.scans):
            at_s = scan * PERIOD_S
            said = self.broadcasts[scan]
            there = np.flatnonzero(~np.isnan(said[:, 0]))
            claims = tuple(Claim(Scheme.REMOTE_ID, f"BENCH{i:03d}", f"b{i:03d}") for i in there)
            found.append(
                batches.positions(RECEIVER, at_s, at_s, said[there], BROADCAST_SIGMAS_M, claims)
            )
            found += [
                batches.polar(radar, at_s, at_s, plots[scan], SIGMAS)
                for radar, plots in zip(RADARS, self.plots, strict=True)
            ]
        return found


#: Takes what was seen and gives the tracks after each second.
Runner = Callable[[TwoRadars], Sequence[ScanTracks]]


def make(bias_deg: float, seed: int = SEED) -> TwoRadars:
    """All but the second radar's azimuths is the same whatever the bias."""
    town = scenario.make(DRONES, SCANS, seed)
    rngs = [np.random.default_rng([seed, DRONES, k]) for k in range(len(RADARS) + 1)]
    radars = [_radar(k, town.side_m) for k in range(len(RADARS))]
    seen = [
        tuple(_look(rng, now[:, :3], radar, town.side_m) for now in town.truth)
        for rng, radar in zip(rngs, radars, strict=False)
    ]
    turned = tuple(_turned(plots, bias_deg) for plots in seen[1])
    said = town.truth[:, :COOPERATIVE, :3]
    broadcasts = said + rngs[-1].normal(0.0, BROADCAST_SIGMAS_M, said.shape)
    receiver = replace(radars[0], sensor_id=RECEIVER, kind=SensorKind.REMOTE_ID)
    return TwoRadars(seed, bias_deg, town.truth, (seen[0], turned), broadcasts, (*radars, receiver))


def _radar(number: int, side_m: float) -> Sensor:
    east, north = PLACES[number]
    return Sensor(
        RADARS[number],
        SensorKind.RADAR,
        *batches.SITE.to_geodetic(east * side_m, north * side_m, 0.0),
        Coverage(0.0, RANGE_M),
        period_s=PERIOD_S,
        detection_probability=DETECTION_PROBABILITY,
        false_per_turn=FALSE_PLOTS,
    )


def _look(rng: np.random.Generator, there: F64, radar: Sensor, side_m: float) -> F64:
    flying = there[~np.isnan(there[:, 0])]
    seen = polar_of(flying[rng.random(len(flying)) < DETECTION_PROBABILITY], radar)
    seen = seen + rng.normal(0.0, SIGMAS, seen.shape)
    false = rng.random((rng.poisson(FALSE_PLOTS), 3)) * np.array([side_m, side_m, BOX_HEIGHT_M])
    plots = np.vstack([seen, polar_of(false, radar)])
    rng.shuffle(plots)
    return _turned(plots, 0.0)


def polar_of(positions_m: F64, radar: Sensor) -> F64:
    """Places (n, 3) in the site's frame as range in m, azimuth and elevation in degrees."""
    own = Frame(radar.lat_deg, radar.lon_deg, radar.height_hae_m)
    place = np.array(batches.SITE.to_enu(*own.origin))
    # `axes_between` turns the radar's axes into the site's; from the right, the other way round.
    east, north, up = ((positions_m - place) @ axes_between(batches.SITE, own)).T
    across = np.hypot(east, north)
    azimuth, elevation = np.arctan2(east, north), np.arctan2(up, across)
    return np.column_stack([np.hypot(across, up), np.degrees(azimuth), np.degrees(elevation)])


def _turned(plots: F64, bias_deg: float) -> F64:
    azimuth = np.mod(plots[:, 1] + bias_deg, 360.0)
    return np.column_stack([plots[:, 0], azimuth, plots[:, 2]])


def gospa_m(made: TwoRadars, tracks: Sequence[ScanTracks]) -> float:
    """Mean GOSPA in m over the scans from `SETTLED_SCANS` on; `tracks` are those of all scans."""
    return score(made.truth[SETTLED_SCANS:], tracks[SETTLED_SCANS:]).gospa_m


def compare(run: Runner, seed: int = SEED) -> list[Figure]:
    """GOSPA with each bias, and over that without."""
    straight = make(0.0, seed)
    straight_m = gospa_m(straight, run(straight))
    found = [Figure("two radars, both true: GOSPA", straight_m, "m", note=f"{DRONES} drones")]
    for bias_deg in BIASES_DEG:
        made = make(bias_deg, seed)
        found.append(
            Figure(
                f"two radars, one {bias_deg:g} degrees off: GOSPA over that with both true",
                gospa_m(made, run(made)) / straight_m,
                "times",
            )
        )
    return found
