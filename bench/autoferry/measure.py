"""`python -m bench.autoferry.measure [FOLDER ...]`: the sensors' errors against the truth.

What measured.py rounds. Errors are taken of the nearest plot or bearing to each boat; radial is
away from the ship, across is clockwise.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.autoferry.loader import BEARINGS, F64, POSITIONS, Kind, Path2D, Scan, Scenario, load
from bench.autoferry.run import NAMES, VECTORS

#: Nearest within this is taken for the boat's.
NEAR_M, NEAR_RAD = 15.0, math.radians(5.0)
#: Clutter is what is farther than this from every boat.
CLEAR_M = 25.0
#: Time to the next and last true point for a boat's velocity.
STEP_S = 1.0
#: Ages of a correlation, in scans.
AGES = (1, 4, 10, 20)


def position_errors(scans: Sequence[Scan], path: Path2D) -> tuple[F64, int]:
    """Rows of radial m, across m, range m, and velocity radial and across; scans in all."""
    rows, looks = [], 0
    for scan in scans:
        here, before, after = (path.at(scan.time_s + d) for d in (0.0, -STEP_S, STEP_S))
        if here is None or before is None or after is None:
            continue
        looks += 1
        off = scan.values - here
        distance_m = np.hypot(off[:, 0], off[:, 1])
        if not len(off) or distance_m.min() > NEAR_M:
            continue
        range_m = math.dist(here, scan.own_m)
        away = (here - scan.own_m) / range_m
        across = np.array([away[1], -away[0]])
        error, velocity = off[distance_m.argmin()], (after - before) / (2.0 * STEP_S)
        rows.append((error @ away, error @ across, range_m, velocity @ away, velocity @ across))
    return np.array(rows).reshape(-1, 5), looks


def bearing_errors(scans: Sequence[Scan], path: Path2D) -> tuple[F64, int]:
    """Errors in rad, clockwise, one a scan that has one; scans in all."""
    errors, looks = [], 0
    for scan in scans:
        here = path.at(scan.time_s)
        if here is None:
            continue
        looks += 1
        east_m, north_m = here - scan.own_m
        off = scan.values[:, 0] - math.atan2(east_m, north_m)
        off = (off + math.pi) % (2.0 * math.pi) - math.pi
        if len(off) and np.abs(off).min() < NEAR_RAD:
            errors.append(off[np.abs(off).argmin()])
    return np.array(errors), looks


def clutter_per_scan(scans: Sequence[Scan], paths: Sequence[Path2D]) -> float:
    """Plots that are near no boat, a scan."""
    count = 0
    for scan in scans:
        places = [p for p in (path.at(scan.time_s) for path in paths) if p is not None]
        for z in scan.values:
            count += all(math.dist(z, p) > CLEAR_M for p in places)
    return count / max(len(scans), 1)


def latency_s(errors: F64) -> float:
    """The lag that explains most of errors from `position_errors`, beside a steady offset."""
    velocity = errors[:, 3:5].ravel()
    steady = np.tile(np.eye(2), (len(errors), 1))
    fit = np.linalg.lstsq(np.column_stack([velocity, steady]), errors[:, :2].ravel())[0]
    return -float(fit[0])


def correlation(errors: F64) -> str:
    """Autocorrelation at each of AGES scans."""
    off = errors - errors.mean()
    found = [
        float(np.mean(off[:-age] * off[age:]) / np.mean(off**2)) for age in AGES if age < len(off)
    ]
    return " ".join(f"{c:.2f}" for c in found)


def _spread(errors: F64) -> str:
    middle = float(np.median(errors))
    return f"{middle:+.2f} ± {1.4826 * float(np.median(np.abs(errors - middle))):.2f}"


def report(scenario: Scenario) -> list[str]:
    """Lines about each sensor and boat."""
    lines = []
    for kind in sorted(Kind):
        scans = [s for s in scenario.scans if s.kind is kind]
        turn_s = float(np.median(np.diff([s.time_s for s in scans])))
        lines.append(f"{scenario.name} {kind.name}: {len(scans)} scans, each {turn_s:.3f} s")
        if kind in POSITIONS:
            lines[-1] += f", {clutter_per_scan(scans, scenario.paths):.2f} false a scan"
        for path in scenario.paths:
            head = f"  boat {path.target}: "
            if kind in BEARINGS:
                angles, looks = bearing_errors(scans, path)
                jitter = np.degrees(np.diff(angles)) / math.sqrt(2.0)
                lines.append(
                    f"{head}seen {len(angles)} of {looks}; error {_spread(np.degrees(angles))} deg"
                    f" (correlation {correlation(angles)}), from one to the next {_spread(jitter)}"
                )
                continue
            errors, looks = position_errors(scans, path)
            across = np.degrees(errors[:, 1] / errors[:, 2])
            lines.append(
                f"{head}seen {len(errors)} of {looks}; radial {_spread(errors[:, 0])} m"
                f" (correlation {correlation(errors[:, 0])}), across {_spread(errors[:, 1])} m"
                f" = {_spread(across)} deg (correlation {correlation(errors[:, 1])}),"
                f" lag {latency_s(errors):.2f} s"
            )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; see the module's own words."""
    parser = argparse.ArgumentParser(prog="python -m bench.autoferry.measure", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="scenario folders; else our own")
    options = parser.parse_args(arguments)
    for folder in options.folders or [VECTORS / name for name in NAMES]:
        print("\n".join(report(load(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
