"""`skykeep demo`: one simulated night through the whole line, and what was found."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from skykeep.commands.scorer import Row, Scorer, Summary
from skykeep.commands.story import DOSSIER_FILE, Watch, aftermath, incident_after, seconds_of
from skykeep.core.casebook import Incident
from skykeep.dossier.build import Order, build_dossier
from skykeep.feed.citadel_night import Night, citadel_night
from skykeep.runtime import Input, Recorded, Unrecorded, rehearse
from skykeep.store.history import HISTORY_FOLDER
from skykeep.store.record_store import KEYS_FILE, PUBLIC_FILE, RECORD_FILE, SECRET_FILE
from skykeep.units import NS_PER_S, seconds, to_datetime
from skykeep.verify import verifier


def play(night: Night, desk: Recorded | Unrecorded, progress: Progress | None = None) -> Scorer:
    """The night over a desk where an officer acknowledges and hands over, second by second."""
    scorer, watch = Scorer(night), Watch()
    bar = None
    if progress is not None:
        bar = progress.add_task("citadel-night", total=night.duration_s)
    to_do: list[Input] = []
    for at_ns, group in seconds_of(night):
        for answer in desk.take([*to_do, *group]):
            scorer.take(answer.events)
            watch.hear(answer.events)
        to_do = watch.due(at_ns)
        if progress is not None and bar is not None:
            progress.update(bar, completed=(at_ns - night.start_ns) / NS_PER_S)
    for answer in desk.take(to_do):
        scorer.take(answer.events)
    return scorer


def follow_up(night: Night, desk: Recorded | Unrecorded, scorer: Scorer) -> Incident | None:
    """What came in afterwards, through a desk."""
    steps = aftermath(night, scorer)
    try:
        items = next(steps)
        while True:
            items = steps.send(incident_after(desk.take(items)))
    except StopIteration as end:
        incident: Incident | None = end.value
        return incident


def run(seed: int, folder: Path, as_json: bool) -> int:
    """Play the night, print the summary, write and verify the dossier; 0 if all holds, else 1."""
    night = citadel_night(seed)
    _clear(folder)
    desk = Recorded(folder, night.site)
    try:
        scorer = _played(night, desk, as_json)
        incident = follow_up(night, desk, scorer)
        data = None
        if incident is not None:
            data = build_dossier(desk.store, incident, Order())
    finally:
        desk.close()
    if as_json:
        return _as_json(night, scorer.summary(), incident, data, folder)
    return _as_text(night, scorer.summary(), incident, data, folder)


def run_page(seed: int, folder: Path, speed: float, patience_s: float, port: int) -> int:
    """The same before somebody's eyes: the watch page is served until somebody ends it.

    1 where the night that was played to its end is not as it must be.
    """
    from skykeep.commands import demo_page

    night = citadel_night(seed)
    _clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokens, people = demo_page.make_tokens(folder)
    codes: list[int] = []

    def begun(address: str) -> None:
        print(f"The night is played at {speed:g} times its pace. Watch it as")
        for name, role, token in people:
            print(f"  {f'{name} ({role})':<28} {address}/#token={token}")
        print("What you acknowledge, hand over or forbid there becomes part of it.", flush=True)

    def told(summary: Summary, incident: Incident | None, data: bytes | None) -> None:
        codes.append(_as_text(night, summary, incident, data, folder))
        print("\nThe page stays, its time stands still. Ctrl-C ends it.", flush=True)

    print("Making ready; on a machine's first start this takes up to a minute.", flush=True)
    rehearse()
    player = demo_page.Player(night, speed, patience_s, folder, begun, told)
    demo_page.run(player, demo_page.free_port(port), tokens)
    return max(codes, default=0)


def _as_text(
    night: Night, summary: Summary, incident: Incident | None, data: bytes | None, folder: Path
) -> int:
    _print(night, summary, incident)
    if data is None:
        return 1
    dossier, key = folder / DOSSIER_FILE, folder / PUBLIC_FILE
    dossier.write_bytes(data)
    print(f"\ndossier: {dossier}")
    print(f"verify: skykeep verify {dossier} --key {key}")
    held = verifier.run(str(dossier), str(key))
    return 1 if summary.failures or held != 0 else 0


def _as_json(
    night: Night, summary: Summary, incident: Incident | None, data: bytes | None, folder: Path
) -> int:
    print(msgspec.json.encode(_document(night, summary, incident)).decode())
    if data is None:
        return 1
    (folder / DOSSIER_FILE).write_bytes(data)
    trusted = verifier.read_key((folder / PUBLIC_FILE).read_text(encoding="utf-8"))
    return 1 if summary.failures or not verifier.verify(data, trusted).holds else 0


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
    shutil.rmtree(folder / HISTORY_FOLDER, ignore_errors=True)


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
