"""A thousand drones, 25 to the square kilometre: how many errors beside the peer's."""

from __future__ import annotations

from bench.figure import Figure
from bench.tracking import scenario
from bench.tracking.compare import Outcome, Runner, outcome
from bench.tracking.scenario import Scenario

DRONES = 1_000
DRONES_PER_KM2 = 25.0
SCANS = 60
SEED = 1
#: Skykeep's GOSPA over the peer's, with at least so many of the drones tracked.
AIM_SHARE = 0.75
LEAST_COMPLETENESS = 0.95


def make() -> Scenario:
    """Six kilometres square."""
    return scenario.make(DRONES, SCANS, SEED, DRONES_PER_KM2)


def compare(skykeep: Runner, peer: Runner) -> list[Figure]:
    """Both GOSPA and their ratio."""
    given = make()
    return shown(outcome(skykeep, given), outcome(peer, given))


def shown(own: Outcome, peer: Outcome) -> list[Figure]:
    """Both GOSPA and their ratio, spoiled where too few of the drones are tracked."""
    few = own.siap.completeness < LEAST_COMPLETENESS
    return [
        Figure(
            "crowded: Skykeep's GOSPA over Stone Soup's",
            own.score.gospa_m / peer.score.gospa_m,
            "times",
            AIM_SHARE,
            less_is_better=True,
            note=f"{DRONES} drones, {DRONES_PER_KM2:.0f}/km2, {SCANS} scans, seed {SEED}",
            spoiled=f"SIAP completeness below {LEAST_COMPLETENESS}" if few else "",
        ),
        _gospa("Skykeep", own),
        _gospa("Stone Soup", peer),
    ]


def _gospa(name: str, got: Outcome) -> Figure:
    note = f"{got.scan_s * 1e3:.3g} ms a scan; OSPA {got.score.ospa_m:.1f} m; SIAP: "
    return Figure(f"crowded: {name}, GOSPA", got.score.gospa_m, "m", note=note + got.siap.words())


def figures() -> list[Figure]:
    """The comparison with the real runners."""
    from bench.tracking import skykeep_tracker, stonesoup_gnn

    return compare(skykeep_tracker.run, stonesoup_gnn.run)
