"""An incident as one file: a contiguous range of leaves, what may be shown of their facts,
the proof that they stand in the signed record, and pages for people to read.

A canonical zip holds one BagIt bag, and its payload is an RO-Crate (`crate.FILES` names every
file). What is withheld is named, fact by fact, with who withheld it and why; leaves are never
left out.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from skykeep import __version__
from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor
from skykeep.core.alarm import AlarmCommand
from skykeep.core.casebook import Incident
from skykeep.core.event import TrackStarted
from skykeep.core.observation import Sensor
from skykeep.dossier.bag import make_bag
from skykeep.dossier.container import write_container
from skykeep.dossier.crate import METADATA_FILE, crate_metadata
from skykeep.dossier.documents import documents, jsonl
from skykeep.dossier.excerpt import Excerpt
from skykeep.dossier.paper import print_out
from skykeep.dossier.reader import render
from skykeep.dossier.story import Head, tell
from skykeep.dossier.withholding import WHY_ERASED, WHY_PRIVATE, WHY_RAW, Veil, Withholding
from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.entry import HOUR_NS, Placed, is_brief, key_source, read_leaf, sealed_hour
from skykeep.store.holds import HeldFact
from skykeep.store.record_store import RecordStore
from skykeep.store.timestamps import StampedHour
from skykeep.units import NS_PER_S, IncidentId, SensorId, to_datetime

#: What came in before the first track of an incident was seen belongs to it too.
MARGIN_NS = 60 * NS_PER_S
#: A record that is no longer than this before the incident is shown from its beginning, so
#: that the zones and permits that were declared stand in the dossier as facts.
CONTEXT_LEAVES = 20_000


@dataclass(frozen=True, slots=True)
class Order:
    """How a dossier is to be made.

    `witnessed` is the head that witnesses have cosigned, as a note, where there is one;
    `stamped` one that time-stamp authorities have stamped (`stamped_after`).
    `whole` shows also who is not part of the incident: for a court that may see everybody, and
    for running the whole night again.
    """

    withhold: tuple[Withholding, ...] = ()
    witnessed: bytes | None = None
    whole: bool = False
    stamped: StampedHour | None = None


def build_dossier(store: RecordStore, incident: Incident, order: Order) -> bytes:
    """The dossier's bytes: the same for the same record, incident and order.

    RecordError where the record does not hold or a fact that is to be shown cannot be;
    InputError where something is to be withheld that is not there, or without a reason.
    """
    site = entries.site_of(store.facts(next(store.entries(0, 1))))
    size = store.size
    start = _start(store, incident)
    veil = Veil(order.withhold, _sensors(store) if order.withhold else {})
    excerpt = Excerpt(site, veil.shown(incident), start, size, store.signer.name)
    leaves: list[bytes] = []
    facts: list[bytes] = []
    context = _context(store, excerpt, veil)
    for placed in store.entries(start, size):
        line = _facts_line(store, placed, excerpt, veil, order.whole)
        excerpt.take(placed.index, placed.leaf, line)
        leaves.append(placed.leaf)
        facts.append(msgspec.json.encode(line))
    proof = store.tree().range_proof(start, size, size)
    record = [
        ("record/checkpoint.txt", store.checkpoint()),
        ("record/proof.txt", jsonl([b"%d" % start, *map(base64.b64encode, proof)])),
        *_witnessed(store, order.witnessed),
        *_stamped(store, order.stamped),
        *([("record/context.jsonl", jsonl(context))] if context else []),
        ("record/leaves.jsonl", jsonl(leaves)),
        ("record/facts.jsonl", jsonl(facts)),
    ]
    payload = [*told_files(excerpt, head_of(dict(record))), *record]
    payload = [(METADATA_FILE, crate_metadata(excerpt, payload)), *payload]
    folder = folder_of(incident.incident_id)
    return write_container(make_bag(folder, payload, _info(excerpt), store.signer))


def folder_of(incident_id: IncidentId) -> str:
    """The bag's folder: what a dossier unpacks to."""
    return f"dossier-{incident_id.lower()}"


def file_name_of(incident_id: IncidentId) -> str:
    """What a dossier's file is best called."""
    return f"{folder_of(incident_id)}.zip"


def told_files(excerpt: Excerpt, head: Head) -> list[tuple[str, bytes]]:
    """The files for people and programs: all that follow from the excerpt."""
    view = tell(excerpt, head, file_name_of(excerpt.incident.incident_id))
    return [
        ("reader.html", render(view)),
        ("dossier.pdf", print_out(view)),
        *documents(excerpt),
    ]


def head_of(record: Mapping[str, bytes]) -> Head:
    """The heads that a dossier carries, as its pages tell of them."""
    point = checkpoints.parse(notes.parse(record["record/checkpoint.txt"]).text)
    root = base64.b64encode(point.root).decode()
    data = record.get("record/witnessed.txt")
    if data is None:
        return Head(point.size, root, 0, ())
    note = notes.parse(data)
    seen = checkpoints.parse(note.text)
    names = tuple(s.name for s in note.signatures if s.name != seen.origin)
    return Head(point.size, root, seen.size, names)


def _witnessed(store: RecordStore, note: bytes | None) -> list[tuple[str, bytes]]:
    """The cosigned head, and that the record has grown from it; RecordError if it has not."""
    if note is None:
        return []
    grown = _grown(store, note, "witnesses cosigned")
    return [("record/witnessed.txt", note), ("record/consistency.txt", grown)]


def _stamped(store: RecordStore, hour: StampedHour | None) -> list[tuple[str, bytes]]:
    """The stamped head with its time-stamps, and that the record has grown from it."""
    if hour is None or not hour.tokens:
        return []
    grown = _grown(store, hour.note, "were time-stamped")
    tokens = [token for _, token in hour.tokens]
    return [
        ("record/stamped.txt", hour.note),
        ("record/stamped-consistency.txt", grown),
        *((f"record/timestamp-{n}.tsr", token) for n, token in enumerate(tokens, 1)),
    ]


def _grown(store: RecordStore, note: bytes, words: str) -> bytes:
    """The hashes that prove a head to be this record's beginning; RecordError if it is not."""
    seen = checkpoints.parse(notes.parse(note).text)
    tree = store.tree()
    if not 0 < seen.size <= store.size or tree.root(seen.size) != seen.root:
        raise RecordError(
            f"the {seen.size} entries that {words} are not the record's beginning; "
            "see docs/witnesses.md"
        )
    return jsonl(map(base64.b64encode, tree.consistency_proof(seen.size, store.size)))


def stamped_after(hours: Iterable[StampedHour], incident: Incident) -> StampedHour | None:
    """The first stamped hour that lies behind an incident's last event: it was there by then.

    Where none does yet, the newest that is stamped.
    """
    stamped = sorted((h for h in hours if h.tokens), key=lambda h: h.hour)
    last_ns = max((event.at_ns for event in incident.history), default=0)
    behind = (h for h in stamped if h.hour * HOUR_NS > last_ns)
    return next(behind, stamped[-1] if stamped else None)


def _context(store: RecordStore, excerpt: Excerpt, veil: Veil) -> list[bytes]:
    """Of the entries before the range the site, the sensors, the zones and the permits that count.

    Each with its own proof: a range from so far back would be the whole record.
    """
    tree, found = store.tree(), []
    for placed in store.entries(0, excerpt.start):
        if read_leaf(placed.leaf).kind not in (entries.SITE, entries.COMMAND):
            continue
        line = _facts_line(store, placed, excerpt, veil, False)
        if "fact" not in line[0] or not _counts(line[0]["fact"].encode()):
            continue
        excerpt.precede(placed.leaf, line)
        proof = tree.inclusion_proof(placed.index, store.size)
        told = {
            "facts": line,
            "index": placed.index,
            "leaf": placed.leaf.decode(),
            "proof": [base64.b64encode(node).decode() for node in proof],
        }
        found.append(msgspec.json.encode(told))
    return found


def _counts(fact: bytes) -> bool:
    """Whether what an earlier command did may hold on: an alert's steps are past."""
    return not isinstance(wire.decode(fact), AlarmCommand)


def _info(excerpt: Excerpt) -> list[tuple[str, str]]:
    incident = excerpt.incident
    return [
        ("Source-Organization", excerpt.site.authority_id),
        ("External-Identifier", f"{excerpt.key_name}/{incident.incident_id}"),
        ("External-Description", f"{excerpt.site.name}: {incident.title}"),
        ("Bagging-Date", f"{to_datetime(excerpt.last_ns):%Y-%m-%d}"),
        ("Bag-Software-Agent", f"Skykeep {__version__}"),
    ]


def _start(store: RecordStore, incident: Incident) -> int:
    """The first leaf that belongs to the incident, or the record's first if it is near."""
    seen = [e.first_seen_ns for e in incident.history if isinstance(e, TrackStarted)]
    if not seen:
        raise RecordError(f"incident {incident.incident_id} has no track to show")
    since_ns = min(seen) - MARGIN_NS
    for placed in store.entries():
        if read_leaf(placed.leaf).at_ns >= since_ns:
            return 0 if placed.index <= CONTEXT_LEAVES else placed.index
    raise RecordError(f"nothing in the record is as late as incident {incident.incident_id}")


def _sensors(store: RecordStore) -> dict[SensorId, Sensor]:
    """Every sensor that was ever registered."""
    found: dict[SensorId, Sensor] = {}
    for placed in store.entries():
        if read_leaf(placed.leaf).kind != entries.COMMAND:
            continue
        (data,) = store.readable(placed)
        command = None if data is None else wire.decode(data)
        if isinstance(command, RegisterSensor):
            found[command.sensor.sensor_id] = command.sensor
    return found


def _facts_line(
    store: RecordStore, placed: Placed, excerpt: Excerpt, veil: Veil, whole: bool
) -> list[dict[str, str]]:
    """Each fact with its salt, or what stands for it and why it is withheld."""
    commitments, data = store.commitments(placed), store.readable(placed)
    leaf = read_leaf(placed.leaf)
    line: list[dict[str, str]] = []
    for place, stored in enumerate(placed.stored):
        known = data[place]
        private = sealed_hour(stored) is not None
        decision = None if known is None else veil.over(leaf, known, private)
        if decision is not None:
            by, why = decision.by, decision.why
        elif known is None:
            by, why = excerpt.site.authority_id, WHY_ERASED
        elif private and not whole and not excerpt.concerns(known):
            why = WHY_RAW if entries.is_raw(known) else WHY_PRIVATE
            by = excerpt.site.authority_id
        else:
            line.append({"fact": known.decode(), "salt": store.salt(placed, place).hex()})
            continue
        hidden = base64.b64encode(commitments[place]).decode()
        line.append({"by": by, "hash": hidden, "why": why})
    return line


def needed_facts(
    store: RecordStore, incident: Incident, keys: Collection[tuple[str, int]]
) -> list[HeldFact]:
    """What an incident needs of the facts that these keys (source, hour) seal."""
    site = entries.site_of(store.facts(next(store.entries(0, 1))))
    start = _start(store, incident)
    excerpt = Excerpt(site, incident, start, store.size, "")
    veil = Veil((), {})
    found: list[HeldFact] = []
    for placed in store.entries():
        leaf = read_leaf(placed.leaf)
        early = placed.index < start
        if early and leaf.kind != entries.COMMAND:
            continue
        data = store.readable(placed)
        for place, (stored, known) in enumerate(zip(placed.stored, data, strict=True)):
            hour = sealed_hour(stored)
            key = (key_source(leaf.source, is_brief(stored)), hour)
            if known is None or hour is None or key not in keys:
                continue
            if excerpt.concerns(known):
                found.append(HeldFact(placed.index, place, store.salt(placed, place), known))
        line = _facts_line(store, placed, excerpt, veil, False)
        if early:
            excerpt.precede(placed.leaf, line)
        else:
            excerpt.take(placed.index, placed.leaf, line)
    return found


def facts_of(lines: Sequence[bytes]) -> list[list[dict[str, str]]]:
    """The facts of a dossier's leaves, a list for each leaf."""
    return [msgspec.json.decode(line, type=list[dict[str, str]]) for line in lines]
