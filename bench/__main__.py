"""`python -m bench --date YYYY-MM-DD`: measure, print the table, write docs/bench.md.

Exit code 0 if no figure is below half its aim, 1 otherwise.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    codecs,
    codecs_air,
    codecs_sapient,
    dossier,
    history,
    hostile,
    line,
    live,
    log,
    page,
    permits,
    record,
    service,
    startup,
    zones,
)
from bench.figure import Figure
from bench.tracking import PARTS

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "bench.md"
MEASUREMENTS: tuple[tuple[str, Callable[[], list[Figure]]], ...] = (
    ("start-up", startup.figures),
    ("the line", line.figures),
    ("the record", record.figures),
    ("the log", log.figures),
    ("the history", history.figures),
    ("the dossier", dossier.figures),
    ("zones", zones.figures),
    ("codecs: SAPIENT", codecs_sapient.figures),
    ("the service", service.figures),
    ("the live stream", live.figures),
    ("the watch page", page.figures),
    ("permits", permits.figures),
    ("codecs", codecs.figures),
    ("a hostile crowd", hostile.figures),
    ("codecs of crewed aircraft", codecs_air.figures),
    *((f"tracking: {name}", measure) for name, measure in PARTS.items()),
)
COLUMNS = ("figure", "measured", "aim", "ratio", "verdict", "note")
REPORT_COLUMNS = 160  # of text, where no terminal says how wide it is
PACKAGES = ("duckdb", "numpy", "numba", "msgspec", "stonesoup", "motpy", "shapely")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything; see the module's own words for the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--date", required=True, type=dt.date.fromisoformat, help="the day, for the report"
    )
    parser.add_argument("--no-report", action="store_true", help="print only")
    options = parser.parse_args(arguments)

    load = os.getloadavg()[0]  # before we add our own
    console = Console(stderr=True)
    figures: list[Figure] = []
    for name, measure in MEASUREMENTS:
        with console.status(f"measuring {name}"):
            figures += measure()
    wide = None if sys.stdout.isatty() else REPORT_COLUMNS
    Console(width=wide).print(table(figures))
    if not options.no_report:
        REPORT.write_text(_report(figures, options.date, load), encoding="utf-8")
    return 1 if any(f.fails for f in figures) else 0


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{figure.measured:.4g} {figure.unit}",
        "" if figure.aim is None else f"{figure.aim:g} {figure.unit}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.verdict + (f": {figure.spoiled}" if figure.spoiled else ""),
        figure.note,
    )


def table(figures: Sequence[Figure]) -> Table:
    """The figures for a terminal."""
    drawn = Table(*COLUMNS)
    for figure in figures:
        drawn.add_row(*_cells(figure))
    return drawn


def _report(figures: Sequence[Figure], day: dt.date, load: float) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, figures)]
    return "\n".join(
        [
            "# Measured",
            "",
            "Written by `make bench`; not edited by hand. A ratio of 1 reaches the aim; a figure",
            "below half its aim fails the run.",
            "",
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
            f"- Commit: {_commit()}",
            f"- Day: {day.isoformat()}",
            f"- Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()};"
            f" load before the run {load:.1f}",
            f"- Python {platform.python_version()}, "
            + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
            "",
        ]
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip()


def _commit() -> str:
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "not from a git checkout"
    changed = _git("status", "--porcelain", "--", "src", "bench")
    return commit + (" with uncommitted changes" if changed else "")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
