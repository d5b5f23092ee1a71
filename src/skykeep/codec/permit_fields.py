"""The fields that a permits file is made of: texts, moments, heights, areas, volumes.

Each reader raises InputError at its JSON path; each writer gives what its reader takes.
"""

from __future__ import annotations

from typing import cast

from skykeep.codec.json_doc import shown
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.geo import (
    Area,
    Circle,
    Height,
    HeightReference,
    Polygon,
    Volume,
    Volume4D,
    height_of,
    reference_of,
)
from skykeep.core.geometry import MAX_RADIUS_M, geometry_faults
from skykeep.errors import InputError

#: Nothing that a permit is for flies higher; the lowest land lies at -430 m.
HEIGHT_RANGE_M = (-1_000.0, 100_000.0)
MAX_TEXT = 2_000

VOLUME_FIELDS = frozenset({"area", "lower", "upper", "start", "end"})
_NAMED_REFERENCES = ("AMSL", "HAE", "AGL", "PRESSURE")

_CIRCLE_BOUNDS = {
    "lat_deg": (-90.0, 90.0),
    "lon_deg": (-180.0, 180.0),
    "radius_m": (0.0, MAX_RADIUS_M),
}

Object = dict[str, object]


def object_of(where: str, value: object) -> Object:
    """An object's fields; InputError where it is none."""
    if not isinstance(value, dict):
        raise InputError(where, "not an object", "See the format.")
    return cast(Object, value)


def text_of(where: str, fields: Object, name: str, default: str | None = None) -> str:
    """A text without outer blanks; `default` where it may be missing."""
    value = fields.get(name, default)
    text = value.strip() if isinstance(value, str) else ""
    if not isinstance(value, str) or (not text and default is None):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give a text.")
    if len(text) > MAX_TEXT or any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(
            f"{where}.{name}", f"over {MAX_TEXT} characters or not Unicode", "Shorten it."
        )
    return text


def texts_of(where: str, fields: Object, name: str, needed: bool) -> tuple[str, ...]:
    """A list of texts; one that is none spoils the list, since an empty list may mean "all"."""
    value = fields.get(name)
    if value is None and not needed:
        return ()
    if not isinstance(value, list):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give a list of texts.")
    return tuple(text_of(f"{where}.{name}", {f"[{i}]": v}, f"[{i}]") for i, v in enumerate(value))


def flag_of(where: str, fields: Object, name: str, default: bool) -> bool:
    """True or false."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", "Give true or false.")
    return value


def moment_of(where: str, fields: Object, name: str, default: object = ...) -> int | None:
    """A time or null; without `default` the field must be there."""
    value = fields.get(name, default)
    if value is None:
        return None
    if not isinstance(value, str):
        shape = "missing" if value is ... else f"cannot be {shown(value)}"
        raise InputError(f"{where}.{name}", shape, "Give a time with a zone, or null.")
    return parse_moment(value, f"{where}.{name}")


def volume_of(where: str, fields: Object) -> Volume4D:
    """One volume with its times; every limit must be stated, be it as null."""
    area = _area(f"{where}.area", fields.get("area"))
    lower, upper = _height(where, fields, "lower"), _height(where, fields, "upper")
    if lower and upper and reference_of(lower) is reference_of(upper) and lower.m >= upper.m:
        raise InputError(f"{where}.upper", "not above the lower limit", "Mend the limits.")
    start, end = moment_of(where, fields, "start"), moment_of(where, fields, "end")
    if start is not None and end is not None and start >= end:
        raise InputError(f"{where}.end", "not after the start", "Mend the times.")
    return Volume4D(Volume(area, lower, upper), start, end)


def number_of(where: str, value: object, bounds: tuple[float, float]) -> float:
    """A finite number within bounds."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not bounds[0] <= cast(float, value) <= bounds[1]:
        mend = f"Give a number from {bounds[0]:g} to {bounds[1]:g}."
        raise InputError(where, f"cannot be {shown(value)}", mend)
    return float(cast(float, value))


def _height(where: str, fields: Object, name: str) -> Height | None:
    where = f"{where}.{name}"
    if name not in fields:
        raise InputError(where, "missing", "Give a height, or null for no limit.")
    if fields[name] is None:
        return None
    height = object_of(where, fields[name])
    reference = height.get("reference")
    if reference not in _NAMED_REFERENCES or set(height) != {"m", "reference"}:
        mend = f'Give {{"m": .., "reference": one of {", ".join(_NAMED_REFERENCES)}}}.'
        raise InputError(where, f"cannot be {shown(reference)} or has other fields", mend)
    metres = number_of(f"{where}.m", height.get("m"), HEIGHT_RANGE_M)
    return height_of(metres, HeightReference[reference])


def _area(where: str, value: object) -> Area:
    fields = object_of(where, value)
    area: Area
    if "circle" in fields:
        place = f"{where}.circle"
        circle = object_of(place, fields["circle"])
        area = Circle(
            *(
                number_of(f"{place}.{name}", circle.get(name), bounds)
                for name, bounds in _CIRCLE_BOUNDS.items()
            )
        )
    elif fields.get("type") == "Polygon":
        place = f"{where}.coordinates"
        area = _polygon(place, fields.get("coordinates"))
    else:
        raise InputError(where, "neither a Polygon nor a circle", "Give one of them.")
    for inner, problem in geometry_faults(area):
        raise InputError(f"{place}{inner}", problem, "Mend the outline.")
    return area


def _polygon(where: str, value: object) -> Polygon:
    if not isinstance(value, list):
        raise InputError(where, "not a list of rings", "Give GeoJSON coordinates.")
    rings = []
    for i, ring in enumerate(value):
        if not isinstance(ring, list):
            raise InputError(f"{where}[{i}]", "not a list of positions", "Give [lon, lat] pairs.")
        rings.append(tuple(_position(f"{where}[{i}][{j}]", p) for j, p in enumerate(ring)))
    return Polygon(tuple(rings))


def _position(where: str, value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) not in {2, 3}:
        raise InputError(where, "not a position", "Give [lon, lat].")
    lon = number_of(f"{where}[0]", value[0], (-180.0, 180.0))
    return lon, number_of(f"{where}[1]", value[1], (-90.0, 90.0))


def volume_record(volume4d: Volume4D) -> dict[str, object]:
    """A volume as it stands in a file."""
    volume = volume4d.volume
    return {
        "area": _area_record(volume.area),
        "lower": _height_record(volume.lower),
        "upper": _height_record(volume.upper),
        "start": None if volume4d.start_ns is None else format_moment(volume4d.start_ns),
        "end": None if volume4d.end_ns is None else format_moment(volume4d.end_ns),
    }


def _area_record(area: Area) -> dict[str, object]:
    if isinstance(area, Circle):
        circle = {"lat_deg": area.lat_deg, "lon_deg": area.lon_deg, "radius_m": area.radius_m}
        return {"circle": circle}
    rings = [[list(position) for position in ring] for ring in area.rings]
    return {"type": "Polygon", "coordinates": rings}


def _height_record(height: Height | None) -> dict[str, object] | None:
    if height is None:
        return None
    return {"m": height.m, "reference": reference_of(height).name}
