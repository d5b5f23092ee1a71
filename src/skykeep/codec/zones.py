"""Reads a zone document of any known format; the content says which one it is."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from skykeep.codec import ed269, ed318, geojson_zones, kml, openair, uasfm
from skykeep.codec.json_doc import MAX_DOCUMENT_BYTES, load_json, shown
from skykeep.codec.zone_esri import is_esri, to_geojson
from skykeep.codec.zone_names import plain, printable
from skykeep.codec.zone_parts import Notes, ZoneFinding, tell_apart
from skykeep.core.zone import Zone
from skykeep.errors import InputError

#: Thirty times Finland's; more is a slip or an attack.
MAX_ZONES = 20_000

_Reader = Callable[[object, int, str, Notes], Zone]

_READERS: dict[str, _Reader] = {
    "ed318": ed318.read_feature,
    "ed269": ed269.read_feature,
    "geojson": geojson_zones.read_feature,
    "uasfm": uasfm.read_feature,
}
_KNOWN = "ED-318, ED-269, GeoJSON, KML, KMZ, OpenAir or an FAA facility map"
#: What lists of zones are called, without case and signs; the first one that is there counts.
_LISTS = ("features", "uaszonelist", "uaszones", "uaszoneversion", "geozones", "zones")
_WRAPPERS = ("data", "uaszonesdata", "featurecollection", "result")
#: Stands for a feature with an area of which nothing more is known.
_AREA = "area"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a document held: zones in its order, faults with their place, its format.

    `format` is "ed318", "ed269", "geojson", "uasfm", "kml", "kmz" or "openair". Unreadable
    zones are among the zones.
    """

    zones: tuple[Zone, ...]
    findings: tuple[ZoneFinding, ...]
    format: str


def read_zones(data: bytes, source: str) -> ZoneFile:
    """Zones of a document in any of the formats that the module `skykeep.codec.zones` knows.

    A zone with a fault is kept with `readable=False`, what is good beside it stays good.
    `source` names the document in errors. Raises InputError where the document as a whole
    is broken or of no known format.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        problem = f"the document has {len(data)} bytes, more than {MAX_DOCUMENT_BYTES}"
        raise InputError(source, problem, "Split it")
    if data.startswith(kml.ZIP_MAGIC):
        return _finish(*kml.read_kmz(data, source, MAX_ZONES), "kmz")
    start = data[:4096].removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith((b"<", b"<\0", b"\0<")) or _is_utf16_xml(data):
        return _finish(*kml.read_kml(data, source, MAX_ZONES), "kml")
    if not start.startswith((b"{", b"[")) and openair.is_openair(data):
        return _finish(*openair.read_openair(data, source, MAX_ZONES), "openair")
    return _read_json(data, source)


def _is_utf16_xml(data: bytes) -> bool:
    return data.startswith(_UTF16) and data[2:4].strip(b"\0") == b"<"


def _finish(zones: list[Zone], places: list[str], notes: Notes, kind: str) -> ZoneFile:
    if not zones:
        notes.warn("document", "there are no zones", "none", "Check that it is the right document")
    return ZoneFile(tell_apart(zones, places, notes), notes.findings(), kind)


def _from_utf16(data: bytes, source: str, notes: Notes) -> bytes:
    if not data.startswith(_UTF16):
        return data
    try:
        words = data.decode("utf-16").encode("utf-8")
    except UnicodeError as error:
        raise InputError(source, "this is broken UTF-16", "Save the document as UTF-8") from error
    notes.note("$", "the document is in UTF-16", "the same text", "Save it as UTF-8")
    return words


def _read_json(data: bytes, source: str) -> ZoneFile:
    encoding = Notes()
    document, found = load_json(_from_utf16(data, source, encoding), source)
    notes = Notes((*encoding.findings(), *found))
    features, where, bare = _features(document, source, notes)
    if len(features) > MAX_ZONES:
        problem = f"there are {len(features)} zones, more than {MAX_ZONES}"
        raise InputError(f"{source}: {where}", problem, "Split the document")
    reference = document.get("spatialReference") if isinstance(document, dict) else None
    places = [where if bare else f"{where}[{i}]" for i in range(len(features))]
    for i, feature in enumerate(features):
        if is_esri(feature) and isinstance(feature, dict):
            features[i] = to_geojson(feature, reference, places[i], notes)
    kind = _recognise(document, features, source)
    if kind == "ed318" and isinstance(document, dict) and not bare:
        ed318.read_metadata(document.get("metadata"), "$.metadata", notes)
    if not features:
        mend = "Check that it is the right document"
        notes.warn(where, "there are no zones", "none", mend)
    read = _READERS[kind]
    zones = [read(f, i, places[i], notes) for i, f in enumerate(features)]
    apart = tell_apart(zones, places, notes)
    return ZoneFile(apart, notes.findings(), kind)


def _features(document: object, source: str, notes: Notes) -> tuple[list[object], str, bool]:
    """The features, their JSON path, and whether the document is a bare one."""
    if isinstance(document, list):
        notes.note("$", "the document is a bare list", "a list of zones")
        return list(document), "$", False
    if isinstance(document, dict):
        found = _list_in(document, "$")
        if found:
            return list(found[0]), found[1], False
        for name, inner in document.items():
            if plain(name) in _WRAPPERS:
                if isinstance(inner, list):
                    return list(inner), f"$.{printable(name)}", False
                found = _list_in(inner, f"$.{printable(name)}")
                if found:
                    return list(found[0]), found[1], False
        if document.get("type") == "Feature":
            notes.note("$", "the document is a bare feature", "a collection of one")
            return [document], "$", True
        if {"identifier", "restriction", "geometry"} <= document.keys():
            notes.note("$", "the document is a bare zone", "a collection of one")
            return [document], "$", True
    raise InputError(
        f"{source}: $",
        f"there is no list of features in {shown(document)}",
        f"Give a zone document in {_KNOWN}",
    )


def _list_in(value: object, where: str) -> tuple[list[object], str] | None:
    if not isinstance(value, dict):
        return None
    by_name = {plain(name): name for name in reversed(list(value))}
    for listed in _LISTS:
        name = by_name.get(listed)
        if name is not None and isinstance(value[name], list):
            return value[name], f"{where}.{printable(name)}"
    return None


def _recognise(document: object, features: list[object], source: str) -> str:
    """The format to which most features belong; the earlier one on a tie."""
    counted = Counter(kind for feature in features if (kind := _kind_of(feature)))
    has_areas = counted.pop(_AREA, 0) > 0
    if not counted and has_areas:
        return "geojson"
    if not counted:
        if features:
            raise InputError(
                f"{source}: $",
                "no feature in it looks like a UAS geographical zone",
                f"Give a zone document in {_KNOWN}",
            )
        is_geojson = isinstance(document, dict) and document.get("type") == "FeatureCollection"
        return "ed318" if is_geojson else "ed269"
    return counted.most_common(1)[0][0]


def _kind_of(feature: object) -> str:
    if not isinstance(feature, dict):
        return ""
    properties = feature.get("properties")
    if isinstance(properties, dict):
        if "restriction" in properties:
            return "geojson"
        if uasfm.is_cell(properties):
            return "uasfm"
        if {"variant", "limitedApplicability"} & properties.keys() or (
            isinstance(properties.get("zoneAuthority"), list) and "type" in properties
        ):
            return "ed318"
        if {"identifier", "type"} <= properties.keys():
            return "ed318"
    if "restriction" in feature or "identifier" in feature:
        return "ed269"
    if isinstance(properties, dict) or feature.get("type") == "Feature":
        geometry = feature.get("geometry")
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        is_area = kind in ("Polygon", "MultiPolygon", "GeometryCollection")
        return _AREA if is_area else ""
    return ""
