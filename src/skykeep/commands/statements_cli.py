"""The part of the command line about public statements: a program of its own, its own file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skykeep.core.event import Actor

Steps = Any  # argparse names no public type for it
Adds = Callable[[argparse.ArgumentParser], None]
CLERK, RELEASER = "statements_clerk", "release_officer"


def add(commands: Steps, add_json: Adds) -> None:
    """`statements draft|new|enter|propose|find|...`."""
    statements = commands.add_parser(
        "statements", help="what was publicly said, beside what was measured"
    )
    steps = statements.add_subparsers(required=True, metavar="STEP")
    draft = steps.add_parser("draft", help="draft rows from articles, text or HTML")
    draft.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_json(draft)
    draft.set_defaults(run=_run("draft", "files", "json"))
    demo = steps.add_parser("demo", help="twelve statements about the demo's night")
    demo.add_argument("--dossier", type=Path, required=True, metavar="F", help="of `skykeep demo`")
    _add_blind(demo)
    demo.set_defaults(run=_run("demo", "dossier", "blind"))

    _with_ledger(steps, "new", "begin a ledger").set_defaults(run=_run("new", "ledger"))
    for name, what in (("enter", "draft rows"), ("propose", "propositions")):
        parser = _with_ledger(steps, name, f"enter {what} from a file of JSON")
        parser.add_argument("file", type=Path, metavar="FILE")
        _add_who(parser)
        parser.set_defaults(run=_run(name, "ledger", "file", "actor"))
    find = _with_ledger(steps, "find", "hold the propositions against a record")
    source = find.add_mutually_exclusive_group(required=True)
    source.add_argument("--dossier", type=Path, metavar="F", help="an incident's dossier")
    source.add_argument("--casebook", type=Path, metavar="DIR", help="a record's folder")
    _add_blind(find)
    _add_who(find)
    find.set_defaults(run=_run("findings", "ledger", "dossier", "casebook", "blind", "actor"))
    _add_rows(steps, add_json)


def _add_rows(steps: Steps, add_json: Adds) -> None:
    step = _with_ledger(steps, "step", "confirm, discard, correct, reply to, release, withdraw")
    step.add_argument("row", metavar="ROW")
    step.add_argument(
        "what", choices=("confirm", "discard", "correct", "reply", "release", "withdraw")
    )
    step.add_argument("--words", default="", help="of the reply, or why")
    step.add_argument("--file", type=Path, metavar="F", help="the corrected row")
    _add_who(step)
    step.set_defaults(run=_run("step", "ledger", "row", "what", "words", "file", "actor"))
    grade = _with_ledger(steps, "grade", "enter an Admiralty grade, such as B 2")
    grade.add_argument("row", metavar="ROW")
    grade.add_argument("source", metavar="A-F")
    grade.add_argument("information", metavar="1-6")
    _add_who(grade)
    grade.set_defaults(run=_run("grade", "ledger", "row", "source", "information", "actor"))
    _with_ledger(steps, "copies", "suggest which rows copy which").set_defaults(
        run=_run("copies", "ledger")
    )
    link = _with_ledger(steps, "link", "confirm that one row copies another, or refuse it")
    link.add_argument("row", metavar="ROW")
    link.add_argument("original", metavar="ORIGINAL")
    link.add_argument("--not", action="store_false", dest="copies", help="it does not")
    _add_who(link)
    link.set_defaults(run=_run("link", "ledger", "row", "original", "copies", "actor"))
    list_ = _with_ledger(steps, "list", "print the rows")
    add_json(list_)
    list_.set_defaults(run=_run("list_", "ledger", "json"))
    _with_ledger(steps, "log", "print what was done, by whom").set_defaults(
        run=_run("log", "ledger")
    )
    export = _with_ledger(steps, "export", "write what is published")
    export.add_argument("--format", choices=("claimreview", "csv", "html"), required=True,
                        dest="form")  # fmt: skip
    export.add_argument("--out", type=Path, required=True, metavar="F")
    export.add_argument("--title", default="Skykeep", help="of the page; who reviews")
    export.set_defaults(run=_run("export", "ledger", "form", "out", "title"))


def _with_ledger(steps: Steps, name: str, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(name, help=words)
    parser.add_argument("ledger", type=Path, metavar="LEDGER")
    return parser


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="NAME", help="who does it")
    parser.add_argument("--role", choices=(CLERK, RELEASER), default=CLERK)


def _add_blind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--blind", action="store_true",
                        help="as if no sensor had been in watch; nothing is kept")  # fmt: skip


def _run(name: str, *fields: str) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        from skykeep.commands import statements

        values = [
            Actor(args.by, args.role) if field == "actor" else getattr(args, field)
            for field in fields
        ]
        done: int = getattr(statements, name)(*values)
        return done

    return run
