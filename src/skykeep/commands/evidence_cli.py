"""The part of the command line that the evidence officer works with."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

Steps = Any  # argparse names no public type for it
Adds = Callable[[argparse.ArgumentParser], None]


def add(commands: Steps, add_json: Adds, add_token: Adds) -> None:
    """`looks`."""
    looks = commands.add_parser("looks", help="who looked at what points to a person")
    looks.add_argument("target", metavar="DIR|URL", help="a record, or a running site")
    _add_span(looks)
    add_json(looks)
    add_token(looks)
    looks.set_defaults(run=_looks)


def _add_span(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", metavar="TIME", help="from then on, RFC 3339")
    parser.add_argument("--to", dest="until", metavar="TIME", help="and before then")


def _looks(args: argparse.Namespace) -> int:
    from skykeep.commands import looks

    return looks.run(args.target, args.since, args.until, args.token_file, args.json)
