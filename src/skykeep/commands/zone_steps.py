"""`skykeep zones propose|approve|enter|confirm|withdraw|ban|versions`: a zone's way into force.

All of them ask a running site; the person who acts is the one whom the token names.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skykeep.errors import InputError

Steps = Any  # argparse names no public type for it
AddToken = Callable[[argparse.ArgumentParser], None]

#: Words of the command line, and the step that each is.
_STEPS = {
    "approve": ("approve", "approve what another person proposed"),
    "enter": ("enter_into_force", "put an approved zone into force"),
    "confirm": ("confirm", "confirm an emergency ban, which lapses otherwise"),
    "withdraw": ("withdraw", "end a zone, or a proposal of one"),
}


def add(steps: Steps, add_token: AddToken) -> None:
    """Add the commands to those of `skykeep zones`."""
    propose = steps.add_parser("propose", help="propose a file's zones at a running site")
    propose.add_argument("file", type=Path, metavar="FILE", help="ED-318")
    propose.add_argument("--to", required=True, metavar="URL")
    propose.add_argument("--why", required=True, metavar="WORDS")
    propose.add_argument("--effective", metavar="TIME", help="when they are to begin, RFC 3339")
    add_token(propose)
    propose.set_defaults(run=_propose)
    ban = steps.add_parser("ban", help="declare an emergency ban, in force at once")
    ban.add_argument("file", type=Path, metavar="FILE", help="ED-318")
    ban.add_argument("--to", required=True, metavar="URL")
    ban.add_argument("--why", required=True, metavar="WORDS")
    add_token(ban)
    ban.set_defaults(run=_ban)
    for name, (step, words) in _STEPS.items():
        one = steps.add_parser(name, help=words)
        one.add_argument("url", metavar="URL")
        one.add_argument("zone_id", metavar="ZONE")
        one.add_argument("--why", default="", metavar="WORDS")
        one.add_argument("--version", type=int, metavar="N", help="else the newest that it fits")
        add_token(one)
        one.set_defaults(run=_step, step=step)
    versions = steps.add_parser("versions", help="print a zone's versions and who made them")
    versions.add_argument("url", metavar="URL")
    versions.add_argument("zone_id", metavar="ZONE")
    add_token(versions)
    versions.set_defaults(run=_versions)


def _document(path: Path) -> Any:
    from skykeep.commands import remote

    try:
        return json.loads(remote.read_file(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        mend = "Give ED-318; `skykeep zones import` makes it from other formats"
        raise InputError(str(path), f"is no JSON document ({error})", mend) from None


def _propose(args: argparse.Namespace) -> int:
    fields = {"document": _document(args.file), "why": args.why}
    if args.effective is not None:
        fields["effective"] = args.effective
    return _command(args.to, "propose_zones", args, fields)


def _ban(args: argparse.Namespace) -> int:
    fields = {"document": _document(args.file), "why": args.why}
    return _command(args.to, "declare_ban", args, fields)


def _step(args: argparse.Namespace) -> int:
    fields = {"zone_id": args.zone_id, "step": args.step, "why": args.why}
    if args.version is not None:
        fields["version"] = args.version
    return _command(args.url, "change_zone", args, fields)


def _versions(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    path = f"/v1/zones/versions?zone_id={quote(args.zone_id, safe='')}"
    return remote.show(args.url, path, remote.read_token(args.token_file))


def _command(url: str, name: str, args: argparse.Namespace, fields: dict[str, Any]) -> int:
    from skykeep.commands import remote

    return remote.command(url, name, remote.read_token(args.token_file), fields)
