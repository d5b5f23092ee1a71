"""The incident on a few pages, to print: a PDF from the same view as the page.

The same view gives the same bytes: reportlab's invariant mode leaves out clock and chance, and
nothing is compressed, so that no version of zlib plays a part. The fonts are the PDF standard
ones, which have the letters of Western Europe; any other is written as [U+0416].
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from skykeep.dossier.markup import visible
from skykeep.dossier.page_cover import range_words
from skykeep.dossier.page_map import permission_of
from skykeep.dossier.page_places import way_words
from skykeep.dossier.page_sections import alert_state
from skykeep.dossier.page_words import (
    CONCLUSION,
    KINDS,
    PRESENCE,
    RESTRICTION,
    RULE_STEPS,
    SENSOR_KIND,
    SOURCE,
    STEPS,
    STRENGTH,
    look_of,
    said,
)
from skykeep.dossier.paper_map import drawing
from skykeep.dossier.story_places import WITHHELD
from skykeep.dossier.view import DossierView, SensorView, TrackView

#: The letters of the standard fonts, in what PDF calls WinAnsiEncoding.
LETTERS = "cp1252"
#: A longer list goes on in the reader's page: paper is for an overview.
ROWS_MOST = 60
#: A text that is longer is cut on paper: a cell of a table must fit on a page.
LETTERS_MOST = 900

_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, spaceAfter=3)
_SMALL = ParagraphStyle("small", _BODY, fontSize=8, leading=10, spaceAfter=0)
_BOLD = ParagraphStyle("bold", _SMALL, fontName="Helvetica-Bold")
_NOTE = ParagraphStyle("note", _SMALL, textColor=colors.HexColor("#525a66"), spaceAfter=3)
_CODE = ParagraphStyle("code", _SMALL, fontName="Courier", fontSize=7.5)
_H1 = ParagraphStyle("h1", _BODY, fontName="Helvetica-Bold", fontSize=18, leading=22)
_H2 = ParagraphStyle(
    "h2", _BODY, fontName="Helvetica-Bold", fontSize=12, leading=15, spaceBefore=10, spaceAfter=4,
    keepWithNext=1,
)  # fmt: skip
_H3 = ParagraphStyle(
    "h3", _BODY, fontName="Helvetica-Bold", spaceBefore=6, spaceAfter=2, keepWithNext=1
)
_WIDTH = A4[0] - 36 * mm

Flow = list[Any]


def print_out(view: DossierView) -> bytes:
    """The PDF, A4."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, invariant=1, pageCompression=0, title=printable(view.title),
        author=printable(view.authority), leftMargin=18 * mm, rightMargin=18 * mm,
        topMargin=16 * mm, bottomMargin=18 * mm,
    )  # fmt: skip

    def foot(canvas: Any, _: object) -> None:
        canvas.setFont("Helvetica", 7.5)
        left = printable(f"Incident {view.incident_id}, {view.site_name}. {view.produced_from}")
        canvas.drawString(18 * mm, 10 * mm, left[:130])
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"page {document.page}")

    flow = [
        *_first_page(view), *_allowed(view), *_seen(view), *_said(view), *_decided(view),
        *_timeline(view), *_proof(view),
    ]  # fmt: skip
    document.build(flow, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def printable(text: str) -> str:
    """A text in the letters that the fonts have; every other one by its number."""
    kept = visible(text).replace("\t", " ")
    return "".join(c if _has(c) else f"[U+{ord(c):04X}]" for c in kept)


def _has(letter: str) -> bool:
    if letter == "\n":
        return True
    try:
        return len(letter.encode(LETTERS)) == 1
    except UnicodeEncodeError:
        return False


def _text(words: str, style: Any = _BODY) -> Any:
    ink = printable(words)
    if len(ink) > LETTERS_MOST:
        ink = f"{ink[:LETTERS_MOST]} ... (cut here: all of it is in reader.html)"
    safe = ink.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Paragraph(safe.replace("\n", "<br/>"), style)


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]
) -> list[Any]:
    """A table with its heading on every page, cut after ROWS_MOST rows, which it then says."""
    cells = [[_text(h, _BOLD) for h in headings]]
    cells += [[_text(cell, _SMALL) for cell in row] for row in rows[:ROWS_MOST]]
    widths = [_WIDTH * share / sum(shares) for share in shares]
    made = Table(cells, colWidths=widths, repeatRows=1, splitInRow=1)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, colors.HexColor("#cdd2da")),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    more = len(rows) - ROWS_MOST
    return [made, _text(f"{more} more are in reader.html.", _NOTE)] if more > 0 else [made]


def _box(parts: Flow) -> Any:
    made = Table([[part] for part in parts], colWidths=[_WIDTH], splitInRow=1)
    made.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 1.2, colors.black)]))
    return made


def _first_page(view: DossierView) -> Flow:
    parts: Flow = [
        _text(f"Incident {view.incident_id} · {view.site_name}", _NOTE),
        _text(view.title, _H1),
        _text(f"{view.authority} · opened {view.opened} · times are in {view.time_zone}", _NOTE),
    ]
    decided = [each for each in view.withheld if each.decided]
    others = sum(each.count for each in view.withheld if not each.decided)
    if decided:
        told = [_text("This dossier does not show everything.", _BOLD)]
        told += [
            _text(f"{each.words}. Withheld by {each.by}: {each.why}.", _SMALL) for each in decided
        ]
        parts += [_box(told), Spacer(1, 4)]
    parts += [_text(line) for line in view.summary]
    if others:
        parts.append(
            _text(
                f"{others} facts about people and aircraft that are not part of this incident are "
                "withheld; the last page says by whom and why.",
                _NOTE,
            )
        )
    if view.figures:
        figures = "; ".join(f"{f.label}: {f.value} {f.words}" for f in view.figures)
        parts.append(_text(f"{figures}."))
    drawn = drawing(view, _WIDTH, printable)
    if drawn is not None:
        lines = dict.fromkeys(permission_of(track) for track in view.tracks)
        words = "; ".join(f"{look_of(p).words}: {look_of(p).meaning}" for p in lines)
        parts += [
            Spacer(1, 4),
            drawn,
            _text(
                "Tracks as sensors gave them: a ring is where one was first seen, a square where "
                f"last; triangles are sensors, crosses found parts. North is up. {words}.",
                _NOTE,
            ),
        ]
    return parts


def _allowed(view: DossierView) -> Flow:
    parts: Flow = [_text("What was allowed", _H2)]
    rows = [
        (
            zone.name,
            said(RESTRICTION, zone.restriction),
            f"From {zone.heights}; {zone.in_force}",
            f"{zone.authority}. {zone.legal_basis or 'No legal basis is recorded'}",
        )
        for zone in view.zones
    ]
    parts += _table(("Zone", "The rule", "Where and when", "By whom, on what basis"), rows,
                    (2, 3, 4, 4))  # fmt: skip
    if view.permits:
        permits = [(p.permit_id, p.words) for p in view.permits if p.permit_id != WITHHELD]
        hidden = len(view.permits) - len(permits)
        if hidden:
            permits.append((WITHHELD, "Decisions on others' permits; what stands for each of them "
                            "is in reader.html and withheld.json."))  # fmt: skip
        parts += [Spacer(1, 6), *_table(("Permit", "What it allowed"), permits, (1, 6))]
    return parts


def _seen(view: DossierView) -> Flow:
    parts: Flow = []
    heading = [_text("What was seen, and by what", _H2)]
    for number, track in enumerate(view.tracks):
        parts.append(KeepTogether([*([] if number else heading), *_track(track)]))
    parts = parts or heading
    rows = [_sensor(sensor) for sensor in view.sensors]
    parts += [Spacer(1, 6)]
    parts += _table(("Sensor", "What it is", "Can see", "Gave", "Health"), rows, (2, 4, 3, 3, 3))
    return parts


def _track(track: TrackView) -> Flow:
    by = ", ".join(f"{sensor} {count}" for sensor, count in track.sensors) or "none"
    strength = said(STRENGTH, track.strength)
    parts: Flow = [
        _text(f"Track {track.track_id}: {track.label_words}", _H3),
        _text(f"Seen from {track.first_seen} to {track.last_seen}; {way_words(track)}"),
        _text(f"{said(SOURCE, track.source)} Observations: {by}."),
        _text(f"Identity: {track.identity or 'none known'}; {strength}."),
    ]
    rows = [
        (
            verdict.at,
            f"{verdict.zone_id}: {said(PRESENCE, verdict.presence)}",
            look_of(verdict.permission).words,
            "; ".join(words for _, words in verdict.reasons),
        )
        for verdict in track.verdicts[:12]
    ]
    return parts + _table(("From", "Where", "Permission", "Why"), rows, (2, 4, 2, 5))


def _sensor(sensor: SensorView) -> tuple[str, ...]:
    silent_s = sum(until - since for since, until, state in sensor.health if state == "silent")
    gave = f"{sensor.observations} observations"
    if sensor.withheld:
        gave = f"{sensor.withheld.upper()}; {sensor.observations} observations shown"
    seen = f"saw a track in {len(sensor.seen_s)} moments" if sensor.seen_s else "saw no track"
    health = f"silent for {silent_s:.0f} s" if silent_s else "no silence"
    what = f"{said(SENSOR_KIND, sensor.kind)}: {sensor.words}"
    return sensor.sensor_id, what, range_words(sensor.coverage), gave, f"{health}; {seen}"


def _said(view: DossierView) -> Flow:
    parts: Flow = [_text("What people reported", _H2)]
    rows = [(s.at, s.azimuth, s.words) for s in view.sightings]
    if rows:
        parts += _table(("Seen", "Direction", "In their words"), rows, (2, 2, 7))
    for report in view.reports:
        parts.append(_text(f"{report.author}, {report.role}, {report.at}: {report.words}"))
        parts.append(_text(f"Injuries: {report.injuries}; damage: {report.damage}.", _NOTE))
    if len(parts) == 1:
        parts.append(_text("Nobody reported anything."))
    return parts


def _decided(view: DossierView) -> Flow:
    parts: Flow = [_text("What was decided, and by whom", _H2)]
    for alert in view.alerts:
        about = f", about {' and '.join(alert.tracks)}" if alert.tracks else ""
        parts.append(_text(f"Alert {alert.alert_id}{about}: {alert_state(alert)}", _H3))
        rows = [
            (at, said({**STEPS, **RULE_STEPS}, what), f"{who}, {role}", why)
            for at, what, who, role, why in alert.steps
        ]
        parts += _table(("When", "What", "Who", "Why or to whom"), rows, (2, 3, 3, 3))
    if not view.alerts:
        parts.append(_text("No alert is part of this dossier."))
    parts.append(_text("What was assessed", _H2))
    for each in view.assessments:
        conclusion = said(CONCLUSION, each.conclusion)
        parts.append(_text(f"{each.author}, {each.role}, {each.at}: {conclusion}. {each.words}"))
        evidence = ", ".join(each.evidence) or "no evidence is named"
        parts.append(_text(f"Resting on {evidence}.", _NOTE))
    if not view.assessments:
        parts.append(_text("Nobody has assessed this incident yet."))
    return parts


def _timeline(view: DossierView) -> Flow:
    rows = [
        (item.at, KINDS.get(item.kind, ("", item.kind, ""))[1], item.words)
        for item in view.timeline
    ]
    if not rows:
        return []
    return [_text("Everything in its order", _H2), *_table(("When", "Kind", "What"), rows,
            (2, 1.3, 8))]  # fmt: skip


def _proof(view: DossierView) -> Flow:
    proof = view.proof
    parts: Flow = [
        _text("How to check this", _H2),
        _text(
            "Paper proves nothing. The file that this came in can be checked by anybody, without a "
            "network, with keys that come from elsewhere:"
        ),
        _text(proof.verify_command, _CODE),
        Spacer(1, 4),
        *_table(("The head of the record", ""), proof.head, (1, 4)),
        _text("What is withheld", _H3),
        *(_text(line, _SMALL) for line in proof.lines),
        _text("What is checked", _H3),
        *(_text(f"{what}: {told}", _SMALL) for what, told in proof.checks),
        _text("What the proof cannot know", _H3),
        *(_text(line, _SMALL) for line in proof.cannot_know),
    ]
    return parts
