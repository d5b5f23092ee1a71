"""`python -m bench.autoferry.run [FOLDER ...]`: what do bearings add to radar and lidar?

For each scenario: GOSPA and RMSE of radar with lidar, of all four sensors, their ratios, and the
same over windows of 5 s, one each 5 s, in which radar and lidar are muted.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.autoferry.loader import ALL, BEARINGS, F64, POSITIONS, Kind, Scan, Scenario, load
from bench.autoferry.score import Score, grid_s, score
from bench.autoferry.through import BearingCounts, Fusion

VECTORS = Path(__file__).parents[2] / "tests" / "vectors" / "autoferry"
NAMES = ("scenario2", "scenario4", "scenario13")
MUTE_S = 5.0
#: Tracks need this long to begin with, and the last windows some truth after them.
FIRST_MUTE_S, LAST_MUTE_S = 25.0, 8.0

Window = tuple[float, float]


def follow(fusion: Fusion, scans: Iterable[Scan], times_s: F64) -> list[F64]:
    """Take scans until the last of the times; what is shown at each, (m, 2) each."""
    shown: list[F64] = []
    for scan in scans:
        while len(shown) < len(times_s) and times_s[len(shown)] < scan.time_s:
            shown.append(fusion.shown(float(times_s[len(shown)])))
        if len(shown) == len(times_s):
            return shown
        fusion.take(scan)
    shown += [fusion.shown(float(t)) for t in times_s[len(shown) :]]
    return shown


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of the whole run and of each muted window, and what became of the bearings."""

    whole: Score
    muted: tuple[Score, ...]
    counts: BearingCounts


def windows(scenario: Scenario) -> list[Window]:
    """Windows of MUTE_S, end to end."""
    first_s, last_s = scenario.span_s
    starts = np.arange(np.ceil(first_s) + FIRST_MUTE_S - 0.5, last_s - LAST_MUTE_S, MUTE_S)
    return [(float(s), float(s) + MUTE_S) for s in starts]


def run(
    scenario: Scenario, kinds: frozenset[Kind] = ALL, mutes: Sequence[Window] | None = None
) -> Result:
    """Run over the sensors of these kinds; each muted window is a branch of the one run.

    A window is scored at the seconds inside of it.
    """
    scans = [s for s in scenario.scans if s.kind in kinds]
    times_s = grid_s(scenario)
    left = sorted(windows(scenario) if mutes is None else mutes)
    fusion, muted, shown = Fusion(), [], []
    for i, scan in enumerate(scans):
        while left and scan.time_s >= left[0][0]:
            muted.append(_muted(scenario, copy.deepcopy(fusion), scans[i:], left.pop(0)))
        while len(shown) < len(times_s) and times_s[len(shown)] < scan.time_s:
            shown.append(fusion.shown(float(times_s[len(shown)])))
        fusion.take(scan)
    shown += [fusion.shown(float(t)) for t in times_s[len(shown) :]]
    return Result(score(scenario.paths, times_s, shown), tuple(muted), fusion.counts)


def _muted(scenario: Scenario, branch: Fusion, scans: Sequence[Scan], window: Window) -> Score:
    times_s = grid_s(scenario)
    times_s = times_s[(times_s >= window[0]) & (times_s <= window[1])]
    heard = [s for s in scans if s.kind in BEARINGS]
    return score(scenario.paths, times_s, follow(branch, heard, times_s))


def pooled(scores: Sequence[Score]) -> tuple[float, float]:
    """GOSPA and RMSE over several windows, in m."""
    gospa_m = float(np.mean([s.gospa_m for s in scores]))
    return gospa_m, float(np.sqrt(np.nanmean([s.rmse_m**2 for s in scores])))


def line(scenario: Scenario) -> str:
    """One row of the table."""
    less, all_four = run(scenario, POSITIONS), run(scenario, ALL)
    few, many = pooled(less.muted), pooled(all_four.muted)
    pairs = list(zip(less.muted, all_four.muted, strict=True))
    better = sum(b.gospa_m < a.gospa_m and b.rmse_m < a.rmse_m for a, b in pairs)
    whole, fused = less.whole, all_four.whole
    cells = [
        scenario.name,
        f"{whole.gospa_m:.2f} / {whole.rmse_m:.2f}",
        f"{fused.gospa_m:.2f} / {fused.rmse_m:.2f}",
        f"{fused.gospa_m / whole.gospa_m:.3f} / {fused.rmse_m / whole.rmse_m:.3f}",
        f"{all_four.counts.used} of {all_four.counts.gated}"
        f" ({all_four.counts.used / max(all_four.counts.gated, 1):.0%})",
        f"{few[0]:.2f} / {few[1]:.2f}",
        f"{many[0]:.2f} / {many[1]:.2f}",
        f"{many[0] / few[0]:.3f} / {many[1] / few[1]:.3f}",
        f"{better} of {len(pairs)}",
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| scenario | radar, lidar: GOSPA / RMSE m | all four | ratio | gated bearings used"
    " | muted 5 s: without bearings | with | ratio | windows better in both |"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; see the module's own words."""
    parser = argparse.ArgumentParser(prog="python -m bench.autoferry.run", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="scenario folders; else our own")
    options = parser.parse_args(arguments)
    print(HEAD)
    print("|" + "---|" * HEAD.count(" | ") + "---|")
    for folder in options.folders or [VECTORS / name for name in NAMES]:
        print(line(load(folder)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
