"""Reads a zone document of any known format; the content says which one it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from skykeep.codec import ed269, ed318, geojson_zones
from skykeep.codec.json_doc import load_json, shown
from skykeep.codec.zone_parts import Notes, tell_apart
from skykeep.core.event import Finding
from skykeep.core.zone import Zone
from skykeep.errors import InputError

#: Thirty times Finland's; more is a slip or an attack.
MAX_ZONES = 20_000

_Reader = Callable[[object, int, str, Notes], Zone | None]

_READERS: dict[str, _Reader] = {
    "ed318": ed318.read_feature,
    "ed269": ed269.read_feature,
    "geojson": geojson_zones.read_feature,
}
_FAA = "faa"
_KNOWN = "ED-318, ED-269 or the GeoJSON made from it"


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a document held: zones in its order, faults with their JSON path, its format.

    `format` is "ed318", "ed269" or "geojson". Unreadable zones are among the zones.
    """

    zones: tuple[Zone, ...]
    findings: tuple[Finding, ...]
    format: str


def read_zones(data: bytes, source: str) -> ZoneFile:
    """Zones of an ED-318, ED-269 or GeoJSON document (UTF-8 JSON).

    A zone with a fault is kept with `readable=False`, what is good beside it stays good.
    `source` names the document in errors. Raises InputError where the document as a whole
    is broken or of no known format.
    """
    document, found = load_json(data, source)
    notes = Notes(found)
    features, where, bare = _features(document, source, notes)
    if len(features) > MAX_ZONES:
        problem = f"there are {len(features)} zones, more than {MAX_ZONES}"
        raise InputError(f"{source}: {where}", problem, "Split the document")
    kind = _recognise(document, features, source)
    if kind == "ed318" and isinstance(document, dict) and not bare:
        ed318.read_metadata(document.get("metadata"), "$.metadata", notes)
    if not features:
        notes.warn(where, "there are no zones", "none")
    zones, places = [], []
    for i, feature in enumerate(features):
        place = where if bare else f"{where}[{i}]"
        zone = _READERS[kind](feature, i, place, notes)
        if zone is not None:
            zones.append(zone)
            places.append(place)
    apart = tell_apart(zones, places, notes)
    return ZoneFile(apart, notes.findings(), kind)


def _features(document: object, source: str, notes: Notes) -> tuple[list[object], str, bool]:
    """The features, their JSON path, and whether the document is a bare one."""
    if isinstance(document, list):
        notes.note("$", "the document is a bare list", "a list of zones")
        return document, "$", False
    if isinstance(document, dict):
        for name in ("features", "UASZoneList"):
            features = document.get(name)
            if isinstance(features, list):
                return features, f"$.{name}", False
        if document.get("type") == "Feature":
            notes.note("$", "the document is a bare feature", "a collection of one")
            return [document], "$", True
    raise InputError(
        f"{source}: $",
        f"there is no list of features in {shown(document)}",
        f"Give a zone document in {_KNOWN}",
    )


def _recognise(document: object, features: list[object], source: str) -> str:
    """The format to which most features belong; the earlier one on a tie."""
    counted = Counter(kind for feature in features if (kind := _kind_of(feature)))
    if not counted:
        if features:
            raise InputError(
                f"{source}: $",
                "no feature in it looks like a UAS geographical zone",
                f"Give a zone document in {_KNOWN}",
            )
        is_geojson = isinstance(document, dict) and document.get("type") == "FeatureCollection"
        return "ed318" if is_geojson else "ed269"
    kind = counted.most_common(1)[0][0]
    if kind == _FAA:
        raise InputError(
            f"{source}: $",
            "this is an FAA UAS facility map, which is not read yet",
            f"Give the zones in {_KNOWN}",
        )
    return kind


def _kind_of(feature: object) -> str:
    if not isinstance(feature, dict):
        return ""
    properties = feature.get("properties")
    if isinstance(properties, dict):
        if "restriction" in properties:
            return "geojson"
        if "CEILING" in properties:
            return _FAA
        if {"variant", "zoneAuthority", "limitedApplicability"} & properties.keys():
            return "ed318"
        return "ed318" if {"identifier", "type"} <= properties.keys() else ""
    if "restriction" in feature or "identifier" in feature:
        return "ed269"
    return ""
