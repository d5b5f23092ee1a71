"""Reads a scenario of the Autoferry dataset: scans of four sensors and the true paths.

Positions are (east, north) in metres in the dataset's fixed frame (origin near Piren,
Trondheim); bearings are clockwise from north in radians. The files say north first, give
radar and lidar plots relative to the moving ship, and are not sorted; see
tests/vectors/autoferry/README.md.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.errors import InputError

F64 = NDArray[np.float64]

#: A true path is not interpolated over a gap longer than this: a boat can turn in it.
LONGEST_GAP_S = 2.0
MEND = "give the folder of a scenario of the Autoferry dataset"


class Kind(IntEnum):
    """The sensors, by the numbers that the files use."""

    LIDAR = 1
    RADAR = 2
    IR = 3
    EO = 4


POSITIONS = frozenset({Kind.RADAR, Kind.LIDAR})
BEARINGS = frozenset({Kind.EO, Kind.IR})
ALL = POSITIONS | BEARINGS


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One look of one sensor: `values` (m, 2) east, north in m, or (m, 1) bearings in rad."""

    kind: Kind
    time_s: float
    own_m: F64  # (2,) the ship, east and north
    values: F64


@dataclass(frozen=True, slots=True, eq=False)
class Path2D:
    """The true path of one boat: times (n,) ascending, positions (n, 2) east, north."""

    target: int
    time_s: F64
    position_m: F64

    def at(self, time_s: float) -> F64 | None:
        """Where the boat was, or None outside of its path or in a long gap."""
        after = int(np.searchsorted(self.time_s, time_s))
        if after < len(self.time_s) and self.time_s[after] == time_s:
            return np.asarray(self.position_m[after], np.float64)
        if after in (0, len(self.time_s)):
            return None
        before = after - 1
        gap_s = self.time_s[after] - self.time_s[before]
        if gap_s > LONGEST_GAP_S:
            return None
        share = (time_s - self.time_s[before]) / gap_s
        return np.asarray(
            (1.0 - share) * self.position_m[before] + share * self.position_m[after], np.float64
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One scenario in order of time; `faults` says which rows were left out, and why."""

    name: str
    scans: tuple[Scan, ...]
    paths: tuple[Path2D, ...]
    faults: tuple[str, ...]

    @property
    def span_s(self) -> tuple[float, float]:
        """The time in which there are both scans and the truth of every boat."""
        first = max(self.scans[0].time_s, *(float(p.time_s[0]) for p in self.paths))
        last = min(self.scans[-1].time_s, *(float(p.time_s[-1]) for p in self.paths))
        return first, last


def load(folder: Path) -> Scenario:
    """Read a scenario's folder; InputError where it is no such folder."""
    scans, faults = read_scans(_json(_only(folder, "detections")))
    if not scans:
        why = faults[0] if faults else "there is none"
        raise InputError(str(folder), f"no row of the detections can be used: {why}", MEND)
    paths = read_paths(_json(_only(folder, "groundTruth")))
    if not paths:
        raise InputError(str(folder), "the ground truth holds no path", MEND)
    return Scenario(folder.name.removeprefix("autoferry_"), scans, paths, faults)


def _only(folder: Path, what: str) -> Path:
    found = sorted(folder.glob(f"*{what}.json")) + sorted(folder.glob(f"*{what}.json.gz"))
    if not found:
        raise InputError(str(folder), f"there is no *{what}.json or *{what}.json.gz", MEND)
    return found[0]


def _json(path: Path) -> list[Any]:
    raw = path.read_bytes()
    try:
        rows = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(str(path), f"not readable as JSON: {error}", MEND) from error
    if not isinstance(rows, list):
        raise InputError(str(path), "must be a list of rows", MEND)
    return rows


def read_scans(rows: Iterable[Any]) -> tuple[tuple[Scan, ...], tuple[str, ...]]:
    """Scans in order of time, and a line for each row that cannot be used."""
    scans: list[Scan] = []
    faults: list[str] = []
    for number, row in enumerate(rows):
        try:
            scans.append(_scan(row))
        except (KeyError, TypeError, ValueError) as error:
            faults.append(f"row {number}: {type(error).__name__}: {error}")
    # Sorting by sensor too makes the order one of the content, not of the file.
    scans.sort(key=lambda s: (s.time_s, s.kind))
    return tuple(scans), tuple(faults)


def _scan(row: Any) -> Scan:
    kind = Kind(int(row["sensorID"]))
    time_s = float(row["time"])
    north_m, east_m = (float(v) for v in row["ownshipPosition"][:2])
    own_m = np.array([east_m, north_m])
    if not (math.isfinite(time_s) and np.isfinite(own_m).all()):
        raise ValueError("time and ownshipPosition must be finite")
    measured = row.get("measurement")
    flat = np.array([] if measured is None else measured, np.float64).ravel()
    if not np.isfinite(flat).all():
        raise ValueError("measurement must be finite")
    if kind in BEARINGS:
        return Scan(kind, time_s, own_m, np.mod(flat, 2.0 * math.pi).reshape(-1, 1))
    if len(flat) % 2:
        raise ValueError("measurement must hold as many easts as norths")
    half = len(flat) // 2
    return Scan(kind, time_s, own_m, np.column_stack([flat[half:], flat[:half]]) + own_m)


def read_paths(rows: Iterable[Any]) -> tuple[Path2D, ...]:
    """The true paths: each row of the file repeats the newest point of every boat."""
    points: dict[int, dict[float, tuple[float, float]]] = {}
    for row in rows:
        for point in row if isinstance(row, list) else [row]:
            try:
                north_m, east_m = (float(v) for v in point["position"][:2])
                target, time_s = int(point["targetID"]), float(point["time"])
            except (KeyError, TypeError, ValueError):
                continue  # the boat's other points stand for it
            if math.isfinite(time_s + north_m + east_m):
                points.setdefault(target, {})[time_s] = (east_m, north_m)
    return tuple(
        Path2D(target, np.array(sorted(path)), np.array([path[t] for t in sorted(path)]))
        for target, path in sorted(points.items())
    )
