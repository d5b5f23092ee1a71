"""`skykeep permit list|grant|revoke|step|due` on a permits file.

Exit codes: 0 done, 1 not allowed in the permit's present state, 2 bad input. Data goes to
standard output, errors to standard error. A file that could not be read in full is listed
as far as it makes sense (exit 2) and never written: writing would lose what was not read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from skykeep.codec.json_doc import MAX_DOCUMENT_BYTES
from skykeep.codec.moment import format_moment
from skykeep.codec.permits import PermitFile, decode_permits, encode_permits, permit_record
from skykeep.commands.atomic import only_writer, write_atomically
from skykeep.core import permit_book
from skykeep.core.event import Finding, Severity
from skykeep.core.permit import (
    NO_TERMS,
    REASON_NEEDED,
    Permit,
    PermitEvent,
    PermitState,
    Terms,
    transition,
)
from skykeep.errors import DecisionError, InputError
from skykeep.units import NS_PER_S

OK = 0
NOT_ALLOWED = 1
BAD_INPUT = 2


def list_(path: Path, as_json: bool) -> int:
    """Print the permits and exemptions of a file, and what is amiss in it."""

    def run() -> int:
        file = _read(path)
        if as_json:
            record = {
                "authority": file.authority_id,
                "permits": [permit_record(p) for p in file.permits],
                "findings": [asdict(f) for f in file.findings],
            }
            print(json.dumps(record, indent=2))
        else:
            _print_table(file)
            _print_findings(file.findings)
        return BAD_INPUT if _errors(file) else OK

    return _guarded(run, as_json)


def grant(
    path: Path,
    permit_id: str,
    why: str,
    actor_name: str,
    actor_role: str,
    now_ns: int,
    as_json: bool,
    application: Path | None = None,
) -> int:
    """Grant a submitted permit of the file at `path`, by a named person.

    With `application`, another permits file of the same authority, the permit is taken from
    there first (a draft counts as handed in by that); `path` may then be new.
    """

    def change(file: PermitFile) -> tuple[PermitFile, Permit]:
        if application is not None:
            file = _with_application(file, permit_id, _read(application), application, now_ns)
        return _step(file, permit_id, PermitEvent.GRANT, now_ns, why, actor_name, actor_role)

    def run() -> int:
        _need_actor(actor_name, actor_role)
        start = None
        if application is not None and not path.exists():
            start = PermitFile(_read(application).authority_id, ())
        return _change(path, change, as_json, start)

    return _guarded(run, as_json)


def revoke(
    path: Path,
    permit_id: str,
    why: str,
    actor_name: str,
    actor_role: str,
    now_ns: int,
    as_json: bool,
) -> int:
    """Revoke a permit or exemption of the file at `path`, by a named person, with a reason."""

    def run() -> int:
        _need_actor(actor_name, actor_role)
        if not why.strip():
            raise InputError("why", "empty", "Say why the permit is revoked.")
        return _change(
            path,
            lambda file: _step(
                file, permit_id, PermitEvent.REVOKE, now_ns, why, actor_name, actor_role
            ),
            as_json,
            None,
        )

    return _guarded(run, as_json)


def step(
    path: Path,
    permit_id: str,
    event: PermitEvent,
    why: str,
    actor_name: str,
    actor_role: str,
    now_ns: int,
    as_json: bool,
    terms: Terms = NO_TERMS,
) -> int:
    """Any step of a permit in the file at `path`, by a named person; the table decides."""

    def run() -> int:
        _need_actor(actor_name, actor_role)
        if event in REASON_NEEDED and not why.strip():
            raise InputError("why", "empty", f"Say why: {event} needs a reason.")
        if event in (PermitEvent.DECLARE_EMERGENCY, PermitEvent.CONFIRM):
            problem = "belongs to emergency exemptions, which only a running site can end in time"
            raise InputError("step", problem, "Give the site's address.")

        def change(file: PermitFile) -> tuple[PermitFile, Permit]:
            return _step(file, permit_id, event, now_ns, why, actor_name, actor_role, terms)

        return _change(path, change, as_json, None)

    return _guarded(run, as_json)


def due(path: Path, within_h: float, now_ns: int, as_json: bool) -> int:
    """Print the decisions of the file at `path` that are due within so many hours."""

    def run() -> int:
        file = _read(path)
        until_ns = now_ns + round(within_h * 3_600.0 * NS_PER_S)
        found = permit_book.due(file.permits, (), until_ns)
        records = [{**asdict(d), "at": format_moment(d.at_ns)} for d in found]
        if as_json:
            print(json.dumps({"due": records}, indent=2))
        for d in () if as_json else found:
            print(f"{format_moment(d.at_ns)} {d.what} {d.permit_id}: {d.words}")
        return BAD_INPUT if _errors(file) else OK

    return _guarded(run, as_json)


def _guarded(run: Callable[[], int], as_json: bool) -> int:
    try:
        return run()
    except DecisionError as e:
        code, message = NOT_ALLOWED, str(e)
    except InputError as e:
        code, message = BAD_INPUT, str(e)
    if as_json:
        print(json.dumps({"error": message}))
    print(f"error: {message}", file=sys.stderr)
    return code


def _read(path: Path) -> PermitFile:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as e:
        raise InputError(str(path), e.strerror or "cannot be read", "Give a file.") from e
    return decode_permits(data, str(path))


def _errors(file: PermitFile) -> list[Finding]:
    return [f for f in file.findings if f.severity is Severity.ERROR]


def _need_actor(name: str, role: str) -> None:
    for field, value in (("actor name", name), ("actor role", role)):
        if not value.strip():
            raise InputError(field, "empty", "Name the person who decides, and the role.")


def _change(
    path: Path,
    change: Callable[[PermitFile], tuple[PermitFile, Permit]],
    as_json: bool,
    start: PermitFile | None,
) -> int:
    with only_writer(path):
        file = _read(path) if start is None else start
        errors = _errors(file)
        if errors:
            _print_findings(tuple(errors))
            problem = f"{len(errors)} faults; writing would lose what cannot be read"
            raise InputError(str(path), problem, "Mend the file first.")
        file, permit = change(file)
        write_atomically(path, encode_permits(file.authority_id, file.permits))
    if as_json:
        print(json.dumps(permit_record(permit), indent=2))
    else:
        since = format_moment(permit.state_since_ns)
        print(f"{permit.permit_id} is {permit.state} since {since}: {permit.state_why}")
    return OK


def _step(
    file: PermitFile,
    permit_id: str,
    event: PermitEvent,
    now_ns: int,
    why: str,
    actor_name: str,
    actor_role: str,
    terms: Terms = NO_TERMS,
) -> tuple[PermitFile, Permit]:
    before = _find(file, permit_id)
    by = f"by {actor_name.strip()}, {actor_role.strip()}"
    words = f"{why.strip()} ({by})" if why.strip() else by
    after = transition(before, event, now_ns, words, terms)
    permits = tuple(after if p is before else p for p in file.permits)
    return replace(file, permits=permits), after


def _find(file: PermitFile, permit_id: str) -> Permit:
    for permit in file.permits:
        if permit.permit_id == permit_id:
            return permit
    known = ", ".join(p.permit_id for p in file.permits[:10]) or "none"
    raise InputError("permit id", f"no permit {permit_id!r} here", f"There is: {known}.")


def _with_application(
    file: PermitFile, permit_id: str, applied: PermitFile, application: Path, now_ns: int
) -> PermitFile:
    if applied.authority_id != file.authority_id:
        problem = f"for {applied.authority_id!r}, not for {file.authority_id!r}"
        raise InputError(f"{application}: $.authority", problem, "Apply to the right authority.")
    errors = _errors(applied)
    if errors:
        _print_findings(tuple(errors))
        raise InputError(str(application), f"{len(errors)} faults", "Mend the application.")
    permit = _find(applied, permit_id)
    if any(p.permit_id == permit_id for p in file.permits):
        raise DecisionError(f"permit {permit_id} is in the file already")
    if permit.state is PermitState.DRAFT:
        permit = transition(permit, PermitEvent.SUBMIT, now_ns, "handed in")
    return replace(file, permits=(*file.permits, permit))


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for f in findings:
        print(f"{f.severity}: {f.where}: {f.problem} ({f.assumed})", file=sys.stderr)


def _print_table(file: PermitFile) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"Permits and exemptions of {escape(file.authority_id)}")
    for heading in ("id", "state", "class", "holder", "aircraft", "zones", "times (UTC)", "why"):
        table.add_column(heading, overflow="fold")
    for p in file.permits:
        cells = (
            p.permit_id,
            p.state,
            p.exemption_class,
            p.holder,
            "\n".join(p.serials),
            "\n".join(p.zones) or ("all of the authority" if p.exemption_class else "none"),
            "\n".join(_times(p)),
            p.state_why,
        )
        table.add_row(*(escape(cell) for cell in cells))
    Console().print(table)


def _times(permit: Permit) -> list[str]:
    return [
        " to ".join(
            "open" if at_ns is None else format_moment(at_ns) for at_ns in (v.start_ns, v.end_ns)
        )
        for v in permit.volumes
    ]
