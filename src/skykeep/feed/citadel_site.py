"""The citadel of Luxembourg as a site: its ground, sensors, zones, permits and people.

The places are real, to some hundred metres; the authority, the people, the aircraft and
the night are invented. Positions in metres are east, north, up of the site's origin, at
which the ground lies; the earth's curve lowers the ground by 1.3 m at 4 km.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from importlib.resources import files

from skykeep.codec.zones import read_zones
from skykeep.core.airspace import Command, RegisterSensor, Site
from skykeep.core.event import Actor
from skykeep.core.geo import (
    Circle,
    Frame,
    HeightAgl,
    HeightAmsl,
    Polygon,
    Terrain,
    Volume,
    Volume4D,
)
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.permit import ChangePermit, Permit, PermitEvent, PermitState, PutPermit
from skykeep.core.zone import PublishZone, Restriction, Zone
from skykeep.units import PermitId, SensorId, ZoneId, to_ns

Place = tuple[float, float, float]

AUTHORITY_ID = "lux-citadel-authority"
TIME_ZONE = "Europe/Luxembourg"

CITADEL_LAT_DEG, CITADEL_LON_DEG = 49.6083, 6.1337  # plateau du Saint-Esprit
GROUND_AMSL_M = 290.0
GEOID_M = 47.5  # the geoid over the ellipsoid in Luxembourg, EGM2008 to half a metre
QNH_HPA = 1008.0
#: The valley of the Alzette and the plateaus around, with room to spare.
TERRAIN = Terrain(lowest_amsl_m=230.0, highest_amsl_m=400.0, geoid_low_m=47.0, geoid_high_m=48.0)
FRAME = Frame(CITADEL_LAT_DEG, CITADEL_LON_DEG, GROUND_AMSL_M + GEOID_M)
SITE = Site(AUTHORITY_ID, "Citadel of Luxembourg (invented)", FRAME, TERRAIN, TIME_ZONE)

WALL_RADIUS_M = 90.0
ZONE_RADIUS_M, ZONE_TOP_AGL_M = 500.0, 300.0
BAN_RADIUS_M = 5_000.0

CITADEL_ZONE, BAN_ZONE = ZoneId("CITADEL-500"), ZoneId("CITY-BAN")
SURVEY_PERMIT = PermitId("P-SURVEY")
POLICE_EXEMPTION = PermitId("E-POLICE")
REVOKED_PERMIT = PermitId("P-REVOKED")

# Serial numbers in the form of ANSI/CTA-2063-A: maker (4), length of the rest (1), the rest.
SURVEY_SERIAL = "SKV18SRV00017"
POLICE_SERIAL = "SKV28PLC00007"
REVOKED_SERIAL = "SKV38RVK00042"

OFFICER = Actor("A. Weber (invented)", "duty officer")
PERMIT_CLERK = Actor("C. Muller (invented)", "permit office")
NATIONAL = Actor("national zone data of 2026-08-17", "import")

#: 23:48 in Luxembourg; midnight falls into the twelfth minute.
START_NS = to_ns(datetime(2026, 9, 12, 21, 48, tzinfo=UTC))
PERMIT_START_NS = to_ns(datetime(2026, 9, 12, 18, 0, tzinfo=UTC))
PERMIT_END_NS = to_ns(datetime(2026, 9, 13, 4, 0, tzinfo=UTC))
EXEMPTION_SINCE_NS = to_ns(datetime(2026, 1, 1, tzinfo=UTC))
GRANTED_NS = to_ns(datetime(2026, 9, 7, 8, 30, tzinfo=UTC))

#: The survey's volume: 350 m by 300 m north-west of the centre, within 450 m of it.
SURVEY_CENTRE_M = (-150.0, 150.0)
SURVEY_HALF_M = (175.0, 150.0)
SURVEY_AMSL_M = (300.0, 430.0)
POLICE_RADIUS_M, POLICE_AMSL_M = 1_500.0, (240.0, 550.0)


def up_of(amsl_m: float) -> float:
    """A height above sea level as up in the site's frame (at the origin)."""
    return amsl_m - GROUND_AMSL_M


def at_bearing(bearing_deg: float, distance_m: float, up_m: float) -> Place:
    """A place by its bearing and distance from the citadel's centre."""
    angle = math.radians(bearing_deg)
    return distance_m * math.sin(angle), distance_m * math.cos(angle), up_m


def _sensor(
    name: str,
    kind: SensorKind,
    place: Place,
    coverage: Coverage,
    *,
    words: str,
    period_s: float | None = None,
    detection_probability: float = 1.0,
    false_per_turn: float = 0.0,
) -> Sensor:
    lat, lon, hae = FRAME.to_geodetic(*place)
    return Sensor(
        SensorId(name),
        kind,
        lat,
        lon,
        hae,
        coverage,
        period_s,
        detection_probability,
        false_per_turn,
        words,
    )


RADAR = _sensor(
    "radar",
    SensorKind.RADAR,
    at_bearing(170.0, 900.0, 55.0),
    Coverage(150.0, 6_000.0, elevation_min_deg=-6.0, elevation_max_deg=40.0),
    words="3-D surveillance radar on a roof south of the citadel",
    period_s=1.0,
    detection_probability=0.9,
    false_per_turn=22.0,
)
RADAR_SIGMAS = (10.0, 0.4, 1.0)  # range m, azimuth deg, elevation deg
RADAR_FALSE_FLOOR = 20

_FINDER_COVERAGE = Coverage(0.0, 4_000.0)
FINDER_WEST = _sensor(
    "df-west",
    SensorKind.DIRECTION_FINDER,
    at_bearing(285.0, 730.0, 25.0),
    _FINDER_COVERAGE,
    words="RF direction finder, west",
    detection_probability=0.8,
)
FINDER_EAST = _sensor(
    "df-east",
    SensorKind.DIRECTION_FINDER,
    at_bearing(125.0, 1_080.0, 30.0),
    _FINDER_COVERAGE,
    words="RF direction finder, south-east",
    detection_probability=0.8,
)
FINDER_SIGMAS_DEG = (3.5, 4.5)

REMOTE_ID = _sensor(
    "remote-id",
    SensorKind.REMOTE_ID,
    (10.0, -20.0, 20.0),
    Coverage(0.0, 3_000.0),
    words="Remote ID receiver on the citadel's roof",
)
ADSB = _sensor(
    "adsb",
    SensorKind.ADSB,
    (-15.0, 10.0, 22.0),
    Coverage(0.0, 100_000.0),
    words="ADS-B receiver on the citadel's roof",
    detection_probability=0.95,
)
GUARD = _sensor(
    "guard",
    SensorKind.PERSON,
    (20.0, 40.0, 12.0),
    Coverage(0.0, 5_000.0),
    words="the guard on the wall",
)
RESIDENT = _sensor(
    "resident",
    SensorKind.PERSON,
    at_bearing(60.0, 950.0, 10.0),
    Coverage(0.0, 5_000.0),
    words="a resident of the Kirchberg side",
)
SENSORS = (RADAR, FINDER_WEST, FINDER_EAST, REMOTE_ID, ADSB, GUARD, RESIDENT)


def _over_citadel(radius_m: float, top_agl_m: float) -> Volume:
    circle = Circle(CITADEL_LAT_DEG, CITADEL_LON_DEG, radius_m)
    return Volume(circle, HeightAgl(0.0), HeightAgl(top_agl_m))


def citadel_zone() -> Zone:
    """The site's standing zone: 500 m around the citadel, ground to 300 m, always."""
    return Zone(
        CITADEL_ZONE,
        "Citadel, 500 m",
        AUTHORITY_ID,
        Restriction.PROHIBITED,
        (_over_citadel(ZONE_RADIUS_M, ZONE_TOP_AGL_M),),
        country="LUX",
        reasons=("SENSITIVE",),
        message="No drones within 500 m of the citadel, except by permit.",
        legal_basis="standing order of the (invented) citadel authority",
        time_zone=TIME_ZONE,
    )


def ban_zone() -> Zone:
    """The emergency ban over the whole city."""
    return Zone(
        BAN_ZONE,
        "Luxembourg City, emergency ban",
        AUTHORITY_ID,
        Restriction.PROHIBITED,
        (_over_citadel(BAN_RADIUS_M, ZONE_TOP_AGL_M),),
        country="LUX",
        reasons=("EMERGENCY",),
        message="All drones are banned over the city, except by permit and for its own aircraft.",
        legal_basis="emergency order of the (invented) citadel authority",
        time_zone=TIME_ZONE,
        emergency=True,
    )


def survey_permit(zones: tuple[ZoneId, ...]) -> Permit:
    """The surveyor's permit for the night, opening these zones."""
    east, north = SURVEY_CENTRE_M
    half_e, half_n = SURVEY_HALF_M
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    ring = []
    for a, b in corners:
        lat, lon, _ = FRAME.to_geodetic(east + a * half_e, north + b * half_n, 0.0)
        ring.append((lon, lat))
    lower, upper = (HeightAmsl(m) for m in SURVEY_AMSL_M)
    return Permit(
        SURVEY_PERMIT,
        AUTHORITY_ID,
        "Geodata survey (invented)",
        (SURVEY_SERIAL,),
        zones,
        (Volume4D(Volume(Polygon((tuple(ring),)), lower, upper), PERMIT_START_NS, PERMIT_END_NS),),
        PermitState.GRANTED,
        state_why="heat survey of the roofs, agreed with the guard",
        state_since_ns=GRANTED_NS,
    )


def _police_exemption() -> Permit:
    circle = Circle(CITADEL_LAT_DEG, CITADEL_LON_DEG, POLICE_RADIUS_M)
    lower, upper = (HeightAmsl(m) for m in POLICE_AMSL_M)
    return Permit(
        POLICE_EXEMPTION,
        AUTHORITY_ID,
        "City police (invented)",
        (POLICE_SERIAL,),
        (),
        (Volume4D(Volume(circle, lower, upper), EXEMPTION_SINCE_NS, None),),
        PermitState.GRANTED,
        exemption_class="police",
        state_why="standing exemption",
        state_since_ns=EXEMPTION_SINCE_NS,
    )


def _revoked_permit() -> Permit:
    return Permit(
        REVOKED_PERMIT,
        AUTHORITY_ID,
        "Evening Pictures (invented)",
        (REVOKED_SERIAL,),
        (CITADEL_ZONE,),
        (Volume4D(_over_citadel(2_000.0, ZONE_TOP_AGL_M), PERMIT_START_NS, PERMIT_END_NS),),
        PermitState.GRANTED,
        state_why="pictures of the lit walls",
        state_since_ns=GRANTED_NS,
    )


def national_zones() -> tuple[Zone, ...]:
    """The zones that the country publishes (DAC Luxembourg, CC0): context, not enforced."""
    source = files("skykeep") / "data" / "luxembourg.geojson"
    return read_zones(source.read_bytes(), "luxembourg.geojson").zones


def standing_orders() -> tuple[Command, ...]:
    """Sensors and zones, as they stand before anything flies."""
    sensors = [RegisterSensor(OFFICER, sensor) for sensor in SENSORS]
    zones = [PublishZone(NATIONAL, zone) for zone in national_zones()]
    return (*sensors, *zones, PublishZone(OFFICER, citadel_zone()))


def permit_orders() -> tuple[Command, ...]:
    """The permits and the exemption of the night; one was taken back in the afternoon."""
    return (
        PutPermit(PERMIT_CLERK, survey_permit((CITADEL_ZONE,))),
        PutPermit(OFFICER, _police_exemption()),
        PutPermit(PERMIT_CLERK, _revoked_permit()),
        ChangePermit(
            OFFICER,
            REVOKED_PERMIT,
            PermitEvent.REVOKE,
            "taken back on 2026-09-12 at 16:20: flew low over the crowd last night",
        ),
    )


def ban_orders() -> tuple[Command, ...]:
    """The emergency ban; the survey's permit is widened to it just before."""
    return (
        PutPermit(PERMIT_CLERK, survey_permit((CITADEL_ZONE, BAN_ZONE))),
        PublishZone(OFFICER, ban_zone()),
    )
