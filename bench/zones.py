"""Point in zones: a million points in a thousand and in a hundred thousand zones.

The map part is timed beside shapely's `STRtree.query(predicate="intersects")`, the quickest of
its predicates for points in areas, on the same outlines and points, turn and turn about in one
run. Both give every pair of a point and a zone, and the pairs are compared. Heights and times
have no peer; they are timed on top. Seconds are those of the processor.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import shapely

from bench.figure import Figure
from skykeep.core.geo import HeightAgl, HeightAmsl, HeightReference, Polygon, Terrain, Volume
from skykeep.core.schedule import DailyPeriod, Period, TimeOfDay
from skykeep.core.zone import Restriction, Zone
from skykeep.core.zone_index import (
    Heights,
    Hits,
    ZoneIndex,
    build_index,
    zones_at,
    zones_holding,
    zones_inside,
)
from skykeep.units import NS_PER_S, ZoneId

POINTS = 1_000_000
PAIRS = 5
SINGLES = 20_000
#: As dense as Switzerland's zones; a hundred thousand are more than Europe has.
ZONES_PER_DEG2 = 111.0
DAY_NS = 86_400 * NS_PER_S
GROUND = Terrain(0.0, 800.0, 40.0, 50.0)
T = TypeVar("T")
OFFICE = Period(
    windows=(DailyPeriod((0, 1, 2, 3, 4), TimeOfDay(25_200, False), TimeOfDay(64_800, False)),)
)


def figures() -> list[Figure]:
    """Both sizes; the larger one also by how long it takes to build and what it takes to hold."""
    build_index(_zones(np.random.default_rng(1), 3))  # compile
    return [*_size(1_000), *_size(100_000)]


def _zones(rng: np.random.Generator, n: int) -> list[Zone]:
    side_deg = (n / ZONES_PER_DEG2) ** 0.5
    zones = []
    for i in range(n):
        corners = int(rng.integers(8, 60))
        angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, corners))
        radii = rng.uniform(0.005, 0.05) * rng.uniform(0.6, 1.0, corners)
        east, north = rng.uniform(0.0, side_deg, 2)
        points = list(
            zip(
                (east + 1.5 * radii * np.cos(angles)).tolist(),
                (north + radii * np.sin(angles)).tolist(),
                strict=True,
            )
        )
        volume = Volume(Polygon(((*points, points[0]),)), HeightAgl(0.0), HeightAmsl(500.0))
        zones.append(
            Zone(
                ZoneId(f"Z{i}"), "", "a", Restriction.PROHIBITED, (volume,),
                (OFFICE,) if i % 2 else (), time_zone="Europe/Luxembourg",
            )
        )  # fmt: skip
    return zones


def _size(n: int) -> list[Figure]:
    rng = np.random.default_rng(n)
    zones = _zones(rng, n)
    resident_mb = _Resident()
    build_s, index = _timed(lambda: build_index(zones))
    peak_mb = resident_mb.peak()
    lon, lat = rng.uniform(0.0, (n / ZONES_PER_DEG2) ** 0.5, (2, POINTS))
    tree, points = _tree(zones), shapely.points(lon, lat)
    ours, theirs = [], []
    for turn in range(PAIRS + 1):
        own_s, hits = _timed(lambda: zones_inside(index, lat, lon))
        other_s, pairs = _timed(lambda: tree.query(points, predicate="intersects"))
        if turn == 0:  # the first round warms caches
            same = _same(hits, pairs)
            continue
        ours.append(own_s)
        theirs.append(other_s)
    name = f"{n:,} zones"
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    spoiled = "" if same else "the pairs differ from shapely's"
    note = f"{hits.offsets[-1]} pairs of a point and a zone, the same as shapely's"
    return [
        Figure(
            f"{name}: as fast as STRtree", ratio, "times", aim=10.0, note=note, spoiled=spoiled
        ),
        Figure(f"{name}: points", POINTS / min(ours), "1/s", note="on the map, best"),
        Figure(f"{name}: points, shapely", POINTS / min(theirs), "1/s", note="on the map, best"),
        _held(name, index, lat, lon, rng),
        _single(name, index, lat, lon),
        Figure(f"{name}: built", build_s, "s", aim=15.0, less_is_better=True),
        Figure(
            f"{name}: memory", peak_mb, "MB", aim=400.0, less_is_better=True,
            note=f"beyond the zones, at its highest; the index keeps {index.size_bytes / 1e6:.0f}",
        ),
    ]  # fmt: skip


def _held(
    name: str, index: ZoneIndex, lat: np.ndarray, lon: np.ndarray, rng: np.random.Generator
) -> Figure:
    heights = Heights(rng.uniform(0.0, 1_000.0, POINTS), HeightReference.HAE)
    at_ns = rng.integers(1_790_000_000, 1_790_604_800, POINTS) * NS_PER_S
    took = [
        _timed(lambda: zones_holding(index, lat, lon, heights, at_ns, GROUND))[0] for _ in range(3)
    ]
    note = "limits over ground and sea, every other zone in office hours, moments of a week; best"
    return Figure(f"{name}: points with heights and times", POINTS / min(took), "1/s", note=note)


def _single(name: str, index: ZoneIndex, lat: np.ndarray, lon: np.ndarray) -> Figure:
    places = list(zip(lat[:SINGLES].tolist(), lon[:SINGLES].tolist(), strict=True))
    height = HeightAmsl(300.0)

    def ask() -> None:
        for y, x in places:
            zones_at(index, y, x, height, 1_790_000_000 * NS_PER_S, GROUND)

    took_s = min(_timed(ask)[0] for _ in range(3))
    return Figure(
        f"{name}: one point", took_s / SINGLES * 1e6, "us", aim=20.0, less_is_better=True,
        note=f"place, height and time, mean of {SINGLES}",
    )  # fmt: skip


def _tree(zones: list[Zone]) -> shapely.STRtree:
    areas = (volume.area for zone in zones for volume in zone.volumes)
    return shapely.STRtree([shapely.Polygon(a.rings[0]) for a in areas if isinstance(a, Polygon)])


def _same(hits: Hits, pairs: np.ndarray) -> bool:
    order = np.lexsort((pairs[1], pairs[0]))
    points = np.repeat(np.arange(len(hits.offsets) - 1), np.diff(hits.offsets))
    return np.array_equal(points, pairs[0][order]) and np.array_equal(hits.zones, pairs[1][order])


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


class _Resident:
    """The highest resident memory over that of the start, looked at every few milliseconds."""

    def __init__(self) -> None:
        self._start_mb = self._highest_mb = self._now_mb()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    @staticmethod
    def _now_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * 4096 / 1e6

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self._highest_mb = max(self._highest_mb, self._now_mb())

    def peak(self) -> float:
        """Stop looking; megabytes over the start."""
        self._ended.set()
        self._thread.join()
        return self._highest_mb - self._start_mb
