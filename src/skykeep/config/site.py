"""The site, its sensors and its ground, from a site file."""

from __future__ import annotations

import math
from pathlib import Path

from skykeep.codec.signed import raw_key
from skykeep.config.document import (
    PermitsPart,
    SensorPart,
    TerrainPart,
    ZonesPart,
    decode_document,
    read_document,
)
from skykeep.core.airspace import Site
from skykeep.core.geo import Frame, Terrain
from skykeep.core.geometry import MAX_RADIUS_M
from skykeep.core.observation import Coverage, Sensor
from skykeep.core.permit import PermitPolicy
from skykeep.core.schedule import time_zone_of
from skykeep.core.verdict import VerdictPolicy
from skykeep.core.zone_book import ZonePolicy
from skykeep.errors import InputError
from skykeep.units import SensorId


def read_site(path: Path) -> tuple[Site, tuple[Sensor, ...]]:
    """The site and its sensors; InputError names the field that does not fit."""
    return decode_site(read_document(path), str(path))


def decode_site(data: bytes, source: str) -> tuple[Site, tuple[Sensor, ...]]:
    """The same from bytes; `source` is named in errors."""
    raw = decode_document(data, source)
    _check_place(f"{source}: origin", raw.origin.lat_deg, raw.origin.lon_deg)
    if time_zone_of(raw.time_zone) is None:
        problem = f"{raw.time_zone!r} is no IANA time zone"
        raise InputError(f"{source}: time_zone", problem, "Give one such as Europe/Luxembourg")
    terrain = None if raw.terrain is None else _terrain(raw.terrain, f"{source}: terrain")
    site = Site(
        raw.authority,
        raw.name,
        Frame(raw.origin.lat_deg, raw.origin.lon_deg, raw.origin.height_hae_m),
        terrain,
        raw.time_zone,
        VerdictPolicy(
            broadcast_only_counts=raw.policy.broadcast_only_counts,
            bound_horizon_s=raw.policy.bound_horizon_s,
        ),
        permit_policy=_policy(raw.permits, f"{source}: permits"),
        zone_policy=_zone_policy(raw.zones, f"{source}: zones"),
        operator_basis="" if raw.operator_positions is None else raw.operator_positions.legal_basis,
    )
    return site, tuple(
        _sensor(f"{source}: sensors[{i}]", sensor) for i, sensor in enumerate(raw.sensors)
    )


def _terrain(t: TerrainPart, where: str) -> Terrain | None:
    """The bounds as they are written; None where a file says them."""
    low, high, geoid_low, geoid_high = (
        t.lowest_amsl_m, t.highest_amsl_m, t.geoid_low_m, t.geoid_high_m,
    )  # fmt: skip
    if t.file is not None:
        if (low, high, geoid_low, geoid_high) != (None,) * 4:
            raise InputError(where, "has a file and bounds beside it", "Give one of the two")
        if not 0.0 < t.radius_m <= MAX_RADIUS_M:
            problem = f"is {t.radius_m}"
            raise InputError(f"{where}.radius_m", problem, f"Give 0 to {MAX_RADIUS_M:g} m")
        return None
    if low is None or high is None or geoid_low is None or geoid_high is None:
        mend = "Give lowest_amsl_m, highest_amsl_m, geoid_low_m and geoid_high_m, or a file"
        raise InputError(where, "a bound is missing", mend)
    if low > high or geoid_low > geoid_high:
        raise InputError(where, "a low bound is above its high one", "Swap them")
    return Terrain(low, high, geoid_low, geoid_high)


def read_terrain_file(path: Path) -> tuple[Path, float] | None:
    """The terrain file that a site names (beside its own), and how far around it is needed."""
    raw = decode_document(read_document(path), str(path)).terrain
    if raw is None or raw.file is None:
        return None
    return path.parent / raw.file, raw.radius_m


def _sensor(where: str, raw: SensorPart) -> Sensor:
    _check_place(where, raw.lat_deg, raw.lon_deg)
    checks = (
        ("range_max_m", raw.range_min_m < raw.range_max_m, "above range_min_m"),
        ("range_min_m", raw.range_min_m >= 0.0, "0 or more"),
        ("azimuth_to_deg", raw.azimuth_from_deg < raw.azimuth_to_deg, "above azimuth_from_deg"),
        ("elevation_max_deg", raw.elevation_min_deg < raw.elevation_max_deg, "above the minimum"),
        ("period_s", raw.period_s is None or raw.period_s > 0.0, "above 0"),
        ("detection_probability", 0.0 < raw.detection_probability < 1.0, "between 0 and 1"),
        ("false_per_turn", raw.false_per_turn >= 0.0, "0 or more"),
        ("key", not raw.key or raw_key(raw.key) is not None, "base64 of 32 bytes (Ed25519)"),
    )
    for name, holds, must in checks:
        if not holds:
            problem = f"is {getattr(raw, name)}, must be {must}"
            raise InputError(f"{where}.{name}", problem, "Correct it")
    coverage = Coverage(
        raw.range_min_m,
        raw.range_max_m,
        raw.azimuth_from_deg,
        raw.azimuth_to_deg,
        raw.elevation_min_deg,
        raw.elevation_max_deg,
    )
    return Sensor(
        SensorId(raw.sensor),
        raw.kind,
        raw.lat_deg,
        raw.lon_deg,
        raw.height_hae_m,
        coverage,
        raw.period_s,
        raw.detection_probability,
        raw.false_per_turn,
        key=raw.key,
    )


def _check_place(where: str, lat_deg: float, lon_deg: float) -> None:
    if not (math.isfinite(lat_deg) and abs(lat_deg) <= 90.0):
        raise InputError(f"{where}.lat_deg", f"is {lat_deg}", "Give -90 to 90")
    if not (math.isfinite(lon_deg) and abs(lon_deg) <= 180.0):
        raise InputError(f"{where}.lon_deg", f"is {lon_deg}", "Give -180 to 180")


def _policy(raw: PermitsPart, where: str) -> PermitPolicy:
    days = raw.decide_within_days
    for name, value in (
        ("decide_within_days", 1.0 if days is None else days),
        ("land_within_s", raw.land_within_s),
        ("confirm_within_min", raw.confirm_within_min),
        ("longest_emergency_min", raw.longest_emergency_min),
    ):
        if not (math.isfinite(value) and 0.0 < value < 1e6):
            raise InputError(f"{where}.{name}", f"is {value}", "Give a number above 0")
    return PermitPolicy(
        None if days is None else days * 86_400.0,
        raw.land_within_s,
        raw.confirm_within_min * 60.0,
        raw.longest_emergency_min * 60.0,
        raw.appeal,
    )


def _zone_policy(raw: ZonesPart, where: str) -> ZonePolicy:
    hours = raw.confirm_within_h
    if not (math.isfinite(hours) and 0.0 < hours < 1e5):
        raise InputError(f"{where}.confirm_within_h", f"is {hours}", "Give a number above 0")
    return ZonePolicy(hours * 3_600.0, raw.approver_differs)
