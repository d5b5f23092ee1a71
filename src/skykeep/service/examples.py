"""Answers as they look, for the description of the interface."""

from __future__ import annotations

from typing import Any

REASON = {
    "code": "no_identity",
    "words": "it does not say who it is",
}
TRACKS: dict[str, Any] = {
    "tracks": [
        {
            "track_id": "T00012",
            "at": "2026-09-12T00:27:01.300Z",
            "first_seen": "2026-09-12T00:26:40.250Z",
            "last_seen": "2026-09-12T00:27:01.250Z",
            "lat_deg": 49.6112345,
            "lon_deg": 6.1301234,
            "height": {"m": 431.2, "reference": "HAE"},
            "velocity_mps": [4.2, -11.0, 0.3],
            "sigma_horizontal_m": 4.1,
            "sigma_vertical_m": 6.8,
            "probability_drone": 0.98,
            "taken_for_drone": True,
            "sensors": ["radar-1"],
            "identity": None,
            "identity_withheld": False,
            "verdicts": [
                {
                    "zone": "Z1",
                    "presence": "bound",
                    "entry_in_s": 20.0,
                    "arrival": {
                        "probability": 0.83,
                        "within_s": 120.0,
                        "p10_s": 14.2,
                        "p50_s": 21.7,
                        "p90_s": None,
                    },
                    "permission": "not_permitted",
                    "reasons": [REASON],
                    "strength": "none",
                    "permit_id": None,
                }
            ],
            "alert_id": "A00001",
        }
    ]
}
SENSORS: dict[str, Any] = {
    "sensors": [
        {
            "sensor": "radar-1",
            "kind": "radar",
            "lat_deg": 49.61,
            "lon_deg": 6.13,
            "height_hae_m": 350.0,
            "words": "on the roof of the town hall",
            "period_s": 1.0,
            "coverage": {
                "range_min_m": 50.0,
                "range_max_m": 6000.0,
                "azimuth_from_deg": 0.0,
                "azimuth_to_deg": 360.0,
                "elevation_min_deg": -2.0,
                "elevation_max_deg": 40.0,
            },
            "health": "working",
            "signs": False,
            "last_heard": "2026-09-12T00:27:01.310Z",
            "registration": {
                "at": "2026-09-12T00:26:40.050Z",
                "applied": ["range", "azimuth", "elevation"],
                "bias": {"range_m": 0.4, "azimuth_deg": 1.2, "elevation_deg": 0.0, "time_s": 0.0},
                "sigma": {
                    "range_m": 1.4,
                    "azimuth_deg": 0.03,
                    "elevation_deg": 0.04,
                    "time_s": 0.1,
                },
                "aircraft": 10,
                "comparisons": 221,
            },
        }
    ]
}
ALERTS: dict[str, Any] = {
    "alerts": [
        {
            "alert_id": "A00001",
            "state": "raised",
            "active": True,
            "priority": 1,
            "tracks": ["T00012"],
            "zones": ["Z1"],
            "permission": "not_permitted",
            "reasons": [REASON],
            "raised": "2026-09-12T00:26:45Z",
            "test": False,
            "shelved_until": None,
        }
    ]
}
INCIDENT: dict[str, Any] = {
    "incident_id": "I0001",
    "title": "Two drones over the citadel",
    "state": "open",
    "opened": "2026-09-12T00:31:00Z",
    "opened_by": "A. Weber",
    "alerts": ["A00001"],
    "tracks": ["T00012"],
    "reports": 1,
    "sightings": 1,
    "assessments": 1,
    "held": True,
}
ACTOR = {"name": "A. Weber", "role": "watch_officer"}
INCIDENT_WHOLE: dict[str, Any] = {
    "incident": INCIDENT,
    "history": [
        {
            "event_name": "TrackStarted",
            "at_ns": 1789172805000000000,
            "track_id": "T00012",
            "first_seen_ns": 1789172800250000000,
            "source": "measured",
        }
    ],
    "sightings": [
        {
            "event_name": "ReportKept",
            "at_ns": 1789172810000000000,
            "batch_id": "gate:7",
            "row": 0,
            "sensor_id": "gate",
            "seen_at_ns": 1789172808000000000,
            "azimuth_deg": 211.0,
            "words": "two lights, one behind the other",
        }
    ],
    "reports": [],
    "assessments": [],
}
RECIPIENTS: dict[str, Any] = {
    "recipients": [
        {
            "name": "police",
            "role": "responder",
            "zones": ["Z1"],
            "priorities": [1, 2],
            "automatic": [1],
            "answer_within_s": 120.0,
            "remind_s": 30.0,
            "escalate_to": "duty officer",
            "shows": "handed_over",
            "precision_m": 10.0,
            "rate_hz": 1.0,
            "most_tracks": 100,
            "languages": ["en", "de"],
            "channels": [
                {
                    "name": "tak",
                    "kind": "tak",
                    "connected": True,
                    "problem": "",
                    "sent": 1200,
                    "shed": 0,
                }
            ],
            "open": 1,
            "shed": 0,
        }
    ],
    "exercise_until": None,
}
HANDOVERS: dict[str, Any] = {
    "handovers": [
        {
            "handover_id": "H00001",
            "alert_id": "A00001",
            "recipient": "police",
            "state": "taken",
            "revision": 1,
            "at": "2026-09-12T00:26:45Z",
            "by": "hand-over rule",
            "note": "",
            "instruction": None,
            "exercise": False,
            "answer_by": "2026-09-12T00:28:45Z",
            "waiting": [],
            "taken": ["tak"],
            "failed": [],
            "escalated_from": None,
            "answered_by": None,
            "answered": None,
            "why": "",
        }
    ]
}
WARNING_TEXT = {
    "language": "en",
    "headline": "A drone is flying at Citadel without permission.",
    "description": "A drone is flying at Citadel without permission.",
    "instruction": "Go inside and stay away from windows.",
}
WARNINGS: dict[str, Any] = {
    "public": True,
    "warnings": [
        {
            "warning_id": "W00001",
            "state": "released",
            "zone_id": "Z1",
            "area": "Citadel",
            "drafted": "2026-09-12T00:26:45Z",
            "by": "warning rule",
            "exercise": False,
            "alert_id": "A00001",
            "texts": [WARNING_TEXT],
            "messages": [
                {
                    "identifier": "skykeep.city.W00001.1",
                    "step": "release",
                    "at": "2026-09-12T00:27:30Z",
                    "expires": "2026-09-12T01:27:30Z",
                    "by": "A. Weber",
                    "texts": [WARNING_TEXT],
                }
            ],
        }
    ],
}
DONE: dict[str, Any] = {
    "entries": [4712],
    "changed": [
        {
            "event_name": "ZoneChanged",
            "at_ns": 1789172400000000000,
            "zone_id": "Z1",
            "state": "in_force",
            "actor": ACTOR,
        }
    ],
    "incident": None,
    "findings": [],
}
TAKEN: dict[str, Any] = {
    "batch_id": "radar-1:000042",
    "entry": 4711,
    "repeated": False,
    "rejected": [
        {"row": 3, "field": "$.polar.range_m", "problem": "Expected `float` >= 0.0"},
    ],
}
HEALTH: dict[str, Any] = {
    "ok": True,
    "problem": "",
    "version": "0.1.0",
    "site": "Citadel",
    "entries": 4712,
    "checkpoint": {"size": 4712, "root": "djt84LpToel9pxZ11/Rhz4mJ4wBE6TNFmg9gG+mEbRg="},
    "published": {
        "entries": 4709,
        "lag_s": 1.4,
        "quorum": 2,
        "witnesses": {"w.example/1": 4709, "w.example/2": 4709, "w.example/3": 4690},
        "problem": "",
    },
    "sensors": {"radar-1": "working"},
    "feeds": {"adsb": ""},
    "timestamps": {"tsa-1": ""},
    "troubles": [
        {
            "what": "disk",
            "name": "",
            "words": "the disk is filling: 4.1 GB free, full in 39 h at the record's growth of "
            "late; without room nothing is recorded, and nothing that is not recorded alerts",
            "grave": False,
            "since": "2026-09-12T00:31:05Z",
        }
    ],
    "clock_back_s": 0.0,
    "waiting": 0,
    "shed_requests": 0,
    "shed_observations": 0,
}
ZONES: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "identifier": "Z1",
                "country": "LUX",
                "name": [{"text": "Citadel", "lang": "en-GB"}],
                "type": "PROHIBITED",
                "variant": "COMMON",
                "limitedApplicability": [],
                "zoneAuthority": [{"name": [{"text": "City"}], "purpose": "AUTHORIZATION"}],
            },
            "geometry": {
                "type": "Point",
                "coordinates": [6.13, 49.61],
                "extent": {"subType": "Circle", "radius": 500.0},
                "layer": {
                    "upper": 300,
                    "upperReference": "AGL",
                    "lower": 0,
                    "lowerReference": "AGL",
                    "uom": "m",
                },
            },
        }
    ],
}
OBSERVATIONS: dict[str, Any] = {
    "observations": [
        {
            "entry": 4711,
            "batch_id": "radar-1:000042",
            "row": 0,
            "sensor": "radar-1",
            "event_time": "2026-09-12T00:27:00.250Z",
            "receipt_time": "2026-09-12T00:27:00.310Z",
            "form": "polar",
            "measured": {
                "range_m": 1520.0,
                "azimuth_deg": 211.4,
                "elevation_deg": 3.1,
                "sigma_range_m": 5.0,
                "sigma_azimuth_deg": 0.4,
                "sigma_elevation_deg": 0.6,
            },
            "place": {
                "lat_deg": 49.5983517,
                "lon_deg": 6.1190705,
                "height_m": 432.371,
                "height_reference": "HAE",
            },
            "kind": {"drone": 0.8, "bird": 0.15, "aircraft": 0.01, "clutter": 0.04},
            "claim": None,
            "operator": None,
            "claim_withheld": False,
        }
    ],
    "next": "4712-0",
}
HISTORY: dict[str, Any] = {
    "rows": [
        {
            "at": "2026-09-12T00:27:00.250Z",
            "entry": 4712,
            "row": 1,
            "at_ns": 1789172820250000000,
            "told_ns": 1789172820300000000,
            "track_id": "T00012",
            "lat_deg": 49.5983517,
            "lon_deg": 6.1190705,
            "height_hae_m": 432.371,
            "height_m": 118.2,
            "height_reference": "AGL",
            "velocity_east_mps": 6.311,
            "velocity_north_mps": -1.2,
            "velocity_up_mps": 0.1,
            "sigma_horizontal_m": 8.52,
            "sigma_up_m": 11.69,
            "probability_drone": 0.982,
            "taken_for_drone": True,
            "sensors": ["radar-1"],
            "observations": ["radar-1:000042/0"],
        }
    ],
    "next": "1789172820250000000-4712-1",
    "reaches": 4720,
    "problem": "",
}
CHECKPOINT = """city/skykeep
4712
djt84LpToel9pxZ11/Rhz4mJ4wBE6TNFmg9gG+mEbRg=

— city/skykeep 1ZQy3tV5bS9rG1cD7nS0d0l2Yk1Yb2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6
"""
RECEIPT = """c2sp.org/tlog-proof@v1
extra eyJhdCI6MTc4OTE3MjQwMDAwMDAwMDAwMCwiY291bnQiOjAsImtpbmQiOiJ0aWNrIn0K
index 1
Gd6CHvSPgJxkNl2hKFqO0bQJbI6PiB1dtWH5CM8HTPU=

city/skykeep
2
djt84LpToel9pxZ11/Rhz4mJ4wBE6TNFmg9gG+mEbRg=

— city/skykeep 1ZQy3tV5bS9rG1cD7nS0d0l2Yk1Yb2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6
"""
METRICS = """# HELP skykeep_observations_taken_total Observations used
# TYPE skykeep_observations_taken_total counter
skykeep_observations_taken_total{sensor="radar-1"} 184220.0
"""


VERSIONS: dict[str, Any] = {
    "zone_id": "Z1",
    "approver_differs": True,
    "versions": [
        {
            "version": 1,
            "name": "Citadel",
            "state": "in_force",
            "emergency": False,
            "legal_basis": "Air Act, section 12",
            "effective": None,
            "confirm_by": None,
            "since": "2026-09-12T00:00:00Z",
            "until": None,
            "steps": [
                {
                    "at": "2026-09-12T00:00:00Z",
                    "step": "enter_into_force",
                    "name": "A. Weber",
                    "role": "watch_officer",
                    "why": "published",
                }
            ],
            "changes": [],
        }
    ],
}
PENDING: dict[str, Any] = {
    "pending": [
        {
            "zone_id": "Z1",
            "name": "Citadel",
            "version": 2,
            "state": "proposed",
            "emergency": False,
            "by": "A. Weber",
            "effective": None,
            "confirm_by": None,
        }
    ]
}

FEEDS: dict[str, Any] = {
    "feeds": [
        {
            "feed": "adsb",
            "sensor": "adsb-1",
            "kind": "sbs1",
            "address": "tcp://127.0.0.1:30003",
            "connected": True,
            "problem": "",
            "connects": 1,
            "last_heard": "2026-09-12T00:27:00.250Z",
            "pieces": 120_400,
            "bytes": 12_040_000,
            "pieces_per_s": 212.4,
            "waiting": 0,
            "shed": 0,
            "digest": "",
            "batches": 8_021,
            "observations": 30_117,
            "findings": 2,
            "delay_least_s": 0.021,
            "delay_median_s": 0.043,
            "peers": {},
        }
    ]
}

#: By the names of the schemas: of answers, and of bodies that hold a whole document.
SIGHTINGS: dict[str, Any] = {
    "sightings": [
        {
            "seen": "2026-09-12T00:26:40.000Z",
            "received": "2026-09-12T00:27:12.000Z",
            "sensor": "people",
            "words": "a drone with rotors, hovering, 12 degrees up",
            "azimuth_deg": 47.0,
            "lat_deg": 49.612,
            "lon_deg": 6.13,
            "may_be_one": {},
        }
    ],
    "refused": 0,
}
ANSWERS: dict[str, dict[str, Any]] = {
    "AlertList": ALERTS,
    "Ban": {"document": ZONES, "why": "a gas leak"},
    "Done": DONE,
    "FeedList": FEEDS,
    "HandoverList": HANDOVERS,
    "Health": HEALTH,
    "HistoryPage": HISTORY,
    "IncidentList": {"incidents": [INCIDENT]},
    "IncidentWhole": INCIDENT_WHOLE,
    "Me": {"name": "C. Weber", "roles": ["watch_officer"], "sensor": None, "csrf": "Xy3"},
    "ObservationPage": OBSERVATIONS,
    "PendingZones": PENDING,
    "Proposal": {"document": ZONES, "why": "the park too"},
    "RecipientList": RECIPIENTS,
    "RightsTable": {
        "roles": ["viewer", "watch_officer"],
        "actions": [
            {
                "action": "tracks.read",
                "words": "see the tracks",
                "roles": ["watch_officer", "viewer"],
            }
        ],
    },
    "SensorList": SENSORS,
    "SightingIn": {"words": "two lights over the yard", "azimuth_deg": 10.0},
    "SightingList": SIGHTINGS,
    "SightingTaken": {"entry": 4711},
    "Taken": TAKEN,
    "TrackList": TRACKS,
    "Versions": VERSIONS,
    "WarningList": WARNINGS,
    "ZoneCollection": ZONES,
}


def show_answers(document: dict[str, Any]) -> dict[str, Any]:
    """The description with the answers' examples; FastAPI would leave out their nulls."""
    schemas = document["components"]["schemas"]
    for name, example in ANSWERS.items():
        schemas[name]["example"] = example
    return document


def shown(example: Any) -> dict[str, Any]:
    """For a model's schema: an example beside its fields."""
    return {"example": example}


def text_answer(example: str, words: str) -> dict[int | str, dict[str, Any]]:
    """For the description: an answer in plain text."""
    content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": words, "content": content}}
