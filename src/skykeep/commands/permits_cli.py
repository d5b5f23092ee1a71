"""The rest of `skykeep permit`: every step, what is due, exemptions, the check, the card.

Heavy imports wait until a command runs. At a running site the person who acts is the one whom
the token names; in a file it is --by and --role.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from skykeep.errors import InputError

Steps = Any  # argparse names no public type for it
Add = Callable[[argparse.ArgumentParser], None]

#: The words of the command line; underscores in the table of states.
STEPS = (
    "submit", "request-information", "answer", "review", "grant", "refuse", "activate", "end",
    "suspend", "resume", "revoke", "expire", "confirm",
)  # fmt: skip
CLASSES = ("police", "customs", "rescue", "medical", "fire", "authority")


def add(steps: Steps, add_json: Add, add_token: Add) -> None:
    """Add the commands to those of `skykeep permit`."""
    _add_steps(steps, add_json, add_token)
    _add_exemptions(steps, add_token)
    _add_card(steps, add_json, add_token)


def _add_steps(steps: Steps, add_json: Add, add_token: Add) -> None:
    step = steps.add_parser("step", help="take any step of a permit's proceeding")
    step.add_argument("file", metavar="FILE|URL")
    step.add_argument("permit_id", metavar="PERMIT")
    step.add_argument("step", choices=STEPS, metavar="STEP", help=", ".join(STEPS))
    step.add_argument("--why", default="", metavar="WORDS")
    step.add_argument("--condition", action="append", default=[], metavar="WORDS",
                      help="of a grant; may be given again")  # fmt: skip
    step.add_argument("--land-by", metavar="TIME", help="of suspend and revoke, RFC 3339")
    step.add_argument("--decide-by", metavar="TIME", help="the legal deadline, RFC 3339")
    step.add_argument("--identity-proof", default="", metavar="WORDS", help="how, and to whom")
    step.add_argument("--by", default="", metavar="NAME", help="who decides (in a file)")
    step.add_argument("--role", default="", metavar="ROLE", help="in which role (in a file)")
    add_json(step)
    add_token(step)
    step.set_defaults(run=_step)
    due = steps.add_parser("due", help="decisions, confirmations and notices that are due")
    due.add_argument("file", metavar="FILE|URL")
    due.add_argument("--within-h", type=float, default=72.0, metavar="H", help="(default 72)")
    add_json(due)
    add_token(due)
    due.set_defaults(run=_due)
    check = steps.add_parser("check", help="hold applications against a site before sending them")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--at", required=True, metavar="URL", help="the site; nothing is entered")
    add_token(check)
    check.set_defaults(run=_check)


def _add_exemptions(steps: Steps, add_token: Add) -> None:
    exempt = steps.add_parser("exempt", help="an emergency exemption, at once, until it lapses")
    exempt.add_argument("url", metavar="URL")
    exempt.add_argument("exemption_class", choices=CLASSES, metavar="CLASS",
                        help=", ".join(CLASSES))  # fmt: skip
    exempt.add_argument("serials", nargs="+", metavar="SERIAL", help="without one it is refused")
    where = exempt.add_mutually_exclusive_group(required=True)
    where.add_argument("--zone", metavar="ZONE")
    where.add_argument("--around", metavar="LAT,LON,RADIUS_M")
    exempt.add_argument("--minutes", type=float, required=True, metavar="N")
    exempt.add_argument("--why", default="", metavar="WORDS")
    add_token(exempt)
    exempt.set_defaults(run=_exempt)
    table = steps.add_parser("import", help="standing exemptions from a CSV table")
    table.add_argument("file", type=Path, metavar="FILE")
    table.add_argument("--to", metavar="URL", help="else the table is only checked")
    add_token(table)
    table.set_defaults(run=_import)
    flights = steps.add_parser("flights", help="exemption flights by class and month")
    flights.add_argument("url", metavar="URL")
    add_token(flights)
    flights.set_defaults(run=_flights)


def _add_card(steps: Steps, add_json: Add, add_token: Add) -> None:
    card = steps.add_parser("card", help="write a permit's card as a QR code")
    card.add_argument("file", metavar="FILE|URL")
    card.add_argument("permit_id", metavar="PERMIT")
    card.add_argument("--out", type=Path, required=True, metavar="F", help=".svg or .png")
    card.add_argument("--volume", type=int, default=1, metavar="N", help="(default 1)")
    card.add_argument("--key", type=Path, metavar="F", help="the secret key, for a file")
    add_token(card)
    card.set_defaults(run=_card)
    verify = steps.add_parser("verify-card", help="say what a card is worth, offline")
    verify.add_argument("text", metavar="TEXT", help="of its QR code")
    verify.add_argument("--key", type=Path, required=True, metavar="F", help="the public key")
    verify.add_argument("--status", type=Path, metavar="F", help="the list of those taken back")
    verify.add_argument("--here", metavar="LAT,LON")
    add_json(verify)
    verify.set_defaults(run=_verify)
    page = steps.add_parser("check-page", help="write the page that checks cards offline")
    page.add_argument("--authority", required=True, metavar="ID")
    page.add_argument("--key", type=Path, required=True, metavar="F", help="the public key")
    page.add_argument("--status", type=Path, required=True, metavar="F")
    page.add_argument("--out", type=Path, required=True, metavar="F")
    page.set_defaults(run=_page)


def _step(args: argparse.Namespace) -> int:
    from skykeep.codec.moment import parse_moment
    from skykeep.commands import permits, remote
    from skykeep.core.permit import PermitEvent, Terms

    name = args.step.replace("-", "_")
    if remote.is_remote(args.file):
        fields = {
            "permit_id": args.permit_id, "step": name, "why": args.why,
            "conditions": args.condition, "identity_proof": args.identity_proof,
            "land_by": args.land_by, "decide_by": args.decide_by,
        }  # fmt: skip
        token = remote.read_token(args.token_file)
        return remote.command(args.file, "change_permit", token, fields)
    land_by_ns, decide_by_ns = (
        None if text is None else parse_moment(text, option)
        for option, text in (("--land-by", args.land_by), ("--decide-by", args.decide_by))
    )
    terms = Terms(tuple(args.condition), land_by_ns, decide_by_ns, args.identity_proof)
    return permits.step(
        Path(args.file), args.permit_id, PermitEvent(name), args.why, args.by, args.role,
        time.time_ns(), args.json, terms,
    )  # fmt: skip


def _due(args: argparse.Namespace) -> int:
    from skykeep.commands import permits, remote

    if remote.is_remote(args.file):
        path = f"/v1/permits/due?{urlencode({'within_h': args.within_h})}"
        return remote.show(args.file, path, remote.read_token(args.token_file))
    return permits.due(Path(args.file), args.within_h, time.time_ns(), args.json)


def _check(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    token = remote.read_token(args.token_file)
    return remote.command(args.at, "check_permits", token, remote.read_file(args.file))


def _exempt(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    fields: dict[str, Any] = {
        "exemption_class": args.exemption_class, "serials": args.serials,
        "minutes": args.minutes, "why": args.why,
    }  # fmt: skip
    if args.zone is not None:
        fields["zone_id"] = args.zone
    else:
        try:
            lat, lon, radius_m = (float(part) for part in args.around.split(","))
        except ValueError:
            problem = f"{args.around!r} is no circle"
            raise InputError("--around", problem, "Give LAT,LON,RADIUS_M") from None
        fields["around"] = {"lat_deg": lat, "lon_deg": lon, "radius_m": radius_m}
    token = remote.read_token(args.token_file)
    return remote.command(args.url, "declare_exemption", token, fields)


def _import(args: argparse.Namespace) -> int:
    from skykeep.codec.csv_exemptions import decode_exemptions
    from skykeep.commands import remote
    from skykeep.core.event import Severity

    data = remote.read_file(args.file)
    read = decode_exemptions(data, str(args.file), "")
    for finding in read.findings:
        print(
            f"{finding.severity}: {finding.where}: {finding.problem} ({finding.assumed})",
            file=sys.stderr,
        )
    faulty = any(f.severity is Severity.ERROR for f in read.findings)
    if args.to is None:
        print(f"{len(read.permits)} exemptions can be entered")
    else:
        body = json.dumps({"csv": data.decode("utf-8-sig")}).encode()
        remote.command(args.to, "import_exemptions", remote.read_token(args.token_file), body)
    return 1 if faulty else 0


def _flights(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    return remote.show(args.url, "/v1/exemptions/flights", remote.read_token(args.token_file))


def _card(args: argparse.Namespace) -> int:
    from skykeep.commands import permits_card

    return permits_card.card(
        args.file, args.permit_id, args.volume, args.out, args.token_file, args.key,
        time.time_ns(),
    )  # fmt: skip


def _verify(args: argparse.Namespace) -> int:
    from skykeep.commands import permits_card

    return permits_card.verify_card(
        args.text, args.key, args.status, args.here, time.time_ns(), args.json
    )


def _page(args: argparse.Namespace) -> int:
    from skykeep.commands import permits_card

    return permits_card.page(args.authority, args.key, args.status, args.out)
