"""FAA UAS facility map: a grid of half-minute cells in controlled airspace of the United States.

    properties (GeoJSON) or attributes (Esri JSON)
      OBJECTID, GLOBALID                  a number of the export; an id that lasts
      CEILING                             feet above ground
      UNIT                                who controls the airspace
      APT1_FAA_ID, APT1_ICAO, APT1_NAME   the airport; up to APT5
      APT1_LAANC                          whether the automatic service answers there
      MAP_EFF                             since when the map holds

An authorisation is needed at every height in a cell (14 CFR 107.41). CEILING is no limit of the
zone: it says up to where one may be had at once; above, the controllers look at each case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skykeep.codec.geojson_zones import read_flat
from skykeep.codec.json_doc import shown
from skykeep.codec.zone_names import Flat
from skykeep.codec.zone_parts import MAX_KEPT_IDENTIFIER, Notes, as_object, unreadable_zone
from skykeep.core.zone import Authority, Restriction, Zone

#: 14 CFR 107.51(b): nothing flies higher under these rules, so no ceiling can be.
HIGHEST_CEILING_FT = 400.0

_AUTHORITY = "Federal Aviation Administration"


def is_cell(properties: Mapping[str, object]) -> bool:
    """Whether properties are those of a cell."""
    return "CEILING" in properties and any(
        name in properties for name in ("MAP_EFF", "APT1_ICAO", "APT1_FAA_ID", "APT1_FAAID", "UNIT")
    )


def read_feature(value: object, index: int, where: str, notes: Notes) -> Zone:
    """One cell as a zone; an unreadable one with an error if it is no feature at all."""
    if not isinstance(value, dict):
        problem = f"a cell is needed, not {shown(value)}"
        notes.error(where, problem, mend="Write a feature, or take the entry out")
        return unreadable_zone(index)
    before = notes.errors
    place = f"{where}.properties"
    found = as_object(value.get("properties"), place, notes)
    airport = _text(found, "APT1_ICAO", "APT1_FAA_ID", "APT1_FAAID")
    number = _text(found, "OBJECTID", "FID", "GLOBALID", "GlobalID")
    flat = Flat(
        found={
            "identifier": "-".join(part for part in (airport, number) if part) or None,
            "name": _text(found, "APT1_NAME") or airport,
            "country": "USA",
            "restriction": "REQ_AUTHORISATION",
            "reason": ["AIR_TRAFFIC"],
            "lowerLimit": 0.0,
            "lowerVerticalReference": "AGL",
            "uomDimensions": "FT",
            "applicability": [{"permanent": "YES"}],
            "authority": _AUTHORITY,
        },
        places={"identifier": f"{place}.OBJECTID", "upperLimit": f"{place}.CEILING"},
        root=place,
        geometry=value.get("geometry"),
        geometry_where=f"{where}.geometry",
    )
    trial = Notes()
    zone = read_flat(flat, index, trial)
    notes.take(f for f in trial.findings() if f.where not in _expected(flat))
    authority = Authority(_AUTHORITY, "AUTHORIZATION", service=_text(found, "UNIT"))
    effective = _text(found, "MAP_EFF")
    return replace(
        zone,
        authorities=(authority,),
        conditions=_ceiling_words(found.get("CEILING"), f"{place}.CEILING", notes),
        message=f"Facility map in effect since {effective}" if effective else "",
        restriction=Restriction.REQ_AUTHORISATION,
        readable=notes.errors == before,
    )


def _expected(flat: Flat) -> frozenset[str]:
    """What the map never says: no upper limit, and whom to ask."""
    return frozenset({flat.at("upperLimit"), flat.at("zoneAuthority")})


def _ceiling_words(value: object, where: str, notes: Notes) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and isinstance(value, int | float) and 0 <= value <= HIGHEST_CEILING_FT):
        problem = f"{shown(value)} is no ceiling of 0 to {HIGHEST_CEILING_FT:g} ft"
        notes.warn(where, problem, "each flight is looked at", "Get the map anew")
        return ""
    if not value:
        return "Each flight is looked at by the controllers"
    words = f"up to {value:g} ft above ground an authorisation may be had at once"
    notes.note(where, f"the ceiling is no limit of the zone: {words}", "a condition of the zone")
    return f"{words[:1].upper()}{words[1:]}; higher flights are looked at one by one"


def _text(found: Mapping[str, object], *names: str) -> str:
    """The first of some members that holds a text or a whole number."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            words = str(value).strip().encode("utf-8", "replace").decode("utf-8")
            return words[:MAX_KEPT_IDENTIFIER]
    return ""
