"""What the members of a zone are called in GeoJSON, Esri JSON and KML that follow no standard.

Names are compared without case and signs: `lower_limit_altitude` is `LowerLimitAltitude`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

#: A map layer has some tens of members; what comes after so many is no zone's.
MAX_NAMES = 1_000

#: Our name of a member, and what others call it; the first that holds something counts.
NAMES: dict[str, tuple[str, ...]] = {
    "identifier": (
        *("identifier", "id", "zoneid", "ident", "designator", "uaszoneid", "externalreference"),
        *("globalid", "code"),
    ),
    "name": (
        *(
            "name",
            "zonename",
            "zonenameen",
            "generatednameen",
            "nameen",
            "title",
            "generatednamede",
        ),
        *("zonenamede", "zonenamefr", "nom", "namn", "bezeichnung"),
    ),
    "country": ("country", "countrycode"),
    "type": ("type", "variant"),
    "restriction": ("restriction", "zonerestriction", "restrictiontype", "zonetype"),
    "reason": ("reason", "reasons"),
    "uomDimensions": ("uomdimensions", "unit", "uom", "units"),
    "lowerLimit": (
        *("lowerlimit", "lowerlimitaltitude", "lower", "lowerlim", "floor", "bottom", "base"),
        *("minheight", "lowervalue", "lowerval", "altlower"),
    ),
    "upperLimit": (
        *("upperlimit", "upperlimitaltitude", "upper", "upperlim", "ceiling", "top"),
        *("maxheight", "uppervalue", "upperval", "altupper"),
    ),
    "lowerUnit": ("lowerlimitunit", "loweruom", "lowerunit", "lowerlimituom"),
    "upperUnit": ("upperlimitunit", "upperuom", "upperunit", "upperlimituom"),
    "lowerVerticalReference": (
        *("lowerverticalreference", "lowerreference", "lowerlimitaltref", "lowerlimitreference"),
        *("lowerref", "lowercode"),
    ),
    "upperVerticalReference": (
        *("upperverticalreference", "upperreference", "upperlimitaltref", "upperlimitreference"),
        *("upperref", "uppercode"),
    ),
    "applicability": ("applicability", "limitedapplicability"),
    "zoneAuthority": ("zoneauthority",),
    "authority": ("authority", "authorityname", "contactname"),
    "authorityService": ("authorityservice",),
    "authorityEmail": ("authorityemail", "email"),
    "authorityPhone": ("authorityphone", "phone"),
    "authorityPurpose": ("authoritypurpose",),
    "authorityUrl": ("authorityurl", "siteurl"),
    "restrictionConditions": ("restrictionconditions", "conditions"),
    "message": ("message", "remarks", "remark", "zonemessage"),
    "legalRef": ("legalref", "legalbasis"),
    "radius": ("radius", "radiusm"),
    "skykeep": ("skykeep",),
    "hidden": ("hidden",),
    "visible": ("visible",),
    "visibility": ("visibility",),
}


def plain(name: str) -> str:
    """A name without case and signs."""
    return re.sub("[^a-z0-9]", "", name[:100].lower())


def printable(name: str) -> str:
    """A name as a step of a path that any encoding can hold."""
    return name[:100].encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Flat:
    """A zone as flat members under our names, and where each of them stands in the document."""

    found: Mapping[str, object]
    places: Mapping[str, str]
    root: str
    geometry: object
    geometry_where: str

    def get(self, name: str) -> object:
        """A member's value; None if it is missing."""
        return self.found.get(name)

    def at(self, name: str) -> str:
        """Where a member stands, or would stand."""
        return self.places.get(name, f"{self.root}.{name}")


def flatten(
    properties: Mapping[str, object], root: str, geometry: object, geometry_where: str
) -> Flat:
    """Properties under our names; what is null counts as missing."""
    written: dict[str, str] = {}
    for name in islice(properties, MAX_NAMES):
        written.setdefault(plain(name), name)
    found: dict[str, object] = {}
    places: dict[str, str] = {}
    for ours, theirs in NAMES.items():
        candidates = [written[name] for name in theirs if name in written]
        chosen = next((name for name in candidates if properties[name] is not None), None)
        if chosen is None and candidates:
            chosen = candidates[0]
        if chosen is not None:
            found[ours] = properties[chosen]
            places[ours] = f"{root}.{printable(chosen)}"
    return Flat(found, places, root, geometry, geometry_where)
