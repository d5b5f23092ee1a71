"""A permit office whose queue holds something of each kind, for a browser to work on."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skykeep.service.tokens import Holder, Role, digest_of, encode_tokens
from tests.faults.keeper import SITE, Keeper

OFFICE, SECOND, OFFICER = "office", "second", "officer"


def moment(**ahead: float) -> str:
    """RFC 3339, so far ahead."""
    return (datetime.now(UTC) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def circle(lat: float, lon: float, radius_m: float, **hours: float) -> dict[str, Any]:
    return {
        "area": {"circle": {"lat_deg": lat, "lon_deg": lon, "radius_m": radius_m}},
        "lower": {"m": 0, "reference": "AGL"},
        "upper": {"m": 120, "reference": "AGL"},
        "start": moment(hours=hours.get("start", -1)),
        "end": moment(hours=hours.get("end", 6)),
    }


def permit(name: str, holder: str, state: str, *volumes: Any, **more: Any) -> dict[str, Any]:
    serials = more.pop("serials", ["SKV18SRV00017"])
    plain = {"id": name, "holder": holder, "serials": serials, "zones": ["CITADEL"]}
    return {**plain, "volumes": list(volumes), "state": state, **more}


def application(**more: Any) -> dict[str, Any]:
    return {
        "mode": "VLOS",
        "flight_type": "inspection of a roof",
        "category": "specific",
        "aircraft_class": "C5",
        "identification": "direct Remote ID",
        "connectivity": "4G",
        "endurance_s": 1_500,
        "lost_link": "climbs to 80 m, returns home and lands",
        "operator": "FIN87astrdge12k8",
        "aircraft_registration": "",
        "contact": {"name": "M. Lind", "phone": "+352 27 12 34 56"},
    } | more


def feature(name: str, title: str, authority: str, kind: str, **more: Any) -> dict[str, Any]:
    contact = {"purpose": "AUTHORIZATION", "name": [{"text": authority, "lang": "en-GB"}]}
    contact |= {"email": f"drones@{authority}.example", "intervalBefore": "P5D"}
    lat, lon, radius = more["place"]
    return {
        "type": "Feature",
        "properties": {
            "identifier": name,
            "country": "LUX",
            "name": [{"text": title, "lang": "en-GB"}],
            "type": kind,
            "variant": "COMMON",
            "reason": ["SENSITIVE"],
            "zoneAuthority": [contact],
            "extendedProperties": {
                "skykeep": {"authorityId": authority, "legalBasis": "Air Act, section 12"}
            },
        },
        "geometry": {
            "type": "Point",
            "coordinates": [lon, lat],
            "extent": {"subType": "Circle", "radius": radius},
            "layer": {
                "lower": 0, "lowerReference": "AGL", "upper": 300, "upperReference": "AGL",
                "uom": "m",
            },
        },
    }  # fmt: skip


ZONES = {
    "type": "FeatureCollection",
    "features": [
        feature("CITADEL", "Citadel", "city", "PROHIBITED", place=(49.61, 6.13, 900.0)),
        feature("CTR", "Airport", "aviation", "REQ_AUTHORIZATION", place=(49.62, 6.16, 2_500.0)),
    ],
}


@dataclass
class Office:
    """A service whose queue holds something of each kind."""

    keeper: Keeper

    def command(self, name: str, body: Any, token: str = OFFICE) -> Any:
        path, data = f"/v1/commands/{name}", json.dumps(body).encode()
        status, answer = self.keeper.request("POST", path, token, data)
        assert status == 200, answer
        return answer

    def get(self, path: str, token: str = OFFICE) -> Any:
        status, answer = self.keeper.request("GET", path, token)
        assert status == 200, answer
        return answer

    def public(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.keeper.port}{path}") as answer:
            return bytes(answer.read())

    def seed(self) -> None:
        self.command("publish_zone", ZONES)
        mail = {"kind": "email", "address": "flights@survey.example"}
        soon = {"channels": [mail], "decide_by": moment(hours=30), "submitted": moment(days=-9)}
        late = {"decide_by": moment(hours=-5), "submitted": moment(days=-10)}
        here, beside = circle(49.612, 6.136, 250.0), circle(49.611, 6.134, 300.0, end=3)
        applied = application()
        permits = [
            permit("P-2041", "Survey Ltd", "submitted", here, procedure=soon, application=applied),
            permit("P-2040", "Old Bridge Film", "submitted", beside, procedure=late),
            permit("P-2031", "Roof Works", "granted", beside, serials=["SKV18RF000002"]),
        ]
        police = permit("POL-7", "City Police", "granted", circle(49.61, 6.13, 3_000.0))
        police |= {"class": "police", "zones": [], "serials": ["SKV18P0000007"]}
        self.command(
            "put_permit", {"authority": "city", "permits": permits, "exemptions": [police]}
        )


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """A running service with its people and its queue."""
    rules = {
        "decide_within_days": 10,
        "appeal": "In writing within 30 days to the city's legal office.",
        "confirm_within_min": 60,
        "longest_emergency_min": 240,
    }
    (folder / "site.json").write_text(
        json.dumps(SITE | {"permits": rules, "zones": {"confirm_within_h": 2}}), encoding="utf-8"
    )
    people = (
        Holder(digest_of(OFFICE), "P. Office", Role.PERMIT_OFFICER),
        Holder(digest_of(SECOND), "S. Second", Role.PERMIT_OFFICER),
        Holder(digest_of(OFFICER), "A. Weber", Role.WATCH_OFFICER),
    )
    (folder / "tokens.json").write_bytes(encode_tokens(people))
    made = Office(Keeper(folder))
    try:
        made.seed()
        yield made
    finally:
        code = made.keeper.stop()
    assert code == 0
