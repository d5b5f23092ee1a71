"""The scenario `citadel-night`, and quiet hours under the same sky.

    night = citadel_night(seed=1)
    for item in night.items():
        ...  # Tick, Batch or a command, in the order in which they come in

All of it follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skykeep.core.airspace import Site
from skykeep.core.casebook import FoundPart, ResponderReport
from skykeep.core.event import Actor
from skykeep.feed import citadel_site as site
from skykeep.feed import citadel_sky as sky
from skykeep.feed.paths import Path
from skykeep.feed.simulated_broadcasts import AdsbModel, RemoteIdModel
from skykeep.feed.simulator import (
    FinderModel,
    Input,
    Order,
    PersonModel,
    RadarModel,
    Scene,
    SensorModel,
    Sighting,
    simulate,
)
from skykeep.feed.targets import generator
from skykeep.units import seconds

#: Untrained people point to within some 15 degrees at night, without a compass.
SIGHTING_SIGMA_DEG = 15.0
#: The clock times that people give are rounded to whole minutes.
SIGHTING_ROUND_S = 60
_PEOPLE_KEY = 3

#: How often the same mistaken reports come in during quiet hours.
QUIET_REPEAT_S = 3_600


@dataclass(frozen=True, slots=True)
class OfficersAssessment:
    """An officer's own conclusion: `conclusion` is one of the casebook's words."""

    at_ns: int
    author: Actor
    about: tuple[str, ...]  # labels of the truth; the record's tracks are found by the scorer
    conclusion: str
    words: str


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came in after the night."""

    report: ResponderReport
    assessments: tuple[OfficersAssessment, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """A scenario: what the site receives, and the truth to score it by.

    `truth` holds everything that flew but, for quiet hours, not the birds (they come
    without end; `bird_truth` lists those of a stretch).
    """

    site: Site
    start_ns: int
    duration_s: int
    scene: Scene
    truth: tuple[sky.TruthTarget, ...]
    aftermath: Aftermath | None

    def items(self) -> Iterator[Input]:
        """Batches, ticks and commands from the start, the same each time."""
        return simulate(self.scene)


def citadel_night(seed: int) -> Night:
    """The night of 2026-09-12 to 13 over the citadel of Luxembourg."""
    actors = sky.actors(seed)
    first = next(t for t in actors.targets if t.label == "intruder-1")
    sensors = (
        *_unaided_sensors(),
        RemoteIdModel(site.REMOTE_ID, actors.remote_id, site.GEOID_M, site.QNH_HPA),
        AdsbModel(site.ADSB, actors.adsb, site.GEOID_M, site.QNH_HPA),
        *_people(seed, first.path),
    )
    orders = [Order(0, c) for c in (*site.standing_orders(), *site.permit_orders())]
    orders += [Order(sky.BAN_S, c) for c in site.ban_orders()]
    birds = sky.flock(seed)
    scene = Scene(
        seed,
        site.START_NS,
        sky.NIGHT_S,
        site.FRAME,
        actors.targets,
        birds,
        sensors,
        tuple(orders),
    )
    truth = (*actors.truth, *bird_truth(scene, sky.NIGHT_S))
    return Night(site.SITE, site.START_NS, sky.NIGHT_S, scene, truth, _aftermath(actors.fragments))


def quiet_hours(seed: int, hours: float) -> Night:
    """The same site, sensors, clutter, birds and mistaken people, and no drone at all."""
    duration_s = round(hours * 3600)
    sensors = (
        *_unaided_sensors(),
        RemoteIdModel(site.REMOTE_ID, (), site.GEOID_M, site.QNH_HPA),
        AdsbModel(site.ADSB, (), site.GEOID_M, site.QNH_HPA),
        PersonModel(site.GUARD, (_STAR,), SIGHTING_SIGMA_DEG, QUIET_REPEAT_S),
        PersonModel(site.RESIDENT, (_BIRD,), SIGHTING_SIGMA_DEG, QUIET_REPEAT_S),
    )
    scene = Scene(
        seed,
        site.START_NS,
        duration_s,
        site.FRAME,
        (),
        sky.flock(seed),
        sensors,
        tuple(Order(0, c) for c in site.standing_orders()),
    )
    return Night(site.SITE, site.START_NS, duration_s, scene, (), None)


def bird_truth(scene: Scene, until_s: float) -> tuple[sky.TruthTarget, ...]:
    """The birds of a scene that fly before `until_s`."""
    birds = () if scene.flock is None else scene.flock.until(until_s)
    return tuple(sky.bird_truth(bird) for bird in birds)


def _unaided_sensors() -> tuple[SensorModel, ...]:
    return (
        RadarModel(site.RADAR, site.RADAR_SIGMAS, site.RADAR_FALSE_FLOOR),
        FinderModel(site.FINDER_WEST, site.FINDER_SIGMAS_DEG[0], phase_s=0.5),
        FinderModel(site.FINDER_EAST, site.FINDER_SIGMAS_DEG[1], phase_s=0.7),
    )


_STAR = Sighting(60.0, 96.3, 262.0, "A bright light, standing quite still in the west. A drone?")
_BIRD = Sighting(
    780.0, 829.7, 205.0, "Something dark is circling over the valley, without a sound."
)
_HELICOPTER = Sighting(660.0, 672.4, 190.0, "A huge drone with lights, very loud, right over us!")
_SECOND_STAR = Sighting(1_020.0, 1_063.8, None, "Another one, high up. It twinkles.")
#: When the resident saw the first intruder, and when the call came in.
_SAW_FIRST_S, _TOLD_FIRST_S = 322.0, 391.5


def _people(seed: int, first: Path) -> tuple[SensorModel, ...]:
    """One person saw the first intruder; the others are mistaken."""
    at_m = first.states(np.array([_SAW_FIRST_S]))[0][0]
    here = site.RESIDENT
    from_m = site.FRAME.to_enu(here.lat_deg, here.lon_deg, here.height_hae_m)
    azimuth = np.degrees(np.arctan2(at_m[0] - from_m[0], at_m[1] - from_m[1]))
    azimuth += generator(seed, _PEOPLE_KEY).standard_normal() * SIGHTING_SIGMA_DEG
    minute = round(_SAW_FIRST_S / SIGHTING_ROUND_S) * SIGHTING_ROUND_S
    saw = Sighting(
        float(minute),
        _TOLD_FIRST_S,
        round(float(azimuth)) % 360.0,
        "A buzzing thing went over, fast, towards the citadel. Then a bang.",
    )
    guard = (_STAR, _HELICOPTER, _SECOND_STAR)
    return (
        PersonModel(site.GUARD, guard, SIGHTING_SIGMA_DEG),
        PersonModel(site.RESIDENT, (saw, _BIRD), SIGHTING_SIGMA_DEG),
    )


#: When, after the night's start, the report came in and the officers wrote.
_REPORT_S, _ASSESSED_S, _SECOND_ASSESSED_S = 5_400, 36_000, 38_700
_FIRE_SERVICE = Actor("B. Klein (invented)", "fire and rescue, team leader")


def _aftermath(fragments: tuple[site.Place, ...]) -> Aftermath:
    parts = []
    for number, place in enumerate(fragments, start=1):
        lat, lon, _ = site.FRAME.to_geodetic(*place)
        # Handheld satellite receivers show five decimals: a metre.
        parts.append(FoundPart(round(lat, 5), round(lon, 5), f"part {number}, plastic and carbon"))
    report = ResponderReport(
        site.START_NS + seconds(_REPORT_S),
        _FIRE_SERVICE,
        f"{len(parts)} parts of one small multirotor secured on and beside the citadel's roof.",
        tuple(parts),
        injuries="none",
        damage="none",
    )
    return Aftermath(
        report,
        (
            OfficersAssessment(
                site.START_NS + seconds(_ASSESSED_S),
                site.OFFICER,
                ("intruder-1",),
                "confirmed",
                "A multirotor without Remote ID came in from the north-east and broke up over "
                "the roof. Radar, both direction finders and the parts found agree.",
            ),
            OfficersAssessment(
                site.START_NS + seconds(_SECOND_ASSESSED_S),
                site.OFFICER,
                ("intruder-2",),
                "corroborated",
                "A second aircraft without Remote ID crossed from the south-west. The radar "
                "alone saw it; nothing was found.",
            ),
        ),
    )
