"""What each file of a dossier is, as RO-Crate metadata (RO-Crate 1.1, w3id.org/ro/crate/1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from skykeep import __version__
from skykeep.dossier.excerpt import Excerpt
from skykeep.units import to_datetime

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
METADATA_FILE = "ro-crate-metadata.json"
HTML, PDF, JSON, LINES, TEXT = (
    "text/html", "application/pdf", "application/json", "application/x-ndjson", "text/plain",
)  # fmt: skip

#: Each file by its name: its media type and what it is.
FILES: dict[str, tuple[str, str]] = {
    "reader.html": (HTML, "The incident to read, with maps and a time slider; needs no network"),
    "dossier.pdf": (PDF, "The incident on a few pages, to print"),
    "incident.json": (JSON, "The incident: alerts, tracks, reports, assessments, history"),
    "timeline.json": (JSON, "Everything in its order, each with where it comes from"),
    "tracks.geojson": ("application/geo+json", "Tracks with their uncertainty, zones, found parts"),
    "sensors.json": (JSON, "Each sensor: place, coverage, health, what it handed in"),
    "zones.json": (JSON, "Every version of the zones, with the steps that were taken by whom"),
    "permits.json": (JSON, "Permits and exemptions of the incident's aircraft, and their steps"),
    "policy.json": (JSON, "The site and the policies by which it judged and alerted"),
    "withheld.json": (JSON, "What is withheld: by whom, why, and each fact's salted commitment"),
    "record/checkpoint.txt": (TEXT, "The signed head of the record (C2SP tlog-checkpoint)"),
    "record/proof.txt": (TEXT, "The hashes that tie the leaves to that head"),
    "record/witnessed.txt": (TEXT, "The newest head that witnesses cosigned (tlog-cosignature)"),
    "record/consistency.txt": (TEXT, "The hashes from the witnessed head to the signed one"),
    "record/stamped.txt": (TEXT, "A head of the record that time-stamp authorities have stamped"),
    "record/stamped-consistency.txt": (TEXT, "The hashes from the stamped head to the signed one"),
    "record/context.jsonl": (LINES, "Earlier entries that still counted, each with its proof"),
    "record/leaves.jsonl": (LINES, "The public leaves, a line each, without a gap"),
    "record/facts.jsonl": (LINES, "The facts of each leaf: with its salt, or why it is withheld"),
}

#: An authority's answer, as many as there are.
STAMP = ("application/timestamp-reply", "A time-stamp (RFC 3161) on the stamped head")


def crate_metadata(excerpt: Excerpt, files: Sequence[tuple[str, bytes]]) -> bytes:
    """ro-crate-metadata.json over these files."""
    site, incident = excerpt.site, excerpt.incident
    keeper = {"@id": "#keeper"}
    entities: list[dict[str, Any]] = [
        {
            "@id": METADATA_FILE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": PROFILE},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Dossier of incident {incident.incident_id}: {incident.title}",
            "description": "One incident in the sky over a no-drone zone, as it was recorded, with "
            "the proof that anybody can check offline.",
            "datePublished": _moment(excerpt.last_ns),
            "license": {"@id": "#terms"},
            "author": keeper,
            "identifier": f"{excerpt.key_name}/{incident.incident_id}",
            "about": {"@id": "#incident"},
            "hasPart": [{"@id": name} for name, _ in files],
        },
        *(_file(name, data) for name, data in files),
        {"@id": "#keeper", "@type": "Organization", "name": site.authority_id},
        {
            "@id": "#terms",
            "@type": "CreativeWork",
            "name": "Terms of use",
            "description": "Evidence. No licence is granted with it; what names a person is "
            "protected by law.",
        },
        {
            "@id": "#incident",
            "@type": "Event",
            "name": incident.title,
            "startDate": _moment(_first_ns(excerpt)),
            "location": {"@id": "#site"},
            "organizer": keeper,
        },
        {
            "@id": "#site",
            "@type": "Place",
            "name": site.name,
            "latitude": round(site.frame.lat_deg, 6),
            "longitude": round(site.frame.lon_deg, 6),
        },
        {
            "@id": "#made",
            "@type": "CreateAction",
            "name": "Made from the record",
            "instrument": {"@id": "#skykeep"},
            "agent": keeper,
            "result": {"@id": "./"},
        },
        {
            "@id": "#skykeep",
            "@type": "SoftwareApplication",
            "name": "Skykeep",
            "softwareVersion": __version__,
        },
    ]
    document = {"@context": CONTEXT, "@graph": entities}
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _file(name: str, data: bytes) -> dict[str, Any]:
    media_type, words = STAMP if name.endswith(".tsr") else FILES[name]
    return {
        "@id": name,
        "@type": "File",
        "name": name.rpartition("/")[2],
        "description": words,
        "encodingFormat": media_type,
        "contentSize": str(len(data)),
    }


def _first_ns(excerpt: Excerpt) -> int:
    return min((s[0].state_at_ns for s in excerpt.states.values() if s), default=excerpt.last_ns)


def _moment(at_ns: int) -> str:
    return f"{to_datetime(at_ns):%Y-%m-%dT%H:%M:%SZ}"
