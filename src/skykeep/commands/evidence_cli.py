"""The part of the command line that the evidence officer works with."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Steps = Any  # argparse names no public type for it
Adds = Callable[[argparse.ArgumentParser], None]


def add(commands: Steps, add_json: Adds, add_token: Adds) -> None:
    """`looks`, `coverage`, `sensor`, `verify-timestamp`."""
    looks = commands.add_parser("looks", help="who looked at what points to a person")
    looks.add_argument("target", metavar="DIR|URL", help="a record, or a running site")
    _add_span(looks)
    add_json(looks)
    add_token(looks)
    looks.set_defaults(run=_looks)
    coverage = commands.add_parser("coverage", help="which sensors were looking, and where to")
    coverage.add_argument("target", metavar="DIR|URL", help="a record, or a running site")
    _add_span(coverage, required=True)
    coverage.add_argument("--at", nargs=2, type=float, metavar=("LAT", "LON"), help="of a place")
    coverage.add_argument("--height-hae-m", type=float, metavar="M",
                          help="of the place (default 100 m above the site's origin)")  # fmt: skip
    add_json(coverage)
    add_token(coverage)
    coverage.set_defaults(run=_coverage)
    steps = commands.add_parser("sensor", help="sensors of a running site").add_subparsers(
        required=True, metavar="STEP"
    )
    maintain = steps.add_parser("maintain", help="say that work on a sensor begins or ends")
    maintain.add_argument("url", metavar="URL")
    maintain.add_argument("sensor", metavar="SENSOR")
    maintain.add_argument("what", choices=("begin", "end"))
    maintain.add_argument("--why", required=True, metavar="WORDS")
    add_token(maintain)
    maintain.set_defaults(run=_maintain)
    stamp = commands.add_parser("verify-timestamp", help="check the time-stamps of an hour's head")
    stamp.add_argument("file", type=Path, metavar="FILE", help="what /log/timestamps/HOUR gives")
    stamp.add_argument("--key", type=Path, required=True, metavar="KEYFILE", help="the log's")
    stamp.add_argument("--roots", type=Path, action="append", required=True, metavar="PEM",
                       help="whom you trust for the time; may be given again")  # fmt: skip
    stamp.set_defaults(run=_verify_timestamp)


def _add_span(parser: argparse.ArgumentParser, required: bool = False) -> None:
    from_, to = "from then on, RFC 3339", "and before then"
    parser.add_argument("--from", dest="since", metavar="TIME", required=required, help=from_)
    parser.add_argument("--to", dest="until", metavar="TIME", required=required, help=to)


def _looks(args: argparse.Namespace) -> int:
    from skykeep.commands import looks

    return looks.run(args.target, args.since, args.until, args.token_file, args.json)


def _coverage(args: argparse.Namespace) -> int:
    from skykeep.commands import coverage

    return coverage.run(
        args.target, args.since, args.until, args.at, args.height_hae_m, args.token_file, args.json
    )


def _maintain(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    fields = {"sensor": args.sensor, "begins": args.what == "begin", "why": args.why}
    return remote.command(args.url, "maintain_sensor", remote.read_token(args.token_file), fields)


def _verify_timestamp(args: argparse.Namespace) -> int:
    from skykeep.commands import timestamp

    return timestamp.verify(args.file, args.key, args.roots)
