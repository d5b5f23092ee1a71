"""`skykeep zones check` and `skykeep zones import`: files in, findings and zones out.

Files are of any format that codec/zones.py knows, by their content, never by their names.

Exit codes: 0 no error finding, 1 at least one zone or document that could not be used, 2 a file
that could not be opened or written; `import` writes nothing and gives 2 for a broken document too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from skykeep.codec.ed269_write import write_ed269
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.json_doc import MAX_DOCUMENT_BYTES
from skykeep.codec.zone_geojson_write import write_geojson
from skykeep.codec.zone_parts import Notes, ZoneFinding, tell_apart
from skykeep.codec.zones import ZoneFile, read_zones
from skykeep.commands.atomic import write_atomically
from skykeep.core.event import Finding, Severity
from skykeep.core.zone import Zone
from skykeep.errors import InputError

EXIT_GOOD, EXIT_FAULTS, EXIT_UNUSABLE = 0, 1, 2

#: Stands for the file in findings about several files together.
IMPORT = "import"

#: What can be written, by the name of its format.
WRITERS: dict[str, Callable[[Iterable[Zone]], bytes]] = {
    "ed318": write_ed318,
    "ed269": write_ed269,
    "geojson": write_geojson,
}

_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Read:
    """One file: what it held, or why it could not be read; then whether it was opened."""

    path: str
    content: ZoneFile | None
    failure: InputError | None
    opened: bool = True


def _read(given: str) -> _Read:
    path = given.encode("utf-8", "replace").decode("utf-8")  # a file's name may be any bytes
    try:
        with Path(given).open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        return _Read(path, read_zones(data, path), None)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        failure = InputError(path, f"cannot be opened ({reason})", "Check the path and its rights")
        return _Read(path, None, failure, opened=False)
    except InputError as error:
        return _Read(path, None, error)


def _row(path: str, finding: Finding) -> _Row:
    return {
        "file": path,
        "where": finding.where,
        "problem": finding.problem,
        "assumed": finding.assumed,
        "mend": finding.mend if isinstance(finding, ZoneFinding) else "",
        "severity": str(finding.severity),
    }


def _rows(files: Sequence[_Read]) -> list[_Row]:
    """All findings; a document that is broken as a whole is one of them."""
    rows = []
    for f in files:
        if f.content:
            rows += [_row(f.path, finding) for finding in f.content.findings]
        elif f.failure and f.opened:
            where = f.failure.where.removeprefix(f"{f.path}: ")
            problem, mend = f.failure.problem, f.failure.mend
            broken = ZoneFinding(where, problem, "nothing of the document", Severity.ERROR, mend)
            rows.append(_row(f.path, broken))
    return rows


def _failures(files: Sequence[_Read]) -> list[_Row]:
    return [_failure_row(f.path, f.failure) for f in files if f.failure]


def _failure_row(path: str, error: InputError) -> _Row:
    return {"file": path, "where": error.where, "problem": error.problem, "mend": error.mend}


def _exit_code(files: Sequence[_Read], rows: Sequence[_Row]) -> int:
    if any(not f.opened for f in files):
        return EXIT_UNUSABLE
    has_errors = any(row["severity"] == Severity.ERROR for row in rows)
    return EXIT_FAULTS if has_errors else EXIT_GOOD


def check(paths: list[str], as_json: bool) -> int:
    """Print what is in zone files and what is amiss in them; see the module for the exit code.

    With `as_json` one object: `files` (file, format, zones, unreadable), `findings` (file,
    where, problem, assumed, mend, severity) and `failures` (file, where, problem, mend).
    """
    files = [_read(path) for path in paths]
    rows = _rows(files)
    if as_json:
        _print_json({"files": _summary(files), "findings": rows, "failures": _failures(files)})
    else:
        _print_tables(files, rows)
    return _exit_code(files, rows)


def import_(paths: list[str], out: str, as_json: bool, form: str = "ed318") -> int:
    """Write the readable zones of files of any format to `out` as one document of `form`.

    Unreadable zones are left out and named by their error findings (exit code 1). If a file
    cannot be read, nothing is written (exit code 2): half an import could be taken for all.
    """
    files = [_read(path) for path in paths]
    rows = _rows(files)
    failures = _failures(files)
    written = 0
    if not failures:
        zones, renamed = _gather(files)
        rows += renamed
        try:
            write_atomically(Path(out), WRITERS[form](zones))
            written = len(zones)
        except InputError as error:
            failures = [_failure_row(out, error)]
    if as_json:
        _print_json(
            {
                "files": _summary(files),
                "findings": rows,
                "failures": failures,
                "written": written,
                "out": out,
            }
        )
    else:
        _print_tables(files, rows)
        _complain(failures[len(_failures(files)) :])
        print(f"{written} zones written to {out}" if not failures else "Nothing was written.")
    return EXIT_UNUSABLE if failures else _exit_code(files, rows)


def _gather(files: Sequence[_Read]) -> tuple[tuple[Zone, ...], list[_Row]]:
    """The readable zones of all files, identifiers apart, and what had to be renamed."""
    found = [
        (f.path, zone) for f in files if f.content for zone in f.content.zones if zone.readable
    ]
    notes = Notes()
    wheres = [f"zone {zone.zone_id}" for _, zone in found]
    zones = tell_apart([zone for _, zone in found], wheres, notes)
    return zones, [_row(IMPORT, finding) for finding in notes.findings()]


def _summary(files: Sequence[_Read]) -> list[dict[str, object]]:
    return [
        {
            "file": f.path,
            "format": f.content.format,
            "zones": len(f.content.zones),
            "unreadable": sum(not zone.readable for zone in f.content.zones),
        }
        for f in files
        if f.content
    ]


def _print_json(value: dict[str, object]) -> None:
    json.dump(value, sys.stdout, indent=1)  # ASCII: any terminal can show it
    print()


def _complain(failures: Sequence[_Row]) -> None:
    for row in failures:
        print(f"{row['where']}: {row['problem']}. {row['mend']}", file=sys.stderr)


def _print_tables(files: Sequence[_Read], rows: Sequence[_Row]) -> None:
    """A line for each file, then findings of a kind together: a fault of a country's export
    is in all its zones.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    _complain(_failures(files))
    found = Table("file", "format", "zones", "unreadable", title="Zone files")
    for entry in _summary(files):
        found.add_row(*(escape(str(entry[key])) for key in entry))
    if found.row_count:
        console.print(found)
    for f in files:
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE):
            of_kind = [row for row in _rows([f]) if row["severity"] == severity]
            if of_kind:
                console.print(escape(f"{f.path}: {len(of_kind)} {severity}(s)"), style="bold")
            for line in _grouped(of_kind):  # whole lines, however narrow: a place must be found
                console.print(escape(line), soft_wrap=True, highlight=False)
    for row in rows:
        if row["file"] == IMPORT:
            console.print(escape(f"{row['where']}: {row['problem']}; {row['assumed']}"))


def _grouped(rows: Sequence[_Row]) -> list[str]:
    """Two lines for each kind of finding: where first, how often and what; assumed and mend."""
    counted: dict[tuple[str, str, str], tuple[int, str]] = {}
    for row in rows:
        mend = row["mend"] if row["severity"] != Severity.NOTE else ""
        key = row["problem"], row["assumed"], mend
        times, first = counted.get(key, (0, row["where"]))
        counted[key] = times + 1, first
    lines = []
    for (problem, assumed, mend), (times, first) in counted.items():
        more = f" (and {times - 1} more)" if times > 1 else ""
        lines.append(f"  {first}{more}: {problem}")
        lines.append(f"      assumed: {assumed}{'; mend: ' + mend if mend else ''}")
    return lines
