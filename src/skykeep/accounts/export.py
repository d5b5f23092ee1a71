"""What is published, for others to read: ClaimReview in JSON-LD, CSV, and a page to print.

Only published rows go out (withdrawn ones say so), each with its finding, the replies and the
corrections. ClaimReview: https://schema.org/ClaimReview.
"""

from __future__ import annotations

import csv
import io
from html import escape
from typing import Any

from skykeep.accounts.ledger import Ledger, Row
from skykeep.accounts.statement import RowState
from skykeep.codec.moment import format_moment
from skykeep.core.proposition import Finding, Outcome, Proposition
from skykeep.units import to_datetime

#: What the record says, in the words that readers see.
OUTCOME_WORDS = {
    Outcome.SUPPORTED: "supported by the record",
    Outcome.CONTRADICTED: "incompatible with the record",
    Outcome.NOT_MEASURED: "not measured",
}
#: schema.org's scale from worst to best; what is not measured is rated by nothing.
_RATING = {Outcome.SUPPORTED: 3, Outcome.CONTRADICTED: 1}
_COLUMNS = ("row", "state", "speaker", "role", "organisation", "stance", "words", "language",
            "claimed", "reported_by", "address", "grade", "proposition", "outcome", "why", "reason",
            "replies", "corrections")  # fmt: skip
#: A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def public_rows(ledger: Ledger) -> list[Row]:
    """Rows that were released, oldest first; of withdrawn ones the words are not shown."""
    states = (RowState.PUBLISHED, RowState.WITHDRAWN)
    found = [r for r in ledger.rows.values() if r.state in states]
    return sorted(
        found, key=lambda r: (r.statement.claimed_ns or r.statement.recorded_ns, r.row_id)
    )


def pairs(ledger: Ledger, row: Row) -> list[tuple[Proposition, Finding]]:
    """The propositions of a row with their findings."""
    return [
        (ledger.propositions[p], ledger.findings[p].finding)
        for p in row.statement.propositions
        if p in ledger.findings
    ]


def claim_review(ledger: Ledger, author: str, base: str) -> dict[str, Any]:
    """Every published row's propositions as ClaimReview; `base` is where the page will stand."""
    graph = [
        _review(row, p, f, author, base, ledger.findings[p.proposition_id].at_ns)
        for row in public_rows(ledger) if row.state is RowState.PUBLISHED
        for p, f in pairs(ledger, row)
    ]  # fmt: skip
    return {"@context": "https://schema.org", "@graph": graph}


def _review(
    row: Row, p: Proposition, f: Finding, author: str, base: str, at_ns: int
) -> dict[str, Any]:
    s = row.statement
    organisation = {"@type": "Organization", "name": s.speaker.organisation}
    speaker: dict[str, Any] = organisation
    if s.speaker.role:
        speaker = {"@type": "Person", "name": s.speaker.name, "jobTitle": s.speaker.role}
        if s.speaker.organisation:
            speaker["worksFor"] = organisation
    claim: dict[str, Any] = {"@type": "Claim", "text": s.words, "author": speaker}
    if s.claimed_ns is not None:
        claim["datePublished"] = format_moment(s.claimed_ns)
    if s.address:
        claim["appearance"] = {"@type": "CreativeWork", "url": s.address}
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": OUTCOME_WORDS[f.outcome],
                              "ratingExplanation": f.words}  # fmt: skip
    if f.outcome in _RATING:
        rating |= {"ratingValue": _RATING[f.outcome], "worstRating": 1, "bestRating": 3}
    return {
        "@type": "ClaimReview",
        "url": f"{base}#{row.row_id}",
        "claimReviewed": p.words,
        "datePublished": format_moment(at_ns),
        "author": {"@type": "Organization", "name": author},
        "itemReviewed": claim,
        "reviewRating": rating,
    }


def as_csv(ledger: Ledger) -> str:
    """Published rows, a line for each proposition; RFC 4180, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in public_rows(ledger):
        found: list[tuple[Proposition | None, Finding | None]] = [*pairs(ledger, row)]
        for p, f in found or [(None, None)]:
            writer.writerow([_cell(c) for c in _line(row, p, f)])
    return out.getvalue()


def _line(row: Row, p: Proposition | None, f: Finding | None) -> list[str]:
    s, shown = row.statement, row.state is RowState.PUBLISHED
    grade = "" if s.grading is None else f"{s.grading.source}{s.grading.information}"
    return [
        row.row_id, str(row.state), s.speaker.name, s.speaker.role, s.speaker.organisation,
        str(s.stance), s.words if shown else f"withdrawn: {row.withdrawn_why}", s.language,
        "" if s.claimed_ns is None else format_moment(s.claimed_ns), s.reported_by, s.address,
        grade,
        p.words if p else "", OUTCOME_WORDS[f.outcome] if f else "",
        str(f.why) if f and f.why else "", f.words if f else "",
        " | ".join(r.words or "asked, no answer" for r in row.replies),
        " | ".join(c.why for c in row.corrections),
    ]  # fmt: skip


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}
article{border-top:1px solid #888;padding:.6rem 0;break-inside:avoid}
blockquote{margin:.3rem 0;padding-left:1rem;border-left:3px solid #888}
.outcome{font-weight:600}.small{font-size:.85rem;color:#444}
@media print{body{margin:0;max-width:none}}
"""


def page(ledger: Ledger, title: str, at_ns: int) -> str:
    """The incident's public page: one file without program or network, made to be printed."""
    rows = public_rows(ledger)
    told = [p for r in rows if r.state is RowState.PUBLISHED for p in pairs(ledger, r)]
    by_id = {p.proposition_id: (p, f) for p, f in told}
    measured = [_measured(*by_id[k]) for k in sorted(by_id) if _known(by_id[k][1])]
    unknown = [_measured(*by_id[k]) for k in sorted(by_id) if not _known(by_id[k][1])]
    said = [_said(ledger, row) for row in rows]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p class=small>As of {_time(at_ns)}. The record is kept by an "
        "interested party; whoever doubts it can verify it and compute the findings again.</p>"
        f"<h2>What was measured</h2>{''.join(measured) or '<p>Nothing.</p>'}"
        f"<h2>What is not known</h2>{''.join(unknown) or '<p>Nothing is listed.</p>'}"
        f"<h2>What was said</h2>{''.join(said) or '<p>Nothing is published.</p>'}</body></html>\n"
    )


def _known(f: Finding) -> bool:
    return f.outcome is not Outcome.NOT_MEASURED


def _measured(p: Proposition, f: Finding) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in f.coverage)
    watch = f"<ul class=small>{lines}</ul>" if lines else ""
    return (
        f'<article id="{escape(p.proposition_id)}"><p>{escape(p.words)}: '
        f"<span class=outcome>{OUTCOME_WORDS[f.outcome]}</span></p>"
        f"<p>{escape(f.words)}</p>{watch}</article>"
    )


def _said(ledger: Ledger, row: Row) -> str:
    s = row.statement
    who = ", ".join(dict.fromkeys(x for x in (s.speaker.name, s.speaker.role,
                                              s.speaker.organisation) if x))  # fmt: skip
    head = f'<article id="{row.row_id}"><p>{_time(s.claimed_ns or s.recorded_ns)}: {escape(who)} '
    head += f"({s.stance.replace('_', ' ')}), reported by {escape(s.reported_by)}</p>"
    if row.state is RowState.WITHDRAWN:
        return f"{head}<p>This row was withdrawn: {escape(row.withdrawn_why)}</p></article>"
    body = f"<blockquote>{escape(s.words)}</blockquote>"
    for p, f in pairs(ledger, row):
        count = ledger.origins(p.proposition_id, s.stance).words()
        body += (
            f'<p>On “<a href="#{escape(p.proposition_id)}">{escape(p.words)}</a>”: '
            f"<span class=outcome>{OUTCOME_WORDS[f.outcome]}</span>. "
            f"<span class=small>{escape(count)}.</span></p>"
        )
    for reply in row.replies:
        answer = escape(reply.words) if reply.words else "asked; no answer by then"
        body += f"<p>Reply ({_time(reply.at_ns)}): {answer}</p>"
    for c in row.corrections:
        body += f"<p>Corrected ({_time(c.at_ns)}): {escape(c.why)}. It said before: "
        body += f"<q>{escape(c.before.words)}</q></p>"
    return f"{head}{body}</article>"


def _time(at_ns: int) -> str:
    return f"{to_datetime(at_ns):%Y-%m-%d %H:%M} UTC"
