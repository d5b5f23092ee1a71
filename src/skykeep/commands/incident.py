"""`skykeep incident list|dossier DIR`: the incidents of a record that nobody is writing to."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from skykeep.codec import entries
from skykeep.commands.atomic import write_atomically
from skykeep.core.casebook import Incident
from skykeep.core.event import Actor, Looked
from skykeep.dossier.build import Order, build_dossier, stamped_after
from skykeep.dossier.withholding import Withholding
from skykeep.errors import DecisionError, RecordError
from skykeep.runtime import Recorded
from skykeep.store.record_store import RECORD_FILE, RecordStore
from skykeep.store.timestamps import stamped_in
from skykeep.store.witness_heads import published_in
from skykeep.units import IncidentId, to_datetime


def incidents_in(folder: Path, noted: bool = False) -> tuple[Incident, ...]:
    """All incidents of a record, oldest first; `noted` writes down that somebody looked."""
    desk = open_desk(folder)
    try:
        if noted:
            note_look(desk, "incidents")
        return tuple(desk.runtime.casebook.incidents.values())
    finally:
        desk.close()


def dossier_of(folder: Path, incident_id: IncidentId, order: Order, noted: bool = False) -> bytes:
    """The dossier of an incident; DecisionError where there is no such incident.

    The head that witnesses cosigned goes in where the folder has one. `noted` writes down,
    behind what the dossier covers, that somebody looked.
    """
    desk = open_desk(folder)
    try:
        incident = desk.runtime.casebook.incidents.get(incident_id)
        if incident is None:
            raise DecisionError(f"there is no incident {incident_id} in {folder}")
        stamped = stamped_after(stamped_in(folder), incident)
        order = replace(order, witnessed=published_in(folder), stamped=stamped)
        data = build_dossier(desk.store, incident, order)
        if noted:
            note_look(desk, f"dossier of incident {incident_id}")
        return data
    finally:
        desk.close()


def note_look(desk: Recorded, subject: str) -> None:
    """Whoever reads the folder itself is named by the machine's account."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "an account without a name"
    at_ns = time.time_ns()
    desk.take([Looked(Actor(name, "keeper of the folder"), subject, "", at_ns, at_ns, 1)])


def open_desk(folder: Path) -> Recorded:
    """The desk of a record that nobody is writing to; RecordError where there is none."""
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        site = entries.site_of(store.facts(next(store.entries(0, 1))))
    finally:
        store.close()
    return Recorded(folder, site)


def list_(folder: Path, as_json: bool) -> int:
    """Print the incidents of a record."""
    found = incidents_in(folder, noted=as_json)  # the short form names nobody
    if as_json:
        print(msgspec.json.encode(found).decode())
        return 0
    for incident in found:
        concluded = ", ".join(a.conclusion.value for a in incident.assessments) or "not assessed"
        opened = f"{to_datetime(incident.opened_ns):%Y-%m-%d %H:%M:%S} UTC"
        print(
            f"{incident.incident_id}  {incident.state.value}  {opened}  {incident.title} "
            f"({len(incident.alerts)} alerts, {len(incident.tracks)} tracks; {concluded})"
        )
    if not found:
        print("no incident", file=sys.stderr)
    return 0


def withholdings(
    sensors: Sequence[str], kinds: Sequence[str], by: str, role: str, why: str
) -> list[Withholding]:
    """What a person withholds of sensors and of kinds, for one reason."""
    actor = Actor(by, role)
    return [
        *(Withholding(actor, why, sensor=name) for name in sensors),
        *(Withholding(actor, why, kind=name) for name in kinds),
    ]


def dossier(
    folder: Path, incident_id: str, out: Path, withhold: Sequence[Withholding], whole: bool
) -> int:
    """Write an incident's dossier to a file, whole or not at all."""
    order = Order(tuple(withhold), whole=whole)
    write_atomically(out, dossier_of(folder, IncidentId(incident_id), order, noted=True))
    print(f"dossier: {out}")
    return 0
