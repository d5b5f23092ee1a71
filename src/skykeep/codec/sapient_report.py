"""What a SAPIENT node says, as plain values: its registration, its status, a detection.

BSI Flex 335 v2.0. A location is x: longitude or easting, y: latitude or northing, z: height in
metres over the ellipsoid (WGS84_E) or the geoid (WGS84_G). A range and bearing is seen from the
node: azimuth clockwise, from true, magnetic or grid north, or from the platform's own heading.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import utm
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.codec.sapient import EFFECTORS, FUSION_NODE, TRACKING, time_ns
from skykeep.core.geo import HeightReference, metres_per_degree
from skykeep.core.identifiers import serial_fault
from skykeep.core.observation import Claim, Scheme
from skykeep.errors import InputError

NAN = math.nan
_DEG_LAT_LNG, _RAD_LAT_LNG, _UTM = 1, 2, 5
_RADIANS = frozenset({2, 4})
_KILOMETRES = frozenset({3, 4})
_TRUE, _MAGNETIC, _GRID, _PLATFORM = 1, 2, 3, 4
_REFERENCES = {1: HeightReference.HAE, 2: HeightReference.AMSL}
_KPH = 2
_MODE_PERMANENT, _MODE_DEFAULT = 1, 3
_GOODBYE = 5
_LEVELS = {2: "warning", 3: "error"}

#: Words of the core taxonomy (Flex 335, annex on classes; Dstl's harness spells them so), and of
#: nodes in the field, without name space, in lower case: what they say of `TargetKind`.
_DRONES = ("uav", "uas", "drone", "quadcopter", "multirotor", "unmanned")
_AIRCRAFT = ("manned", "aircraft", "aeroplane", "airplane", "helicopter")
_BIRDS = ("bird", "animal")
_CLUTTER = ("clutter", "human", "person", "land vehicle", "sea vessel", "false")
#: What `object_info` calls an identity in the field.
_SERIALS = frozenset(
    {"remote_id", "remote id", "serial_number", "serial number", "uas_id", "uas id", "drone_id"}
)
_ADDRESSES = frozenset({"icao", "icao24", "icao_address", "mode_s", "mode s", "adsb", "ads-b"})
_ADDRESS_CHARACTERS = 6
#: Classes of one detection that are looked at.
MOST_CLASSES = 20


@dataclass(frozen=True, slots=True)
class Mode:
    """One of a node's modes: whether it tracks in it, and m/s in one of its units of speed."""

    tracks: bool
    speed_mps: float = 1.0
    climb_mps: float = 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """What a node said of itself when it registered."""

    name: str
    types: tuple[int, ...]
    type_words: str
    model: str
    icd: str
    modes: dict[str, Mode] = field(default_factory=dict)
    first_mode: str = ""
    status_s: float | None = None

    @property
    def acts(self) -> bool:
        """Whether it can do more than see."""
        return any(kind in EFFECTORS for kind in self.types)

    def tracks_in(self, mode: str) -> bool:
        """Whether what it sends in a mode are tracks."""
        known = self.modes.get(mode) or self.modes.get(self.first_mode)
        return FUSION_NODE in self.types or (known is not None and known.tracks)


def node_of(message: SapientMessage) -> Node:
    """A node from its registration, which holds the ICD."""
    said = message.registration
    modes = {m.mode_name: _mode(m) for m in said.mode_definition[:100]}
    first = next(
        (m.mode_name for m in said.mode_definition
         if m.mode_type in (_MODE_DEFAULT, _MODE_PERMANENT)),
        next(iter(modes), ""),
    )  # fmt: skip
    types = tuple(d.node_type for d in said.node_definition[:100])
    model = " ".join(f"{c.manufacturer} {c.model}" for c in said.config_data[:3])
    words = ", ".join(_value_name(d, "node_type") for d in said.node_definition[:100])
    interval = said.status_definition.status_interval
    name = said.name or said.short_name
    return Node(
        name[:100], types, words[:200], model[:200], said.icd_version[:100], modes, first,
        _duration_s(interval.units, interval.value),
    )  # fmt: skip


def _mode(said: Any) -> Mode:
    speed = climb = 1.0
    for definition in said.detection_definition[:1]:
        units = definition.velocity_type.enu_velocity_units
        speed = 1.0 / 3.6 if units.east_north_rate_units == _KPH else 1.0
        climb = 1.0 / 3.6 if units.up_rate_units == _KPH else 1.0
    return Mode(said.tracking_type in TRACKING, speed, climb)


def _duration_s(units: int, value: float) -> float | None:
    factor = {1: 1e-9, 2: 1e-6, 3: 1e-3, 4: 1.0, 5: 60.0, 6: 3_600.0, 7: 86_400.0}.get(units)
    seconds = NAN if factor is None else value * factor
    return seconds if math.isfinite(seconds) and seconds > 0.0 else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: degrees, metres in `reference`, one standard deviation in metres."""

    lat_deg: float
    lon_deg: float
    height_m: float
    reference: HeightReference
    sigmas_m: tuple[float, float, float] = (NAN, NAN, NAN)


@dataclass(frozen=True, slots=True)
class Status:
    """A node's word on itself. `words` is what an operator must know; empty where all is well."""

    mode: str
    goodbye: bool
    place: Place | None
    words: str


def status_of(message: SapientMessage) -> Status:
    """A status report; InputError where its location makes no sense."""
    said = message.status_report
    place = place_of(said.node_location) if said.HasField("node_location") else None
    words = [f"the node says {_LEVELS[said.system]}"] if said.system in _LEVELS else []
    for one in said.status[:20]:
        if one.status_level in (3, 4):
            name = _value_name(one, "status_type")
            words.append(f"{name}: {one.status_value[:100]}")
    return Status(said.mode[:100], said.system == _GOODBYE, place, "; ".join(words))


def alert_words(message: SapientMessage) -> str:
    """An alert of a node as a line."""
    said = message.alert
    words = [_value_name(said, "alert_type"), _value_name(said, "status")]
    return f"{' '.join(w for w in words if w)}: {said.description[:500]}"


#: What the names of an enumeration's values begin with, which says nothing more.
_PREFIXES = {"node_type": "NODE_TYPE_", "status_type": "STATUS_TYPE_",
             "alert_type": "ALERT_TYPE_", "status": "ALERT_STATUS_"}  # fmt: skip


def _value_name(message: Any, name: str) -> str:
    """The value of an enumeration as a word; empty where it is not set."""
    if not message.HasField(name):
        return ""
    number = getattr(message, name)
    value = message.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number.get(number)
    word = str(number) if value is None else value.name.removeprefix(_PREFIXES[name])
    return word.replace("_", " ").lower()


def place_of(location: Any) -> Place:
    """A location of the ICD; InputError where it is none on this Earth."""
    x, y, system = location.x, location.y, location.coordinate_system
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError("location", "is no place", "Send finite numbers")
    x_error = location.x_error if location.HasField("x_error") else NAN
    y_error = location.y_error if location.HasField("y_error") else NAN
    if system == _UTM:
        lat, lon = _from_utm(x, y, location.utm_zone)
        east_m, north_m = x_error, y_error
    elif system in (_DEG_LAT_LNG, _RAD_LAT_LNG):
        unit = math.degrees(1.0) if system == _RAD_LAT_LNG else 1.0
        lon, lat = x * unit, y * unit
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
            raise InputError("location", f"x {x:g}, y {y:g} is no place", "x is the longitude")
        per_lon, per_lat = metres_per_degree(lat)
        east_m, north_m = x_error * unit * per_lon, y_error * unit * per_lat
    else:
        problem = f"has the coordinate system {system}"
        raise InputError("location.coordinate_system", problem, "Send LAT_LNG or UTM")
    reference = _REFERENCES.get(location.datum)
    if reference is None:
        raise InputError("location.datum", f"is {location.datum}", "Send WGS84_E or WGS84_G")
    has_z = location.HasField("z") and math.isfinite(location.z)
    up_m = location.z_error if location.HasField("z_error") else NAN
    return Place(
        lat, lon, location.z if has_z else NAN, reference if has_z else HeightReference.NONE,
        (abs(east_m), abs(north_m), abs(up_m)),
    )  # fmt: skip


def _from_utm(x: float, y: float, zone: str) -> tuple[float, float]:
    """Latitude and longitude of a place in a zone such as `32N` or `32U` (a band's letter)."""
    text = zone.strip().upper()
    where = "location.utm_zone"
    if not (text[:-1].isascii() and text[:-1].isdigit() and text[-1:].isalpha()):
        raise InputError(where, f"is {zone[:20]!r}", "Send a zone such as 32N")
    letter = text[-1]
    # N and S are read as hemispheres, as the ICD's examples do: the band S lies in the north.
    north = letter == "N" or (letter != "S" and letter > "N")
    try:
        lat, lon = utm.to_latlon(x, y, int(text[:-1]), northern=north)
    except (utm.OutOfRangeError, ValueError, OverflowError) as fault:
        raise InputError(where, str(fault)[:200], "Check zone, easting and northing") from None
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise InputError(where, "gives no place", "Check zone, easting and northing")
    return float(lat), float(lon)


def grid_convergence_deg(lat_deg: float, lon_deg: float) -> float:
    """Grid north east of true north in the place's UTM zone (to first order: cm in 10 km)."""
    central = math.floor((lon_deg + 180.0) / 6.0) * 6.0 - 177.0
    lat, off = math.radians(lat_deg), math.radians(lon_deg - central)
    return math.degrees(math.atan(math.tan(off) * math.sin(lat)))


@dataclass(frozen=True, slots=True)
class North:
    """What a node's azimuths are turned by to be from true north, by datum; None: not known."""

    magnetic_deg: float | None = None
    grid_deg: float | None = None
    platform_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One detection: `place`, or seen from the node (range m, azimuth and elevation degrees).

    NaN is not known. `kinds` over `TargetKind`; None where nothing is said of it.
    """

    at_ns: int
    object_id: str
    place: Place | None
    polar: tuple[float, float, float]
    polar_sigmas: tuple[float, float, float]
    velocity_mps: tuple[float, float, float]
    velocity_sigmas_mps: tuple[float, float, float]
    kinds: tuple[float, float, float, float] | None
    claim: Claim | None


_NO_POLAR = (NAN, NAN, NAN)


def seen_of(message: SapientMessage, mode: Mode | None, north: North) -> Seen:
    """A detection from a message that holds the ICD; InputError where it makes no sense."""
    report = message.detection_report
    at_ns = time_ns(message.timestamp.seconds, message.timestamp.nanos)
    if at_ns is None:
        raise InputError("timestamp", "is no time", "Check the node's clock")
    place, polar, sigmas = None, _NO_POLAR, _NO_POLAR
    if report.HasField("location"):
        place = place_of(report.location)
    else:
        polar, sigmas = _polar(report.range_bearing, north)
    velocity = slack = _NO_POLAR
    if report.HasField("enu_velocity"):
        velocity, slack = _velocity(report.enu_velocity, mode)
    return Seen(
        at_ns, report.object_id, place, polar, sigmas, velocity, slack,
        kinds_of(report.classification) if report.classification else None,
        claim_of(report) if report.id or report.object_info else None,
    )  # fmt: skip


def _polar(
    said: Any, north: North
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    if not said.HasField("azimuth"):
        raise InputError("range_bearing.azimuth", "is missing", "Send it")
    system = said.coordinate_system
    angle = math.degrees(1.0) if system in _RADIANS else 1.0
    length = 1_000.0 if system in _KILOMETRES else 1.0
    azimuth = (said.azimuth * angle + _turn_deg(said.datum, north)) % 360.0
    elevation = said.elevation * angle if said.HasField("elevation") else NAN
    range_m = said.range * length if said.HasField("range") else NAN
    if not math.isfinite(azimuth) or abs(elevation) > 90.0 or range_m <= 0.0:
        raise InputError("range_bearing", "is out of its range", "Check units and signs")
    sigmas = (
        abs(said.range_error) * length if said.HasField("range_error") else NAN,
        abs(said.azimuth_error) * angle if said.HasField("azimuth_error") else NAN,
        abs(said.elevation_error) * angle if said.HasField("elevation_error") else NAN,
    )
    return (range_m, azimuth, elevation), sigmas


def _turn_deg(datum: int, north: North) -> float:
    if datum == _TRUE:
        return 0.0
    if datum == _MAGNETIC:
        turn, mend = north.magnetic_deg, "Give the option declination_deg"
    elif datum == _GRID:
        turn, mend = north.grid_deg, "Send azimuths from true north"
    elif datum == _PLATFORM:
        turn, mend = north.platform_deg, "Give the node's heading in the option headings"
    else:
        turn, mend = None, "Send TRUE, MAGNETIC, GRID or PLATFORM"
    if turn is None:
        raise InputError("range_bearing.datum", f"{datum}: no north is known for it", mend)
    return turn


def _velocity(
    said: Any, mode: Mode | None
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    level, climb = (1.0, 1.0) if mode is None else (mode.speed_mps, mode.climb_mps)
    rates = (
        said.east_rate * level,
        said.north_rate * level,
        said.up_rate * climb if said.HasField("up_rate") else NAN,
    )
    errors = (
        abs(said.east_rate_error) * level if said.HasField("east_rate_error") else NAN,
        abs(said.north_rate_error) * level if said.HasField("north_rate_error") else NAN,
        abs(said.up_rate_error) * climb if said.HasField("up_rate_error") else NAN,
    )
    return rates, errors


def kinds_of(classes: Sequence[Any]) -> tuple[float, float, float, float] | None:
    """Likelihoods over `TargetKind`: what is not given to a class is spread evenly over all."""
    shares, rest = [0.0, 0.0, 0.0, 0.0], 1.0
    for one in classes if len(classes) <= MOST_CLASSES else classes[:MOST_CLASSES]:
        kind = _kind_of(one)
        if kind is None:
            continue
        given = one.confidence if one.HasField("confidence") else 0.5
        given = min(max(given, 0.0), rest) if math.isfinite(given) else 0.0
        shares[kind] += given
        rest -= given
    if rest == 1.0:
        return None
    each = rest / 4.0
    return shares[0] + each, shares[1] + each, shares[2] + each, shares[3] + each


def _kind_of(one: Any) -> int | None:
    """The target kind of a class: of its most confident sub-class, if that says more."""
    if one.sub_class:
        for sub in sorted(one.sub_class[:MOST_CLASSES], key=lambda s: -s.confidence):
            kind = _kind_of_words(sub.type)
            if kind is not None:
                return kind
    return _kind_of_words(one.type)


@lru_cache(maxsize=1_000)
def _kind_of_words(text: str) -> int | None:
    words = text.rpartition(":")[2].lower()[:100]
    for kind, names in ((0, _DRONES), (1, _BIRDS), (2, _AIRCRAFT), (3, _CLUTTER)):
        if any(name in words for name in names):
            return kind
    return None


def claim_of(report: Any) -> Claim | None:
    """The identity that a node tells with a detection: what it heard, or was told."""
    told = [(info.type.lower(), info.value.strip()) for info in report.object_info[:20]]
    for kind, value in told:
        if kind in _SERIALS and value:
            return Claim(Scheme.REMOTE_ID, value[:40], report.object_id, identity_type="serial")
        if kind in _ADDRESSES and _is_address(value):
            return Claim(Scheme.ADSB, value.upper(), report.object_id)
    value = report.id.strip()
    if _is_address(value):
        return Claim(Scheme.ADSB, value.upper(), report.object_id)
    if value and serial_fault(value) is None:
        return Claim(Scheme.REMOTE_ID, value, report.object_id, identity_type="serial")
    return None


def _is_address(value: str) -> bool:
    return len(value) == _ADDRESS_CHARACTERS and all(c in "0123456789abcdefABCDEF" for c in value)
