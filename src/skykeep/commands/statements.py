"""`skykeep statements ...`: what was publicly said, beside what a record holds.

What computes is imported where it is needed, so that the ledger's own steps are quick.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from skykeep.accounts import copies as copying
from skykeep.accounts import export as exporting
from skykeep.accounts.book import Book
from skykeep.accounts.draft import draft as drafted
from skykeep.accounts.forms import draft_rows, proposition_of, row_document, statement_of
from skykeep.accounts.ledger import (
    Act,
    EnterProposition,
    EnterRow,
    GradeRow,
    KeepFinding,
    LinkRows,
    StepRow,
)
from skykeep.accounts.statement import RowStep
from skykeep.codec.json_doc import load_json
from skykeep.commands.atomic import write_atomically
from skykeep.core.event import Actor
from skykeep.core.proposition import Finding, Proposition
from skykeep.errors import InputError, RecordError

if TYPE_CHECKING:
    from skykeep.accounts.reading import Read
    from skykeep.commands.recompute_dossier import Opened
    from skykeep.core.evidence import Evidence

#: An article in UTF-8 is smaller by a thousand times.
MOST_BYTES = 40_000_000


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(str(path), f"has over {MOST_BYTES:,} bytes", "Give the article alone")
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None


def draft(files: Sequence[Path], as_json: bool) -> int:
    """Print the rows that are drafted from articles; what was not understood goes to stderr."""
    rows = []
    for path in files:
        result = drafted(_bytes_of(path).decode("utf-8", "replace"))
        rows += draft_rows(str(path), result)
        for miss in result.not_understood:
            place = f"{path}, characters {miss.position[0]} to {miss.position[1]}"
            print(f"not understood: {place}: {miss.why}: {_plain(miss.words)}", file=sys.stderr)
        print(
            f"{path}: {len(result.rows)} rows; left out: {result.comments_left_out} readers' "
            f"comments, {result.private_left_out} sentences of private persons, "
            f"{result.parts_left_out} parts around the article; not understood: "
            f"{len(result.not_understood) + result.not_listed}",
            file=sys.stderr,
        )
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return 0
    for row in rows:
        begin, end = row["position"]
        who = f"{row['speaker']} ({row['role'] or row['kind']})"
        print(f"{begin}-{end}  {row['stance']}  {_plain(who)}: {_plain(row['words'])}")
    return 0


def _plain(text: str) -> str:
    """Without signs that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def new(path: Path) -> int:
    """Begin a ledger."""
    Book(path, new=True).close()
    print(f"ledger: {path}")
    return 0


def _do(path: Path, acts: Sequence[Act], actor: Actor) -> int:
    book = Book(path)
    try:
        for act in acts:
            print(book.do(act, actor, time.time_ns()))
        print(f"head: {book.head()}", file=sys.stderr)
    finally:
        book.close()
    return 0


def _documents(path: Path) -> list[object]:
    document, _ = load_json(_bytes_of(path), str(path))
    return document if isinstance(document, list) else [document]


def enter(path: Path, file: Path, actor: Actor) -> int:
    """Enter draft rows from a file of JSON."""
    now_ns = time.time_ns()
    found = enumerate(_documents(file))
    acts = [EnterRow(statement_of(d, f"{file}[{k}]", now_ns)) for k, d in found]
    return _do(path, acts, actor)


def propose(path: Path, file: Path, actor: Actor) -> int:
    """Enter propositions from a file of JSON."""
    found = enumerate(_documents(file))
    return _do(path, [EnterProposition(proposition_of(d, f"{file}[{k}]")) for k, d in found], actor)


def step(path: Path, row: str, what: str, words: str, file: Path | None, actor: Actor) -> int:
    """Do a step of a row."""
    statement = None
    if file is not None:
        statement = statement_of(_documents(file)[0], str(file), time.time_ns())
    return _do(path, [StepRow(row, RowStep(what), words, statement)], actor)


def grade(path: Path, row: str, source: str, information: str, actor: Actor) -> int:
    """Enter an Admiralty grade."""
    return _do(path, [GradeRow(row, source, information)], actor)


def link(path: Path, row: str, original: str, copies: bool, actor: Actor) -> int:
    """Confirm that a row copies another, or that it does not."""
    return _do(path, [LinkRows(row, original, copies)], actor)


def copies(path: Path) -> int:
    """Print which rows may copy which; nothing is decided by that."""
    book = Book(path)
    try:
        rows = sorted(book.ledger.rows.values(), key=lambda r: r.statement.recorded_ns)
        told = copying.suggest({r.row_id: r.statement.words for r in rows})
        decided = book.ledger.links
    finally:
        book.close()
    for each in told:
        known = decided.get((each.copy, each.original))
        state = "" if known is None else (", confirmed" if known else ", refused")
        shared = "; ".join(each.shared)
        print(
            f"{each.copy} may copy {each.original}: {each.containment:.0%} of its words, "
            f"{each.marks:.0%} of names, numbers and quotations ({_plain(shared)}){state}"
        )
    return 0


def list_(path: Path, as_json: bool) -> int:
    """Print all rows with their findings."""
    book = Book(path)
    try:
        ledger = book.ledger
        if as_json:
            rows = [row_document(ledger, r) for r in ledger.rows.values()]
            print(msgspec.json.encode(rows).decode())
            return 0
        for row in ledger.rows.values():
            s = row.statement
            print(f"{row.row_id}  {row.state}  {s.stance}  {_plain(s.speaker.name)}: "
                  f"{_plain(s.words)}")  # fmt: skip
            for p, f in exporting.pairs(ledger, row):
                print(f"       {p.proposition_id}: {f.outcome}: {f.words}")
    finally:
        book.close()
    return 0


def log(path: Path) -> int:
    """Print everything that was done; a file that does not hold is refused."""
    book = Book(path)
    try:
        for done in book.acts():
            said = msgspec.json.encode(done.act).decode()
            print(f"{done.number}  {done.at_ns}  {_plain(done.actor.name)} ({done.actor.role})  "
                  f"{type(done.act).__name__}  {_plain(said)}")  # fmt: skip
        print(f"head: {book.head()}")
    finally:
        book.close()
    return 0


def export(path: Path, form: str, out: Path, title: str) -> int:
    """Write what is published."""
    book = Book(path)
    try:
        if form == "csv":
            data = exporting.as_csv(book.ledger).encode()
        elif form == "html":
            data = exporting.page(book.ledger, title, time.time_ns()).encode()
        else:
            review = exporting.claim_review(book.ledger, title, out.with_suffix(".html").name)
            data = msgspec.json.format(msgspec.json.encode(review), indent=1)
    finally:
        book.close()
    write_atomically(out, data)
    print(f"{form}: {out}")
    return 0


def evidence(
    dossier: Path | None, casebook: Path | None, propositions: Sequence[Proposition]
) -> tuple[Evidence, str]:
    """What a dossier or a record shows of the propositions' time, and its hash or its head."""
    if not propositions:
        raise InputError("propositions", "are none", "Enter one with `statements propose`")
    from skykeep.accounts.reading import gather
    from skykeep.commands.recompute_dossier import Opened

    span = min(p.from_ns for p in propositions), max(p.to_ns for p in propositions)
    if dossier is not None:
        data = _bytes_of(dossier)
        opened = Opened(data)
        reports = opened.incident.reports
        return gather(opened.site, _shown(opened), span, reports), sha256(data).hexdigest()
    if casebook is None:
        raise InputError("--dossier", "is missing", "Name a dossier, or a record with --casebook")
    return _recorded(casebook, span)


def _shown(opened: Opened) -> Iterator[Read]:
    from skykeep.record.entry import read_leaf

    for each in opened.context:
        facts = [f["fact"].encode() if "fact" in f else None for f in each["facts"]]
        yield read_leaf(each["leaf"].encode()), facts
    for shown in opened.shown:
        yield shown.leaf, shown.facts


def _recorded(folder: Path, span: tuple[int, int]) -> tuple[Evidence, str]:
    from skykeep.accounts.reading import gather
    from skykeep.codec import entries
    from skykeep.record.entry import read_leaf
    from skykeep.store.record_store import RECORD_FILE, RecordStore

    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        site = entries.site_of(store.facts(next(store.entries(0, 1))))
        read = ((read_leaf(e.leaf), store.readable(e)) for e in store.entries())
        found = gather(site, read, span)
        return found, sha256(store.checkpoint()).hexdigest()
    finally:
        store.close()


def findings(
    path: Path, dossier: Path | None, casebook: Path | None, blind: bool, actor: Actor
) -> int:
    """Hold every proposition against a dossier or a record, and keep what is found.

    `blind`: as if no sensor had been in watch; that is printed and not kept.
    """
    from skykeep.core.finding import find

    book = Book(path)
    try:
        asked = tuple(book.ledger.propositions.values())
        shown, digest = evidence(dossier, casebook, asked)
        if blind:
            shown = replace(shown, sensors=())
        for p in asked:
            found = find(p, shown)
            if not blind:
                book.do(KeepFinding(found, digest), actor, time.time_ns())
            _print(p, found)
    finally:
        book.close()
    return 0


def _print(p: Proposition, found: Finding) -> None:
    why = f" ({found.why})" if found.why else ""
    print(f"{p.proposition_id}  {found.outcome}{why}  {_plain(p.words)}")
    print(f"     {found.words}")


def demo(dossier: Path, blind: bool) -> int:
    """The twelve statements about the demo's night, against its dossier."""
    from skykeep.accounts import demo as night
    from skykeep.codec import entries
    from skykeep.commands.recompute_dossier import Opened
    from skykeep.core.finding import find

    opened = Opened(_bytes_of(dossier))
    start_ns = next(s.leaf.at_ns for s in opened.shown if s.leaf.kind == entries.TICK)
    start_ns -= start_ns % (60 * 10**9)
    asked = night.propositions(opened.site.frame, start_ns)
    shown, _ = evidence(dossier, None, asked)
    if blind:
        shown = replace(shown, sensors=())
    found = {p.proposition_id: (p, find(p, shown)) for p in asked}
    for name, said in night.statements(start_ns):
        print(f"{name}  {said.speaker.name} {said.stance}: {said.words}")
        for about in said.propositions:
            print("  ", end="")
            _print(*found[about])
    print("Of nobody in particular:")
    told = {about for _, said in night.statements(start_ns) for about in said.propositions}
    for name in sorted(set(found) - told):
        _print(*found[name])
    return 0
