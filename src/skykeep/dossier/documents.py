"""The dossier's documents for programs: JSON of what the excerpt gathered, in its order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from skykeep.codec import wire
from skykeep.dossier.excerpt import Excerpt, Group
from skykeep.dossier.geojson import incident_geojson
from skykeep.dossier.timeline import timeline_of
from skykeep.units import to_datetime

RAW_WORDS = (
    "The record keeps the SHA-256 of the bytes that a sensor sent, not the bytes. Who kept them "
    "can show that they are these."
)


def documents(excerpt: Excerpt) -> list[tuple[str, bytes]]:
    """Name and content of each, in the order in which a dossier has them."""
    return [
        ("incident.json", wire.encode(excerpt.incident) + b"\n"),
        ("timeline.json", _json(_timeline(excerpt))),
        ("tracks.geojson", incident_geojson(excerpt)),
        ("sensors.json", _json(_sensors(excerpt))),
        ("zones.json", _json(_zones(excerpt))),
        ("permits.json", _json(_permits(excerpt))),
        ("policy.json", _json(_policy(excerpt))),
        ("withheld.json", _json(withheld_document(excerpt))),
    ]


def _json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def moment(at_ns: int | None) -> str | None:
    """A moment in UTC to the microsecond."""
    return None if at_ns is None else to_datetime(at_ns).isoformat()


def _timeline(excerpt: Excerpt) -> list[dict[str, Any]]:
    return [
        {"at": moment(each.at_ns), "kind": each.kind, "words": each.words}
        for each in timeline_of(excerpt)
    ]


def _sensors(excerpt: Excerpt) -> dict[str, Any]:
    found = []
    for sensor_id, sensor in excerpt.sensors.items():
        source = excerpt.sources.get(sensor_id)
        told = {
            "sensor": msgspec.to_builtins(sensor),
            "health": [
                {"at": moment(step.at_ns), "health": step.health}
                for step in excerpt.health.get(sensor_id, ())
            ],
            "found_off": [
                msgspec.to_builtins(each) for each in excerpt.found_off.get(sensor_id, ())
            ],
        }
        if source is not None:
            told["handed_in"] = {
                "batches": source.leaves,
                "facts": source.facts,
                "facts_withheld": source.withheld,
                "observations_shown": source.rows,
                "raw_digests_shown": source.raw,
                "first": moment(source.times[0]) if source.times else None,
                "last": moment(source.times[-1]) if source.times else None,
            }
        told["in_tracks"] = {
            track_id: by[sensor_id] for track_id, by in excerpt.seen_by.items() if by[sensor_id]
        }
        found.append(told)
    where = "record/leaves.jsonl and record/facts.jsonl, the lines whose source is the sensor"
    return {"observations": where, "raw": RAW_WORDS, "sensors": found}


def _zones(excerpt: Excerpt) -> list[dict[str, Any]]:
    return [
        {
            "zone": _plain(version.zone),
            "version": version.number,
            "in_force_from": moment(version.since_ns),
            "in_force_until": moment(version.until_ns),
            "steps": [
                {
                    "at": moment(step.at_ns),
                    "step": step.event.value,
                    "by": step.actor.name,
                    "role": step.actor.role,
                    "why": step.why,
                }
                for step in version.steps
            ],
        }
        for version in excerpt.zones.all_versions()
    ]


def _permits(excerpt: Excerpt) -> dict[str, Any]:
    return {
        "permits": [
            {
                "permit": _plain(permit),
                "steps": [msgspec.to_builtins(s) for s in excerpt.permit_steps.get(permit_id, ())],
            }
            for permit_id, permit in excerpt.permits.items()
        ],
        "withheld": excerpt.hidden_permits,
    }


def _policy(excerpt: Excerpt) -> dict[str, Any]:
    site = excerpt.site
    return {
        "authority": site.authority_id,
        "site": site.name,
        "time_zone": site.time_zone,
        "reference_point": [site.frame.lat_deg, site.frame.lon_deg, site.frame.hae_m],
        "judges_also_for": list(site.also_judges),
        "verdict": _plain(site.verdict_policy),
        "alert": _plain(site.alert_policy),
        "permit": _plain(site.permit_policy),
        "zone": _plain(site.zone_policy),
        "tracker": _plain(site.tracker),
    }


def withheld_document(excerpt: Excerpt) -> dict[str, Any]:
    """The list of redactions: each group with its facts' places and salted commitments."""
    leaves = excerpt.size - excerpt.start
    return {
        "leaves": leaves,
        "leaves_withheld": 0,
        "facts": excerpt.facts,
        "facts_withheld": excerpt.withheld,
        "reading": "each place is ENTRY/FACT COMMITMENT: the SHA-256 of 00, salt and fact, base64",
        "groups": [_group(group) for group in excerpt.groups.values()],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "by": group.by,
        "why": group.why,
        "kind": group.kind,
        "source": group.source,
        "count": len(group.places),
        "places": [f"{entry}/{fact} {hidden}" for entry, fact, hidden in group.places],
    }


def _plain(value: object) -> Any:
    return msgspec.json.decode(wire.encode(value))


def jsonl(lines: Iterable[bytes]) -> bytes:
    """Lines, each with its end."""
    return b"".join(line + b"\n" for line in lines)
