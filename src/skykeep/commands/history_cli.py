"""The command line of `skykeep history`: query, list, rebuild. Heavy imports wait."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Steps = Any  # argparse names no public type for it
Add = Callable[[argparse.ArgumentParser], None]

FORMATS = ("table", "csv", "geojson", "json")


def add(commands: Steps, add_json: Add, add_token: Add) -> None:
    """Add `skykeep history` and its steps."""
    history = commands.add_parser("history", help="ask what was seen: by time, place, serial ...")
    steps = history.add_subparsers(required=True, metavar="STEP")
    query = steps.add_parser("query", help="print observations, or the states of tracks")
    query.add_argument("source", metavar="DIR|URL",
                       help="of a record, of a copied history, or a running site")  # fmt: skip
    query.add_argument("--tracks", action="store_true", help="states of tracks, not observations")
    query.add_argument("--from", dest="from_", metavar="TIME", help="RFC 3339; else all")
    query.add_argument("--to", metavar="TIME", help="until before then; else all")
    query.add_argument("--box", nargs=4, type=float, metavar=("W", "S", "E", "N"),
                       help="degrees; W greater than E goes across the antimeridian")  # fmt: skip
    query.add_argument("--track", metavar="ID", help="of this one, or what it rests on")
    query.add_argument("--sensor", metavar="ID", help="that this one reported, or had a part in")
    query.add_argument("--serial", metavar="S", help="of an aircraft, while its keys are kept")
    query.add_argument("--limit", type=int, default=1_000, metavar="N",
                       help="print at most so many (default %(default)s)")  # fmt: skip
    query.add_argument("--format", dest="form", choices=FORMATS, default="table",
                       help="(default %(default)s)")  # fmt: skip
    add_token(query)
    query.set_defaults(run=_query)
    list_ = steps.add_parser("list", help="print the files of a history")
    list_.add_argument("folder", type=Path, metavar="DIR")
    list_.add_argument("--check", action="store_true", help="hold each against its hash")
    add_json(list_)
    list_.set_defaults(run=_list)
    rebuild = steps.add_parser("rebuild", help="make the history again from its record")
    rebuild.add_argument("folder", type=Path, metavar="DIR", help="of a record; not served now")
    rebuild.set_defaults(run=_rebuild)


def _query(args: argparse.Namespace) -> int:
    from skykeep.commands import history

    wish = history.Wish(
        args.tracks, args.from_, args.to, None if args.box is None else tuple(args.box),
        args.track, args.sensor, args.serial, args.limit,
    )  # fmt: skip
    return history.query(args.source, wish, args.form, args.token_file)


def _list(args: argparse.Namespace) -> int:
    from skykeep.commands import history

    return history.list_(args.folder, args.check, args.json)


def _rebuild(args: argparse.Namespace) -> int:
    from skykeep.commands import history

    return history.rebuild(args.folder)
