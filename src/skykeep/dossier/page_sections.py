"""The page's sections below the map, each a list of elements from a view."""

from __future__ import annotations

import math

from skykeep.dossier.markup import Child, Markup, element, join, listing, table
from skykeep.dossier.page_cover import coverage_map, lanes, range_words
from skykeep.dossier.page_map import permission_of
from skykeep.dossier.page_places import drawable, place_words, way_words
from skykeep.dossier.page_words import (
    CONCLUSION,
    GLOSSARY,
    KINDS,
    PERSON,
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
from skykeep.dossier.view import (
    AlertView,
    AssessmentView,
    DossierView,
    Reasons,
    ReportView,
    SensorView,
    TrackView,
    VerdictView,
)

Parts = list[Child]

#: A longer name may be broken, or it would push a table off the page.
ID_LETTERS = 20


def paragraph(*children: Child, **attributes: str) -> Markup:
    """A paragraph."""
    return element("p", *children, **attributes)


def words(text: str) -> Markup:
    """A text of somebody's, with its own line breaks."""
    return element("span", text, class_="words")


def identifier(text: str) -> Child:
    """A short name of something in the record, not broken over two lines."""
    return element("span", text, class_="id") if len(text) <= ID_LETTERS else text


def pairs(rows: list[tuple[str, Child]]) -> Markup:
    """A list of names with their values, without those that are empty."""
    cells: Parts = []
    for name, value in rows:
        if value != "":
            cells += [element("dt", name), element("dd", value)]
    return element("dl", *cells)


def permission(code: str) -> Markup:
    """A permission by sign, words and colour."""
    look = look_of(code)
    sign = element("span", look.sign, aria_hidden="true")
    return element("span", sign, f" {look.words}", class_=f"permission {look.css}")


def reasons(given: Reasons) -> Child:
    """Why: the words, and the code for whoever looks it up."""
    told = [join((f"{text} (", element("code", code), ")")) for code, text in given]
    return told[0] if len(told) == 1 else (listing(told) if told else "no reason is given")


def allowed(view: DossierView) -> Parts:
    """Zones, permits and exemptions."""
    parts: Parts = []
    for zone in view.zones:
        title = f"{zone.name} ({zone.zone_id})" if zone.name != zone.zone_id else zone.name
        rows: list[tuple[str, Child]] = [
            ("The rule", said(RESTRICTION, zone.restriction)),
            ("Kind", "an emergency zone, declared at short notice" if zone.emergency else ""),
            ("In force", zone.in_force),
            ("Heights", zone.heights),
            ("Declared by", zone.authority),
            ("Legal basis", zone.legal_basis or "none is recorded"),
        ]
        parts.append(element("div", element("h3", title), pairs(rows), class_="card"))
    if not view.zones:
        parts.append(paragraph("No zone is part of this dossier."))
    parts.append(element("h3", "Permits and exemptions"))
    if view.permits:
        parts.append(
            table(
                ("Permit", "What it allowed"),
                [(identifier(permit.permit_id), words(permit.words)) for permit in view.permits],
                "Who was allowed to fly here, on record",
            )
        )
    else:
        parts.append(paragraph("No permit or exemption is part of this dossier."))
    return parts


def seen(view: DossierView) -> Parts:
    """The sensors, and each track with three questions that stay apart."""
    parts: Parts = [
        paragraph(
            "What sensors detected, joined to tracks. A track is what the system took for one "
            "aircraft. For each, three questions have three separate answers: was it allowed, "
            "has anybody confirmed it, and what was done about it. None follows from another."
        )
    ]
    for track in view.tracks:
        parts += _track(view, track)
    if not view.tracks:
        parts.append(paragraph("No track is part of this dossier."))
    parts.append(element("h3", "The sensors"))
    over_time, cover = lanes(view), coverage_map(view)
    if over_time is not None:
        parts.append(over_time)
    if cover is not None:
        parts.append(element("div", cover, class_="maps single"))
    sensors = [sensor for sensor in view.sensors if sensor.kind != PERSON]
    caption = "The sensors, and how many of their observations are in this dossier"
    parts.append(_places("Sensor", "Observations", sensors, caption))
    corrected = [
        (identifier(sensor.sensor_id), at, words)
        for sensor in sensors
        for at, words in sensor.corrections
    ]
    if corrected:
        caption = (
            "How far sensors were found to be off, by aircraft that said where they were; from "
            "then on that was taken away before tracking. The observations stay as they came"
        )
        parts.append(table(("Sensor", "From", "Off in"), corrected, caption))
    return parts


def _places(what: str, count: str, sensors: list[SensorView], caption: str) -> Markup:
    """Sensors or people, with where they stood and how much came from them."""
    rows: list[tuple[Child, ...]] = [
        (
            identifier(sensor.sensor_id),
            join((said(SENSOR_KIND, sensor.kind), ": ", sensor.words)),
            place_words(sensor.east, sensor.north),
            range_words(sensor.coverage),
            _count(sensor),
        )
        for sensor in sensors
    ]
    headings = (what, "Described as", "Where", "Can see", count)
    return table(headings, rows, caption) if rows else paragraph("None is listed.")


def _count(sensor: SensorView) -> Child:
    if not sensor.withheld:
        return f"{sensor.observations}"
    return element("strong", f"{sensor.observations} shown; {sensor.withheld}")


def _track(view: DossierView, track: TrackView) -> Parts:
    kinds = {sensor.sensor_id: said(SENSOR_KIND, sensor.kind) for sensor in view.sensors}
    by: list[tuple[Child, ...]] = [
        (identifier(sensor_id), kinds.get(sensor_id, ""), f"{count}")
        for sensor_id, count in track.sensors
    ]
    strength = said(STRENGTH, track.strength)
    rows: list[tuple[str, Child]] = [
        ("Seen", f"from {track.first_seen} to {track.last_seen}"),
        ("Way", f"{way_words(track)} Distances are from the site's reference point."),
        ("Height", _heights(track)),
        ("How it is known", said(SOURCE, track.source)),
        ("Identity", track.identity or "none known"),
        ("How far that was checked", f"{strength[:1].upper()}{strength[1:]}."),
    ]
    headings = ("Sensor", "What it is", "Observations")
    parts: Parts = [
        element("h3", f"Track {track.track_id}: {track.label_words}"),
        _three(view, track),
        pairs(rows),
    ]
    if by:
        parts.append(table(headings, by, f"Seen by: observations that went into {track.track_id}"))
    if track.verdicts:
        verdicts = [_verdict(verdict) for verdict in track.verdicts]
        columns = ("From", "Zone", "Where it was", "Permission", "Why", "Identity then")
        parts.append(
            table(columns, verdicts, f"Permission of {track.track_id}, each time it changed")
        )
    return parts


def _heights(track: TrackView) -> str:
    ups = [point[3] for point in drawable(track) if math.isfinite(point[3])]
    if not ups:
        return ""
    low, high = f"{min(ups):.0f}", f"{max(ups):.0f}"
    span = f"about {low}" if low == high else f"{low} to {high}"
    return f"{span} m above the site's reference point"


def _verdict(verdict: VerdictView) -> tuple[Child, ...]:
    strength = said(STRENGTH, verdict.strength).split(":")[0]
    return (
        verdict.at,
        identifier(verdict.zone_id),
        said(PRESENCE, verdict.presence),
        permission(verdict.permission),
        reasons(verdict.reasons),
        strength,
    )


def _three(view: DossierView, track: TrackView) -> Markup:
    """Permission, confirmation and disposition, side by side and never mixed."""
    code = permission_of(track)
    answers: list[tuple[str, Parts]] = [
        (
            "Was it allowed? (permission)",
            [paragraph(permission(code)), paragraph(f"{look_of(code).meaning}.", class_="note")],
        ),
        ("Has anybody confirmed it? (confirmation)", _confirmations(view, track)),
        ("What was done? (disposition)", _dispositions(view, track)),
    ]
    boxes = [element("div", element("h4", title), *told) for title, told in answers]
    return element("div", *boxes, class_="three")


def _confirmations(view: DossierView, track: TrackView) -> Parts:
    naming = [a for a in view.assessments if track.track_id in a.evidence]
    if not naming:
        return [paragraph("No assessment rests on this track.")]
    return [
        paragraph(
            element("strong", said(CONCLUSION, a.conclusion).split(":")[0]),
            f" by {a.author}, {a.role} ({a.at})",
        )
        for a in naming
    ]


def _dispositions(view: DossierView, track: TrackView) -> Parts:
    if view.alerts and not any(alert.tracks for alert in view.alerts):
        return [paragraph("See the alerts below; they do not name their tracks.")]
    mine = [alert for alert in view.alerts if track.track_id in alert.tracks]
    if not mine:
        return [paragraph("No alert was raised about it.")]
    return [
        paragraph(f"Alert {alert.alert_id}: ", element("strong", alert_state(alert)), ".")
        for alert in mine
    ]


def alert_state(alert: AlertView) -> str:
    """How an alert stood at the end: its last step that changed who deals with it."""
    acts = [step for step in alert.steps if step[1] in STEPS]
    if not acts:
        return STEPS["raised"]
    at, what, who = acts[-1][:3]
    return STEPS[what] if what == "raised" else f"{STEPS[what]} by {who} ({at})"


def reported(view: DossierView) -> Parts:
    """What people said: sightings and responders' reports."""
    parts: Parts = [
        paragraph(
            "What people said they saw or found, in their own words. It is kept apart from what "
            "sensors detected: a report raises no alert and changes no permission, and some "
            "reports are mistaken."
        ),
        element("h3", "Sightings"),
    ]
    headings = ("Seen", "Told", "Direction", "In their words")
    rows: list[tuple[Child, ...]] = [
        (s.at, s.told, s.azimuth or "none given", element("q", words(s.words)))
        for s in view.sightings
    ]
    none = paragraph("Nobody reported a sighting.")
    parts.append(table(headings, rows, "Sightings around the time") if rows else none)
    people = [sensor for sensor in view.sensors if sensor.kind == PERSON]
    if people:
        caption = "The people who could report, and how many of their reports are in this dossier"
        parts.append(_places("Person", "Reports", people, caption))
    parts.append(element("h3", "Responders' reports"))
    parts += [_report(report) for report in view.reports]
    if not view.reports:
        parts.append(paragraph("Responders filed no report."))
    return parts


def _report(report: ReportView) -> Markup:
    rows: list[tuple[str, Child]] = [
        ("By", f"{report.author}, {report.role}"),
        ("When", report.at),
        *([("What", ", ".join(report.outcomes))] if report.outcomes else []),
        *([("Where", place_words(*report.place))] if report.place is not None else []),
        ("Injuries", report.injuries),
        ("Damage", report.damage),
    ]
    parts: Parts = [element("blockquote", words(report.words)), pairs(rows)]
    if report.parts:
        found: list[tuple[Child, ...]] = [
            (text, place_words(east, north)) for east, north, text in report.parts
        ]
        parts.append(table(("Part", "Where"), found, "Parts that were found, as reported"))
    return element("div", *parts, class_="card")


def decided(view: DossierView) -> Parts:
    """Each alert and who did what about it."""
    parts: Parts = [
        paragraph(
            "A rule of the site raised these alerts to call for a person's attention. What "
            "followed was done by the people named."
        )
    ]
    for alert in view.alerts:
        about = f", about {' and '.join(alert.tracks)}" if alert.tracks else ""
        rows: list[tuple[str, Child]] = [
            ("Raised", alert.raised),
            ("Priority", f"{alert.priority} (1 is the most urgent)"),
            ("Permission then", permission(alert.permission)),
            ("Why", reasons(alert.reasons)),
            ("At the end", alert_state(alert)),
        ]
        steps: list[tuple[Child, ...]] = [
            (at, _step(what), who, role, words(why) if why else "no reason given")
            for at, what, who, role, why in alert.steps
        ]
        headings = ("When", "What", "Who", "Role", "Why or to whom")
        parts.append(element("h3", f"Alert {alert.alert_id}{about}"))
        parts.append(pairs(rows))
        if steps:
            parts.append(table(headings, steps, f"What was done about alert {alert.alert_id}"))
    if not view.alerts:
        parts.append(paragraph("No alert is part of this dossier."))
    return parts


def _step(what: str) -> str:
    told = "Raised" if what == "raised" else said({**STEPS, **RULE_STEPS}, what)
    return told[:1].upper() + told[1:]


def assessed(view: DossierView) -> Parts:
    """What named people concluded."""
    parts: Parts = [
        paragraph(
            "What named people concluded afterwards, and on which evidence. Assessments may "
            "disagree; none replaces another."
        )
    ]
    parts += [_assessment(assessment) for assessment in view.assessments]
    if not view.assessments:
        parts.append(paragraph("Nobody has assessed this incident yet."))
    return parts


def _assessment(assessment: AssessmentView) -> Markup:
    evidence = ", ".join(assessment.evidence) or "no evidence is named"
    rows: list[tuple[str, Child]] = [
        ("By", f"{assessment.author}, {assessment.role}"),
        ("When", assessment.at),
        ("Resting on", evidence),
    ]
    return element(
        "div",
        element("h3", said(CONCLUSION, assessment.conclusion)),
        element("blockquote", words(assessment.words)),
        pairs(rows),
        class_="card",
    )


def timeline(view: DossierView) -> Parts:
    """Everything in its order, each line with where it comes from."""
    rows: list[tuple[Child, ...]] = []
    marks = [{"data_at": f"{item.at_s:g}"} for item in view.timeline]
    for item in view.timeline:
        sign, name, _ = KINDS.get(item.kind, ("", item.kind, ""))
        mark = element("span", sign, aria_hidden="true")
        rows.append((item.at, element("span", mark, f" {name}", class_="tag"), words(item.words)))
    if not rows:
        return [paragraph("The timeline is empty.")]
    kinds = "; ".join(f"{sign} {name}: {told}" for sign, name, told in KINDS.values())
    return [
        paragraph(f"{kinds}.", class_="note"),
        table(("When", "Kind", "What"), rows, f"Times are in {view.time_zone}", marks),
    ]


def proof(view: DossierView) -> Parts:
    """How to check the page, and what no check can tell."""
    parts: Parts = [
        paragraph(
            "This page only shows what is in the dossier, the file that it came in. Do not "
            "trust the page: check the dossier, with keys that you got from somebody else than "
            "whoever gave you the dossier. This needs no network:"
        ),
        element("pre", element("code", view.proof.verify_command)),
        paragraph(view.produced_from),
    ]
    if view.proof.head:
        parts.append(element("h3", "The head of the record"))
        parts.append(
            paragraph(
                "What this dossier rests on. Whoever got another dossier, or follows the record, "
                "must have the same root for as many entries."
            )
        )
        parts.append(pairs([(name, told) for name, told in view.proof.head]))
    if view.proof.checks:
        rows: list[tuple[Child, ...]] = [(what, told) for what, told in view.proof.checks]
        parts.append(element("h3", "What is checked, and what it tells"))
        parts.append(table(("Checked", "What it tells"), rows, "What the verifier looks at"))
    parts.append(element("h3", "What is withheld", id="withheld"))
    known = listing(view.proof.lines) if view.proof.lines else paragraph("Nothing is stated.")
    parts.append(known)
    if view.withheld:
        parts.append(_commitments(view))
    parts.append(element("h3", "What the proof cannot know"))
    cannot = view.proof.cannot_know
    parts.append(listing(cannot) if cannot else paragraph("Nothing is stated."))
    return parts


def _commitments(view: DossierView) -> Markup:
    """What stands in the record for facts that are not shown."""
    rows: list[tuple[Child, ...]] = [
        (
            f"{each.count}",
            each.by,
            words(each.why),
            join([element("code", c) for c in each.commitments], " "),
        )
        for each in view.withheld
    ]
    caption = (
        "For each fact that is withheld its salted commitment stands in the record: whoever shows "
        "the fact later, with its salt, can prove that it is this one. Here are the first of "
        "them; withheld.json has all"
    )
    return table(("Facts", "Withheld by", "Why", "Commitments"), rows, caption)


def glossary() -> Parts:
    """The words that are not everybody's."""
    return [pairs([(word, meaning) for word, meaning in GLOSSARY])]
