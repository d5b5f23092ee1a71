"""An incident as one file: a contiguous range of leaves, what may be shown of their facts,
the proof that they stand in the signed record, and pages for people to read.

The entries: `manifest` (signed), `checkpoint`, `proof`, `leaves`, `facts`, then for people
`incident.json`, `tracks.geojson` and `reader.html`. What is withheld is named, fact by fact,
with who withheld it and why; leaves are never left out.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from hashlib import sha256

import msgspec

from skykeep.codec import entries, wire
from skykeep.core.airspace import Site
from skykeep.core.casebook import Incident
from skykeep.core.event import TrackStarted
from skykeep.dossier.container import write_container
from skykeep.dossier.geojson import incident_geojson
from skykeep.dossier.reader import render
from skykeep.dossier.story import Excerpt, tell
from skykeep.errors import RecordError
from skykeep.record.entry import Placed, is_brief, key_source, read_leaf, sealed_hour
from skykeep.record.note import sign
from skykeep.store.holds import HeldFact
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S

MANIFEST_TITLE = "skykeep dossier 1"
#: What came in before the first track of an incident was seen belongs to it too.
MARGIN_NS = 60 * NS_PER_S
#: A record that is no longer than this before the incident is shown from its beginning, so
#: that the zones and permits that were declared stand in the dossier as facts.
CONTEXT_LEAVES = 20_000
#: What stands for a fact that cannot be read any more where only its place counts.
GONE = b"null"
WHY_ERASED = "its key was destroyed when its time was over: nobody can read it any more"
WHY_PRIVATE = "it names a person, or an aircraft by its serial, and is not part of this incident"
WHY_RAW = "it is a hash over all that a sensor sent at once: whom that names could be guessed"


def build_dossier(store: RecordStore, incident: Incident, file_name: str) -> bytes:
    """The dossier's bytes: the same for the same record and incident.

    RecordError where the record does not hold or a fact that is to be shown cannot be.
    """
    first = next(store.entries(0, 1))
    site = entries.site_of(store.facts(first))
    size = store.size
    start = _start(store, incident)
    excerpt = Excerpt(site, incident, start, size, store.signer.name)
    leaves: list[bytes] = []
    facts: list[bytes] = []
    for placed in store.entries(start, size):
        leaves.append(placed.leaf)
        facts.append(_facts_line(store, placed, site, excerpt))
    proof = store.tree().range_proof(start, size, size)
    view = tell(excerpt, file_name)
    contents = [
        ("checkpoint", store.checkpoint()),
        ("proof", _lines([b"%d" % start, *map(base64.b64encode, proof)])),
        ("leaves", _lines(leaves)),
        ("facts", _lines(facts)),
        ("incident.json", wire.encode(incident) + b"\n"),
        ("tracks.geojson", incident_geojson(excerpt)),
        ("reader.html", render(view)),
    ]
    return write_container([("manifest", _manifest(store, contents)), *contents])


def _manifest(store: RecordStore, contents: Sequence[tuple[str, bytes]]) -> bytes:
    lines = [f"{sha256(data).hexdigest()} {len(data)} {name}" for name, data in contents]
    return sign("\n".join([MANIFEST_TITLE, *lines]) + "\n", [store.signer]).to_bytes()


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


def _facts_line(store: RecordStore, placed: Placed, site: Site, excerpt: Excerpt) -> bytes:
    """One JSON array: each fact with its salt, or what stands for it and why it is withheld."""
    commitments, data = store.commitments(placed), store.readable(placed)
    line: list[dict[str, str]] = []
    for place, stored in enumerate(placed.stored):
        known = data[place]
        private = sealed_hour(stored) is not None
        if known is None or (private and not excerpt.concerns(known)):
            hidden = base64.b64encode(commitments[place]).decode()
            why = WHY_RAW if known is not None and entries.is_raw(known) else WHY_PRIVATE
            why = WHY_ERASED if known is None else why
            line.append({"by": site.authority_id, "hash": hidden, "why": why})
            continue
        line.append({"fact": known.decode(), "salt": store.salt(placed, place).hex()})
    facts = tuple(GONE if d is None else d for d in data)
    excerpt.take(placed, facts, sum("fact" in shown for shown in line))
    return msgspec.json.encode(line)


def needed_facts(
    store: RecordStore, incident: Incident, keys: Collection[tuple[str, int]]
) -> list[HeldFact]:
    """What an incident needs of the facts that these keys (source, hour) seal."""
    site = entries.site_of(store.facts(next(store.entries(0, 1))))
    start = _start(store, incident)
    excerpt = Excerpt(site, incident, start, store.size, "")
    found: list[HeldFact] = []
    for placed in store.entries(start):
        source, data = read_leaf(placed.leaf).source, store.readable(placed)
        for place, (stored, known) in enumerate(zip(placed.stored, data, strict=True)):
            hour = sealed_hour(stored)
            key = (key_source(source, is_brief(stored)), hour)
            if known is None or hour is None or key not in keys:
                continue
            if excerpt.concerns(known):
                found.append(HeldFact(placed.index, place, store.salt(placed, place), known))
        excerpt.take(placed, tuple(GONE if d is None else d for d in data), 0)
    return found


def _lines(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
