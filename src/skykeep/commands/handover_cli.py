"""`skykeep recipients|handover|warning`: hand-overs and warnings of a running site.

The person who acts is the one whom the token names.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

Commands = Any  # argparse names no public type for it
AddToken = Callable[[argparse.ArgumentParser], None]


def add(commands: Commands, add_token: AddToken) -> None:
    """Add the three commands."""
    recipients = commands.add_parser("recipients", help="who may be handed something")
    steps = recipients.add_subparsers(required=True, metavar="STEP")
    _read(steps, "list", "print the recipients and how each way to them does", "/v1/recipients",
          add_token)  # fmt: skip
    _handover(commands, add_token)
    _warning(commands, add_token)


def _handover(commands: Commands, add_token: AddToken) -> None:
    handover = commands.add_parser("handover", help="hand alerts over, and see what was answered")
    steps = handover.add_subparsers(required=True, metavar="STEP")
    pending = _read(steps, "list", "print the hand-overs", "/v1/handovers", add_token)
    pending.add_argument("--pending", action="store_true", help="only those without an answer")
    send = _command(steps, "send", "hand an alert or incident over", add_token)
    send.add_argument("what", metavar="ALERT|INCIDENT", help="such as A00001 or I0001")
    send.add_argument("--to", required=True, metavar="NAME", help="a recipient of the site")
    send.add_argument("--note", default="", metavar="WORDS")
    send.set_defaults(body=_send)
    ack = _command(steps, "ack", "acknowledge a hand-over", add_token)
    ack.add_argument("handover_id", metavar="HANDOVER")
    ack.add_argument("--name", default="", help="who said so, where that is not the token's holder")
    ack.add_argument("--words", default="", metavar="WORDS")
    ack.set_defaults(body=lambda a: ("acknowledge_handover", {
        "handover_id": a.handover_id, "name": a.name, "words": a.words,
    }))  # fmt: skip


def _warning(commands: Commands, add_token: AddToken) -> None:
    warning = commands.add_parser("warning", help="warn the public")
    steps = warning.add_subparsers(required=True, metavar="STEP")
    _read(steps, "list", "print the warnings", "/v1/warnings", add_token)
    draft = _command(steps, "draft", "draft a warning about a zone", add_token)
    draft.add_argument("zone_id", metavar="ZONE")
    draft.add_argument("--exercise", action="store_true", help="mark it as an exercise")
    draft.set_defaults(body=lambda a: (
        "draft_warning", {"zone_id": a.zone_id, "exercise": a.exercise},
    ))  # fmt: skip
    release = _command(steps, "release", "tell the public, or tell it anew", add_token)
    release.add_argument("warning_id", metavar="WARNING")
    release.add_argument("--minutes", type=float, metavar="N", help="(default: the site's)")
    release.set_defaults(body=lambda a: (
        "release_warning", {"warning_id": a.warning_id, "lasts_min": a.minutes},
    ))  # fmt: skip
    cancel = _command(steps, "cancel", "say that it is over, or discard a draft", add_token)
    cancel.add_argument("warning_id", metavar="WARNING")
    cancel.set_defaults(body=lambda a: ("cancel_warning", {"warning_id": a.warning_id}))


def _read(
    steps: Commands, name: str, words: str, path: str, add_token: AddToken
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(name, help=words)
    parser.add_argument("url", metavar="URL")
    add_token(parser)
    parser.set_defaults(run=_show, path=path, pending=False)
    return parser


def _command(
    steps: Commands, name: str, words: str, add_token: AddToken
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(name, help=words)
    parser.add_argument("url", metavar="URL")
    add_token(parser)
    parser.set_defaults(run=_run)
    return parser


def _send(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    more = {"recipient": args.to, "note": args.note}
    if args.what.upper().startswith("I"):
        return "hand_over_incident", {"incident_id": args.what, **more}
    return "hand_over_alert", {"alert_id": args.what, **more}


def _show(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    path = args.path + ("?pending=true" if args.pending else "")
    return remote.show(args.url, path, remote.read_token(args.token_file))


def _run(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    name, fields = args.body(args)
    return remote.command(args.url, name, remote.read_token(args.token_file), fields)
