"""An incident as one file: a contiguous range of leaves, what may be shown of their facts,
the proof that they stand in the signed record, and pages for people to read.

The entries: `manifest` (signed), `checkpoint`, `proof`, `leaves`, `facts`, then for people
`incident.json`, `tracks.geojson` and `reader.html`. What is withheld is named, fact by fact,
with who withheld it and why; leaves are never left out.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
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
from skykeep.record.entry import Placed, read_leaf, sealed_hour
from skykeep.record.note import sign
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S

MANIFEST_TITLE = "skykeep dossier 1"
#: What came in before the first track of an incident was seen belongs to it too.
MARGIN_NS = 60 * NS_PER_S
#: A record that is no longer than this before the incident is shown from its beginning, so
#: that the zones and permits that were declared stand in the dossier as facts.
CONTEXT_LEAVES = 20_000
WHY_PRIVATE = "it names a person, or an aircraft by its serial, and is not part of this incident"


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
    salts, commitments = store.salts(placed), store.commitments(placed)
    data = store.facts(placed)
    line: list[dict[str, str]] = []
    for place, stored in enumerate(placed.stored):
        if sealed_hour(stored) is not None and not excerpt.concerns(data[place]):
            hidden = base64.b64encode(commitments[place]).decode()
            line.append({"by": site.authority_id, "hash": hidden, "why": WHY_PRIVATE})
            continue
        line.append({"fact": data[place].decode(), "salt": salts[place].hex()})
    excerpt.take(placed, data, sum("fact" in shown for shown in line))
    return msgspec.json.encode(line)


def _lines(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
