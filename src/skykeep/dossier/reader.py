"""The dossier's page: one HTML file for somebody who knows nothing of Skykeep.

It needs no network and no other file, and its policy (CSP level 3) forbids them all: the one
style sheet and the one program, the time slider's, are named by their digests. Without the
program everything is shown at once. The same view gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re

from skykeep.dossier import page_sections as sections
from skykeep.dossier.markup import (
    Child,
    Markup,
    document,
    element,
    join,
    listing,
    script,
    style,
)
from skykeep.dossier.page_map import line_sample, maps, mark_sample, permission_of
from skykeep.dossier.page_places import drawable, undrawn
from skykeep.dossier.page_script import PROGRAM, player
from skykeep.dossier.page_style import SHEET
from skykeep.dossier.page_words import PERSON, look_of
from skykeep.dossier.view import DossierView, FigureView

#: A value longer than this is no key figure: the page says where it stands instead.
FIGURE_LETTERS = 40
_DATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d\S*)")


def render(view: DossierView) -> bytes:
    """The page of a view: HTML in UTF-8, complete in itself."""
    slider = player(view)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(bool(slider))),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{view.incident_id}: {view.title}"),
        style(SHEET),
    )
    chapters: list[tuple[str, str, list[Child]]] = [
        ("map", "Where it happened", _map(view, slider)),
        ("allowed", "What was allowed", sections.allowed(view)),
        ("seen", "What was seen, and by what", sections.seen(view)),
        ("reported", "What people reported", sections.reported(view)),
        ("decided", "What was decided, and by whom", sections.decided(view)),
        ("assessed", "What was assessed", sections.assessed(view)),
        ("timeline", "Everything in its order", sections.timeline(view)),
        ("proof", "How to check this page", sections.proof(view)),
        ("words", "Words used here", sections.glossary()),
    ]
    links = [(anchor, title) for anchor, title, _ in chapters]
    body = [element("header", *_opening(view)), _contents(links)]
    main = element("main", *(_chapter(*chapter) for chapter in chapters))
    last = [script(PROGRAM)] if slider else []
    return document(head, element("body", *body, main, *last), lang="en")


def _policy(with_program: bool) -> str:
    program = f"script-src '{_digest(PROGRAM)}'; " if with_program else ""
    return (
        f"default-src 'none'; style-src '{_digest(SHEET)}'; {program}"
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _chapter(anchor: str, title: str, parts: list[Child]) -> Markup:
    heading = element("h2", title, id=anchor)
    return element("section", heading, *parts, aria_labelledby=anchor)


def _contents(links: list[tuple[str, str]]) -> Markup:
    items = [element("li", element("a", title, href=f"#{anchor}")) for anchor, title in links]
    return element("nav", element("ol", *items), aria_label="On this page")


def _opening(view: DossierView) -> list[Child]:
    """What happened: the title, some sentences, the key figures."""
    return [
        element("p", f"Incident {view.incident_id} · {view.site_name}", class_="kicker"),
        element("h1", view.title),
        element(
            "p",
            f"{view.authority} · opened {view.opened} · times are in {view.time_zone}",
            class_="lead",
        ),
        *_withheld(view),
        listing(view.summary, class_="summary"),
        _figures(view),
    ]


def _withheld(view: DossierView) -> list[Child]:
    """What somebody decided not to show stands before everything else; the rest in a line."""
    decided = [each for each in view.withheld if each.decided]
    others = sum(each.count for each in view.withheld if not each.decided)
    parts: list[Child] = []
    if decided:
        told = [
            join((f"{each.words}. Withheld by {each.by}: ", element("q", each.why), "."))
            for each in decided
        ]
        parts = [element("strong", "This dossier does not show everything."), listing(told)]
    if others:
        words = f"{others} facts about people and aircraft that are not part of it are withheld"
        also = "Besides, " if decided else "Of the record's entries shown here, "
        link = element("a", "what is withheld", href="#withheld")
        parts.append(element("p", f"{also}{words}: see ", link, "."))
    if not parts:
        return []
    return [element("div", *parts, class_="notice" if decided else "aside")]


def _figures(view: DossierView) -> Markup:
    figures = [FigureView("Alerts raised", f"{len(view.alerts)}", "calls for attention")]
    started = [track for track in view.tracks if drawable(track)]
    if started:
        first = min(started, key=lambda track: drawable(track)[0][0])
        figures.append(_moment("First detection", first.first_seen, f"track {first.track_id}"))
    if view.alerts:
        alert = view.alerts[0]
        figures.append(_moment("First alert", alert.raised, f"alert {alert.alert_id}"))
    figures += view.figures
    if view.reports:
        hurt = "; ".join(report.injuries for report in view.reports)
        hurt = hurt if len(hurt) <= FIGURE_LETTERS else "see the reports"
        figures.append(FigureView("Injuries", hurt, "as responders reported"))
    items = [
        element(
            "li",
            element("span", figure.label, class_="label"),
            element("strong", figure.value),
            element("span", figure.words, class_="of"),
        )
        for figure in figures
    ]
    return element("ul", *items, class_="figures")


def _moment(label: str, at: str, words: str) -> FigureView:
    """A moment as a figure: the time of day large, a date before it small."""
    dated = _DATED.fullmatch(at)
    if dated is None:
        return FigureView(label, at, words)
    return FigureView(label, dated[2], f"on {dated[1]}, {words}")


def _map(view: DossierView, slider: list[Markup]) -> list[Child]:
    drawn = maps(view)
    if not drawn:
        return [element("p", "No place is part of this dossier, so there is no map.")]
    codes = [permission_of(track) for track in view.tracks if drawable(track)]
    lines = [
        join((line_sample(code), f"{look_of(code).words}: {look_of(code).meaning}"))
        for code in dict.fromkeys(codes)
    ]
    marks = [("first", "where a track was first seen"), ("last", "where it was last seen")]
    if any(report.parts for report in view.reports):
        marks.append(("part", "a part that was found, as reported"))
    if any(sensor.kind != PERSON for sensor in view.sensors):
        marks.append(("sensor", "a sensor"))
    if any(sensor.kind == PERSON for sensor in view.sensors):
        marks.append(("person", "a person who told what they saw"))
    signs = [join((mark_sample(mark), text)) for mark, text in marks]
    signs.append(join(("Short strokes across a line: ", _tick_words(view))))
    parts: list[Child] = [
        element(
            "p",
            "The lines are the tracks that sensors gave; an arrow shows the way of flight. The "
            "kind of line says whether the flight was allowed, and nothing else. Where it is "
            "interrupted for long, nothing was seen. The shade around a line is where the aircraft "
            "was with 95 %, by the measurements.",
        ),
        *slider,
        element("div", *drawn, class_="maps"),
        listing(lines, class_="legend"),
        listing(signs, class_="legend"),
    ]
    missing = undrawn(view)
    if missing:
        parts.append(
            element(
                "p",
                f"Not drawn: {missing} places that are no numbers or too far off to be true.",
                class_="notice",
            )
        )
    return parts


def _tick_words(view: DossierView) -> str:
    if view.minute_marks:
        return "the time of day."
    return "minutes since the first detection."
