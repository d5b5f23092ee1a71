"""`python -m bench.tracking [PART ...]`: measure parts of the tracking alone, print only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from bench.__main__ import REPORT_COLUMNS, table
from bench.tracking import PARTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if no figure is below half its aim, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracking", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    figures = [f for part in options.parts or PARTS for f in PARTS[part]()]
    Console(width=None if sys.stdout.isatty() else REPORT_COLUMNS).print(table(figures))
    return 1 if any(f.fails for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
