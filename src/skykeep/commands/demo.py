"""`skykeep demo`: one simulated night through the whole line, and what was found."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from skykeep.commands.scorer import Row, Scorer, Summary
from skykeep.core.alert import AcknowledgeAlert, HandOverAlert
from skykeep.core.casebook import (
    Assess,
    CaseCommand,
    Conclusion,
    FileReport,
    Incident,
    OpenIncident,
)
from skykeep.core.event import Actor, AlertChanged, Tick
from skykeep.dossier.build import build_dossier
from skykeep.errors import RecordError
from skykeep.feed.citadel_night import Night, citadel_night
from skykeep.runtime import Input, Recorded, Unrecorded
from skykeep.store.record_store import KEYS_FILE, PUBLIC_FILE, RECORD_FILE, SECRET_FILE
from skykeep.units import NS_PER_S, seconds, to_datetime
from skykeep.verify import verifier

#: The officer on watch in the story reads an alert and presses a key; then calls the patrol.
ACKNOWLEDGE_AFTER_NS = 8 * NS_PER_S
HAND_OVER_AFTER_NS = 25 * NS_PER_S
OFFICER = Actor("C. Weber", "watch officer")
PATROL = "police patrol 4"
DOSSIER_FILE = "dossier.zip"


def play(night: Night, desk: Recorded | Unrecorded, progress: Progress | None = None) -> Scorer:
    """The night over a desk where an officer acknowledges and hands over, second by second."""
    scorer = Scorer(night)
    bar = None
    if progress is not None:
        bar = progress.add_task("citadel-night", total=night.duration_s)
    group: list[Input] = []
    to_do: list[tuple[int, AcknowledgeAlert | HandOverAlert]] = []
    for item in night.items():
        group.append(item)
        if not isinstance(item, Tick):
            continue
        for answer in desk.take(group):
            scorer.take(answer.events)
            for event in answer.events:
                if isinstance(event, AlertChanged) and event.event == "raised":
                    acknowledge = AcknowledgeAlert(OFFICER, event.alert_id)
                    to_do.append((event.at_ns + ACKNOWLEDGE_AFTER_NS, acknowledge))
                    over = HandOverAlert(OFFICER, event.alert_id, PATROL)
                    to_do.append((event.at_ns + HAND_OVER_AFTER_NS, over))
        to_do.sort(key=lambda due: due[0])
        group = [command for at_ns, command in to_do if at_ns <= item.at_ns]
        del to_do[: len(group)]
        if progress is not None and bar is not None:
            progress.update(bar, completed=(item.at_ns - night.start_ns) / NS_PER_S)
    for answer in desk.take(group):
        scorer.take(answer.events)
    return scorer


def follow_up(night: Night, desk: Recorded | Unrecorded, scorer: Scorer) -> Incident | None:
    """What came in afterwards: the incident, the responders' report, the assessments."""
    aftermath = night.aftermath
    intruders = ("intruder-1", "intruder-2")
    alerts = tuple(
        alert_id
        for alert_id, tracks in scorer.alert_tracks.items()
        if any(scorer.label_of(t) in intruders for t in tracks)
    )
    if aftermath is None or not alerts:
        return None
    incident = _decide(desk, OpenIncident(OFFICER, "Two drones over the citadel", alerts), None)
    number = incident.incident_id
    report = aftermath.report
    filed = FileReport(
        report.author, number, report.words, report.parts, report.injuries, report.damage
    )
    incident = _decide(desk, filed, report.at_ns)
    for assessment in aftermath.assessments:
        tracks = tuple(t for t in incident.tracks if scorer.label_of(t) in assessment.about)
        mine = tuple(a for a in alerts if scorer.alert_tracks[a] & set(tracks))
        reports = ("report 1",) if assessment.about == ("intruder-1",) else ()
        conclusion = Conclusion(assessment.conclusion)
        command = Assess(
            assessment.author, number, conclusion, assessment.words, (*mine, *tracks, *reports)
        )
        incident = _decide(desk, command, assessment.at_ns)
    return incident


def _decide(desk: Recorded | Unrecorded, command: CaseCommand, at_ns: int | None) -> Incident:
    """A casebook command at its time; the clock gets there by a tick."""
    items: list[Input | CaseCommand] = [command] if at_ns is None else [Tick(at_ns), command]
    answer = desk.take(items)[-1]
    if answer.refused is not None:
        raise answer.refused
    if answer.incident is None:
        raise RecordError("a casebook command changed no incident")
    return answer.incident.incident


def run(seed: int, folder: Path, as_json: bool) -> int:
    """Play the night, print the summary, write and verify the dossier; 0 if all holds, else 1."""
    night = citadel_night(seed)
    _clear(folder)
    desk = Recorded(folder, night.site)
    try:
        scorer = _played(night, desk, as_json)
        incident = follow_up(night, desk, scorer)
        summary = scorer.summary()
        if as_json:
            print(msgspec.json.encode(_document(night, summary, incident)).decode())
        else:
            _print(night, summary, incident)
        dossier = folder / DOSSIER_FILE
        if incident is not None:
            dossier.write_bytes(build_dossier(desk.store, incident, DOSSIER_FILE))
    finally:
        desk.close()
    if incident is None:
        return 1
    key = folder / PUBLIC_FILE
    if as_json:
        data, trusted = dossier.read_bytes(), verifier.read_key(key.read_text(encoding="utf-8"))
        return 1 if summary.failures or not verifier.verify(data, trusted).holds else 0
    print(f"\ndossier: {dossier}")
    print(f"verify: skykeep verify {dossier} --key {key}")
    held = verifier.run(str(dossier), str(key))
    return 1 if summary.failures or held != 0 else 0


def _played(night: Night, desk: Recorded, quietly: bool) -> Scorer:
    if quietly:
        return play(night, desk)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        return play(night, desk, progress)


def _clear(folder: Path) -> None:
    """Take away what an earlier demo left there, and nothing else."""
    names = (RECORD_FILE, KEYS_FILE, SECRET_FILE, PUBLIC_FILE, DOSSIER_FILE)
    for name in names:
        for tail in ("", "-wal", "-shm"):
            (folder / f"{name}{tail}").unlink(missing_ok=True)


def _document(night: Night, summary: Summary, incident: Incident | None) -> dict[str, Any]:
    return {
        "night": {"seed": night.scene.seed, "start": to_datetime(night.start_ns).isoformat()},
        "summary": asdict(summary),
        "incident": incident,
    }


def _clock(night: Night, at_s: float | None) -> str:
    if at_s is None:
        return "-"
    from zoneinfo import ZoneInfo

    at = to_datetime(night.start_ns + seconds(at_s)).astimezone(ZoneInfo(night.site.time_zone))
    return f"{at:%H:%M:%S}"


def _print(night: Night, summary: Summary, incident: Incident | None) -> None:
    console = Console()
    start = to_datetime(night.start_ns)
    table = Table(
        title=f"citadel-night, seed {night.scene.seed}, {start:%Y-%m-%d}", show_lines=True
    )
    for heading, share in (("aircraft", 2), ("verdict", None), ("why", 3)):
        table.add_column(heading, ratio=share, overflow="fold")
    for heading in ("seen", "alert", "warning"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summary.rows:
        table.add_row(*_cells(night, row))
    console.print(table)
    console.print(
        f"{summary.birds} birds flew; {summary.bird_verdicts} tracks of birds and echoes came "
        f"near a zone and were left undetermined, none alerted."
        if not summary.stray_alerts
        else f"{len(summary.stray_alerts)} alerts without cause.",
        highlight=False,
    )
    console.print(f"{summary.reports_kept} reports by people were kept as reports.")
    if incident is not None:
        _print_incident(console, incident)
    for failure in summary.failures:
        console.print(f"[bold red]not as it must be:[/] {failure}", highlight=False)
    if not summary.failures:
        console.print("All is as it must be.")


def _cells(night: Night, row: Row) -> tuple[str, ...]:
    why = "\n".join(f"{code}: {words}" for code, words in row.reasons)
    if row.passing:
        why += f"\n(on the way: {', '.join(row.passing)})"
    if "inconsistent" in row.strengths:
        why += "\nidentity found inconsistent with measurement"
    warning = "-" if row.warning_s is None else f"{row.warning_s:.0f} s"
    return (
        f"{row.label}\n{row.words}",
        row.permission or "near no zone",
        why.strip(),
        _clock(night, row.first_seen_s),
        _clock(night, row.alert_s),
        warning,
    )


def _print_incident(console: Console, incident: Incident) -> None:
    console.print(
        f"\nIncident {incident.incident_id}: {incident.title} "
        f"({len(incident.alerts)} alerts, {len(incident.sightings)} sightings by people)",
        highlight=False,
    )
    for report in incident.reports:
        console.print(
            f"  reported by {report.author.name} ({report.author.role}): {report.words} "
            f"{len(report.parts)} parts found; injuries: {report.injuries}; "
            f"damage: {report.damage}",
            highlight=False,
        )
    for assessment in incident.assessments:
        console.print(
            f"  assessed by {assessment.author.name} ({assessment.author.role}): "
            f"{assessment.conclusion.value}: {assessment.words}",
            highlight=False,
        )
